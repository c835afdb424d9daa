// Sending and receiving whole frames. Runs on the channel's thread and blocks in poll, at most to
// the deadline.
#include "drivers/eip/wire.h"

#include "base/mem.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void ps_eip_wire_init(PsEipWire *wire) {
    *wire = (PsEipWire){.fd = -1, .wake_fd = -1, .room = PS_EIP_FRAME_MAX};
    wire->in = ps_alloc(wire->room);
}

void ps_eip_wire_deinit(PsEipWire *wire) {
    free(wire->in);
    wire->in = NULL;
}

static PsErr wait_for(const PsEipWire *wire, short events, PsMono deadline) {
    struct pollfd fds[] = {
        {.fd = wire->fd, .events = events},
        {.fd = wire->wake_fd, .events = POLLIN},
    };
    for (;;) {
        int ready = poll(fds, PS_COUNT(fds), ps_mono_poll_ms(ps_mono_now(), deadline));
        if (ready < 0 && errno != EINTR) {
            return PS_ERR_IO;
        }
        if (ready == 0) {
            return PS_ERR_TIMEOUT;
        }
        if (ready > 0) {
            return fds[1].revents != 0 ? PS_ERR_CANCELLED : PS_OK;
        }
    }
}

static PsErr socket_error(void) {
    return errno == ECONNRESET || errno == EPIPE || errno == ENOTCONN ? PS_ERR_CLOSED : PS_ERR_IO;
}

PsErr ps_eip_wire_send(PsEipWire *wire, const uint8_t *bytes, size_t len, PsMono deadline) {
    while (len > 0) {
        ssize_t sent = send(wire->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) {
            return socket_error();
        }
        if (sent < 0) {
            PsErr err = wait_for(wire, POLLOUT, deadline);
            if (err != PS_OK) {
                return err;
            }
            continue;
        }
        bytes += sent;
        len -= (size_t)sent;
    }
    return PS_OK;
}

// The frame before makes room.
static void drop_frame(PsEipWire *wire) {
    memmove(wire->in, wire->in + wire->frame_len, wire->have - wire->frame_len);
    wire->have -= wire->frame_len;
    wire->frame_len = 0;
}

// One look at the socket: what is there, as far as there is room.
static PsErr take_bytes(PsEipWire *wire) {
    ssize_t got = recv(wire->fd, wire->in + wire->have, wire->room - wire->have, MSG_DONTWAIT);
    if (got > 0) {
        wire->have += (size_t)got;
        return PS_OK;
    }
    if (got == 0) {
        return PS_ERR_CLOSED;
    }
    return errno == EAGAIN || errno == EINTR ? PS_OK : socket_error();
}

PsErr ps_eip_wire_receive(PsEipWire *wire, PsMono deadline, PsEipHeader *ret_header) {
    drop_frame(wire);
    for (;;) {
        if (wire->have >= PS_EIP_HEADER_LEN) {
            if (!ps_eip_header_get(wire->in, wire->have, ret_header)) {
                return PS_ERR_PROTOCOL;
            }
            size_t total = PS_EIP_HEADER_LEN + (size_t)ret_header->len;
            if (wire->have >= total) {
                wire->frame_len = total;
                return PS_OK;
            }
            if (total > wire->room) { // at most PS_EIP_RECEIVE_MAX
                wire->in = ps_grow_array(wire->in, total, 1);
                wire->room = total;
            }
        }
        PsErr err = wait_for(wire, POLLIN, deadline);
        err = err != PS_OK ? err : take_bytes(wire);
        if (err != PS_OK) {
            return err;
        }
    }
}
