// Reads the edits one by one and applies them to the document; what hangs together is checked when
// all are done. Pure; one thread.
#include "model/edit.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/text.h"
#include "model/config.h"
#include "model/edit_file.h"
#include "model/edit_reference.h"
#include "model/edit_value.h"

#include <stdlib.h>
#include <string.h>

typedef struct Editor {
    PsEditDocument document;
    PsFindings *findings;
    PsDiag *diag;
    PsEdited files; // json is written at the end
} Editor;

/// What one edit is about.
typedef struct Target {
    uint32_t block;
    const PsOptionTable *table;
    PsEditKind kind;
    const char *scope; // device of a variable
    const char *name;  // NULL: a new object, or a block that is one object
    uint32_t item;     // PS_EDIT_NONE: new
    bool cascade;
    const json_t *value;
    char label[128];
} Target;

// --- what an edit is about ----------------------------------------------------------------------

static PsErr check_keys(const Editor *editor, const json_t *edit) {
    static const char *const known[] = {"op",    "block",   "name", "device",
                                        "value", "cascade", "path", "text"};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)edit, key, value) {
        bool found = false;
        for (size_t i = 0; i < PS_COUNT(known); i++) {
            found = found || strcmp(key, known[i]) == 0;
        }
        if (!found) {
            return ps_fail(PS_ERR_INVALID, editor->diag, "edit", key,
                           "is not known; an edit has op, block, name, device, value, cascade, or "
                           "path and text");
        }
    }
    return PS_OK;
}

static PsErr find_block(const Editor *editor, const json_t *edit, Target *target) {
    const char *name = json_string_value(json_object_get(edit, "block"));
    target->block = name != NULL ? ps_edit_document_block(&editor->document, name) : PS_EDIT_NONE;
    if (target->block == PS_EDIT_NONE) {
        PS_AUTO_BUF PsBuf list = {0};
        for (uint32_t i = 0; i < editor->document.block_count; i++) {
            ps_buf_printf(&list, "%s%s", i > 0 ? ", " : "",
                          editor->document.blocks[i].table->block);
        }
        return ps_fail(PS_ERR_INVALID, editor->diag, "edit", "block", "must be one of: %.200s",
                       (const char *)list.data);
    }
    const PsEditBlock *block = &editor->document.blocks[target->block];
    target->table = block->table;
    target->kind = ps_edit_kind_of(block->table);
    if (block->text != NULL && block->is_list != (block->table->name_key != NULL)) {
        return ps_fail(PS_ERR_INVALID, editor->diag, block->table->block, NULL,
                       "is not what it should be in %s: correct it there first", PS_CONFIG_FILE);
    }
    return PS_OK;
}

static PsErr read_text(const Editor *editor, const json_t *edit, const char *key,
                       const char **ret_text) {
    const json_t *value = json_object_get(edit, key);
    *ret_text = json_string_value(value);
    return value == NULL || json_is_null(value) || *ret_text != NULL
               ? PS_OK
               : ps_fail(PS_ERR_INVALID, editor->diag, "edit", key, "must be a text in quotes");
}

static bool is_predefined(const Editor *editor, const Target *target, const char *name) {
    uint32_t number = ps_map_find(&editor->document.maps[target->kind], NULL, name);
    return target->kind == PS_EDIT_GROUP && number != PS_MAP_NONE &&
           editor->document.names[number].predefined;
}

// The object of the edit's name.
static PsErr find_item(const Editor *editor, Target *target) {
    target->item =
        ps_edit_document_find(&editor->document, target->kind, target->scope, target->name);
    const PsEditItem *item =
        target->item != PS_EDIT_NONE ? &editor->document.items[target->item] : NULL;
    if (item != NULL && item->block == target->block) { // publish and subscribe share their names
        return PS_OK;
    }
    target->item = PS_EDIT_NONE;
    if (is_predefined(editor, target, target->name)) {
        return PS_OK;
    }
    return ps_fail(PS_ERR_NOT_FOUND, editor->diag, target->label, NULL,
                   "is not there (any more); load the list anew");
}

