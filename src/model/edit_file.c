// Files among the edits: which paths they may have, and whether a message uses them. Pure; one
// thread.
#include "model/edit_file.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "model/config.h"

#include <stdlib.h>
#include <string.h>

#define PATH_BYTES_MAX 200
#define FILES_MAX 1000

void ps_edited_deinit(PsEdited *edited) {
    for (size_t i = 0; i < edited->file_count; i++) {
        free(edited->files[i].path);
        free(edited->files[i].text);
    }
    free(edited->files);
    ps_buf_deinit(&edited->json);
    *edited = (PsEdited){0};
}

// Below the configuration folder, nothing hidden, a Python file: never a key, never penstock.json.
bool ps_edit_is_script_path(const char *path) {
    size_t len = strlen(path);
    if (len < 4 || len > PATH_BYTES_MAX || strcmp(path + len - 3, ".py") != 0) {
        return false;
    }
    bool begins = true; // a part of the path
    for (const char *at = path; *at != '\0'; at++) {
        if ((begins && (*at == '.' || *at == '/')) || (unsigned char)*at < 0x20 || *at == '\\') {
            return false;
        }
        begins = *at == '/';
    }
    return true;
}

static PsEditFile *place_for(PsEdited *edited, const char *path) {
    for (size_t i = 0; i < edited->file_count; i++) {
        if (strcmp(edited->files[i].path, path) == 0) {
            return &edited->files[i];
        }
    }
    edited->files = ps_grow_array(edited->files, edited->file_count + 1, sizeof *edited->files);
    PsEditFile *file = &edited->files[edited->file_count++];
    *file = (PsEditFile){.path = ps_strdup(path)};
    return file;
}

PsErr ps_edit_file_take(PsEdited *edited, const json_t *edit, PsDiag *diag) {
    const char *path = json_string_value(json_object_get(edit, "path"));
    const json_t *text = json_object_get(edit, "text");
    if (path == NULL || !ps_edit_is_script_path(path)) {
        return ps_fail(PS_ERR_INVALID, diag, path != NULL ? path : "file", "path",
                       "must be that of a Python file below the configuration folder, such as "
                       "scripts/main.py");
    }
    if (!json_is_string(text) && !json_is_null(text)) {
        return ps_fail(PS_ERR_INVALID, diag, path, "text",
                       "must be the text of the script, or null to remove the file");
    }
    if (json_string_length(text) > PS_SCRIPT_BYTES_MAX) {
        return ps_fail(PS_ERR_TOO_BIG, diag, path, "text",
                       "has more than %zu bytes, the most a script may have", PS_SCRIPT_BYTES_MAX);
    }
    if (edited->file_count >= FILES_MAX) {
        return ps_fail(PS_ERR_TOO_BIG, diag, path, NULL, "is one file too many; at most %d at once",
                       FILES_MAX);
    }
    PsEditFile *file = place_for(edited, path);
    free(file->text);
    file->remove = json_is_null(text);
    file->text = file->remove ? NULL : ps_strdup(json_string_value(text));
    file->len = json_string_length(text);
    return PS_OK;
}

// The path may be written out in full in penstock.json.
static bool is_same_file(const char *script, const char *path) {
    size_t script_len = strlen(script);
    size_t len = strlen(path);
    return strcmp(script, path) == 0 ||
           (script[0] == '/' && script_len > len && script[script_len - len - 1] == '/' &&
            strcmp(script + script_len - len, path) == 0);
}

// Name of a message that has the script, as a JSON text; the caller's. NULL: none has.
static json_t *find_user(const PsEditDocument *document, const char *path) {
    for (uint32_t i = 0; i < document->item_count; i++) {
        const PsEditItem *item = &document->items[i];
        const PsOptionTable *table = document->blocks[item->block].table;
        if (item->gone || ps_edit_kind_of(table) != PS_EDIT_MESSAGE) {
            continue;
        }
        json_t *object = ps_edit_document_object(document, i);
        const char *script = json_string_value(json_object_get(object, "script"));
        json_t *name = script != NULL && is_same_file(script, path)
                           ? json_incref(json_object_get(object, table->name_key))
                           : NULL;
        json_decref(object);
        if (name != NULL) {
            return name;
        }
    }
    return NULL;
}

PsErr ps_edit_file_check(const PsEditDocument *document, const PsEdited *edited, PsDiag *diag) {
    PsErr err = PS_OK;
    for (size_t i = 0; err == PS_OK && i < edited->file_count; i++) {
        const PsEditFile *file = &edited->files[i];
        json_t *user = find_user(document, file->path);
        const char *name = json_string_value(user);
        if (file->remove && user != NULL) {
            err = ps_fail(PS_ERR_REFUSED, diag, file->path, NULL,
                          "is the script of the message '%.100s'; delete that first, or give it "
                          "another script",
                          name != NULL ? name : "?");
        } else if (!file->remove && user == NULL) {
            err = ps_fail(PS_ERR_INVALID, diag, file->path, "path",
                          "is the script of no message; add or change a publish or subscribe entry "
                          "in the same edits");
        }
        json_decref(user);
    }
    return err;
}
