// Fuzz target: kept log lines. Whatever the bytes are, lines end, pieces stay inside them, and a
// search looks at no byte behind.
#include "live/log_line.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
    if (!holds) {
        abort();
    }
}

static void must_be_inside(PsLogPiece piece, const char *text, size_t size) {
    must(piece.len == 0 || (piece.data >= text && piece.data + piece.len <= text + size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1); // exactly as long, so that a byte too many is seen
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    PsLogQuery query = {.level = PS_LOG_DEBUG};
    ps_search_init(&query.search, text);
    must(query.search.len <= PS_SEARCH_MAX);
    size_t at = 0;
    size_t before = 0;
    PsLogLine line;
    while (ps_log_line_next(text, size, &at, &line)) {
        must(at > before && at <= size);
        before = at;
        must_be_inside(line.text, text, size);
        must_be_inside(line.source, text, size);
        must_be_inside(line.script, text, size);
        must_be_inside(line.whole, text, size);
        must(line.line >= 0 && line.time.ns >= 0);
        (void)ps_log_line_matches(&line, &query);
    }
    must(at == size);
    free(text);
    return 0;
}
