// GET /log and GET /log/download: the lines that are kept, chosen. Main thread.
#include "base/log.h"
#include "api/handlers_live.h"
#include "api/values.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "live/log_line.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT_DEFAULT 1000
#define MOST_BYTES ((size_t)640 * 1024) // more than all that is kept

static const char *given(const PsApiCall *call, const char *name) {
    const char *text = ps_api_call_text(call, name);
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static PsErr take_query(const PsApiCall *call, PsLogQuery *ret_query, PsDiag *diag) {
    const char *level = given(call, "level");
    *ret_query = (PsLogQuery){.source = given(call, "source"), .script = given(call, "script")};
    ps_search_init(&ret_query->search, given(call, "search"));
    if (level != NULL && !ps_log_level_of(level, &ret_query->level)) {
        return ps_fail(PS_ERR_INVALID, diag, "log", "level",
                       "'%.40s' is none; use DEBUG, INFO, WARNING or ERROR", level);
    }
    return PS_OK;
}

static json_t *piece(PsLogPiece text) {
    return json_stringn(text.data, text.len);
}

static json_t *line_json(const PsLogLine *line, uint64_t sequence) {
    json_t *json = json_object();
    json_object_set_new(json, "seq", json_integer((json_int_t)sequence));
    json_object_set_new(json, "time", ps_api_time(line->time));
    json_object_set_new(json, "level", json_string(ps_log_level_name(line->level)));
    json_object_set_new(json, "source", piece(line->source));
    json_object_set_new(json, "line", json_integer(line->line));
    if (line->script.len > 0) {
        json_object_set_new(json, "script", piece(line->script));
    }
    json_object_set_new(json, "text", piece(line->text));
    return json;
}

typedef struct Kept {
    char *text; // marked, whole lines
    size_t len;
    uint64_t after; // the number before that of the first
    uint64_t last;
} Kept;

static Kept take_kept(uint64_t after) {
    Kept kept = {.text = ps_alloc(MOST_BYTES)};
    kept.last = ps_log_copy_marked(after, kept.text, MOST_BYTES);
    kept.len = strlen(kept.text);
    uint64_t count = 0;
    PsLogLine line;
    for (size_t at = 0; ps_log_line_next(kept.text, kept.len, &at, &line);) {
        count++;
    }
    kept.after = kept.last - count;
    return kept;
}

// The newest `limit` of those that match; they stand in the order in which they were logged.
static json_t *choose(const Kept *kept, const PsLogQuery *query, size_t limit) {
    json_t *lines = json_array();
    uint64_t matching = 0;
    PsLogLine line;
    for (size_t at = 0; ps_log_line_next(kept->text, kept->len, &at, &line);) {
        matching += ps_log_line_matches(&line, query) ? 1 : 0;
    }
    uint64_t skipped = matching > limit ? matching - limit : 0;
    uint64_t sequence = kept->after;
    for (size_t at = 0; ps_log_line_next(kept->text, kept->len, &at, &line);) {
        sequence++;
        if (!ps_log_line_matches(&line, query)) {
            continue;
        }
        if (skipped > 0) {
            skipped--;
        } else {
            json_array_append_new(lines, line_json(&line, sequence));
        }
    }
    return lines;
}

// The lines as they are in the log file: for the command line.
static void reply_raw(PsApiCall *call) {
    char *text = ps_alloc(MOST_BYTES);
    uint64_t last = ps_log_copy((uint64_t)ps_api_call_integer(call, "after", 0), text, MOST_BYTES);
    json_t *json = json_pack("{s:I, s:s}", "last", (json_int_t)last, "text", text);
    free(text);
    ps_api_call_reply(call, json);
}

void ps_api_log(PsApiCall *call) {
    if (ps_api_call_flag(call, "raw")) {
        reply_raw(call);
        return;
    }
    PsLogQuery query;
    PsDiag diag = {0};
    PsErr err = take_query(call, &query, &diag);
    if (err != PS_OK) {
        ps_api_call_fail(call, err, &diag);
        return;
    }
    uint64_t after = (uint64_t)ps_api_call_integer(call, "after", 0);
    size_t limit = (size_t)ps_api_call_integer(call, "limit", LIMIT_DEFAULT);
    Kept kept = take_kept(after);
    json_t *json = json_pack("{s:I, s:o}", "last", (json_int_t)kept.last, "lines",
                             choose(&kept, &query, limit));
    if (after > 0 && kept.after > after) {
        json_object_set_new(json, "missed", json_integer((json_int_t)(kept.after - after)));
    }
    free(kept.text);
    ps_api_call_reply(call, json);
}

void ps_api_log_download(PsApiCall *call) {
    PsLogQuery query;
    PsDiag diag = {0};
    PsErr err = take_query(call, &query, &diag);
    if (err != PS_OK) {
        ps_api_call_fail(call, err, &diag);
        return;
    }
    Kept kept = take_kept(0);
    PS_AUTO_BUF PsBuf text = {0};
    PsLogLine line;
    for (size_t at = 0; ps_log_line_next(kept.text, kept.len, &at, &line);) {
        if (ps_log_line_matches(&line, &query)) {
            ps_buf_put(&text, line.whole.data, line.whole.len);
            ps_buf_put_u8(&text, '\n');
        }
    }
    free(kept.text);
    ps_api_call_put_header(call, "Content-Disposition", "attachment; filename=\"penstock.log\"");
    ps_api_call_reply_bytes(call, "text/plain; charset=utf-8", text.data, text.len);
}
