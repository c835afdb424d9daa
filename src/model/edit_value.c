// Loads an object the way the configuration does, to know what is wrong with it, and makes it what
// the file should hold. Pure apart from memory; one thread.
#include "model/edit_value.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "model/config.h"
#include "model/tables.h"

#include <string.h>

#define CUSTOM "custom" // of parameters: the user's own keys, not options

static const char *const parameters_also[] = {CUSTOM, NULL};

static bool has_custom(const PsOptionTable *table) {
    return table == &ps_table_parameters;
}

// An object loaded by its table.
typedef struct Loaded {
    PsArena *arena;
    void *object;
} Loaded;

static Loaded load(const PsOptionTable *table, const json_t *value, const char *label,
                   PsFindings *findings) {
    size_t size = 0;
    for (size_t i = 0; i < table->count; i++) {
        size = table->options[i].offset > size ? table->options[i].offset : size;
    }
    Loaded loaded = {.arena = ps_arena_new(), .object = ps_alloc(size + sizeof(PsTextList))};
    PsOptionContext context = {
        .arena = loaded.arena, .folder = "", .file = PS_CONFIG_FILE, .findings = findings};
    ps_option_load(table, value, label, has_custom(table) ? parameters_also : NULL, &context,
                   loaded.object);
    return loaded;
}

static void unload(Loaded *loaded) {
    ps_arena_free(loaded->arena);
    free(loaded->object);
}

// As it should stand in the file; NULL: it should not.
static json_t *tidy(const PsOption *option, const void *object, json_t *value) {
    if (!option->required && ps_option_is_default(option, object)) {
        return NULL;
    }
    if (option->type == PS_OPTION_WORD) {
        return json_string(option->words->items[ps_option_int(option, object)]);
    }
    return json_incref(value);
}

// The custom parameters of an object; those that are null as they were. NULL: none, or findings.
static json_t *take_custom(const json_t *custom, const json_t *before, const char *label,
                           PsFindings *findings) {
    if (custom == NULL || json_is_null(custom)) {
        return NULL;
    }
    if (!json_is_object(custom)) {
        ps_findings_error(findings, PS_CONFIG_FILE, label, CUSTOM,
                          "must be an object of texts: {\"device_id\": \"1\"}");
        return NULL;
    }
    json_t *taken = json_object();
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)custom, key, value) {
        json_t *text =
            json_is_null(value) ? json_object_get(json_object_get(before, CUSTOM), key) : value;
        if (json_is_string(text)) {
            json_object_set(taken, key, text);
        } else {
            ps_findings_error(findings, PS_CONFIG_FILE, label, key,
                              "must be a text in quotes, as every custom parameter");
        }
    }
    if (json_object_size(taken) == 0) {
        json_decref(taken);
        taken = NULL;
    }
    return taken;
}

// A copy without what is null.
static json_t *drop_nulls(const json_t *value) {
    json_t *copy = json_object();
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)value, key, member) {
        if (!json_is_null(member)) {
            json_object_set(copy, key, member);
        }
    }
    return copy;
}

json_t *ps_edit_value_whole(const PsOptionTable *table, const json_t *value, const json_t *before,
                            const char *label, PsFindings *findings) {
    size_t errors = findings->errors;
    json_t *plain = drop_nulls(value);
    json_t *given = ps_option_unfold(table, plain, label, PS_CONFIG_FILE, findings);
    json_t *whole = json_object();
    Loaded loaded = load(table, given, label, findings);
    for (size_t i = 0; i < table->count && findings->errors == errors; i++) {
        const PsOption *option = &table->options[i];
        json_t *member = json_object_get(given, option->key);
        json_t *kept = member != NULL ? tidy(option, loaded.object, member) : NULL;
        if (kept != NULL) {
            json_object_set_new(whole, option->key, kept);
        }
    }
    json_t *custom = has_custom(table)
                         ? take_custom(json_object_get(given, CUSTOM), before, label, findings)
                         : NULL;
    if (custom != NULL) {
        json_object_set_new(whole, CUSTOM, custom);
    }
    unload(&loaded);
    json_decref(given);
    json_decref(plain);
    if (findings->errors > errors) {
        json_decref(whole);
        return NULL;
    }
    return whole;
}

// Puts the keys of `value` over the object.
static void put_over(json_t *object, const json_t *value) {
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)value, key, member) {
        if (json_is_null(member)) {
            (void)json_object_del(object, key);
        } else {
            json_object_set(object, key, member);
        }
    }
}

// The keys that the value's shorthand stands for in its place, null where they are to go.
static json_t *unfold_change(const PsOptionTable *table, const json_t *value, const json_t *before,
                             const char *label, PsFindings *findings) {
    PsDiag diag = {0};
    json_t *copy = json_copy((json_t *)(uintptr_t)value);
    const PsShorthand *shorthand = table->shorthand;
    if (shorthand == NULL) {
        return copy;
    }
    bool hinted = shorthand->hint != NULL && json_object_get(before, shorthand->hint) != NULL;
    if (ps_shorthand_unfold(shorthand, copy, true, hinted, &diag) != PS_OK) {
        ps_findings_error(findings, PS_CONFIG_FILE, label, diag.field, "%s", diag.text);
        json_object_del(copy, shorthand->key);
    }
    return copy;
}

// What stands there with the keys of `value` over it, as the file should hold it.
static json_t *change(const PsOptionTable *table, const json_t *value, json_t *changed,
                      const char *label, PsFindings *findings) {
    put_over(changed, value);
    size_t errors = findings->errors;
    Loaded loaded = load(table, changed, label, findings);
    for (size_t i = 0; i < table->count && findings->errors == errors; i++) {
        const PsOption *option = &table->options[i];
        json_t *member = json_object_get(value, option->key);
        if (member == NULL || json_is_null(member)) {
            continue;
        }
        json_t *kept = tidy(option, loaded.object, member);
        if (kept != NULL) {
            json_object_set_new(changed, option->key, kept);
        } else {
            (void)json_object_del(changed, option->key);
        }
    }
    unload(&loaded);
    return changed;
}

json_t *ps_edit_value_changed(const PsOptionTable *table, const json_t *value, const json_t *before,
                              const char *label, PsFindings *findings) {
    size_t errors = findings->errors;
    PsFindings ignored = {0}; // what is wrong with it is replaced, or found when it is loaded
    json_t *nothing = json_object();
    json_t *former =
        ps_option_unfold(table, before != NULL ? before : nothing, label, PS_CONFIG_FILE, &ignored);
    json_t *given = unfold_change(table, value, former, label, findings);
    json_t *changed = change(table, given, former, label, findings);
    if (has_custom(table) && json_object_get(value, CUSTOM) != NULL) {
        json_t *custom = take_custom(json_object_get(value, CUSTOM), before, label, findings);
        (void)json_object_del(changed, CUSTOM);
        if (custom != NULL) {
            json_object_set_new(changed, CUSTOM, custom);
        }
    }
    json_decref(given);
    json_decref(nothing);
    ps_findings_deinit(&ignored);
    if (findings->errors > errors) {
        json_decref(changed);
        return NULL;
    }
    return changed;
}
