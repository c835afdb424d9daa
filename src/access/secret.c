// Random values, their hashes, comparing and wiping. Any thread; nothing blocks.
#include "access/secret.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ps_secret_random(void *out, size_t len) {
    // Without random numbers nothing here may go on: a guessable session is worse than none.
    PS_ASSERT(RAND_priv_bytes(out, (int)len) == 1);
}

void ps_secret_make(char out[PS_SECRET_TEXT]) {
    uint8_t bytes[33] = {0}; // base64 takes three at a time; the last one is cut off again
    uint8_t text[48];
    ps_secret_random(bytes, 32);
    EVP_EncodeBlock(text, bytes, sizeof bytes);
    for (size_t i = 0; i < PS_SECRET_TEXT - 1; i++) {
        out[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : (char)text[i];
    }
    out[PS_SECRET_TEXT - 1] = '\0';
    ps_secret_wipe(bytes, sizeof bytes);
    ps_secret_wipe(text, sizeof text);
}

void ps_secret_hash(const char *text, uint8_t out[PS_SECRET_HASH]) {
    PS_ASSERT(EVP_Digest(text, strlen(text), out, NULL, EVP_sha256(), NULL) == 1);
}

bool ps_secret_equal(const void *a, const void *b, size_t len) {
    return CRYPTO_memcmp(a, b, len) == 0;
}

bool ps_secret_equal_text(const char *kept, const char *given) {
    uint8_t hashes[2][PS_SECRET_HASH];
    ps_secret_hash(kept, hashes[0]);
    ps_secret_hash(given, hashes[1]);
    return ps_secret_equal(hashes[0], hashes[1], PS_SECRET_HASH);
}

void ps_secret_wipe(void *bytes, size_t len) {
    OPENSSL_cleanse(bytes, len);
}

void ps_secret_free(char *text) {
    if (text != NULL) {
        OPENSSL_cleanse(text, strlen(text));
        free(text);
    }
}

void ps_secret_to_hex(const uint8_t *bytes, size_t len, char *out) {
    for (size_t i = 0; i < len; i++) {
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    }
}

static int digit_of(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool ps_secret_from_hex(const char *text, uint8_t *out, size_t len) {
    if (strlen(text) != 2 * len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        int high = digit_of(text[2 * i]);
        int low = digit_of(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}