static PsErr read_target(const Editor *editor, const json_t *edit, Target *target) {
    *target = (Target){.item = PS_EDIT_NONE};
    PsErr err = find_block(editor, edit, target);
    err = err == PS_OK ? read_text(editor, edit, "name", &target->name) : err;
    err = err == PS_OK ? read_text(editor, edit, "device", &target->scope) : err;
    if (err != PS_OK) {
        return err;
    }
    bool is_list = target->table->name_key != NULL;
    bool scoped = ps_edit_scope_key(target->table) != NULL;
    target->cascade = json_is_true(json_object_get(edit, "cascade"));
    target->value = json_object_get(edit, "value");
    ps_edit_label(target->table, scoped ? target->scope : NULL, target->name, target->label,
                  sizeof target->label);
    if (!is_list && target->name != NULL) {
        return ps_fail(PS_ERR_INVALID, editor->diag, target->label, "name",
                       "there is only one; leave it out");
    }
    if (scoped != (target->scope != NULL) && (target->scope != NULL || target->name != NULL)) {
        return ps_fail(PS_ERR_INVALID, editor->diag, target->label, "device",
                       scoped ? "is missing: the device of the variable"
                              : "is for variables; leave it out");
    }
    return is_list && target->name != NULL ? find_item(editor, target) : PS_OK;
}

static PsErr need_value(const Editor *editor, const Target *target) {
    return json_is_object(target->value)
               ? PS_OK
               : ps_fail(PS_ERR_INVALID, editor->diag, target->label, "value",
                         "must be an object with the keys of %s", target->table->block);
}

static PsErr need_name(const Editor *editor, const Target *target) {
    return target->table->name_key == NULL || target->name != NULL
               ? PS_OK
               : ps_fail(PS_ERR_INVALID, editor->diag, target->label, "name",
                         "is missing: which %s", target->table->kind);
}

// --- put and set --------------------------------------------------------------------------------

static const char *text_of(const json_t *object, const char *key) {
    return key != NULL ? json_string_value(json_object_get(object, key)) : NULL;
}

// What identifies the object may be left out of its value.
static json_t *complete(const Target *target, const json_t *value) {
    json_t *whole = json_copy((json_t *)(uintptr_t)value);
    const char *name_key = target->table->name_key;
    const char *scope_key = ps_edit_scope_key(target->table);
    if (name_key != NULL && target->name != NULL && json_object_get(whole, name_key) == NULL) {
        json_object_set_new(whole, name_key, json_string(target->name));
    }
    if (scope_key != NULL && target->scope != NULL && json_object_get(whole, scope_key) == NULL) {
        json_object_set_new(whole, scope_key, json_string(target->scope));
    }
    return whole;
}

// May the object have the name that it asks for?
static PsErr check_name(const Editor *editor, const Target *target, const json_t *object) {
    const char *name = text_of(object, target->table->name_key);
    const char *scope = text_of(object, ps_edit_scope_key(target->table));
    PS_ASSERT(name != NULL); // the table requires it
    bool renamed = target->name != NULL && strcmp(name, target->name) != 0;
    if (renamed && is_predefined(editor, target, target->name)) {
        return ps_fail(PS_ERR_REFUSED, editor->diag, target->label, target->table->name_key,
                       "is predefined and keeps its name; add a group of the other name");
    }
    uint32_t item = ps_edit_document_find(&editor->document, target->kind, scope, name);
    bool taken = item != PS_EDIT_NONE
                     ? item != target->item
                     : is_predefined(editor, target, name) && (target->name == NULL || renamed);
    if (!taken) {
        return PS_OK;
    }
    char label[128];
    ps_edit_label(target->table, scope, name, label, sizeof label);
    return ps_fail(PS_ERR_EXISTS, editor->diag, label, target->table->name_key,
                   "is there already; choose another name, or change that one");
}

static void put_object(Editor *editor, const Target *target, json_t *object) {
    PsEditDocument *document = &editor->document;
    uint32_t before =
        target->item != PS_EDIT_NONE ? document->items[target->item].name : PS_EDIT_NONE;
    uint32_t item = ps_edit_document_put(document, target->block, target->item, object);
    uint32_t after = document->items[item].name;
    if (before != PS_EDIT_NONE && after != before) {
        ps_edit_redirect(document, before, after);
    }
}

// The object as the edit wants it; NULL after findings.
static json_t *wanted(const Editor *editor, const Target *target, const json_t *before,
                      bool whole) {
    if (!whole) {
        return ps_edit_value_changed(target->table, target->value, before, target->label,
                                     editor->findings);
    }
    json_t *value = complete(target, target->value);
    char label[128];
    const char *scope_key = ps_edit_scope_key(target->table);
    ps_edit_label(target->table, text_of(value, scope_key), text_of(value, target->table->name_key),
                  label, sizeof label);
    json_t *object = ps_edit_value_whole(target->table, value, before, label, editor->findings);
    json_decref(value);
    return object;
}

