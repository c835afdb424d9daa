// Reads one JSON object into a struct by its option table, and writes it back.
// Pure apart from the arena; the thread that loads the configuration.
#include "model/option.h"

#include "base/text.h"
#include "model/config.h"
#include "model/json_line.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_KEYS 64

static void *field_of(const PsOption *option, void *target) {
    return (char *)target + option->offset;
}

static const void *const_field_of(const PsOption *option, const void *source) {
    return (const char *)source + option->offset;
}

static const char *make_path(const PsOptionContext *context, const char *text) {
    if (text[0] == '\0' || text[0] == '/') {
        return ps_arena_strdup(context->arena, text);
    }
    size_t size = strlen(context->folder) + 1 + strlen(text) + 1;
    char *path = ps_arena_take(context->arena, size);
    snprintf(path, size, "%s/%s", context->folder, text);
    return path;
}

static void set_int(const PsOption *option, void *field, int number) {
    switch (option->store) {
    case PS_STORE_INT:
        *(int *)field = number;
        break;
    case PS_STORE_INT8:
        *(int8_t *)field = (int8_t)number;
        break;
    case PS_STORE_INT16:
        *(int16_t *)field = (int16_t)number;
        break;
    case PS_STORE_UINT16:
        *(uint16_t *)field = (uint16_t)number;
        break;
    }
}

static int get_int(const PsOption *option, const void *field) {
    switch (option->store) {
    case PS_STORE_INT:
        return *(const int *)field;
    case PS_STORE_INT8:
        return *(const int8_t *)field;
    case PS_STORE_INT16:
        return *(const int16_t *)field;
    case PS_STORE_UINT16:
        return *(const uint16_t *)field;
    }
    return PS_UNSET;
}

int ps_option_int(const PsOption *option, const void *source) {
    return get_int(option, const_field_of(option, source));
}

