// Loading PEM files into a TLS context. Private key bytes are wiped after use. Link thread.
#include "link/tls_files.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define PEM_LIMIT ((size_t)1024 * 1024)

static PsErr fail(PsLinkFailure *failure, PsFileFault fault, const char *fmt, ...) PS_PRINTF(3, 4);

static PsErr fail(PsLinkFailure *failure, PsFileFault fault, const char *fmt, ...) {
    char text[sizeof failure->text];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    ps_link_failure_set(failure, PS_STEP_FILES, (int)fault, true, "%s", text);
    return PS_ERR_INVALID;
}

static void cleanup_bio(BIO **bio) {
    BIO_free(*bio);
}

static void cleanup_x509(X509 **certificate) {
    X509_free(*certificate);
}

static void cleanup_key(EVP_PKEY **key) {
    EVP_PKEY_free(*key);
}

static void wipe(PsBuf *buf) {
    if (buf->data != NULL) {
        OPENSSL_cleanse(buf->data, buf->capacity);
    }
    ps_buf_deinit(buf);
}

static PsErr read_file(const char *field, const char *path, PsBuf *buf, PsLinkFailure *failure) {
    PsDiag diag = {0};
    if (ps_file_read(path, PEM_LIMIT, buf, &diag) != PS_OK) {
        return fail(failure, PS_FILE_READ, "%s: %s: %s; install the file or correct the path",
                    field, path, diag.text);
    }
    return PS_OK;
}

void ps_tls_time_text(const ASN1_TIME *time, char *out, size_t size) {
    struct tm parts = {0};
    if (time == NULL || ASN1_TIME_to_tm(time, &parts) != 1) {
        snprintf(out, size, "an unreadable time");
        return;
    }
    strftime(out, size, "%Y-%m-%d %H:%M:%S UTC", &parts);
}

void ps_tls_now_text(char *out, size_t size) {
    time_t now = time(NULL);
    struct tm parts;
    gmtime_r(&now, &parts);
    strftime(out, size, "%Y-%m-%d %H:%M:%S UTC", &parts);
}

PsErr ps_tls_load_roots(SSL_CTX *context, const char *path, char *ret_name, size_t name_size,
                        PsLinkFailure *reterr_failure) {
    if (path[0] == '\0') {
        snprintf(ret_name, name_size, "the system's roots");
        if (SSL_CTX_set_default_verify_paths(context) != 1) {
            return fail(reterr_failure, PS_FILE_REFUSED, "root_ca: no system roots; set root_ca");
        }
        return PS_OK;
    }
    PS_CLEANUP(ps_buf_deinit) PsBuf pem = {0};
    PsErr err = read_file("root_ca", path, &pem, reterr_failure);
    if (err != PS_OK) {
        return err;
    }
    PS_CLEANUP(cleanup_bio) BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    size_t count = 0;
    for (;;) {
        PS_CLEANUP(cleanup_x509) X509 *root = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        if (root == NULL) {
            break;
        }
        X509_STORE_add_cert(store, root); // a certificate given twice is no fault
        if (count++ == 0) {
            X509_NAME_oneline(X509_get_subject_name(root), ret_name, (int)name_size);
        }
    }
    ERR_clear_error();
    if (count == 0) {
        return fail(reterr_failure, PS_FILE_NOT_PEM,
                    "root_ca: %s holds no PEM certificate; install the .pem file of the root CA",
                    path);
    }
    return PS_OK;
}

// A client certificate that the clock rules out would only be refused by the server, with less to
// go by.
static PsErr check_dates(const X509 *own, const char *path, PsLinkFailure *failure) {
    char now[64];
    char limit[64];
    ps_tls_now_text(now, sizeof now);
    if (X509_cmp_current_time(X509_get0_notAfter(own)) < 0) {
        ps_tls_time_text(X509_get0_notAfter(own), limit, sizeof limit);
        return fail(failure, PS_FILE_EXPIRED,
                    "cert: %s expired on %s (this gateway's clock says %s); check the clock, else "
                    "make a new certificate in the cloud and install it",
                    path, limit, now);
    }
    if (X509_cmp_current_time(X509_get0_notBefore(own)) > 0) {
        ps_tls_time_text(X509_get0_notBefore(own), limit, sizeof limit);
        return fail(failure, PS_FILE_EARLY,
                    "cert: %s is valid only from %s, but this gateway's clock says %s; set the "
                    "clock (NTP)",
                    path, limit, now);
    }
    return PS_OK;
}

// The first certificate; those behind it are still in `ret_bio`, which reads from `pem`.
static PsErr read_certificate(const char *path, PsBuf *pem, BIO **ret_bio, X509 **ret_own,
                              PsLinkFailure *failure) {
    PsErr err = read_file("cert", path, pem, failure);
    if (err != PS_OK) {
        return err;
    }
    *ret_bio = BIO_new_mem_buf(pem->data, (int)pem->len);
    *ret_own = PEM_read_bio_X509(*ret_bio, NULL, NULL, NULL);
    if (*ret_own == NULL) {
        return fail(failure, PS_FILE_NOT_PEM,
                    "cert: %s is not a PEM certificate; install the ...-certificate.pem.crt file",
                    path);
    }
    return PS_OK;
}

