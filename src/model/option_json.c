// Writes structs and option tables as JSON trees. Pure; any thread.
#include "model/option_json.h"

#include "model/config.h"
#include "model/tables.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *short_path(const char *path, const char *folder) {
    size_t len = strlen(folder);
    return strncmp(path, folder, len) == 0 && path[len] == '/' ? path + len + 1 : path;
}

static json_t *texts_json(const PsTextList *list) {
    json_t *json = json_array();
    for (uint32_t i = 0; i < list->count; i++) {
        json_array_append_new(json, json_string(list->items[i]));
    }
    return json;
}

// Without a fraction where it has none: 10, not 10.0.
static json_t *number_json(double number) {
    bool whole = number == floor(number) && fabs(number) < 1e15;
    return whole ? json_integer((json_int_t)number) : json_real(number);
}

static json_t *value_json(const PsOption *option, const void *source, const char *folder) {
    const void *field = (const char *)source + option->offset;
    switch (option->type) {
    case PS_OPTION_TEXT:
        return json_string(*(const char *const *)field);
    case PS_OPTION_PATH:
        return json_string(short_path(*(const char *const *)field, folder));
    case PS_OPTION_INT: {
        int number = ps_option_int(option, source);
        return number == PS_UNSET && option->fallback == NULL ? json_null() : json_integer(number);
    }
    case PS_OPTION_NUMBER:
        return number_json(*(const double *)field);
    case PS_OPTION_BOOL:
        return json_boolean(*(const bool *)field);
    case PS_OPTION_WORD: {
        int index = ps_option_int(option, source);
        bool known = index >= 0 && (size_t)index < option->words->count;
        return known ? json_string(option->words->items[index]) : json_null();
    }
    case PS_OPTION_TEXTS:
        return texts_json(field);
    }
    return json_null();
}

json_t *ps_option_json(const PsOptionTable *table, const void *source, const char *folder) {
    json_t *json = json_object();
    for (size_t i = 0; i < table->count; i++) {
        const PsOption *option = &table->options[i];
        json_object_set_new(json, option->key, value_json(option, source, folder));
    }
    return json;
}

// --- the tables ---------------------------------------------------------------------------------

static const char *type_name(PsOptionType type) {
    static const char *const names[] = {
        [PS_OPTION_TEXT] = "text",     [PS_OPTION_PATH] = "path", [PS_OPTION_INT] = "int",
        [PS_OPTION_NUMBER] = "number", [PS_OPTION_BOOL] = "bool", [PS_OPTION_WORD] = "word",
        [PS_OPTION_TEXTS] = "texts",
    };
    return names[type];
}

static json_t *fallback_json(const PsOption *option) {
    if (option->fallback == NULL) {
        return json_null();
    }
    switch (option->type) {
    case PS_OPTION_INT:
        return json_integer(strtol(option->fallback, NULL, 10));
    case PS_OPTION_NUMBER:
        return number_json(strtod(option->fallback, NULL));
    case PS_OPTION_BOOL:
        return json_boolean(strcmp(option->fallback, "true") == 0);
    default:
        return json_string(option->fallback);
    }
}

static json_t *default_json(const PsOption *option) {
    if (option->fallback != NULL) {
        return fallback_json(option);
    }
    switch (option->type) {
    case PS_OPTION_TEXT:
    case PS_OPTION_PATH:
        return json_string("");
    case PS_OPTION_NUMBER:
        return json_integer(0);
    case PS_OPTION_BOOL:
        return json_false();
    case PS_OPTION_TEXTS:
        return json_array();
    default:
        return json_null();
    }
}

json_t *ps_option_defaults_json(const PsOptionTable *table) {
    json_t *json = json_object();
    for (size_t i = 0; i < table->count; i++) {
        json_object_set_new(json, table->options[i].key, default_json(&table->options[i]));
    }
    return json;
}

static json_t *limit_json(const PsOption *option, double limit) {
    switch (option->type) {
    case PS_OPTION_BOOL:
    case PS_OPTION_WORD:
        return json_null();
    case PS_OPTION_NUMBER:
        return number_json(limit);
    default:
        return json_integer((json_int_t)limit);
    }
}

static json_t *words_json(const PsOption *option) {
    if (option->type != PS_OPTION_WORD) {
        return json_null();
    }
    json_t *json = json_array();
    for (size_t i = 0; i < option->words->count; i++) {
        json_array_append_new(json, json_string(option->words->items[i]));
    }
    return json;
}

// null: it is for all.
static json_t *protocols_json(const PsOption *option) {
    if (option->protocols == 0) {
        return json_null();
    }
    json_t *json = json_array();
    for (int protocol = 0; protocol <= PS_PROTOCOL_SIMULATOR; protocol++) {
        if (ps_option_is_for(option, protocol)) {
            json_array_append_new(json, json_string(ps_protocol_name(protocol)));
        }
    }
    return json;
}

static json_t *option_record(const PsOption *option) {
    return json_pack("{s:s, s:s, s:b, s:s?, s:o, s:o, s:o, s:o, s:s, s:b, s:o}", "key", option->key,
                     "type", type_name(option->type), "required", (int)option->required, "unit",
                     option->unit, "min", limit_json(option, option->min), "max",
                     limit_json(option, option->max), "fallback", fallback_json(option), "words",
                     words_json(option), "help", option->help, "secret", (int)option->secret,
                     "protocols", protocols_json(option));
}

json_t *ps_options_json(void) {
    json_t *blocks = json_array();
    for (size_t i = 0; ps_tables[i] != NULL; i++) {
        const PsOptionTable *table = ps_tables[i];
        json_t *options = json_array();
        for (size_t k = 0; k < table->count; k++) {
            json_array_append_new(options, option_record(&table->options[k]));
        }
        json_array_append_new(blocks, json_pack("{s:s, s:s, s:s?, s:s, s:o}", "block", table->block,
                                                "kind", table->kind, "name_key", table->name_key,
                                                "help", table->help, "options", options));
    }
    return json_pack("{s:o}", "blocks", blocks);
}
