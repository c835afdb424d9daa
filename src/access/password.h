//! Passwords: which are taken, and their yescrypt hashes. The rules are pure; hashing takes some
//! 50 ms and 16 MB and belongs on a worker thread.
#pragma once

#include "access/accounts.h"

#define PS_PASSWORD_LEAST 10 ///< bytes
#define PS_PASSWORD_MOST 128

/// PS_ERR_INVALID: too short, too long, the name, one of the commonest, one letter over and over.
PsErr ps_password_check(const char *password, const char *name, PsDiag *diag);

/// Blocks. PS_ERR_INTERNAL: the system's library cannot do it.
PsErr ps_password_hash(const char *password, char out[PS_PASSWORD_HASH_SIZE]);
/// Blocks; takes as long for a wrong one, and for `hash` NULL, which is nobody's.
bool ps_password_fits(const char *password, const char *hash);