PsErr ps_tls_certificate_end(const char *path, PsWall *ret_end, PsLinkFailure *reterr_failure) {
    PS_CLEANUP(ps_buf_deinit) PsBuf pem = {0};
    PS_CLEANUP(cleanup_bio) BIO *bio = NULL;
    PS_CLEANUP(cleanup_x509) X509 *own = NULL;
    PsErr err = read_certificate(path, &pem, &bio, &own, reterr_failure);
    struct tm parts = {0};
    if (err == PS_OK && ASN1_TIME_to_tm(X509_get0_notAfter(own), &parts) != 1) {
        err = fail(reterr_failure, PS_FILE_NOT_PEM, "cert: %s has no readable end; make a new one",
                   path);
    }
    ERR_clear_error();
    if (err == PS_OK) {
        ret_end->ns = (int64_t)timegm(&parts) * PS_NS_PER_S;
    }
    return err;
}

static PsErr load_certificate(SSL_CTX *context, const char *path, PsLinkFailure *failure) {
    PS_CLEANUP(ps_buf_deinit) PsBuf pem = {0};
    PS_CLEANUP(cleanup_bio) BIO *bio = NULL;
    PS_CLEANUP(cleanup_x509) X509 *own = NULL;
    PsErr err = read_certificate(path, &pem, &bio, &own, failure);
    if (err != PS_OK) {
        return err;
    }
    err = check_dates(own, path, failure);
    if (err != PS_OK) {
        return err;
    }
    if (SSL_CTX_use_certificate(context, own) != 1) {
        return fail(failure, PS_FILE_REFUSED,
                    "cert: %s cannot be used (%s); use RSA of at least 2048 bits or ECC P-256, "
                    "P-384, P-521",
                    path, ERR_reason_error_string(ERR_peek_last_error()));
    }
    for (;;) {
        X509 *issuer = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        if (issuer == NULL || SSL_CTX_add0_chain_cert(context, issuer) != 1) {
            X509_free(issuer);
            break;
        }
    }
    ERR_clear_error();
    return PS_OK;
}

// No terminal to ask: an encrypted key fails at once, and the flag tells why.
static int no_passphrase(char *buf, int size, int writing, void *asked) {
    *(bool *)asked = true;
    return -1;
}

static PsErr load_key(SSL_CTX *context, const char *path, const char *cert_path,
                      PsLinkFailure *failure) {
    PS_CLEANUP(wipe) PsBuf pem = {0};
    PsErr err = read_file("key", path, &pem, failure);
    if (err != PS_OK) {
        return err;
    }
    bool encrypted = false;
    PS_CLEANUP(cleanup_bio) BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    PS_CLEANUP(cleanup_key)
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &encrypted);
    if (encrypted) {
        return fail(failure, PS_FILE_ENCRYPTED,
                    "key: %s is protected by a passphrase; store it without one, mode 0600", path);
    }
    if (key == NULL) {
        return fail(failure, PS_FILE_NOT_PEM,
                    "key: %s is not a PEM private key; install the ...-private.pem.key file", path);
    }
    if (SSL_CTX_use_PrivateKey(context, key) != 1 || SSL_CTX_check_private_key(context) != 1) {
        return fail(failure, PS_FILE_MISMATCH,
                    "key: %s does not belong to the certificate %s; install the two files that "
                    "were made together",
                    path, cert_path);
    }
    return PS_OK;
}

static void check_mode(const char *path, char *warning) {
    struct stat info;
    warning[0] = '\0';
    if (stat(path, &info) == 0 && (info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        snprintf(warning, PS_TLS_WARNING_SIZE,
                 "key: %s can be read by others (mode %04o); chmod 600 it", path,
                 (unsigned)info.st_mode & 07777U);
    }
}

PsErr ps_tls_load_identity(SSL_CTX *context, const char *cert_path, const char *key_path,
                           char *warning, PsLinkFailure *reterr_failure) {
    warning[0] = '\0';
    bool has_cert = cert_path[0] != '\0';
    bool has_key = key_path[0] != '\0';
    if (!has_cert && !has_key) {
        return PS_OK;
    }
    if (!has_cert || !has_key) {
        return fail(reterr_failure, PS_FILE_HALF, "%s is set without %s; set both or none",
                    has_cert ? "cert" : "key", has_cert ? "key" : "cert");
    }
    PsErr err = load_certificate(context, cert_path, reterr_failure);
    if (err == PS_OK) {
        err = load_key(context, key_path, cert_path, reterr_failure);
    }
    if (err == PS_OK) {
        check_mode(key_path, warning);
    }
    ERR_clear_error();
    return err;
}
