//! What a PEM text is: a certificate, a root certificate, a private key, or why it is none of them
//! and what to do. Pure apart from OpenSSL; any thread. Inside src/api only.
#pragma once

#include "base/err.h"

#include <stdint.h>

#define PS_PEM_BYTES_MAX ((size_t)256 * 1024)

typedef enum PsPemKind {
    PS_PEM_CERTIFICATE, ///< of one end: a device, a server
    PS_PEM_ROOT,        ///< one that others are checked against, or several
    PS_PEM_KEY,         ///< private
} PsPemKind;

/// "certificate", "root", "key".
const char *ps_pem_kind_name(PsPemKind kind);

typedef struct PsPem {
    PsPemKind kind;
    unsigned count;         ///< certificates in the text; what follows is of the first
    char subject[256];      ///< RFC 2253, UTF-8
    char issuer[256];       ///< the same
    int64_t not_before;     ///< seconds since the epoch
    int64_t not_after;      ///< of the one that ends first
    char fingerprint[96];   ///< SHA-256, "AB:CD:..."; "" for a key
    char key_type[32];      ///< "RSA 2048", "EC prime256v1", "ED25519"
    char public_sha256[65]; ///< of the public key: a key fits the certificate with the same one
} PsPem;

/// PS_ERR_INVALID with a diagnosis that says what the text is instead; `name` is the file's, for
/// that. PS_ERR_TOO_BIG.
PsErr ps_pem_read(const char *name, const void *text, size_t len, PsPem *ret_pem, PsDiag *diag);
