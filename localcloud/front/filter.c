// Topics and topic filters with AWS's differences from MQTT. Pure; any thread.
#include "localcloud/front/filter.h"

#include <string.h>

#define INGEST_PREFIX "$aws/rules/"

static bool has(PsBytes bytes, char letter) {
    return bytes.len > 0 && memchr(bytes.data, letter, bytes.len) != NULL;
}

// `count` bytes in, to the end.
static PsBytes rest(PsBytes bytes, size_t count) {
    return ps_bytes(bytes.data + count, bytes.len - count);
}

// The first level, without its slash.
static PsBytes first_level(PsBytes path) {
    const uint8_t *slash = path.len > 0 ? memchr(path.data, '/', path.len) : NULL;
    return ps_bytes(path.data, slash != NULL ? (size_t)(slash - path.data) : path.len);
}

bool ps_topic_is_valid(PsBytes topic) {
    return topic.len > 0 && !has(topic, '+') && !has(topic, '#') && ps_mqtt_is_text(topic);
}

static bool has_valid_levels(PsBytes filter) {
    if (filter.len == 0) {
        return false;
    }
    for (;;) {
        PsBytes level = first_level(filter);
        bool last = level.len == filter.len;
        if (has(level, '#') && (level.len != 1 || !last)) {
            return false;
        }
        if (has(level, '+') && level.len != 1) {
            return false;
        }
        if (last) {
            return true;
        }
        filter = rest(filter, level.len + 1);
    }
}

bool ps_filter_is_shared(PsBytes filter) {
    return ps_bytes_begin(filter, PS_SHARE_PREFIX);
}

bool ps_filter_is_valid(PsBytes filter, size_t share_name_max) {
    if (!ps_mqtt_is_text(filter)) {
        return false;
    }
    if (!ps_filter_is_shared(filter)) {
        return has_valid_levels(filter);
    }
    PsBytes behind = rest(filter, strlen(PS_SHARE_PREFIX));
    PsBytes name = first_level(behind);
    return name.len > 0 && name.len <= share_name_max && name.len < behind.len && !has(name, '+') &&
           !has(name, '#') && has_valid_levels(rest(behind, name.len + 1));
}

PsBytes ps_filter_without_share(PsBytes filter) {
    if (!ps_filter_is_shared(filter)) {
        return filter;
    }
    PsBytes behind = rest(filter, strlen(PS_SHARE_PREFIX));
    PsBytes name = first_level(behind);
    return name.len < behind.len ? rest(behind, name.len + 1) : filter;
}

PsBytes ps_topic_counted(PsBytes topic) {
    if (!ps_bytes_begin(topic, INGEST_PREFIX)) {
        return topic;
    }
    PsBytes behind = rest(topic, strlen(INGEST_PREFIX));
    PsBytes rule = first_level(behind);
    return rest(behind, rule.len < behind.len ? rule.len + 1 : rule.len);
}

size_t ps_topic_slashes(PsBytes topic) {
    size_t count = 0;
    for (size_t i = 0; i < topic.len; i++) {
        count += topic.data[i] == '/' ? 1 : 0;
    }
    return count;
}

bool ps_filter_has_wildcard(PsBytes filter) {
    return has(filter, '+') || has(filter, '#');
}

bool ps_filter_matches(PsBytes filter, PsBytes topic) {
    filter = ps_filter_without_share(filter);
    if (topic.len > 0 && topic.data[0] == '$' && filter.len > 0 &&
        (filter.data[0] == '+' || filter.data[0] == '#')) {
        return false;
    }
    for (;;) {
        PsBytes wanted = first_level(filter);
        if (wanted.len == 1 && wanted.data[0] == '#') {
            return true;
        }
        PsBytes level = first_level(topic);
        bool any = wanted.len == 1 && wanted.data[0] == '+';
        if (!any && (wanted.len != level.len ||
                     (level.len > 0 && memcmp(wanted.data, level.data, level.len) != 0))) {
            return false;
        }
        bool filter_ends = wanted.len == filter.len;
        bool topic_ends = level.len == topic.len;
        if (filter_ends || topic_ends) {
            return filter_ends && topic_ends; // "a/#" goes on where "a" has ended
        }
        filter = rest(filter, wanted.len + 1);
        topic = rest(topic, level.len + 1);
    }
}

bool ps_filter_is_parent_only(PsBytes filter, PsBytes topic) {
    filter = ps_filter_without_share(filter);
    if (filter.len < 3 || filter.data[filter.len - 1] != '#') {
        return false;
    }
    return ps_filter_matches(ps_bytes(filter.data, filter.len - 2), topic);
}
