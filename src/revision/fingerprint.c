// Recognises certificates again without keeping them. Blocks on the disk; any thread.
#include "revision/fingerprint.h"

#include "base/buf.h"
#include "base/file.h"

#include <openssl/evp.h>
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

void ps_fingerprint_file(const char *path, char out[static PS_FINGERPRINT_SIZE]) {
    PS_AUTO_BUF PsBuf text = {0};
    PS_AUTO_BUF PsBuf certificates = {0};
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    out[0] = '\0';
    PsErr err = ps_file_read(path, FILE_MAX, &text, NULL);
    if (err != PS_OK || put_certificates((const char *)text.data, &certificates) == 0 ||
        EVP_Digest(certificates.data, certificates.len, hash, &len, EVP_sha256(), NULL) != 1) {
        return;
    }
    for (unsigned i = 0; i < len && 2 * i + 2 < PS_FINGERPRINT_SIZE; i++) {
        snprintf(out + (size_t)2 * i, 3, "%02x", hash[i]);
    }
}
