// wizard_api: publishing, saving and parameters. Calls with a callback are in write_plc_values.c
// and requests.c.
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

// AWS IoT closes the connection over QoS 2.
static int qos_max(const PsWorker *worker) {
    return worker->aws ? 1 : 2;
}

static void send_message(PsWorker *worker, PsWireType type, Message *message) {
    ps_buf_clear(&worker->out);
    ps_wire_put_publish_head(&worker->out, type, message->head);
    PsPiece pieces[] = {{worker->out.data, worker->out.len},
                        {message->payload.data, message->payload.len}};
    ps_worker_socket_send(&worker->socket, pieces, PS_COUNT(pieces));
    ps_payload_deinit(worker, &message->payload);
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

#define WAITS "waits for its answer"

static bool on_first_thread(const PsWorker *worker, const char *method, const char *why) {
    if (PyThread_get_thread_ident() == worker->thread) {
        return true;
    }
    PyErr_Format(PyExc_RuntimeError,
                 "%s %s and can only be called from the thread that runs the main function", method,
                 why);
    return false;
}

// Sends and waits for the gateway's yes or no.
static PyObject *ask(PsWorker *worker, PsWireType type, Message *message) {
    send_message(worker, type, message);
    PsWireFrame answer;
    Py_BEGIN_ALLOW_THREADS;
    answer = ps_worker_socket_receive(&worker->socket);
    Py_END_ALLOW_THREADS;
    // Nothing else comes while a call runs: the gateway sends one input at a time.
    PS_ASSERT(answer.type == PS_WIRE_SENT && answer.len == 1);
    return PyBool_FromLong(answer.body[0]);
}

static PyObject *mqtt_publish(PyObject *self, PyObject *args, PyObject *keywords) {
    PsWorker *worker = ps_wizard_api_worker(self);
    Message message;
    if (!on_first_thread(worker, "mqtt_publish", WAITS) ||
        !take_message(self, args, keywords, "s#Oi:mqtt_publish", qos_max(worker), &message)) {
        return NULL;
    }
    return ask(worker, PS_WIRE_PUBLISH_NOW, &message);
}

// save_data({"topic": ..., "qos": ..., "payload": ...})
static PyObject *save_message(PyObject *self, PyObject *data) {
    static const char *const keys[] = {"topic", "payload", "qos"};
    PyObject *parts[PS_COUNT(keys)];
    if (!PyDict_Check(data)) {
        return PyErr_Format(PyExc_TypeError,
                            "save_data: without a group, data must be a dict with topic, qos and "
                            "payload, not %.100s",
                            Py_TYPE(data)->tp_name);
    }
    for (size_t i = 0; i < PS_COUNT(keys); i++) {
        parts[i] = PyDict_GetItemString(data, keys[i]); // borrowed
        if (parts[i] == NULL) {
            return PyErr_Format(PyExc_ValueError,
                                "save_data: the dict has no '%s'; it needs topic, qos and payload",
                                keys[i]);
        }
    }
    PyObject *args = PyTuple_Pack(3, parts[0], parts[1], parts[2]);
    PsWorker *worker = ps_wizard_api_worker(self);
    Message message;
    bool ok =
        args != NULL && take_message(self, args, NULL, "s#Oi:save_data", qos_max(worker), &message);
    PyObject *saved = ok ? ask(worker, PS_WIRE_SAVE, &message) : NULL;
    Py_XDECREF(args);
    return saved;
}

static PyObject *save_for_group(PsWorker *worker, PyObject *data, PyObject *group) {
    Py_ssize_t len = 0;
    const char *name = PyUnicode_Check(group) ? PyUnicode_AsUTF8AndSize(group, &len) : NULL;
    if (name == NULL || len > TOPIC_MAX) {
        PyErr_Clear();
        PyErr_SetString(PyExc_TypeError, "save_data: group must be the name of a group, a str");
        return NULL;
    }
    if (data == Py_None) {
        PyErr_SetString(PyExc_ValueError, "save_data: data is None; there is nothing to save");
        return NULL;
    }
    Message message = {0};
    if (!ps_payload_take(worker, data, &message.payload)) {
        return NULL;
    }
    message.head.topic = (PsWireText){name, (uint32_t)len};
    message.head.payload = (PsWireText){message.payload.data, (uint32_t)message.payload.len};
    return ask(worker, PS_WIRE_SAVE_GROUP, &message);
}

static PyObject *save_data(PyObject *self, PyObject *args, PyObject *keywords) {
    static const char *const names[] = {"data", "group", NULL};
    PsWorker *worker = ps_wizard_api_worker(self);
    PyObject *data = NULL;
    PyObject *group = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|O:save_data", (char **)(uintptr_t)names,
                                     &data, &group) ||
        !on_first_thread(worker, "save_data", WAITS)) {
        return NULL;
    }
    return group == Py_None ? save_message(self, data) : save_for_group(worker, data, group);
}

