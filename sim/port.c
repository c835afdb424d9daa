// A public port: listener, connections and fault knobs in one epoll loop on a thread of its own.
// The lock guards knobs, counters and what the controlling thread asks for; the connections are
// the thread's alone.
#include "sim/port.h"

#include "base/mem.h"
#include "base/time.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOPBACK "127.0.0.1"
#define BACKLOG 1024
#define EVENTS 64
#define READ_BYTES 16384
#define OTHER_FILES 64 // beside the connections, which have up to two each

struct PsSimPort {
    PsSimPortSetup setup;
    struct sockaddr_in address;
    pthread_t thread;
    bool started;
    int epoll_fd;
    int wake_fd;
    int listen_fd; // -1 while refused
    PsSimClient **clients;
    size_t client_count;

    pthread_mutex_t lock;
    pthread_cond_t changed; // listening, connections
    bool stopping;
    bool listening;
    int listen_error; // errno of the last try to listen again
    uint64_t generation;
    uint64_t seen_generation; // by the thread
    PsKnobs knobs;
    PsSimPortStats stats;
};

// Opens the port; false with errno. A free port, once chosen, stays ours for `ok` after `refuse`.
static bool open_listener(PsSimPort *port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    socklen_t size = sizeof port->address;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &port->listen_fd};
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, (struct sockaddr *)&port->address, size) == 0 && listen(fd, BACKLOG) == 0 &&
        (port->address.sin_port != 0 ||
         getsockname(fd, (struct sockaddr *)&port->address, &size) == 0) &&
        epoll_ctl(port->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0) {
        port->listen_fd = fd;
        return true;
    }
    int error = errno;
    if (fd >= 0) {
        close(fd);
    }
    errno = error;
    return false;
}

static void close_listener(PsSimPort *port) {
    if (port->listen_fd >= 0) {
        close(port->listen_fd);
        port->listen_fd = -1;
    }
}

static void close_client(PsSimPort *port, PsSimClient *client) {
    if (port->setup.closed != NULL) {
        port->setup.closed(port->setup.owner, client);
    }
    PsSimClient *moved = port->clients[--port->client_count];
    port->clients[client->index] = moved;
    moved->index = client->index;
    ps_sim_client_free(client);
}

// Frees what ended in this turn; events of the same turn may still have named it before.
static void reap(PsSimPort *port) {
    size_t before = port->client_count;
    for (size_t i = port->client_count; i > 0; i--) {
        if (port->clients[i - 1]->dead) {
            close_client(port, port->clients[i - 1]);
        }
    }
    if (port->client_count != before) {
        pthread_mutex_lock(&port->lock);
        port->stats.connections = (uint32_t)port->client_count;
        pthread_cond_broadcast(&port->changed);
        pthread_mutex_unlock(&port->lock);
    }
}

static PsSimClient *adopt(PsSimPort *port, int fd) {
    int on = 1;
    PsSimClient *client = ps_sim_client_new(port, port->epoll_fd, fd);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &client->own_watch};
    client->watched = EPOLLIN;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        epoll_ctl(port->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0 ||
        (port->setup.opened != NULL && !port->setup.opened(port->setup.owner, client))) {
        ps_sim_client_free(client);
        return NULL;
    }
    client->index = port->client_count;
    port->clients[port->client_count++] = client;
    return client;
}

