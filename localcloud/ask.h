//! Calls of the API from the command line: over HTTP when a cloud runs in the folder, otherwise
//! on the folder's registry itself, through the same handlers. Blocking.
#pragma once

#include "localcloud/rest/rest.h"

typedef struct PsAsk PsAsk;

/// PS_ERR_NOT_FOUND: something holds the folder's lock, but no API is there.
PsErr ps_ask_open(const char *dir, PsAsk **ret_ask, PsDiag *diag);
/// Accepts NULL.
void ps_ask_close(PsAsk *ask);
/// The folder's absolute path.
const char *ps_ask_dir(const PsAsk *ask);

/// One call. `target` is percent-encoded; `principal` is the header x-amzn-principal or NULL;
/// `body` (borrowed) may be NULL. The answer's JSON ({} when it is empty) is a new reference.
/// PS_ERR_EXISTS, PS_ERR_NOT_FOUND, PS_ERR_REFUSED: the call was refused, `diag` has its words.
PsErr ps_ask(PsAsk *ask, const char *method, const char *target, const char *principal,
             json_t *body, json_t **ret_json, PsDiag *diag);

/// Appends `text` percent-encoded, as one part of a path or query.
void ps_ask_encode(PsBuf *out, const char *text);
