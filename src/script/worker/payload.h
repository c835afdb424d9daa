//! What a script hands over for sending, as bytes: str and bytes as they are, everything else one
//! JSON document (json.dumps defaults; NaN and Infinity become null). First thread or any that
//! holds the interpreter lock.
#pragma once

#include "script/worker/worker.h"

typedef struct PsPayload {
    const void *data; ///< in `text`, or in `owner`
    size_t len;
    PyObject *owner; ///< NULL when `text` holds the bytes
    PsBuf text;
} PsPayload;

/// False with a Python exception set: not serialisable, or longer than PS_SCRIPT_PAYLOAD_MAX.
bool ps_payload_take(PsWorker *worker, PyObject *object, PsPayload *ret_payload);
/// Its text is kept for the next one.
void ps_payload_deinit(PsWorker *worker, PsPayload *payload);
