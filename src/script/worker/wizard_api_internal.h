//! Shared by the files that implement wizard_api's methods; not for others.
#pragma once

#include "script/worker/worker.h"

typedef struct PsWizardApi {
    PyObject_HEAD PsWorker *worker;
} PsWizardApi;

PsWorker *ps_wizard_api_worker(PyObject *self);

PyObject *ps_write_plc_values(PyObject *self, PyObject *args, PyObject *keywords);
PyObject *ps_get_tag_config(PyObject *self, PyObject *args, PyObject *keywords);
PyObject *ps_recall_data(PyObject *self, PyObject *args, PyObject *keywords);

// What callbacks get, from the content of a REPLY: a new reference, NULL with a Python exception
// set. `extra` is what was kept with the callback.
PyObject *ps_write_plc_values_result(PsWorker *worker, PsReader *reader, PyObject *extra);
PyObject *ps_tag_config_result(PsWorker *worker, PsReader *reader, PyObject *extra);
PyObject *ps_recall_result(PsWorker *worker, PsReader *reader, PyObject *extra);
