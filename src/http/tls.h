//! The certificate of a server: is it one, and does the key belong to it? Pure.
#pragma once

#include "base/err.h"

/// GnuTLS's words for: TLS 1.3 and 1.2 only, ciphers with authentication and keys that are
/// forgotten (RFC 9325 4.2); first the group that browsers offer first, or each would be asked once
/// more.
#define PS_HTTP_TLS_PRIORITIES                                                                     \
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:"                  \
    "-CIPHER-ALL:+AES-128-GCM:+CHACHA20-POLY1305:+AES-256-GCM:-MAC-ALL:+AEAD:"                     \
    "-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:%SERVER_PRECEDENCE"

/// PS_ERR_INVALID: says which of the two is no PEM, or that they do not belong together.
PsErr ps_http_tls_check(const char *cert, const char *key, PsDiag *diag);
