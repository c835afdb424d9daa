// The log: formats a line, writes it with one write(), keeps the newest lines in a fixed ring.
// One mutex guards the ring; it is never held while calling out. Any thread.
#include "base/log.h"

#include "base/text.h"
#include "base/time.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RING_BYTES ((size_t)512 * 1024)
#define LINE_MAX_BYTES (PS_LOG_TEXT_MAX + 256)

static const char *const level_names[] = {"DEBUG", "INFO", "WARNING", "ERROR"};

// Lines lie in `bytes` one after the other, each with its newline, oldest at `start`.
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

static void ring_add(const char *line, size_t len) {
    while (RING_BYTES - state.used < len) {
        ring_drop_oldest();
    }
    size_t end = (state.start + state.used) % RING_BYTES;
    size_t before_wrap = RING_BYTES - end < len ? RING_BYTES - end : len;
    memcpy(state.bytes + end, line, before_wrap);
    memcpy(state.bytes, line + before_wrap, len - before_wrap);
    state.used += len;
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

static void emit(char *line, size_t len) {
    hide_controls(line, len);
    ps_text_make_utf8(line, len); // a script may log any bytes; files and JSON want text
    line[len++] = '\n';
    pthread_mutex_lock(&state.lock);
    ring_add(line, len);
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

static size_t put_head(char *line, size_t size, PsLogLevel level, const char *file, int number) {
    char stamp[PS_STAMP_SIZE];
    ps_wall_format(ps_wall_now(), stamp, sizeof stamp);
    const char *slash = strrchr(file, '/');
    int len = snprintf(line, size, "[%s] [%s] [%.80s %d]: ", stamp, ps_log_level_name(level),
                       slash != NULL ? slash + 1 : file, number);
    return len > 0 ? (size_t)len : 0;
}

static size_t put_cut_mark(char *line, size_t len, size_t cut) {
    int more = snprintf(line + len, 64, " ... (%zu bytes more)", cut);
    return len + (more > 0 ? (size_t)more : 0);
}

void ps_log_write(PsLogLevel level, const char *file, int line_number, const char *id,
                  const char *fmt, ...) {
    char line[LINE_MAX_BYTES];
    size_t head = put_head(line, sizeof line, level, file, line_number);
    if (id != NULL) {
        int len = snprintf(line + head, 64, "%.60s: ", id);
        head += len > 0 ? (size_t)len : 0;
    }
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(line + head, PS_LOG_TEXT_MAX - 128, fmt, args);
    va_end(args);
    size_t text = len > 0 ? (size_t)len : 0;
    if (text >= PS_LOG_TEXT_MAX - 128) {
        size_t kept = PS_LOG_TEXT_MAX - 129;
        emit(line, put_cut_mark(line, head + kept, text - kept));
        return;
    }
    emit(line, head + text);
}

void ps_log_script(PsLogLevel level, bool always, const char *file, int line_number,
                   const char *text, size_t len) {
    if (!always && level < ps_log_level()) {
        return;
    }
    char line[LINE_MAX_BYTES];
    size_t head = put_head(line, sizeof line, level, file, line_number);
    size_t kept = len < PS_LOG_TEXT_MAX - 64 ? len : PS_LOG_TEXT_MAX - 64;
    if (kept > 0) {
        memcpy(line + head, text, kept);
    }
    size_t end = head + kept;
    emit(line, kept < len ? put_cut_mark(line, end, len - kept) : end);
}

uint64_t ps_log_copy(uint64_t after, char *out, size_t size) {
    pthread_mutex_lock(&state.lock);
    uint64_t sequence = state.first;
    uint64_t copied = after;
    size_t at = state.start;
    size_t left = state.used;
    size_t used = 0;
    while (left > 0) {
        size_t len = 0;
        while (state.bytes[(at + len) % RING_BYTES] != '\n') {
            len++;
        }
        len++;
        if (sequence > after) {
            if (used + len + 1 > size) {
                break;
            }
            for (size_t i = 0; i < len; i++) {
                out[used++] = state.bytes[(at + i) % RING_BYTES];
            }
            copied = sequence;
        }
        at = (at + len) % RING_BYTES;
        left -= len;
        sequence++;
    }
    if (size > 0) {
        out[used] = '\0';
    }
    pthread_mutex_unlock(&state.lock);
    return copied;
}
