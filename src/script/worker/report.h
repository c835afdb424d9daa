//! What a worker tells the gateway about itself: log lines, and Python exceptions as log lines.
//! Any thread that holds the interpreter lock.
#pragma once

#include "script/worker/worker.h"

/// Sends one line; text longer than PS_LOG_TEXT_MAX is cut with a mark.
void ps_worker_log(PsWorker *worker, int level, bool always, const char *file, uint32_t line,
                   const char *text, size_t len);
/// Takes the pending Python exception, logs it with its traceback as ERROR lines that name the
/// entry, and puts its summary into `out` (cleared first): one line, then the traceback.
void ps_worker_report_exception(PsWorker *worker, PsBuf *out);
/// The same without the log lines: what is wrong with a module that was just built.
void ps_worker_describe_build(PsWorker *worker, PsBuf *out);
/// The C function `ship` of prelude.py: a new reference or NULL.
PyObject *ps_worker_ship_new(PsWorker *worker);
