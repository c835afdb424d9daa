//! The TLS side of one connection attempt: an SSL_CTX with the gateway's certificate and roots,
//! and a diagnosis of everything that goes wrong with it. Link thread only.
//!
//! libmosquitto runs the handshake (MOSQ_OPT_SSL_CTX); callbacks on the context collect what it
//! does not report: the X509 reason, the names and times in the certificate, the server's alerts.
#pragma once

#include "link/reason.h"

#include <openssl/ssl.h>
#include <stdbool.h>

typedef struct PsTls PsTls;

typedef struct PsTlsSetup {
    const char *host;    ///< checked against the server's certificate; SNI unless an IP address
    const char *alpn;    ///< NULL for none
    const char *root_ca; ///< PEM, one or more certificates; "" = the system's
    const char *cert;    ///< PEM, own certificate first; "" = none
    const char *key;     ///< PEM; "" = none
} PsTlsSetup;

/// Reads and checks the files (blocks on the disk). On failure `reterr_failure` names the file and
/// what is wrong with it.
PsErr ps_tls_new(const PsTlsSetup *setup, PsTls **ret_tls, PsLinkFailure *reterr_failure);

/// For MOSQ_OPT_SSL_CTX; the object keeps its own reference. The object must outlive every SSL
/// made from it.
SSL_CTX *ps_tls_context(PsTls *tls);

/// Handshake finished from our side (with TLS 1.3 the server may still refuse our certificate).
bool ps_tls_is_done(const PsTls *tls);

/// errno of the socket call that ended the last step of the handshake, 0 if none did. Some versions
/// of libmosquitto replace it by EPROTO before they return.
int ps_tls_socket_errno(const PsTls *tls);

/// "TLSv1.3, TLS_AES_256_GCM_SHA384", once done; "" before.
const char *ps_tls_summary(const PsTls *tls);

/// Bytes a record is longer than what it carries, once done; 0 when that is not fixed, or not
/// known.
size_t ps_tls_record_overhead(const PsTls *tls);

/// Reads what the server said last, when libmosquitto gave the connection up after a failed write:
/// an alert that waits unread names the cause. Does not block.
void ps_tls_last_words(PsTls *tls);

/// CONNACK came: nothing more to diagnose, lets go of the connection.
void ps_tls_settled(PsTls *tls);

/// True and a failure of step TLS when the callbacks saw a cause, also after the handshake.
bool ps_tls_explain(const PsTls *tls, PsLinkFailure *ret_failure);

/// Something about the files that does not stop the connection (key readable by others); "" if
/// nothing.
const char *ps_tls_warning(const PsTls *tls);

/// Accepts NULL.
void ps_tls_free(PsTls *tls);
