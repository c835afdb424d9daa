//! Shared by the files that implement wizard_api's methods; not for others.
#pragma once

#include "script/worker/worker.h"

typedef struct PsWizardApi {
    PyObject_HEAD PsWorker *worker;
} PsWizardApi;

PsWorker *ps_wizard_api_worker(PyObject *self);
PyObject *ps_write_plc_values(PyObject *self, PyObject *args, PyObject *keywords);
