// Makes requests. Pure.
#include "cli/http_ask.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_encoded(PsBuf *out, const char *text) {
    for (const char *at = text; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;
        if (isalnum(byte) != 0 || strchr("-._~", byte) != NULL) {
            ps_buf_put_u8(out, byte);
        } else {
            ps_buf_printf(out, "%%%02X", byte);
        }
    }
}

static void put_value(PsBuf *out, const json_t *value) {
    char number[32];
    if (json_is_string(value)) {
        put_encoded(out, json_string_value(value));
    } else if (json_is_boolean(value)) {
        ps_buf_printf(out, "%s", json_is_true(value) ? "true" : "false");
    } else if (json_is_integer(value)) {
        ps_buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else {
        snprintf(number, sizeof number, "%.17g", json_number_value(value));
        put_encoded(out, number);
    }
}

// The path with its parameters, which leave `left`.
static void put_path(PsBuf *out, const char *path, json_t *left) {
    while (*path != '\0') {
        if (*path != '{') {
            ps_buf_put_u8(out, (uint8_t)*path++);
            continue;
        }
        char name[64];
        size_t len = strcspn(++path, "}");
        snprintf(name, sizeof name, "%.*s", (int)len, path);
        put_value(out, json_object_get(left, name));
        json_object_del(left, name);
        path += len + 1;
    }
}

static void put_query(PsBuf *out, const json_t *left) {
    char mark = '?';
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)left, name, value) {
        ps_buf_printf(out, "%c%s=", mark, name);
        put_value(out, value);
        mark = '&';
    }
}

void cli_http_ask_raw(const char *method, const char *target, const void *body, size_t len,
                      PsBuf *out) {
    ps_buf_printf(out, "%s %s HTTP/1.1\r\nHost: localhost\r\n", method, target);
    if (body != NULL) {
        ps_buf_printf(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n", len);
    }
    ps_buf_put(out, "\r\n", 2);
    if (body != NULL) {
        ps_buf_put(out, body, len);
    }
}

PsErr cli_http_ask(const json_t *call, PsBuf *out) {
    const char *words = json_string_value(json_object_get(call, "call"));
    const char *path = words != NULL ? strchr(words, ' ') : NULL;
    char method[16];
    if (path == NULL || path[1] != '/' || (size_t)(path - words) >= sizeof method) {
        return PS_ERR_INVALID;
    }
    snprintf(method, sizeof method, "%.*s", (int)(path - words), words);
    json_t *left = json_copy((json_t *)(uintptr_t)call);
    json_object_del(left, "call");
    PS_AUTO_BUF PsBuf target = {0};
    ps_buf_printf(&target, "/api/v1");
    put_path(&target, path + 1, left);
    bool in_query = strcmp(method, "GET") == 0 || strcmp(method, "DELETE") == 0;
    if (in_query) {
        put_query(&target, left);
    }
    bool has_body = !in_query && json_object_size(left) > 0;
    char *body = has_body ? json_dumps(left, JSON_COMPACT) : NULL;
    cli_http_ask_raw(method, (const char *)target.data, body, body != NULL ? strlen(body) : 0, out);
    free(body);
    json_decref(left);
    return PS_OK;
}
