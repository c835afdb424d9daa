// wizard_api: publishing and parameters. Writes are in write_plc_values.c.
#include "script/worker/wizard_api.h"

#include "script/worker/payload.h"
#include "script/worker/wizard_api_internal.h"

#include <stddef.h>
#include <string.h>

#define TOPIC_MAX 65535

PsWorker *ps_wizard_api_worker(PyObject *self) {
    return ((PsWizardApi *)self)->worker;
}

typedef struct Message {
    PsWirePublish head;
    PsPayload payload;
} Message;

static bool take_message(PyObject *self, PyObject *args, PyObject *keywords, const char *format,
                         int qos_max, Message *ret_message) {
    static const char *const names[] = {"topic", "payload", "qos", NULL};
    const char *topic = NULL;
    Py_ssize_t topic_len = 0;
    PyObject *payload = NULL;
    int qos = 0;
    // Python 3.13 made the list of names const; the cast serves both.
    if (!PyArg_ParseTupleAndKeywords(args, keywords, format, (char **)(uintptr_t)names, &topic,
                                     &topic_len, &payload, &qos)) {
        return false;
    }
    if (topic_len == 0 || topic_len > TOPIC_MAX || memchr(topic, '\0', (size_t)topic_len)) {
        PyErr_SetString(PyExc_ValueError, "topic must have 1 to 65535 bytes and no NUL");
        return false;
    }
    if (qos < 0 || qos > qos_max) {
        PyErr_Format(PyExc_ValueError, "qos is %d; it must be 0 to %d", qos, qos_max);
        return false;
    }
    if (payload == Py_None) {
        PyErr_SetString(PyExc_ValueError, "payload is None; there is nothing to publish");
        return false;
    }
    Message message = {.head = {.qos = (uint8_t)qos}};
    if (!ps_payload_take(ps_wizard_api_worker(self), payload, &message.payload)) {
        return false;
    }
    message.head.topic = (PsWireText){topic, (uint32_t)topic_len};
    message.head.payload = (PsWireText){message.payload.data, (uint32_t)message.payload.len};
    *ret_message = message;
    return true;
}

static void send_message(PsWorker *worker, PsWireType type, Message *message) {
    ps_buf_clear(&worker->out);
    ps_wire_put_publish_head(&worker->out, type, message->head);
    PsPiece pieces[] = {{worker->out.data, worker->out.len},
                        {message->payload.data, message->payload.len}};
    ps_worker_socket_send(&worker->socket, pieces, PS_COUNT(pieces));
    ps_payload_deinit(&message->payload);
}

static PyObject *awsiot_publish(PyObject *self, PyObject *args, PyObject *keywords) {
    Message message;
    if (!take_message(self, args, keywords, "s#Oi:awsiot_publish", 1, &message)) {
        return NULL;
    }
    PsWorker *worker = ps_wizard_api_worker(self);
    send_message(worker, PS_WIRE_PUBLISH, &message);
    return PyBool_FromLong(worker->link);
}

static PyObject *mqtt_publish(PyObject *self, PyObject *args, PyObject *keywords) {
    PsWorker *worker = ps_wizard_api_worker(self);
    if (PyThread_get_thread_ident() != worker->thread) {
        PyErr_SetString(PyExc_RuntimeError,
                        "mqtt_publish waits for its answer and can only be called from the "
                        "thread that runs the main function");
        return NULL;
    }
    Message message;
    int qos_max = worker->aws ? 1 : 2; // AWS IoT closes the connection over QoS 2
    if (!take_message(self, args, keywords, "s#Oi:mqtt_publish", qos_max, &message)) {
        return NULL;
    }
    send_message(worker, PS_WIRE_PUBLISH_NOW, &message);
    PsWireFrame answer;
    Py_BEGIN_ALLOW_THREADS;
    answer = ps_worker_socket_receive(&worker->socket);
    Py_END_ALLOW_THREADS;
    // Nothing else comes while a call runs: the gateway sends one input at a time.
    PS_ASSERT(answer.type == PS_WIRE_SENT && answer.len == 1);
    return PyBool_FromLong(answer.body[0]);
}

static PyObject *get_global_parameter(PyObject *self, PyObject *Py_UNUSED(args)) {
    return PyDict_Copy(ps_wizard_api_worker(self)->parameters);
}

static PyObject *not_yet(const char *name) {
    return PyErr_Format(PyExc_NotImplementedError,
                        "wizard_api.%s: this version of Penstock does not have this method yet",
                        name);
}

static PyObject *save_data(PyObject *self, PyObject *args, PyObject *keywords) {
    return not_yet("save_data");
}

static PyObject *get_tag_config(PyObject *self, PyObject *args, PyObject *keywords) {
    return not_yet("get_tag_config");
}

static PyObject *recall_data(PyObject *self, PyObject *args, PyObject *keywords) {
    return not_yet("recall_data");
}

// Functions with keywords have another C type than the table's; Python knows by the flags.
#define WITH_KEYWORDS(function)                                                                    \
    (PyCFunction)(void (*)(void))(function), METH_VARARGS | METH_KEYWORDS

static PyMethodDef methods[] = {
    {"mqtt_publish", WITH_KEYWORDS(mqtt_publish),
     "mqtt_publish(topic, payload, qos) -> True when it was sent; does not cache"},
    {"write_plc_values", WITH_KEYWORDS(ps_write_plc_values),
     "write_plc_values(message, callback=None, tail=None, timeout=60)"},
    {"get_global_parameter", get_global_parameter, METH_NOARGS, "get_global_parameter() -> dict"},
    {"save_data", WITH_KEYWORDS(save_data), NULL},
    {"get_tag_config", WITH_KEYWORDS(get_tag_config), NULL},
    {"recall_data", WITH_KEYWORDS(recall_data), NULL},
    {NULL, NULL, 0, NULL},
};

static PyMethodDef aws_method = {
    "awsiot_publish", WITH_KEYWORDS(awsiot_publish),
    "awsiot_publish(topic, payload, qos) -> True when the link is up; kept until delivered"};

static void dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyType_Slot slots[] = {
    {Py_tp_dealloc, dealloc},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "penstock.wizard_api",
    .basicsize = sizeof(PsWizardApi),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

PyObject *ps_wizard_api_new(PsWorker *worker, bool aws) {
    PyObject *type = PyType_FromSpec(&spec);
    if (type == NULL) {
        return NULL;
    }
    if (aws) {
        PyObject *method = PyDescr_NewMethod((PyTypeObject *)type, &aws_method);
        int failed = method == NULL || PyObject_SetAttrString(type, aws_method.ml_name, method) < 0;
        Py_XDECREF(method);
        if (failed) {
            Py_DECREF(type);
            return NULL;
        }
    }
    PsWizardApi *api = PyObject_New(PsWizardApi, (PyTypeObject *)type);
    if (api != NULL) {
        worker->aws = aws;
        api->worker = worker;
    }
    Py_DECREF(type);
    return (PyObject *)api;
}
