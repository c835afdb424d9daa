// Builds the gateway's parts, runs the loop, stops them: who asks before who answers.
// Owns every part for the life of the process. Main thread; blocks only while starting and
// stopping (outbox and alarm history open and close).
#include "daemon/app_private.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/health.h"
#include "daemon/outbox_setup.h"
#include "drivers/driver.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A part that does not end by itself must not keep the process for ever; the outbox is closed
// (and so committed) all the same.
#define STOP_LIMIT_MS 15000

// --- stopping, who asks before who answers -----------------------------------------------------

static void finish(PsApp *app) {
    if (app->stopped) {
        return;
    }
    app->stopped = true;
    ps_delivery_close(app->delivery);
    app->delivery = NULL;
    uv_close((uv_handle_t *)&app->interrupt, NULL);
    uv_close((uv_handle_t *)&app->terminate, NULL);
    uv_close((uv_handle_t *)&app->stop_limit, NULL);
    uv_close((uv_handle_t *)&app->retry, NULL);
    ps_retired_close(app->retired);
    ps_access_close(app->access);
    app->access = NULL;
    ps_outbox_close(app->outbox);
    app->outbox = NULL;
    ps_alarm_desk_close(app->alarms);
    app->alarms = NULL;
}

static void on_collector_stopped(void *ctx) {
    PsApp *app = ctx;
    ps_collector_free(app->collector);
    app->collector = NULL;
    ps_app_go_on(app);
}

static bool collector_gone(PsApp *app) {
    if (app->collector != NULL && !app->collector_stopping) {
        app->collector_stopping = true;
        ps_collector_stop(app->collector, on_collector_stopped, app);
    }
    return app->collector == NULL;
}

// Streams read of it until the API has closed.
static bool api_gone(PsApp *app) {
    if (app->api == NULL) {
        ps_api_live_close(app->live);
        app->live = NULL;
    }
    return app->api == NULL;
}

static void on_api_closed(void *ctx) {
    PsApp *app = ctx;
    ps_api_free(app->api);
    app->api = NULL;
    ps_app_go_on(app);
}

// Each part when those before it have gone. Scripts end before the collector, since what a script
// has been told to write is to be written; their host stays until the link has gone, so that what
// still comes from the cloud goes through it to the dead letters.
static void stop_next(PsApp *app) {
    if (api_gone(app) && ps_cloud_canary_gone(app, app->config) && ps_cloud_scripts_quiet(app) &&
        collector_gone(app) && ps_cloud_link_gone(app)) {
        ps_cloud_forget_scripts(app);
        finish(app);
    }
}

void ps_app_go_on(PsApp *app) {
    if (app->stopping) {
        stop_next(app);
        return;
    }
    ps_cloud_settle(app);
    if (app->next != NULL && !app->scripts_stopping) {
        PS_AUTO_BUF PsBuf anew = {0}; // the log has it
        PsConfig *next = app->next;
        app->next = NULL;
        ps_app_switch(app, next, &anew);
    }
}

static void on_stop_limit(uv_timer_t *timer) {
    PsApp *app = timer->data;
    PS_LOGE("STOP-LIMIT",
            "not everything stopped within %d s; ending anyway, outbox and alarm history are kept",
            STOP_LIMIT_MS / 1000);
    ps_outbox_close(app->outbox);
    ps_alarm_desk_close(app->alarms);
    _exit(1);
}

static void begin_stop(PsApp *app) {
    if (app->stopping) {
        return;
    }
    app->stopping = true;
    ps_apply_close(app->apply);
    ps_replay_close(app->replay);
    ps_script_watch_close(app->watch);
    app->watch = NULL;
    ps_comm_watch_close(app->comm);
    app->comm = NULL;
    uv_timer_start(&app->stop_limit, on_stop_limit, STOP_LIMIT_MS, 0);
    if (app->api != NULL) {
        ps_api_close(app->api, on_api_closed, app);
    } else {
        ps_app_go_on(app);
    }
}

static void on_signal(uv_signal_t *signal, int number) {
    PS_LOGI("STOPPING", "signal %d (%s): stopping", number, strsignal(number));
    begin_stop(signal->data);
}

// --- starting ----------------------------------------------------------------------------------

static json_t *look_at_health(void *ctx) {
    const PsApp *app = ctx;
    return ps_health_of(app->config, app->collector, app->scripts, app->link);
}

static void switch_to(PsConfig *config, PsBuf *restarted, void *ctx) {
    ps_app_switch(ctx, config, restarted);
}

