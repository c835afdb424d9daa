//! JSON text of plain Python objects, the same to the byte as json.dumps with its defaults, except
//! that NaN and Infinity become null. Several times faster than the json module because it makes
//! no Python object on the way. The interpreter lock is held.
#pragma once

#include "base/buf.h"

#include <Python.h>

/// Appends the JSON text of `object`. False, with no Python exception set, when it holds something
/// that is left to the json module: a type other than dict (with str keys), list, tuple, str, int
/// of 64 bits, float, bool and None; a subclass of one of them; a str with a lone surrogate; or
/// nesting beyond PS_JSON_TEXT_DEPTH, which also ends circular objects. `out` then holds rubbish.
bool ps_json_text(PyObject *object, PsBuf *out);

#define PS_JSON_TEXT_DEPTH 64
