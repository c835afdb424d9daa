// The documents of one shadow. Sections are merged member by member; arrays and plain values are
// taken whole. Pure.
#include "localcloud/service/shadow_doc.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NESTING_SAID 6 // the service's own words, whatever its limit is today

static const char *const sections[] = {"desired", "reported"};

void ps_shadow_deinit(PsShadow *shadow) {
    json_decref(shadow->state);
    json_decref(shadow->metadata);
    *shadow = (PsShadow){0};
}

void ps_shadow_result_deinit(PsShadowResult *result) {
    free(result->token);
    json_decref(result->accepted);
    json_decref(result->delta);
    json_decref(result->documents);
    *result = (PsShadowResult){0};
}

void ps_shadow_refuse(PsShadowResult *result, int code, const char *fmt, ...) {
    if (result->code != 0 && result->code != 200) {
        return;
    }
    va_list args;
    va_start(args, fmt);
    ps_text_format_list(result->message, sizeof result->message, fmt, args);
    va_end(args);
    result->code = code;
}

// ---- merging

// A copy of `value` without members that are null.
static json_t *without_nulls(const json_t *value) {
    if (!json_is_object(value)) {
        return json_deep_copy(value);
    }
    json_t *copy = json_object();
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)value, key, member) {
        if (!json_is_null(member)) {
            json_object_set_new_nocheck(copy, key, without_nulls(member));
        }
    }
    return copy;
}

// {"timestamp"} for each plain value, also for those inside arrays.
static json_t *stamp(const json_t *value, int64_t now_s) {
    json_t *result;
    if (json_is_object(value)) {
        result = json_object();
        const char *key;
        json_t *member;
        json_object_foreach((json_t *)(uintptr_t)value, key, member) {
            if (!json_is_null(member)) {
                json_object_set_new_nocheck(result, key, stamp(member, now_s));
            }
        }
    } else if (json_is_array(value)) {
        result = json_array();
        for (size_t i = 0; i < json_array_size(value); i++) {
            json_array_append_new(result, stamp(json_array_get(value, i), now_s));
        }
    } else {
        result = json_object();
        json_object_set_new(result, "timestamp", json_integer(now_s));
    }
    return result;
}

static void merge(json_t *into, json_t *metadata, const json_t *change, int64_t now_s) {
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)change, key, member) {
        if (json_is_null(member)) {
            json_object_del(into, key);
            json_object_del(metadata, key);
            continue;
        }
        json_t *old = json_object_get(into, key);
        if (json_is_object(member) && json_is_object(old)) {
            merge(old, json_object_get(metadata, key), member, now_s);
            continue;
        }
        json_object_set_new_nocheck(into, key, without_nulls(member));
        json_object_set_new_nocheck(metadata, key, stamp(member, now_s));
    }
}

// `state` and `metadata` (whole documents) with the request's sections in them. A section that
// holds nothing any more goes.
static void merge_sections(json_t *state, json_t *metadata, const json_t *request, int64_t now_s) {
    for (size_t i = 0; i < PS_COUNT(sections); i++) {
        const json_t *change = json_object_get(request, sections[i]);
        if (change == NULL) {
            continue;
        }
        if (json_is_object(change)) {
            if (json_object_get(state, sections[i]) == NULL) {
                json_object_set_new(state, sections[i], json_object());
                json_object_set_new(metadata, sections[i], json_object());
            }
            merge(json_object_get(state, sections[i]), json_object_get(metadata, sections[i]),
                  change, now_s);
        }
        if (json_is_null(change) || json_object_size(json_object_get(state, sections[i])) == 0) {
            json_object_del(state, sections[i]);
            json_object_del(metadata, sections[i]);
        }
    }
}

// ---- delta

json_t *ps_shadow_delta(const json_t *desired, const json_t *reported) {
    json_t *delta = NULL;
    const char *key;
    json_t *want;
    json_object_foreach((json_t *)(uintptr_t)desired, key, want) {
        const json_t *have = json_object_get(reported, key);
        json_t *differs = NULL;
        if (json_is_object(want) && json_is_object(have)) {
            differs = ps_shadow_delta(want, have);
        } else if (have == NULL || !json_equal(want, have)) {
            differs = json_deep_copy(want);
        }
        if (differs != NULL) {
            delta = delta != NULL ? delta : json_object();
            json_object_set_new_nocheck(delta, key, differs);
        }
    }
    return delta;
}

// The part of `metadata` that belongs to what `state` holds.
static json_t *matching(const json_t *state, const json_t *metadata) {
    if (!json_is_object(state)) {
        return json_deep_copy(metadata);
    }
    json_t *result = json_object();
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)state, key, member) {
        const json_t *part = json_object_get(metadata, key);
        if (part != NULL) {
            json_object_set_new_nocheck(result, key, matching(member, part));
        }
    }
    return result;
}

