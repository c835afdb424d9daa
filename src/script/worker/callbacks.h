//! The calls of wizard_api that are answered later: callback and tail are kept until the gateway
//! replies. Any thread that holds the interpreter lock; replies on the first thread only.
#pragma once

#include "script/worker/worker.h"

/// What a reply answers, which says how its content is read.
typedef enum PsReplyKind {
    PS_REPLY_WRITE,
    PS_REPLY_TAG_CONFIG,
    PS_REPLY_RECALL,
    PS_REPLY_KIND_COUNT,
} PsReplyKind;

/// Longest time limit a script may give.
#define PS_CALLBACK_TIMEOUT_MAX_S 86400.0

/// False with a Python exception that names `method` when the arguments are not what every such
/// call takes, or too many calls are open.
bool ps_callbacks_check(PsWorker *worker, const char *method, PyObject *callback, double timeout);
/// Keeps what the reply with `ticket` needs; `extra` is what its reader gets (Py_None for nothing).
/// False with a Python exception set.
bool ps_callbacks_keep(PsWorker *worker, uint32_t ticket, PsReplyKind kind, PyObject *callback,
                       PyObject *tail, PyObject *extra);
/// Takes a REPLY in (`reader` stands behind the link byte) and calls the script's callback. True
/// when there was nothing to complain about; false with a Python exception set.
bool ps_callbacks_reply(PsWorker *worker, PsReader *reader);
