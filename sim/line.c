// Slaves on a line of RTU frames: one thread that takes requests, has the server answer them, and
// sends each answer when its fault says so. It looks every LOOK_MS whether the line shall be open.
#include "sim/line.h"

#include "base/crc16.h"
#include "base/mem.h"
#include "base/time.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#define LOOK_MS 20
#define FRAME_MAX 256 // Modbus over Serial Line V1.02, section 2.5.1
#define CRC_BYTES 2
#define MBAP_EXTRA 6                // bytes a TCP frame has before the slave
#define LATE_MAX 32                 // answers that wait; more are lost, as on a line
#define TORN_NS (10 * PS_NS_PER_MS) // silence after which a piece of a request is given up

typedef struct Answer {
    PsMono due;
    size_t len;
    uint8_t bytes[FRAME_MAX];
} Answer;

struct PsSimLine {
    PsSimServer *server;
    char *path; // NULL: over TCP
    uint16_t port;
    pthread_t thread;
    atomic_bool stop;
    int listen_fd;
    int fd;       // of the line; -1: nobody is there
    int slave_fd; // held, so that a gateway that closes its end does not end the line
    uint8_t bytes[FRAME_MAX];
    size_t len;
    PsMono last_byte;
    Answer waiting[LATE_MAX];
    size_t waiting_count;
};

