//! One connection of a client: every packet it sends is judged as AWS IoT Core would and passed on
//! to a connection of its own to the broker, and back. Main thread; owned by its front, ends itself
//! when both streams have ended.
#pragma once

#include "localcloud/front/packet.h"
#include "localcloud/front/world.h"

typedef struct PsFront PsFront;
typedef struct PsClient PsClient;

/// Takes the stream, which is open: from now on its events are the client's.
PsClient *ps_client_new(PsFront *front, PsStream *peer, const PsFrontPeer *facts);

/// Lets time pass; returns when it wants to be called again at the latest.
PsMono ps_client_tick(PsClient *client, PsMono now);

/// Ends the connection: `code` goes into the DISCONNECT of an MQTT 5 client, `why` too, and into
/// the log. Sends the will unless `reason` is the client's own DISCONNECT. A second call does
/// nothing.
void ps_client_end(PsClient *client, PsDisconnectReason reason, PsReason code, const char *why);
/// Its will is not to be sent.
void ps_client_forget_will(PsClient *client);

/// A QoS 0 message of a service to this client alone.
void ps_client_direct(PsClient *client, const char *topic, PsBytes payload);
/// The session has been ended at the broker: a CONNECT that waited for that goes on.
void ps_client_wiped(PsClient *client);

bool ps_client_is_up(const PsClient *client);
