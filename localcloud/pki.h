//! Keys and certificates in memory: the OpenSSL part of the local cloud. No files, no clock of its
//! own. One thread at a time for each object.
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

/// Key types AWS IoT issues or takes by default (shared shapes: RSA 2048, P-256).
typedef enum PsKeyType {
    PS_KEY_RSA,
    PS_KEY_ECC,
} PsKeyType;

typedef enum PsPkiRole {
    PS_PKI_ROOT,   ///< signs itself
    PS_PKI_ISSUER, ///< between root and server, as AWS has it
    PS_PKI_SERVER,
    PS_PKI_DEVICE,
} PsPkiRole;

/// A certificate with its private key. Zero-initialised is empty; both are owned.
typedef struct PsPkiPair {
    EVP_PKEY *key;
    X509 *certificate;
} PsPkiPair;

void ps_pki_pair_deinit(PsPkiPair *pair);
#define PS_AUTO_PKI_PAIR __attribute__((cleanup(ps_pki_pair_deinit)))

/// Hands the pair over and leaves an empty one.
static inline PsPkiPair ps_pki_pair_take(PsPkiPair *pair) {
    PsPkiPair taken = *pair;
    *pair = (PsPkiPair){0};
    return taken;
}

typedef struct PsPkiOrder {
    PsPkiRole role;
    PsKeyType key_type;
    const char *common_name; ///< at most 64 bytes (RFC 5280, ub-common-name)
    PsWall not_before;       ///< whole seconds count
    PsWall not_after;
    const char *const *hosts; ///< servers: names and IP addresses for subjectAltName
    size_t host_count;
    EVP_PKEY *key; ///< for this key; NULL: a new one of `key_type`
} PsPkiOrder;

/// A new key; the caller frees it (EVP_PKEY_free). PS_ERR_INTERNAL. Takes 0.1 s and more for RSA;
/// any thread.
PsErr ps_pki_make_key(PsKeyType type, EVP_PKEY **ret_key, PsDiag *diag);

/// Makes a key (when the order has none) and a certificate for it, signed by `issuer` (NULL: by
/// itself) with SHA-256. PS_ERR_INVALID (a host that is neither name nor address), PS_ERR_INTERNAL
/// (OpenSSL's words in `diag`).
PsErr ps_pki_make(const PsPkiOrder *order, const PsPkiPair *issuer, PsPkiPair *ret_pair,
                  PsDiag *diag);

/// Makes a certificate for a signing request (PEM): its subject and key, nothing else of it. The
/// order's role and validity count. PS_ERR_INVALID (not a request, or a key that is not accepted).
PsErr ps_pki_sign_request(const char *pem, size_t len, const PsPkiOrder *order,
                          const PsPkiPair *issuer, X509 **ret_certificate, PsDiag *diag);

/// RSA of 2048 bits or more, ECC on P-256, P-384 or P-521 (developer guide, transport security).
bool ps_pki_key_is_accepted(const EVP_PKEY *key);

/// AWS's certificate id: SHA-256 of the DER bytes, lower-case hex, terminated.
#define PS_PKI_ID_SIZE 65
void ps_pki_certificate_id(const X509 *certificate, char *out);

/// Appends PEM text. The private key is in the traditional form ("BEGIN RSA PRIVATE KEY", "BEGIN
/// EC PRIVATE KEY") that AWS hands out; wipe the buffer after use (OPENSSL_cleanse).
PsErr ps_pki_put_certificate(const X509 *certificate, PsBuf *out);
PsErr ps_pki_put_private_key(const EVP_PKEY *key, PsBuf *out);
PsErr ps_pki_put_public_key(const EVP_PKEY *key, PsBuf *out);

/// Reads the first certificate and the private key from PEM bytes. PS_ERR_CORRUPT when one cannot
/// be read or the key is not the certificate's.
PsErr ps_pki_pair_read(const PsBuf *certificate_pem, const PsBuf *key_pem, PsPkiPair *ret_pair);

/// The first certificate of PEM text; NULL when there is none. The caller frees it (X509_free).
X509 *ps_pki_certificate_read(const char *pem, size_t len);

PsKeyType ps_pki_key_type(const PsPkiPair *pair);
bool ps_pki_signed_by(const PsPkiPair *pair, const PsPkiPair *issuer);
PsWall ps_pki_not_before(const X509 *certificate);
PsWall ps_pki_not_after(const X509 *certificate);