static void accept_all(PsSimPort *port) {
    int fd = -1;
    while (port->listen_fd >= 0 &&
           (fd = accept4(port->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        bool taken = false;
        if (port->client_count < port->setup.connections) {
            taken = adopt(port, fd) != NULL;
        } else {
            close(fd);
        }
        pthread_mutex_lock(&port->lock);
        port->stats.accepted += taken;
        port->stats.turned_away += !taken;
        port->stats.connections = (uint32_t)port->client_count;
        pthread_mutex_unlock(&port->lock);
    }
}

PsKnobAction ps_sim_port_judge_request(PsSimPort *port) {
    pthread_mutex_lock(&port->lock);
    PsKnobAction action = ps_knobs_request(&port->knobs);
    port->stats.requests++;
    port->stats.resets += action == PS_KNOB_RESET;
    port->stats.unanswered += action == PS_KNOB_SILENCE;
    pthread_mutex_unlock(&port->lock);
    return action;
}

PsKnobAnswer ps_sim_port_judge_answer(PsSimPort *port) {
    pthread_mutex_lock(&port->lock);
    PsKnobAnswer answer = ps_knobs_answer(&port->knobs);
    port->stats.answers++;
    pthread_mutex_unlock(&port->lock);
    return answer;
}

static void take_request(PsSimPort *port, PsSimClient *client, uint8_t *frame, size_t len) {
    switch (ps_sim_port_judge_request(port)) {
    case PS_KNOB_RESET:
        ps_sim_client_reset(client);
        break;
    case PS_KNOB_SILENCE:
        break;
    case PS_KNOB_PASS:
        port->setup.request(port->setup.owner, client, frame, len);
        break;
    }
}

// The whole requests among the bytes that have come; the rest stays.
static void take_requests(PsSimPort *port, PsSimClient *client) {
    PsBuf *in = &client->in;
    size_t at = 0;
    while (!client->dead && !client->ending && at < in->len) {
        size_t len = port->setup.framing->length(in->data + at, in->len - at);
        if (len > port->setup.framing->most) {
            client->dead = true;
        }
        if (len == 0 || client->dead || len > in->len - at) {
            break;
        }
        take_request(port, client, in->data + at, len);
        at += len;
    }
    memmove(in->data, in->data + at, in->len - at);
    in->len -= at;
}

static void read_client(PsSimPort *port, PsSimClient *client) {
    ps_buf_reserve(&client->in, READ_BYTES);
    ssize_t got = recv(client->fd, client->in.data + client->in.len, READ_BYTES, 0);
    if (got > 0) {
        client->in.len += (size_t)got;
        take_requests(port, client);
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        client->dead = true;
    }
}

static void tell_room(PsSimPort *port, PsSimClient *client, bool was_full) {
    if (was_full && !client->dead && client->peer_fd >= 0 && !ps_sim_client_is_full(client)) {
        port->setup.peer(port->setup.owner, client, 0);
    }
}

static void handle(PsSimPort *port, const struct epoll_event *event) {
    const PsSimWatch *watch = event->data.ptr;
    PsSimClient *client = watch->client;
    if (client->dead) {
        return;
    }
    if (watch->is_peer) {
        port->setup.peer(port->setup.owner, client, event->events);
    } else if ((event->events & (EPOLLIN | EPOLLOUT)) == 0) {
        client->dead = true; // an error or a reset while nothing was to be read
    } else {
        bool was_full = ps_sim_client_is_full(client);
        if ((event->events & EPOLLOUT) != 0) {
            ps_sim_client_flush(client, ps_mono_now());
            tell_room(port, client, was_full);
        }
        if ((event->events & EPOLLIN) != 0) {
            read_client(port, client);
        }
    }
    ps_sim_client_settle(client);
}

// Sends what has become due; how long nothing else will be, in milliseconds, -1: for ever.
static int flush_due(PsSimPort *port) {
    PsMono now = ps_mono_now();
    int wait_ms = -1;
    for (size_t i = 0; i < port->client_count; i++) {
        PsSimClient *client = port->clients[i];
        PsMono due;
        if (ps_sim_client_due(client, &due) && due.ns <= now.ns) {
            bool was_full = ps_sim_client_is_full(client);
            ps_sim_client_flush(client, now);
            tell_room(port, client, was_full);
            ps_sim_client_settle(client);
        }
        if (ps_sim_client_due(client, &due)) {
            int left_ms = ps_mono_poll_ms(now, due);
            wait_ms = wait_ms < 0 || left_ms < wait_ms ? left_ms : wait_ms;
        }
    }
    return wait_ms;
}

// Brings port and connections to the wanted state. False when the port is to stop.
static bool settle(PsSimPort *port) {
    pthread_mutex_lock(&port->lock);
    bool stopping = port->stopping;
    bool turned = port->generation != port->seen_generation;
    port->seen_generation = port->generation;
    bool wanted = !port->knobs.refuse;
    if (!wanted) {
        close_listener(port);
    } else if (port->listen_fd < 0) {
        port->listen_error = open_listener(port) ? 0 : errno;
    }
    port->listening = port->listen_fd >= 0;
    pthread_cond_broadcast(&port->changed);
    pthread_mutex_unlock(&port->lock);
    for (size_t i = 0; turned && i < port->client_count; i++) {
        port->clients[i]->dead = port->clients[i]->dead || !wanted;
        ps_sim_client_hurry(port->clients[i]);
    }
    return !stopping;
}

static void *port_main(void *arg) {
    PsSimPort *port = arg;
    while (settle(port)) {
        int wait_ms = flush_due(port);
        reap(port);
        struct epoll_event events[EVENTS];
        int count = epoll_wait(port->epoll_fd, events, EVENTS, wait_ms);
        for (int i = 0; i < count; i++) {
            uint64_t wakes = 0;
            if (events[i].data.ptr == &port->wake_fd) {
                (void)!read(port->wake_fd, &wakes, sizeof wakes);
            } else if (events[i].data.ptr == &port->listen_fd) {
                accept_all(port);
            } else {
                handle(port, &events[i]);
            }
        }
    }
    return NULL;
}

static void wake(PsSimPort *port) {
    uint64_t one = 1;
    ssize_t written = write(port->wake_fd, &one, sizeof one);
    PS_ASSERT(written == (ssize_t)sizeof one);
}

static PsErr resolve(const PsSimPortSetup *setup, struct sockaddr_in *address, PsDiag *diag) {
    const char *text = setup->address != NULL ? setup->address : LOOPBACK;
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(setup->port)};
    if (inet_pton(AF_INET, text, &address->sin_addr) != 1) {
        return ps_fail(PS_ERR_INVALID, diag, "penstock-sim", "address",
                       "'%s' is no IPv4 address; leave it out for %s", text, LOOPBACK);
    }
    return PS_OK;
}

// Each connection needs a file, behind a relay two.
static PsErr allow_files(uint32_t connections, PsDiag *diag) {
    struct rlimit limit;
    rlim_t need = 2 * (rlim_t)connections + OTHER_FILES;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= need) {
        return PS_OK;
    }
    limit.rlim_cur = limit.rlim_max < need ? limit.rlim_max : need;
    if (limit.rlim_cur < need || setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return ps_fail(PS_ERR_RANGE, diag, "penstock-sim", "connections",
                       "%u connections need %llu open files, this system allows %llu; take fewer, "
                       "or raise the limit (ulimit -n)",
                       connections, (unsigned long long)need, (unsigned long long)limit.rlim_max);
    }
    return PS_OK;
}

