// One thread takes connections, one for each of them passes telegrams to and fro. They block in
// poll; stopping shuts their sockets down.
#include "sim/s7_front.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "sim/framing.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS 128
#define FRAME_MOST 8192

// Where things stand in a telegram: TPKT and COTP, then the S7 header.
#define S7_AT 7
#define KIND_AT 8
#define REFERENCE_AT 11
#define JOB_PARAMETERS_AT 17    // of a request
#define ANSWER_PARAMETERS_AT 19 // of an answer, behind its error
#define JOB 1
#define ACK_DATA 3
#define FUNCTION_READ 4
#define FUNCTION_WRITE 5
#define ITEM_LEN 12

typedef struct Link {
    PsSimS7Front *front;
    pthread_t thread;
    bool used;
    bool ended; // its thread is at its end
    int client;
    int server;
} Link;

struct PsSimS7Front {
    PsSimS7Memory *memory;
    uint16_t port;
    uint16_t server_port;
    int listener;
    int wake;
    pthread_t thread;
    pthread_mutex_t lock; // guards the links' flags and descriptors
    Link links[CONNECTIONS];
};

// --- telegrams ---------------------------------------------------------------------------------

static bool is_data_job(const uint8_t *frame, size_t len) {
    return len > JOB_PARAMETERS_AT + 1 && frame[S7_AT] == 0x32 && frame[KIND_AT] == JOB &&
           (frame[JOB_PARAMETERS_AT] == FUNCTION_READ ||
            frame[JOB_PARAMETERS_AT] == FUNCTION_WRITE);
}

// As an S7-1500 answers without PUT/GET access: the function is refused.
static size_t refuse(const uint8_t *request, uint8_t *ret_answer) {
    static const uint8_t answer[] = {3, 0, 0, 19, 2, 0xF0, 0x80, 0x32, 2,   0,
                                     0, 0, 0, 0,  0, 0,    0,    0x81, 0x04};
    memcpy(ret_answer, answer, sizeof answer);
    memcpy(ret_answer + REFERENCE_AT, request + REFERENCE_AT, 2);
    return sizeof answer;
}

static unsigned get16(PsReader *reader) {
    unsigned high = ps_reader_u8(reader);
    return high << 8 | ps_reader_u8(reader);
}

static PsSimS7Place place_of(const uint8_t *item) {
    uint32_t bits = (uint32_t)item[9] << 16 | (uint32_t)item[10] << 8 | item[11];
    return (PsSimS7Place){.area = item[8],
                          .db = (uint16_t)(item[6] << 8 | item[7]),
                          .first = bits / 8,
                          .len = (uint32_t)item[4] << 8 | item[5]};
}

// libsnap7's server only knows "does not exist". The true code is that of the place.
static void amend(PsSimS7Memory *memory, const uint8_t *request, size_t request_len,
                  uint8_t *answer, size_t len) {
    if (!is_data_job(request, request_len) || len < ANSWER_PARAMETERS_AT + 2 ||
        answer[KIND_AT] != ACK_DATA) {
        return;
    }
    bool is_read = request[JOB_PARAMETERS_AT] == FUNCTION_READ;
    size_t count = request[JOB_PARAMETERS_AT + 1];
    PsReader reader = ps_reader(answer, len);
    (void)ps_reader_raw(&reader, ANSWER_PARAMETERS_AT + 2);
    for (size_t i = 0; i < count; i++) {
        size_t item = JOB_PARAMETERS_AT + 2 + i * ITEM_LEN;
        size_t at = reader.at;
        uint8_t code = ps_reader_u8(&reader);
        if (reader.failed || item + ITEM_LEN > request_len) {
            return;
        }
        PsSimS7Place place = place_of(request + item);
        if (code != PS_SIM_S7_FINE) {
            uint8_t true_code = ps_sim_s7_code(memory, &place);
            answer[at] = true_code != PS_SIM_S7_FINE ? true_code : code;
        }
        if (is_read) {
            unsigned transport = ps_reader_u8(&reader);
            unsigned size = get16(&reader);
            size = transport == 4 || transport == 5 ? size / 8 : size;
            size = code == PS_SIM_S7_FINE ? size + (i + 1 < count ? size % 2 : 0) : 0;
            (void)ps_reader_raw(&reader, size);
        }
    }
}

// --- one connection ----------------------------------------------------------------------------

// One frame from `fd`; 0 when it ends, or the other side `watched` (-1: none) does.
static size_t take_frame(int fd, int watched, uint8_t *frame) {
    size_t have = 0;
    for (;;) {
        size_t len = ps_sim_framing_tpkt.length(frame, have);
        if (len > FRAME_MOST) {
            return 0;
        }
        if (len > 0 && len == have) {
            return len;
        }
        struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = watched, .events = POLLRDHUP}};
        if (poll(fds, PS_COUNT(fds), -1) < 0 && errno != EINTR) {
            return 0;
        }
        if (fds[1].revents != 0) {
            return 0;
        }
        if (fds[0].revents == 0) {
            continue;
        }
        ssize_t got = recv(fd, frame + have, len > 0 ? len - have : 4 - have, 0);
        if (got <= 0) {
            return 0;
        }
        have += (size_t)got;
    }
}

