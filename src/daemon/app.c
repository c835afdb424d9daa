// Builds the gateway's parts, wires them, runs the loop, stops them: who asks before who answers.
// Owns every part for the life of the process. Main thread; blocks only while starting and
// stopping (outbox and alarm history open and close).
#include "daemon/app.h"

#include "alarm/desk.h"
#include "api/api.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "collect/collector.h"
#include "daemon/comm_watch.h"
#include "daemon/delivery.h"
#include "daemon/intake.h"
#include "daemon/outbox_setup.h"
#include "daemon/replay.h"
#include "daemon/script_watch.h"
#include "daemon/settle.h"
#include "link/aws.h"
#include "link/link.h"
#include "model/topic.h"
#include "outbox/outbox.h"
#include "script/host.h"
#include "tags/tag_table.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <uv.h>

// A part that does not end by itself must not keep the process for ever; the outbox is closed
// (and so committed) all the same.
#define STOP_LIMIT_MS 15000

typedef struct App {
    const PsConfig *config;
    const PsAppOptions *options;
    uv_loop_t loop;
    uv_signal_t interrupt;
    uv_signal_t terminate;
    uv_timer_t stop_limit;
    PsTagTable *table;
    PsAlarmDesk *alarms;
    PsOutbox *outbox;
    PsIntake *intake;
    PsLink *link;
    PsDelivery *delivery; // while there is a link
    PsScriptHost *scripts;
    PsReplay *replay;
    PsSettle *settle;
    PsScriptWatch *watch;
    PsCanary *canary;
    PsCollector *collector;
    PsCommWatch *comm;
    PsApi *api;
    char **filters; // expanded topic of each subscribe entry
    char scratch[PATH_MAX];
    int lock_fd;
    bool stopping;
} App;

// --- the way of a message ----------------------------------------------------------------------

static bool takes_group(const PsPublish *publish, uint32_t group) {
    for (uint32_t i = 0; i < publish->group_names.count; i++) {
        if (publish->groups[i] == group) {
            return true;
        }
    }
    return false;
}

static bool wants_uploads(uint32_t group, void *ctx) {
    const App *app = ctx;
    for (uint32_t i = 0; app->scripts != NULL && i < app->config->publish_count; i++) {
        if (takes_group(&app->config->publish[i], group)) {
            return true;
        }
    }
    return false;
}

static void on_alarms(const PsAlarmUpload *changed, void *ctx) {
    App *app = ctx;
    for (uint32_t i = 0; app->scripts != NULL && i < app->config->publish_count; i++) {
        if (takes_group(&app->config->publish[i], changed->group)) {
            (void)ps_script_host_alarms(app->scripts, i, changed); // as in on_upload
            ps_canary_alarms(app->canary, i, changed);
        }
    }
}

static void on_upload(const PsUpload *upload, void *ctx) {
    App *app = ctx;
    if (app->stopping) {
        return; // scripts finish what they have; an alarm is seen after the next start
    }
    if (app->config->groups[upload->group].type == PS_GROUP_ALARM) {
        ps_alarm_desk_evaluate(app->alarms, upload);
        return;
    }
    for (uint32_t i = 0; app->scripts != NULL && i < app->config->publish_count; i++) {
        if (takes_group(&app->config->publish[i], upload->group)) {
            // A module that could not be built was reported when it was; its uploads end here.
            (void)ps_script_host_collect(app->scripts, i, upload);
            ps_canary_upload(app->canary, i, upload);
        }
    }
}

static bool on_publish(const PsScriptPublish *publish, void *ctx) {
    App *app = ctx;
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
    App *app = ctx;
    ps_replay_keep(app->replay, dead);
}

static void on_replayed(uint64_t id, PsScriptReplayEnd end, const char *reason, void *ctx) {
    App *app = ctx;
    ps_replay_ended(app->replay, id, end, reason);
}

static bool on_settle(uint64_t ticket, void *ctx) {
    App *app = ctx;
    return ps_settle_wait(app->settle, app->outbox, ticket);
}

static bool on_publish_now(const PsScriptPublish *publish, uint64_t ticket, void *ctx) {
    App *app = ctx;
    if (publish->replay == 0 && app->canary != NULL) {
        ps_canary_live(app->canary, publish);
    }
    return app->link != NULL && ps_delivery_admit_now(app->delivery, publish->payload_len) &&
           ps_link_publish_now(app->link, ticket, publish->topic, publish->payload,
                               publish->payload_len, publish->qos) == PS_OK;
}

static PsErr on_write(uint32_t variable, PsValue value, PsMono deadline, PsScriptWriteDone *done,
                      void *done_ctx, void *ctx, PsDiag *diag) {
    App *app = ctx;
    return ps_collector_write(app->collector, variable, value, deadline, done, done_ctx, diag);
}

