//! Clients: listeners on TCP, the TLS handshake, then a PsStream of plain bytes for each.
//! Main thread; nothing blocks.
#pragma once

#include "localcloud/transport/socket.h"
#include "localcloud/transport/tls.h"

#include <netinet/in.h>

/// What is known of a client once the handshake is done. Borrowed: lives as long as its stream.
typedef struct PsPeerFacts {
    X509 *certificate;
    const char *certificate_id; ///< SHA-256 of the DER bytes, lower-case hex
    const char *server_name;    ///< SNI, "" when none was sent
    const char *alpn;           ///< "" when none was agreed on
    char address[INET6_ADDRSTRLEN];
    uint16_t port;          ///< the client's
    uint16_t listener_port; ///< ours
} PsPeerFacts;

/// What the listener asks before it answers a new connection.
typedef struct PsGreeting {
    bool refuse;       ///< close without a word
    uint32_t delay_ms; ///< before the server says anything
    size_t identity;   ///< slot of ps_tls_put
} PsGreeting;

typedef struct PsListenerSetup {
    PsSocketLoop *loop;
    PsTls *tls;
    in_addr_t address; ///< network byte order
    uint16_t port;     ///< 0: a free one
    bool needs_alpn;   ///< as AWS's port 443
    uint32_t handshake_limit_ms;
    size_t most_peers; ///< more are closed at once
    /// A client is in; sets `stream->events` and `ctx` before it returns.
    void (*on_open)(void *ctx, PsStream *stream, const PsPeerFacts *facts);
    /// A client did not get in. May be NULL.
    void (*on_refused)(void *ctx, const char *address, const char *certificate_id, const char *why);
    void (*greet)(void *ctx, const char *address, PsGreeting *greeting); ///< may be NULL
    void *ctx;
} PsListenerSetup;

typedef struct PsListener PsListener;

/// PS_ERR_IO: the port is taken, or may not be used; the diagnosis says so.
PsErr ps_listener_open(const PsListenerSetup *setup, PsListener **ret_listener, PsDiag *diag);
uint16_t ps_listener_port(const PsListener *listener);
/// No new clients; those there stay, those in a handshake are dropped. It frees itself when the
/// last one is gone.
void ps_listener_close(PsListener *listener);
