// Plain Python objects to JSON text. Walks the objects without calling back into Python, so nothing
// can change under it. The thread that holds the interpreter lock.
#include "script/worker/json_text.h"

#include <math.h>
#include <string.h>

#define ESCAPED_MAX ((size_t)12) // bytes of the longest escape, two surrogates
#define CHUNK ((Py_ssize_t)1024) // characters of a string that room is made for at once
#define DIGITS_MAX ((size_t)20)  // of 64 bits, with a sign

static bool put_any(PyObject *object, PsBuf *out, int depth);

// Where the next `count` bytes go. The bytes behind `len` are rubbish until the end of the text.
static inline uint8_t *room(PsBuf *out, size_t count) {
    if (out->capacity - out->len <= count) {
        ps_buf_reserve(out, count);
    }
    return out->data + out->len;
}

static inline void put_bytes(PsBuf *out, const char *bytes, size_t len) {
    memcpy(room(out, len), bytes, len);
    out->len += len;
}

#define put_literal(out, text) put_bytes(out, text, sizeof(text) - 1)

static inline bool is_plain(Py_UCS4 c) {
    return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

#define EACH ((uint64_t)0x0101010101010101)

// The same of eight characters at once: the top bit of a byte of each term says that the character
// there is (in this order) not ASCII, below ' ', '"', '\\' or DEL. Bits above the lowest set one
// may be wrong, which only a character that is not plain can cause.
static inline bool are_plain(uint64_t eight) {
    uint64_t quote = eight ^ EACH * '"';
    uint64_t slash = eight ^ EACH * '\\';
    uint64_t del = eight ^ EACH * 0x7F;
    uint64_t odd = eight | (eight - EACH * ' ') | (quote - EACH) | (slash - EACH) | (del - EACH);
    return (odd & EACH * 0x80) == 0;
}

static uint8_t *write_hex_escape(uint8_t *at, unsigned unit) {
    static const char digits[] = "0123456789abcdef";
    const char escape[6] = {'\\',
                            'u',
                            digits[unit >> 12 & 0xF],
                            digits[unit >> 8 & 0xF],
                            digits[unit >> 4 & 0xF],
                            digits[unit & 0xF]};
    memcpy(at, escape, sizeof escape);
    return at + sizeof escape;
}

// Everything outside printable ASCII is escaped (json.dumps: ensure_ascii), characters above
// U+FFFF as two surrogates (RFC 8259, section 7).
static uint8_t *write_escaped(uint8_t *at, Py_UCS4 c) {
    static const struct {
        char byte;
        char letter;
    } short_escapes[] = {{'"', '"'},  {'\\', '\\'}, {'\n', 'n'}, {'\r', 'r'},
                         {'\t', 't'}, {'\f', 'f'},  {'\b', 'b'}};
    for (size_t i = 0; i < PS_COUNT(short_escapes); i++) {
        if (c == (Py_UCS4)short_escapes[i].byte) {
            *at++ = '\\';
            *at++ = (uint8_t)short_escapes[i].letter;
            return at;
        }
    }
    if (c > 0xFFFF) {
        at = write_hex_escape(at, 0xD800 + ((c - 0x10000) >> 10));
        return write_hex_escape(at, 0xDC00 + ((c - 0x10000) & 0x3FF));
    }
    return write_hex_escape(at, c);
}

static void put_ascii(const uint8_t *bytes, Py_ssize_t from, Py_ssize_t to, PsBuf *out) {
    uint8_t *at = room(out, (size_t)(to - from) * ESCAPED_MAX);
    uint64_t eight;
    while (to - from >= (Py_ssize_t)sizeof eight) {
        memcpy(&eight, bytes + from, sizeof eight);
        if (!are_plain(eight)) {
            break;
        }
        memcpy(at, &eight, sizeof eight);
        at += sizeof eight;
        from += sizeof eight;
    }
    for (Py_ssize_t i = from; i < to; i++) {
        if (is_plain(bytes[i])) {
            *at++ = bytes[i];
        } else {
            at = write_escaped(at, bytes[i]);
        }
    }
    out->len = (size_t)(at - out->data);
}

// False for half a character (a lone surrogate): no reader of UTF-8 takes it.
static bool put_wide(PyObject *text, Py_ssize_t from, Py_ssize_t to, PsBuf *out) {
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    uint8_t *at = room(out, (size_t)(to - from) * ESCAPED_MAX);
    for (Py_ssize_t i = from; i < to; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (is_plain(c)) {
            *at++ = (uint8_t)c;
        } else if (Py_UNICODE_IS_SURROGATE(c)) {
            return false;
        } else {
            at = write_escaped(at, c);
        }
    }
    out->len = (size_t)(at - out->data);
    return true;
}

static bool put_string(PyObject *text, PsBuf *out) {
    Py_ssize_t len = PyUnicode_GET_LENGTH(text);
    put_literal(out, "\"");
    for (Py_ssize_t from = 0; from < len; from += CHUNK) {
        Py_ssize_t to = len - from > CHUNK ? from + CHUNK : len;
        if (PyUnicode_IS_ASCII(text)) {
            put_ascii(PyUnicode_DATA(text), from, to, out);
        } else if (!put_wide(text, from, to, out)) {
            return false;
        }
    }
    put_literal(out, "\"");
    return true;
}

// Writes the digits that end at `end`, at least `least` of them, and returns where they begin.
static char *write_digits(char *end, unsigned long long number, int least) {
    for (int written = 0; number > 0 || written < least; written++) {
        *--end = (char)('0' + number % 10);
        number /= 10;
    }
    return end;
}

static bool put_integer(PyObject *object, PsBuf *out) {
    int overflow = 0;
    long long value = PyLong_AsLongLongAndOverflow(object, &overflow);
    if (overflow != 0) {
        return false;
    }
    char digits[DIGITS_MAX];
    char *end = digits + sizeof digits;
    unsigned long long size =
        value < 0 ? 0ULL - (unsigned long long)value : (unsigned long long)value;
    char *at = write_digits(end, size, 1);
    if (value < 0) {
        *--at = '-';
    }
    put_bytes(out, at, (size_t)(end - at));
    return true;
}

// Most numbers of a plant are rounded: a few decimals, as float_repr says. The fewest decimals
// whose number is this very double are what repr writes: below 15 digits no two numbers of the same
// decimals are the same double, the division of two whole doubles is the nearest one to its
// quotient, and repr writes an exponent only below 0.0001. Several times as fast as the way that
// fits all. False for the rest.
static bool put_rounded(double value, PsBuf *out) {
    static const double scales[] = {1, 10, 100, 1000, 10000};
    static const unsigned wholes[] = {1, 10, 100, 1000, 10000};
    double size = fabs(value);
    if (!(size < 1e9) || (value == 0 && signbit(value))) {
        return false;
    }
    for (int decimals = 0; decimals < (int)PS_COUNT(scales); decimals++) {
        unsigned long long scaled = (unsigned long long)(size * scales[decimals] + 0.5);
        if ((double)scaled / scales[decimals] != size) {
            continue;
        }
        char text[DIGITS_MAX];
        char *end = text + sizeof text;
        char *at = write_digits(end, scaled % wholes[decimals], decimals > 0 ? decimals : 1);
        *--at = '.';
        at = write_digits(at, scaled / wholes[decimals], 1);
        if (value < 0) {
            *--at = '-';
        }
        put_bytes(out, at, (size_t)(end - at));
        return true;
    }
    return false;
}

static bool put_float(double value, PsBuf *out) {
    if (put_rounded(value, out)) {
        return true;
    }
    if (!isfinite(value)) {
        put_literal(out, "null"); // strict JSON has no NaN or Infinity, and AWS refuses them
        return true;
    }
    char *text = PyOS_double_to_string(value, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
    if (text == NULL) {
        PyErr_Clear();
        return false;
    }
    put_bytes(out, text, strlen(text));
    PyMem_Free(text);
    return true;
}

static bool put_sequence(PyObject *object, PsBuf *out, int depth) {
    Py_ssize_t count = PySequence_Fast_GET_SIZE(object);
    PyObject **items = PySequence_Fast_ITEMS(object);
    put_literal(out, "[");
    for (Py_ssize_t i = 0; i < count; i++) {
        if (i > 0) {
            put_literal(out, ", ");
        }
        if (!put_any(items[i], out, depth)) {
            return false;
        }
    }
    put_literal(out, "]");
    return true;
}

static bool put_dict(PyObject *object, PsBuf *out, int depth) {
    Py_ssize_t at = 0;
    PyObject *key = NULL;
    PyObject *value = NULL;
    bool first = true;
    put_literal(out, "{");
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
    put_literal(out, "}");
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
        const char *word = object == Py_None ? "null" : object == Py_True ? "true" : "false";
        put_bytes(out, word, strlen(word));
        return true;
    }
    return false;
}

bool ps_json_text(PyObject *object, PsBuf *out) {
    if (!put_any(object, out, PS_JSON_TEXT_DEPTH)) {
        return false;
    }
    *room(out, 1) = '\0';
    return true;
}
