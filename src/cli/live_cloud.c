// The connection to the cloud, step by step, with the configured files and client id; not where a
// running gateway has that id, which would lose its connection. Blocks.
#include "cli/live.h"

#include "base/mem.h"
#include "link/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_NS (86400 * PS_NS_PER_S)
#define FEW_DAYS 30
#define OTHER_ID_SUFFIX "-check"

static void put(json_t *json, const char *key, const char *text) {
    json_object_set_new(json, key, json_string(text));
}

// --- what needs no connection -------------------------------------------------------------------

static void put_certificate(const PsCloud *cloud, json_t *part) {
    PsWall end;
    PsLinkFailure failure;
    if (cloud->cert == NULL || cloud->cert[0] == '\0' ||
        ps_probe_certificate_end(cloud->cert, &end, &failure) != PS_OK) {
        return; // a file that cannot be read is a failure of the connection
    }
    int64_t left = end.ns - ps_wall_now().ns;
    long long days = left < 0 ? -1 : left / DAY_NS;
    json_object_set_new(part, "certificate_days", json_integer(days));
    if (days >= 0 && days < FEW_DAYS) {
        live_count(part, "warnings");
    }
}

static bool is_same_client(const Live *live) {
    const json_t *link = json_object_get(live->status, "link");
    const PsCloud *cloud = &live->config->cloud;
    return strcmp(cli_text(link, "client_id"), cloud->client_id) == 0 &&
           strcmp(cli_text(link, "endpoint"), cloud->endpoint) == 0;
}

// The connection of the running gateway tells whether it works.
static void put_running(const Live *live, json_t *part) {
    const json_t *link = json_object_get(live->status, "link");
    const char *state = cli_text(link, "state");
    bool up = strcmp(state, "Connection Successful") == 0;
    put(part, "result",
        up ? "connected (the running gateway)"
           : "the running gateway is not "
             "connected");
    put(part, "running_state", state);
    put(part, "running_error", up ? "" : cli_text(link, "last_error"));
    if (!up) {
        live_count(part, "failed");
    }
}

// --- the probe ----------------------------------------------------------------------------------

static bool go_on(const char *step, void *ctx) {
    Live *live = ctx;
    live_progress(live, "cloud: %s", step);
    uv_run(&live->loop, UV_RUN_NOWAIT); // signals
    return !live->interrupted;
}

static const char *state_of(const PsProbeStep *step) {
    return step->done ? "ok" : step->reached ? "failed" : "not reached";
}

static void put_steps(const PsProbe *probe, json_t *part) {
    static const PsLinkStep order[] = {PS_STEP_DNS, PS_STEP_TCP, PS_STEP_TLS, PS_STEP_CONNECT};
    json_t *steps = json_array();
    for (size_t i = 0; i < PS_COUNT(order); i++) {
        const PsProbeStep *step = &probe->steps[order[i]];
        if (order[i] != PS_STEP_TLS || probe->tls) {
            json_array_append_new(steps,
                                  json_pack("{s:s, s:s, s:f}", "name", ps_link_step_name(order[i]),
                                            "state", state_of(step), "ms", step->ms));
        }
    }
    json_object_set_new(part, "steps", steps);
    put(part, "address", probe->address);
    put(part, "tls", probe->tls_summary);
    put(part, "warning", probe->warning);
    if (probe->warning[0] != '\0') {
        live_count(part, "warnings");
    }
}

static void put_subscriptions(const Live *live, const PsProbe *probe,
                              const PsLinkSubscription *filters, json_t *part) {
    json_t *rows = json_array();
    for (uint32_t i = 0; i < live->config->subscribe_count; i++) {
        const PsProbeSubscription *answer = &probe->subscriptions[i];
        const char *state = !probe->connected   ? "not tried"
                            : !answer->answered ? "no answer"
                            : answer->refused   ? "refused"
                                                : "ok";
        if (answer->refused) {
            live_count(part, "failed");
        }
        json_array_append_new(rows, json_pack("{s:s, s:s, s:s}", "message",
                                              live->config->subscribe[i].name, "topic",
                                              filters[i].topic, "state", state));
    }
    json_object_set_new(part, "subscriptions", rows);
}

static void put_sent(const Live *live, const PsProbeMessage *messages, size_t count, json_t *part) {
    json_t *rows = json_array();
    for (size_t i = 0, r = 0; i < count; i++, r++) {
        while (live->results[r].publish == NULL) {
            r++;
        }
        json_array_append_new(
            rows, json_pack("{s:s, s:s, s:I, s:b, s:f}", "message", live->results[r].publish->name,
                            "topic", messages[i].topic, "bytes", (json_int_t)messages[i].len,
                            "acknowledged", (int)messages[i].acknowledged, "ms", messages[i].ms));
    }
    json_object_set_new(part, "sent", rows);
}