// ---- what is asked

static bool has_null_in_array(const json_t *value, bool inside) {
    if (json_is_null(value)) {
        return inside;
    }
    if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            if (has_null_in_array(json_array_get(value, i), true)) {
                return true;
            }
        }
    }
    if (json_is_object(value)) {
        const char *key;
        json_t *member;
        json_object_foreach((json_t *)(uintptr_t)value, key, member) {
            if (has_null_in_array(member, inside)) {
                return true;
            }
        }
    }
    return false;
}

static void take_token(const json_t *request, PsShadowResult *result) {
    const json_t *token = json_object_get(request, "clientToken");
    if (token == NULL) {
        return;
    }
    if (!json_is_string(token) || json_string_length(token) > PS_SHADOW_TOKEN_BYTES) {
        ps_shadow_refuse(result, 400, "Invalid clientToken");
        return;
    }
    result->token = ps_strdup(json_string_value(token));
}

static void check_section(const json_t *state, size_t section, const PsShadowLimits *limits,
                          PsShadowResult *result) {
    static const char *const must_be[] = {"Desired node must be an object",
                                          "Reported node must be an object"};
    const json_t *change = json_object_get(state, sections[section]);
    if (change == NULL || json_is_null(change)) {
        return;
    }
    if (!json_is_object(change)) {
        ps_shadow_refuse(result, 400, "%s", must_be[section]);
        return;
    }
    unsigned depth = limits->depth != 0 ? limits->depth : PS_SHADOW_DEPTH;
    if (ps_json_depth(change) > depth) {
        ps_shadow_refuse(result, 400, "JSON contains too many levels of nesting; maximum is %u",
                         depth == PS_SHADOW_DEPTH ? NESTING_SAID : depth);
    } else if (has_null_in_array(change, false)) {
        ps_shadow_refuse(result, 400, "State contains an invalid node");
    }
}

static void check_state(const json_t *request, const PsShadowLimits *limits,
                        PsShadowResult *result) {
    const json_t *state = json_object_get(request, "state");
    if (state == NULL) {
        ps_shadow_refuse(result, 400, "Missing required node: state");
        return;
    }
    if (!json_is_object(state)) {
        ps_shadow_refuse(result, 400, "State node must be an object");
        return;
    }
    size_t known = 0;
    for (size_t i = 0; i < PS_COUNT(sections); i++) {
        known += json_object_get(state, sections[i]) != NULL;
        check_section(state, i, limits, result);
    }
    if (json_object_size(state) != known) {
        ps_shadow_refuse(result, 400, "State contains an invalid node");
    }
}

static void check_version(const json_t *request, const PsShadow *shadow, PsShadowResult *result) {
    const json_t *version = json_object_get(request, "version");
    if (version == NULL || json_is_null(version)) {
        return;
    }
    if (!json_is_integer(version) || json_integer_value(version) < 0) {
        ps_shadow_refuse(result, 400, "Invalid version");
    } else if (json_integer_value(version) != shadow->version) {
        ps_shadow_refuse(result, 409, "Version conflict");
    }
}

// The request as an object, or NULL with a refusal.
static json_t *parse(const void *payload, size_t len, PsShadowResult *result) {
    if (!ps_text_is_utf8(payload, len)) {
        ps_shadow_refuse(result, 415,
                         "Unsupported documented encoding; supported encoding is UTF-8");
        return NULL;
    }
    json_t *request = ps_json_parse(payload, len);
    if (!json_is_object(request)) {
        ps_shadow_refuse(result, 400, "Invalid JSON");
        json_decref(request);
        return NULL;
    }
    take_token(request, result);
    return request;
}

// ---- documents

static json_t *document(json_t *state, json_t *metadata, int64_t version, int64_t now_s) {
    json_t *result = json_object();
    json_object_set_new(result, "state", state);
    json_object_set_new(result, "metadata", metadata);
    json_object_set_new(result, "version", json_integer(version));
    json_object_set_new(result, "timestamp", json_integer(now_s));
    return result;
}

// One side of update/documents; a time is in the message only.
static json_t *side(const PsShadow *shadow) {
    json_t *result = json_object();
    json_object_set_new(result, "state",
                        shadow->state != NULL ? json_deep_copy(shadow->state) : json_object());
    json_object_set_new(result, "metadata",
                        shadow->metadata != NULL ? json_deep_copy(shadow->metadata)
                                                 : json_object());
    json_object_set_new(result, "version", json_integer(shadow->version));
    return result;
}

