// Another configuration takes the place of the present one, in one turn of the loop.
// Main thread; no step waits or fails.
#include "daemon/app_private.h"

#include "base/log.h"
#include "daemon/outbox_setup.h"

#include <string.h>

static void switch_web(PsApp *app, const PsConfig *former, PsBuf *anew) {
    const PsWeb *web = &app->config->web;
    const PsWeb *before = &former->web;
    ps_access_configure(app->access, web->session_idle_min, web->session_max_h);
    ps_api_configure_web(app->api, web);
    if (app->options->web && before->enable && web->enable &&
        (strcmp(web->address, before->address) != 0 || web->port != before->port ||
         web->connections_max != before->connections_max || strcmp(web->cert, before->cert) != 0 ||
         strcmp(web->key, before->key) != 0)) {
        ps_buf_printf(anew, "the web server\n");
    }
}

// The order of the parts. What a part tells from within its own step it says by the indexes of the
// former configuration, which those behind it still have: alarms that have ended go to the former
// scripts, inputs that scripts give up into the ledger rows of their messages.
static void switch_parts(PsApp *app, PsConfig *config, const PsConfigMap *map, PsBuf *anew) {
    PsConfig *former = app->config;
    ps_alarm_desk_apply(app->alarms, config, map);
    if (app->scripts != NULL) {
        ps_script_host_apply(app->scripts, config, map, anew);
    }
    if (app->canary != NULL) {
        ps_canary_apply(app->canary, config, map);
    }
    app->config = config;
    ps_tag_table_apply_config(app->table, config, map);
    ps_collector_apply(app->collector, config, map, anew);
    ps_outbox_setup_apply(app->outbox, former, config, map);
    ps_intake_apply(app->intake, config, map);
    ps_replay_apply(app->replay, config, map);
    ps_comm_watch_close(app->comm);
    app->comm = ps_comm_watch_new(&app->loop, config, app->collector, app->alarms);
    ps_cloud_apply(app, former, anew);
    ps_cloud_settle(app);
    if (config->parameters.log_level != former->parameters.log_level) {
        ps_api_configure_log(app->api, (PsLogLevel)config->parameters.log_level);
    }
    switch_web(app, former, anew);
    ps_ways_outbox_ready(app); // max_loss_s, window and pace may let more go
    ps_retired_put(app->retired, former);
}

static void say(const PsConfig *config, const PsBuf *anew) {
    PS_LOGI("SWITCHED",
            "from now on: %u devices, %u variables, %u alarms, %u publish and %u subscribe "
            "messages from %s",
            config->device_count, config->variable_count, config->alarm_count,
            config->publish_count, config->subscribe_count, config->folder);
    for (size_t at = 0; at < anew->len;) {
        const char *line = (const char *)anew->data + at;
        size_t len = strcspn(line, "\n");
        PS_LOGI("ANEW", "begins anew: %.*s", (int)len, line);
        at += len + 1;
    }
}

void ps_app_switch(PsApp *app, PsConfig *config, PsBuf *anew) {
    if (app->stopping) {
        ps_config_free(config);
        return;
    }
    ps_config_free(app->next);
    app->next = NULL;
    if (app->scripts_stopping) { // what they do last is said in the terms they began with
        app->next = config;
        if (config->cloud.enable) {
            ps_buf_printf(anew, "the cloud, when the scripts that are ending have ended\n");
        }
        return;
    }
    PsConfigMap *map = ps_config_map_new(app->config, config);
    switch_parts(app, config, map, anew);
    ps_config_map_free(map);
    say(config, anew);
}

const PsConfig *ps_app_config(const PsApp *app) {
    return app->next != NULL ? app->next : app->config;
}
