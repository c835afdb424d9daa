//! Bytes both ways between the local cloud and one peer, without saying what carries them: TLS
//! (tls_peer.h), the broker's Unix socket (pipe.h), or a test's own. Main thread; nothing blocks.
//!
//! The user sets `events` and `ctx` before it gives control back to the loop (for an accepted
//! connection: inside on_open). From then on:
//! - on_open, once, when bytes can pass (not for streams that are open when they are handed over);
//! - on_bytes for what arrives, never empty, never after ps_stream_close;
//! - on_drained when what waited to be sent is below PS_STREAM_LOW again, after it was above;
//! - on_close exactly once, never from inside a call of the user's; afterwards the stream is gone.
//! A callback may call every function of its stream.
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Bytes that wait to be sent. Above HIGH the user should stop producing (pause the stream the
/// bytes come from) until on_drained; a write that would take the queue above MAX is refused.
#define PS_STREAM_LOW ((size_t)64 * 1024)
#define PS_STREAM_HIGH ((size_t)256 * 1024)
#define PS_STREAM_MAX ((size_t)1024 * 1024)

typedef enum PsStreamEnd {
    PS_STREAM_CLOSED_HERE,  ///< ps_stream_close
    PS_STREAM_CLOSED_THERE, ///< the peer ended it in order (TLS close_notify or end of file)
    PS_STREAM_LOST,         ///< reset, broken TLS, or not to be opened; `why` has the words
    PS_STREAM_TIMEOUT,      ///< the limit set with ps_stream_set_limit has passed
} PsStreamEnd;

typedef struct PsStreamEvents {
    void (*on_open)(void *ctx); ///< may be NULL
    void (*on_bytes)(void *ctx, const uint8_t *data, size_t len);
    void (*on_drained)(void *ctx);                                 ///< may be NULL
    void (*on_close)(void *ctx, PsStreamEnd end, const char *why); ///< `why` never NULL
} PsStreamEvents;

typedef struct PsStream PsStream;

/// What a carrier implements; users call the functions below.
typedef struct PsStreamKind {
    PsErr (*write)(PsStream *stream, const void *data, size_t len);
    size_t (*pending_bytes)(const PsStream *stream);
    void (*set_paused)(PsStream *stream, bool paused);
    void (*set_limit)(PsStream *stream, uint32_t limit_ms);
    void (*close)(PsStream *stream, bool flush);
} PsStreamKind;

struct PsStream {
    const PsStreamKind *kind;
    const PsStreamEvents *events; ///< the user's, borrowed
    void *ctx;                    ///< handed to the events
};

/// Queues the bytes (copied), all or none. PS_ERR_FULL (above PS_STREAM_MAX), PS_ERR_CLOSED. They
/// leave when the loop comes round, several writes together.
static inline PsErr ps_stream_write(PsStream *stream, const void *data, size_t len) {
    return stream->kind->write(stream, data, len);
}

/// Bytes queued and not yet given to the operating system.
static inline size_t ps_stream_pending_bytes(const PsStream *stream) {
    return stream->kind->pending_bytes(stream);
}

/// A paused stream gives no on_bytes and reads nothing, so the peer is held back. It does not
/// notice either that the peer has gone.
static inline void ps_stream_pause(PsStream *stream) {
    stream->kind->set_paused(stream, true);
}

static inline void ps_stream_resume(PsStream *stream) {
    stream->kind->set_paused(stream, false);
}

/// Ends the stream with PS_STREAM_TIMEOUT after `limit_ms` from now unless set again; 0: no limit.
/// For what the protocol above wants in time: the first packet, the rest of a packet, any packet.
static inline void ps_stream_set_limit(PsStream *stream, uint32_t limit_ms) {
    stream->kind->set_limit(stream, limit_ms);
}

/// Ends it; on_close follows. `flush`: what is queued is sent first, for a few seconds at most.
/// A second call without `flush` hurries the first.
static inline void ps_stream_close(PsStream *stream, bool flush) {
    stream->kind->close(stream, flush);
}
