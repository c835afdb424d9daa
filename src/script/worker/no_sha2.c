// The module _sha2 of a static libpython that names it but lacks its code, as Debian 13's does: it
// cannot be imported. hashlib, hmac and random then take SHA-2 from OpenSSL, which hashlib does
// anyway. Linked only where it is needed; called while a script imports.
#include <Python.h>

PyMODINIT_FUNC PyInit__sha2(void); // called by the table of built-in modules in libpython

PyMODINIT_FUNC PyInit__sha2(void) {
    PyErr_SetString(PyExc_ImportError, "_sha2 is not in this Python; use hashlib");
    return NULL;
}