static void on_recall(PsMono deadline, PsScriptRecallDone *done, void *done_ctx, void *ctx) {
    App *app = ctx;
    ps_collector_recall(app->collector, deadline, done, done_ctx);
}

static void on_outbox_ready(void *ctx) {
    App *app = ctx;
    if (app->scripts != NULL) {
        ps_settle_tell(app->settle, app->outbox, app->scripts);
    }
    ps_delivery_pump(app->delivery);
}

static void on_link_state(const PsLinkStatus *status, void *ctx) {
    App *app = ctx;
    bool connected = status->state == PS_LINK_CONNECTED;
    if (app->scripts != NULL) {
        ps_script_host_set_link(app->scripts, connected);
    }
    ps_delivery_link_state(app->delivery, status);
}

static void on_acknowledged(uint64_t id, void *ctx) {
    App *app = ctx;
    ps_delivery_acknowledged(app->delivery, id);
}

static void on_published_now(uint64_t ticket, bool sent, void *ctx) {
    App *app = ctx;
    if (app->scripts != NULL) {
        ps_script_host_publish_now_done(app->scripts, ticket, sent);
    }
}

static void on_received(const char *topic, const void *payload, size_t len, int qos, void *ctx) {
    App *app = ctx;
    for (uint32_t i = 0; app->scripts != NULL && i < app->config->subscribe_count; i++) {
        if (ps_topic_matches(app->filters[i], topic)) {
            (void)ps_script_host_receive(app->scripts, i, topic, payload, len, qos);
        }
    }
}

static void on_script_saved(bool publish, uint32_t index, PsBuf *source, void *ctx) {
    App *app = ctx;
    ps_script_host_replace(app->scripts, publish ? PS_SCRIPT_PUBLISH : PS_SCRIPT_SUBSCRIBE, index,
                           source);
}

// --- stopping, who asks before who answers -----------------------------------------------------

static void on_link_stopped(void *ctx) {
    App *app = ctx;
    ps_delivery_close(app->delivery);
    app->delivery = NULL;
    ps_link_free(app->link);
    app->link = NULL;
    ps_script_host_free(app->scripts);
    app->scripts = NULL;
    if (app->outbox != NULL) { // it may be what could not be started
        ps_outbox_link_lost(app->outbox);
    }
    uv_close((uv_handle_t *)&app->interrupt, NULL);
    uv_close((uv_handle_t *)&app->terminate, NULL);
    uv_close((uv_handle_t *)&app->stop_limit, NULL);
    ps_outbox_close(app->outbox);
    app->outbox = NULL;
    ps_alarm_desk_close(app->alarms);
    app->alarms = NULL;
}

static void stop_link(App *app) {
    if (app->link != NULL) {
        ps_link_stop(app->link);
    } else {
        on_link_stopped(app);
    }
}

static void on_collector_stopped(void *ctx) {
    App *app = ctx;
    ps_collector_free(app->collector);
    app->collector = NULL;
    stop_link(app);
}

// The host stays: what still comes from the cloud goes through it to the dead letters.
static void on_scripts_stopped(void *ctx) {
    App *app = ctx;
    if (app->collector != NULL) {
        ps_collector_stop(app->collector, on_collector_stopped, app);
    } else {
        on_collector_stopped(app);
    }
}

// Before the collector: what a script has been told to write is to be written.
static void on_canary_closed(void *ctx) {
    App *app = ctx;
    ps_canary_free(app->canary);
    app->canary = NULL;
    if (app->scripts != NULL) {
        ps_script_host_stop(app->scripts, on_scripts_stopped, app);
    } else {
        on_scripts_stopped(app);
    }
}

static void on_api_closed(void *ctx) {
    App *app = ctx;
    ps_api_free(app->api);
    app->api = NULL;
    if (app->canary != NULL) {
        ps_canary_close(app->canary, on_canary_closed, app);
    } else {
        on_canary_closed(app);
    }
}

static void on_stop_limit(uv_timer_t *timer) {
    App *app = timer->data;
    PS_LOGE("STOP-LIMIT",
            "not everything stopped within %d s; ending anyway, outbox and alarm history are kept",
            STOP_LIMIT_MS / 1000);
    ps_outbox_close(app->outbox);
    ps_alarm_desk_close(app->alarms);
    _exit(1);
}

static void begin_stop(App *app) {
    if (app->stopping) {
        return;
    }
    app->stopping = true;
    ps_replay_close(app->replay);
    ps_script_watch_close(app->watch);
    app->watch = NULL;
    ps_comm_watch_close(app->comm);
    app->comm = NULL;
    uv_timer_start(&app->stop_limit, on_stop_limit, STOP_LIMIT_MS, 0);
    if (app->api != NULL) {
        ps_api_close(app->api, on_api_closed, app);
    } else {
        on_api_closed(app);
    }
}

