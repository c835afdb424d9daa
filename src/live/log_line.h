//! Kept log lines taken apart and chosen. Pure; bytes of any kind may be given.
#pragma once

#include "base/log.h"
#include "base/time.h"
#include "live/search.h"

typedef struct PsLogPiece {
    const char *data; ///< borrowed from the line, not NUL-terminated
    size_t len;
} PsLogPiece;

typedef struct PsLogLine {
    PsWall time; ///< zero when the line has no mark
    PsLogLevel level;
    PsLogPiece script; ///< name of the message whose script said it, empty for others
    PsLogPiece source; ///< "link.c", "<string>"
    int line;          ///< of the source
    PsLogPiece text;
    PsLogPiece whole; ///< as in the log file
} PsLogLine;

/// The next line of ps_log_copy_marked's text from *at on, which moves behind it; false at the end.
/// One that is not of the log's form is level INFO and all text.
bool ps_log_line_next(const char *text, size_t len, size_t *at, PsLogLine *ret_line);

typedef struct PsLogQuery {
    PsLogLevel level;   ///< at least
    const char *source; ///< exactly; NULL: any
    const char *script; ///< exactly; NULL: any
    PsSearch search;    ///< in the text
} PsLogQuery;

bool ps_log_line_matches(const PsLogLine *line, const PsLogQuery *query);

/// The level of this name, whatever the case; false for others.
bool ps_log_level_of(const char *name, PsLogLevel *ret_level);
