//! The gateway's log: one line format, a level that changes at run time, and the newest lines
//! kept in memory for `penstock log`. All calls are safe from every thread; a disabled level
//! costs one comparison and its arguments are still type-checked.
//!
//! Line: `[2026-01-31 12:00:00,123] [INFO] [link.c 120]: LINK-UP: text` - the format of Device
//! Supervisor 1.x, so that a script's output is found by searching `<string> 6`.
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum PsLogLevel {
    PS_LOG_DEBUG,
    PS_LOG_INFO,
    PS_LOG_WARNING,
    PS_LOG_ERROR,
} PsLogLevel;

/// "DEBUG", "INFO", "WARNING", "ERROR". Never NULL.
const char *ps_log_level_name(PsLogLevel level);

/// Log macros: a stable id for searching (`"LINK-UP"`, or NULL where the text itself is fixed by
/// the Device Supervisor contract), then a printf text that names the object.
#define PS_LOGD(id, ...) PS_LOG_AT(PS_LOG_DEBUG, id, __VA_ARGS__)
#define PS_LOGI(id, ...) PS_LOG_AT(PS_LOG_INFO, id, __VA_ARGS__)
#define PS_LOGW(id, ...) PS_LOG_AT(PS_LOG_WARNING, id, __VA_ARGS__)
#define PS_LOGE(id, ...) PS_LOG_AT(PS_LOG_ERROR, id, __VA_ARGS__)

#define PS_LOG_AT(level, id, ...)                                                                  \
    do {                                                                                           \
        if ((level) >= ps_log_level()) {                                                           \
            ps_log_write(level, __FILE__, __LINE__, id, __VA_ARGS__);                              \
        }                                                                                          \
    } while (0)

void ps_log_set_level(PsLogLevel level);
PsLogLevel ps_log_level(void);

/// Use the macros. `file` is cut to its base name.
void ps_log_write(PsLogLevel level, const char *file, int line, const char *id, const char *fmt,
                  ...) PS_PRINTF(5, 6);

/// A line that belongs to a script: `script` is the name of its message, which the line itself does
/// not show; `file` and `line` as Python saw them, `text` of any length (cut at PS_LOG_TEXT_MAX
/// with a mark). Shown whatever the level when `always` is set.
void ps_log_script(PsLogLevel level, bool always, const char *script, const char *file, int line,
                   const char *text, size_t len);

/// Longest text of one line; the rest is cut and the cut is marked.
#define PS_LOG_TEXT_MAX ((size_t)8 * 1024)

/// Called after each line with its sequence number, under no lock, on the thread that logged.
typedef void PsLogListener(uint64_t sequence, void *ctx);
void ps_log_set_listener(PsLogListener *listener, void *ctx);

/// Copies kept lines with sequence > `after` into `out` (NUL-terminated, newline after each),
/// oldest first, as many as fit in `size`. Returns the sequence of the last line copied, or
/// `after` when there is none.
uint64_t ps_log_copy(uint64_t after, char *out, size_t size);

/// The same with a mark before each line: 0x01, milliseconds since 1970 as digits, 0x02, the name
/// of the script's message or nothing, 0x03. No line has such bytes itself.
uint64_t ps_log_copy_marked(uint64_t after, char *out, size_t size);
/// The newest line's number, 0 before the first.
uint64_t ps_log_last(void);

/// Where lines also go; stderr at start. -1 keeps them in memory only. Borrowed.
void ps_log_set_fd(int fd);
