// write_plc_values: sends the request, keeps the callback, tail and values until the gateway
// answers, then calls back. The values of the result list are the objects the script passed.
#include "script/worker/wizard_api.h"

#include "script/host.h"
#include "script/worker/wizard_api_internal.h"

#include <math.h>
#include <string.h>

#define TIMEOUT_MAX_S 86400.0

static PsWireText text_of(PyObject *object) {
    Py_ssize_t len = 0;
    const char *text = PyUnicode_AsUTF8AndSize(object, &len);
    return (PsWireText){text, text != NULL ? (uint32_t)len : 0};
}

static PsValue int_value(PyObject *object) {
    int overflow = 0;
    long long number = PyLong_AsLongLongAndOverflow(object, &overflow);
    if (overflow == 0) {
        return ps_value_int(number);
    }
    unsigned long long large = overflow > 0 ? PyLong_AsUnsignedLongLong(object) : 0;
    if (overflow < 0 || PyErr_Occurred()) {
        PyErr_Clear();
        return ps_value_none();
    }
    return ps_value_uint(large);
}

// None: no variable can take it; the gateway answers "Failed" for this item.
static PsValue value_of(PyObject *object) {
    if (PyBool_Check(object)) {
        return ps_value_bool(object == Py_True);
    }
    if (PyLong_Check(object)) {
        return int_value(object);
    }
    if (PyFloat_Check(object)) {
        return ps_value_float(PyFloat_AS_DOUBLE(object));
    }
    if (PyUnicode_Check(object)) {
        PsWireText text = text_of(object);
        if (text.data != NULL && text.len <= PS_WIRE_TEXT_MAX) {
            return ps_value_text(text.data, text.len);
        }
        PyErr_Clear();
    }
    return ps_value_none();
}

typedef struct Request {
    PsBuf *out;
    PyObject *values; // list of the values in request order
    uint32_t count;
} Request;

static bool put_item(Request *request, PyObject *device, PyObject *variable, PyObject *value) {
    if (!PyUnicode_Check(variable) || (device != NULL && !PyUnicode_Check(device))) {
        PyErr_SetString(PyExc_TypeError,
                        "write_plc_values: names of devices and variables must be str");
        return false;
    }
    PsWireWriteItem item = {.has_device = device != NULL, .value = value_of(value)};
    item.device = device != NULL ? text_of(device) : ps_wire_text("");
    item.variable = text_of(variable);
    if (item.device.data == NULL || item.variable.data == NULL ||
        PyList_Append(request->values, value) < 0) {
        return false;
    }
    ps_wire_put_write_item(request->out, &item);
    request->count++;
    return true;
}

// {variable: value} or {device: {variable: value}}; told apart item by item.
static bool put_items(Request *request, PyObject *message) {
    Py_ssize_t at = 0;
    PyObject *key = NULL;
    PyObject *value = NULL;
    while (PyDict_Next(message, &at, &key, &value)) {
        if (!PyDict_Check(value)) {
            if (!put_item(request, NULL, key, value)) {
                return false;
            }
            continue;
        }
        Py_ssize_t inner_at = 0;
        PyObject *variable = NULL;
        PyObject *inner = NULL;
        while (PyDict_Next(value, &inner_at, &variable, &inner)) {
            if (!put_item(request, key, variable, inner)) {
                return false;
            }
        }
    }
    if (request->count > PS_WIRE_WRITE_ITEMS_MAX) {
        PyErr_Format(PyExc_ValueError, "write_plc_values: %u values; at most %d in one call",
                     request->count, PS_WIRE_WRITE_ITEMS_MAX);
        return false;
    }
    return true;
}

static bool keep(PsWorker *worker, uint32_t ticket, PyObject *callback, PyObject *tail,
                 PyObject *values) {
    PyObject *arity =
        PyObject_CallFunction(PyDict_GetItemString(worker->prelude, "arity"), "Oi", callback, 3);
    PyObject *key = PyLong_FromUnsignedLong(ticket);
    PyObject *kept = arity != NULL ? PyTuple_Pack(4, callback, arity, tail, values) : NULL;
    bool ok = key != NULL && kept != NULL && PyDict_SetItem(worker->writes, key, kept) == 0;
    Py_XDECREF(kept);
    Py_XDECREF(key);
    Py_XDECREF(arity);
    return ok;
}

static bool check_arguments(PsWorker *worker, PyObject *message, PyObject *callback,
                            double timeout) {
    if (!PyDict_Check(message)) {
        PyErr_Format(PyExc_TypeError, "write_plc_values: message must be a dict, not %.100s",
                     Py_TYPE(message)->tp_name);
        return false;
    }
    if (callback != Py_None && !PyCallable_Check(callback)) {
        PyErr_Format(PyExc_TypeError, "write_plc_values: callback must be a function, not %.100s",
                     Py_TYPE(callback)->tp_name);
        return false;
    }
    if (isnan(timeout) || timeout <= 0 || timeout > TIMEOUT_MAX_S) {
        PyErr_SetString(PyExc_ValueError,
                        "write_plc_values: timeout must be seconds above 0, at most 86400");
        return false;
    }
    if (PyDict_Size(worker->writes) >= PS_SCRIPT_WRITES_MAX) {
        PyErr_Format(PyExc_RuntimeError,
                     "write_plc_values: %d writes are waiting for their results; wait for some",
                     PS_SCRIPT_WRITES_MAX);
        return false;
    }
    return true;
}