static void new_apply(PsApp *app) {
    PsApplySetup setup = {
        .loop = &app->loop,
        .start = app->options->start,
        .script_program = app->options->script_program,
        .check_for = ps_driver_check_for,
        .switch_to = switch_to,
        .health = look_at_health,
        .ctx = app,
    };
    app->apply = ps_apply_new(&setup);
}

static PsErr open_outbox(PsApp *app, PsDiag *diag) {
    PsErr err = ps_outbox_setup_open(app->config, &app->loop, app->options->state,
                                     ps_ways_outbox_ready, app, &app->outbox, diag);
    if (err == PS_OK) {
        app->delivery = ps_delivery_new(&app->loop, app->outbox, &app->config->cloud);
        app->intake = ps_intake_new(app->config);
        app->replay = ps_replay_new(app->config, app->outbox);
        app->settle = ps_settle_new();
    }
    return err;
}

static PsErr open_alarms(PsApp *app, PsDiag *diag) {
    PsAlarmDeskSetup setup = ps_ways_of_alarms(app);
    return ps_alarm_desk_open(&setup, &app->alarms, diag);
}

static PsErr open_access(PsApp *app, PsDiag *diag) {
    char folder[PATH_MAX];
    int length = snprintf(folder, sizeof folder, "%s/access", app->options->state);
    if (length < 0 || (size_t)length >= sizeof folder) {
        return ps_fail(PS_ERR_TOO_BIG, diag, app->options->state, NULL, "the path is too long");
    }
    PsAccessSetup setup = {.loop = &app->loop,
                           .folder = folder,
                           .session_idle_min = app->config->web.session_idle_min,
                           .session_max_h = app->config->web.session_max_h};
    return ps_access_open(&setup, &app->access, diag);
}

static PsErr new_collector(PsApp *app, PsDiag *diag) {
    PsCollectorSetup setup = ps_ways_of_collector(app);
    return ps_collector_new(&setup, &app->collector, diag);
}

static PsErr build_all(PsApp *app, PsDiag *diag) {
    PsErr err = open_outbox(app, diag);
    if (err == PS_OK) {
        app->table = ps_tag_table_new(app->config);
        err = open_alarms(app, diag);
    }
    err = err == PS_OK ? ps_cloud_build(app, diag) : err;
    err = err == PS_OK ? new_collector(app, diag) : err;
    err = err == PS_OK ? open_access(app, diag) : err;
    err = err == PS_OK ? ps_app_open_api(app, diag) : err;
    err = err == PS_OK ? ps_cloud_start(app, diag) : err;
    if (err == PS_OK) {
        app->comm = ps_comm_watch_new(&app->loop, app->config, app->collector, app->alarms);
        err = ps_collector_start(app->collector, diag);
    }
    return err;
}

static void free_rest(PsApp *app) {
    ps_tag_table_free(app->table);
    ps_intake_free(app->intake);
    ps_settle_free(app->settle);
    ps_replay_free(app->replay);
    ps_retired_free(app->retired);
    ps_cloud_free_filters(app);
    ps_apply_free(app->apply);
    ps_config_free(app->next);
    ps_config_free(app->config);
}

static void init_loop(PsApp *app) {
    uv_loop_init(&app->loop);
    uv_signal_init(&app->loop, &app->interrupt);
    uv_signal_init(&app->loop, &app->terminate);
    uv_timer_init(&app->loop, &app->stop_limit);
    uv_timer_init(&app->loop, &app->retry);
    app->interrupt.data = app->terminate.data = app->stop_limit.data = app->retry.data = app;
    app->retired = ps_retired_new(&app->loop);
    uv_signal_start(&app->interrupt, on_signal, SIGINT);
    uv_signal_start(&app->terminate, on_signal, SIGTERM);
}

PsErr ps_app_run(const PsAppOptions *options, PsDiag *diag) {
    PsApp app = {.config = options->start->config, .options = options, .started = ps_wall_now()};
    snprintf(app.scratch, sizeof app.scratch, "%s/scratch", options->state);
    signal(SIGPIPE, SIG_IGN); // a peer that goes away is an error code, not the end
    ps_log_set_level((PsLogLevel)app.config->parameters.log_level);
    init_loop(&app);
    new_apply(&app);
    PsErr err = build_all(&app, diag);
    ps_mem_trim();
    ps_retired_settle(app.retired);
    if (err == PS_OK) {
        PS_LOGI("STARTED",
                "%u devices, %u variables, %u alarms, %u publish and %u subscribe messages from %s",
                app.config->device_count, app.config->variable_count, app.config->alarm_count,
                app.config->publish_count, app.config->subscribe_count, app.config->folder);
    } else {
        begin_stop(&app);
    }
    uv_run(&app.loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&app.loop);
    free_rest(&app);
    PS_LOGI("STOPPED", "stopped");
    return err;
}
