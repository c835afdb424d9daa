// What the command socket looks at, and what it may order. Main thread; never blocks.
#include "daemon/app_private.h"

#include <stdio.h>

static PsErr start_replay(const char *name, bool keep_going, void *ctx, PsDiag *diag) {
    PsApp *app = ctx;
    return ps_replay_start(app->replay, name, keep_going, diag);
}

static PsErr stop_replay(void *ctx, PsDiag *diag) {
    PsApp *app = ctx;
    return ps_replay_stop(app->replay, diag);
}

static const PsApiReplay *replay_status(void *ctx) {
    const PsApp *app = ctx;
    return ps_replay_status(app->replay);
}

static PsApiDelivery delivery_status(void *ctx) {
    const PsApp *app = ctx;
    return ps_delivery_status(app->delivery);
}

static void *hold_config(void *ctx) {
    PsApp *app = ctx;
    return ps_retired_hold(app->retired, app->config);
}

static void release_config(void *hold) {
    ps_retired_release(hold);
}

// Parts on their way out take no orders.
static PsApiSources sources_of(PsApp *app) {
    bool cloud = app->config->cloud.enable;
    return (PsApiSources){
        .config = app->config,
        .hold_config = hold_config,
        .release_config = release_config,
        .table = app->table,
        .collector = app->collector,
        .alarms = app->alarms,
        .scripts = cloud && !app->scripts_stopping ? app->scripts : NULL,
        .canary = app->canary,
        .outbox = app->outbox,
        .changes = ps_apply_changes(app->apply),
        .access = app->access,
        .live = app->live,
        .replay = start_replay,
        .replay_stop = stop_replay,
        .replay_status = replay_status,
        .delivery_status = delivery_status,
        .ctx = app,
        .link = cloud ? app->link : NULL,
        .loop = &app->loop,
        .script_program = app->options->script_program,
        .scratch = app->scratch,
        .state = app->options->state,
        .started = app->started,
    };
}

PsErr ps_app_open_api(PsApp *app, PsDiag *diag) {
    app->live = ps_api_live_new(&app->loop);
    PsApiSources sources = sources_of(app);
    ps_api_live_set_sources(app->live, &sources);
    PsErr err = ps_api_open(&app->loop, app->options->socket, &sources, &app->api, diag);
    if (err == PS_OK && app->options->web) {
        char folder[PATH_MAX + 8];
        snprintf(folder, sizeof folder, "%s/web", app->options->state);
        PsApiWeb web = {.folder = folder,
                        .address = app->options->web_address,
                        .port = app->options->web_port,
                        .pages = app->options->pages};
        ps_api_open_web(app->api, &web);
    }
    return err;
}

void ps_app_tell_api(PsApp *app) {
    if (app->api != NULL) {
        PsApiSources sources = sources_of(app);
        ps_api_live_set_sources(app->live, &sources);
        ps_api_set_sources(app->api, &sources);
    }
}
