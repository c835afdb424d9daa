//! Frames of EtherNet/IP over a connected socket, whole or not at all, with a deadline that can be
//! cut short. One thread; blocks in poll.
#pragma once

#include "base/time.h"
#include "drivers/eip/encap.h"

typedef struct PsEipWire {
    int fd;           ///< -1: closed
    int wake_fd;      ///< readable: stop waiting
    size_t have;      ///< bytes in `in`
    size_t frame_len; ///< of them the frame that was received last
    uint8_t *in;      ///< grows with the longest frame that comes
    size_t room;      ///< bytes of it
} PsEipWire;

void ps_eip_wire_init(PsEipWire *wire);
void ps_eip_wire_deinit(PsEipWire *wire);

/// How both fail: PS_ERR_TIMEOUT, PS_ERR_CLOSED, PS_ERR_IO (errno says why), PS_ERR_CANCELLED, and
/// PS_ERR_PROTOCOL: what came is no frame of EtherNet/IP. The stream is not to be used afterwards,
/// but for PS_ERR_TIMEOUT of a receive.
PsErr ps_eip_wire_send(PsEipWire *wire, const uint8_t *bytes, size_t len, PsMono deadline);
/// The next frame: `wire->in` from the beginning, wire->frame_len bytes, until the next call.
PsErr ps_eip_wire_receive(PsEipWire *wire, PsMono deadline, PsEipHeader *ret_header);
