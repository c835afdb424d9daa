// Serialisation. What scripts usually return is encoded here (json_text.c); the rest, and every
// error text, is left to Python's own encoder. Sent from where it lies.
#include "script/worker/payload.h"

#include "script/host.h"
#include "script/worker/json_text.h"

// A text of up to this much keeps its memory for the next one; growing it anew for each call costs
// more than writing it.
#define TEXT_KEPT ((size_t)256 * 1024)

// Replaces Python's complaint about a lone surrogate by ours.
static void refuse_text(PsWorker *worker, PyObject *text) {
    PyErr_Clear();
    PyObject *function = PyDict_GetItemString(worker->prelude, "refuse_text"); // borrowed
    Py_XDECREF(PyObject_CallOneArg(function, text));
}

static bool bytes_of(PsWorker *worker, PyObject *object, PsPayload *payload) {
    if (PyBytes_Check(object)) {
        payload->data = PyBytes_AS_STRING(object);
        payload->len = (size_t)PyBytes_GET_SIZE(object);
        payload->owner = Py_NewRef(object);
        return true;
    }
    if (PyUnicode_Check(object)) {
        Py_ssize_t len = 0;
        payload->data = PyUnicode_AsUTF8AndSize(object, &len);
        payload->len = (size_t)len;
        payload->owner = Py_NewRef(object);
        if (payload->data == NULL) {
            refuse_text(worker, object);
        }
        return payload->data != NULL;
    }
    return false;
}

// The same content in an object that bytes_of knows.
static PyObject *plain_object(PsWorker *worker, PyObject *object) {
    if (PyBytes_Check(object) || PyUnicode_Check(object)) {
        return Py_NewRef(object);
    }
    if (PyByteArray_Check(object) || PyMemoryView_Check(object)) {
        return PyBytes_FromObject(object);
    }
    PyObject *function = PyDict_GetItemString(worker->prelude, "to_text"); // borrowed
    return PyObject_CallOneArg(function, object);
}

// dict, list and tuple: the fast way. False when the object is left to the json module.
static bool encode(PyObject *object, PsPayload *payload) {
    bool container =
        PyDict_CheckExact(object) || PyList_CheckExact(object) || PyTuple_CheckExact(object);
    if (!container || !ps_json_text(object, &payload->text)) {
        ps_buf_clear(&payload->text);
        return false;
    }
    payload->data = payload->text.data;
    payload->len = payload->text.len;
    return true;
}

static bool encode_any(PsWorker *worker, PyObject *object, PsPayload *payload) {
    if (encode(object, payload)) {
        return true;
    }
    PyObject *plain = plain_object(worker, object);
    bool ok = plain != NULL && bytes_of(worker, plain, payload);
    Py_XDECREF(plain);
    return ok;
}

bool ps_payload_take(PsWorker *worker, PyObject *object, PsPayload *ret_payload) {
    PsPayload payload = {.text = worker->text};
    worker->text = (PsBuf){0}; // a script's own code may run here, and publish
    bool ok = encode_any(worker, object, &payload);
    if (ok && payload.len > PS_SCRIPT_PAYLOAD_MAX) {
        PyErr_Format(PyExc_ValueError, "the message has %zu bytes; at most %zu can be sent",
                     payload.len, PS_SCRIPT_PAYLOAD_MAX);
        ok = false;
    }
    if (!ok) {
        ps_payload_deinit(worker, &payload);
        return false;
    }
    *ret_payload = payload;
    return true;
}

void ps_payload_deinit(PsWorker *worker, PsPayload *payload) {
    Py_CLEAR(payload->owner);
    if (worker->text.data == NULL && payload->text.capacity <= TEXT_KEPT) {
        worker->text = payload->text;
        ps_buf_clear(&worker->text);
        payload->text = (PsBuf){0};
    }
    ps_buf_deinit(&payload->text);
}
