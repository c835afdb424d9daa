// The Modbus TCP side of the simulator. An accept thread opens and closes the port; each
// connection has a thread that may block on its socket and in a fault's delay. One lock guards
// plant, faults, counters and the connection table.
#include "sim/server.h"

#include "base/mem.h"
#include "base/time.h"

#include <arpa/inet.h>
#include <errno.h>
#include <modbus/modbus.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOPBACK "127.0.0.1"
#define BACKLOG 32
#define SEND_TIMEOUT_S 1 // a client that never reads must not hold the lock for long

typedef struct Connection {
    PsSimServer *server;
    pthread_t thread;
    int fd;        // -1 once closed
    bool started;  // the thread has to be joined
    bool finished; // the thread is about to end
} Connection;

struct PsSimServer {
    PsSimServerSetup setup;
    struct sockaddr_in address;
    bool restricted; // only the listed unit ids exist
    PsMono start;
    pthread_t acceptor;
    int wake_fd;

    pthread_mutex_t lock;
    pthread_cond_t changed; // faults, listening, stopping
    bool stopping;
    bool listening;
    int listen_error; // errno of the last try to listen again
    uint64_t fault_generation;
    PsFaults faults;
    PsPlant *plant;
    modbus_mapping_t mapping; // the plant's tables, as libmodbus wants them
    PsSimStats stats;
    Connection connections[PS_SIM_CONNECTIONS];
};

static int64_t run_ms(const PsSimServer *server) {
    return ps_mono_diff_ns(ps_mono_now(), server->start) / PS_NS_PER_MS;
}

// Opens the port; -1 with errno. A free port, once chosen, stays ours for `ok` after `refuse`.
static int open_listener(PsSimServer *server) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    socklen_t size = sizeof server->address;
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, (struct sockaddr *)&server->address, size) == 0 && listen(fd, BACKLOG) == 0 &&
        getsockname(fd, (struct sockaddr *)&server->address, &size) == 0) {
        return fd;
    }
    int error = errno;
    if (fd >= 0) {
        close(fd);
    }
    errno = error;
    return -1;
}

// Waits out a fault's delay under the lock; ends early on stop or when a knob is turned.
static void wait_delay(PsSimServer *server, uint32_t delay_ms) {
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), delay_ms * PS_NS_PER_MS);
    struct timespec until = {deadline.ns / PS_NS_PER_S, deadline.ns % PS_NS_PER_S};
    uint64_t generation = server->fault_generation;
    int rc = 0;
    while (rc == 0 && !server->stopping && generation == server->fault_generation) {
        rc = pthread_cond_timedwait(&server->changed, &server->lock, &until);
    }
}

static bool answer(PsSimServer *server, modbus_t *modbus, const uint8_t *frame, size_t len,
                   const PsSimRequest *request, uint8_t exception) {
    if (exception != 0) {
        server->stats.exceptions++;
        return modbus_reply_exception(modbus, frame, exception) >= 0;
    }
    ps_plant_advance(server->plant, run_ms(server));
    if (modbus_reply(modbus, frame, (int)len, &server->mapping) < 0) {
        return false;
    }
    ps_plant_written(server->plant, request->write.table, request->write.offset,
                     request->write.count);
    server->stats.answered++;
    return true;
}

static bool reset_connection(PsSimServer *server, int fd) {
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    server->stats.resets++;
    if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) != 0) {
        server->stats.resets--;
    }
    return false;
}

// Counts the request. Under the lock.
static PsFaultVerdict judge(PsSimServer *server, const PsSimRequest *request) {
    server->stats.requests++;
    PsFaultVerdict verdict = ps_faults_judge(&server->faults, request);
    if (server->restricted && !server->setup.slaves[request->slave] &&
        verdict.action != PS_FAULT_RESET) {
        verdict.action = PS_FAULT_SILENCE;
    }
    return verdict;
}

