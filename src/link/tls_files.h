//! Certificates and keys from PEM files into an SSL_CTX, each fault with its file and cure.
//! Link thread; blocks on the disk.
#pragma once

#include "base/time.h"
#include "link/reason.h"

#include <openssl/ssl.h>

#define PS_TLS_WARNING_SIZE 256

/// Roots: every certificate of the file is trusted, also an intermediate one. `path` "" trusts the
/// system's roots. The name of the first goes to `ret_name` (for diagnosis).
PsErr ps_tls_load_roots(SSL_CTX *context, const char *path, char *ret_name, size_t name_size,
                        PsLinkFailure *reterr_failure);

/// Own certificate (chain) and key, checked against each other and against the clock. Nothing to
/// do when both paths are "". `warning` is PS_TLS_WARNING_SIZE bytes: "" or words about file modes.
PsErr ps_tls_load_identity(SSL_CTX *context, const char *cert_path, const char *key_path,
                           char *warning, PsLinkFailure *reterr_failure);

/// Until when the first certificate of the file is valid, whether or not it still is.
PsErr ps_tls_certificate_end(const char *path, PsWall *ret_end, PsLinkFailure *reterr_failure);

/// "2026-01-31 12:00:00 UTC" of a certificate time.
void ps_tls_time_text(const ASN1_TIME *time, char *out, size_t size);
/// The same of the gateway's clock.
void ps_tls_now_text(char *out, size_t size);
