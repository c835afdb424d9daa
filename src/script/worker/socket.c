// Blocking frame transport of a worker. What comes from the gateway is trusted to be well-formed;
// if it is not, the two programs are not of one build and the worker ends.
#include "script/worker/socket.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

void ps_worker_socket_init(PsWorkerSocket *socket, int fd) {
    socket->fd = fd;
    ps_wire_decoder_init(&socket->decoder, PS_WIRE_FROM_HOST);
}

bool ps_worker_socket_poll(PsWorkerSocket *socket, PsWireFrame *ret_frame) {
    PsErr err = ps_wire_decoder_next(&socket->decoder, ret_frame);
    if (err != PS_OK && err != PS_ERR_BUSY) {
        fprintf(stderr,
                "penstock-script: unreadable frame from penstockd (%s); penstockd and "
                "penstock-script must be of one version\n",
                ps_err_name(err));
        _exit(2);
    }
    return err == PS_OK;
}

// A process that sleeps in recv is woken for room as well, as soon as the gateway has read its
// answer: one wake-up more for each call, which costs more than asking poll.
static void wait_for_bytes(const PsWorkerSocket *socket) {
    struct pollfd wait = {.fd = socket->fd, .events = POLLIN};
    (void)poll(&wait, 1, -1); // whatever woke it, recv knows
}

PsWireFrame ps_worker_socket_receive(PsWorkerSocket *socket) {
    PsWireFrame frame;
    while (!ps_worker_socket_poll(socket, &frame)) {
        wait_for_bytes(socket);
        size_t size = 0;
        void *room = ps_wire_decoder_room(&socket->decoder, &size);
        ssize_t got = recv(socket->fd, room, size, 0);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            _exit(0);
        }
        if (got > 0) {
            ps_wire_decoder_added(&socket->decoder, (size_t)got);
        }
    }
    return frame;
}

static size_t fill(struct iovec *vectors, const PsPiece *pieces, size_t count, size_t skip) {
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (skip >= pieces[i].len) {
            skip -= pieces[i].len;
            continue;
        }
        // sendmsg only reads, but struct iovec has no const.
        union {
            const void *in;
            void *out;
        } base = {.in = (const char *)pieces[i].data + skip};
        vectors[used++] = (struct iovec){base.out, pieces[i].len - skip};
        skip = 0;
    }
    return used;
}

void ps_worker_socket_send(PsWorkerSocket *socket, const PsPiece *pieces, size_t count) {
    PS_ASSERT(count <= PS_PIECES_MAX);
    size_t sent = 0;
    for (;;) {
        struct iovec vectors[PS_PIECES_MAX];
        struct msghdr message = {.msg_iov = vectors};
        message.msg_iovlen = fill(vectors, pieces, count, sent);
        if (message.msg_iovlen == 0) {
            return;
        }
        ssize_t now = sendmsg(socket->fd, &message, MSG_NOSIGNAL);
        if (now < 0 && errno != EINTR) {
            _exit(0);
        }
        sent += now > 0 ? (size_t)now : 0;
    }
}
