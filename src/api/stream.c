// Tells each reader what it has not been told: values, alarms, status, log lines. Main thread.
//
// A reader that is slow is passed over until its queue has emptied. What it then gets is the newest
// of the values; of the log it gets what is still kept, and how many lines are not.
#include "api/stream.h"

#include "base/log.h"
#include "base/mem.h"
#include "live/format.h"
#include "live/log_line.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS 100
#define WAITING_MAX ((size_t)64 * 1024) // more is put only when less than this waits
#define PORTION_MAX ((size_t)48 * 1024) // of values or log lines at once
#define LINES_BYTES ((size_t)64 * 1024) // of the kept log looked at, at once
#define BEGIN "retry: 1000\n\n"         // for browsers: how long until they come back
#define SILENCE_NS (10 * PS_NS_PER_S)

struct PsApiStream {
    PsApiLive *live;
    PsApiStream *next;
    PsHttpStream *http;
    PsIdentity identity;
    PsWatchView *view; // NULL: no values
    bool alarms;
    bool status;
    bool log;
    PsLogLevel level;
    uint64_t log_after;
    uint64_t alarms_told;
    uint64_t devices_told;
    uint64_t channels_told;
    bool status_due;
    bool ending; // nothing more is put
    PsMono spoke;
};

// --- putting ------------------------------------------------------------------------------------

static bool has_room(const PsApiStream *stream) {
    return !stream->ending && ps_http_stream_waiting(stream->http) < WAITING_MAX;
}

static void end(PsApiStream *stream) {
    if (!stream->ending) {
        stream->ending = true;
        ps_http_stream_end(stream->http);
    }
}

// What stands in live->out. The queue has room for it: has_room was asked, and portions are small.
static void put(PsApiStream *stream) {
    const PsBuf *out = &stream->live->out;
    if (ps_http_stream_put(stream->http, out->data, out->len) != PS_OK) {
        end(stream); // better anew than with something missing
        return;
    }
    stream->spoke = ps_mono_now();
}

static void begin_event(PsApiStream *stream, const char *name) {
    PsBuf *out = &stream->live->out;
    ps_buf_clear(out);
    ps_live_put_raw(out, "event: ");
    ps_live_put_raw(out, name);
    ps_live_put_raw(out, "\ndata: ");
}

// With the place to go on from, when the reader comes back.
static void end_marked(PsApiStream *stream) {
    ps_buf_printf(&stream->live->out, "\nid: %" PRIx64 "-%" PRIu64 "-%" PRIu64 "\n\n",
                  stream->live->run, stream->log_after, stream->alarms_told);
}

// --- values -------------------------------------------------------------------------------------

static void put_values(PsApiStream *stream) {
    bool more = true;
    while (more && has_room(stream)) {
        begin_event(stream, "values");
        size_t before = stream->live->out.len;
        more = ps_watch_view_put(stream->view, PORTION_MAX, &stream->live->out);
        if (stream->live->out.len == before) {
            return;
        }
        ps_live_put_raw(&stream->live->out, "\n\n");
        put(stream);
    }
}

// --- alarms and status --------------------------------------------------------------------------

static void put_alarms(PsApiStream *stream) {
    PsApiLive *live = stream->live;
    if (stream->alarms_told == live->alarms_version) {
        return;
    }
    stream->alarms_told = live->alarms_version;
    begin_event(stream, "alarms");
    ps_buf_put(&live->out, live->alarms.data, live->alarms.len);
    end_marked(stream);
    put(stream);
}

static void put_status(PsApiStream *stream) {
    PsApiLive *live = stream->live;
    stream->status_due = false;
    begin_event(stream, "status");
    ps_buf_put(&live->out, live->status.data, live->status.len);
    if (stream->devices_told != live->devices_version) {
        stream->devices_told = live->devices_version;
        ps_live_put_raw(&live->out, ",\"devices\":");
        ps_buf_put(&live->out, live->devices_text.data, live->devices_text.len);
    }
    if (stream->channels_told != live->channels_version) {
        stream->channels_told = live->channels_version;
        ps_live_put_raw(&live->out, ",\"channels\":");
        ps_buf_put(&live->out, live->channels_text.data, live->channels_text.len);
    }
    ps_live_put_raw(&live->out, "}\n\n");
    put(stream);
}

