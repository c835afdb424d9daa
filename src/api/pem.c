// Reads PEM with OpenSSL, and recognises what people upload instead. Any thread; no I/O.
#include "api/pem.h"

#include "base/text.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define CERTIFICATES_MAX 500

const char *ps_pem_kind_name(PsPemKind kind) {
    static const char *const names[] = {"certificate", "root", "key"};
    return (size_t)kind < PS_COUNT(names) ? names[kind] : "unknown";
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

#define AUTO_BIO __attribute__((cleanup(cleanup_bio)))
#define AUTO_X509 __attribute__((cleanup(cleanup_x509)))
#define AUTO_KEY __attribute__((cleanup(cleanup_key)))

// --- what it is instead -------------------------------------------------------------------------

// What stands behind "-----BEGIN ".
typedef struct Other {
    const char *label;
    const char *is;
    const char *cure;
} Other;

static const Other others[] = {
    {"CERTIFICATE REQUEST", "a request for a certificate",
     "upload the certificate that was made of it"},
    {"NEW CERTIFICATE REQUEST", "a request for a certificate",
     "upload the certificate that was made of it"},
    {"ENCRYPTED PRIVATE KEY", "a private key under a passphrase",
     "nobody can type it at the gateway: remove it with `openssl pkey -in FILE -out NEW`"},
    {"OPENSSH PRIVATE KEY", "a key for SSH", "upload the key that belongs to the certificate"},
    {"PUBLIC KEY", "a public key", "upload the private key that was downloaded with it"},
    {"RSA PUBLIC KEY", "a public key", "upload the private key that was downloaded with it"},
    {"PKCS7", "a PKCS#7 container",
     "take the certificates out with `openssl pkcs7 -in FILE -print_certs -out NEW`"},
    {"X509 CRL", "a list of revoked certificates", "it is not needed here"},
    {"DH PARAMETERS", "parameters of a key exchange", "they are not needed here"},
};

static PsErr refuse(const char *name, PsDiag *diag, const char *is, const char *cure) {
    return ps_fail(PS_ERR_INVALID, diag, name, "text",
                   "is %s, not a certificate or private key; %s", is, cure);
}

static bool begins_with(const char *text, size_t len, const char *word) {
    return len >= strlen(word) && strncasecmp(text, word, strlen(word)) == 0;
}

static bool contains(const char *text, size_t len, const char *word) {
    return memmem(text, len, word, strlen(word)) != NULL;
}

// A binary file that a browser read as text has U+FFFD where its bytes were no UTF-8.
static bool is_binary(const char *text, size_t len) {
    return memchr(text, '\0', len) != NULL || contains(text, len, "\xef\xbf\xbd") ||
           !ps_text_is_utf8(text, len);
}

static PsErr explain(const char *name, const char *text, size_t len, PsDiag *diag) {
    const char *body = text;
    while (body < text + len && strchr(" \t\r\n", *body) != NULL && *body != '\0') {
        body++;
    }
    size_t left = len - (size_t)(body - text);
    if (left == 0) {
        return refuse(name, diag, "empty", "choose the file again");
    }
    if (begins_with(body, left, "<!doctype") || begins_with(body, left, "<html") ||
        begins_with(body, left, "<?xml")) {
        return refuse(name, diag, "a web page",
                      "the download gave the page instead of the file: download it again");
    }
    if (is_binary(body, left)) {
        return refuse(
            name, diag, "a binary file, perhaps DER or PKCS#12",
            "convert it: `openssl x509 -inform der -in FILE -out NEW`, for a key `openssl "
            "pkey -inform der`, for .p12 and .pfx `openssl pkcs12 -nodes`");
    }
    for (size_t i = 0; i < PS_COUNT(others); i++) {
        char begin[64];
        snprintf(begin, sizeof begin, "-----BEGIN %s-----", others[i].label);
        if (contains(body, left, begin)) {
            return refuse(name, diag, others[i].is, others[i].cure);
        }
    }
    if (contains(body, left, "-----BEGIN ")) {
        return refuse(name, diag, "damaged or cut off: its lines cannot be read",
                      "choose the file again, whole, as it was downloaded");
    }
    return refuse(name, diag, "some other text",
                  "the file begins with -----BEGIN CERTIFICATE----- "
                  "or -----BEGIN ... PRIVATE KEY-----");
}

// --- what it is ---------------------------------------------------------------------------------

static void put_hex(const unsigned char *bytes, unsigned len, const char *gap, char *out,
                    size_t size) {
    size_t used = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < len && used + strlen(gap) + 2 < size; i++) {
        used += (size_t)snprintf(out + used, size - used, gap[0] != '\0' ? "%s%02X" : "%s%02x",
                                 i > 0 ? gap : "", bytes[i]);
    }
}

