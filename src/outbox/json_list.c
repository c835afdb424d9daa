// Finds the elements of a JSON array without building them. Pure.
#include "outbox/json_list.h"

#include <jansson.h>
#include <string.h>

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static PsJsonList trimmed(const char *text, size_t len) {
    while (len > 0 && is_space(text[0])) {
        text++;
        len--;
    }
    while (len > 0 && is_space(text[len - 1])) {
        len--;
    }
    return (PsJsonList){.text = text, .len = len};
}

static bool is_sound(const void *payload, size_t len) {
    json_error_t error;
    json_t *json = json_loadb(payload, len,
                              JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
    json_decref(json);
    return json != NULL;
}

bool ps_json_list_of(const void *payload, size_t len, PsJsonList *ret_list) {
    if (!is_sound(payload, len)) {
        return false;
    }
    PsJsonList list = trimmed(payload, len);
    if (list.text[0] == '[') {
        list = trimmed(list.text + 1, list.len - 2);
        list.array = true;
    }
    *ret_list = list;
    return true;
}

// The text is known to be sound, so brackets match and strings end.
static size_t element_len(const PsJsonList *list) {
    size_t depth = 0;
    bool in_string = false;
    size_t at = 0;
    for (; at < list->len; at++) {
        char c = list->text[at];
        if (in_string) {
            at += c == '\\' ? 1 : 0;
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            depth++;
        } else if (c == ']' || c == '}') {
            depth--;
        } else if (c == ',' && depth == 0) {
            break;
        }
    }
    return at < list->len ? at : list->len;
}

bool ps_json_list_next(PsJsonList *list, PsJsonList *ret_element) {
    if (list->len == 0) {
        return false;
    }
    size_t len = list->array ? element_len(list) : list->len;
    *ret_element = trimmed(list->text, len);
    size_t used = len < list->len ? len + 1 : len; // the comma
    PsJsonList rest = trimmed(list->text + used, list->len - used);
    rest.array = list->array;
    *list = rest;
    return true;
}
