// Reads and makes the web server's certificate. Any thread but the main one; blocks on the disk.
#include "api/web_identity.h"

#include "base/file.h"
#include "base/mem.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define FILE_MAX ((size_t)1024 * 1024)
#define DAY_S 86400
#define VALID_DAYS 825 // the longest that all browsers take
#define RENEW_DAYS 30
#define SERIAL_BYTES 16

void ps_web_identity_deinit(PsWebIdentity *identity) {
    if (identity->key != NULL) {
        OPENSSL_cleanse(identity->key, strlen(identity->key));
    }
    free(identity->key);
    free(identity->cert);
    for (size_t i = 0; i < identity->name_count; i++) {
        free(identity->names[i]);
    }
    *identity = (PsWebIdentity){0};
}

static char *copy(const char *bytes, size_t len) {
    char *text = ps_alloc(len + 1); // zeroed
    memcpy(text, bytes, len);
    return text;
}

// --- what stands in a certificate ---------------------------------------------------------------

static PsWall wall_of(const ASN1_TIME *time) {
    struct tm parts = {0};
    PsWall wall = {0};
    if (ASN1_TIME_to_tm(time, &parts) == 1) {
        wall.ns = (int64_t)timegm(&parts) * PS_NS_PER_S;
    }
    return wall;
}

static void take_names(X509 *certificate, PsWebIdentity *identity) {
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS && identity->name_count < PS_WEB_NAMES_MAX) {
            identity->names[identity->name_count++] =
                copy((const char *)ASN1_STRING_get0_data(name->d.dNSName),
                     (size_t)ASN1_STRING_length(name->d.dNSName));
        }
    }
    GENERAL_NAMES_free(names);
}

static void take_facts(X509 *certificate, PsWebIdentity *identity) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    identity->not_after = wall_of(X509_get0_notAfter(certificate));
    if (X509_digest(certificate, EVP_sha256(), digest, &len) == 1) {
        size_t at = 0;
        for (unsigned i = 0; i < len && at + 4 <= PS_WEB_FINGERPRINT_SIZE; i++) {
            at += (size_t)snprintf(identity->fingerprint + at, PS_WEB_FINGERPRINT_SIZE - at,
                                   "%s%02X", i > 0 ? ":" : "", digest[i]);
        }
    }
    take_names(certificate, identity);
}

// No passphrase is asked for on the terminal.
static int no_passphrase(char *out, int size, int writing, void *ctx) {
    (void)out;
    (void)size;
    (void)writing;
    (void)ctx;
    return 0;
}

static EVP_PKEY *read_key(const PsBuf *pem) {
    BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    BIO_free(bio);
    return key;
}

static X509 *read_certificate(const PsBuf *pem) {
    BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
    X509 *certificate = bio != NULL ? PEM_read_bio_X509(bio, NULL, no_passphrase, NULL) : NULL;
    BIO_free(bio);
    return certificate;
}

static PsErr check_pair(const char *cert_path, const char *key_path, X509 *certificate,
                        EVP_PKEY *key, PsWall now, PsDiag *diag) {
    char name[128];
    snprintf(name, sizeof name, "%.120s", certificate == NULL ? cert_path : key_path);
    if (certificate == NULL) {
        return ps_fail(PS_ERR_INVALID, diag, name, NULL, "is not a certificate in PEM form");
    }
    if (key == NULL) {
        return ps_fail(PS_ERR_INVALID, diag, name, NULL,
                       "is not a private key in PEM form without a passphrase");
    }
    if (X509_check_private_key(certificate, key) != 1) {
        return ps_fail(PS_ERR_INVALID, diag, name, NULL,
                       "is not the key of %.200s; give the two that belong together", cert_path);
    }
    if (wall_of(X509_get0_notAfter(certificate)).ns <= now.ns) {
        return ps_fail(PS_ERR_INVALID, diag, cert_path, NULL, "is over; put a newer one there");
    }
    return PS_OK;
}

PsErr ps_web_identity_read(const char *cert_path, const char *key_path, PsWall now,
                           PsWebIdentity *ret_identity, PsDiag *diag) {
    PS_AUTO_BUF PsBuf cert = {0};
    PS_AUTO_BUF PsBuf key = {0};
    PsErr err = ps_file_read(cert_path, FILE_MAX, &cert, diag);
    err = err == PS_OK ? ps_file_read(key_path, FILE_MAX, &key, diag) : err;
    if (err != PS_OK) {
        return err;
    }
    X509 *certificate = read_certificate(&cert);
    EVP_PKEY *private_key = read_key(&key);
    err = check_pair(cert_path, key_path, certificate, private_key, now, diag);
    if (err == PS_OK) {
        *ret_identity = (PsWebIdentity){.cert = ps_strdup((const char *)cert.data),
                                        .key = ps_strdup((const char *)key.data)};
        take_facts(certificate, ret_identity);
    }
    ERR_clear_error();
    X509_free(certificate);
    EVP_PKEY_free(private_key);
    OPENSSL_cleanse(key.data, key.len);
    return err;
}

// --- the gateway's own --------------------------------------------------------------------------

