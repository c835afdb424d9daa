// The cloud side: link, scripts, canary and the watch on scripts, which are there while
// `cloud.enable` is true. Main thread; never blocks.
//
// Parts end asynchronously, so nothing here goes step by step: each time one has gone, or the
// configuration is another one, ps_cloud_settle compares what there is with what shall be.
#include "daemon/app_private.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>

#define RETRY_MS 10000

// --- filters ------------------------------------------------------------------------------------

void ps_cloud_free_filters(PsApp *app) {
    for (uint32_t i = 0; i < app->filter_count; i++) {
        free(app->filters[i]);
    }
    free(app->filters);
    app->filters = NULL;
    app->filter_count = 0;
}

static void expand_filters(PsApp *app) {
    ps_cloud_free_filters(app);
    app->filter_count = app->config->subscribe_count;
    app->filters = ps_alloc_array(app->filter_count, sizeof *app->filters);
    for (uint32_t i = 0; i < app->filter_count; i++) {
        PsBuf topic = {0};
        const char *unknown = NULL; // said when the configuration was checked
        size_t unknown_len = 0;
        ps_config_expand(app->config, app->config->subscribe[i].topic, &topic, &unknown,
                         &unknown_len);
        app->filters[i] = (char *)topic.data;
    }
}

// The caller's.
static PsLinkSubscription *subscriptions_of(const PsApp *app) {
    PsLinkSubscription *subscriptions = ps_alloc_array(app->filter_count, sizeof *subscriptions);
    for (uint32_t i = 0; i < app->filter_count; i++) {
        subscriptions[i] =
            (PsLinkSubscription){.topic = app->filters[i], .qos = app->config->subscribe[i].qos};
    }
    return subscriptions;
}

// --- ending -------------------------------------------------------------------------------------

static void on_link_stopped(void *ctx) {
    PsApp *app = ctx;
    ps_link_free(app->link);
    app->link = NULL;
    app->link_stopping = false;
    ps_app_go_on(app);
}

bool ps_cloud_link_gone(PsApp *app) {
    if (app->link != NULL && !app->link_stopping) {
        app->link_stopping = true;
        ps_link_stop(app->link);
        ps_delivery_set_link(app->delivery, NULL); // what was under way waits again
        if (app->scripts != NULL) {
            ps_script_host_set_link(app->scripts, false);
        }
    }
    return app->link == NULL;
}

static void on_scripts_stopped(void *ctx) {
    PsApp *app = ctx;
    app->scripts_quiet = true;
    ps_settle_clear(app->settle);
    ps_app_go_on(app);
}

bool ps_cloud_scripts_quiet(PsApp *app) {
    if (app->scripts != NULL && !app->scripts_stopping) {
        app->scripts_stopping = true;
        ps_script_host_stop(app->scripts, on_scripts_stopped, app);
    }
    return app->scripts == NULL || app->scripts_quiet;
}

void ps_cloud_forget_scripts(PsApp *app) {
    if (app->scripts != NULL && app->scripts_quiet) {
        ps_replay_set_scripts(app->replay, NULL);
        ps_script_host_free(app->scripts);
        app->scripts = NULL;
        app->scripts_stopping = false;
        app->scripts_quiet = false;
    }
}

typedef struct Closing {
    PsApp *app;
    PsCanary *canary;
    PsConfigHold *hold; // of the configuration it was made for
} Closing;

static void on_canary_closed(void *ctx) {
    Closing *closing = ctx;
    PsApp *app = closing->app;
    ps_canary_free(closing->canary);
    ps_retired_release(closing->hold);
    free(closing);
    app->canaries_closing--;
    ps_app_go_on(app);
}

bool ps_cloud_canary_gone(PsApp *app, const PsConfig *config) {
    if (app->canary != NULL) {
        Closing *closing = ps_alloc(sizeof *closing);
        *closing = (Closing){app, app->canary, ps_retired_hold(app->retired, config)};
        app->canary = NULL;
        app->canaries_closing++;
        ps_canary_close(closing->canary, on_canary_closed, closing);
    }
    return app->canaries_closing == 0;
}

static void end_watch(PsApp *app) {
    ps_script_watch_close(app->watch);
    app->watch = NULL;
}

// --- making -------------------------------------------------------------------------------------

static PsErr new_link(PsApp *app, PsDiag *diag) {
    PS_AUTO_FREE PsLinkSubscription *subscriptions = subscriptions_of(app);
    PsLinkSetup setup = ps_ways_of_link(app);
    setup.subscriptions = subscriptions;
    setup.subscription_count = app->filter_count;
    setup.on_stopped = on_link_stopped;
    PsErr err = ps_link_new(&setup, &app->link, diag);
    if (err == PS_OK) {
        ps_delivery_set_link(app->delivery, app->link);
    }
    return err;
}