static void on_signal(uv_signal_t *signal, int number) {
    PS_LOGI("STOPPING", "signal %d (%s): stopping", number, strsignal(number));
    begin_stop(signal->data);
}

// --- starting ----------------------------------------------------------------------------------

// A disk that takes nothing is no reason to stand still; the outbox says so and works in memory.
static bool is_disk_away(int error) {
    return error == EROFS || error == EIO || error == ENOSPC || error == EDQUOT;
}

static PsErr lock_state(App *app, PsDiag *diag) {
    PsErr err = ps_dir_make(app->options->state, 0700, diag);
    if (err != PS_OK) {
        return ps_dir_is_read_only(app->options->state) ? PS_OK : err;
    }
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/lock", app->options->state);
    app->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (app->lock_fd < 0 && is_disk_away(errno)) {
        app->lock_fd = open(path, O_RDONLY | O_CLOEXEC); // which can be locked all the same
        if (app->lock_fd < 0) {
            return PS_OK; // and another gateway cannot make one either
        }
    }
    if (app->lock_fd < 0) {
        return ps_fail(PS_ERR_IO, diag, path, NULL, "cannot be opened: %s; use --state",
                       strerror(errno));
    }
    if (flock(app->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        return ps_fail(PS_ERR_BUSY, diag, app->options->state, NULL,
                       "another gateway uses this state folder; stop it or use --state");
    }
    return PS_OK;
}

static void expand_filters(App *app) {
    app->filters = ps_alloc_array(app->config->subscribe_count, sizeof *app->filters);
    for (uint32_t i = 0; i < app->config->subscribe_count; i++) {
        PsBuf topic = {0};
        const char *unknown = NULL; // said when the configuration was checked
        size_t unknown_len = 0;
        ps_config_expand(app->config, app->config->subscribe[i].topic, &topic, &unknown,
                         &unknown_len);
        app->filters[i] = (char *)topic.data;
    }
}

static PsErr new_link(App *app, PsDiag *diag) {
    const PsConfig *config = app->config;
    PS_AUTO_FREE PsLinkSubscription *subscriptions =
        ps_alloc_array(config->subscribe_count, sizeof *subscriptions);
    for (uint32_t i = 0; i < config->subscribe_count; i++) {
        subscriptions[i] =
            (PsLinkSubscription){.topic = app->filters[i], .qos = config->subscribe[i].qos};
    }
    PsLinkSetup setup = {
        .loop = &app->loop,
        .cloud = &config->cloud,
        .subscriptions = subscriptions,
        .subscription_count = config->subscribe_count,
        .window = ps_link_window(&config->cloud),
        .on_state = on_link_state,
        .on_acknowledged = on_acknowledged,
        .on_published_now = on_published_now,
        .on_received = on_received,
        .on_stopped = on_link_stopped,
        .ctx = app,
    };
    PsErr err = ps_link_new(&setup, &app->link, diag);
    if (err == PS_OK) {
        app->delivery = ps_delivery_new(&app->loop, app->outbox, app->link, &config->cloud);
    }
    return err;
}

static PsErr new_scripts(App *app, PsDiag *diag) {
    PsScriptHostSetup setup = {
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
    PsErr err = ps_script_host_new(&setup, &app->scripts, diag);
    if (err == PS_OK) {
        app->canary = ps_canary_new(&app->loop, app->config, app->scripts,
                                    app->options->script_program, app->scratch);
    }
    return err;
}

static PsErr open_alarms(App *app, PsDiag *diag) {
    PsAlarmDeskSetup setup = {.loop = &app->loop,
                              .config = app->config,
                              .table = app->table,
                              .folder = app->options->state,
                              .on_changed = on_alarms,
                              .ctx = app};
    return ps_alarm_desk_open(&setup, &app->alarms, diag);
}

static PsErr new_collector(App *app, PsDiag *diag) {
    PsCollectorSetup setup = {
        .loop = &app->loop,
        .config = app->config,
        .table = app->table,
        .wants_uploads = wants_uploads,
        .on_upload = on_upload,
        .ctx = app,
    };
    return ps_collector_new(&setup, &app->collector, diag);
}

static PsErr start_replay(const char *name, bool keep_going, void *ctx, PsDiag *diag) {
    App *app = ctx;
    return ps_replay_start(app->replay, name, keep_going, diag);
}

static PsErr stop_replay(void *ctx, PsDiag *diag) {
    App *app = ctx;
    return ps_replay_stop(app->replay, diag);
}

static const PsApiReplay *replay_status(void *ctx) {
    const App *app = ctx;
    return ps_replay_status(app->replay);
}

static PsApiDelivery delivery_status(void *ctx) {
    const App *app = ctx;
    return ps_delivery_status(app->delivery);
}

static PsErr open_api(App *app, PsDiag *diag) {
    PsApiSources sources = {
        .config = app->config,
        .table = app->table,
        .collector = app->collector,
        .alarms = app->alarms,
        .scripts = app->scripts,
        .canary = app->canary,
        .outbox = app->outbox,
        .replay = start_replay,
        .replay_stop = stop_replay,
        .replay_status = replay_status,
        .delivery_status = delivery_status,
        .replay_ctx = app,
        .link = app->link,
        .loop = &app->loop,
        .script_program = app->options->script_program,
        .scratch = app->scratch,
        .started = ps_wall_now(),
    };
    return ps_api_open(&app->loop, app->options->socket, &sources, &app->api, diag);
}

// Cloud parts: only when there is a cloud to send to; collection runs either way.
static PsErr build_cloud_side(App *app, PsDiag *diag) {
    if (!app->config->cloud.enable) {
        PS_LOGI("CLOUD-OFF", "the cloud service is not enabled; variables are collected, scripts "
                             "do not run");
        return PS_OK;
    }
    expand_filters(app);
    PsErr err = new_link(app, diag);
    return err == PS_OK ? new_scripts(app, diag) : err;
}

static void watch_scripts(App *app) {
    PsScriptWatchSetup setup = {
        .loop = &app->loop, .config = app->config, .saved = on_script_saved, .ctx = app};
    app->watch = ps_script_watch_new(&setup);
}

static PsErr start_all(App *app, PsDiag *diag) {
    PsErr err = app->scripts != NULL ? ps_script_host_start(app->scripts, diag) : PS_OK;
    if (err == PS_OK && app->scripts != NULL) {
        watch_scripts(app);
    }
    if (err == PS_OK && app->link != NULL) {
        err = ps_link_start(app->link, diag);
    }
    if (err == PS_OK) {
        app->comm = ps_comm_watch_new(&app->loop, app->config, app->collector, app->alarms);
        err = ps_collector_start(app->collector, diag);
    }
    return err;
}

static PsErr build_all(App *app, PsDiag *diag) {
    PsErr err = ps_outbox_setup_open(app->config, &app->loop, app->options->state, on_outbox_ready,
                                     app, &app->outbox, diag);
    if (err == PS_OK) {
        app->intake = ps_intake_new(app->config);
        app->settle = ps_settle_new();
        app->table = ps_tag_table_new(app->config);
        err = open_alarms(app, diag);
    }
    if (err == PS_OK) {
        err = build_cloud_side(app, diag);
    }
    if (err == PS_OK) {
        app->replay = ps_replay_new(app->config, app->outbox, app->scripts);
        err = new_collector(app, diag);
    }
    if (err == PS_OK) {
        err = open_api(app, diag);
    }
    return err == PS_OK ? start_all(app, diag) : err;
}

static void free_filters(App *app) {
    for (uint32_t i = 0; app->filters != NULL && i < app->config->subscribe_count; i++) {
        free(app->filters[i]);
    }
    free(app->filters);
}

PsErr ps_app_run(const PsConfig *config, const PsAppOptions *options, PsDiag *diag) {
    App app = {.config = config, .options = options, .lock_fd = -1};
    snprintf(app.scratch, sizeof app.scratch, "%s/scratch", options->state);
    signal(SIGPIPE, SIG_IGN); // a peer that goes away is an error code, not the end
    ps_log_set_level((PsLogLevel)config->parameters.log_level);
    PsErr err = lock_state(&app, diag);
    if (err != PS_OK) {
        return err;
    }
    uv_loop_init(&app.loop);
    uv_signal_init(&app.loop, &app.interrupt);
    uv_signal_init(&app.loop, &app.terminate);
    uv_timer_init(&app.loop, &app.stop_limit);
    app.interrupt.data = app.terminate.data = app.stop_limit.data = &app;
    uv_signal_start(&app.interrupt, on_signal, SIGINT);
    uv_signal_start(&app.terminate, on_signal, SIGTERM);
    err = build_all(&app, diag);
    if (err == PS_OK) {
        PS_LOGI("STARTED",
                "%u devices, %u variables, %u alarms, %u publish and %u subscribe messages from %s",
                config->device_count, config->variable_count, config->alarm_count,
                config->publish_count, config->subscribe_count, config->folder);
    } else {
        begin_stop(&app);
    }
    uv_run(&app.loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&app.loop);
    ps_tag_table_free(app.table);
    ps_intake_free(app.intake);
    ps_settle_free(app.settle);
    ps_replay_free(app.replay);
    free_filters(&app);
    ps_cleanup_fd(&app.lock_fd);
    PS_LOGI("STOPPED", "stopped");
    return err;
}
