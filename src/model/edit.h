//! Edits of penstock.json: objects that come, go and change by name, applied to the text of the
//! file all or nothing. What refers to an object that is renamed follows; what is used is not
//! deleted. Objects that no edit is about keep their text to the byte. Pure; one thread; as long as
//! reading the file takes, however many edits there are.
//!
//! `edits` is a list of:
//!
//!   {"op": "put", "block": "devices", "name": "PLC", "value": {...}}
//!       The whole object. Without `name` it is new; with another name in `value` it is renamed.
//!       Variables have a `device` beside `name`; `cloud`, `parameters` and `web` have no name. A
//!       key that is null counts as left out.
//!   {"op": "set", ..., "value": {...}}       only these keys; null: as if left out
//!   {"op": "delete", ..., "cascade": false}  `cascade`: what cannot be without it goes too
//!   {"op": "file", "path": "scripts/x.py", "text": "..." or null}
//!
//! A custom parameter that is null in `value` keeps its value: whoever edits need not know it.
//! What hangs together is looked at when all edits are done, so their order does not matter there.
#pragma once

#include "base/buf.h"
#include "model/findings.h"

#include <jansson.h>

/// In one go.
#define PS_EDITS_MAX 200000
/// References that follow renames in one go: enough to rename everything a few times.
#define PS_EDIT_FOLLOWED_MAX 1000000

/// A script that is saved with the configuration.
typedef struct PsEditFile {
    char *path; ///< below the configuration folder
    char *text;
    size_t len;
    bool remove; ///< no message uses it any more, and it is not wanted
} PsEditFile;

typedef struct PsEdited {
    PsBuf json; ///< the new text
    PsEditFile *files;
    size_t file_count;
} PsEdited;

/// May a file of edits have this path: a Python file below the configuration folder, nothing
/// hidden?
bool ps_edit_is_script_path(const char *path);

/// PS_ERR_INVALID: what is wrong is among `findings`, or in `diag` when that has no error.
/// PS_ERR_NOT_FOUND: no such object. PS_ERR_EXISTS: the name is taken. PS_ERR_REFUSED: it is used,
/// and by whom. PS_ERR_TOO_BIG: too many. These are in `diag`.
PsErr ps_edit_apply(const void *json, size_t len, const json_t *edits, PsFindings *findings,
                    PsEdited *ret_edited, PsDiag *diag);
void ps_edited_deinit(PsEdited *edited);

#define PS_AUTO_EDITED __attribute__((cleanup(ps_edited_deinit)))
