// JSON Schema and reference page from the option tables. Pure; any thread.
#include "model/schema.h"

#include "model/config.h"
#include "model/tables.h"

#include <stdio.h>
#include <string.h>

static const char *type_word(PsOptionType type) {
    static const char *const names[] = {
        [PS_OPTION_TEXT] = "string",   [PS_OPTION_PATH] = "string",  [PS_OPTION_INT] = "integer",
        [PS_OPTION_NUMBER] = "number", [PS_OPTION_BOOL] = "boolean", [PS_OPTION_WORD] = "string",
        [PS_OPTION_TEXTS] = "array",
    };
    return names[type];
}

static bool is_text(const PsOption *option) {
    return option->type == PS_OPTION_TEXT || option->type == PS_OPTION_PATH ||
           option->type == PS_OPTION_WORD;
}

static void write_property(const PsOption *option, PsBuf *out) {
    ps_option_write_text(option->key, out);
    ps_buf_printf(out, ": {\"type\": \"%s\"", type_word(option->type));
    if (option->type == PS_OPTION_WORD) {
        ps_buf_printf(out, ", \"enum\": [");
        for (size_t i = 0; i < option->words->count; i++) {
            ps_buf_printf(out, "%s\"%s\"", i > 0 ? ", " : "", option->words->items[i]);
        }
        ps_buf_printf(out, "]");
    } else if (is_text(option)) {
        ps_buf_printf(out, ", \"minLength\": %g, \"maxLength\": %g", option->min, option->max);
    } else if (option->type == PS_OPTION_TEXTS) {
        ps_buf_printf(out, ", \"items\": {\"type\": \"string\"}, \"minItems\": %g", option->min);
    } else if (option->type != PS_OPTION_BOOL) {
        ps_buf_printf(out, ", \"minimum\": %.15g, \"maximum\": %.15g", option->min, option->max);
    }
    if (option->fallback != NULL) {
        const char *quote = is_text(option) ? "\"" : "";
        ps_buf_printf(out, ", \"default\": %s%s%s", quote, option->fallback, quote);
    }
    ps_buf_printf(out, ", \"description\": ");
    ps_option_write_text(option->help, out);
    ps_buf_printf(out, "}");
}

static void write_object(const PsOptionTable *table, const char *indent, PsBuf *out) {
    ps_buf_printf(out, "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {");
    for (size_t i = 0; i < table->count; i++) {
        ps_buf_printf(out, "%s\n%s  ", i > 0 ? "," : "", indent);
        write_property(&table->options[i], out);
    }
    if (table->shorthand != NULL) {
        ps_buf_printf(out, ",\n%s  ", indent);
        ps_option_write_text(table->shorthand->key, out);
        ps_buf_printf(out, ": {\"type\": \"string\", \"description\": ");
        ps_option_write_text(table->shorthand->help, out);
        ps_buf_printf(out, "}");
    }
    if (table == &ps_table_parameters) {
        ps_buf_printf(out,
                      ",\n%s  \"custom\": {\"type\": \"object\", \"additionalProperties\": "
                      "{\"type\": \"string\"}}",
                      indent);
    }
    ps_buf_printf(out, "\n%s}", indent);
    bool first = true;
    for (size_t i = 0; i < table->count; i++) {
        if (table->options[i].required) {
            ps_buf_printf(out, "%s\"%s\"", first ? ", \"required\": [" : ", ",
                          table->options[i].key);
            first = false;
        }
    }
    ps_buf_printf(out, "%s}", first ? "" : "]");
}

void ps_schema_write_json(PsBuf *out) {
    ps_buf_printf(out,
                  "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
                  "  \"title\": \"penstock.json\",\n  \"type\": \"object\",\n"
                  "  \"additionalProperties\": false,\n  \"required\": [\"version\"],\n"
                  "  \"properties\": {\n    \"version\": {\"const\": %d}",
                  PS_CONFIG_VERSION);
    for (const PsOptionTable *const *at = ps_tables; *at != NULL; at++) {
        const PsOptionTable *table = *at;
        bool list = table->name_key != NULL;
        ps_buf_printf(out, ",\n    \"%s\": ", table->block);
        ps_buf_printf(out, "%s", list ? "{\"type\": \"array\", \"items\": " : "");
        write_object(table, "    ", out);
        ps_buf_printf(out, "%s", list ? "}" : "");
    }
    ps_buf_printf(out, "\n  }\n}\n");
}

static void describe_range(const PsOption *option, char *text, size_t size) {
    const char *unit = option->unit != NULL ? option->unit : "";
    const char *gap = option->unit != NULL ? " " : "";
    if (option->type == PS_OPTION_INT || option->type == PS_OPTION_NUMBER) {
        snprintf(text, size, "%.15g to %.15g%s%s", option->min, option->max, gap, unit);
    } else if (option->type == PS_OPTION_TEXT || option->type == PS_OPTION_PATH) {
        snprintf(text, size, "%s, at most %.15g %s",
                 option->type == PS_OPTION_PATH ? "file" : "text", option->max,
                 option->unit != NULL ? unit : "characters");
    } else {
        snprintf(text, size, "%s",
                 option->type == PS_OPTION_BOOL ? "true, false" : "list of names");
    }
}

static void write_row(const PsOption *option, PsBuf *out) {
    ps_buf_printf(out, "| `%s` | ", option->key);
    if (option->type == PS_OPTION_WORD) {
        for (size_t i = 0; i < option->words->count; i++) {
            ps_buf_printf(out, "%s`%s`", i > 0 ? ", " : "", option->words->items[i]);
        }
    } else {
        char range[128];
        describe_range(option, range, sizeof range);
        ps_buf_printf(out, "%s", range);
    }
    if (option->required) {
        ps_buf_printf(out, " | required");
    } else if (option->fallback != NULL) {
        ps_buf_printf(out, " | `%s`", option->fallback);
    } else {
        ps_buf_printf(out, " | -");
    }
    ps_buf_printf(out, " | %s |\n", option->help);
}

void ps_schema_write_markdown(PsBuf *out) {
    ps_buf_printf(
        out,
        "# penstock.json\n\n"
        "Every key of the configuration file. This page is made from the option tables "
        "(`penstock schema --markdown`);\ndo not edit it by hand.\n\n"
        "The file is one JSON object with `\"version\": %d` and the blocks below. A block "
        "or key that is left out has\nits default. Unknown keys are errors.\n",
        PS_CONFIG_VERSION);
    for (const PsOptionTable *const *at = ps_tables; *at != NULL; at++) {
        const PsOptionTable *table = *at;
        ps_buf_printf(out,
                      "\n## %s\n\n%s%s\n\n| key | values | default | meaning |\n"
                      "|---|---|---|---|\n",
                      table->block, table->help,
                      table->name_key != NULL ? " A list of objects." : " One object.");
        for (size_t i = 0; i < table->count; i++) {
            write_row(&table->options[i], out);
        }
        if (table->shorthand != NULL) {
            ps_buf_printf(out, "| `%s` | text | - | %s |\n", table->shorthand->key,
                          table->shorthand->help);
        }
        if (table == &ps_table_parameters) {
            ps_buf_printf(out, "| `custom` | object of texts | - | Your own parameters. |\n");
        }
    }
}