static int word_index(const PsWords *words, const char *text) {
    for (size_t i = 0; i < words->count; i++) {
        if (strcasecmp(words->items[i], text) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static const char *fallback_of(const PsOption *option, const void *source) {
    return option->fallback_for != NULL ? option->fallback_for(source) : option->fallback;
}

static void set_default(const PsOption *option, void *target) {
    void *field = field_of(option, target);
    const char *text = fallback_of(option, target);
    switch (option->type) {
    case PS_OPTION_TEXT:
    case PS_OPTION_PATH:
        *(const char **)field = text != NULL ? text : "";
        break;
    case PS_OPTION_INT:
        set_int(option, field, text != NULL ? (int)strtol(text, NULL, 10) : PS_UNSET);
        break;
    case PS_OPTION_NUMBER:
        *(double *)field = text != NULL ? strtod(text, NULL) : 0.0;
        break;
    case PS_OPTION_BOOL:
        *(bool *)field = text != NULL && strcmp(text, "true") == 0;
        break;
    case PS_OPTION_WORD:
        set_int(option, field, text != NULL ? word_index(option->words, text) : PS_UNSET);
        break;
    case PS_OPTION_TEXTS:
        *(PsTextList *)field = (PsTextList){0};
        break;
    }
}

static void wrong_type(const PsOption *option, const PsOptionContext *context, const char *object,
                       const char *expected) {
    ps_findings_error(context->findings, context->file, object, option->key, "must be %s",
                      expected);
}

static const char *keep_text(const PsOptionContext *context, const char *text) {
    return context->texts != NULL ? ps_text_pool_keep(context->texts, text)
                                  : ps_arena_strdup(context->arena, text);
}

static void load_text(const PsOption *option, const json_t *value, const char *object,
                      const PsOptionContext *context, void *field) {
    const char *text = json_string_value(value);
    if (text == NULL) {
        wrong_type(option, context, object, "a text in quotes");
        return;
    }
    size_t len = json_string_length(value);
    if ((double)len < option->min || (double)len > option->max) {
        ps_findings_error(context->findings, context->file, object, option->key,
                          "has %zu characters; it must have %g to %g", len, option->min,
                          option->max);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < 0x20) {
            ps_findings_error(context->findings, context->file, object, option->key,
                              "holds a control character; remove it");
            return;
        }
    }
    if (option->type == PS_OPTION_PATH) {
        *(const char **)field = make_path(context, text);
    } else {
        *(const char **)field = keep_text(context, text);
    }
}

static void load_number(const PsOption *option, const json_t *value, const char *object,
                        const PsOptionContext *context, void *field) {
    bool whole = option->type == PS_OPTION_INT;
    if (whole ? !json_is_integer(value) : !json_is_number(value)) {
        wrong_type(option, context, object,
                   whole ? "a whole number without quotes" : "a number without quotes");
        return;
    }
    double number = json_number_value(value);
    if (!(number >= option->min && number <= option->max)) {
        ps_findings_error(context->findings, context->file, object, option->key,
                          "is %.15g; it must be %.15g to %.15g%s%s", number, option->min,
                          option->max, option->unit != NULL ? " " : "",
                          option->unit != NULL ? option->unit : "");
        return;
    }
    if (whole) {
        set_int(option, field, (int)number);
    } else {
        *(double *)field = number;
    }
}

static void load_word(const PsOption *option, const json_t *value, const char *object,
                      const PsOptionContext *context, void *field) {
    const char *text = json_string_value(value);
    int index = text != NULL ? word_index(option->words, text) : -1;
    if (index >= 0) {
        set_int(option, field, index);
        return;
    }
    PS_AUTO_BUF PsBuf list = {0};
    for (size_t i = 0; i < option->words->count; i++) {
        ps_buf_printf(&list, "%s%s", i > 0 ? ", " : "", option->words->items[i]);
    }
    ps_findings_error(context->findings, context->file, object, option->key,
                      "%s%.60s%s is not one of: %s", text != NULL ? "'" : "",
                      text != NULL ? text : "this value", text != NULL ? "'" : "",
                      (const char *)list.data);
}

static void load_texts(const PsOption *option, const json_t *value, const char *object,
                       const PsOptionContext *context, void *field) {
    size_t count = json_array_size(value);
    if (!json_is_array(value) || (double)count < option->min || (double)count > option->max) {
        ps_findings_error(context->findings, context->file, object, option->key,
                          "must be a list of %g to %g names: [\"a\", \"b\"]", option->min,
                          option->max);
        return;
    }
    PsTextList list = {.items = ps_arena_take(context->arena, (count + 1) * sizeof(char *))};
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(value, i));
        if (text == NULL) {
            wrong_type(option, context, object, "a list of texts in quotes");
            return;
        }
        list.items[list.count++] = ps_arena_strdup(context->arena, text);
    }
    *(PsTextList *)field = list;
}

static void load_value(const PsOption *option, const json_t *value, const char *object,
                       const PsOptionContext *context, void *field) {
    switch (option->type) {
    case PS_OPTION_TEXT:
    case PS_OPTION_PATH:
        load_text(option, value, object, context, field);
        break;
    case PS_OPTION_INT:
    case PS_OPTION_NUMBER:
        load_number(option, value, object, context, field);
        break;
    case PS_OPTION_BOOL:
        if (json_is_boolean(value)) {
            *(bool *)field = json_is_true(value);
        } else {
            wrong_type(option, context, object, "true or false without quotes");
        }
        break;
    case PS_OPTION_WORD:
        load_word(option, value, object, context, field);
        break;
    case PS_OPTION_TEXTS:
        load_texts(option, value, object, context, field);
        break;
    }
}

const char *ps_option_text(const PsOption *option, const void *source) {
    return *(const char *const *)const_field_of(option, source);
}

bool ps_option_is_for(const PsOption *option, int protocol) {
    return option->protocols == 0 || (option->protocols & PS_OPTION_FOR(protocol)) != 0;
}

const PsOption *ps_option_find(const PsOptionTable *table, const char *key) {
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->options[i].key, key) == 0) {
            return &table->options[i];
        }
    }
    return NULL;
}

static bool is_listed(const char *const *words, const char *word) {
    for (; words != NULL && *words != NULL; words++) {
        if (strcmp(*words, word) == 0) {
            return true;
        }
    }
    return false;
}

