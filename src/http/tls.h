//! The TLS side of a server: certificate, versions, ciphers. Any thread.
#pragma once

#include "base/err.h"

#include <openssl/ssl.h>

/// TLS 1.3 and 1.2 only, ciphers with authentication and keys that are forgotten (RFC 9325 4.2).
/// PEM texts; the first certificate is the server's, more are its chain. PS_ERR_INVALID: says which
/// of the two is no PEM, or that they do not belong together. Freed with SSL_CTX_free.
PsErr ps_http_tls_new(const char *cert, const char *key, SSL_CTX **ret_context, PsDiag *diag);
