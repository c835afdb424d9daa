// Copying and completing the setup. Main thread.
#include "link/settings.h"

#include "base/text.h"
#include "link/aws.h"

#include <mosquitto.h>
#include <string.h>

static const PsLinkTimes default_times = {
    .resolve_ms = 10000,
    .tcp_ms = 10000,
    .tls_ms = 15000,
    .connack_ms = 15000,
    .puback_ms = 30000,
    .backoff_min_ms = 1000,
    .backoff_max_ms = 30000,
    .stable_ms = 30000,
};

static int or_default(int value, int fallback) {
    return value > 0 ? value : fallback;
}

static PsLinkTimes complete_times(const PsLinkTimes *given) {
    const PsLinkTimes *other = &default_times;
    return (PsLinkTimes){
        .resolve_ms = or_default(given->resolve_ms, other->resolve_ms),
        .tcp_ms = or_default(given->tcp_ms, other->tcp_ms),
        .tls_ms = or_default(given->tls_ms, other->tls_ms),
        .connack_ms = or_default(given->connack_ms, other->connack_ms),
        .puback_ms = or_default(given->puback_ms, other->puback_ms),
        .backoff_min_ms = or_default(given->backoff_min_ms, other->backoff_min_ms),
        .backoff_max_ms = or_default(given->backoff_max_ms, other->backoff_max_ms),
        .stable_ms = or_default(given->stable_ms, other->stable_ms),
    };
}

static const char *keep(PsArena *arena, const char *text) {
    return ps_arena_strdup(arena, text != NULL ? text : "");
}

static PsErr check(const PsLinkSetup *setup, PsDiag *diag) {
    const PsCloud *cloud = setup->cloud;
    if (cloud->endpoint == NULL || cloud->endpoint[0] == '\0') {
        return ps_fail(PS_ERR_INVALID, diag, "cloud", "endpoint", "is missing; set the host name");
    }
    if (cloud->port < 1 || cloud->port > UINT16_MAX) {
        return ps_fail(PS_ERR_RANGE, diag, "cloud", "port", "is %d; must be 1 to 65535",
                       cloud->port);
    }
    if (cloud->client_id == NULL || cloud->client_id[0] == '\0') {
        return ps_fail(PS_ERR_INVALID, diag, "cloud", "client_id", "is missing; set a unique id");
    }
    if (!ps_text_is_utf8(cloud->client_id, strlen(cloud->client_id))) {
        return ps_fail(PS_ERR_INVALID, diag, "cloud", "client_id", "is not UTF-8 text");
    }
    for (size_t i = 0; i < setup->subscription_count; i++) {
        const char *topic = setup->subscriptions[i].topic;
        if (mosquitto_sub_topic_check(topic) != MOSQ_ERR_SUCCESS || topic[0] == '\0') {
            return ps_fail(PS_ERR_INVALID, diag, "subscribe", "topic",
                           "'%s' is not a topic filter MQTT allows", topic);
        }
    }
    return PS_OK;
}

// The bare host: an address without the brackets a URL needs, a name without the dot that ends an
// absolute one. The resolver knows neither brackets, nor does a certificate hold the dot.
static const char *keep_host(PsArena *arena, const char *endpoint) {
    size_t len = strlen(endpoint);
    if (len > 2 && endpoint[0] == '[' && endpoint[len - 1] == ']') {
        return ps_arena_strndup(arena, endpoint + 1, len - 2);
    }
    return ps_arena_strndup(arena, endpoint, len > 1 && endpoint[len - 1] == '.' ? len - 1 : len);
}

static void copy_cloud(PsLinkSettings *settings, const PsCloud *from) {
    PsArena *arena = settings->arena;
    PsCloud *cloud = &settings->cloud;
    *cloud = *from;
    cloud->endpoint = keep_host(arena, from->endpoint);
    cloud->client_id = keep(arena, from->client_id);
    cloud->cert = keep(arena, from->cert);
    cloud->key = keep(arena, from->key);
    cloud->root_ca = keep(arena, from->root_ca);
    cloud->alpn = keep(arena, from->alpn);
    cloud->username = keep(arena, from->username);
    cloud->password_file = keep(arena, from->password_file);
}

PsErr ps_link_settings_new(const PsLinkSetup *setup, PsLinkSettings **ret_settings, PsDiag *diag) {
    PsErr err = check(setup, diag);
    if (err != PS_OK) {
        return err;
    }
    PsArena *arena = ps_arena_new();
    PsLinkSettings *settings = ps_arena_take(arena, sizeof *settings);
    settings->arena = arena;
    copy_cloud(settings, setup->cloud);
    settings->tls = ps_link_uses_tls(&settings->cloud);
    settings->alpn = ps_link_alpn(&settings->cloud);
    settings->keepalive_s = ps_link_keepalive(&settings->cloud);
    settings->subscription_count = setup->subscription_count;
    settings->subscriptions =
        ps_arena_take(arena, setup->subscription_count * sizeof(PsLinkSubscription));
    for (size_t i = 0; i < setup->subscription_count; i++) {
        settings->subscriptions[i] = setup->subscriptions[i];
        settings->subscriptions[i].topic = keep(arena, setup->subscriptions[i].topic);
    }
    size_t window = setup->window > 0 ? setup->window : PS_LINK_WINDOW_DEFAULT;
    settings->window = window < PS_LINK_WINDOW_MAX ? window : PS_LINK_WINDOW_MAX;
    settings->times = complete_times(&setup->times);
    *ret_settings = settings;
    return PS_OK;
}

bool ps_link_settings_same_connection(const PsLinkSettings *a, const PsLinkSettings *b) {
    const PsCloud *x = &a->cloud;
    const PsCloud *y = &b->cloud;
    const char *const texts[][2] = {
        {x->endpoint, y->endpoint}, {x->client_id, y->client_id},
        {x->cert, y->cert},         {x->key, y->key},
        {x->root_ca, y->root_ca},   {x->alpn, y->alpn},
        {x->username, y->username}, {x->password_file, y->password_file},
    };
    for (size_t i = 0; i < PS_COUNT(texts); i++) {
        if (strcmp(texts[i][0], texts[i][1]) != 0) {
            return false;
        }
    }
    return x->type == y->type && x->port == y->port && a->tls == b->tls &&
           a->keepalive_s == b->keepalive_s && x->clean_session == y->clean_session &&
           x->mqtt_version == y->mqtt_version;
}

void ps_link_settings_free(PsLinkSettings *settings) {
    if (settings != NULL) {
        ps_arena_free(settings->arena);
    }
}
