// The life of one worker: warmed in penstock-script, forked, then one frame after the other: the
// module is built, its function called with each input. First thread; waits only for the gateway.
#include "script/worker/worker.h"

#include "script/host.h"
#include "script/worker/callbacks.h"
#include "script/worker/payload.h"
#include "script/worker/prelude.h"
#include "script/worker/report.h"
#include "script/worker/wizard_api.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PUBLISH_ARGUMENTS 2   // data_collect, wizard_api
#define SUBSCRIBE_ARGUMENTS 3 // topic, payload, wizard_api

static PsErr start_python(PsDiag *diag) {
    PyPreConfig before;
    PyPreConfig_InitIsolatedConfig(&before);
    before.utf8_mode = 1;
    PyStatus status = Py_PreInitialize(&before);
    if (PyStatus_Exception(status)) {
        return ps_fail(PS_ERR_INTERNAL, diag, "Python", NULL, "cannot start: %s", status.err_msg);
    }
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config); // no environment, no user folder, no signal handlers
    config.write_bytecode = 0;
    status = PyConfig_SetBytesString(&config, &config.program_name, PS_PYTHON_PROGRAM);
    if (!PyStatus_Exception(status)) {
        status = Py_InitializeFromConfig(&config);
    }
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status)) {
        return ps_fail(PS_ERR_INTERNAL, diag, "Python", NULL,
                       "cannot start: %s; is the Python standard library installed?",
                       status.err_msg != NULL ? status.err_msg : "unknown reason");
    }
    return PS_OK;
}

static PyObject *run_prelude(PsWorker *worker) {
    PyObject *space = PyDict_New();
    PyObject *ship = ps_worker_ship_new(worker);
    PyObject *code = Py_CompileString(ps_worker_prelude, "<penstock>", Py_file_input);
    PyObject *done = NULL;
    if (space != NULL && ship != NULL && code != NULL &&
        PyDict_SetItemString(space, "__builtins__", PyEval_GetBuiltins()) == 0 &&
        PyDict_SetItemString(space, "__name__", Py_BuildValue("s", "penstock")) == 0 &&
        PyDict_SetItemString(space, "ship", ship) == 0) {
        done = PyEval_EvalCode(code, space, space);
    }
    if (done == NULL) {
        Py_CLEAR(space);
    }
    Py_XDECREF(done);
    Py_XDECREF(code);
    Py_XDECREF(ship);
    return space;
}

// What a call with thousands of values takes and gives back would otherwise go to the system at its
// end, and come anew, page by page, with the next one.
static void keep_memory_of_calls(void) {
    (void)mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
    (void)mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
}

PsErr ps_worker_warm(PsWorker *worker, PsDiag *diag) {
    keep_memory_of_calls();
    *worker = (PsWorker){.socket.fd = -1};
    PsErr err = start_python(diag);
    if (err != PS_OK) {
        return err;
    }
    worker->prelude = run_prelude(worker);
    bool ok = worker->prelude != NULL && ps_worker_groups_init(&worker->groups, worker->prelude) &&
              ps_worker_alarms_init(&worker->alarms);
    PyObject *streams = ok ? PyDict_GetItemString(worker->prelude, "unfinished") : NULL;
    worker->unfinished = Py_XNewRef(streams);
    worker->parameters = PyDict_New();
    worker->callbacks = PyDict_New();
    if (worker->unfinished == NULL || !PyList_CheckExact(worker->unfinished) ||
        worker->parameters == NULL || worker->callbacks == NULL) {
        PyErr_Print();
        return ps_fail(PS_ERR_INTERNAL, diag, "Python", NULL,
                       "its standard library cannot be loaded; see the lines above");
    }
    return PS_OK;
}

static void send_out(PsWorker *worker) {
    ps_worker_socket_send(&worker->socket, &(PsPiece){worker->out.data, worker->out.len}, 1);
}

static PyObject *value_object(PsValue value) {
    return value.kind == PS_VALUE_TEXT
               ? PyUnicode_DecodeUTF8(value.text, (Py_ssize_t)value.text_len, "replace")
               : PyLong_FromLongLong(value.integer);
}

static bool read_parameters(PsWorker *worker, uint32_t count, PsReader *reader) {
    for (uint32_t i = 0; i < count; i++) {
        PsWireText name;
        PsValue value;
        PsErr err = ps_wire_get_parameter(reader, &name, &value);
        PS_ASSERT(err == PS_OK); // the gateway is of the same build
        PyObject *key = PyUnicode_DecodeUTF8(name.data, (Py_ssize_t)name.len, "replace");
        PyObject *object = value_object(value);
        bool ok =
            key != NULL && object != NULL && PyDict_SetItem(worker->parameters, key, object) == 0;
        Py_XDECREF(key);
        Py_XDECREF(object);
        if (!ok) {
            return false;
        }
    }
    return true;
}

