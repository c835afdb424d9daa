// Looks at certificate and key before the TLS library does, whose only answer is "no". Pure; any
// thread.
#include "http/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

static int no_passphrase(char *out, int size, int writes, void *ctx) {
    return 0; // a key that needs one cannot be used
}

static X509 *read_cert(const char *text) {
    BIO *bio = BIO_new_mem_buf(text, -1);
    X509 *cert = bio != NULL ? PEM_read_bio_X509(bio, NULL, no_passphrase, NULL) : NULL;
    BIO_free(bio);
    return cert;
}

static EVP_PKEY *read_key(const char *text) {
    BIO *bio = BIO_new_mem_buf(text, -1);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    BIO_free(bio);
    return key;
}

PsErr ps_http_tls_check(const char *cert_text, const char *key_text, PsDiag *diag) {
    X509 *cert = read_cert(cert_text);
    EVP_PKEY *key = key_text != NULL ? read_key(key_text) : NULL;
    PsErr err = PS_OK;
    if (cert == NULL) {
        err = ps_fail(PS_ERR_INVALID, diag, "HTTP server", "cert",
                      "is no certificate in PEM; it begins with -----BEGIN CERTIFICATE-----");
    } else if (key == NULL) {
        err = ps_fail(PS_ERR_INVALID, diag, "HTTP server", "key",
                      "is no private key in PEM, or it needs a passphrase");
    } else if (X509_check_private_key(cert, key) != 1) {
        err = ps_fail(PS_ERR_INVALID, diag, "HTTP server", "key",
                      "does not belong to the certificate");
    }
    X509_free(cert);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return err;
}