static void tell_update(const PsShadow *before, const PsShadow *after, const json_t *request,
                        int64_t now_s, PsShadowResult *result) {
    json_t *asked = json_object_get(request, "state");
    result->code = 200;
    result->accepted = document(json_deep_copy(asked), stamp(asked, now_s), after->version, now_s);
    const json_t *desired = json_object_get(after->state, "desired");
    json_t *delta = ps_shadow_delta(desired, json_object_get(after->state, "reported"));
    if (delta != NULL) {
        json_t *metadata = matching(delta, json_object_get(after->metadata, "desired"));
        result->delta = document(delta, metadata, after->version, now_s);
    }
    result->documents = json_object();
    json_object_set_new(result->documents, "previous", side(before));
    json_object_set_new(result->documents, "current", side(after));
    json_object_set_new(result->documents, "timestamp", json_integer(now_s));
}

void ps_shadow_update(PsShadow *shadow, const void *payload, size_t len,
                      const PsShadowLimits *limits, int64_t now_s, PsShadowResult *result) {
    PS_AUTO_JSON json_t *request = parse(payload, len, result);
    if (request != NULL && result->code == 0) {
        check_state(request, limits, result);
        check_version(request, shadow, result);
    }
    if (request == NULL || result->code != 0) {
        return;
    }
    PsShadow after = {
        .state = shadow->state != NULL ? json_deep_copy(shadow->state) : json_object(),
        .metadata = shadow->metadata != NULL ? json_deep_copy(shadow->metadata) : json_object(),
        .version = shadow->version + 1,
    };
    const json_t *asked = json_object_get(request, "state");
    merge_sections(after.state, after.metadata, asked, now_s);
    size_t limit = limits->bytes != 0 ? limits->bytes : PS_SHADOW_BYTES;
    size_t size = 0;
    size_t sent = 0;
    for (size_t i = 0; i < PS_COUNT(sections); i++) {
        size += ps_json_text_size(json_object_get(after.state, sections[i]));
        sent += ps_json_text_size(json_object_get(asked, sections[i]));
    }
    if (size > limit || sent > limit) {
        ps_shadow_refuse(result, 413, "The payload exceeds the maximum size allowed");
        ps_shadow_deinit(&after);
        return;
    }
    tell_update(shadow, &after, request, now_s, result);
    ps_shadow_deinit(shadow);
    *shadow = after;
}

// True when there is a shadow. Of the payload, which may be anything, only the token counts.
static bool is_there(const PsShadow *shadow, const char *name, const void *payload, size_t len,
                     PsShadowResult *result) {
    PS_AUTO_JSON json_t *request = ps_json_parse(payload, len);
    take_token(request, result);
    if (shadow->state == NULL) {
        ps_shadow_refuse(result, 404, "No shadow exists with name: '%s'", name);
    }
    return result->code == 0;
}

void ps_shadow_get(const PsShadow *shadow, const char *name, const void *payload, size_t len,
                   int64_t now_s, PsShadowResult *result) {
    if (!is_there(shadow, name, payload, len, result)) {
        return;
    }
    json_t *state = json_deep_copy(shadow->state);
    json_t *delta =
        ps_shadow_delta(json_object_get(state, "desired"), json_object_get(state, "reported"));
    if (delta != NULL) {
        json_object_set_new(state, "delta", delta);
    }
    result->code = 200;
    result->accepted = document(state, json_deep_copy(shadow->metadata), shadow->version, now_s);
}

void ps_shadow_delete(PsShadow *shadow, const char *name, const void *payload, size_t len,
                      int64_t now_s, PsShadowResult *result) {
    if (!is_there(shadow, name, payload, len, result)) {
        return;
    }
    result->code = 200;
    result->accepted = json_object();
    json_object_set_new(result->accepted, "version", json_integer(shadow->version));
    json_object_set_new(result->accepted, "timestamp", json_integer(now_s));
    int64_t version = shadow->version;
    ps_shadow_deinit(shadow);
    shadow->version = version;
}

void ps_shadow_text(const PsShadowResult *result, const json_t *what, PsBuf *buf) {
    PS_AUTO_JSON json_t *json = what != NULL ? json_copy((json_t *)(uintptr_t)what) : json_object();
    if (result->code != 200) {
        json_object_set_new(json, "code", json_integer(result->code));
        json_object_set_new_nocheck(json, "message", json_string_nocheck(result->message));
    }
    if (result->token != NULL) {
        json_object_set_new_nocheck(json, "clientToken", json_string_nocheck(result->token));
    }
    ps_json_text(json, buf);
}
