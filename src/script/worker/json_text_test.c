// The encoder against CPython's own json.dumps, on random values and on those at the edges.
#include "script/worker/json_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define ROUNDS 20000

// values(seed): values of every kind the encoder knows, nested, with keys and strings of every
// width. expected(value): what json.dumps makes of it, NaN and Infinity as null.
static const char helper[] =
    "import json, math, random, struct\n"
    "def number(r):\n"
    "    return r.choice([0, 1, -1, 2**31, 2**63 - 1, -2**63, r.getrandbits(r.randint(1, 63)),\n"
    "                     -r.getrandbits(r.randint(1, 63))])\n"
    "def real(r):\n"
    "    bits = struct.unpack('<d', r.randbytes(8))[0]\n"
    "    return r.choice([bits, 0.0, -0.0, 1e16, 1e-5, 1e22, 5e-324, 1.7976931348623157e308, 0.1,\n"
    "                     math.nan, math.inf, -math.inf, float(r.randint(-10**6, 10**6)),\n"
    "                     round(r.uniform(-1000, 1000), r.randint(0, 6))])\n"
    "def text(r):\n"
    "    top = r.choice([0x7f, 0x80, 0xff, 0xffff, 0x10ffff])\n"
    "    some = ''.join(chr(r.randint(0, top)) for _ in range(r.randint(0, 12)))\n"
    "    some = ''.join(c for c in some if not 0xd800 <= ord(c) < 0xe000)\n" // half characters
    "    some *= r.choice([1] * 50 + [400])\n" // longer than what is encoded at once
    "    return some + r.choice(['', '\"', '\\\\', '\\n\\r\\t\\f\\b', '\\x00', '\\x7f', '\\x1f',\n"
    "                            '\\u2028', '\\ud7ff\\ue000', '\\U0001f600'])\n"
    "def value(r, depth):\n"
    "    kind = r.randint(0, 7 if depth else 4)\n"
    "    if kind == 0: return number(r)\n"
    "    if kind == 1: return real(r)\n"
    "    if kind == 2: return text(r)\n"
    "    if kind == 3: return r.choice([None, True, False])\n"
    "    if kind == 4: return r.choice([[], (), {}, ''])\n"
    "    items = [value(r, depth - 1) for _ in range(r.randint(0, 5))]\n"
    "    if kind == 5: return items\n"
    "    if kind == 6: return tuple(items)\n"
    "    return {text(r): item for item in items}\n"
    "def finite(v):\n"
    "    if isinstance(v, float) and not math.isfinite(v): return None\n"
    "    if isinstance(v, (list, tuple)): return [finite(item) for item in v]\n"
    "    if isinstance(v, dict): return {key: finite(item) for key, item in v.items()}\n"
    "    return v\n"
    "def expected(v): return json.dumps(finite(v), allow_nan=False)\n"
    "def nested(depth):\n"
    "    v = 1\n"
    "    for _ in range(depth): v = [v]\n"
    "    return v\n"
    "class Text(str): pass\n"
    "class Number(int): pass\n"
    "loop = []\n"
    "loop.append(loop)\n"
    "left = [{1: 2}, {None: 1}, {Text('a'): 1}, [Text('a')], [Number(1)], [2**63], [-2**63 - 1],\n"
    "        [b'x'], '\\ud800', ['a\\udfff'], {'\\udfff\\ud800': 1}, [{1}], [object()], [1j], "
    "loop, nested(DEPTH + 1), {'a': nested(DEPTH)}]\n";

static int start_python(void **state) {
    Py_InitializeEx(0);
    PyObject *space = PyDict_New();
    PyObject *depth = PyLong_FromLong(PS_JSON_TEXT_DEPTH);
    PyDict_SetItemString(space, "__builtins__", PyEval_GetBuiltins());
    PyDict_SetItemString(space, "DEPTH", depth);
    Py_DECREF(depth);
    PyObject *done = PyRun_String(helper, Py_file_input, space, space);
    if (done == NULL) {
        PyErr_Print();
        return -1;
    }
    Py_DECREF(done);
    *state = space;
    return 0;
}