PsErr ps_sim_port_new(const PsSimPortSetup *setup, PsSimPort **ret_port, PsDiag *diag) {
    struct sockaddr_in address;
    uint32_t connections = setup->connections != 0 ? setup->connections : PS_SIM_CONNECTIONS;
    PsErr err = resolve(setup, &address, diag);
    err = err == PS_OK ? allow_files(connections, diag) : err;
    if (err != PS_OK) {
        return err;
    }
    PsSimPort *port = ps_alloc(sizeof *port);
    port->setup = *setup;
    port->setup.address = NULL; // resolved already; not ours to keep
    port->setup.connections = connections;
    port->address = address;
    port->clients = ps_alloc_array(connections, sizeof port->clients[0]);
    port->listen_fd = -1;
    pthread_cond_init(&port->changed, NULL);
    pthread_mutex_init(&port->lock, NULL);
    port->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    port->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &port->wake_fd};
    if (port->wake_fd < 0 || port->epoll_fd < 0 ||
        epoll_ctl(port->epoll_fd, EPOLL_CTL_ADD, port->wake_fd, &event) != 0 ||
        !open_listener(port)) {
        err = ps_fail(PS_ERR_IO, diag, "penstock-sim", "port",
                      "cannot listen on port %u: %s; choose another, or 0 for a free one",
                      setup->port, strerror(errno));
        ps_sim_port_free(port);
        return err;
    }
    port->listening = true;
    *ret_port = port;
    return PS_OK;
}