static void report_unknown(const PsOptionTable *table, const char *key, const char *object,
                           const char *const *also, const PsOptionContext *context) {
    const char *known[MOST_KEYS];
    size_t count = 0;
    for (size_t i = 0; i < table->count && count < MOST_KEYS; i++) {
        known[count++] = table->options[i].key;
    }
    for (; also != NULL && *also != NULL && count < MOST_KEYS; also++) {
        known[count++] = *also;
    }
    const char *nearest = ps_text_nearest(key, known, count);
    if (nearest != NULL) {
        ps_findings_error(context->findings, context->file, object, key,
                          "is not a known key; did you mean '%s'?", nearest);
    } else {
        ps_findings_error(context->findings, context->file, object, key,
                          "is not a known key; remove it ('penstock schema' lists the keys)");
    }
}

static void load_keys(const PsOptionTable *table, const json_t *json, const char *object,
                      const char *const *also, const PsOptionContext *context, void *target) {
    for (size_t i = 0; i < table->count; i++) {
        const PsOption *option = &table->options[i];
        set_default(option, target);
        const json_t *value = json_object_get(json, option->key);
        if (value != NULL) {
            load_value(option, value, object, context, field_of(option, target));
        } else if (option->required) {
            ps_findings_error(context->findings, context->file, object, option->key,
                              "is missing; add it (%s)", option->help);
        }
    }
    for (size_t i = 0; i < table->count; i++) {
        const PsOption *option = &table->options[i];
        if (option->fallback_for != NULL && json_object_get(json, option->key) == NULL) {
            set_default(option, target); // now that the other keys are known
        }
    }
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)json, key, value) {
        if (ps_option_find(table, key) == NULL && !is_listed(also, key)) {
            report_unknown(table, key, object, also, context);
        }
    }
}

json_t *ps_option_unfold(const PsOptionTable *table, const json_t *json, const char *object,
                         const char *file, PsFindings *findings) {
    PsDiag diag = {0};
    json_t *whole = json_copy((json_t *)(uintptr_t)json);
    if (ps_shorthand_unfold(table->shorthand, whole, false, false, &diag) != PS_OK) {
        ps_findings_error(findings, file, object, diag.field, "%s", diag.text);
        json_object_del(whole, table->shorthand->key);
    }
    return whole;
}

void ps_option_load(const PsOptionTable *table, const json_t *json, const char *object,
                    const char *const *also, const PsOptionContext *context, void *target) {
    bool folded = table->shorthand != NULL && json_object_get(json, table->shorthand->key) != NULL;
    json_t *whole =
        folded ? ps_option_unfold(table, json, object, context->file, context->findings) : NULL;
    load_keys(table, folded ? whole : json, object, also, context, target);
    json_decref(whole);
}

void ps_option_write_text(const char *text, PsBuf *out) {
    ps_buf_put_u8(out, '"');
    for (const char *at = text; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte == '"' || byte == '\\') {
            ps_buf_put_u8(out, '\\');
            ps_buf_put_u8(out, byte);
        } else if (byte < 0x20) {
            ps_buf_printf(out, "\\u%04x", byte);
        } else {
            ps_buf_put_u8(out, byte);
        }
    }
    ps_buf_put_u8(out, '"');
}

static const char *relative_path(const char *path, const char *folder) {
    size_t len = strlen(folder);
    return strncmp(path, folder, len) == 0 && path[len] == '/' ? path + len + 1 : path;
}

static void write_value(const PsOption *option, const void *field, const char *folder, PsBuf *out) {
    switch (option->type) {
    case PS_OPTION_TEXT:
        ps_option_write_text(*(const char *const *)field, out);
        break;
    case PS_OPTION_PATH:
        ps_option_write_text(relative_path(*(const char *const *)field, folder), out);
        break;
    case PS_OPTION_INT:
        ps_buf_printf(out, "%d", get_int(option, field));
        break;
    case PS_OPTION_NUMBER:
        ps_json_write_number(*(const double *)field, out);
        break;
    case PS_OPTION_BOOL:
        ps_buf_printf(out, "%s", *(const bool *)field ? "true" : "false");
        break;
    case PS_OPTION_WORD:
        ps_option_write_text(option->words->items[get_int(option, field)], out);
        break;
    case PS_OPTION_TEXTS: {
        const PsTextList *list = field;
        ps_buf_put_u8(out, '[');
        for (uint32_t i = 0; i < list->count; i++) {
            ps_buf_printf(out, "%s", i > 0 ? ", " : "");
            ps_option_write_text(list->items[i], out);
        }
        ps_buf_put_u8(out, ']');
        break;
    }
    }
}

