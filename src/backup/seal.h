//! Bytes under a passphrase: CMS AuthEnvelopedData (RFC 5083) in DER, AES-256-GCM (RFC 5084), one
//! password recipient (RFC 3211) whose key PBKDF2 makes. `openssl cms -decrypt -inform DER
//! -pwri_password ...` opens it. Takes no files; random bytes come from OpenSSL. One thread; making
//! the key takes about a second on purpose.
#pragma once

#include "base/buf.h"

/// Rounds of PBKDF2 that are written. OpenSSL fixes HMAC-SHA-1 for password recipients, for which
/// OWASP asks 1,300,000 (600,000 would do with SHA-256).
#define PS_SEAL_ROUNDS 1300000
/// Most rounds that are read: a forged file must not keep the reader busy for hours.
#define PS_SEAL_ROUNDS_MAX 8000000

/// Appends the sealed bytes. `passphrase` is not empty; `rounds` is PS_SEAL_ROUNDS but in tests.
PsErr ps_seal(const void *bytes, size_t len, const char *passphrase, int rounds, PsBuf *out,
              PsDiag *diag);

/// Is it sealed as ps_seal does, as far as that is seen without the passphrase? PS_ERR_CORRUPT.
PsErr ps_seal_check(const void *sealed, size_t len, PsDiag *diag);

/// Appends what was sealed. PS_ERR_DENIED: the passphrase is wrong or a byte is (nobody can tell
/// the two apart); PS_ERR_CORRUPT: it is not sealed at all. `out` is as before then.
PsErr ps_unseal(const void *sealed, size_t len, const char *passphrase, PsBuf *out, PsDiag *diag);

/// Overwrites and frees.
void ps_seal_wipe(PsBuf *secret);
