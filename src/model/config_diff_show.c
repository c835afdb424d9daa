// The difference of two configurations in words and as JSON. Pure.
#include "model/config_diff.h"
#include "model/tables.h"

#include <string.h>

#define VALUE_SHOWN 60 // bytes of a value in a line for people

typedef struct Noun {
    const PsOptionTable *table;
    const char *one;
    const char *many;
} Noun;

static const Noun nouns[] = {
    {&ps_table_device, "device", "devices"},
    {&ps_table_variable, "variable", "variables"},
    {&ps_table_group, "group", "groups"},
    {&ps_table_alarm, "alarm", "alarms"},
    {&ps_table_cloud, "cloud", NULL},
    {&ps_table_publish, "publish message", "publish messages"},
    {&ps_table_subscribe, "subscribe message", "subscribe messages"},
    {&ps_table_parameters, "parameters", NULL},
    {&ps_table_web, "web server", NULL},
    {&ps_table_serial, "serial port", "serial ports"},
};

static const char *const verbs[] = {"added", "removed", "changed"};

static const char *word_of(const PsChange *change) {
    for (size_t i = 0; i < PS_COUNT(nouns); i++) {
        if (nouns[i].table == change->table) {
            return nouns[i].one;
        }
    }
    return change->table->kind;
}

static void put_text(PsBuf *out, const char *text) {
    ps_buf_put(out, text, strlen(text));
}

// --- the summary --------------------------------------------------------------------------------

static bool only_script(const PsChange *change) {
    return change->script != NULL && change->option_count == 0 && change->name_then == NULL;
}

static void put_count(PsBuf *out, uint32_t count, const char *one, const char *many,
                      const char *verb) {
    if (count == 0) {
        return;
    }
    put_text(out, out->len > 0 && out->data[out->len - 1] != '\n' ? ", " : "");
    if (many == NULL) {
        ps_buf_printf(out, "%s %s", one, verb);
    } else {
        ps_buf_printf(out, "%u %s %s", count, count == 1 ? one : many, verb);
    }
}

// A file that several messages have counts once.
static uint32_t count_scripts(const PsConfigDiff *diff) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < diff->count; i++) {
        const char *script = diff->changes[i].script;
        bool seen = script == NULL;
        for (uint32_t k = 0; k < i && !seen; k++) {
            seen = diff->changes[k].script != NULL && strcmp(diff->changes[k].script, script) == 0;
        }
        count += !seen;
    }
    return count;
}

void ps_config_diff_summary(const PsConfigDiff *diff, PsBuf *out) {
    PS_AUTO_BUF PsBuf line = {0};
    for (size_t i = 0; i < PS_COUNT(nouns); i++) {
        uint32_t counts[PS_COUNT(verbs)] = {0};
        uint32_t renamed = 0;
        for (uint32_t k = 0; k < diff->count; k++) {
            const PsChange *change = &diff->changes[k];
            if (change->table == nouns[i].table && !only_script(change)) {
                bool only_name = change->name_then != NULL && change->option_count == 0;
                renamed += only_name;
                counts[change->kind] += !only_name;
            }
        }
        for (size_t verb = 0; verb < PS_COUNT(verbs); verb++) {
            put_count(&line, counts[verb], nouns[i].one, nouns[i].many, verbs[verb]);
        }
        put_count(&line, renamed, nouns[i].one, nouns[i].many, "renamed");
    }
    put_count(&line, count_scripts(diff), "script", "scripts", "changed");
    put_text(out, line.len > 0 ? (const char *)line.data : "nothing changed");
}

// --- line by line -------------------------------------------------------------------------------

static void put_value(PsBuf *out, const char *value) {
    size_t len = strlen(value);
    size_t shown = len < VALUE_SHOWN ? len : VALUE_SHOWN;
    while (shown > 0 && shown < len && (value[shown] & 0xc0) == 0x80) {
        shown--; // not within a character
    }
    bool quoted = len == 0 || strpbrk(value, " ,") != NULL;
    ps_buf_printf(out, "%s%.*s%s%s", quoted ? "'" : "", (int)shown, value, shown < len ? "..." : "",
                  quoted ? "'" : "");
}

