// The table of limits. Pure; any thread.
#include "localcloud/front/limits.h"

#include "base/text.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define NAME_SIZE 64

#define LIMIT(field, unit, initial, min, max, help)                                                \
    {#field, unit, initial, min, max, help, offsetof(PsLimits, field)}

#define MOST_RATE 10000000

static_assert(offsetof(PsLimits, payload_bytes) == 0, "slot() counts from the first limit");

// AWS IoT Core endpoints and quotas; developer guide, "MQTT".
static const PsLimitOption options[] = {
    LIMIT(payload_bytes, "bytes", 131072, 1, 16777216,
          "payload of a PUBLISH or a will; beyond it the connection is closed"),
    LIMIT(packet_bytes, "bytes", 149504, 128, 33554432,
          "a whole packet with its properties; beyond it the connection is closed"),
    LIMIT(topic_bytes, "bytes", 256, 1, 65535,
          "topic or filter, without $share/<name>/ and $aws/rules/<rule>/"),
    LIMIT(topic_slashes, "slashes", 7, 0, 65535,
          "topic or filter, without $share/<name>/ and $aws/rules/<rule>/"),
    LIMIT(client_id_bytes, "bytes", 128, 1, 65535, "beyond it CONNECT is refused"),
    LIMIT(share_name_bytes, "bytes", 128, 1, 65535, "name of a shared subscription"),
    LIMIT(filters_per_subscribe, "filters", 8, 1, 65535,
          "in one SUBSCRIBE; beyond it see the reaction too_many_filters"),
    LIMIT(subscriptions, "filters", 50, 1, 100000,
          "of one connection; beyond it see the reaction too_many_subscriptions"),
    LIMIT(publishes_per_s, "1/s", 100, 0, MOST_RATE,
          "PUBLISH of a client; beyond it discarded without PUBACK; 0: no limit"),
    LIMIT(deliveries_per_s, "1/s", 100, 0, MOST_RATE,
          "PUBLISH to a client; beyond it discarded; 0: no limit"),
    LIMIT(bytes_per_s, "bytes/s", 524288, 0, 1000000000,
          "each way of a connection; beyond it delayed; 0: no limit"),
    LIMIT(unacked_in, "messages", 100, 1, 65535,
          "QoS 1 from a client without PUBACK; beyond it not read, MQTT 5: DISCONNECT 0x93"),
    LIMIT(unacked_out, "messages", 100, 1, 65535,
          "QoS 1 to a client without its PUBACK; beyond it held back"),
    LIMIT(unacked_out_s, "s", 3600, 0, 604800,
          "a QoS 1 message waits for its PUBACK; then it is dropped; 0: for ever"),
    LIMIT(resend_out_s, "s", 30, 0, 604800,
          "a QoS 1 message without its PUBACK is sent again, MQTT 3.1.1 only; 0: never"),
    LIMIT(connects_per_id_per_s, "1/s", 1, 0, 1000,
          "CONNECT with one client id; see the reaction connect_too_fast; 0: no limit"),
    LIMIT(connects_per_s, "1/s", 500, 0, MOST_RATE,
          "CONNECT of all clients; see the reaction connect_too_fast; 0: no limit"),
    LIMIT(keep_alive_min_s, "s", 30, 1, 65535, "less is taken as this"),
    LIMIT(keep_alive_max_s, "s", 1200, 1, 65535, "more, and 0, is taken as this"),
    LIMIT(session_expiry_s, "s", 3600, 1, 604800,
          "life of a session without a connection; more is lowered"),
    LIMIT(topic_aliases, "aliases", 8, 0, 1000, "topic alias maximum; beyond it DISCONNECT 0x94"),
    LIMIT(message_expiry_s, "s", 604800, 1, 4294967295, "more is lowered, 0 is taken as 1"),
    LIMIT(replay_per_s, "1/s", 10, 0, MOST_RATE,
          "stored messages to a client that is back; 0: at once"),
    LIMIT(connect_wait_s, "s", 10, 1, 3600, "from the connection to the end of CONNECT"),
    LIMIT(packet_wait_s, "s", 30, 1, 3600, "from the first byte of a packet to its last"),
    LIMIT(held_bytes, "bytes", 1048576, 1024, 1073741824,
          "deliveries kept for one slow client; beyond it the broker keeps them"),
    LIMIT(shadow_bytes, "bytes", 8192, 1, 16777216,
          "desired and reported of a shadow together; beyond it 413"),
    LIMIT(shadow_depth, "levels", 8, 1, 1000, "below desired or reported; beyond it 400"),
    LIMIT(shadow_requests_per_s, "1/s", 20, 1, MOST_RATE, "for one thing; beyond it 429"),
    LIMIT(shadow_in_flight, "requests", 10, 1, 1000,
          "for one thing without an answer, over MQTT; beyond it 429"),
    LIMIT(shadow_delay_ms, "ms", 0, 0, 60000,
          "an answer over MQTT waits that long: AWS's is not set; makes requests be in flight"),
    LIMIT(job_document_bytes, "bytes", 32768, 1, 16777216, "in CreateJob; beyond it refused"),
};

const PsLimitOption *ps_limit_options(size_t *ret_count) {
    *ret_count = PS_COUNT(options);
    return options;
}

// PsLimits is uint32_t throughout.
static uint32_t *slot(PsLimits *limits, const PsLimitOption *option) {
    return &limits->payload_bytes + option->offset / sizeof(uint32_t);
}

void ps_limits_init(PsLimits *limits) {
    for (size_t i = 0; i < PS_COUNT(options); i++) {
        *slot(limits, &options[i]) = options[i].initial;
    }
}

uint32_t ps_limits_value(const PsLimits *limits, const PsLimitOption *option) {
    PsLimits copy = *limits;
    return *slot(&copy, option);
}

static PsErr unknown(const char *name, PsDiag *diag) {
    const char *names[PS_COUNT(options)];
    for (size_t i = 0; i < PS_COUNT(options); i++) {
        names[i] = options[i].name;
    }
    const char *nearest = ps_text_nearest(name, names, PS_COUNT(options));
    return ps_fail(PS_ERR_NOT_FOUND, diag, "limit", name, "there is no such limit%s%s%s",
                   nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
                   nearest != NULL ? "'?" : "");
}

PsErr ps_limits_set(PsLimits *limits, const char *name, long long value, PsDiag *diag) {
    for (size_t i = 0; i < PS_COUNT(options); i++) {
        const PsLimitOption *option = &options[i];
        if (strcmp(option->name, name) != 0) {
            continue;
        }
        if (value < option->min || value > option->max) {
            return ps_fail(PS_ERR_RANGE, diag, "limit", name, "%lld is not from %u to %u %s", value,
                           option->min, option->max, option->unit);
        }
        *slot(limits, option) = (uint32_t)value;
        return PS_OK;
    }
    return unknown(name, diag);
}

PsErr ps_limits_set_text(PsLimits *limits, const char *text, PsDiag *diag) {
    const char *equals = strchr(text, '=');
    long long value = 0;
    char name[NAME_SIZE];
    if (equals == NULL || (size_t)(equals - text) >= sizeof name ||
        !ps_text_to_int(equals + 1, 0, UINT32_MAX, &value)) {
        return ps_fail(PS_ERR_INVALID, diag, "limit", text,
                       "a limit is set as NAME=NUMBER, for example publishes_per_s=5");
    }
    snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
    return ps_limits_set(limits, name, value, diag);
}
