//! The worker's end of its socket: blocking, whole frames. First thread receives; any thread that
//! holds the interpreter lock sends. A gateway that has gone ends the process: nobody is left to
//! tell.
#pragma once

#include "script/wire.h"

typedef struct PsWorkerSocket {
    int fd;
    PsWireDecoder decoder;
} PsWorkerSocket;

void ps_worker_socket_init(PsWorkerSocket *socket, int fd);
/// Waits for the next frame, borrowed until the next call.
PsWireFrame ps_worker_socket_receive(PsWorkerSocket *socket);
/// True when a whole frame is at hand, so that receive would not wait.
bool ps_worker_socket_poll(PsWorkerSocket *socket, PsWireFrame *ret_frame);

/// Up to three pieces, sent as one; empty pieces are skipped.
typedef struct PsPiece {
    const void *data;
    size_t len;
} PsPiece;
#define PS_PIECES_MAX 3
void ps_worker_socket_send(PsWorkerSocket *socket, const PsPiece *pieces, size_t count);
