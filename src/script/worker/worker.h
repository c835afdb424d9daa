//! One worker process: its socket to the gateway, the script's functions and what is open.
//! Everything runs on the worker's first thread, which holds the interpreter lock whenever it is
//! not waiting for the gateway. Threads a script starts may log and publish, nothing else here.
#pragma once

#include "script/messages.h"
#include "script/worker/alarm_collect.h"
#include "script/worker/data_collect.h"
#include "script/worker/socket.h"

#include <Python.h>

typedef struct PsWorker {
    PsWorkerSocket socket;
    pid_t pid;             ///< a fork made by the script finds a different getpid()
    unsigned long thread;  ///< Python's id of the first thread
    PsBuf out;             ///< reused for every frame that is sent
    PsBuf text;            ///< of the payload before, for the next one; empty while in use
    bool link;             ///< cloud link up when the present input was sent
    bool aws;              ///< the cloud is AWS IoT
    uint8_t kind;          ///< PsScriptKind
    char name[64];         ///< entry name, for log lines; cut
    char boot[17];         ///< of sequence()
    uint64_t sequence;     ///< number of the present call
    bool sequence_used;    ///< it has asked for it
    uint32_t next_ticket;  ///< of the next call that is answered later
    PyObject *entry;       ///< the script's entry function; NULL until built
    int arity;             ///< arguments the entry function takes
    PyObject *api;         ///< wizard_api
    PyObject *parameters;  ///< dict of get_global_parameter
    PyObject *callbacks;   ///< ticket -> what callbacks.c keeps of a call
    PyObject *prelude;     ///< namespace of prelude.py
    PyObject *unfinished;  ///< its list of streams with an unfinished line
    PsWorkerGroups groups; ///< names of the groups seen so far
    PsWorkerAlarms alarms; ///< and of alarm groups
} PsWorker;

/// Starts the interpreter and runs the prelude: once, in penstock-script, before any fork.
PsErr ps_worker_warm(PsWorker *worker, PsDiag *diag);
/// Serves the gateway on `fd` until it closes the socket; never returns. Called in a fork that is
/// confined. `scratch` (NULL: none) and `network` are for the script's surroundings and for
/// messages.
_Noreturn void ps_worker_run(PsWorker *worker, int fd, const char *scratch, bool network);
