//! Which client certificates AWS IoT takes, apart from knowing them. Pure.
#pragma once

#include "base/err.h"

#include <openssl/x509.h>
#include <stdbool.h>
#include <time.h>

/// What is said about a client's certificate in the handshake.
typedef enum PsAdmission {
    PS_ADMIT,
    PS_REFUSE_UNKNOWN, ///< not in the registry, or not ACTIVE there: alert certificate_unknown
    PS_REFUSE_TIME,    ///< expired or not valid yet: alert certificate_expired
    PS_REFUSE_KIND,    ///< key or signature not accepted: alert unsupported_certificate
} PsAdmission;

/// RSA from 2048 bits, ECC on P-256, P-384 and P-521; signed with SHA-256, 384 or 512 and RSA or
/// ECDSA, or SHA-256 and DSA; valid at `now` (AWS IoT developer guide, X.509 client certificates).
/// Whatever the answer but PS_ADMIT, `why` is set to words.
PsAdmission ps_certificate_rules(const X509 *certificate, time_t now, const char **why);
