// What the parts tell each other: the way of a value to the scripts, of a message to the cloud and
// back. Main thread; never blocks.
#include "daemon/app_private.h"

#include "model/topic.h"

static bool takes_group(const PsPublish *publish, uint32_t group) {
    for (uint32_t i = 0; i < publish->group_names.count; i++) {
        if (publish->groups[i] == group) {
            return true;
        }
    }
    return false;
}

static bool wants_uploads(uint32_t group, void *ctx) {
    const PsApp *app = ctx;
    for (uint32_t i = 0; app->config->cloud.enable && i < app->config->publish_count; i++) {
        if (takes_group(&app->config->publish[i], group)) {
            return true;
        }
    }
    return false;
}

static void on_alarms(const PsAlarmUpload *changed, void *ctx) {
    PsApp *app = ctx;
    for (uint32_t i = 0; app->scripts != NULL && i < app->config->publish_count; i++) {
        if (takes_group(&app->config->publish[i], changed->group)) {
            (void)ps_script_host_alarms(app->scripts, i, changed); // as in on_upload
            if (app->canary != NULL) {
                ps_canary_alarms(app->canary, i, changed);
            }
        }
    }
}

static void on_upload(const PsUpload *upload, void *ctx) {
    PsApp *app = ctx;
    if (app->stopping) {
        return; // scripts finish what they have; an alarm is seen after the next start
    }
    if (app->config->groups[upload->group].type == PS_GROUP_ALARM) {
        ps_alarm_desk_evaluate(app->alarms, upload);
        return;
    }
    bool taken = app->scripts != NULL && !app->scripts_stopping;
    for (uint32_t i = 0; taken && i < app->config->publish_count; i++) {
        if (takes_group(&app->config->publish[i], upload->group)) {
            // A module that could not be built was reported when it was; its uploads end here.
            (void)ps_script_host_collect(app->scripts, i, upload);
            if (app->canary != NULL && !upload->waits) { // it keeps few to compare
                ps_canary_upload(app->canary, i, upload);
            }
        }
    }
}

static void on_flush(uint32_t group, void *ctx) {
    PsApp *app = ctx;
    bool taken = !app->stopping && app->scripts != NULL && !app->scripts_stopping;
    for (uint32_t i = 0; taken && i < app->config->publish_count; i++) {
        if (takes_group(&app->config->publish[i], group)) {
            ps_script_host_flush(app->scripts, i, group);
        }
    }
}

static void on_samples(const PsSampleBatch *batch, void *ctx) {
    PsApp *app = ctx;
    if (app->live != NULL) {
        ps_api_live_samples(app->live, batch);
    }
}

static bool on_publish(const PsScriptPublish *publish, void *ctx) {
    PsApp *app = ctx;
    if (publish->replay == 0 && app->canary != NULL) {
        ps_canary_live(app->canary, publish); // which sees live inputs only
    }
    bool accepted = ps_intake_accept(app->intake, app->outbox, publish);
    if (!accepted) {
        ps_replay_refused(app->replay, publish->replay);
    } else {
        ps_delivery_pump(app->delivery);
    }
    return accepted;
}

static void on_dead(const PsScriptDead *dead, void *ctx) {
    PsApp *app = ctx;
    ps_replay_keep(app->replay, dead);
}

static void on_replayed(uint64_t id, PsScriptReplayEnd end, const char *reason, void *ctx) {
    PsApp *app = ctx;
    ps_replay_ended(app->replay, id, end, reason);
}

static bool on_settle(uint64_t ticket, void *ctx) {
    PsApp *app = ctx;
    return ps_settle_wait(app->settle, app->outbox, ticket);
}

static bool on_publish_now(const PsScriptPublish *publish, uint64_t ticket, void *ctx) {
    PsApp *app = ctx;
    if (publish->replay == 0 && app->canary != NULL) {
        ps_canary_live(app->canary, publish);
    }
    return app->link != NULL && ps_delivery_admit_now(app->delivery, publish->payload_len) &&
           ps_link_publish_now(app->link, ticket, publish->topic, publish->payload,
                               publish->payload_len, publish->qos) == PS_OK;
}