static bool put_frame(int fd, const uint8_t *frame, size_t len) {
    while (len > 0) {
        ssize_t sent = send(fd, frame, len, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        frame += sent;
        len -= (size_t)sent;
    }
    return true;
}

static bool pass_one(const Link *link, uint8_t *request, uint8_t *answer) {
    PsSimS7Memory *memory = link->front->memory;
    size_t len = take_frame(link->client, -1, request);
    if (len == 0) {
        return false;
    }
    if (is_data_job(request, len) && ps_sim_s7_refuses(memory)) {
        return put_frame(link->client, answer, refuse(request, answer));
    }
    if (!put_frame(link->server, request, len)) {
        return false;
    }
    size_t answer_len = take_frame(link->server, link->client, answer);
    if (answer_len == 0) {
        return false;
    }
    amend(memory, request, len, answer, answer_len);
    return put_frame(link->client, answer, answer_len);
}

static void *run_link(void *argument) {
    Link *link = argument;
    uint8_t *frames = ps_alloc(2 * (size_t)FRAME_MOST);
    while (pass_one(link, frames, frames + FRAME_MOST)) {
    }
    free(frames);
    pthread_mutex_lock(&link->front->lock);
    close(link->client);
    close(link->server);
    link->ended = true;
    pthread_mutex_unlock(&link->front->lock);
    return NULL;
}

// --- all of them -------------------------------------------------------------------------------

static int connect_server(const PsSimS7Front *front) {
    PS_AUTO_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(front->server_port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        return -1;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    int connected = fd;
    fd = -1;
    return connected;
}

static void reap(PsSimS7Front *front, Link *link) {
    pthread_mutex_unlock(&front->lock);
    pthread_join(link->thread, NULL);
    pthread_mutex_lock(&front->lock);
    *link = (Link){0};
}

// With the lock held: a place for one more, those that have ended are cleared away.
static Link *find_place(PsSimS7Front *front) {
    Link *found = NULL;
    for (size_t i = 0; i < CONNECTIONS; i++) {
        Link *link = &front->links[i];
        if (link->used && link->ended) {
            reap(front, link);
        }
        found = found == NULL && !link->used ? link : found;
    }
    return found;
}

static void take_client(PsSimS7Front *front, int client) {
    int on = 1;
    (void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    int server = connect_server(front);
    pthread_mutex_lock(&front->lock);
    Link *link = server >= 0 ? find_place(front) : NULL;
    if (link != NULL) {
        *link = (Link){.front = front, .used = true, .client = client, .server = server};
        link->used = pthread_create(&link->thread, NULL, run_link, link) == 0;
    }
    bool taken = link != NULL && link->used;
    pthread_mutex_unlock(&front->lock);
    if (!taken) {
        close(client);
        if (server >= 0) {
            close(server);
        }
    }
}

static void *run_front(void *argument) {
    PsSimS7Front *front = argument;
    for (;;) {
        struct pollfd fds[] = {{.fd = front->listener, .events = POLLIN},
                               {.fd = front->wake, .events = POLLIN}};
        if (poll(fds, PS_COUNT(fds), -1) < 0 && errno != EINTR) {
            return NULL;
        }
        if (fds[1].revents != 0) {
            return NULL;
        }
        int client = fds[0].revents != 0 ? accept4(front->listener, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (client >= 0) {
            take_client(front, client);
        }
    }
}

static PsErr listen_at(PsSimS7Front *front, const char *address, uint16_t port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t len = sizeof at;
    int on = 1;
    front->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool open = front->listener >= 0 && inet_pton(AF_INET, address, &at.sin_addr) == 1 &&
                setsockopt(front->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                bind(front->listener, (const struct sockaddr *)&at, sizeof at) == 0 &&
                listen(front->listener, SOMAXCONN) == 0 &&
                getsockname(front->listener, (struct sockaddr *)&at, &len) == 0;
    front->port = ntohs(at.sin_port);
    return open ? PS_OK : PS_ERR_IO;
}

PsErr ps_sim_s7_front_start(PsSimS7Memory *memory, const char *address, uint16_t port,
                            uint16_t server_port, PsSimS7Front **ret_front, PsDiag *diag) {
    PsSimS7Front *front = ps_alloc(sizeof *front);
    *front =
        (PsSimS7Front){.memory = memory, .server_port = server_port, .listener = -1, .wake = -1};
    pthread_mutex_init(&front->lock, NULL);
    front->wake = eventfd(0, EFD_CLOEXEC);
    PsErr err = front->wake >= 0 ? listen_at(front, address, port) : PS_ERR_IO;
    if (err == PS_OK && pthread_create(&front->thread, NULL, run_front, front) != 0) {
        err = PS_ERR_IO;
    }
    if (err != PS_OK) {
        err = ps_fail(err, diag, NULL, NULL, "S7: cannot listen on %s:%u: %s", address, port,
                      strerror(errno));
        if (front->listener >= 0) {
            close(front->listener);
        }
        if (front->wake >= 0) {
            close(front->wake);
        }
        pthread_mutex_destroy(&front->lock);
        free(front);
        return err;
    }
    *ret_front = front;
    return PS_OK;
}

void ps_sim_s7_front_stop(PsSimS7Front *front) {
    if (front == NULL) {
        return;
    }
    uint64_t one = 1;
    ssize_t put = write(front->wake, &one, sizeof one);
    (void)put;
    pthread_join(front->thread, NULL);
    pthread_mutex_lock(&front->lock);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        Link *link = &front->links[i];
        if (link->used && !link->ended) {
            shutdown(link->client, SHUT_RDWR);
            shutdown(link->server, SHUT_RDWR);
        }
        if (link->used) {
            reap(front, link);
        }
    }
    pthread_mutex_unlock(&front->lock);
    close(front->listener);
    close(front->wake);
    pthread_mutex_destroy(&front->lock);
    free(front);
}

uint16_t ps_sim_s7_front_port(const PsSimS7Front *front) {
    return front->port;
}
