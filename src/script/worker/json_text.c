// Plain Python objects to JSON text. Walks the objects without calling back into Python, so nothing
// can change under it. The thread that holds the interpreter lock.
#include "script/worker/json_text.h"

#include <math.h>
#include <string.h>

static bool put_any(PyObject *object, PsBuf *out, int depth);

static void put_literal(PsBuf *out, const char *text) {
    ps_buf_put(out, text, strlen(text));
}

static bool is_plain(Py_UCS4 c) {
    return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

static void put_hex_escape(PsBuf *out, unsigned unit) {
    static const char digits[] = "0123456789abcdef";
    char escape[6] = {'\\',
                      'u',
                      digits[unit >> 12 & 0xF],
                      digits[unit >> 8 & 0xF],
                      digits[unit >> 4 & 0xF],
                      digits[unit & 0xF]};
    ps_buf_put(out, escape, sizeof escape);
}

// Everything outside printable ASCII is escaped (json.dumps: ensure_ascii), characters above
// U+FFFF as two surrogates (RFC 8259, section 7).
static void put_escaped(PsBuf *out, Py_UCS4 c) {
    static const struct {
        char byte;
        const char *escape;
    } short_escapes[] = {{'"', "\\\""}, {'\\', "\\\\"}, {'\n', "\\n"}, {'\r', "\\r"},
                         {'\t', "\\t"}, {'\f', "\\f"},  {'\b', "\\b"}};
    for (size_t i = 0; i < PS_COUNT(short_escapes); i++) {
        if (c == (Py_UCS4)short_escapes[i].byte) {
            put_literal(out, short_escapes[i].escape);
            return;
        }
    }
    if (c > 0xFFFF) {
        put_hex_escape(out, 0xD800 + ((c - 0x10000) >> 10));
        put_hex_escape(out, 0xDC00 + ((c - 0x10000) & 0x3FF));
    } else {
        put_hex_escape(out, c);
    }
}

// False for half a character (a lone surrogate): no reader of UTF-8 takes it.
static bool put_string(PyObject *text, PsBuf *out) {
    Py_ssize_t len = PyUnicode_GET_LENGTH(text);
    ps_buf_put_u8(out, '"');
    if (PyUnicode_IS_ASCII(text)) {
        const char *bytes = PyUnicode_DATA(text);
        Py_ssize_t start = 0;
        for (Py_ssize_t i = 0; i < len; i++) {
            if (!is_plain((unsigned char)bytes[i])) {
                ps_buf_put(out, bytes + start, (size_t)(i - start));
                put_escaped(out, (unsigned char)bytes[i]);
                start = i + 1;
            }
        }
        ps_buf_put(out, bytes + start, (size_t)(len - start));
    } else {
        int kind = PyUnicode_KIND(text);
        const void *data = PyUnicode_DATA(text);
        for (Py_ssize_t i = 0; i < len; i++) {
            Py_UCS4 c = PyUnicode_READ(kind, data, i);
            if (is_plain(c)) {
                ps_buf_put_u8(out, (uint8_t)c);
            } else if (Py_UNICODE_IS_SURROGATE(c)) {
                return false;
            } else {
                put_escaped(out, c);
            }
        }
    }
    ps_buf_put_u8(out, '"');
    return true;
}

static bool put_integer(PyObject *object, PsBuf *out) {
    int overflow = 0;
    long long value = PyLong_AsLongLongAndOverflow(object, &overflow);
    if (overflow != 0) {
        return false;
    }
    char digits[24];
    size_t at = sizeof digits;
    unsigned long long rest =
        value < 0 ? 0ULL - (unsigned long long)value : (unsigned long long)value;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0) {
        digits[--at] = '-';
    }
    ps_buf_put(out, digits + at, sizeof digits - at);
    return true;
}

static bool put_float(double value, PsBuf *out) {
    if (!isfinite(value)) {
        put_literal(out, "null"); // strict JSON has no NaN or Infinity, and AWS refuses them
        return true;
    }
    char *text = PyOS_double_to_string(value, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
    if (text == NULL) {
        PyErr_Clear();
        return false;
    }
    put_literal(out, text);
    PyMem_Free(text);
    return true;
}

static bool put_sequence(PyObject *object, PsBuf *out, int depth) {
    Py_ssize_t count = PySequence_Fast_GET_SIZE(object);
    PyObject **items = PySequence_Fast_ITEMS(object);
    ps_buf_put_u8(out, '[');
    for (Py_ssize_t i = 0; i < count; i++) {
        if (i > 0) {
            put_literal(out, ", ");
        }
        if (!put_any(items[i], out, depth)) {
            return false;
        }
    }
    ps_buf_put_u8(out, ']');
    return true;
}

static bool put_dict(PyObject *object, PsBuf *out, int depth) {
    Py_ssize_t at = 0;
    PyObject *key = NULL;
    PyObject *value = NULL;
    bool first = true;
    ps_buf_put_u8(out, '{');
    while (PyDict_Next(object, &at, &key, &value)) {
        if (!PyUnicode_CheckExact(key)) {
            return false;
        }
        if (!first) {
            put_literal(out, ", ");
        }
        first = false;
        if (!put_string(key, out)) {
            return false;
        }
        put_literal(out, ": ");
        if (!put_any(value, out, depth)) {
            return false;
        }
    }
    ps_buf_put_u8(out, '}');
    return true;
}

static bool put_any(PyObject *object, PsBuf *out, int depth) {
    if (depth == 0) {
        return false;
    }
    if (PyUnicode_CheckExact(object)) {
        return put_string(object, out);
    }
    if (PyLong_CheckExact(object)) {
        return put_integer(object, out);
    }
    if (PyFloat_CheckExact(object)) {
        return put_float(PyFloat_AS_DOUBLE(object), out);
    }
    if (PyDict_CheckExact(object)) {
        return put_dict(object, out, depth - 1);
    }
    if (PyList_CheckExact(object) || PyTuple_CheckExact(object)) {
        return put_sequence(object, out, depth - 1);
    }
    if (object == Py_None || object == Py_True || object == Py_False) {
        put_literal(out, object == Py_None ? "null" : object == Py_True ? "true" : "false");
        return true;
    }
    return false;
}

bool ps_json_text(PyObject *object, PsBuf *out) {
    return put_any(object, out, PS_JSON_TEXT_DEPTH);
}
