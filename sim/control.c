// Command lines of the simulator and the poll loop that reads them. Main thread; blocks in poll,
// and for the time a knob needs to take effect.
#include "sim/control.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS 8
#define LINE_BYTES 256
#define BACKLOG 4

typedef struct Command {
    const char *name;
    const char *usage;
    const char *help;
    // `rest` is what follows the name, without blanks before it.
    void (*run)(const PsSimControl *control, const char *rest, PsBuf *answer);
} Command;

static void run_set(const PsSimControl *control, const char *rest, PsBuf *answer) {
    size_t len = strcspn(rest, " \t");
    const char *value_text = rest + len + strspn(rest + len, " \t");
    PsSimAddress address;
    long long value = 0;
    if (ps_sim_address_parse(rest, len, &address) != PS_OK ||
        !ps_text_to_int(value_text, -32768, 65535, &value)) {
        ps_buf_printf(answer, "error: usage: set ADDRESS VALUE (a 16-bit number, or 0 and 1)\n");
        return;
    }
    ps_sim_server_force(control->server, address, (uint16_t)value);
    ps_buf_printf(answer, "ok\n");
}

static void run_get(const PsSimControl *control, const char *rest, PsBuf *answer) {
    PsSimAddress address;
    if (ps_sim_address_parse(rest, strlen(rest), &address) != PS_OK) {
        ps_buf_printf(answer, "error: usage: get ADDRESS, for example get 40001\n");
        return;
    }
    ps_buf_printf(answer, "%u\n", ps_sim_server_item(control->server, address));
}

static void run_release(const PsSimControl *control, const char *rest, PsBuf *answer) {
    (void)rest;
    ps_sim_server_release(control->server);
    ps_buf_printf(answer, "ok\n");
}

static void run_stats(const PsSimControl *control, const char *rest, PsBuf *answer) {
    (void)rest;
    PsSimStats stats = ps_sim_server_stats(control->server);
    ps_buf_printf(answer,
                  "requests=%llu answered=%llu exceptions=%llu unanswered=%llu resets=%llu "
                  "accepted=%llu turned_away=%llu connections=%u\n",
                  (unsigned long long)stats.requests, (unsigned long long)stats.answered,
                  (unsigned long long)stats.exceptions, (unsigned long long)stats.unanswered,
                  (unsigned long long)stats.resets, (unsigned long long)stats.accepted,
                  (unsigned long long)stats.turned_away, stats.connections);
}

static void run_help(const PsSimControl *control, const char *rest, PsBuf *answer);

static const Command commands[] = {
    {"set", "set ADDRESS VALUE", "put an item and hold it there (a moving one stops)", run_set},
    {"get", "get ADDRESS", "the item as a number", run_get},
    {"release", "release", "let every held item move again", run_release},
    {"stats", "stats", "what was asked and answered so far", run_stats},
    {"help", "help", "this list, ended by 'ok'", run_help},
};

static void run_help(const PsSimControl *control, const char *rest, PsBuf *answer) {
    (void)rest;
    ps_knobs_help(answer);
    ps_faults_help(answer);
    for (size_t i = 0; i < PS_COUNT(commands); i++) {
        ps_buf_printf(answer, "  %-32s %s\n", commands[i].usage, commands[i].help);
    }
    ps_buf_printf(answer, "  %-32s %s\n", "quit", "end the simulator");
    if (control->sides != NULL) {
        ps_sim_sides_help(control->sides, answer);
    }
    ps_buf_printf(answer, "ok\n");
}

// The word in front of lines that are for the Modbus side; they may also come without it.
#define OWN_NAME "modbus"

bool ps_sim_control_line(const PsSimControl *control, const char *line, PsBuf *answer) {
    line += strspn(line, " \t");
    size_t len = strcspn(line, " \t\r");
    if (len == strlen(OWN_NAME) && strncmp(line, OWN_NAME, len) == 0) {
        line += len + strspn(line + len, " \t");
        len = strcspn(line, " \t\r");
    }
    if (len == 4 && strncmp(line, "quit", len) == 0) {
        ps_buf_printf(answer, "ok\n");
        return false;
    }
    for (size_t i = 0; i < PS_COUNT(commands); i++) {
        if (strlen(commands[i].name) == len && strncmp(line, commands[i].name, len) == 0) {
            commands[i].run(control, line + len + strspn(line + len, " \t"), answer);
            return true;
        }
    }
    if (control->sides != NULL && ps_sim_sides_line(control->sides, line, answer)) {
        return true;
    }
    PsDiag diag = {0};
    if (ps_sim_server_fault(control->server, line, &diag) == PS_OK) {
        ps_buf_printf(answer, "ok\n");
    } else {
        ps_buf_printf(answer, "error: %s\n", diag.text);
    }
    return true;
}

// A source of lines: stdin or one control client.
typedef struct LineSource {
    int in_fd; // -1: free
    int out_fd;
    size_t len;
    char bytes[LINE_BYTES];
} LineSource;

static void close_source(LineSource *source) {
    if (source->in_fd >= 0 && source->in_fd != STDIN_FILENO) {
        close(source->in_fd);
    }
    source->in_fd = -1;
}