PsFaultVerdict ps_sim_server_ask(PsSimServer *server, modbus_t *modbus, const uint8_t *frame,
                                 size_t len) {
    PsSimRequest request = ps_sim_frame_decode(frame, len);
    pthread_mutex_lock(&server->lock);
    PsFaultVerdict verdict = judge(server, &request);
    bool refused = verdict.action == PS_FAULT_EXCEPTION;
    if (refused || verdict.action == PS_FAULT_ANSWER) {
        bool sent = answer(server, modbus, frame, len, &request,
                           refused ? verdict.exception : request.exception);
        verdict.action = sent ? PS_FAULT_ANSWER : PS_FAULT_SILENCE;
    } else {
        verdict.action = PS_FAULT_SILENCE;
        server->stats.unanswered++;
    }
    pthread_mutex_unlock(&server->lock);
    return verdict;
}

bool ps_sim_server_refuses(PsSimServer *server) {
    pthread_mutex_lock(&server->lock);
    bool refuses = server->faults.refuse;
    pthread_mutex_unlock(&server->lock);
    return refuses;
}

// One request under the lock; false: close the connection.
static bool serve(PsSimServer *server, modbus_t *modbus, int fd, const uint8_t *frame, size_t len) {
    PsSimRequest request = ps_sim_frame_decode(frame, len);
    PsFaultVerdict verdict = judge(server, &request);
    if (verdict.delay_ms > 0) {
        wait_delay(server, verdict.delay_ms);
    }
    if (server->stopping) {
        return false;
    }
    switch (verdict.action) {
    case PS_FAULT_RESET:
        return reset_connection(server, fd);
    case PS_FAULT_SILENCE:
        server->stats.unanswered++;
        return true;
    case PS_FAULT_EXCEPTION:
        return answer(server, modbus, frame, len, &request, verdict.exception);
    default:
        return answer(server, modbus, frame, len, &request, request.exception);
    }
}