static void close_fd(int *fd) {
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

static void close_line(PsSimLine *line) {
    close_fd(&line->fd);
    close_fd(&line->slave_fd);
    close_fd(&line->listen_fd);
    line->len = 0;
    line->waiting_count = 0;
    if (line->path != NULL) {
        unlink(line->path);
    }
}

static bool open_terminal(PsSimLine *line) {
    char name[128];
    struct termios settings;
    line->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (line->fd < 0 || grantpt(line->fd) != 0 || unlockpt(line->fd) != 0 ||
        ptsname_r(line->fd, name, sizeof name) != 0) {
        return false;
    }
    line->slave_fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (line->slave_fd < 0 || tcgetattr(line->slave_fd, &settings) != 0) {
        return false;
    }
    cfmakeraw(&settings);
    unlink(line->path);
    return tcsetattr(line->slave_fd, TCSANOW, &settings) == 0 && symlink(name, line->path) == 0;
}

static bool open_listener(PsSimLine *line) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(line->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    line->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return line->listen_fd >= 0 &&
           setsockopt(line->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
           bind(line->listen_fd, (struct sockaddr *)&address, sizeof address) == 0 &&
           listen(line->listen_fd, 1) == 0;
}

static bool open_line(PsSimLine *line) {
    return line->path != NULL ? open_terminal(line) : open_listener(line);
}

static bool is_open(const PsSimLine *line) {
    return line->path != NULL ? line->fd >= 0 : line->listen_fd >= 0;
}

static void send_due(PsSimLine *line) {
    PsMono now = ps_mono_now();
    size_t kept = 0;
    for (size_t i = 0; i < line->waiting_count; i++) {
        const Answer *answer = &line->waiting[i];
        if (answer->due.ns > now.ns) {
            line->waiting[kept++] = *answer;
        } else if (line->fd >= 0 && write(line->fd, answer->bytes, answer->len) < 0) {
            line->len = 0; // nobody listens; the next read tells
        }
    }
    line->waiting_count = kept;
}

// The answer of another slave looks sound, so that is done before the checksum.
static void spoil_slave(uint8_t *frame, size_t len) {
    if (len > 0) {
        frame[0] ^= 0x5A;
    }
}

static const PsSimFraming rtu_framing = {.most = FRAME_MAX, .spoil_id = spoil_slave};

// The request has a sound checksum.
static void serve(PsSimLine *line, const uint8_t *request, size_t len) {
    uint8_t frame[MBAP_EXTRA + FRAME_MAX] = {0};
    uint8_t made[PS_SIM_FRAME_BYTES];
    size_t body = len - CRC_BYTES;
    size_t got = 0;
    PsKnobAnswer fault;
    frame[5] = (uint8_t)body;
    memcpy(frame + MBAP_EXTRA, request, body);
    if (!ps_sim_server_ask(line->server, frame, MBAP_EXTRA + body, made, &got, &fault) ||
        got <= MBAP_EXTRA || got - MBAP_EXTRA + CRC_BYTES > FRAME_MAX ||
        line->waiting_count == LATE_MAX) {
        return;
    }
    Answer *answer = &line->waiting[line->waiting_count++];
    body = got - MBAP_EXTRA;
    memcpy(answer->bytes, made + MBAP_EXTRA, body);
    bool other_slave = fault.damage == PS_DAMAGE_WRONG_ID;
    ps_knobs_damage(other_slave ? fault.damage : PS_DAMAGE_NONE, &rtu_framing, answer->bytes,
                    &body);
    uint16_t crc = ps_crc16(answer->bytes, body);
    answer->bytes[body] = (uint8_t)crc;
    answer->bytes[body + 1] = (uint8_t)(crc >> 8);
    answer->len = body + CRC_BYTES;
    ps_knobs_damage(other_slave ? PS_DAMAGE_NONE : fault.damage, &rtu_framing, answer->bytes,
                    &answer->len);
    int64_t wait_ms = (int64_t)fault.delay_ms + fault.late_ms;
    answer->due = ps_mono_add_ns(ps_mono_now(), wait_ms * PS_NS_PER_MS);
}

// The length of the request that begins with these bytes; 0 when more are needed.
static size_t request_length(const uint8_t *bytes, size_t len) {
    if (len < 2) {
        return 0;
    }
    switch (bytes[1]) {
    case 15:
    case 16:
        return len < 7 ? 0 : 7U + bytes[6] + CRC_BYTES;
    case 22:
        return 8 + CRC_BYTES;
    case 23:
        return len < 11 ? 0 : 11U + bytes[10] + CRC_BYTES;
    default:
        return 6 + CRC_BYTES;
    }
}

static void take_requests(PsSimLine *line) {
    for (;;) {
        size_t len = request_length(line->bytes, line->len);
        if (len > FRAME_MAX) {
            line->len = 0;
        }
        if (len == 0 || len > line->len) {
            return;
        }
        uint16_t crc = ps_crc16(line->bytes, len - CRC_BYTES);
        bool sound =
            line->bytes[len - 2] == (uint8_t)crc && line->bytes[len - 1] == (uint8_t)(crc >> 8);
        if (!sound) {
            line->len = 0; // as a slave does: nothing until the line has been silent
            return;
        }
        serve(line, line->bytes, len);
        line->len -= len;
        memmove(line->bytes, line->bytes + len, line->len);
    }
}

static void receive(PsSimLine *line) {
    ssize_t got = read(line->fd, line->bytes + line->len, sizeof line->bytes - line->len);
    if (got > 0) {
        line->len += (size_t)got;
        line->last_byte = ps_mono_now();
        take_requests(line);
    } else if (line->path == NULL && (got == 0 || (errno != EAGAIN && errno != EINTR))) {
        close_fd(&line->fd);
    }
}

static void wait_and_serve(PsSimLine *line) {
    struct pollfd fds[] = {
        {.fd = line->fd, .events = POLLIN},
        {.fd = line->fd < 0 ? line->listen_fd : -1, .events = POLLIN},
    };
    PsMono until = ps_mono_add_ns(ps_mono_now(), LOOK_MS * PS_NS_PER_MS);
    for (size_t i = 0; i < line->waiting_count; i++) {
        until = line->waiting[i].due.ns < until.ns ? line->waiting[i].due : until;
    }
    if (poll(fds, PS_COUNT(fds), ps_mono_poll_ms(ps_mono_now(), until)) > 0) {
        if (fds[1].revents != 0) {
            line->fd = accept4(line->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        } else if (fds[0].revents != 0) {
            receive(line);
        }
    }
    if (line->len > 0 && ps_mono_diff_ns(ps_mono_now(), line->last_byte) > TORN_NS) {
        line->len = 0;
    }
    send_due(line);
}

static void *line_main(void *arg) {
    PsSimLine *line = arg;
    while (!atomic_load(&line->stop)) {
        bool wanted = !ps_sim_server_refuses(line->server);
        bool open = is_open(line);
        if (open != wanted && (open || !open_line(line))) {
            close_line(line); // pulled out; or tried again at the next look
        }
        wait_and_serve(line);
    }
    return NULL;
}

static void line_free(PsSimLine *line) {
    close_line(line);
    free(line->path);
    free(line);
}

PsErr ps_sim_line_start(PsSimServer *server, const PsSimLineSetup *setup, PsSimLine **ret_line,
                        PsDiag *diag) {
    PsSimLine *line = ps_alloc(sizeof *line);
    *line = (PsSimLine){.server = server,
                        .path = setup->path != NULL ? ps_strdup(setup->path) : NULL,
                        .port = setup->port,
                        .listen_fd = -1,
                        .fd = -1,
                        .slave_fd = -1};
    bool ready = open_line(line) && pthread_create(&line->thread, NULL, line_main, line) == 0;
    if (!ready) {
        PsErr err = ps_fail(PS_ERR_IO, diag, "penstock-sim", "rtu", "cannot open the line %s: %s",
                            line->path != NULL ? line->path : "over TCP", strerror(errno));
        line_free(line);
        return err;
    }
    *ret_line = line;
    return PS_OK;
}

void ps_sim_line_stop(PsSimLine *line) {
    if (line != NULL) {
        atomic_store(&line->stop, true);
        pthread_join(line->thread, NULL);
        line_free(line);
    }
}
