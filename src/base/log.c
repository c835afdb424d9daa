// The log: formats a line, writes it with one write(), keeps the newest lines in a fixed ring.
// One mutex guards the ring; it is never held while calling out. Any thread.
#include "base/log.h"

#include "base/text.h"
#include "base/time.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RING_BYTES ((size_t)512 * 1024)
#define LINE_MAX_BYTES (PS_LOG_TEXT_MAX + 256)
#define SHORT_BYTES 1024

static const char *const level_names[] = {"DEBUG", "INFO", "WARNING", "ERROR"};

// What stands before each kept line and is not part of it: when it was logged, of which script.
#define MARK_BEGIN '\x01'
#define MARK_NEXT '\x02'
#define MARK_END '\x03'
#define MARK_MAX_BYTES ((size_t)192)

// Lines lie in `bytes` one after the other, each with its mark and its newline, oldest at `start`.
static struct {
    pthread_mutex_t lock;
    char bytes[RING_BYTES];
    size_t start;
    size_t used;
    uint64_t first; // sequence of the oldest kept line
    uint64_t last;  // sequence of the newest line, 0 before the first
    int fd;
    PsLogListener *listener;
    void *listener_ctx;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER, .first = 1, .fd = STDERR_FILENO};

static atomic_int current_level = PS_LOG_INFO;

const char *ps_log_level_name(PsLogLevel level) {
    size_t index = (size_t)level;
    return index < PS_COUNT(level_names) ? level_names[index] : "UNKNOWN";
}

void ps_log_set_level(PsLogLevel level) {
    atomic_store_explicit(&current_level, (int)level, memory_order_relaxed);
}

PsLogLevel ps_log_level(void) {
    return (PsLogLevel)atomic_load_explicit(&current_level, memory_order_relaxed);
}

void ps_log_set_fd(int fd) {
    pthread_mutex_lock(&state.lock);
    state.fd = fd;
    pthread_mutex_unlock(&state.lock);
}

void ps_log_set_listener(PsLogListener *listener, void *ctx) {
    pthread_mutex_lock(&state.lock);
    state.listener = listener;
    state.listener_ctx = ctx;
    pthread_mutex_unlock(&state.lock);
}

static void ring_drop_oldest(void) {
    size_t at = state.start;
    do {
        char byte = state.bytes[at];
        at = (at + 1) % RING_BYTES;
        state.used--;
        if (byte == '\n') {
            break;
        }
    } while (state.used > 0);
    state.start = at;
    state.first++;
}

static void ring_put(const char *bytes, size_t len) {
    size_t end = (state.start + state.used) % RING_BYTES;
    size_t before_wrap = RING_BYTES - end < len ? RING_BYTES - end : len;
    memcpy(state.bytes + end, bytes, before_wrap);
    memcpy(state.bytes, bytes + before_wrap, len - before_wrap);
    state.used += len;
}

static void ring_add(const char *mark, size_t mark_len, const char *line, size_t len) {
    while (RING_BYTES - state.used < mark_len + len) {
        ring_drop_oldest();
    }
    ring_put(mark, mark_len);
    ring_put(line, len);
    state.last++;
}

// A line feed inside a text would forge a second line, and an escape sequence would act on the
// terminal of whoever reads the log. C1 controls are 0xC2 0x80 to 0xC2 0x9F in UTF-8.
static void hide_controls(char *line, size_t len) {
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)line[i];
        unsigned char next = i + 1 < len ? (unsigned char)line[i + 1] : 0xff;
        if (byte == '\n' || byte == '\r' || byte == '\0') {
            line[i] = ' ';
        } else if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
            line[i] = '?';
        } else if (byte == 0xc2 && next < 0xa0) {
            line[i] = '?';
            line[i + 1] = '?';
        }
    }
}

static size_t make_mark(PsWall now, const char *script, char mark[MARK_MAX_BYTES]) {
    char name[MARK_MAX_BYTES - 48];
    ps_text_format(name, sizeof name, "%s", script);
    int len = snprintf(mark, MARK_MAX_BYTES, "%c%" PRId64 "%c%s%c", MARK_BEGIN,
                       now.ns / PS_NS_PER_MS, MARK_NEXT, name, MARK_END);
    return len > 0 ? (size_t)len : 0;
}

static void emit(PsWall now, const char *script, char *line, size_t len) {
    char mark[MARK_MAX_BYTES];
    size_t mark_len = make_mark(now, script, mark);
    hide_controls(line, len);
    ps_text_make_utf8(line, len); // a script may log any bytes; files and JSON want text
    line[len++] = '\n';
    pthread_mutex_lock(&state.lock);
    ring_add(mark, mark_len, line, len);
    uint64_t sequence = state.last;
    PsLogListener *listener = state.listener;
    void *ctx = state.listener_ctx;
    if (state.fd >= 0) {
        // Under the lock, so that the file has the lines in the order of their numbers.
        ssize_t written = write(state.fd, line, len);
        (void)written; // a log that cannot be written has nowhere to say so
    }
    pthread_mutex_unlock(&state.lock);
    if (listener != NULL) {
        listener(sequence, ctx);
    }
}

static size_t put_head(char *line, size_t size, PsWall now, PsLogLevel level, const char *file,
                       int number) {
    char stamp[PS_STAMP_SIZE];
    ps_wall_format(now, stamp, sizeof stamp);
    const char *slash = strrchr(file, '/');
    int len = snprintf(line, size, "[%s] [%s] [%.80s %d]: ", stamp, ps_log_level_name(level),
                       slash != NULL ? slash + 1 : file, number);
    return len > 0 ? (size_t)len : 0;
}

