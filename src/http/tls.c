// Makes OpenSSL's context of certificate and key, with words for a person when they do not fit. Any
// thread.
#include "http/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <string.h>

static int no_passphrase(char *out, int size, int writes, void *ctx) {
    return 0; // a key that needs one cannot be used
}

static EVP_PKEY *read_key(const char *text) {
    BIO *bio = BIO_new_mem_buf(text, -1);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    BIO_free(bio);
    return key;
}

// The first certificate and its chain; false when there is none, or the library will not have it.
static bool use_chain(SSL_CTX *context, const char *text) {
    BIO *bio = BIO_new_mem_buf(text, -1);
    X509 *cert = bio != NULL ? PEM_read_bio_X509(bio, NULL, no_passphrase, NULL) : NULL;
    bool used = cert != NULL && SSL_CTX_use_certificate(context, cert) == 1;
    X509_free(cert);
    while (used && (cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) != NULL) {
        used = SSL_CTX_add1_chain_cert(context, cert) == 1;
        X509_free(cert);
    }
    BIO_free(bio);
    return used;
}

static PsErr use_pair(SSL_CTX *context, const char *cert, const char *key_text, PsDiag *diag) {
    EVP_PKEY *key = key_text != NULL ? read_key(key_text) : NULL;
    PsErr err = PS_OK;
    if (!use_chain(context, cert)) {
        err = ps_fail(PS_ERR_INVALID, diag, "HTTP server", "cert",
                      "is no certificate in PEM that a server can use; it begins with -----BEGIN "
                      "CERTIFICATE-----");
    } else if (key == NULL) {
        err = ps_fail(PS_ERR_INVALID, diag, "HTTP server", "key",
                      "is no private key in PEM, or it needs a passphrase");
    } else if (SSL_CTX_use_PrivateKey(context, key) != 1 ||
               SSL_CTX_check_private_key(context) != 1) {
        err = ps_fail(PS_ERR_INVALID, diag, "HTTP server", "key",
                      "does not belong to the certificate");
    }
    EVP_PKEY_free(key);
    ERR_clear_error();
    return err;
}

// ALPN: only HTTP/1.1 is spoken here, and also to those who do not ask.
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *offered, unsigned offered_len, void *ctx) {
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen = NULL;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof ours - 1, offered, offered_len) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static bool set_up(SSL_CTX *context) {
    SSL_CTX_set_options(context,
                        SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                            SSL_OP_IGNORE_UNEXPECTED_EOF | // HTTP says itself where it ends
                            SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    char groups[] = "X25519:P-256:P-384"; // OpenSSL's macro takes no const
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_num_tickets(context, 1) == 1 &&
           SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
           SSL_CTX_set1_groups_list(context, groups) == 1;
}

PsErr ps_http_tls_new(const char *cert, const char *key, SSL_CTX **ret_context, PsDiag *diag) {
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    PsErr err = PS_OK;
    if (context == NULL || !set_up(context)) {
        ERR_clear_error();
        err = ps_fail(PS_ERR_INTERNAL, diag, "HTTP server", NULL,
                      "OpenSSL cannot offer TLS as it is set up on this machine");
    }
    if (err == PS_OK) {
        err = use_pair(context, cert, key, diag);
    }
    if (err != PS_OK) {
        SSL_CTX_free(context);
        return err;
    }
    *ret_context = context;
    return PS_OK;
}