// With another id a policy may say no, which says nothing about the gateway.
static void put_outcome(const Live *live, const PsProbe *probe, bool other_id, json_t *part) {
    bool all_done = probe->connected && !probe->failed && !probe->interrupted;
    put(part, "result",
        all_done             ? "connected"
        : probe->interrupted ? "interrupted"
        : probe->connected   ? "connected, then lost"
                             : "not connected");
    if (!probe->failed) {
        return;
    }
    json_object_set_new(
        part, "error",
        json_sprintf("%s: %s", ps_link_step_name(probe->failure.step), probe->failure.text));
    bool may_be_the_id = other_id && probe->failure.step >= PS_STEP_CONNECT;
    live_count(part, may_be_the_id ? "warnings" : "failed");
}

static size_t take_messages(const Live *live, PsProbeMessage *messages) {
    size_t count = 0;
    for (uint32_t i = 0; live->send && i < live->config->publish_count; i++) {
        const LiveResult *result = &live->results[i];
        if (result->publish != NULL) {
            messages[count++] = (PsProbeMessage){.topic = result->topic,
                                                 .payload = result->payload,
                                                 .len = result->len,
                                                 .qos = result->qos};
        }
    }
    return count;
}

static PsLinkSubscription *expand_filters(const PsConfig *config) {
    PsLinkSubscription *filters = ps_alloc_array(config->subscribe_count + 1, sizeof *filters);
    for (uint32_t i = 0; i < config->subscribe_count; i++) {
        PsBuf topic = {0};
        const char *unknown = NULL; // said when the configuration was checked
        size_t unknown_len = 0;
        ps_config_expand(config, config->subscribe[i].topic, &topic, &unknown, &unknown_len);
        filters[i] = (PsLinkSubscription){(char *)topic.data, config->subscribe[i].qos};
    }
    return filters;
}

static void free_filters(PsLinkSubscription *filters, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        free((char *)(uintptr_t)filters[i].topic);
    }
    free(filters);
}

static void probe(Live *live, json_t *part) {
    const PsConfig *config = live->config;
    bool other_id = !config->cloud.clean_session; // or what waits for the gateway would come here
    PS_AUTO_BUF PsBuf id = {0};
    ps_buf_printf(&id, "%s%s", config->cloud.client_id, other_id ? OTHER_ID_SUFFIX : "");
    PsCloud cloud = config->cloud;
    cloud.client_id = (const char *)id.data;
    cloud.clean_session = true;
    put(part, "client_id", cloud.client_id);
    put(part, "note",
        other_id ? "the gateway's session is kept in the cloud (clean_session false), so another "
                   "client id is tried; a policy that allows only the gateway's refuses it"
                 : "");
    PsLinkSubscription *filters = expand_filters(config);
    PsProbeMessage *messages = ps_alloc_array(config->publish_count + 1, sizeof *messages);
    PsProbeSetup setup = {.cloud = &cloud,
                          .subscriptions = filters,
                          .subscription_count = config->subscribe_count,
                          .messages = messages,
                          .message_count = take_messages(live, messages),
                          .deadline = live->deadline,
                          .go_on = go_on,
                          .ctx = live};
    PsProbe result;
    PsDiag diag = {0};
    if (ps_probe_run(&setup, &result, &diag) == PS_OK) {
        put_steps(&result, part);
        put_subscriptions(live, &result, filters, part);
        put_sent(live, messages, setup.message_count, part);
        put_outcome(live, &result, other_id, part);
        json_object_set_new(part, "received", json_integer(result.received));
        ps_probe_deinit(&result);
    } else {
        char line[sizeof diag];
        ps_diag_format(&diag, line, sizeof line);
        put(part, "error", line);
        put(part, "result", "not connected");
        live_count(part, "failed");
    }
    free(messages);
    free_filters(filters, config->subscribe_count);
}

static void try_cloud(Live *live, json_t *part) {
    const PsCloud *cloud = &live->config->cloud;
    json_object_set_new(part, "endpoint", json_sprintf("%s:%d", cloud->endpoint, cloud->port));
    put(part, "client_id", cloud->client_id);
    put_certificate(cloud, part);
    if (live->gateway == LIVE_GATEWAY_MUTE) {
        put(part, "result", "not tried");
        put(part, "why",
            "a gateway may be running, but gives no answer to this user; connecting "
            "with its client id would push it off");
        live_count(part, "warnings");
    } else if (live->gateway == LIVE_GATEWAY_RUNNING && is_same_client(live)) {
        put(part, "why",
            "the running gateway has this client id; connecting with it would push "
            "it off");
        put_running(live, part);
    } else {
        probe(live, part);
    }
}

json_t *live_cloud(Live *live) {
    bool enabled = live->config->cloud.enable;
    json_t *part = json_pack("{s:b, s:i, s:i, s:s, s:s, s:b}", "enabled", (int)enabled, "failed", 0,
                             "warnings", 0, "result", "not enabled", "why", "", "asked_to_send",
                             (int)live->send);
    if (enabled) {
        try_cloud(live, part);
    }
    if (live->send && json_array_size(json_object_get(part, "sent")) == 0) {
        live_count(part, "failed"); // asked for, and not done
    }
    return part;
}
