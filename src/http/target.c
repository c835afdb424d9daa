// Path and query of a request. Pure; any thread.
#include "http/target.h"

#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static int hex_value(char digit) {
    static const char digits[] = "0123456789abcdef";
    const char *at = digit != '\0' ? strchr(digits, tolower((unsigned char)digit)) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

// In place. False when the text cannot be decoded.
static bool decode(char *text, bool plus_is_blank) {
    char *out = text;
    for (const char *in = text; *in != '\0'; in++) {
        char byte = *in;
        if (byte == '%') {
            int high = hex_value(in[1]);
            int low = high >= 0 ? hex_value(in[2]) : -1;
            if (low < 0 || (high == 0 && low == 0)) {
                return false;
            }
            byte = (char)(high * 16 + low);
            in += 2;
        } else if (byte == '+' && plus_is_blank) {
            byte = ' ';
        }
        *out++ = byte;
    }
    *out = '\0';
    return ps_text_is_utf8(text, (size_t)(out - text));
}

static PsErr read_path(char *path, PsTarget *target) {
    char *at = path + 1;
    while (at != NULL) {
        if (target->segment_count == PS_TARGET_SEGMENTS) {
            return PS_ERR_TOO_BIG;
        }
        char *segment = at;
        char *slash = strchr(at, '/');
        at = slash != NULL ? slash + 1 : NULL;
        if (slash != NULL) {
            *slash = '\0';
        }
        if (!decode(segment, false)) {
            return PS_ERR_INVALID;
        }
        target->segments[target->segment_count++] = segment;
    }
    return PS_OK;
}

static PsErr read_query(char *query, PsTarget *target) {
    char *rest = NULL;
    for (char *pair = strtok_r(query, "&", &rest); pair != NULL;
         pair = strtok_r(NULL, "&", &rest)) {
        if (target->query_count == PS_TARGET_QUERY) {
            return PS_ERR_TOO_BIG;
        }
        char *value = strchr(pair, '=');
        if (value != NULL) {
            *value++ = '\0';
        }
        if (!decode(pair, true) || (value != NULL && !decode(value, true))) {
            return PS_ERR_INVALID;
        }
        target->query[target->query_count++] = (PsTargetPair){pair, value != NULL ? value : ""};
    }
    return PS_OK;
}

PsErr ps_target_read(const char *raw, PsTarget *target) {
    target->segment_count = 0;
    target->query_count = 0;
    size_t len = strnlen(raw, PS_TARGET_MAX + 1);
    if (len > PS_TARGET_MAX) {
        return PS_ERR_TOO_BIG;
    }
    if (raw[0] != '/') {
        return PS_ERR_INVALID;
    }
    memcpy(target->text, raw, len + 1);
    char *query = strchr(target->text, '?');
    if (query != NULL) {
        *query++ = '\0';
    }
    PsErr err = read_path(target->text, target);
    return err == PS_OK && query != NULL ? read_query(query, target) : err;
}

static void join(const PsTarget *target, size_t from, char *joined) {
    size_t at = 0;
    joined[0] = '\0';
    for (size_t i = from; i < target->segment_count; i++) {
        at += (size_t)snprintf(joined + at, PS_TARGET_MAX + 1 - at, "%s%s", i > from ? "/" : "",
                               target->segments[i]);
    }
}

bool ps_target_fits(const PsTarget *target, const char *path, const char **ret_parameters,
                    size_t most, char *joined) {
    size_t index = 0;
    size_t parameters = 0;
    for (const char *part = path + 1;; index++) {
        size_t len = strcspn(part, "/");
        if (index >= target->segment_count) {
            return false;
        }
        const char *segment = target->segments[index];
        if (part[0] == '{') {
            PS_ASSERT(parameters < most);
            bool rest = part[len - 2] == '+';
            if (rest) {
                join(target, index, joined);
            }
            ret_parameters[parameters++] = rest ? joined : segment;
            if (rest) {
                return joined[0] != '\0';
            }
            if (segment[0] == '\0') {
                return false;
            }
        } else if (strlen(segment) != len || strncmp(segment, part, len) != 0) {
            return false;
        }
        if (part[len] == '\0') {
            return index + 1 == target->segment_count;
        }
        part += len + 1;
    }
}
