//! One connection of a public port: what it sent so far, and its answers in order, each with the
//! time when it goes. On its port's thread only.
#pragma once

#include "base/buf.h"
#include "base/time.h"
#include "sim/knobs.h"

#include <stdbool.h>
#include <stdint.h>

/// While so many answers or bytes of them wait, nothing more is read.
#define PS_SIM_CLIENT_ANSWERS 1000
#define PS_SIM_CLIENT_BYTES ((size_t)4 << 20)

typedef struct PsSimClient PsSimClient;
typedef struct PsSimPort PsSimPort;

/// What epoll tells apart.
typedef struct PsSimWatch {
    PsSimClient *client;
    bool is_peer;
} PsSimWatch;

typedef struct PsSimAnswer PsSimAnswer;

struct PsSimClient {
    PsSimPort *port;
    void *user; ///< the owner's
    int epoll_fd;
    int fd;
    int peer_fd; ///< -1: none
    uint32_t watched;
    PsSimWatch own_watch;
    PsSimWatch peer_watch;
    PsBuf in; ///< the beginning of a request
    PsSimAnswer *first;
    PsSimAnswer *last;
    size_t count;
    size_t bytes;
    size_t sent; ///< of the first one
    PsMono busy_until;
    bool blocked; ///< the socket takes no more for now
    bool held;    ///< its owner wants no more requests for now
    bool ending;  ///< closed when all answers are gone
    bool dead;    ///< to be freed at the end of the turn
    size_t index; ///< in the port's table
};

/// Takes over `fd`, which does not block.
PsSimClient *ps_sim_client_new(PsSimPort *port, int epoll_fd, int fd);
/// Closes its sockets. Its user data is gone by then.
void ps_sim_client_free(PsSimClient *client);

/// Queues an answer, or sends it when nothing holds it up. `more` are faults beside those of the
/// port's knobs; NULL: none.
void ps_sim_client_answer(PsSimClient *client, const uint8_t *frame, size_t len,
                          const PsKnobAnswer *more);
/// Sends what is due.
void ps_sim_client_flush(PsSimClient *client, PsMono now);
/// Makes every answer that waits due now.
void ps_sim_client_hurry(PsSimClient *client);
/// When the first answer is due that only waits for its time. False: there is none.
bool ps_sim_client_due(const PsSimClient *client, PsMono *ret_due);
/// Has it so many answers that no more shall be made?
bool ps_sim_client_is_full(const PsSimClient *client);

/// Gives the client a second socket and says what to wait for there (epoll events); again to change
/// them. False: the system has no room for it.
bool ps_sim_client_watch(PsSimClient *client, int peer_fd, uint32_t events);
/// No more requests while `held`.
void ps_sim_client_hold(PsSimClient *client, bool held);
/// Closes it when its answers are gone.
void ps_sim_client_finish(PsSimClient *client);
/// Closes it with a reset at the end of the turn.
void ps_sim_client_reset(PsSimClient *client);
/// Tells epoll what the state asks for.
void ps_sim_client_settle(PsSimClient *client);
