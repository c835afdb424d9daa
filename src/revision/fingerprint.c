// Recognises certificates again without keeping them. Blocks on the disk; any thread.
#include "revision/fingerprint.h"

#include "base/buf.h"
#include "base/file.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END "-----END CERTIFICATE-----"
#define FILE_MAX ((size_t)4 * 1024 * 1024)

static size_t put_certificates(const char *text, PsBuf *out) {
    for (const char *at = strstr(text, BEGIN); at != NULL; at = strstr(at, BEGIN)) {
        const char *end = strstr(at, END);
        if (end == NULL) {
            break;
        }
        end += strlen(END);
        ps_buf_put(out, at, (size_t)(end - at));
        at = end;
    }
    return out->len;
}

static void print(const void *bytes, size_t count, char out[static PS_FINGERPRINT_SIZE]) {
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (EVP_Digest(bytes, count, hash, &len, EVP_sha256(), NULL) != 1) {
        return;
    }
    for (unsigned i = 0; i < len && 2 * i + 2 < PS_FINGERPRINT_SIZE; i++) {
        snprintf(out + (size_t)2 * i, 3, "%02x", hash[i]);
    }
}

void ps_fingerprint_file(const char *path, char out[static PS_FINGERPRINT_SIZE]) {
    PS_AUTO_BUF PsBuf text = {0};
    PS_AUTO_BUF PsBuf certificates = {0};
    out[0] = '\0';
    PsErr err = ps_file_read(path, FILE_MAX, &text, NULL);
    if (err == PS_OK && put_certificates((const char *)text.data, &certificates) > 0) {
        print(certificates.data, certificates.len, out);
    }
}

// Without it OpenSSL would ask at the terminal.
static int no_passphrase(char *out, int size, int writing, void *ctx) {
    (void)out;
    (void)size;
    (void)writing;
    (void)ctx;
    return -1;
}

void ps_fingerprint_key(const char *path, char out[static PS_FINGERPRINT_SIZE]) {
    unsigned char *public_half = NULL;
    out[0] = '\0';
    BIO *file = BIO_new_file(path, "r");
    EVP_PKEY *key = file != NULL ? PEM_read_bio_PrivateKey(file, NULL, no_passphrase, NULL) : NULL;
    int len = key != NULL ? i2d_PUBKEY(key, &public_half) : 0;
    if (len > 0) {
        print(public_half, (size_t)len, out);
    }
    OPENSSL_free(public_half);
    EVP_PKEY_free(key);
    BIO_free(file);
    ERR_clear_error(); // of this thread; a key that cannot be read is the link's to explain
}