static size_t put_cut_mark(char *line, size_t len, size_t cut) {
    int more = snprintf(line + len, 64, " ... (%zu bytes more)", cut);
    return len + (more > 0 ? (size_t)more : 0);
}

// What a line begins with.
typedef struct Line {
    PsWall now;
    PsLogLevel level;
    const char *file;
    int number;
    const char *id; // may be NULL
} Line;

static size_t put_begin(char *line, size_t size, const Line *about) {
    size_t head = put_head(line, size, about->now, about->level, about->file, about->number);
    if (about->id != NULL) {
        int len = snprintf(line + head, 64, "%.60s: ", about->id);
        head += len > 0 ? (size_t)len : 0;
    }
    return head;
}

static void write_long(const Line *about, const char *fmt, va_list args)
    __attribute__((noinline, format(printf, 2, 0)));
static bool write_short(const Line *about, const char *fmt, va_list args)
    __attribute__((noinline, format(printf, 2, 0)));

static void write_long(const Line *about, const char *fmt, va_list args) {
    char line[LINE_MAX_BYTES];
    size_t head = put_begin(line, sizeof line, about);
    int len = vsnprintf(line + head, PS_LOG_TEXT_MAX - 128, fmt, args);
    size_t text = len > 0 ? (size_t)len : 0;
    if (text >= PS_LOG_TEXT_MAX - 128) {
        size_t kept = PS_LOG_TEXT_MAX - 129;
        emit(about->now, "", line, put_cut_mark(line, head + kept, text - kept));
        return;
    }
    emit(about->now, "", line, head + text);
}

// False, and nothing was written, when it is longer. Nearly all are short, and what hundreds of
// threads once have had on their stacks stays memory.
static bool write_short(const Line *about, const char *fmt, va_list args) {
    char line[SHORT_BYTES];
    size_t head = put_begin(line, sizeof line, about);
    int len = vsnprintf(line + head, sizeof line - head - 1, fmt, args);
    bool fits = len >= 0 && (size_t)len < sizeof line - head - 1;
    if (fits) {
        emit(about->now, "", line, head + (size_t)len);
    }
    return fits;
}

void ps_log_write(PsLogLevel level, const char *file, int line_number, const char *id,
                  const char *fmt, ...) {
    const Line about = {ps_wall_now(), level, file, line_number, id};
    va_list args;
    va_start(args, fmt);
    bool written = write_short(&about, fmt, args);
    va_end(args);
    if (!written) {
        va_start(args, fmt);
        write_long(&about, fmt, args);
        va_end(args);
    }
}

void ps_log_script(PsLogLevel level, bool always, const char *script, const char *file,
                   int line_number, const char *text, size_t len) {
    if (!always && level < ps_log_level()) {
        return;
    }
    char line[LINE_MAX_BYTES];
    PsWall now = ps_wall_now();
    size_t head = put_head(line, sizeof line, now, level, file, line_number);
    size_t kept = len < PS_LOG_TEXT_MAX - 64 ? len : PS_LOG_TEXT_MAX - 64;
    if (kept > 0) {
        memcpy(line + head, text, kept);
    }
    size_t end = head + kept;
    emit(now, script, line, kept < len ? put_cut_mark(line, end, len - kept) : end);
}

uint64_t ps_log_last(void) {
    pthread_mutex_lock(&state.lock);
    uint64_t last = state.last;
    pthread_mutex_unlock(&state.lock);
    return last;
}

// Bytes up to and with the next `end`; there is one.
static size_t length_to(size_t at, char end) {
    size_t before_wrap = RING_BYTES - at;
    const char *found = memchr(state.bytes + at, end, before_wrap);
    if (found != NULL) {
        return (size_t)(found - (state.bytes + at)) + 1;
    }
    found = memchr(state.bytes, end, at);
    return before_wrap + (size_t)(found - state.bytes) + 1;
}

static void copy_out(size_t at, size_t len, char *out) {
    size_t before_wrap = RING_BYTES - at < len ? RING_BYTES - at : len;
    memcpy(out, state.bytes + at, before_wrap);
    memcpy(out + before_wrap, state.bytes, len - before_wrap);
}

static uint64_t copy_lines(uint64_t after, bool marks, char *out, size_t size) {
    uint64_t copied = after;
    size_t used = 0;
    size_t at = state.start;
    size_t left = state.used;
    for (uint64_t sequence = state.first; left > 0; sequence++) {
        size_t len = length_to(at, '\n');
        size_t mark = marks ? 0 : length_to(at, MARK_END);
        if (sequence > after && used + len - mark + 1 > size) {
            break;
        }
        if (sequence > after) {
            copy_out((at + mark) % RING_BYTES, len - mark, out + used);
            used += len - mark;
            copied = sequence;
        }
        at = (at + len) % RING_BYTES;
        left -= len;
    }
    if (size > 0) {
        out[used] = '\0';
    }
    return copied;
}

uint64_t ps_log_copy(uint64_t after, char *out, size_t size) {
    pthread_mutex_lock(&state.lock);
    uint64_t last = copy_lines(after, false, out, size);
    pthread_mutex_unlock(&state.lock);
    return last;
}

uint64_t ps_log_copy_marked(uint64_t after, char *out, size_t size) {
    pthread_mutex_lock(&state.lock);
    uint64_t last = copy_lines(after, true, out, size);
    pthread_mutex_unlock(&state.lock);
    return last;
}