// --- log ----------------------------------------------------------------------------------------

static void put_missed(PsApiStream *stream, uint64_t count) {
    begin_event(stream, "missed");
    ps_live_put_raw(&stream->live->out, "{\"log\":");
    ps_live_put_uint(&stream->live->out, count);
    ps_live_put_raw(&stream->live->out, "}\n\n");
    put(stream);
}

static void put_piece(PsBuf *out, const char *key, PsLogPiece piece) {
    ps_live_put_raw(out, key);
    ps_live_put_string(out, piece.data, piece.len);
}

static void put_line(PsApiStream *stream, const PsLogLine *line) {
    PsBuf *out = &stream->live->out;
    begin_event(stream, "log");
    ps_live_put_raw(out, "{\"seq\":");
    ps_live_put_uint(out, stream->log_after);
    ps_live_put_raw(out, ",\"time\":");
    ps_live_put_time(out, line->time);
    ps_live_put_raw(out, ",\"level\":\"");
    ps_live_put_raw(out, ps_log_level_name(line->level));
    put_piece(out, "\",\"source\":", line->source);
    ps_live_put_raw(out, ",\"line\":");
    ps_live_put_uint(out, (uint64_t)line->line);
    if (line->script.len > 0) {
        put_piece(out, ",\"script\":", line->script);
    }
    put_piece(out, ",\"text\":", line->text);
    ps_live_put_raw(out, "}");
    end_marked(stream);
    put(stream);
}

static uint64_t count_lines(const char *text, size_t len) {
    uint64_t count = 0;
    for (const char *end; (end = memchr(text, '\n', len)) != NULL; count++) {
        len -= (size_t)(end + 1 - text);
        text = end + 1;
    }
    return count;
}

// Copied while the log is locked, looked at afterwards. The copy is of whole lines, all behind each
// other, so the number of the first follows from that of the last.
static void put_log(PsApiStream *stream) {
    PsApiLive *live = stream->live;
    if (live->lines == NULL) {
        live->lines = ps_alloc(LINES_BYTES);
    }
    uint64_t last = ps_log_copy_marked(stream->log_after, live->lines, LINES_BYTES);
    size_t len = strlen(live->lines);
    uint64_t first = last - count_lines(live->lines, len) + 1;
    if (len == 0) {
        return;
    }
    if (first > stream->log_after + 1) {
        put_missed(stream, first - stream->log_after - 1);
    }
    stream->log_after = first - 1;
    size_t at = 0;
    PsLogLine line;
    while (has_room(stream) && ps_log_line_next(live->lines, len, &at, &line)) {
        stream->log_after++;
        if (line.level >= stream->level) {
            put_line(stream, &line);
        }
    }
}

// --- all together -------------------------------------------------------------------------------

static void serve(PsApiStream *stream) {
    if (stream->view != NULL) {
        put_values(stream);
    }
    if (stream->alarms && has_room(stream)) {
        put_alarms(stream);
    }
    if (stream->status_due && has_room(stream)) {
        put_status(stream);
    }
    if (stream->log && has_room(stream) && ps_log_last() > stream->log_after) {
        put_log(stream);
    }
}

void ps_api_streams_tick(PsApiLive *live) {
    PsCells *cells = ps_watches_cells(live->watches);
    if (ps_cells_touched(cells)) {
        ps_api_live_look(live);
        ps_cells_refresh(cells, ps_api_live_read, live);
    }
    for (PsApiStream *stream = live->streams; stream != NULL; stream = stream->next) {
        serve(stream);
    }
}

static void on_tick(uv_timer_t *timer) {
    ps_api_streams_tick(timer->data);
}

static bool anyone_wants(const PsApiLive *live, size_t flag) {
    for (const PsApiStream *stream = live->streams; stream != NULL; stream = stream->next) {
        if (*(const bool *)((const char *)stream + flag)) {
            return true;
        }
    }
    return false;
}

// A proxy or a browser takes a connection without a byte for a dead one.
static void say_something(PsApiStream *stream, PsMono now) {
    if (ps_mono_diff_ns(now, stream->spoke) >= SILENCE_NS && has_room(stream)) {
        ps_buf_clear(&stream->live->out);
        ps_live_put_raw(&stream->live->out, ":\n\n");
        put(stream);
    }
}