static PsErr new_scripts(PsApp *app, PsDiag *diag) {
    PsScriptHostSetup setup = ps_ways_of_scripts(app);
    PsErr err = ps_script_host_new(&setup, &app->scripts, diag);
    if (err == PS_OK) {
        ps_replay_set_scripts(app->replay, app->scripts);
        bool connected = app->link != NULL && !app->link_stopping &&
                         ps_link_status(app->link)->state == PS_LINK_CONNECTED;
        ps_script_host_set_link(app->scripts, connected);
    }
    return err;
}

static void add_canary(PsApp *app) {
    if (app->canary == NULL) {
        app->canary = ps_canary_new(&app->loop, app->config, app->scripts,
                                    app->options->script_program, app->scratch);
    }
}

static void add_watch(PsApp *app) {
    if (app->watch == NULL) {
        PsScriptWatchSetup setup = ps_ways_of_watch(app);
        app->watch = ps_script_watch_new(&setup);
    }
}

PsErr ps_cloud_build(PsApp *app, PsDiag *diag) {
    if (!app->config->cloud.enable) {
        PS_LOGI("CLOUD-OFF", "the cloud service is not enabled; variables are collected, scripts "
                             "do not run");
        return PS_OK;
    }
    expand_filters(app);
    PsErr err = new_link(app, diag);
    err = err == PS_OK ? new_scripts(app, diag) : err;
    if (err == PS_OK) {
        add_canary(app);
    }
    return err;
}

PsErr ps_cloud_start(PsApp *app, PsDiag *diag) {
    PsErr err = app->scripts != NULL ? ps_script_host_start(app->scripts, diag) : PS_OK;
    if (err == PS_OK && app->scripts != NULL) {
        add_watch(app);
    }
    return err == PS_OK && app->link != NULL ? ps_link_start(app->link, diag) : err;
}

// --- as the configuration wants it --------------------------------------------------------------

static void on_retry(uv_timer_t *timer) {
    ps_app_go_on(timer->data);
}

static void note_failure(PsApp *app, const PsDiag *diag) {
    char text[sizeof *diag];
    ps_diag_format(diag, text, sizeof text);
    PS_LOGE("CLOUD-START", "%s; tried again in %d s", text, RETRY_MS / 1000);
    uv_timer_start(&app->retry, on_retry, RETRY_MS, 0);
}

static PsErr add_link(PsApp *app, PsDiag *diag) {
    if (app->link != NULL) {
        return PS_OK; // or it is on its way out, and this is done when it has gone
    }
    PsErr err = new_link(app, diag);
    if (err == PS_OK && (err = ps_link_start(app->link, diag)) != PS_OK) {
        (void)ps_cloud_link_gone(app);
    }
    return err;
}

static PsErr add_scripts(PsApp *app, PsDiag *diag) {
    ps_cloud_forget_scripts(app); // switched off and on again before the link had gone
    if (app->scripts != NULL) {
        return PS_OK;
    }
    PsErr err = new_scripts(app, diag);
    if (err == PS_OK && (err = ps_script_host_start(app->scripts, diag)) != PS_OK) {
        (void)ps_cloud_scripts_quiet(app);
    }
    return err;
}

static void add_all(PsApp *app) {
    PsDiag diag = {0};
    PsErr err = add_link(app, &diag);
    err = err == PS_OK ? add_scripts(app, &diag) : err;
    if (err != PS_OK) {
        note_failure(app, &diag);
    } else if (app->scripts != NULL && !app->scripts_stopping) {
        add_canary(app);
        add_watch(app);
    }
}

// Scripts end before the link, so that what they do last can still be sent; their host goes after
// it, since what comes meanwhile goes through it to the dead letters.
static void remove_all(PsApp *app) {
    end_watch(app);
    if (ps_cloud_canary_gone(app, app->config) && ps_cloud_scripts_quiet(app) &&
        ps_cloud_link_gone(app)) {
        ps_cloud_forget_scripts(app);
    }
}

void ps_cloud_settle(PsApp *app) {
    if (!app->config->cloud.enable) {
        remove_all(app);
    } else if (!uv_is_active((uv_handle_t *)&app->retry)) {
        add_all(app);
    }
    ps_app_tell_api(app);
}

void ps_cloud_apply(PsApp *app, const PsConfig *former, PsBuf *anew) {
    uv_timer_stop(&app->retry); // what could not be started may be startable now
    expand_filters(app);
    ps_delivery_apply(app->delivery, &app->config->cloud);
    end_watch(app);
    if (app->config->cloud.enable && app->link != NULL) {
        PS_AUTO_FREE PsLinkSubscription *subscriptions = subscriptions_of(app);
        PsLinkSetup setup = ps_ways_of_link(app);
        setup.subscriptions = subscriptions;
        setup.subscription_count = app->filter_count;
        if (!ps_link_apply(app->link, &setup)) {
            (void)ps_cloud_link_gone(app);
            ps_buf_printf(anew, PS_ANEW_CLOUD "\n");
        }
    }
    if (former->cloud.enable != app->config->cloud.enable) {
        PS_LOGI(app->config->cloud.enable ? "CLOUD-ON" : "CLOUD-OFF",
                "the cloud service was switched %s", app->config->cloud.enable ? "on" : "off");
    }
}