PyObject *ps_write_plc_values(PyObject *self, PyObject *args, PyObject *keywords) {
    static const char *const names[] = {"message", "callback", "tail", "timeout", NULL};
    PsWorker *worker = ps_wizard_api_worker(self);
    PyObject *message = NULL;
    PyObject *callback = Py_None;
    PyObject *tail = Py_None;
    double timeout = 60;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|OOd:write_plc_values",
                                     (char **)(uintptr_t)names, &message, &callback, &tail,
                                     &timeout) ||
        !check_arguments(worker, message, callback, timeout)) {
        return NULL;
    }
    PS_AUTO_BUF PsBuf items = {0};
    Request request = {.out = &items, .values = PyList_New(0)};
    if (request.values == NULL || !put_items(&request, message)) {
        Py_XDECREF(request.values);
        return NULL;
    }
    PsWireWrite head = {.ticket = worker->next_ticket++,
                        .wants_result = callback != Py_None,
                        .timeout_s = timeout,
                        .item_count = request.count};
    bool kept = !head.wants_result || keep(worker, head.ticket, callback, tail, request.values);
    Py_DECREF(request.values);
    if (!kept) {
        return NULL;
    }
    PS_AUTO_BUF PsBuf frame = {0};
    size_t begin = ps_wire_begin_write(&frame, &head);
    ps_buf_put(&frame, items.data, items.len);
    ps_wire_end(&frame, begin);
    ps_worker_socket_send(&worker->socket, &(PsPiece){frame.data, frame.len}, 1);
    Py_RETURN_NONE;
}

static PyObject *read_text(PsReader *reader) {
    size_t len = 0;
    const uint8_t *text = ps_reader_bytes(reader, &len);
    return PyUnicode_DecodeUTF8((const char *)text, (Py_ssize_t)len, "replace");
}

static PyObject *read_result(PsReader *reader, PyObject *value) {
    bool ok = ps_reader_u8(reader) != 0;
    PyObject *device = read_text(reader);
    PyObject *variable = read_text(reader);
    PyObject *error = read_text(reader);
    PyObject *result =
        device != NULL && variable != NULL && error != NULL
            ? Py_BuildValue("{sOsOsOsssO}", "value", value, "device", device, "var_name", variable,
                            "result", ok ? "OK" : "Failed", "error", error)
            : NULL;
    Py_XDECREF(device);
    Py_XDECREF(variable);
    Py_XDECREF(error);
    return result;
}

static PyObject *read_results(PsReader *reader, PyObject *values) {
    uint32_t count = ps_reader_u32(reader);
    if ((Py_ssize_t)count != PyList_Size(values)) {
        return PyErr_Format(PyExc_SystemError, "unreadable write result from penstockd");
    }
    PyObject *list = PyList_New(0);
    for (uint32_t i = 0; list != NULL && i < count; i++) {
        PyObject *result = read_result(reader, PyList_GetItem(values, i));
        if (result == NULL || PyList_Append(list, result) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(result);
    }
    return list;
}

static bool call_back(PsWorker *worker, PyObject *kept, PyObject *result) {
    PyObject *args[] = {result, PyTuple_GetItem(kept, 2), worker->api};
    long arity = PyLong_AsLong(PyTuple_GetItem(kept, 1));
    PyObject *returned = PyObject_Vectorcall(PyTuple_GetItem(kept, 0), args, (size_t)arity, NULL);
    Py_XDECREF(returned);
    return returned != NULL;
}

bool ps_wizard_api_write_done(PsWorker *worker, PsReader *reader) {
    PyObject *key = PyLong_FromUnsignedLong(ps_reader_u32(reader));
    bool timed_out = ps_reader_u8(reader) != 0;
    PyObject *kept = key != NULL ? PyDict_GetItemWithError(worker->writes, key) : NULL;
    if (kept == NULL) {
        Py_XDECREF(key);
        return !PyErr_Occurred();
    }
    Py_INCREF(kept);
    PyObject *result = timed_out ? Py_BuildValue("(sis)", "error", -110, "timeout")
                                 : read_results(reader, PyTuple_GetItem(kept, 3));
    bool ok = PyDict_DelItem(worker->writes, key) == 0 && result != NULL &&
              call_back(worker, kept, result);
    Py_XDECREF(result);
    Py_DECREF(kept);
    Py_DECREF(key);
    return ok;
}
