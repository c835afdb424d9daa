// The references between objects as a table, and the walks over it. Pure; one thread.
#include "model/edit_reference.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/text.h"
#include "model/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMED_MAX 4 // users of one sort

static bool quotes_variable(const json_t *object) {
    return json_integer_value(json_object_get(object, "quotes")) == 1;
}

static bool has_comm_alarm(const json_t *object) {
    return json_is_true(json_object_get(object, "comm_alarm"));
}

static const struct {
    const PsOptionTable *table;
    const char *key;
    PsEditKind kind;
    const char *scope_key;
    bool (*is_one)(const json_t *object); // NULL: always
    bool (*counts)(const json_t *object); // NULL: always
} references[] = {
    {&ps_table_variable, "device", PS_EDIT_DEVICE, NULL, NULL, NULL},
    {&ps_table_variable, "group", PS_EDIT_GROUP, NULL, NULL, NULL},
    {&ps_table_alarm, "device", PS_EDIT_DEVICE, NULL, NULL, NULL},
    {&ps_table_alarm, "group", PS_EDIT_GROUP, NULL, NULL, NULL},
    {&ps_table_alarm, "var_name", PS_EDIT_VARIABLE, "device", quotes_variable, NULL},
    {&ps_table_device, "serial", PS_EDIT_SERIAL, NULL, NULL, NULL},
    {&ps_table_device, "comm_alarm_group", PS_EDIT_GROUP, NULL, NULL, has_comm_alarm},
    {&ps_table_publish, "groups", PS_EDIT_GROUP, NULL, NULL, NULL},
};

void ps_edit_references(const PsOptionTable *table, const json_t *object,
                        PsEditReferenceDo *on_reference, void *ctx) {
    for (size_t i = 0; i < PS_COUNT(references); i++) {
        const json_t *value =
            references[i].table == table ? json_object_get(object, references[i].key) : NULL;
        if (value == NULL || (references[i].is_one != NULL && !references[i].is_one(object))) {
            continue;
        }
        PsEditReference reference = {.kind = references[i].kind,
                                     .key = references[i].key,
                                     .idle = references[i].counts != NULL &&
                                             !references[i].counts(object)};
        const char *scope_key = references[i].scope_key;
        if (scope_key != NULL) {
            reference.scope = json_string_value(json_object_get(object, scope_key));
        }
        size_t count = json_is_array(value) ? json_array_size(value) : 1;
        for (size_t k = 0; k < count; k++) {
            reference.name =
                json_string_value(json_is_array(value) ? json_array_get(value, k) : value);
            bool whole = reference.name != NULL && reference.name[0] != '\0' &&
                         (scope_key == NULL || reference.scope != NULL);
            if (whole) {
                on_reference(&reference, ctx);
            }
        }
    }
}

// --- does it refer to it? -----------------------------------------------------------------------

typedef struct Search {
    const PsEditName *name;
    const char *key; // of the reference that was found; NULL: none
    bool counts;     // one that is no idle one
} Search;

