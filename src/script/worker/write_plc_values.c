// write_plc_values: the request with its values as the wire has them, and the result list. The
// values of that list are the objects the script passed. Nothing here waits.
#include "script/worker/callbacks.h"
#include "script/worker/wizard_api_internal.h"

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

// Numbers of other kinds (numpy's, Decimal, Fraction): whole ones by __index__, others by
// __float__.
static PsValue number_value(PyObject *object) {
    PyObject *number = PyIndex_Check(object) ? PyNumber_Index(object) : PyNumber_Float(object);
    PsValue value = ps_value_none();
    if (number != NULL) {
        value =
            PyLong_Check(number) ? int_value(number) : ps_value_float(PyFloat_AS_DOUBLE(number));
    }
    PyErr_Clear(); // the answer for this item says what a value must be
    Py_XDECREF(number);
    return value;
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
        return ps_value_none();
    }
    return PyNumber_Check(object) ? number_value(object) : ps_value_none();
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

static bool put_device(Request *request, PyObject *device, PyObject *values) {
    Py_ssize_t at = 0;
    PyObject *variable = NULL;
    PyObject *value = NULL;
    PyObject *copy = PyDict_Copy(values); // as below
    bool ok = copy != NULL;
    while (ok && PyDict_Next(copy, &at, &variable, &value)) {
        ok = put_item(request, device, variable, value);
    }
    Py_XDECREF(copy);
    return ok;
}

// {variable: value} or {device: {variable: value}}; told apart item by item.
static bool put_items(Request *request, PyObject *message) {
    Py_ssize_t at = 0;
    PyObject *key = NULL;
    PyObject *value = NULL;
    PyObject *copy = PyDict_Copy(message); // a value's __float__ could change the script's own
    bool ok = copy != NULL;
    while (ok && PyDict_Next(copy, &at, &key, &value)) {
        ok = PyDict_Check(value) ? put_device(request, key, value)
                                 : put_item(request, NULL, key, value);
    }
    Py_XDECREF(copy);
    if (ok && request->count > PS_WIRE_WRITE_ITEMS_MAX) {
        PyErr_Format(PyExc_ValueError, "write_plc_values: %u values; at most %d in one call",
                     request->count, PS_WIRE_WRITE_ITEMS_MAX);
        return false;
    }
    return ok;
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
        !ps_callbacks_check(worker, "write_plc_values", callback, timeout)) {
        return NULL;
    }
    if (!PyDict_Check(message)) {
        return PyErr_Format(PyExc_TypeError, "write_plc_values: message must be a dict, not %.100s",
                            Py_TYPE(message)->tp_name);
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
    bool kept = !head.wants_result || ps_callbacks_keep(worker, head.ticket, PS_REPLY_WRITE,
                                                        callback, tail, request.values);
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

PyObject *ps_write_plc_values_result(PsWorker *worker, PsReader *reader, PyObject *values) {
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