static bool build_module(PsWorker *worker, const PsWireBuild *build) {
    int most = build->kind == PS_SCRIPT_PUBLISH ? PUBLISH_ARGUMENTS : SUBSCRIBE_ARGUMENTS;
    PyObject *function = PyDict_GetItemString(worker->prelude, "build"); // borrowed
    PyObject *pair = PyObject_CallFunction(function, "y#s#i", build->source.data,
                                           (Py_ssize_t)build->source.len, build->main_function.data,
                                           (Py_ssize_t)build->main_function.len, most);
    bool ok = pair != NULL && PyArg_ParseTuple(pair, "Oi", &worker->entry, &worker->arity);
    if (ok) {
        Py_INCREF(worker->entry);
    }
    Py_XDECREF(pair);
    return ok;
}

static void take_name(PsWorker *worker, PsWireText name) {
    snprintf(worker->name, sizeof worker->name, "%.*s", (int)name.len, name.data);
    char title[16]; // what the kernel keeps
    snprintf(title, sizeof title, "ps:%.*s", (int)name.len, name.data);
    prctl(PR_SET_NAME, title);
}

static void drain_output(PsWorker *worker) {
    if (PyList_GET_SIZE(worker->unfinished) == 0) {
        return;
    }
    PyObject *done = PyObject_CallNoArgs(PyDict_GetItemString(worker->prelude, "drain"));
    Py_XDECREF(done);
    PyErr_Clear();
}

static void on_build(PsWorker *worker, const PsWireFrame *frame) {
    PsWireBuild build;
    PsReader parameters;
    PsErr err = ps_wire_get_build(frame, &build, &parameters);
    PS_ASSERT(err == PS_OK);
    worker->kind = build.kind;
    snprintf(worker->boot, sizeof worker->boot, "%.*s", (int)build.boot.len, build.boot.data);
    take_name(worker, build.name);
    PS_AUTO_BUF PsBuf error = {0};
    worker->api = ps_wizard_api_new(worker, build.aws != 0);
    bool ok = worker->api != NULL && read_parameters(worker, build.parameter_count, &parameters) &&
              build_module(worker, &build);
    if (!ok) {
        ps_worker_describe_build(worker, &error);
    }
    drain_output(worker);
    PsWireBuilt built = {.ok = ok, .error = {(const char *)error.data, (uint32_t)error.len}};
    ps_buf_clear(&worker->out);
    ps_wire_put_built(&worker->out, built);
    send_out(worker);
}

static void on_settings(PsWorker *worker, const PsWireFrame *frame) {
    PsWireSettings settings;
    PsReader parameters;
    PsErr err = ps_wire_get_settings(frame, &settings, &parameters);
    PS_ASSERT(err == PS_OK);
    take_name(worker, settings.name);
    PyDict_Clear(worker->parameters);
    if (!read_parameters(worker, settings.parameter_count, &parameters)) {
        PS_AUTO_BUF PsBuf error = {0};
        ps_worker_report_exception(worker, &error);
    }
}

static void on_names(PsWorker *worker, const PsWireFrame *frame) {
    bool ok = frame->type == PS_WIRE_SCHEMA ? ps_worker_groups_add(&worker->groups, frame)
                                            : ps_worker_alarms_add(&worker->alarms, frame);
    if (!ok) {
        PS_AUTO_BUF PsBuf error = {0};
        ps_worker_report_exception(worker, &error);
    }
}

// Ends the call in the gateway's eyes. `error` names the failure, NULL when there was none.
static void send_done(PsWorker *worker, const PsBuf *error, const PsPayload *returned) {
    PS_AUTO_BUF PsBuf done = {0};
    PsWireDone end = {.ok = error == NULL, .used_sequence = worker->sequence_used};
    worker->sequence_used = false;
    if (error != NULL) {
        end.error = (PsWireText){(const char *)error->data, (uint32_t)error->len};
    }
    ps_wire_put_done(&done, end);
    ps_buf_clear(&worker->out);
    size_t payload_len = 0;
    if (returned != NULL) {
        // The payload is not copied behind its head; its length is counted in by hand.
        payload_len = returned->len;
        ps_buf_put_u32(&worker->out, (uint32_t)payload_len);
        ps_buf_put_u8(&worker->out, PS_WIRE_RETURN);
    }
    PsPiece pieces[] = {{worker->out.data, worker->out.len},
                        {returned != NULL ? returned->data : NULL, payload_len},
                        {done.data, done.len}};
    ps_worker_socket_send(&worker->socket, pieces, PS_COUNT(pieces));
}

// Takes the reference over. NULL stands for the exception that is pending.
static void finish_call(PsWorker *worker, PyObject *returned, bool publishes) {
    PS_AUTO_BUF PsBuf error = {0};
    PsPayload payload = {0};
    bool has_payload = publishes && returned != NULL && returned != Py_None;
    bool ok = returned != NULL && (!has_payload || ps_payload_take(worker, returned, &payload));
    if (!ok) {
        ps_worker_report_exception(worker, &error);
    }
    Py_XDECREF(returned);
    drain_output(worker);
    send_done(worker, ok ? NULL : &error, ok && has_payload ? &payload : NULL);
    ps_payload_deinit(worker, &payload);
}

