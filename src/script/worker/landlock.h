//! The files a worker may open (Landlock, docs/decisions/0009): Python and its packages, a few
//! files of the system, its own scratch folder; nothing else, whoever owns it. Called in
//! penstock-script and in the fresh fork.
#pragma once

#include <Python.h>
#include <stdbool.h>

/// The kernel's Landlock version, 0 when there is none.
int ps_landlock_version(void);
/// From here on the calling thread is held. Readable are, besides the built-in list, the folders in
/// `import_path` (sys.path); writable is `scratch` alone (NULL: nothing). `network`: connections
/// out are allowed. Needs no_new_privs. False with errno when the kernel refuses.
bool ps_landlock_set(int version, PyObject *import_path, const char *scratch, bool network);