void ps_option_write_plain(const PsOption *option, const void *source, const char *folder,
                           PsBuf *out) {
    const void *field = const_field_of(option, source);
    const char *text = NULL;
    switch (option->type) {
    case PS_OPTION_TEXT:
        text = *(const char *const *)field;
        break;
    case PS_OPTION_PATH:
        text = relative_path(*(const char *const *)field, folder);
        break;
    case PS_OPTION_WORD:
        text =
            get_int(option, field) != PS_UNSET ? option->words->items[get_int(option, field)] : "";
        break;
    case PS_OPTION_INT:
        text = get_int(option, field) == PS_UNSET && option->fallback == NULL ? "" : NULL;
        break;
    default:
        break;
    }
    if (text != NULL) {
        ps_buf_put(out, text, strlen(text));
    } else {
        write_value(option, field, folder, out);
    }
}

static bool same_texts(const PsTextList *a, const PsTextList *b) {
    bool same = a->count == b->count;
    for (uint32_t i = 0; same && i < a->count; i++) {
        same = strcmp(a->items[i], b->items[i]) == 0;
    }
    return same;
}

bool ps_option_equal(const PsOption *option, const void *a, const void *b) {
    const void *fields[] = {const_field_of(option, a), const_field_of(option, b)};
    switch (option->type) {
    case PS_OPTION_TEXT:
    case PS_OPTION_PATH:
        return strcmp(*(const char *const *)fields[0], *(const char *const *)fields[1]) == 0;
    case PS_OPTION_INT:
    case PS_OPTION_WORD:
        return get_int(option, fields[0]) == get_int(option, fields[1]);
    case PS_OPTION_NUMBER:
        return *(const double *)fields[0] == *(const double *)fields[1];
    case PS_OPTION_BOOL:
        return *(const bool *)fields[0] == *(const bool *)fields[1];
    case PS_OPTION_TEXTS:
        return same_texts(fields[0], fields[1]);
    }
    return false;
}

bool ps_option_all_equal(const PsOptionTable *table, const void *a, const void *b) {
    for (size_t i = 0; i < table->count; i++) {
        if (!ps_option_equal(&table->options[i], a, b)) {
            return false;
        }
    }
    return true;
}

bool ps_option_is_default(const PsOption *option, const void *source) {
    const void *field = const_field_of(option, source);
    const char *text = fallback_of(option, source);
    switch (option->type) {
    case PS_OPTION_TEXT:
    case PS_OPTION_PATH:
        return strcmp(*(const char *const *)field, text != NULL ? text : "") == 0;
    case PS_OPTION_INT:
        return get_int(option, field) == (text != NULL ? (int)strtol(text, NULL, 10) : PS_UNSET);
    case PS_OPTION_NUMBER:
        return *(const double *)field == (text != NULL ? strtod(text, NULL) : 0.0);
    case PS_OPTION_BOOL:
        return *(const bool *)field == (text != NULL && strcmp(text, "true") == 0);
    case PS_OPTION_WORD:
        return get_int(option, field) ==
               (text != NULL ? word_index(option->words, text) : PS_UNSET);
    case PS_OPTION_TEXTS:
        return ((const PsTextList *)field)->count == 0;
    }
    return false;
}

void ps_option_write(const PsOptionTable *table, const void *source, const char *folder,
                     PsBuf *out) {
    ps_buf_put_u8(out, '{');
    bool first = true;
    for (size_t i = 0; i < table->count; i++) {
        const PsOption *option = &table->options[i];
        const void *field = const_field_of(option, source);
        if (!option->required && ps_option_is_default(option, source)) {
            continue;
        }
        ps_buf_printf(out, "%s", first ? "" : ", ");
        ps_option_write_text(option->key, out);
        ps_buf_printf(out, ": ");
        write_value(option, field, folder, out);
        first = false;
    }
    ps_buf_put_u8(out, '}');
}
