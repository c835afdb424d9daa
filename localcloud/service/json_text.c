// JSON to text. jansson writes 0.1 with all its 17 digits; here the first of 15, 16 and 17 digits
// that reads back as the same number is taken. Pure.
#include "localcloud/service/json_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(PsBuf *buf, const char *text) {
    ps_buf_put(buf, text, strlen(text));
}

static void put_real(double value, PsBuf *buf) {
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    put(buf, text);
    if (strpbrk(text, ".e") == NULL) {
        put(buf, ".0"); // stays a real number when it is read again
    }
}

static void put_string(const char *text, size_t len, PsBuf *buf) {
    json_t *string = json_stringn_nocheck(text, len);
    size_t need = json_dumpb(string, NULL, 0, JSON_ENCODE_ANY);
    ps_buf_reserve(buf, need);
    (void)json_dumpb(string, (char *)buf->data + buf->len, need, JSON_ENCODE_ANY);
    buf->len += need;
    buf->data[buf->len] = 0;
    json_decref(string);
}

static void put_object(const json_t *json, PsBuf *buf) {
    char before = '{';
    void *at = json_object_iter((json_t *)(uintptr_t)json);
    for (; at != NULL; at = json_object_iter_next((json_t *)(uintptr_t)json, at)) {
        ps_buf_put_u8(buf, (uint8_t)before);
        const char *key = json_object_iter_key(at);
        put_string(key, json_object_iter_key_len(at), buf);
        ps_buf_put_u8(buf, ':');
        ps_json_text(json_object_iter_value(at), buf);
        before = ',';
    }
    put(buf, before == '{' ? "{}" : "}");
}

static void put_array(const json_t *json, PsBuf *buf) {
    ps_buf_put_u8(buf, '[');
    for (size_t i = 0; i < json_array_size(json); i++) {
        if (i > 0) {
            ps_buf_put_u8(buf, ',');
        }
        ps_json_text(json_array_get(json, i), buf);
    }
    ps_buf_put_u8(buf, ']');
}

void ps_json_text(const json_t *json, PsBuf *buf) {
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        put_object(json, buf);
        return;
    case JSON_ARRAY:
        put_array(json, buf);
        return;
    case JSON_STRING:
        put_string(json_string_value(json), json_string_length(json), buf);
        return;
    case JSON_INTEGER:
        ps_buf_printf(buf, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
        return;
    case JSON_REAL:
        put_real(json_real_value(json), buf);
        return;
    case JSON_TRUE:
    case JSON_FALSE:
        put(buf, json_is_true(json) ? "true" : "false");
        return;
    case JSON_NULL:
        put(buf, "null");
        return;
    }
}

size_t ps_json_text_size(const json_t *json) {
    if (json == NULL) {
        return 0;
    }
    PS_AUTO_BUF PsBuf buf = {0};
    ps_json_text(json, &buf);
    return buf.len;
}

unsigned ps_json_depth(const json_t *json) {
    unsigned deepest = 0;
    if (json_is_object(json)) {
        void *at = json_object_iter((json_t *)(uintptr_t)json);
        for (; at != NULL; at = json_object_iter_next((json_t *)(uintptr_t)json, at)) {
            unsigned depth = 1 + ps_json_depth(json_object_iter_value(at));
            deepest = depth > deepest ? depth : deepest;
        }
    } else if (json_is_array(json)) {
        for (size_t i = 0; i < json_array_size(json); i++) {
            unsigned depth = 1 + ps_json_depth(json_array_get(json, i));
            deepest = depth > deepest ? depth : deepest;
        }
    }
    return deepest;
}

json_t *ps_json_parse(const void *text, size_t len) {
    return json_loadb(text, len, JSON_DECODE_ANY, NULL);
}