static PyObject *get_global_parameter(PyObject *self, PyObject *Py_UNUSED(args)) {
    return PyDict_Copy(ps_wizard_api_worker(self)->parameters);
}

// The same number however often a call asks; the gateway counts on when the call has ended well.
static PyObject *sequence(PyObject *self, PyObject *Py_UNUSED(args)) {
    PsWorker *worker = ps_wizard_api_worker(self);
    if (!on_first_thread(worker, "sequence", "belongs to a call")) {
        return NULL;
    }
    worker->sequence_used = true;
    return Py_BuildValue("{s:s, s:K}", "boot", worker->boot, "sequence",
                         (unsigned long long)worker->sequence);
}

// Functions with keywords have another C type than the table's; Python knows by the flags.
#define WITH_KEYWORDS(function)                                                                    \
    (PyCFunction)(void (*)(void))(function), METH_VARARGS | METH_KEYWORDS

static PyMethodDef methods[] = {
    {"mqtt_publish", WITH_KEYWORDS(mqtt_publish),
     "mqtt_publish(topic, payload, qos) -> True when it was sent; does not cache"},
    {"write_plc_values", WITH_KEYWORDS(ps_write_plc_values),
     "write_plc_values(message, callback=None, tail=None, timeout=60)"},
    {"get_tag_config", WITH_KEYWORDS(ps_get_tag_config),
     "get_tag_config(callback, tail=None, timeout=60)"},
    {"recall_data", WITH_KEYWORDS(ps_recall_data), "recall_data(callback, tail=None, timeout=60)"},
    {"get_global_parameter", get_global_parameter, METH_NOARGS, "get_global_parameter() -> dict"},
    {"sequence", sequence, METH_NOARGS,
     "sequence() -> {'boot', 'sequence'}: for receivers that check completeness"},
    {"save_data", WITH_KEYWORDS(save_data),
     "save_data({'topic', 'qos', 'payload'}) or save_data(data, group) -> True when it is stored"},
    {NULL, NULL, 0, NULL},
};

static PyMethodDef aws_method = {
    "awsiot_publish", WITH_KEYWORDS(awsiot_publish),
    "awsiot_publish(topic, payload, qos) -> True when the link is up; kept until delivered"};

// Methods of Device Supervisor that only some cloud types have. hasattr tells as usual.
static PyObject *get_attribute(PyObject *self, PyObject *name) {
    static const struct {
        const char *method;
        const char *cloud;
    } others[] = {
        {"awsiot_publish", "AWS IoT"},          {"send_message_to_cloud", "Azure IoT"},
        {"thing_post_property", "Aliyun IoT"},  {"thing_trigger_event", "Aliyun IoT"},
        {"thing_answer_service", "Aliyun IoT"},
    };
    PyObject *found = PyObject_GenericGetAttr(self, name);
    if (found != NULL || !PyErr_ExceptionMatches(PyExc_AttributeError)) {
        return found;
    }
    for (size_t i = 0; i < PS_COUNT(others); i++) {
        if (PyUnicode_CompareWithASCIIString(name, others[i].method) == 0) {
            bool aws = ps_wizard_api_worker(self)->aws;
            return PyErr_Format(PyExc_AttributeError,
                                "wizard_api.%s exists only with the cloud type %s; the cloud type "
                                "of this gateway is %s",
                                others[i].method, others[i].cloud,
                                aws ? "AWS IoT" : "Standard MQTT");
        }
    }
    return NULL;
}

static void dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyType_Slot slots[] = {
    {Py_tp_dealloc, dealloc},
    {Py_tp_getattro, get_attribute},
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
