//! The console's files: everything below one folder, by the names in the path. Blocking reads of
//! small local files, main thread.
#pragma once

#include "http/target.h"
#include "localcloud/rest/rest.h"

/// Answers GET of /, /console, and /console/… ("index.html" for a folder's name). False: the path
/// is not the console's. `ret_location` is set when the browser is to go elsewhere.
bool ps_files_answer(const char *dir, const PsTarget *target, PsRestAnswer *answer,
                     const char **ret_location);
