//! A PsStream over a descriptor that does not block, in a libuv loop. What the bytes go through is
//! a wire: plain (pipe.c) or TLS (tls_peer.c). Main thread.
#pragma once

#include "localcloud/transport/queue.h"
#include "localcloud/transport/stream.h"

#include <uv.h>

#define PS_SOCKET_READ_BYTES ((size_t)16 * 1024) // one TLS record (RFC 8446, 5.1)

/// How one step of a wire went.
typedef enum PsWireResult {
    PS_WIRE_DONE,
    PS_WIRE_WANTS_READ,
    PS_WIRE_WANTS_WRITE,
    PS_WIRE_LATER, ///< open only: try again in a moment
    PS_WIRE_ENDED, ///< the peer ended it in order
    PS_WIRE_BROKEN,
} PsWireResult;

typedef struct PsSocket PsSocket;

typedef struct PsWire {
    PsWireResult (*open)(PsSocket *socket); ///< handshake, connect; called until DONE
    PsWireResult (*read)(PsSocket *socket, uint8_t *data, size_t size, size_t *ret_len);
    PsWireResult (*write)(PsSocket *socket, const uint8_t *data, size_t len, size_t *ret_len);
    void (*shut)(PsSocket *socket);                           ///< says goodbye; may be NULL
    void (*broken)(PsSocket *socket, char *why, size_t size); ///< words for the last BROKEN
    void (*opened)(PsSocket *socket);                         ///< after DONE of open
    /// Only while it was not open: the user does not know the stream yet.
    void (*failed)(PsSocket *socket, const char *why);
    void (*gone)(PsSocket *socket); ///< last: frees the object the socket is part of
} PsWire;

/// What all sockets of a loop share. They send what was written just before the loop waits, so
/// that the answers to many packets leave together.
typedef struct PsSocketLoop {
    uv_loop_t *loop;
    uv_prepare_t before_wait;
    uv_idle_t busy; ///< runs while work is left, so that the loop does not wait
    PsSocket *first;
    PsSocket *last;
    size_t open_count; ///< sockets that are not gone
    uint8_t bytes[PS_SOCKET_READ_BYTES];
} PsSocketLoop;

typedef enum PsSocketState {
    PS_SOCKET_WAITING, ///< ps_socket_start has a delay
    PS_SOCKET_OPENING, ///< handshake or connect
    PS_SOCKET_OPEN,
    PS_SOCKET_FLUSHING, ///< sends the rest, then goodbye
    PS_SOCKET_LEAVING,  ///< has said goodbye, waits for the peer's
    PS_SOCKET_CLOSING,  ///< libuv gives the handles back
} PsSocketState;

/// First member of a carrier's own struct.
struct PsSocket {
    PsStream stream; ///< first: the stream is the socket
    const PsWire *wire;
    PsSocketLoop *loop;
    uv_poll_t poll;
    uv_timer_t timer;
    PsQueue out;
    PsSocket *next; ///< in the loop's list
    int fd;
    int polled; ///< events libuv watches now
    uint32_t opening_limit_ms;
    PsSocketState state;
    PsStreamEnd end;
    uint8_t handles_left;
    bool listed;
    bool paused;
    bool read_again;       ///< the wire may hold bytes that poll does not see
    bool read_wants_write; ///< TLS: answering a key update
    bool write_wants_read; ///< TLS
    bool write_is_blocked; ///< the system's buffer is full
    bool told_high;        ///< pending went above PS_STREAM_HIGH: on_drained is due
    bool was_open;
    char why[120];
};

void ps_socket_loop_init(PsSocketLoop *loop, uv_loop_t *uv);
/// All sockets must be gone. The loop must run once more.
void ps_socket_loop_close(PsSocketLoop *loop);

/// Takes `fd` over. `delay_ms`: does nothing for so long; `limit_ms`: the time opening may take.
/// On failure `fd` is closed and nothing has been called.
PsErr ps_socket_start(PsSocket *socket, PsSocketLoop *loop, const PsWire *wire, int fd,
                      uint32_t delay_ms, uint32_t limit_ms);