static bool says_the_same(const Target *target, const json_t *before, const json_t *after) {
    PsFindings none = {0};
    json_t *a = ps_edit_value_whole(target->table, before, before, "", &none);
    json_t *b = ps_edit_value_whole(target->table, after, after, "", &none);
    bool same = a != NULL && b != NULL && json_equal(a, b);
    json_decref(a);
    json_decref(b);
    ps_findings_deinit(&none);
    return same;
}

static json_t *object_before(const Editor *editor, const Target *target) {
    if (target->table->name_key == NULL) {
        return ps_edit_document_single(&editor->document, target->block);
    }
    if (target->item != PS_EDIT_NONE) {
        return ps_edit_document_object(&editor->document, target->item);
    }
    if (target->name == NULL) {
        return NULL;
    }
    // A predefined group that the file does not have.
    const char *type = strcmp(target->name, "warning") == 0 ? "alarm" : "collect";
    return json_pack("{s:s, s:s}", "group_name", target->name, "group_type", type);
}

static PsErr put(Editor *editor, Target *target, bool whole) {
    PsErr err = need_value(editor, target);
    if (err != PS_OK) {
        return err;
    }
    json_t *before = object_before(editor, target);
    json_t *after = wanted(editor, target, before, whole);
    bool same = after != NULL && before != NULL && says_the_same(target, before, after);
    if (after != NULL && !same) {
        bool is_list = target->table->name_key != NULL;
        err = is_list ? check_name(editor, target, after) : PS_OK;
        if (err == PS_OK && is_list) {
            put_object(editor, target, json_incref(after));
        } else if (err == PS_OK) {
            ps_edit_document_set_single(&editor->document, target->block, json_incref(after));
        }
    }
    json_decref(before);
    json_decref(after);
    return err;
}

static PsErr do_put(Editor *editor, Target *target) {
    return put(editor, target, true);
}

static PsErr do_set(Editor *editor, Target *target) {
    PsErr err = need_name(editor, target);
    return err == PS_OK ? put(editor, target, false) : err;
}

// --- delete -------------------------------------------------------------------------------------

// Objects that are to go.
typedef struct Doomed {
    uint32_t *items;
    uint32_t count;
} Doomed;

static void doom(Doomed *doomed, uint32_t item) {
    if ((doomed->count & (doomed->count - 1)) == 0) {
        doomed->items = ps_grow_array(doomed->items, doomed->count > 0 ? doomed->count * 2UL : 1,
                                      sizeof *doomed->items);
    }
    doomed->items[doomed->count++] = item;
}

// A message without groups would never be sent: that is for a person to decide.
static PsErr check_last_group(const Editor *editor, const uint32_t *users, uint32_t count,
                              const char *group) {
    for (uint32_t i = 0; i < count; i++) {
        const PsEditItem *item = &editor->document.items[users[i]];
        json_t *object = ps_edit_document_object(&editor->document, users[i]);
        bool last = editor->document.blocks[item->block].table == &ps_table_publish &&
                    json_array_size(json_object_get(object, "groups")) == 1;
        json_decref(object);
        if (last) {
            const char *name =
                item->name != PS_EDIT_NONE ? editor->document.names[item->name].text : "?";
            char label[128];
            ps_edit_label(&ps_table_group, NULL, group, label, sizeof label);
            return ps_fail(PS_ERR_REFUSED, editor->diag, label, NULL,
                           "is the only group of the message '%.100s'; give that another group or "
                           "delete it first",
                           name);
        }
    }
    return PS_OK;
}

// What uses the object goes with it; what only belongs to a group stays, in the predefined one.
static PsErr cascade(Editor *editor, uint32_t name, Doomed *doomed) {
    PsEditDocument *document = &editor->document;
    uint32_t count = 0;
    PS_AUTO_FREE uint32_t *users = ps_edit_users(document, name, &count);
    if (document->names[name].kind == PS_EDIT_GROUP) {
        PsErr err = check_last_group(editor, users, count, document->names[name].text);
        if (err == PS_OK) {
            ps_edit_redirect(document, name, PS_EDIT_NONE);
        }
        return err;
    }
    for (uint32_t i = 0; i < count; i++) {
        doom(doomed, users[i]);
    }
    return PS_OK;
}