static bool read_whole(int fd, uint8_t *bytes, size_t len) {
    while (len > 0) {
        ssize_t got = recv(fd, bytes, len, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        bytes += got;
        len -= (size_t)got;
    }
    return true;
}

static void serve_all(PsSimServer *server, modbus_t *modbus, int fd) {
    bool open = true;
    while (open) {
        uint8_t frame[PS_SIM_FRAME_BYTES];
        if (!read_whole(fd, frame, PS_SIM_MBAP_BYTES)) {
            return;
        }
        size_t len = ps_sim_frame_length(frame);
        if (len == 0 || !read_whole(fd, frame + PS_SIM_MBAP_BYTES, len - PS_SIM_MBAP_BYTES)) {
            return;
        }
        pthread_mutex_lock(&server->lock);
        open = serve(server, modbus, fd, frame, len);
        pthread_mutex_unlock(&server->lock);
    }
}

static void *connection_main(void *arg) {
    Connection *connection = arg;
    PsSimServer *server = connection->server;
    int fd = connection->fd;
    modbus_t *modbus = modbus_new_tcp(LOOPBACK, MODBUS_TCP_DEFAULT_PORT);
    if (modbus != NULL && modbus_set_socket(modbus, fd) == 0) {
        serve_all(server, modbus, fd);
    }
    modbus_free(modbus);
    pthread_mutex_lock(&server->lock);
    close(fd);
    connection->fd = -1;
    connection->finished = true;
    server->stats.connections--;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

// A place in the table; joins the thread that had it before. Under the lock.
static Connection *find_place(PsSimServer *server) {
    for (size_t i = 0; i < PS_SIM_CONNECTIONS; i++) {
        Connection *connection = &server->connections[i];
        if (connection->started && connection->finished) {
            pthread_join(connection->thread, NULL); // it needs the lock no more
            connection->started = false;
        }
        if (!connection->started) {
            return connection;
        }
    }
    return NULL;
}

static bool start_connection(PsSimServer *server, Connection *connection, int fd) {
    *connection = (Connection){.server = server, .fd = fd};
    server->stats.connections++;
    if (pthread_create(&connection->thread, NULL, connection_main, connection) != 0) {
        server->stats.connections--;
        return false;
    }
    connection->started = true;
    return true;
}

static void accept_one(PsSimServer *server, int listen_fd) {
    int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) {
        return; // the peer went away again; the next poll tells
    }
    int on = 1;
    struct timeval limit = {.tv_sec = SEND_TIMEOUT_S};
    bool ready = setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
                 setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0;
    pthread_mutex_lock(&server->lock);
    Connection *connection = ready ? find_place(server) : NULL;
    if (connection != NULL && start_connection(server, connection, fd)) {
        server->stats.accepted++;
    } else {
        server->stats.turned_away++;
        close(fd);
    }
    pthread_mutex_unlock(&server->lock);
}

// Ends every connection's read; its thread closes the socket. Under the lock.
static void drop_connections(PsSimServer *server) {
    for (size_t i = 0; i < PS_SIM_CONNECTIONS; i++) {
        Connection *connection = &server->connections[i];
        if (connection->started && connection->fd >= 0) {
            shutdown(connection->fd, SHUT_RDWR);
        }
    }
}

// Brings the port to the wanted state. Returns false when the server is to stop.
static bool settle_listener(PsSimServer *server, int *listen_fd) {
    pthread_mutex_lock(&server->lock);
    bool stopping = server->stopping;
    bool wanted = !stopping && !server->faults.refuse;
    if (!wanted && *listen_fd >= 0) {
        close(*listen_fd);
        *listen_fd = -1;
        drop_connections(server);
    } else if (wanted && *listen_fd < 0) {
        *listen_fd = open_listener(server);
        server->listen_error = *listen_fd < 0 ? errno : 0;
    }
    server->listening = *listen_fd >= 0;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    return !stopping;
}

typedef struct AcceptorStart {
    PsSimServer *server;
    int listen_fd;
} AcceptorStart;

static void *acceptor_main(void *arg) {
    AcceptorStart start = *(AcceptorStart *)arg;
    free(arg);
    PsSimServer *server = start.server;
    int listen_fd = start.listen_fd;
    while (settle_listener(server, &listen_fd)) {
        struct pollfd fds[2] = {
            {.fd = server->wake_fd, .events = POLLIN},
            {.fd = listen_fd, .events = POLLIN},
        };
        if (poll(fds, PS_COUNT(fds), -1) < 0) {
            continue;
        }
        uint64_t wakes = 0;
        if (fds[0].revents != 0 && read(server->wake_fd, &wakes, sizeof wakes) < 0) {
            continue;
        }
        if (listen_fd >= 0 && fds[1].revents != 0) {
            accept_one(server, listen_fd);
        }
    }
    return NULL;
}

static void wake(PsSimServer *server) {
    uint64_t one = 1;
    ssize_t written = write(server->wake_fd, &one, sizeof one);
    PS_ASSERT(written == (ssize_t)sizeof one);
}

static PsErr resolve(const PsSimServerSetup *setup, struct sockaddr_in *address, PsDiag *diag) {
    const char *text = setup->address != NULL ? setup->address : LOOPBACK;
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(setup->port)};
    if (inet_pton(AF_INET, text, &address->sin_addr) != 1) {
        return ps_fail(PS_ERR_INVALID, diag, "penstock-sim", "address",
                       "'%s' is no IPv4 address; leave it out for %s", text, LOOPBACK);
    }
    return PS_OK;
}

static PsSimServer *server_new(const PsSimServerSetup *setup) {
    PsSimServer *server = ps_alloc(sizeof *server);
    server->setup = *setup;
    server->setup.address = NULL; // resolved already; not ours to keep
    for (size_t i = 0; i < PS_COUNT(setup->slaves); i++) {
        server->restricted = server->restricted || setup->slaves[i];
    }
    server->start = ps_mono_now();
    server->plant = ps_plant_new(0);
    server->mapping = (modbus_mapping_t){
        .nb_bits = PS_SIM_TABLE_ITEMS,
        .nb_input_bits = PS_SIM_TABLE_ITEMS,
        .nb_input_registers = PS_SIM_TABLE_ITEMS,
        .nb_registers = PS_SIM_TABLE_ITEMS,
        .tab_bits = server->plant->coils,
        .tab_input_bits = server->plant->discretes,
        .tab_input_registers = server->plant->inputs,
        .tab_registers = server->plant->holdings,
    };
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&server->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&server->lock, NULL);
    server->wake_fd = eventfd(0, EFD_CLOEXEC);
    return server;
}

