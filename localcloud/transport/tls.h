//! TLS as AWS IoT Core speaks it: 1.2 and 1.3, no session tickets, an RSA and an ECC chain on one
//! port, a look at the server name, at ALPN and at the client's certificate during the handshake.
//! Main thread.
#pragma once

#include "localcloud/pki.h"
#include "localcloud/transport/certificate_rules.h"

#include <openssl/ssl.h>
#include <stdint.h>

#define PS_TLS_ALPN_MQTT "x-amzn-mqtt-ca"
#define PS_TLS_NAME_SIZE 256
#define PS_TLS_SLOTS 8 ///< identities a server can show

/// Whom the server says to be: one chain per key type, each with the CA that issued it.
typedef struct PsTlsIdentity {
    PsPkiPair server[2]; ///< by PsKeyType
    PsPkiPair issuer[2];
} PsTlsIdentity;

void ps_tls_identity_deinit(PsTlsIdentity *identity);
#define PS_AUTO_TLS_IDENTITY __attribute__((cleanup(ps_tls_identity_deinit)))

typedef struct PsTlsSetup {
    PsKeyType prefers;      ///< the chain a client gets that can check both
    bool needs_server_name; ///< refuses a client that names no server
    /// May the owner of this certificate come in? Called in the handshake, before the client has
    /// shown that it holds the key; `id` is the SHA-256 of the certificate, `chain` what the client
    /// sent along (may be NULL). Sets `why` unless PS_ADMIT.
    PsAdmission (*admit)(void *ctx, X509 *certificate, const char *id, STACK_OF(X509) * chain,
                         const char **why);
    void *ctx;
} PsTlsSetup;

typedef struct PsTls PsTls;

/// Borrows nothing but `setup->ctx`. The names `identity` is made out to are those clients may
/// ask for, whatever is presented later.
PsErr ps_tls_new(const PsTlsSetup *setup, const PsTlsIdentity *identity, PsTls **ret_tls,
                 PsDiag *diag);
void ps_tls_free(PsTls *tls);

/// Keeps a further identity at `slot` (0 is that of ps_tls_new), in the place of an earlier one.
PsErr ps_tls_put(PsTls *tls, size_t slot, const PsTlsIdentity *identity, PsDiag *diag);
bool ps_tls_has(const PsTls *tls, size_t slot);

/// What one handshake finds out; must live as long as its SSL.
typedef struct PsTlsSession {
    PsTls *tls;
    bool needs_alpn;
    char server_name[PS_TLS_NAME_SIZE]; ///< "" when none was sent
    char alpn[32];                      ///< "" when none was agreed on
    char certificate_id[PS_PKI_ID_SIZE];
    const char *why; ///< why this side refused, or NULL
} PsTlsSession;

/// A server's side over `fd` that shows the identity at `slot`. NULL when OpenSSL has no memory.
SSL *ps_tls_accept(PsTls *tls, PsTlsSession *session, int fd, size_t slot, bool needs_alpn);
