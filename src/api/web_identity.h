//! The certificate and key that the web server shows: those of the configuration, or the gateway's
//! own, which is made when there is none and anew before it ends. Blocks on the disk: worker
//! thread.
#pragma once

#include "base/err.h"
#include "base/time.h"

#include <stdbool.h>

#define PS_WEB_NAMES_MAX 16
#define PS_WEB_FINGERPRINT_SIZE 96 ///< "AB:CD:..." of SHA-256, with its NUL

typedef struct PsWebIdentity {
    char *cert; ///< PEM
    char *key;  ///< PEM; wiped by deinit
    bool own;   ///< the gateway's
    PsWall not_after;
    char fingerprint[PS_WEB_FINGERPRINT_SIZE];
    char *names[PS_WEB_NAMES_MAX]; ///< host names in it
    size_t name_count;
} PsWebIdentity;

/// Reads both and sees that they belong together and are not over. PS_ERR_NOT_FOUND, PS_ERR_DENIED,
/// PS_ERR_INVALID with a diagnosis.
PsErr ps_web_identity_read(const char *cert_path, const char *key_path, PsWall now,
                           PsWebIdentity *ret_identity, PsDiag *diag);
/// That of `folder` (cert.pem, key.pem with mode 0600). One that ends within 30 days, does not name
/// `host` or cannot be read is replaced by a new one, EC P-256, for `host`, localhost and this
/// machine's addresses. Where it cannot be kept it is made all the same; `ret_kept` is false then
/// and `diag` has the reason. PS_ERR_INTERNAL.
PsErr ps_web_identity_own(const char *folder, const char *host, PsWall now,
                          PsWebIdentity *ret_identity, bool *ret_kept, PsDiag *diag);
void ps_web_identity_deinit(PsWebIdentity *identity);
