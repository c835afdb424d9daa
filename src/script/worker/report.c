// Log lines and exceptions of a script, as frames. Lock held; sending may wait for the gateway.
#include "script/worker/report.h"

#include "base/log.h"

#include <string.h>

#define FILE_NAME_MAX 200
// Room for the mark, and for ps_log_script's own allowance.
#define TEXT_KEPT (PS_LOG_TEXT_MAX - 256)
#define SUMMARY_MAX ((size_t)2000)
#define TRACEBACK_LINES_MAX 60
#define TRACEBACK_MAX ((size_t)4000) // of what goes with the end of a call
#define SCRIPT_FILE "<string>"

// The longest part of at most `max` bytes that does not end inside a character.
static size_t cut_utf8(const char *text, size_t len, size_t max) {
    if (len <= max) {
        return len;
    }
    while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80) {
        max--;
    }
    return max;
}

void ps_worker_log(PsWorker *worker, int level, bool always, const char *file, uint32_t line,
                   const char *text, size_t len) {
    if (worker->socket.fd < 0) {
        return; // before the first fork there is nobody to tell
    }
    size_t kept = cut_utf8(text, len, TEXT_KEPT);
    PsBuf cut = {0};
    if (kept < len) {
        ps_buf_put(&cut, text, kept);
        ps_buf_printf(&cut, " ... (%zu bytes more)", len - kept);
        text = (const char *)cut.data;
        kept = cut.len;
    }
    PsWireLog log = {.level = (uint8_t)level, .always = always, .line = line};
    log.file = (PsWireText){file, (uint32_t)cut_utf8(file, strlen(file), FILE_NAME_MAX)};
    log.text = (PsWireText){text, (uint32_t)kept};
    // A buffer of its own: a script may log from inside a call that is filling worker->out.
    PS_AUTO_BUF PsBuf frame = {0};
    ps_wire_put_log(&frame, log);
    ps_worker_socket_send(&worker->socket, &(PsPiece){frame.data, frame.len}, 1);
    ps_buf_deinit(&cut);
}

static int level_of(int python_level) {
    static const int floors[] = {40, 30, 20};
    static const PsLogLevel levels[] = {PS_LOG_ERROR, PS_LOG_WARNING, PS_LOG_INFO};
    for (size_t i = 0; i < PS_COUNT(floors); i++) {
        if (python_level >= floors[i]) {
            return levels[i];
        }
    }
    return PS_LOG_DEBUG;
}

// Lone surrogates have no UTF-8 form; they are shown escaped.
static PyObject *utf8_of(PyObject *text) {
    return PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
}

static PyObject *ship(PyObject *self, PyObject *args) {
    PsWorker *worker = PyCapsule_GetPointer(self, NULL);
    int level = 0;
    int always = 0;
    PyObject *file = NULL;
    unsigned int line = 0;
    PyObject *text = NULL;
    if (worker == NULL || !PyArg_ParseTuple(args, "ipUIU", &level, &always, &file, &line, &text)) {
        return NULL;
    }
    PyObject *file_bytes = utf8_of(file);
    PyObject *text_bytes = utf8_of(text);
    if (file_bytes != NULL && text_bytes != NULL) {
        ps_worker_log(worker, level_of(level), always != 0, PyBytes_AS_STRING(file_bytes), line,
                      PyBytes_AS_STRING(text_bytes), (size_t)PyBytes_GET_SIZE(text_bytes));
    }
    Py_XDECREF(file_bytes);
    Py_XDECREF(text_bytes);
    if (PyErr_Occurred()) {
        return NULL;
    }
    return Py_NewRef(Py_None);
}

static PyMethodDef ship_method = {"ship", ship, METH_VARARGS, NULL};

PyObject *ps_worker_ship_new(PsWorker *worker) {
    PyObject *capsule = PyCapsule_New(worker, NULL, NULL);
    PyObject *function = capsule != NULL ? PyCFunction_New(&ship_method, capsule) : NULL;
    Py_XDECREF(capsule);
    return function;
}

// The pending exception as one object with its traceback attached; nothing is pending afterwards.
static PyObject *take_exception(void) {
    PyObject *kind = NULL;
    PyObject *value = NULL;
    PyObject *traceback = NULL;
    PyErr_Fetch(&kind, &value, &traceback);
    PyErr_NormalizeException(&kind, &value, &traceback);
    if (value != NULL && traceback != NULL) {
        PyException_SetTraceback(value, traceback);
    }
    Py_XDECREF(kind);
    Py_XDECREF(traceback);
    return value;
}