static void look_at(PsApiStream *stream, PsMono now) {
    PsAccess *access = stream->live->sources.access;
    if (access != NULL && !ps_access_is_valid(access, &stream->identity)) {
        end(stream);
        return;
    }
    stream->status_due = stream->status;
    say_something(stream, now);
}

void ps_api_streams_second(PsApiLive *live) {
    PsMono now = ps_mono_now();
    if (anyone_wants(live, offsetof(PsApiStream, alarms))) {
        ps_api_overview_alarms(live);
    }
    if (anyone_wants(live, offsetof(PsApiStream, status))) {
        ps_api_overview_make(live);
        ps_api_overview_devices(live);
        ps_api_overview_channels(live, now);
    }
    for (PsApiStream *stream = live->streams; stream != NULL; stream = stream->next) {
        look_at(stream, now);
    }
}

// --- beginning and end --------------------------------------------------------------------------

// A number and the character behind it.
static bool take_number(const char **at, int base, char behind, uint64_t *ret_number) {
    char *end = NULL;
    if (!isxdigit((unsigned char)**at)) {
        return false; // strtoull takes blanks and signs
    }
    errno = 0;
    *ret_number = strtoull(*at, &end, base);
    bool fits = errno == 0 && *end == behind;
    *at = end + (behind != '\0' ? 1 : 0);
    return fits;
}

// The place in an id of this process; another one's says nothing, so all is told that there is.
static void resume(PsApiStream *stream, const char *id) {
    uint64_t run;
    uint64_t log;
    uint64_t alarms;
    bool ours = take_number(&id, 16, '-', &run) && take_number(&id, 10, '-', &log) &&
                take_number(&id, 10, '\0', &alarms) && run == stream->live->run &&
                log <= ps_log_last() && alarms <= stream->live->alarms_version;
    stream->log_after = ours ? log : 0;
    stream->alarms_told = ours ? alarms : 0;
}

PsApiStream *ps_api_stream_new(PsApiLive *live, const PsApiWants *wants) {
    PsApiStream *stream = ps_alloc(sizeof *stream);
    *stream = (PsApiStream){.live = live,
                            .identity = wants->identity,
                            .alarms = wants->alarms,
                            .status = wants->status,
                            .log = wants->log,
                            .level = wants->level,
                            .spoke = ps_mono_now()};
    if (wants->watch != NULL) {
        stream->view = ps_watch_view_open(live->watches, wants->watch);
    }
    uint64_t last = ps_log_last();
    uint64_t wanted = wants->log_after >= 0 ? (uint64_t)wants->log_after : last;
    stream->log_after = wanted < last ? wanted : last;
    if (wants->after != NULL) {
        resume(stream, wants->after);
    }
    return stream;
}

void ps_api_stream_begin(PsApiStream *stream, PsHttpStream *http) {
    PsApiLive *live = stream->live;
    stream->http = http;
    stream->next = live->streams;
    live->streams = stream;
    live->stream_count++;
    if (!uv_is_active((uv_handle_t *)&live->tick)) {
        uv_timer_start(&live->tick, on_tick, TICK_MS, TICK_MS);
    }
    ps_buf_clear(&live->out);
    ps_live_put_raw(&live->out, BEGIN);
    put(stream);
    if (stream->alarms) {
        ps_api_overview_alarms(live);
    }
    if (stream->status) {
        ps_api_overview_make(live);
        ps_api_overview_devices(live);
        ps_api_overview_channels(live, ps_mono_now());
        stream->status_due = true;
    }
    ps_api_streams_tick(live);
}

void ps_api_stream_free(PsApiStream *stream) {
    ps_watch_view_close(stream->view, ps_mono_now());
    free(stream);
}

void ps_api_stream_closed(void *ctx) {
    PsApiStream *stream = ctx;
    PsApiLive *live = stream->live;
    for (PsApiStream **slot = &live->streams; *slot != NULL; slot = &(*slot)->next) {
        if (*slot == stream) {
            *slot = stream->next;
            live->stream_count--;
            break;
        }
    }
    if (live->streams == NULL) {
        uv_timer_stop(&live->tick);
    }
    ps_api_stream_free(stream);
}
