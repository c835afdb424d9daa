// Queue and sockets of one connection. Its port's thread; nothing blocks.
#include "sim/client.h"

#include "base/mem.h"
#include "sim/port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct PsSimAnswer {
    PsSimAnswer *next;
    PsMono due;
    size_t len;
    uint8_t bytes[];
};

PsSimClient *ps_sim_client_new(PsSimPort *port, int epoll_fd, int fd) {
    PsSimClient *client = ps_alloc(sizeof *client);
    *client = (PsSimClient){.port = port, .epoll_fd = epoll_fd, .fd = fd, .peer_fd = -1};
    client->own_watch = (PsSimWatch){client, false};
    client->peer_watch = (PsSimWatch){client, true};
    return client;
}

static void drop_first(PsSimClient *client) {
    PsSimAnswer *answer = client->first;
    client->first = answer->next;
    client->last = client->first == NULL ? NULL : client->last;
    client->count--;
    client->bytes -= answer->len;
    client->sent = 0;
    free(answer);
}

void ps_sim_client_free(PsSimClient *client) {
    while (client->first != NULL) {
        drop_first(client);
    }
    ps_buf_deinit(&client->in);
    if (client->peer_fd >= 0) {
        close(client->peer_fd);
    }
    close(client->fd);
    free(client);
}

// How much of it went; what the socket does not take now stays. A dead connection takes all.
static size_t send_some(PsSimClient *client, const uint8_t *bytes, size_t len) {
    size_t at = 0;
    while (at < len) {
        ssize_t sent = send(client->fd, bytes + at, len - at, MSG_NOSIGNAL);
        if (sent >= 0) {
            at += (size_t)sent;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            client->blocked = true;
            return at;
        } else if (errno != EINTR) {
            client->dead = true;
            return len;
        }
    }
    return at;
}

static void queue(PsSimClient *client, const uint8_t *frame, size_t len, PsMono due) {
    PsSimAnswer *answer = ps_alloc(sizeof *answer + len);
    *answer = (PsSimAnswer){.due = due, .len = len};
    memcpy(answer->bytes, frame, len);
    if (client->last == NULL) {
        client->first = answer;
    } else {
        client->last->next = answer;
    }
    client->last = answer;
    client->count++;
    client->bytes += len;
}

// Whole, or piece by piece.
static void queue_pieces(PsSimClient *client, const uint8_t *bytes, size_t len, PsMono due,
                         uint32_t piece_bytes) {
    size_t piece = piece_bytes != 0 ? piece_bytes : len;
    for (size_t at = 0; at < len; at += piece) {
        queue(client, bytes + at, len - at < piece ? len - at : piece, due);
        due = ps_mono_add_ns(due, PS_KNOB_PIECE_MS * PS_NS_PER_MS);
    }
}

// With all that the knobs do to it.
static void queue_answer(PsSimClient *client, const uint8_t *frame, size_t len, PsMono due,
                         const PsKnobAnswer *fault) {
    PS_AUTO_BUF PsBuf own = {0};
    size_t damaged = len;
    ps_buf_put(&own, frame, len);
    ps_knobs_damage(fault->damage, ps_sim_port_framing(client->port), own.data, &damaged);
    queue_pieces(client, own.data, damaged, due, fault->piece_bytes);
    if (fault->twice) {
        queue_pieces(client, own.data, damaged, due, fault->piece_bytes);
    }
}

void ps_sim_client_answer(PsSimClient *client, const uint8_t *frame, size_t len,
                          const PsKnobAnswer *more) {
    PsKnobAnswer fault = ps_sim_port_judge_answer(client->port);
    if (more != NULL) {
        fault.delay_ms += more->delay_ms;
        fault.late_ms += more->late_ms;
        fault.damage = fault.damage != PS_DAMAGE_NONE ? fault.damage : more->damage;
    }
    if (fault.dropped || client->ending || client->dead) {
        return;
    }
    PsMono now = ps_mono_now();
    PsMono free_at = client->busy_until.ns > now.ns ? client->busy_until : now;
    client->busy_until = ps_mono_add_ns(free_at, fault.delay_ms * PS_NS_PER_MS);
    PsMono due = ps_mono_add_ns(client->busy_until, fault.late_ms * PS_NS_PER_MS);
    bool whole = fault.damage == PS_DAMAGE_NONE && !fault.twice && fault.piece_bytes == 0;
    if (!whole || client->first != NULL || client->blocked || due.ns > now.ns) {
        queue_answer(client, frame, len, due, &fault);
        ps_sim_client_flush(client, now);
        return;
    }
    size_t sent = send_some(client, frame, len);
    if (sent < len) {
        queue(client, frame + sent, len - sent, due);
    }
}

void ps_sim_client_flush(PsSimClient *client, PsMono now) {
    client->blocked = false;
    while (!client->dead && !client->blocked && client->first != NULL &&
           client->first->due.ns <= now.ns) {
        PsSimAnswer *answer = client->first;
        client->sent += send_some(client, answer->bytes + client->sent, answer->len - client->sent);
        if (client->sent == answer->len) {
            drop_first(client);
        }
    }
    if (client->ending && client->first == NULL) {
        client->dead = true;
    }
}

void ps_sim_client_hurry(PsSimClient *client) {
    client->busy_until = (PsMono){0};
    for (PsSimAnswer *answer = client->first; answer != NULL; answer = answer->next) {
        answer->due = (PsMono){0};
    }
}

bool ps_sim_client_due(const PsSimClient *client, PsMono *ret_due) {
    if (client->first == NULL || client->blocked || client->dead) {
        return false;
    }
    *ret_due = client->first->due;
    return true;
}

bool ps_sim_client_is_full(const PsSimClient *client) {
    return client->count >= PS_SIM_CLIENT_ANSWERS || client->bytes >= PS_SIM_CLIENT_BYTES;
}

bool ps_sim_client_watch(PsSimClient *client, int peer_fd, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = &client->peer_watch};
    bool is_new = client->peer_fd < 0;
    client->peer_fd = peer_fd;
    return epoll_ctl(client->epoll_fd, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, peer_fd, &event) ==
           0;
}

void ps_sim_client_hold(PsSimClient *client, bool held) {
    client->held = held;
}

void ps_sim_client_finish(PsSimClient *client) {
    client->ending = true;
    client->dead = client->dead || client->first == NULL;
}

void ps_sim_client_reset(PsSimClient *client) {
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    // Without the option it is an ordinary end.
    (void)setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    client->dead = true;
}

void ps_sim_client_settle(PsSimClient *client) {
    bool reads = !client->held && !client->ending && !ps_sim_client_is_full(client);
    uint32_t wanted = (reads ? (uint32_t)EPOLLIN : 0) | (client->blocked ? (uint32_t)EPOLLOUT : 0);
    if (wanted == client->watched || client->dead) {
        return;
    }
    struct epoll_event event = {.events = wanted, .data.ptr = &client->own_watch};
    if (epoll_ctl(client->epoll_fd, EPOLL_CTL_MOD, client->fd, &event) == 0) {
        client->watched = wanted;
    } else {
        client->dead = true;
    }
}