static int stop_python(void **state) {
    Py_DECREF((PyObject *)*state);
    return Py_FinalizeEx();
}

static PyObject *eval(PyObject *space, const char *expression) {
    PyObject *result = PyRun_String(expression, Py_eval_input, space, space);
    if (result == NULL) {
        PyErr_Print();
        fail_msg("%s failed", expression);
    }
    return result;
}

static void assert_same_text(PyObject *space, PyObject *value, PsBuf *out) {
    PyObject *text = PyObject_CallOneArg(PyDict_GetItemString(space, "expected"), value);
    assert_non_null(text);
    ps_buf_clear(out);
    assert_true(ps_json_text(value, out));
    assert_null(PyErr_Occurred());
    assert_string_equal((const char *)out->data, PyUnicode_AsUTF8(text));
    Py_DECREF(text);
}

static void random_values_have_the_text_of_json_dumps(void **state) {
    PyObject *space = *state;
    PyObject *random = eval(space, "random.Random(20201224)");
    PyObject *make = PyDict_GetItemString(space, "value");
    PS_AUTO_BUF PsBuf out = {0};
    for (int i = 0; i < ROUNDS; i++) {
        PyObject *value = PyObject_CallFunction(make, "Oi", random, 4);
        assert_non_null(value);
        assert_same_text(space, value, &out);
        Py_DECREF(value);
    }
    Py_DECREF(random);
}

// Characters are taken eight at a time: every one in every place among others.
static void every_character_is_found_in_every_place(void **state) {
    PyObject *texts = eval(*state, "['abcdefghijklmnop'[:at] + chr(c) + 'abcdefghijklmnop'[at:]"
                                   " for at in range(17) for c in range(256)]");
    PS_AUTO_BUF PsBuf out = {0};
    for (Py_ssize_t i = 0; i < PyList_Size(texts); i++) {
        assert_same_text(*state, PyList_GetItem(texts, i), &out);
    }
    Py_DECREF(texts);
}

// Those with few decimals have a way of their own; their neighbours must not take it.
static void rounded_numbers_and_their_neighbours(void **state) {
    PyObject *random = eval(*state, "random.Random(20261126)");
    PyDict_SetItemString(*state, "r", random);
    PyObject *numbers = eval(
        *state, "[w for _ in range(20000) for v in [r.randint(-10**r.randint(1, 14),"
                " 10**r.randint(1, 14)) / 10**r.randint(0, 6)]"
                " for w in (v, math.nextafter(v, math.inf), math.nextafter(v, -math.inf))]"
                " + [s * w for s in (1, -1) for v in (0.0, 1e9, 999999999.9999, 0.0001, 1e-4, 5e-5,"
                " 0.00005, 0.3, 0.1 + 0.2, 1.005, 2.675, 1234.5, 4503599627370496.5)"
                " for w in (v, math.nextafter(v, 2 * v + 1), math.nextafter(v, -1))]");
    PS_AUTO_BUF PsBuf out = {0};
    assert_same_text(*state, numbers, &out);
    Py_DECREF(numbers);
    Py_DECREF(random);
}

static void the_deepest_nesting_is_still_encoded(void **state) {
    PyObject *value = eval(*state, "nested(DEPTH - 1)");
    PS_AUTO_BUF PsBuf out = {0};
    assert_same_text(*state, value, &out);
    Py_DECREF(value);
}

static void other_values_are_left_to_python(void **state) {
    PyObject *left = PyDict_GetItemString(*state, "left"); // borrowed
    for (Py_ssize_t i = 0; i < PyList_Size(left); i++) {
        PS_AUTO_BUF PsBuf out = {0};
        assert_false(ps_json_text(PyList_GetItem(left, i), &out));
        assert_null(PyErr_Occurred());
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_values_have_the_text_of_json_dumps),
        cmocka_unit_test(every_character_is_found_in_every_place),
        cmocka_unit_test(rounded_numbers_and_their_neighbours),
        cmocka_unit_test(the_deepest_nesting_is_still_encoded),
        cmocka_unit_test(other_values_are_left_to_python),
    };
    return cmocka_run_group_tests(tests, start_python, stop_python);
}
