// Keeps callbacks by ticket and calls them: cb(result, tail, wizard_api), or with as many of these
// as the function takes. The tail is the very object the script gave. First thread and the threads
// of the script; nothing here waits.
#include "script/worker/callbacks.h"

#include "script/host.h"
#include "script/worker/wizard_api_internal.h"

#include <math.h>

#define CALLBACK_ARGUMENTS 3 // result, tail, wizard_api

typedef PyObject *ReplyReader(PsWorker *worker, PsReader *reader, PyObject *extra);

static ReplyReader *const readers[PS_REPLY_KIND_COUNT] = {
    [PS_REPLY_WRITE] = ps_write_plc_values_result,
    [PS_REPLY_TAG_CONFIG] = ps_tag_config_result,
    [PS_REPLY_RECALL] = ps_recall_result,
};

bool ps_callbacks_check(PsWorker *worker, const char *method, PyObject *callback, double timeout) {
    if (callback != Py_None && !PyCallable_Check(callback)) {
        PyErr_Format(PyExc_TypeError, "%s: callback must be a function, not %.100s", method,
                     Py_TYPE(callback)->tp_name);
        return false;
    }
    if (isnan(timeout) || timeout <= 0 || timeout > PS_CALLBACK_TIMEOUT_MAX_S) {
        PyErr_Format(PyExc_ValueError, "%s: timeout must be seconds above 0, at most %d", method,
                     (int)PS_CALLBACK_TIMEOUT_MAX_S);
        return false;
    }
    if (PyDict_Size(worker->callbacks) >= PS_SCRIPT_WRITES_MAX) {
        PyErr_Format(PyExc_RuntimeError,
                     "%s: %d calls are waiting for their results; wait for some", method,
                     PS_SCRIPT_WRITES_MAX);
        return false;
    }
    return true;
}

bool ps_callbacks_keep(PsWorker *worker, uint32_t ticket, PsReplyKind kind, PyObject *callback,
                       PyObject *tail, PyObject *extra) {
    PyObject *arity = PyObject_CallFunction(PyDict_GetItemString(worker->prelude, "arity"), "Oi",
                                            callback, CALLBACK_ARGUMENTS);
    PyObject *key = PyLong_FromUnsignedLong(ticket);
    PyObject *kept =
        arity != NULL ? Py_BuildValue("(OOOiO)", callback, arity, tail, (int)kind, extra) : NULL;
    bool ok = key != NULL && kept != NULL && PyDict_SetItem(worker->callbacks, key, kept) == 0;
    Py_XDECREF(kept);
    Py_XDECREF(key);
    Py_XDECREF(arity);
    return ok;
}

// The tuple scripts test for: ("error", -110, "timeout") is the documented one.
static PyObject *error_tuple(uint8_t error) {
    const char *text = error == PS_WIRE_REPLY_TIMEOUT   ? "timeout"
                       : error == PS_WIRE_REPLY_TOO_BIG ? "answer too long"
                                                        : "cancelled";
    return Py_BuildValue("(sis)", "error", -(int)error, text);
}

static bool call_back(PsWorker *worker, PyObject *kept, PyObject *result) {
    PyObject *args[] = {result, PyTuple_GetItem(kept, 2), worker->api};
    long arity = PyLong_AsLong(PyTuple_GetItem(kept, 1));
    PyObject *returned = PyObject_Vectorcall(PyTuple_GetItem(kept, 0), args, (size_t)arity, NULL);
    Py_XDECREF(returned);
    return returned != NULL;
}

bool ps_callbacks_reply(PsWorker *worker, PsReader *reader) {
    PyObject *key = PyLong_FromUnsignedLong(ps_reader_u32(reader));
    uint8_t error = ps_reader_u8(reader);
    PyObject *kept = key != NULL ? PyDict_GetItemWithError(worker->callbacks, key) : NULL;
    if (kept == NULL) {
        Py_XDECREF(key);
        return !PyErr_Occurred();
    }
    Py_INCREF(kept);
    long kind = PyLong_AsLong(PyTuple_GetItem(kept, 3));
    PyObject *result = error == PS_WIRE_REPLY_OK
                           ? readers[kind](worker, reader, PyTuple_GetItem(kept, 4))
                           : error_tuple(error);
    bool ok = PyDict_DelItem(worker->callbacks, key) == 0 && result != NULL &&
              call_back(worker, kept, result);
    Py_XDECREF(result);
    Py_DECREF(kept);
    Py_DECREF(key);
    return ok;
}