static PsErr on_write(uint32_t variable, PsValue value, PsMono deadline, PsScriptWriteDone *done,
                      void *done_ctx, void *ctx, PsDiag *diag) {
    PsApp *app = ctx;
    return ps_collector_write(app->collector, variable, value, deadline, done, done_ctx, diag);
}

static void on_recall(PsMono deadline, PsScriptRecallDone *done, void *done_ctx, void *ctx) {
    PsApp *app = ctx;
    ps_collector_recall(app->collector, deadline, done, done_ctx);
}

void ps_ways_outbox_ready(void *ctx) {
    PsApp *app = ctx;
    if (app->scripts != NULL) {
        ps_settle_tell(app->settle, app->outbox, app->scripts);
    }
    ps_delivery_pump(app->delivery);
}

static void on_link_state(const PsLinkStatus *status, void *ctx) {
    PsApp *app = ctx;
    bool connected = status->state == PS_LINK_CONNECTED;
    if (app->scripts != NULL) {
        ps_script_host_set_link(app->scripts, connected);
    }
    ps_delivery_link_state(app->delivery, status);
}

static void on_acknowledged(uint64_t id, void *ctx) {
    PsApp *app = ctx;
    ps_delivery_acknowledged(app->delivery, id);
}

static void on_published_now(uint64_t ticket, bool sent, void *ctx) {
    PsApp *app = ctx;
    if (app->scripts != NULL) {
        ps_script_host_publish_now_done(app->scripts, ticket, sent);
    }
}

static void on_received(const char *topic, const void *payload, size_t len, int qos, void *ctx) {
    PsApp *app = ctx;
    for (uint32_t i = 0; app->scripts != NULL && i < app->filter_count; i++) {
        if (ps_topic_matches(app->filters[i], topic)) {
            (void)ps_script_host_receive(app->scripts, i, topic, payload, len, qos);
        }
    }
}

static void on_script_saved(bool publish, uint32_t index, PsBuf *source, void *ctx) {
    PsApp *app = ctx;
    ps_script_host_replace(app->scripts, publish ? PS_SCRIPT_PUBLISH : PS_SCRIPT_SUBSCRIBE, index,
                           source);
}

// --- for building -------------------------------------------------------------------------------

PsAlarmDeskSetup ps_ways_of_alarms(PsApp *app) {
    return (PsAlarmDeskSetup){.loop = &app->loop,
                              .config = app->config,
                              .table = app->table,
                              .folder = app->options->state,
                              .on_changed = on_alarms,
                              .ctx = app};
}

PsCollectorSetup ps_ways_of_collector(PsApp *app) {
    return (PsCollectorSetup){.loop = &app->loop,
                              .config = app->config,
                              .table = app->table,
                              .state_folder = app->options->state,
                              .wants_uploads = wants_uploads,
                              .on_upload = on_upload,
                              .on_flush = on_flush,
                              .on_samples = on_samples,
                              .ctx = app};
}

PsScriptHostSetup ps_ways_of_scripts(PsApp *app) {
    return (PsScriptHostSetup){
        .loop = &app->loop,
        .config = app->config,
        .program = app->options->script_program,
        .scratch = app->scratch,
        .ctx = app,
        .on_publish = on_publish,
        .on_settle = on_settle,
        .on_publish_now = on_publish_now,
        .on_write = on_write,
        .on_recall = on_recall,
        .on_dead = on_dead,
        .on_replayed = on_replayed,
    };
}

PsScriptWatchSetup ps_ways_of_watch(PsApp *app) {
    return (PsScriptWatchSetup){
        .loop = &app->loop, .config = app->config, .saved = on_script_saved, .ctx = app};
}

PsLinkSetup ps_ways_of_link(PsApp *app) {
    return (PsLinkSetup){
        .loop = &app->loop,
        .cloud = &app->config->cloud,
        .window = ps_link_window(&app->config->cloud),
        .on_state = on_link_state,
        .on_acknowledged = on_acknowledged,
        .on_published_now = on_published_now,
        .on_received = on_received,
        .ctx = app,
    };
}
