//! A connection of the cloud's own to its broker: for messages of services and HTTPS, for the
//! console, and to end a session nobody returns to. MQTT 5, except where it only ends a 3.1.1
//! session. Main thread.
#pragma once

#include "localcloud/front/packet.h"
#include "localcloud/transport/stream.h"

typedef struct PsOwn PsOwn;

typedef struct PsOwnOrder {
    PsStream *stream; ///< taken
    const char *client_id;
    uint8_t version;
    void (*on_up)(void *ctx);                              ///< CONNACK has come; may be NULL
    void (*on_message)(void *ctx, const PsPacket *packet); ///< may be NULL
    void (*on_end)(void *ctx); ///< once, after which it is gone; not after ps_own_close
    void *ctx;
} PsOwnOrder;

/// Connects with a clean session: the broker forgets an older one of this client id.
PsOwn *ps_own_new(const PsOwnOrder *order);
/// Sends DISCONNECT after what waits; the object is gone for the caller. Accepts NULL.
void ps_own_close(PsOwn *own);

/// Waits, up to PS_STREAM_MAX bytes, until it is up. PS_ERR_FULL. Only for MQTT 5.
PsErr ps_own_publish(PsOwn *own, const PsPublishOrder *order);
/// Never gets retained messages.
void ps_own_subscribe(PsOwn *own, const char *const *filters, size_t count);
