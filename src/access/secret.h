//! Random values that only their owner knows, and how they are kept: as SHA-256, which is enough
//! for 128 random bits and more (a password needs access/password.h). Pure but for the random ones.
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PS_SECRET_HASH 32
#define PS_SECRET_TEXT 44 ///< 256 bits as text (base64url without padding) with its NUL

/// Of the system's generator for keys. Any thread.
void ps_secret_random(void *out, size_t len);
/// 256 random bits as text.
void ps_secret_make(char out[PS_SECRET_TEXT]);
void ps_secret_hash(const char *text, uint8_t out[PS_SECRET_HASH]);
/// In the same time wherever they differ.
bool ps_secret_equal(const void *a, const void *b, size_t len);
/// Text against text; the time tells at most how long `given` is.
bool ps_secret_equal_text(const char *kept, const char *given);
/// Overwrites; is not optimised away.
void ps_secret_wipe(void *bytes, size_t len);
/// Wipes and frees a text. Accepts NULL.
void ps_secret_free(char *text);

void ps_secret_to_hex(const uint8_t *bytes, size_t len, char *out); ///< 2 * len + 1 bytes
bool ps_secret_from_hex(const char *text, uint8_t *out, size_t len);