static PyObject *call_prelude(PsWorker *worker, const char *name, PyObject *argument) {
    PyObject *function = PyDict_GetItemString(worker->prelude, name); // borrowed
    return function != NULL ? PyObject_CallOneArg(function, argument) : NULL;
}

static void put_object_text(PsBuf *out, PyObject *text, size_t max) {
    PyObject *bytes = text != NULL && PyUnicode_Check(text) ? utf8_of(text) : NULL;
    if (bytes != NULL) {
        const char *data = PyBytes_AS_STRING(bytes);
        ps_buf_put(out, data, cut_utf8(data, (size_t)PyBytes_GET_SIZE(bytes), max));
    }
    Py_XDECREF(bytes);
}

static void log_traceback(PsWorker *worker, PyObject *lines, uint32_t line) {
    Py_ssize_t count = PyList_Size(lines);
    for (Py_ssize_t i = 0; i < count && i < TRACEBACK_LINES_MAX; i++) {
        PS_AUTO_BUF PsBuf text = {0};
        put_object_text(&text, PyList_GetItem(lines, i), SUMMARY_MAX);
        ps_worker_log(worker, PS_LOG_ERROR, true, SCRIPT_FILE, line, (const char *)text.data,
                      text.len);
    }
}

// The line at which the main function begins: for what no line of the script raised, as when the
// value it returned cannot be sent. 0 when the function has none. No exception is pending after it.
static unsigned entry_line(const PsWorker *worker) {
    PyObject *code =
        worker->entry != NULL ? PyObject_GetAttrString(worker->entry, "__code__") : NULL;
    PyObject *line = code != NULL ? PyObject_GetAttrString(code, "co_firstlineno") : NULL;
    long number = line != NULL ? PyLong_AsLong(line) : 0;
    Py_XDECREF(line);
    Py_XDECREF(code);
    PyErr_Clear();
    return number > 0 ? (unsigned)number : 0;
}

// Its last lines say most; the first ones go when it is long.
static void put_traceback(PsBuf *out, PyObject *lines) {
    PyObject *separator = PyUnicode_FromString("\n");
    PyObject *text = separator != NULL ? PyUnicode_Join(separator, lines) : NULL;
    PyObject *bytes = text != NULL ? utf8_of(text) : NULL;
    if (bytes != NULL) {
        const char *data = PyBytes_AS_STRING(bytes);
        size_t len = (size_t)PyBytes_GET_SIZE(bytes);
        size_t skipped = len > TRACEBACK_MAX ? len - TRACEBACK_MAX : 0;
        while (skipped > 0 && skipped < len && data[skipped - 1] != '\n') {
            skipped++;
        }
        ps_buf_put_u8(out, '\n');
        ps_buf_put(out, data + skipped, len - skipped);
    }
    PyErr_Clear();
    Py_XDECREF(bytes);
    Py_XDECREF(text);
    Py_XDECREF(separator);
}

void ps_worker_report_exception(PsWorker *worker, PsBuf *out) {
    ps_buf_clear(out);
    PyObject *error = take_exception();
    PyObject *parts = error != NULL ? call_prelude(worker, "describe", error) : NULL;
    unsigned int line = 0;
    PyObject *summary = NULL;
    PyObject *lines = NULL;
    PS_AUTO_BUF PsBuf text = {0};
    ps_buf_printf(&text, "%s: ", worker->name);
    if (parts != NULL && PyArg_ParseTuple(parts, "IOO", &line, &summary, &lines)) {
        put_object_text(out, summary, SUMMARY_MAX);
    } else {
        // The description itself failed: out of memory, or an exception whose str() raises.
        ps_buf_printf(out, "%s (it cannot be described further)",
                      error != NULL ? Py_TYPE(error)->tp_name : "unknown error");
    }
    PyErr_Clear();
    line = line != 0 ? line : entry_line(worker);
    ps_buf_put(&text, out->data, out->len);
    ps_worker_log(worker, PS_LOG_ERROR, true, SCRIPT_FILE, line, (const char *)text.data, text.len);
    if (lines != NULL) {
        log_traceback(worker, lines, line);
        put_traceback(out, lines);
    }
    PyErr_Clear();
    Py_XDECREF(parts);
    Py_XDECREF(error);
}

void ps_worker_describe_build(PsWorker *worker, PsBuf *out) {
    ps_buf_clear(out);
    PyObject *error = take_exception();
    PyObject *text = error != NULL ? call_prelude(worker, "describe_build", error) : NULL;
    put_object_text(out, text, SUMMARY_MAX);
    if (out->len == 0) {
        ps_buf_printf(out, "%s", error != NULL ? Py_TYPE(error)->tp_name : "unknown error");
    }
    PyErr_Clear();
    Py_XDECREF(text);
    Py_XDECREF(error);
}