static void describe_key(EVP_PKEY *key, PsPem *pem) {
    unsigned char *public_half = NULL;
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned hash_len = 0;
    char curve[24] = "";
    int len = i2d_PUBKEY(key, &public_half);
    if (len > 0 && EVP_Digest(public_half, (size_t)len, hash, &hash_len, EVP_sha256(), NULL) == 1) {
        put_hex(hash, hash_len, "", pem->public_sha256, sizeof pem->public_sha256);
    }
    OPENSSL_free(public_half);
    const char *type = EVP_PKEY_get0_type_name(key);
    if (EVP_PKEY_get_group_name(key, curve, sizeof curve, NULL) == 1) {
        ps_text_format(pem->key_type, sizeof pem->key_type, "%.8s %.20s", type, curve);
    } else if (EVP_PKEY_is_a(key, "RSA") != 0) {
        ps_text_format(pem->key_type, sizeof pem->key_type, "RSA %d", EVP_PKEY_get_bits(key));
    } else {
        ps_text_format(pem->key_type, sizeof pem->key_type, "%.30s", type != NULL ? type : "");
    }
}

static void put_name(const X509_NAME *name, char *out, size_t size) {
    AUTO_BIO BIO *memory = BIO_new(BIO_s_mem());
    char *text = NULL;
    if (memory != NULL &&
        X509_NAME_print_ex(memory, name, 0, (XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB)) >= 0) {
        long len = BIO_get_mem_data(memory, &text);
        ps_text_format(out, size, "%.*s", (int)len, text);
    }
}

static int64_t seconds_of(const ASN1_TIME *time) {
    struct tm parts = {0};
    return ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

static void describe_certificate(X509 *certificate, PsPem *pem) {
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    put_name(X509_get_subject_name(certificate), pem->subject, sizeof pem->subject);
    put_name(X509_get_issuer_name(certificate), pem->issuer, sizeof pem->issuer);
    pem->not_before = seconds_of(X509_get0_notBefore(certificate));
    pem->not_after = seconds_of(X509_get0_notAfter(certificate));
    if (X509_digest(certificate, EVP_sha256(), hash, &len) == 1) {
        put_hex(hash, len, ":", pem->fingerprint, sizeof pem->fingerprint);
    }
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    if (key != NULL) {
        describe_key(key, pem);
    }
    bool self =
        X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0;
    // A server's own certificate is self-signed, too, but may not sign others.
    bool may_sign = X509_check_ca(certificate) == 1 || (self && X509_check_ca(certificate) != 0);
    pem->kind = may_sign ? PS_PEM_ROOT : PS_PEM_CERTIFICATE;
}

// How many certificates there are; the first is described.
static unsigned read_certificates(const char *text, size_t len, PsPem *pem) {
    AUTO_BIO BIO *memory = BIO_new_mem_buf(text, (int)len);
    unsigned count = 0;
    while (memory != NULL && count < CERTIFICATES_MAX) {
        AUTO_X509 X509 *certificate = PEM_read_bio_X509(memory, NULL, NULL, NULL);
        if (certificate == NULL) {
            break;
        }
        int64_t end = seconds_of(X509_get0_notAfter(certificate));
        if (count == 0) {
            describe_certificate(certificate, pem);
        } else if (end < pem->not_after) {
            pem->not_after = end;
        }
        count++;
    }
    return count;
}

// Without it OpenSSL would ask at the terminal.
static int no_passphrase(char *out, int size, int writing, void *ctx) {
    *(bool *)ctx = true;
    return -1;
}

static bool read_key(const char *text, size_t len, bool *ret_encrypted, PsPem *pem) {
    AUTO_BIO BIO *memory = BIO_new_mem_buf(text, (int)len);
    AUTO_KEY EVP_PKEY *key =
        memory != NULL ? PEM_read_bio_PrivateKey(memory, NULL, no_passphrase, ret_encrypted) : NULL;
    if (key != NULL) {
        pem->kind = PS_PEM_KEY;
        describe_key(key, pem);
    }
    return key != NULL;
}

PsErr ps_pem_read(const char *name, const void *text, size_t len, PsPem *ret_pem, PsDiag *diag) {
    if (len > PS_PEM_BYTES_MAX) {
        return ps_fail(PS_ERR_TOO_BIG, diag, name, "text",
                       "has %zu bytes; certificates and keys have at most %zu", len,
                       PS_PEM_BYTES_MAX);
    }
    PsPem pem = {0};
    bool encrypted = false;
    pem.count = read_certificates(text, len, &pem);
    PsPem key = {0};
    bool has_key = read_key(text, len, &encrypted, &key);
    ERR_clear_error(); // of this thread
    if (encrypted) {
        return refuse(name, diag, "a private key under a passphrase",
                      "nobody can type it at the gateway: remove it with `openssl pkey -in FILE "
                      "-out NEW`");
    }
    if (has_key && pem.count > 0) {
        return ps_fail(PS_ERR_INVALID, diag, name, "text",
                       "holds a certificate and a private key; upload them as two files");
    }
    if (!has_key && pem.count == 0) {
        return explain(name, text, len, diag);
    }
    *ret_pem = has_key ? key : pem;
    return PS_OK;
}
