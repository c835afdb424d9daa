//! SHA-256 of what is public in a PEM file. Blocks on the disk; any thread.
#pragma once

#include "base/err.h"

#include <stddef.h>

#define PS_FINGERPRINT_SIZE 65 ///< 64 hexadecimal digits and a NUL

/// Of the certificates in the file, as they stand there; a key in it is passed over. "" when there
/// is none or it cannot be read.
void ps_fingerprint_file(const char *path, char out[static PS_FINGERPRINT_SIZE]);
/// Of the public half of the private key in the file, as its certificate has it: nothing of the key
/// itself goes into it. "" when there is none, it wants a passphrase or cannot be read.
void ps_fingerprint_key(const char *path, char out[static PS_FINGERPRINT_SIZE]);
