// Words for the audit log. Pure.
#include "api/audit_words.h"

#include "base/buf.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

// What names the object, the first that is there; `scope` before it, when there is one. Objects of
// the configuration have keys of their own for it, and mention others by theirs.
static const struct {
    const char *scope;
    const char *key;
} naming[] = {
    {"device", "name"}, {NULL, "warn_name"},  {"device", "var_name"}, {NULL, "device_name"},
    {NULL, "path"},     {NULL, "group_name"}, {NULL, "user"},         {NULL, "id"},
};
// With their names, as they are in the call.
static const char *const told[] = {"value",     "level", "seconds",    "of",      "confirm_s",
                                   "healthy_s", "role",  "days",       "dry_run", "cascade",
                                   "skip_bad",  "base",  "keep_going", "why"};

static void add_text(PsBuf *out, const char *between, const char *text) {
    ps_buf_printf(out, "%s%.120s", out->len > 0 ? between : "", text);
}

static void add_names(const json_t *from, PsBuf *out) {
    for (size_t i = 0; i < PS_COUNT(naming); i++) {
        const char *name = json_string_value(json_object_get(from, naming[i].key));
        const char *scope = naming[i].scope != NULL
                                ? json_string_value(json_object_get(from, naming[i].scope))
                                : NULL;
        if (name != NULL) {
            add_text(out, "", scope != NULL ? scope : "");
            add_text(out, scope != NULL ? "/" : "", name);
            return;
        }
    }
}

static void finish(const PsBuf *text, char *out, size_t size) {
    ps_text_format(out, size, "%s", text->len > 0 ? (const char *)text->data : "");
}

void ps_audit_object(const json_t *arguments, char *out, size_t size) {
    PS_AUTO_BUF PsBuf text = {0};
    add_names(arguments, &text);
    const json_t *edits = json_object_get(arguments, "edits");
    for (size_t i = 0; i < json_array_size(edits) && i < 4; i++) { // the rest is in the revision
        const json_t *edit = json_array_get(edits, i);
        PS_AUTO_BUF PsBuf one = {0};
        add_names(edit, &one);
        add_names(one.len == 0 ? json_object_get(edit, "value") : NULL, &one);
        const char *block = json_string_value(json_object_get(edit, "block"));
        if (block != NULL) {
            add_text(&text, ", ", block);
            add_text(&text, " ", one.len > 0 ? (const char *)one.data : "");
        }
    }
    if (json_array_size(edits) > 4) {
        ps_buf_printf(&text, " and %zu more", json_array_size(edits) - 4);
    }
    finish(&text, out, size);
}

static void add_member(const char *name, const json_t *value, PsBuf *out) {
    char number[32];
    if (json_is_true(value)) {
        add_text(out, ", ", name);
        return;
    }
    if (json_is_integer(value)) {
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
    } else if (json_is_real(value)) {
        snprintf(number, sizeof number, "%.10g", json_real_value(value));
    }
    const char *text = json_is_number(value) ? number : json_string_value(value);
    if (json_is_false(value) && strcmp(name, "value") == 0) {
        text = "false";
    }
    if (text != NULL && text[0] != '\0') {
        add_text(out, ", ", name);
        add_text(out, " ", text);
    }
}

static void add_answer(const json_t *answer, PsBuf *out) {
    const json_t *revision = json_object_get(answer, "revision");
    const char *result = json_string_value(json_object_get(answer, "result"));
    if (result != NULL) {
        add_text(out, " -> ", result);
    }
    if (json_is_integer(json_object_get(revision, "number"))) {
        const char *summary = json_string_value(json_object_get(revision, "summary"));
        ps_buf_printf(out, "%srevision %lld%s%.200s", out->len > 0 ? ", " : "",
                      (long long)json_integer_value(json_object_get(revision, "number")),
                      summary != NULL ? ": " : "", summary != NULL ? summary : "");
    }
}

void ps_audit_detail(const json_t *arguments, const json_t *answer, char *out, size_t size) {
    PS_AUTO_BUF PsBuf text = {0};
    for (size_t i = 0; i < PS_COUNT(told); i++) {
        add_member(told[i], json_object_get(arguments, told[i]), &text);
    }
    add_answer(answer, &text);
    finish(&text, out, size);
}