static void server_free(PsSimServer *server) {
    if (server->wake_fd >= 0) {
        close(server->wake_fd);
    }
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
    ps_plant_free(server->plant);
    free(server);
}

PsErr ps_sim_server_start(const PsSimServerSetup *setup, PsSimServer **ret_server, PsDiag *diag) {
    struct sockaddr_in address;
    PsErr err = resolve(setup, &address, diag);
    if (err != PS_OK) {
        return err;
    }
    PsSimServer *server = server_new(setup);
    server->address = address;
    AcceptorStart *start = ps_alloc(sizeof *start);
    *start = (AcceptorStart){server, open_listener(server)};
    server->listening = start->listen_fd >= 0;
    if (!server->listening || server->wake_fd < 0 ||
        pthread_create(&server->acceptor, NULL, acceptor_main, start) != 0) {
        err = ps_fail(PS_ERR_IO, diag, "penstock-sim", "port",
                      "cannot listen on port %u: %s; choose another, or 0 for a free one",
                      setup->port, strerror(errno));
        if (start->listen_fd >= 0) {
            close(start->listen_fd);
        }
        free(start);
        server_free(server);
        return err;
    }
    *ret_server = server;
    return PS_OK;
}

void ps_sim_server_stop(PsSimServer *server) {
    if (server == NULL) {
        return;
    }
    pthread_mutex_lock(&server->lock);
    server->stopping = true;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    wake(server);
    pthread_join(server->acceptor, NULL);
    pthread_mutex_lock(&server->lock);
    drop_connections(server);
    pthread_mutex_unlock(&server->lock);
    for (size_t i = 0; i < PS_SIM_CONNECTIONS; i++) {
        if (server->connections[i].started) {
            pthread_join(server->connections[i].thread, NULL);
        }
    }
    server_free(server);
}

uint16_t ps_sim_server_port(const PsSimServer *server) {
    return ntohs(server->address.sin_port);
}

PsSimStats ps_sim_server_stats(PsSimServer *server) {
    pthread_mutex_lock(&server->lock);
    PsSimStats stats = server->stats;
    pthread_mutex_unlock(&server->lock);
    return stats;
}

PsErr ps_sim_server_fault(PsSimServer *server, const char *line, PsDiag *diag) {
    pthread_mutex_lock(&server->lock);
    PsErr err = ps_faults_turn(&server->faults, line, diag);
    bool refuse = server->faults.refuse;
    if (err == PS_OK) {
        server->fault_generation++;
        server->listen_error = 0;
        pthread_cond_broadcast(&server->changed);
        wake(server);
        while (server->listening == refuse && server->listen_error == 0) {
            pthread_cond_wait(&server->changed, &server->lock);
        }
        if (server->listen_error != 0) {
            err = ps_fail(PS_ERR_IO, diag, "penstock-sim", "port", "cannot listen again: %s",
                          strerror(server->listen_error));
        }
        // Refused means gone: wait until the connections' threads have let go of their sockets.
        while (err == PS_OK && refuse && server->stats.connections > 0) {
            pthread_cond_wait(&server->changed, &server->lock);
        }
    }
    pthread_mutex_unlock(&server->lock);
    return err;
}

void ps_sim_server_force(PsSimServer *server, PsSimAddress address, uint16_t value) {
    pthread_mutex_lock(&server->lock);
    ps_plant_advance(server->plant, run_ms(server));
    ps_plant_force(server->plant, address, value);
    pthread_mutex_unlock(&server->lock);
}

uint16_t ps_sim_server_item(PsSimServer *server, PsSimAddress address) {
    pthread_mutex_lock(&server->lock);
    ps_plant_advance(server->plant, run_ms(server));
    uint16_t value = ps_plant_item(server->plant, address);
    pthread_mutex_unlock(&server->lock);
    return value;
}

void ps_sim_server_release(PsSimServer *server) {
    pthread_mutex_lock(&server->lock);
    ps_plant_release(server->plant);
    pthread_mutex_unlock(&server->lock);
}