static void on_data(PsWorker *worker, const PsWireFrame *frame) {
    PsReader reader = ps_reader(frame->body, frame->len);
    worker->link = ps_reader_u8(&reader) != 0;
    PyObject *data = frame->type == PS_WIRE_DATA
                         ? ps_worker_data_collect(&worker->groups, &reader)
                         : ps_worker_alarm_collect(&worker->alarms, &worker->groups, &reader);
    PyObject *returned = NULL;
    if (data != NULL) {
        PyObject *args[] = {data, worker->api};
        returned = PyObject_Vectorcall(worker->entry, args, (size_t)worker->arity, NULL);
    }
    finish_call(worker, returned, true);
    Py_XDECREF(data); // after the answer is out: nobody waits for the dict to go
}

static PyObject *message_payload(const uint8_t *bytes, size_t len) {
    PyObject *payload = PyUnicode_DecodeUTF8((const char *)bytes, (Py_ssize_t)len, NULL);
    if (payload == NULL && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
        PyErr_Clear();
        payload = PyBytes_FromStringAndSize((const char *)bytes, (Py_ssize_t)len);
    }
    return payload;
}

static void on_message(PsWorker *worker, const PsWireFrame *frame) {
    PsReader reader = ps_reader(frame->body, frame->len);
    worker->link = ps_reader_u8(&reader) != 0;
    size_t topic_len = 0;
    size_t len = 0;
    const uint8_t *topic_bytes = ps_reader_bytes(&reader, &topic_len);
    const uint8_t *bytes = ps_reader_bytes(&reader, &len);
    PS_ASSERT(ps_reader_done(&reader));
    PyObject *topic =
        PyUnicode_DecodeUTF8((const char *)topic_bytes, (Py_ssize_t)topic_len, "replace");
    PyObject *payload = message_payload(bytes, len);
    PyObject *returned = NULL;
    if (topic != NULL && payload != NULL) {
        PyObject *args[] = {topic, payload, worker->api};
        returned = PyObject_Vectorcall(worker->entry, args, (size_t)worker->arity, NULL);
    }
    Py_XDECREF(topic);
    Py_XDECREF(payload);
    finish_call(worker, returned, false);
}

static void on_reply(PsWorker *worker, const PsWireFrame *frame) {
    PsReader reader = ps_reader(frame->body, frame->len);
    worker->link = ps_reader_u8(&reader) != 0;
    bool ok = ps_callbacks_reply(worker, &reader);
    finish_call(worker, ok ? Py_NewRef(Py_None) : NULL, false);
}

static void on_sequence(PsWorker *worker, const PsWireFrame *frame) {
    PsReader reader = ps_reader(frame->body, frame->len);
    worker->sequence = ps_reader_u64(&reader);
    PS_ASSERT(ps_reader_done(&reader));
}

static void on_quit(PsWorker *worker, const PsWireFrame *frame) {
    _exit(0);
}

typedef void Handler(PsWorker *worker, const PsWireFrame *frame);

static Handler *const handlers[PS_WIRE_TYPE_COUNT] = {
    [PS_WIRE_BUILD] = on_build,       [PS_WIRE_SCHEMA] = on_names, [PS_WIRE_DATA] = on_data,
    [PS_WIRE_ALARM_NAMES] = on_names, [PS_WIRE_ALARMS] = on_data,  [PS_WIRE_MESSAGE] = on_message,
    [PS_WIRE_SEQUENCE] = on_sequence, [PS_WIRE_REPLY] = on_reply,  [PS_WIRE_QUIT] = on_quit,
    [PS_WIRE_SETTINGS] = on_settings,
};

static void start_worker(const PsWorker *worker, const char *scratch, bool network) {
    PyObject *function = PyDict_GetItemString(worker->prelude, "start_worker"); // borrowed
    PyObject *started =
        PyObject_CallFunction(function, "zO", scratch, network ? Py_True : Py_False);
    Py_XDECREF(started);
    PyErr_Clear(); // without the dump a hung script is still killed, only its line is not known
}

_Noreturn void ps_worker_run(PsWorker *worker, int fd, const char *scratch, bool network) {
    ps_worker_socket_init(&worker->socket, fd);
    worker->pid = getpid();
    worker->thread = PyThread_get_thread_ident();
    start_worker(worker, scratch, network);
    for (;;) {
        PsWireFrame frame;
        Py_BEGIN_ALLOW_THREADS;
        frame = ps_worker_socket_receive(&worker->socket);
        Py_END_ALLOW_THREADS;
        PS_ASSERT(handlers[frame.type] != NULL);
        handlers[frame.type](worker, &frame);
        if (getpid() != worker->pid) {
            _exit(0); // a fork the script made (no filter) and let return; the original goes on
        }
    }
}