// False when the reader of the answers has gone.
static bool write_whole(int fd, const PsBuf *bytes) {
    size_t at = 0;
    while (at < bytes->len) {
        ssize_t wrote = write(fd, bytes->data + at, bytes->len - at);
        if (wrote < 0 && errno != EINTR) {
            return false;
        }
        at += wrote > 0 ? (size_t)wrote : 0;
    }
    return true;
}

// Runs the whole lines that have arrived. Returns false for `quit`.
static bool run_lines(const PsSimControl *control, LineSource *source) {
    bool go_on = true;
    char *end = NULL;
    while (go_on && source->in_fd >= 0 &&
           (end = memchr(source->bytes, '\n', source->len)) != NULL) {
        *end = '\0';
        PS_AUTO_BUF PsBuf answer = {0};
        if (source->bytes[strspn(source->bytes, " \t\r")] != '\0') {
            go_on = ps_sim_control_line(control, source->bytes, &answer);
        }
        size_t used = (size_t)(end - source->bytes) + 1;
        source->len -= used;
        memmove(source->bytes, source->bytes + used, source->len);
        if (!write_whole(source->out_fd, &answer)) {
            close_source(source);
        }
    }
    return go_on;
}

static bool read_source(const PsSimControl *control, LineSource *source) {
    ssize_t got = read(source->in_fd, source->bytes + source->len, LINE_BYTES - source->len);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
        return true;
    }
    if (got <= 0) {
        close_source(source); // end of stdin ends the commands, not the plant
        return true;
    }
    source->len += (size_t)got;
    bool go_on = run_lines(control, source);
    if (source->len == LINE_BYTES) {
        close_source(source);
    }
    return go_on;
}

static LineSource *find_free(LineSource *sources) {
    for (size_t i = 1; i <= CLIENTS; i++) {
        if (sources[i].in_fd < 0) {
            return &sources[i];
        }
    }
    return NULL;
}

static void accept_client(int listen_fd, LineSource *source) {
    int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
    struct timeval limit = {.tv_sec = 1}; // a client that never reads its answers is closed
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0) {
        *source = (LineSource){.in_fd = fd, .out_fd = fd};
    }
}

PsErr ps_sim_control_run(const PsSimControl *control, int listen_fd, int stdin_fd, int signal_fd) {
    LineSource sources[CLIENTS + 1]; // the first is stdin
    for (size_t i = 0; i < PS_COUNT(sources); i++) {
        sources[i] = (LineSource){.in_fd = -1};
    }
    sources[0] = (LineSource){.in_fd = stdin_fd, .out_fd = STDOUT_FILENO};
    bool go_on = true;
    while (go_on) {
        struct pollfd fds[CLIENTS + 3];
        for (size_t i = 0; i < PS_COUNT(sources); i++) {
            fds[i] = (struct pollfd){.fd = sources[i].in_fd, .events = POLLIN};
        }
        LineSource *place = find_free(sources);
        fds[CLIENTS + 1] = (struct pollfd){.fd = signal_fd, .events = POLLIN};
        fds[CLIENTS + 2] = (struct pollfd){.fd = place ? listen_fd : -1, .events = POLLIN};
        if (poll(fds, PS_COUNT(fds), -1) < 0) {
            if (errno == EINTR) {
                continue;
            }
            return PS_ERR_IO;
        }
        go_on = fds[CLIENTS + 1].revents == 0;
        for (size_t i = 0; go_on && i < PS_COUNT(sources); i++) {
            go_on = fds[i].revents == 0 || read_source(control, &sources[i]);
        }
        if (go_on && fds[CLIENTS + 2].revents != 0) {
            accept_client(listen_fd, place);
        }
    }
    for (size_t i = 0; i < PS_COUNT(sources); i++) {
        close_source(&sources[i]);
    }
    return PS_OK;
}

// A socket file that nobody answers on may be removed.
static bool is_stale(const struct sockaddr_un *address) {
    struct stat info;
    if (lstat(address->sun_path, &info) != 0 || !S_ISSOCK(info.st_mode)) {
        return false;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool refused = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 &&
                   errno == ECONNREFUSED;
    if (fd >= 0) {
        close(fd);
    }
    return refused;
}

PsErr ps_sim_control_listen(const char *path, int *ret_fd, PsDiag *diag) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if ((size_t)snprintf(address.sun_path, sizeof address.sun_path, "%s", path) >=
        sizeof address.sun_path) {
        return ps_fail(PS_ERR_TOO_BIG, diag, path, NULL,
                       "a socket path has at most %zu bytes; choose a shorter one",
                       sizeof address.sun_path - 1);
    }
    if (is_stale(&address)) {
        unlink(path);
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    mode_t before = umask(0177);
    bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    int error = errno;
    umask(before);
    if (bound && listen(fd, BACKLOG) == 0) {
        *ret_fd = fd;
        return PS_OK;
    }
    if (fd >= 0) {
        close(fd);
    }
    return ps_fail(error == EADDRINUSE ? PS_ERR_EXISTS : PS_ERR_IO, diag, path, NULL,
                   "cannot make the control socket: %s; choose another path", strerror(error));
}