static bool same_text(const char *a, const char *b) {
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void compare(const PsEditReference *reference, void *ctx) {
    Search *search = ctx;
    if (reference->kind == search->name->kind && strcmp(reference->name, search->name->text) == 0 &&
        same_text(reference->scope, search->name->scope)) {
        search->key = reference->key;
        search->counts = search->counts || !reference->idle;
    }
}

static Search look(const PsEditDocument *document, uint32_t item, const json_t *object,
                   uint32_t name) {
    Search search = {.name = &document->names[name]};
    ps_edit_references(document->blocks[document->items[item].block].table, object, compare,
                       &search);
    return search;
}

uint32_t *ps_edit_users(PsEditDocument *document, uint32_t name, uint32_t *ret_count) {
    uint32_t *users = NULL;
    uint32_t count = 0;
    uint32_t mark = ++document->mark;
    for (uint32_t i = document->names[name].uses; i != PS_EDIT_NONE; i = document->uses[i].next) {
        PsEditItem *item = &document->items[document->uses[i].item];
        if (item->gone || item->mark == mark) {
            continue;
        }
        item->mark = mark;
        json_t *object = ps_edit_document_object(document, document->uses[i].item);
        if (look(document, document->uses[i].item, object, name).counts) {
            if ((count & (count - 1)) == 0) {
                users = ps_grow_array(users, count > 0 ? (size_t)count * 2 : 1, sizeof *users);
            }
            users[count++] = document->uses[i].item;
        }
        json_decref(object);
    }
    *ret_count = count;
    return users;
}

// --- following ----------------------------------------------------------------------------------

static void replace_in_list(json_t *list, const char *from, const char *to) {
    bool there = false;
    for (size_t i = json_array_size(list); to != NULL && i > 0; i--) {
        there = there || same_text(json_string_value(json_array_get(list, i - 1)), to);
    }
    for (size_t i = json_array_size(list); i > 0; i--) {
        if (!same_text(json_string_value(json_array_get(list, i - 1)), from)) {
            continue;
        }
        if (to == NULL || there) {
            (void)json_array_remove(list, i - 1);
        } else {
            (void)json_array_set_new(list, i - 1, json_string(to));
        }
    }
}

// Points every reference to `from` of an object at `to`.
static void replace(const PsOptionTable *table, json_t *object, const PsEditName *from,
                    const PsEditName *to) {
    for (size_t i = 0; i < PS_COUNT(references); i++) {
        if (references[i].table != table || references[i].kind != from->kind) {
            continue;
        }
        const char *key = references[i].key;
        const char *scope_key = references[i].scope_key;
        json_t *value = json_object_get(object, key);
        if (json_is_array(value)) {
            replace_in_list(value, from->text, to != NULL ? to->text : NULL);
        } else if (same_text(json_string_value(value), from->text) && to == NULL) {
            (void)json_object_del(object, key);
        } else if (same_text(json_string_value(value), from->text)) {
            (void)json_object_set_new(object, key, json_string(to->text));
            if (scope_key != NULL && to->scope != NULL) {
                (void)json_object_set_new(object, scope_key, json_string(to->scope));
            }
        }
    }
}

void ps_edit_redirect(PsEditDocument *document, uint32_t from, uint32_t to) {
    uint32_t use = document->names[from].uses;
    document->names[from].uses = PS_EDIT_NONE; // nobody is left
    while (use != PS_EDIT_NONE) {
        uint32_t item = document->uses[use].item;
        use = document->uses[use].next;
        document->followed++;
        if (document->items[item].gone) {
            continue;
        }
        json_t *object = ps_edit_document_object(document, item);
        if (look(document, item, object, from).key == NULL) {
            json_decref(object); // not any more
            continue;
        }
        uint32_t block = document->items[item].block;
        json_t *changed = json_deep_copy(object);
        json_decref(object);
        replace(document->blocks[block].table, changed, &document->names[from],
                to != PS_EDIT_NONE ? &document->names[to] : NULL);
        (void)ps_edit_document_put(document, block, item, changed);
    }
}

// --- the check ----------------------------------------------------------------------------------

void ps_edit_label(const PsOptionTable *table, const char *scope, const char *name, char *out,
                   size_t size) {
    if (name == NULL || name[0] == '\0' || table->name_key == NULL) {
        ps_text_format(out, size, "%s", table->name_key != NULL ? table->kind : table->block);
    } else if (scope != NULL) {
        ps_text_format(out, size, "%s '%.50s' of device '%.50s'", table->kind, name, scope);
    } else {
        ps_text_format(out, size, "%s '%.100s'", table->kind, name);
    }
}

static const struct {
    const PsOptionTable *table;
    const char *one;
    const char *many;
} sorts[] = {
    {&ps_table_device, "device", "devices"},
    {&ps_table_variable, "variable", "variables"},
    {&ps_table_alarm, "alarm", "alarms"},
    {&ps_table_publish, "publish message", "publish messages"},
};

static void list_sort(const PsEditDocument *document, size_t sort, const uint32_t *users,
                      uint32_t count, PsBuf *out) {
    uint32_t number = 0;
    PS_AUTO_BUF PsBuf names = {0};
    for (uint32_t i = 0; i < count; i++) {
        const PsEditItem *item = &document->items[users[i]];
        if (document->blocks[item->block].table != sorts[sort].table) {
            continue;
        }
        const char *name = item->name != PS_EDIT_NONE ? document->names[item->name].text : "?";
        if (number < NAMED_MAX) {
            ps_buf_printf(&names, "%s'%.40s'", number > 0 ? ", " : "", name);
        }
        number++;
    }
    if (number > 0) {
        ps_buf_printf(out, "%s%u %s (%s%s)", out->len > 0 ? " and " : "", number,
                      number == 1 ? sorts[sort].one : sorts[sort].many, (const char *)names.data,
                      number > NAMED_MAX ? ", ..." : "");
    }
}

static PsErr check_deleted(PsEditDocument *document, uint32_t number, PsDiag *diag) {
    static const PsOptionTable *const tables[PS_EDIT_KINDS] = {
        [PS_EDIT_DEVICE] = &ps_table_device,   [PS_EDIT_VARIABLE] = &ps_table_variable,
        [PS_EDIT_GROUP] = &ps_table_group,     [PS_EDIT_ALARM] = &ps_table_alarm,
        [PS_EDIT_MESSAGE] = &ps_table_publish, [PS_EDIT_SERIAL] = &ps_table_serial,
    };
    uint32_t count = 0;
    PS_AUTO_FREE uint32_t *users = ps_edit_users(document, number, &count);
    const PsEditName *name = &document->names[number];
    if (count == 0) {
        return PS_OK;
    }
    PS_AUTO_BUF PsBuf list = {0};
    for (size_t i = 0; i < PS_COUNT(sorts); i++) {
        list_sort(document, i, users, count, &list);
    }
    char label[sizeof diag->object];
    ps_edit_label(tables[name->kind], name->scope, name->text, label, sizeof label);
    return ps_fail(PS_ERR_REFUSED, diag, label, NULL,
                   "is used by %.250s; change or delete these first, or delete with \"cascade\"",
                   (const char *)list.data);
}

typedef struct Dangling {
    PsEditDocument *document;
    PsFindings *findings;
    uint32_t item;
} Dangling;

static void check_there(const PsEditReference *reference, void *ctx) {
    static const char *const words[PS_EDIT_KINDS] = {"device", "variable", "group",
                                                     "alarm",  "message",  "serial port"};
    const Dangling *dangling = ctx;
    PsEditDocument *document = dangling->document;
    uint32_t number =
        ps_edit_document_name(document, reference->kind, reference->scope, reference->name);
    const PsEditName *name = &document->names[number];
    if (reference->idle || name->predefined || name->item != PS_EDIT_NONE) {
        return;
    }
    const PsEditItem *item = &document->items[dangling->item];
    const PsEditName *own = item->name != PS_EDIT_NONE ? &document->names[item->name] : NULL;
    char label[128];
    ps_edit_label(document->blocks[item->block].table, own != NULL ? own->scope : NULL,
                  own != NULL ? own->text : NULL, label, sizeof label);
    if (reference->scope != NULL) {
        ps_findings_error(dangling->findings, PS_CONFIG_FILE, label, reference->key,
                          "device '%.100s' has no variable '%.100s'; add it, or correct the name",
                          reference->scope, reference->name);
    } else {
        ps_findings_error(dangling->findings, PS_CONFIG_FILE, label, reference->key,
                          "there is no %s '%.100s'; add it, or correct the name",
                          words[reference->kind], reference->name);
    }
}

PsErr ps_edit_check_references(PsEditDocument *document, PsFindings *findings, PsDiag *diag) {
    for (uint32_t i = 0; i < document->name_count; i++) {
        const PsEditName *name = &document->names[i];
        PsErr err =
            name->deleted && name->item == PS_EDIT_NONE ? check_deleted(document, i, diag) : PS_OK;
        if (err != PS_OK) {
            return err;
        }
    }
    for (uint32_t i = 0; i < document->item_count; i++) {
        const PsEditItem *item = &document->items[i];
        if (item->json != NULL && !item->gone) {
            Dangling dangling = {document, findings, i};
            ps_edit_references(document->blocks[item->block].table, item->json, check_there,
                               &dangling);
        }
    }
    return findings->errors == 0 ? PS_OK : PS_ERR_INVALID;
}