static bool add_extension(X509 *certificate, int kind, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    bool added = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

static bool set_serial(X509 *certificate) {
    unsigned char bytes[SERIAL_BYTES];
    if (RAND_bytes(bytes, sizeof bytes) != 1) {
        return false;
    }
    bytes[0] = (bytes[0] & 0x3f) | 0x40; // positive, and never short
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool set =
        number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return set;
}

// A host name that a certificate can hold: anything else is left out.
static bool is_host_name(const char *host) {
    size_t len = strlen(host);
    return len > 0 && len <= 63 &&
           strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") == len;
}

static bool fill(X509 *certificate, EVP_PKEY *key, const char *host, PsWall now) {
    char names[256];
    bool named = is_host_name(host);
    snprintf(names, sizeof names, "%s%s%sDNS:localhost,IP:127.0.0.1,IP:::1", named ? "DNS:" : "",
             named ? host : "", named ? "," : "");
    X509_NAME *subject = X509_get_subject_name(certificate);
    time_t at = (time_t)(now.ns / PS_NS_PER_S);
    return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
           X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC,
                                      (const unsigned char *)"Penstock gateway", -1, -1, 0) == 1 &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                      (const unsigned char *)(named ? host : "localhost"), -1, -1,
                                      0) == 1 &&
           X509_set_issuer_name(certificate, subject) == 1 &&
           ASN1_TIME_set(X509_getm_notBefore(certificate), at - DAY_S) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), at + (time_t)VALID_DAYS * DAY_S) !=
               NULL &&
           X509_set_pubkey(certificate, key) == 1 &&
           add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
           add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
           add_extension(certificate, NID_subject_key_identifier, "hash") &&
           add_extension(certificate, NID_subject_alt_name, names) &&
           X509_sign(certificate, key, EVP_sha256()) > 0;
}

static char *take_text(BIO *bio) {
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);
    return copy(data, (size_t)len);
}

static bool to_pem(X509 *certificate, EVP_PKEY *key, PsWebIdentity *identity) {
    BIO *cert_bio = BIO_new(BIO_s_mem());
    BIO *key_bio = BIO_new(BIO_s_secmem());
    bool written = cert_bio != NULL && key_bio != NULL &&
                   PEM_write_bio_X509(cert_bio, certificate) == 1 &&
                   PEM_write_bio_PKCS8PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL) == 1;
    if (written) {
        identity->cert = take_text(cert_bio);
        identity->key = take_text(key_bio);
    }
    BIO_free(cert_bio);
    BIO_free(key_bio);
    return written;
}

static PsErr make(const char *host, PsWall now, PsWebIdentity *ret_identity, PsDiag *diag) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    PsWebIdentity identity = {.own = true};
    bool made = key != NULL && certificate != NULL && fill(certificate, key, host, now) &&
                to_pem(certificate, key, &identity);
    if (made) {
        take_facts(certificate, &identity);
        *ret_identity = identity;
    }
    unsigned long number = ERR_get_error();
    X509_free(certificate);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return made ? PS_OK
                : ps_fail(PS_ERR_INTERNAL, diag, "web", "cert", "cannot be made: %s",
                          number != 0 ? ERR_reason_error_string(number) : "unknown reason");
}

// The key first: with a certificate of another key beside it the pair is made anew.
static PsErr keep(const char *folder, const char *cert_path, const char *key_path,
                  const PsWebIdentity *identity, PsDiag *diag) {
    PsErr err = ps_dir_make(folder, 0700, diag);
    err = err == PS_OK ? ps_file_write(key_path, identity->key, strlen(identity->key), 0600, diag)
                       : err;
    return err == PS_OK
               ? ps_file_write(cert_path, identity->cert, strlen(identity->cert), 0644, diag)
               : err;
}

static bool is_still_good(const PsWebIdentity *identity, const char *host, PsWall now) {
    bool named = !is_host_name(host);
    for (size_t i = 0; i < identity->name_count; i++) {
        named = named || strcasecmp(identity->names[i], host) == 0;
    }
    return named && identity->not_after.ns > now.ns + (int64_t)RENEW_DAYS * DAY_S * PS_NS_PER_S;
}

PsErr ps_web_identity_own(const char *folder, const char *host, PsWall now,
                          PsWebIdentity *ret_identity, bool *ret_kept, PsDiag *diag) {
    char cert_path[PATH_MAX];
    char key_path[PATH_MAX];
    int len = snprintf(cert_path, sizeof cert_path, "%s/cert.pem", folder);
    snprintf(key_path, sizeof key_path, "%s/key.pem", folder);
    if (len >= PATH_MAX) {
        return ps_fail(PS_ERR_TOO_BIG, diag, "web", "cert", "the state folder's path is too long");
    }
    PsDiag ignored = {0};
    PsWebIdentity identity = {0};
    *ret_kept = true;
    if (ps_web_identity_read(cert_path, key_path, now, &identity, &ignored) == PS_OK) {
        identity.own = true;
        if (is_still_good(&identity, host, now)) {
            *ret_identity = identity;
            return PS_OK;
        }
        ps_web_identity_deinit(&identity);
    }
    PsErr err = make(host, now, ret_identity, diag);
    if (err == PS_OK) {
        *ret_kept = keep(folder, cert_path, key_path, ret_identity, diag) == PS_OK;
    }
    return err;
}
