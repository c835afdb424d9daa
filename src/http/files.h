//! Static files below one folder, for a page in a browser: types, tags, caching, packed variants
//! beside the files, headers that keep the page to itself. A file is read at its first use
//! (blocking, small local files) and kept; how much is kept is bounded. Loop thread.
#pragma once

#include "http/server.h"
#include "http/target.h"

typedef struct PsHttpFiles PsHttpFiles;

/// Largest file that is served.
#define PS_HTTP_FILE_MAX ((size_t)8 * 1024 * 1024)

/// `dir` NULL: not installed, everything is answered with 404. `policy` is the
/// Content-Security-Policy of the pages. `bytes_max` are kept in memory, the least recently used go
/// first; what is being sent stays. Texts are copied.
PsHttpFiles *ps_http_files_new(const char *dir, const char *policy, size_t bytes_max);
/// Answers under way keep what they need. Accepts NULL.
void ps_http_files_free(PsHttpFiles *files);

/// Answers a GET or HEAD with the file that the target's segments from `from` on name ("index.html"
/// for an empty last one): 200, 304, or 404. No name leads out of the folder; names with a dot in
/// front do not exist.
void ps_http_files_answer(PsHttpFiles *files, PsHttpRequest *request, const PsTarget *target,
                          size_t from);

/// Headers that every answer of a server for browsers should have beside its own: no guessing of
/// types, no embedding elsewhere, no address told to others.
extern const PsHttpHeader ps_http_security_headers[];
#define PS_HTTP_SECURITY_HEADERS 4

/// "text/html; charset=utf-8" by the ending. Pure.
const char *ps_http_type_of(const char *path);
/// Has the name a hash of its content in it ("app-Bx3_k9Qz.js" in a folder "assets"), so that it
/// can be kept for ever? Pure.
bool ps_http_name_is_hashed(const char *path);