static PsErr delete_items(Editor *editor, Doomed *doomed, bool cascades) {
    PsErr err = PS_OK;
    for (uint32_t i = 0; err == PS_OK && i < doomed->count; i++) {
        PsEditItem *item = &editor->document.items[doomed->items[i]];
        if (item->gone) {
            continue;
        }
        uint32_t name = item->name;
        ps_edit_document_remove(&editor->document, doomed->items[i]);
        if (name != PS_EDIT_NONE) {
            editor->document.names[name].deleted = true;
            err = cascades ? cascade(editor, name, doomed) : PS_OK;
        }
    }
    return err;
}

static PsErr do_delete(Editor *editor, Target *target) {
    PsErr err = need_name(editor, target);
    if (err != PS_OK) {
        return err;
    }
    if (target->table->name_key == NULL) {
        ps_edit_document_set_single(&editor->document, target->block, NULL);
        return PS_OK;
    }
    if (is_predefined(editor, target, target->name)) {
        return ps_fail(PS_ERR_REFUSED, editor->diag, target->label, NULL,
                       "is predefined and always there");
    }
    Doomed doomed = {0};
    doom(&doomed, target->item);
    err = delete_items(editor, &doomed, target->cascade);
    free(doomed.items);
    return err;
}

// --- all of them --------------------------------------------------------------------------------

static PsErr apply_one(Editor *editor, const json_t *edit) {
    static const struct {
        const char *op;
        PsErr (*apply)(Editor *editor, Target *target);
    } ops[] = {{"put", do_put}, {"set", do_set}, {"delete", do_delete}};
    const char *op = json_string_value(json_object_get(edit, "op"));
    PsErr err = check_keys(editor, edit);
    if (err != PS_OK) {
        return err;
    }
    if (op != NULL && strcmp(op, "file") == 0) {
        return ps_edit_file_take(&editor->files, edit, editor->diag);
    }
    for (size_t i = 0; op != NULL && i < PS_COUNT(ops); i++) {
        if (strcmp(op, ops[i].op) == 0) {
            Target target;
            err = read_target(editor, edit, &target);
            return err == PS_OK ? ops[i].apply(editor, &target) : err;
        }
    }
    return ps_fail(PS_ERR_INVALID, editor->diag, "edit", "op", "must be put, set, delete or file");
}

static PsErr apply_all(Editor *editor, const json_t *edits) {
    size_t index;
    json_t *edit;
    json_array_foreach(edits, index, edit) {
        PsErr err = apply_one(editor, edit);
        if (err == PS_OK && editor->document.followed > PS_EDIT_FOLLOWED_MAX) {
            return ps_fail(PS_ERR_TOO_BIG, editor->diag, "edits", NULL,
                           "rename what more than %d references follow; send them in several goes",
                           PS_EDIT_FOLLOWED_MAX);
        }
        if (err != PS_OK) {
            // It may be for what an edit before it was refused for.
            return editor->findings->errors > 0 ? PS_ERR_INVALID : err;
        }
    }
    if (editor->findings->errors > 0) {
        return PS_ERR_INVALID;
    }
    PsErr err = ps_edit_check_references(&editor->document, editor->findings, editor->diag);
    return err == PS_OK ? ps_edit_file_check(&editor->document, &editor->files, editor->diag) : err;
}

PsErr ps_edit_apply(const void *json, size_t len, const json_t *edits, PsFindings *findings,
                    PsEdited *ret_edited, PsDiag *diag) {
    if (!json_is_array(edits) || json_array_size(edits) > PS_EDITS_MAX) {
        return ps_fail(json_is_array(edits) ? PS_ERR_TOO_BIG : PS_ERR_INVALID, diag, "edits", NULL,
                       "must be a list of at most %d edits", PS_EDITS_MAX);
    }
    Editor editor = {.findings = findings, .diag = diag};
    if (!ps_edit_document_read(&editor.document, json, len, findings)) {
        return PS_ERR_INVALID;
    }
    PsErr err = apply_all(&editor, edits);
    if (err == PS_OK && editor.document.touched) {
        ps_buf_reserve(&editor.files.json, len + len / 16);
        ps_edit_document_write(&editor.document, &editor.files.json);
    } else if (err == PS_OK) {
        ps_buf_put(&editor.files.json, json, len);
    }
    ps_edit_document_deinit(&editor.document);
    if (err != PS_OK) {
        ps_edited_deinit(&editor.files);
        return err;
    }
    *ret_edited = editor.files;
    return PS_OK;
}
