// Topic rules of MQTT 3.1.1 section 4.7 and the limits of AWS IoT. Pure; any thread.
#include "model/topic.h"

#include "base/text.h"

#include <stdint.h>
#include <string.h>

#define MQTT_TOPIC_BYTES 65535

// What AWS IoT counts: Basic Ingest topics lose `$aws/rules/<rule>/`.
static const char *counted_part(const char *topic) {
    static const char prefix[] = "$aws/rules/";
    if (strncmp(topic, prefix, sizeof prefix - 1) != 0) {
        return topic;
    }
    const char *slash = strchr(topic + sizeof prefix - 1, '/');
    return slash != NULL ? slash + 1 : topic;
}

// Control characters and non-characters: MQTT 3.1.1 (1.5.3) lets the receiver close the connection
// over them, and libmosquitto takes no message with them. The text is well-formed UTF-8.
static bool has_forbidden_character(const char *text, size_t len) {
    const uint8_t *at = (const uint8_t *)text;
    for (size_t i = 0; i < len; i++) {
        const uint8_t *c = at + i; // the sequences below lie within the text: it is well-formed
        bool control = c[0] < 0x20 || c[0] == 0x7f || (c[0] == 0xc2 && c[1] < 0xa0);
        bool arabic = c[0] == 0xef && c[1] == 0xb7 && c[2] >= 0x90 && c[2] <= 0xaf;
        bool last = c[0] == 0xef && c[1] == 0xbf && c[2] >= 0xbe;
        bool plane_last = c[0] >= 0xf0 && (c[1] & 0x0f) == 0x0f && c[2] == 0xbf && c[3] >= 0xbe;
        if (control || arabic || last || plane_last) {
            return true;
        }
    }
    return false;
}

static PsErr check_common(const char *topic, bool aws, PsDiag *diag) {
    size_t len = strlen(topic);
    if (len == 0) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, NULL, "is empty");
    }
    if (len > MQTT_TOPIC_BYTES || !ps_text_is_utf8(topic, len)) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, NULL,
                       "is not UTF-8 text of at most %d bytes, which MQTT requires",
                       MQTT_TOPIC_BYTES);
    }
    if (has_forbidden_character(topic, len)) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, NULL,
                       "holds a control character or a non-character of Unicode, which MQTT "
                       "forbids; leave it out");
    }
    if (!aws) {
        return PS_OK;
    }
    const char *counted = counted_part(topic);
    size_t slashes = 0;
    for (const char *at = counted; *at != '\0'; at++) {
        slashes += *at == '/' ? 1 : 0;
    }
    if (strlen(counted) > PS_AWS_TOPIC_BYTES) {
        return ps_fail(PS_ERR_TOO_BIG, diag, NULL, NULL,
                       "has %zu bytes; AWS IoT takes at most %d, shorten it", strlen(counted),
                       PS_AWS_TOPIC_BYTES);
    }
    if (slashes > PS_AWS_TOPIC_SLASHES) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, NULL,
                       "has %zu slashes; AWS IoT takes at most %d, use fewer levels", slashes,
                       PS_AWS_TOPIC_SLASHES);
    }
    return PS_OK;
}

PsErr ps_topic_check_name(const char *topic, bool aws, PsDiag *diag) {
    if (strpbrk(topic, "+#") != NULL) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, NULL,
                       "holds + or #, which only a subscription may have; name one topic");
    }
    return check_common(topic, aws, diag);
}

PsErr ps_topic_check_filter(const char *filter, bool aws, PsDiag *diag) {
    for (const char *at = filter; *at != '\0'; at++) {
        bool alone = (at == filter || at[-1] == '/') && (at[1] == '/' || at[1] == '\0');
        if ((*at == '+' && !alone) || (*at == '#' && (!alone || at[1] != '\0'))) {
            return ps_fail(PS_ERR_INVALID, diag, NULL, NULL,
                           "has a misplaced %c: + stands for one whole level, # for all levels at "
                           "the end",
                           *at);
        }
    }
    return check_common(filter, aws, diag);
}

bool ps_topic_matches(const char *filter, const char *topic) {
    if (topic[0] == '$' && (filter[0] == '+' || filter[0] == '#')) {
        return false;
    }
    for (;;) {
        if (*filter == '#') {
            return true;
        }
        if (*filter == '+') {
            filter++;
            topic += strcspn(topic, "/");
        } else {
            while (*filter != '\0' && *filter != '/' && *filter == *topic) {
                filter++;
                topic++;
            }
        }
        if (*filter == '\0' && *topic == '\0') {
            return true;
        }
        // "a/#" also takes its parent "a" (MQTT 3.1.1, 4.7.1.2).
        if (*topic == '\0' && strcmp(filter, "/#") == 0) {
            return true;
        }
        if (*filter != '/' || *topic != '/') {
            return false;
        }
        filter++;
        topic++;
    }
}
