// get_tag_config and recall_data: what they send, and what their replies become. Nothing here
// waits.
#include "script/worker/callbacks.h"
#include "script/worker/wizard_api_internal.h"

static PyObject *request(PyObject *self, PyObject *args, PyObject *keywords, const char *method,
                         const char *format, PsWireAsked asked, PsReplyKind kind) {
    static const char *const names[] = {"callback", "tail", "timeout", NULL};
    PsWorker *worker = ps_wizard_api_worker(self);
    PyObject *callback = NULL;
    PyObject *tail = Py_None;
    double timeout = 60;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, format, (char **)(uintptr_t)names, &callback,
                                     &tail, &timeout)) {
        return NULL;
    }
    if (callback == Py_None) {
        return PyErr_Format(PyExc_TypeError, "%s: callback must be a function, not None", method);
    }
    PsWireRequest wire = {.ticket = worker->next_ticket++, .asked = asked, .timeout_s = timeout};
    if (!ps_callbacks_check(worker, method, callback, timeout) ||
        !ps_callbacks_keep(worker, wire.ticket, kind, callback, tail, Py_None)) {
        return NULL;
    }
    PS_AUTO_BUF PsBuf frame = {0};
    ps_wire_put_request(&frame, wire);
    ps_worker_socket_send(&worker->socket, &(PsPiece){frame.data, frame.len}, 1);
    Py_RETURN_NONE;
}

PyObject *ps_get_tag_config(PyObject *self, PyObject *args, PyObject *keywords) {
    return request(self, args, keywords, "get_tag_config", "O|Od:get_tag_config",
                   PS_WIRE_ASK_TAG_CONFIG, PS_REPLY_TAG_CONFIG);
}

PyObject *ps_recall_data(PyObject *self, PyObject *args, PyObject *keywords) {
    return request(self, args, keywords, "recall_data", "O|Od:recall_data", PS_WIRE_ASK_RECALL,
                   PS_REPLY_RECALL);
}

PyObject *ps_tag_config_result(PsWorker *worker, PsReader *reader, PyObject *extra) {
    size_t len = 0;
    const uint8_t *text = ps_reader_bytes(reader, &len);
    PS_ASSERT(ps_reader_done(reader)); // the gateway is of the same build
    return PyObject_CallFunction(PyDict_GetItemString(worker->prelude, "from_text"), "y#", text,
                                 (Py_ssize_t)len);
}

PyObject *ps_recall_result(PsWorker *worker, PsReader *reader, PyObject *extra) {
    PyObject *data = ps_worker_data_collect(&worker->groups, reader);
    if (data != NULL && PyDict_DelItem(data, worker->groups.key_group_name) < 0) {
        Py_CLEAR(data); // never seen; a recall has values of all groups, so it names none
    }
    return data;
}