PsErr ps_sim_port_start(PsSimPort *port, PsDiag *diag) {
    int error = pthread_create(&port->thread, NULL, port_main, port);
    port->started = error == 0;
    return error == 0 ? PS_OK
                      : ps_fail(PS_ERR_IO, diag, "penstock-sim", NULL, "no thread for a port: %s",
                                strerror(error));
}

void ps_sim_port_free(PsSimPort *port) {
    if (port == NULL) {
        return;
    }
    if (port->started) {
        pthread_mutex_lock(&port->lock);
        port->stopping = true;
        pthread_mutex_unlock(&port->lock);
        wake(port);
        pthread_join(port->thread, NULL);
    }
    while (port->client_count > 0) {
        close_client(port, port->clients[0]);
    }
    close_listener(port);
    if (port->wake_fd >= 0) {
        close(port->wake_fd);
    }
    if (port->epoll_fd >= 0) {
        close(port->epoll_fd);
    }
    pthread_cond_destroy(&port->changed);
    pthread_mutex_destroy(&port->lock);
    free(port->clients);
    free(port);
}

uint16_t ps_sim_port_number(const PsSimPort *port) {
    return ntohs(port->address.sin_port);
}

const PsSimFraming *ps_sim_port_framing(const PsSimPort *port) {
    return port->setup.framing;
}

PsSimPortStats ps_sim_port_stats(PsSimPort *port) {
    pthread_mutex_lock(&port->lock);
    PsSimPortStats stats = port->stats;
    pthread_mutex_unlock(&port->lock);
    return stats;
}

void ps_sim_port_describe(PsSimPort *port, PsBuf *out) {
    PsSimPortStats stats = ps_sim_port_stats(port);
    ps_buf_printf(out,
                  "requests=%llu answers=%llu unanswered=%llu resets=%llu accepted=%llu "
                  "turned_away=%llu connections=%u\n",
                  (unsigned long long)stats.requests, (unsigned long long)stats.answers,
                  (unsigned long long)stats.unanswered, (unsigned long long)stats.resets,
                  (unsigned long long)stats.accepted, (unsigned long long)stats.turned_away,
                  stats.connections);
}

bool ps_sim_port_refuses(PsSimPort *port) {
    pthread_mutex_lock(&port->lock);
    bool refuses = port->knobs.refuse;
    pthread_mutex_unlock(&port->lock);
    return refuses;
}

// Waits until the thread has done what the knobs say. Under the lock.
static PsErr wait_settled(PsSimPort *port, PsDiag *diag) {
    bool refuse = port->knobs.refuse;
    port->generation++;
    port->listen_error = 0;
    wake(port);
    while ((port->seen_generation != port->generation || port->listening == refuse) &&
           port->listen_error == 0) {
        pthread_cond_wait(&port->changed, &port->lock);
    }
    if (port->listen_error != 0) {
        return ps_fail(PS_ERR_IO, diag, "penstock-sim", "port", "cannot listen again: %s",
                       strerror(port->listen_error));
    }
    // Refused means gone.
    while (refuse && port->stats.connections > 0) {
        pthread_cond_wait(&port->changed, &port->lock);
    }
    return PS_OK;
}

PsErr ps_sim_port_fault(PsSimPort *port, const char *line, PsDiag *diag) {
    pthread_mutex_lock(&port->lock);
    PsKnobs changed = port->knobs;
    PsErr err = ps_knobs_turn(&changed, line, diag);
    if (err == PS_OK && port->setup.framing->spoil_id == NULL &&
        (changed.wrong_id.always || changed.wrong_id.once || changed.wrong_id.every > 0)) {
        err = ps_fail(PS_ERR_UNSUPPORTED, diag, NULL, NULL,
                      "the frames of this protocol carry no identity that could be wrong");
    }
    if (err == PS_OK) {
        port->knobs = changed;
        err = wait_settled(port, diag);
    }
    pthread_mutex_unlock(&port->lock);
    return err;
}
