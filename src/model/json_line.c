// Writes a JSON tree on one line. Pure.
#include "model/json_line.h"

#include "model/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ps_json_write_number(double number, PsBuf *out) {
    char text[32];
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number) {
            break;
        }
    }
    ps_buf_put(out, text, strlen(text));
}

// A text may hold what no option may: a zero byte.
static void write_text(const json_t *json, PsBuf *out) {
    const char *text = json_string_value(json);
    if (strlen(text) == json_string_length(json)) {
        ps_option_write_text(text, out);
        return;
    }
    char *dump = json_dumps(json, JSON_ENCODE_ANY);
    PS_ASSERT(dump != NULL);
    ps_buf_put(out, dump, strlen(dump));
    free(dump);
}

static void write_object(const json_t *json, PsBuf *out) {
    const char *key;
    json_t *value;
    bool first = true;
    ps_buf_put_u8(out, '{');
    json_object_foreach((json_t *)(uintptr_t)json, key, value) {
        ps_buf_printf(out, "%s", first ? "" : ", ");
        ps_option_write_text(key, out);
        ps_buf_printf(out, ": ");
        ps_json_write_line(value, out);
        first = false;
    }
    ps_buf_put_u8(out, '}');
}

static void write_array(const json_t *json, PsBuf *out) {
    size_t index;
    json_t *value;
    ps_buf_put_u8(out, '[');
    json_array_foreach(json, index, value) {
        ps_buf_printf(out, "%s", index > 0 ? ", " : "");
        ps_json_write_line(value, out);
    }
    ps_buf_put_u8(out, ']');
}

void ps_json_write_line(const json_t *json, PsBuf *out) {
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        write_object(json, out);
        break;
    case JSON_ARRAY:
        write_array(json, out);
        break;
    case JSON_STRING:
        write_text(json, out);
        break;
    case JSON_INTEGER:
        ps_buf_printf(out, "%lld", (long long)json_integer_value(json));
        break;
    case JSON_REAL:
        ps_json_write_number(json_real_value(json), out);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        ps_buf_printf(out, "%s", json_is_true(json) ? "true" : "false");
        break;
    case JSON_NULL:
        ps_buf_printf(out, "null");
        break;
    }
}