static void put_option(PsBuf *out, const PsOptionChange *option) {
    put_text(out, option->key);
    if (option->before == NULL) {
        put_text(out, " changed (not shown)");
        return;
    }
    put_text(out, " ");
    put_value(out, option->before);
    put_text(out, " -> ");
    put_value(out, option->after);
}

static void put_line(PsBuf *out, const PsChange *change) {
    put_text(out, word_of(change));
    if (change->name != NULL) {
        ps_buf_printf(out, " '%s'", change->name);
    }
    if (change->of != NULL) {
        ps_buf_printf(out, " of '%s'", change->of);
    }
    put_text(out, ": ");
    if (change->kind != PS_CHANGE_CHANGED) {
        put_text(out, verbs[change->kind]);
        return;
    }
    const char *between = "";
    if (change->name_then != NULL) {
        ps_buf_printf(out, "renamed from '%s'", change->name_then);
        between = ", ";
    }
    for (uint32_t i = 0; i < change->option_count; i++, between = ", ") {
        put_text(out, between);
        put_option(out, &change->options[i]);
    }
    if (change->script != NULL) {
        ps_buf_printf(out, "%sscript text changed (+%u -%u lines)", between, change->lines_added,
                      change->lines_removed);
    }
}

static uint32_t shown_of(const PsConfigDiff *diff, uint32_t most) {
    return diff->count < most ? diff->count : most;
}

void ps_config_diff_write(const PsConfigDiff *diff, uint32_t most, PsBuf *out) {
    uint32_t shown = shown_of(diff, most);
    for (uint32_t i = 0; i < shown; i++) {
        put_line(out, &diff->changes[i]);
        put_text(out, "\n");
    }
    if (shown < diff->count) {
        ps_buf_printf(out, "... and %u changes more\n", diff->count - shown);
    }
}

// --- JSON ---------------------------------------------------------------------------------------

static void set_text(json_t *json, const char *key, const char *text) {
    if (text != NULL) {
        json_object_set_new(json, key, json_string(text));
    }
}

static json_t *change_json(const PsChange *change) {
    PS_AUTO_BUF PsBuf line = {0};
    put_line(&line, change);
    json_t *json = json_pack("{s:s, s:s, s:s}", "what", verbs[change->kind], "kind",
                             word_of(change), "text", (const char *)line.data);
    set_text(json, "name", change->name);
    set_text(json, "of", change->of);
    set_text(json, "name_then", change->name_then);
    if (change->kind == PS_CHANGE_CHANGED) {
        json_t *options = json_array();
        for (uint32_t i = 0; i < change->option_count; i++) {
            json_t *option = json_pack("{s:s}", "key", change->options[i].key);
            set_text(option, "before", change->options[i].before);
            set_text(option, "after", change->options[i].after);
            json_array_append_new(options, option);
        }
        json_object_set_new(json, "options", options);
    }
    if (change->script != NULL) {
        json_object_set_new(json, "script",
                            json_pack("{s:s, s:I, s:I}", "path", change->script, "added",
                                      (json_int_t)change->lines_added, "removed",
                                      (json_int_t)change->lines_removed));
    }
    return json;
}

json_t *ps_config_diff_json(const PsConfigDiff *diff, uint32_t most) {
    PS_AUTO_BUF PsBuf summary = {0};
    ps_config_diff_summary(diff, &summary);
    uint32_t shown = shown_of(diff, most);
    json_t *changes = json_array();
    for (uint32_t i = 0; i < shown; i++) {
        json_array_append_new(changes, change_json(&diff->changes[i]));
    }
    return json_pack("{s:s, s:o, s:I}", "summary", (const char *)summary.data, "changes", changes,
                     "left_out", (json_int_t)(diff->count - shown));
}
