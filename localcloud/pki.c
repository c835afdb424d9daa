// Keys, certificates and their PEM forms through OpenSSL 3. No I/O; any thread.
#include "localcloud/pki.h"

#include "base/cleanup.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

#define RSA_BITS 2048
#define SERIAL_BITS 127 // positive, at most 20 octets (RFC 5280, 4.1.2.2)
#define LONGEST_HOST 253

typedef struct RoleRule {
    const char *basic_constraints;
    const char *key_usage;
    const char *extended_key_usage; // NULL: none
} RoleRule;

static const RoleRule role_rules[] = {
    [PS_PKI_ROOT] = {"critical,CA:TRUE", "critical,digitalSignature,keyCertSign,cRLSign", NULL},
    [PS_PKI_ISSUER] = {"critical,CA:TRUE,pathlen:0",
                       "critical,digitalSignature,keyCertSign,cRLSign", NULL},
    [PS_PKI_SERVER] = {"critical,CA:FALSE", "critical,digitalSignature,keyEncipherment",
                       "serverAuth"},
    [PS_PKI_DEVICE] = {"critical,CA:FALSE", "critical,digitalSignature", NULL},
};

void ps_pki_pair_deinit(PsPkiPair *pair) {
    EVP_PKEY_free(pair->key);
    X509_free(pair->certificate);
    *pair = (PsPkiPair){0};
}

static PsErr openssl_failed(PsDiag *diag, const char *step) {
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    PsErr err = ps_fail(PS_ERR_INTERNAL, diag, "OpenSSL", step, "%s",
                        reason != NULL ? reason : "failed without a reason");
    ERR_clear_error();
    return err;
}

static bool host_is_sound(const char *host) {
    size_t len = strlen(host);
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789.-:*";
    return len > 0 && len <= LONGEST_HOST && strspn(host, allowed) == len;
}

static PsErr put_hosts(const PsPkiOrder *order, PsBuf *out, PsDiag *diag) {
    for (size_t i = 0; i < order->host_count; i++) {
        if (!host_is_sound(order->hosts[i])) {
            return ps_fail(PS_ERR_INVALID, diag, order->common_name, "host",
                           "'%s' is neither a host name nor an IP address", order->hosts[i]);
        }
        ASN1_OCTET_STRING *address = a2i_IPADDRESS(order->hosts[i]);
        ps_buf_printf(out, "%s%s:%s", i > 0 ? "," : "", address != NULL ? "IP" : "DNS",
                      order->hosts[i]);
        ASN1_OCTET_STRING_free(address);
    }
    ERR_clear_error(); // a name is no address; that was the question, not a failure
    return PS_OK;
}

static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool added = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

static bool add_extensions(const PsPkiOrder *order, const char *hosts, X509 *certificate,
                           X509 *issuer) {
    const RoleRule *rule = &role_rules[order->role];
    return add_extension(certificate, issuer, NID_basic_constraints, rule->basic_constraints) &&
           add_extension(certificate, issuer, NID_key_usage, rule->key_usage) &&
           add_extension(certificate, issuer, NID_subject_key_identifier, "hash") &&
           add_extension(certificate, issuer, NID_authority_key_identifier, "keyid") &&
           (rule->extended_key_usage == NULL ||
            add_extension(certificate, issuer, NID_ext_key_usage, rule->extended_key_usage)) &&
           (hosts == NULL || add_extension(certificate, issuer, NID_subject_alt_name, hosts));
}

static bool set_serial(X509 *certificate) {
    BIGNUM *number = BN_new();
    bool done = number != NULL &&
                BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
                BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return done;
}

static bool add_name(X509_NAME *name, const char *field, const char *text) {
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)text, -1,
                                      -1, 0) == 1;
}

static bool set_subject(const PsPkiOrder *order, X509 *certificate) {
    X509_NAME *name = X509_get_subject_name(certificate);
    return add_name(name, "O", "Penstock local cloud") && add_name(name, "CN", order->common_name);
}

// All but the subject, which must be there: a root's issuer is its own subject.
static bool set_fields(const PsPkiOrder *order, X509 *certificate, EVP_PKEY *key,
                       const PsPkiPair *issuer) {
    const X509_NAME *issuer_name =
        X509_get_subject_name(issuer != NULL ? issuer->certificate : certificate);
    return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
           ASN1_TIME_set(X509_getm_notBefore(certificate),
                         (time_t)(order->not_before.ns / PS_NS_PER_S)) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(certificate),
                         (time_t)(order->not_after.ns / PS_NS_PER_S)) != NULL &&
           X509_set_issuer_name(certificate, issuer_name) == 1 &&
           X509_set_pubkey(certificate, key) == 1;
}

PsErr ps_pki_make_key(PsKeyType type, EVP_PKEY **ret_key, PsDiag *diag) {
    EVP_PKEY *key = type == PS_KEY_RSA ? EVP_RSA_gen(RSA_BITS) : EVP_EC_gen("P-256");
    if (key == NULL) {
        return openssl_failed(diag, "new key");
    }
    *ret_key = key;
    return PS_OK;
}

static PsErr take_key(const PsPkiOrder *order, EVP_PKEY **ret_key, PsDiag *diag) {
    if (order->key == NULL) {
        return ps_pki_make_key(order->key_type, ret_key, diag);
    }
    EVP_PKEY_up_ref(order->key);
    *ret_key = order->key;
    return PS_OK;
}

PsErr ps_pki_make(const PsPkiOrder *order, const PsPkiPair *issuer, PsPkiPair *ret_pair,
                  PsDiag *diag) {
    PS_AUTO_BUF PsBuf hosts = {0};
    PsErr err = put_hosts(order, &hosts, diag);
    if (err != PS_OK) {
        return err;
    }
    PS_AUTO_PKI_PAIR PsPkiPair made = {0};
    err = take_key(order, &made.key, diag);
    if (err != PS_OK) {
        return err;
    }
    made.certificate = X509_new();
    if (made.certificate == NULL) {
        return openssl_failed(diag, "new certificate");
    }
    const PsPkiPair *signer = issuer != NULL ? issuer : &made;
    if (!set_subject(order, made.certificate) ||
        !set_fields(order, made.certificate, made.key, issuer) ||
        !add_extensions(order, order->host_count > 0 ? (const char *)hosts.data : NULL,
                        made.certificate, signer->certificate)) {
        return openssl_failed(diag, "certificate fields");
    }
    if (X509_sign(made.certificate, signer->key, EVP_sha256()) == 0) {
        return openssl_failed(diag, "signature");
    }
    *ret_pair = ps_pki_pair_take(&made);
    return PS_OK;
}

bool ps_pki_key_is_accepted(const EVP_PKEY *key) {
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
        return EVP_PKEY_get_bits(key) >= RSA_BITS;
    }
    char group[32] = "";
    static const char *const curves[] = {SN_X9_62_prime256v1, SN_secp384r1, SN_secp521r1};
    bool accepted = false;
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
        EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1) {
        for (size_t i = 0; i < PS_COUNT(curves); i++) {
            accepted = accepted || strcmp(group, curves[i]) == 0;
        }
    }
    return accepted;
}

static X509_REQ *read_request(const char *pem, size_t len) {
    BIO *bio = BIO_new_mem_buf(pem, (int)len);
    X509_REQ *request = bio != NULL ? PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    if (request != NULL && X509_REQ_verify(request, X509_REQ_get0_pubkey(request)) != 1) {
        X509_REQ_free(request);
        request = NULL;
    }
    ERR_clear_error();
    return request;
}

PsErr ps_pki_sign_request(const char *pem, size_t len, const PsPkiOrder *order,
                          const PsPkiPair *issuer, X509 **ret_certificate, PsDiag *diag) {
    X509_REQ *request = read_request(pem, len);
    if (request == NULL) {
        return ps_fail(PS_ERR_INVALID, diag, "certificate signing request", NULL,
                       "cannot be read, or is not signed by its own key");
    }
    EVP_PKEY *key = X509_REQ_get0_pubkey(request);
    if (!ps_pki_key_is_accepted(key)) {
        X509_REQ_free(request);
        return ps_fail(PS_ERR_INVALID, diag, "certificate signing request", NULL,
                       "use an RSA key of 2048 bits or more, or ECC on P-256, P-384 or P-521");
    }
    PS_AUTO_PKI_PAIR PsPkiPair made = {.certificate = X509_new()};
    bool done = made.certificate != NULL &&
                X509_set_subject_name(made.certificate, X509_REQ_get_subject_name(request)) == 1 &&
                set_fields(order, made.certificate, key, issuer) &&
                add_extensions(order, NULL, made.certificate, issuer->certificate) &&
                X509_sign(made.certificate, issuer->key, EVP_sha256()) != 0;
    X509_REQ_free(request);
    if (!done) {
        return openssl_failed(diag, "certificate for a request");
    }
    *ret_certificate = ps_pki_pair_take(&made).certificate;
    return PS_OK;
}

void ps_pki_certificate_id(const X509 *certificate, char *out) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    int done = X509_digest(certificate, EVP_sha256(), digest, &len);
    PS_ASSERT(done == 1 && len * 2 + 1 == PS_PKI_ID_SIZE);
    static const char digits[] = "0123456789abcdef";
    for (unsigned int i = 0; i < len; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[PS_PKI_ID_SIZE - 1] = '\0';
}

// Moves what was written to `bio` into `out` and frees it.
static PsErr take_bio(BIO *bio, int written, PsBuf *out) {
    char *bytes = NULL;
    long len = bio != NULL && written == 1 ? BIO_get_mem_data(bio, &bytes) : 0;
    if (len > 0) {
        ps_buf_put(out, bytes, (size_t)len);
    }
    BIO_free(bio);
    return len > 0 ? PS_OK : PS_ERR_INTERNAL;
}

PsErr ps_pki_put_certificate(const X509 *certificate, PsBuf *out) {
    BIO *bio = BIO_new(BIO_s_mem());
    return take_bio(bio, bio != NULL ? PEM_write_bio_X509(bio, certificate) : 0, out);
}

PsErr ps_pki_put_private_key(const EVP_PKEY *key, PsBuf *out) {
    BIO *bio = BIO_new(BIO_s_secmem()); // wiped when freed
    int written =
        bio != NULL ? PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL) : 0;
    return take_bio(bio, written, out);
}

PsErr ps_pki_put_public_key(const EVP_PKEY *key, PsBuf *out) {
    BIO *bio = BIO_new(BIO_s_mem());
    return take_bio(bio, bio != NULL ? PEM_write_bio_PUBKEY(bio, key) : 0, out);
}

PsErr ps_pki_pair_read(const PsBuf *certificate_pem, const PsBuf *key_pem, PsPkiPair *ret_pair) {
    PS_AUTO_PKI_PAIR PsPkiPair pair = {0};
    BIO *certificate = BIO_new_mem_buf(certificate_pem->data, (int)certificate_pem->len);
    BIO *key = BIO_new_mem_buf(key_pem->data, (int)key_pem->len);
    if (certificate != NULL && key != NULL) {
        pair.certificate = PEM_read_bio_X509(certificate, NULL, NULL, NULL);
        pair.key = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);
    }
    BIO_free(certificate);
    BIO_free(key);
    bool sound = pair.certificate != NULL && pair.key != NULL &&
                 X509_check_private_key(pair.certificate, pair.key) == 1;
    ERR_clear_error();
    if (!sound) {
        return PS_ERR_CORRUPT;
    }
    *ret_pair = ps_pki_pair_take(&pair);
    return PS_OK;
}

X509 *ps_pki_certificate_read(const char *pem, size_t len) {
    BIO *bio = BIO_new_mem_buf(pem, (int)len);
    X509 *certificate = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    return certificate;
}

PsKeyType ps_pki_key_type(const PsPkiPair *pair) {
    return EVP_PKEY_get_base_id(pair->key) == EVP_PKEY_EC ? PS_KEY_ECC : PS_KEY_RSA;
}

bool ps_pki_signed_by(const PsPkiPair *pair, const PsPkiPair *issuer) {
    bool signed_by = X509_verify(pair->certificate, issuer->key) == 1;
    ERR_clear_error();
    return signed_by;
}

static PsWall wall_of(const ASN1_TIME *time) {
    struct tm parts = {0};
    int done = ASN1_TIME_to_tm(time, &parts);
    PS_ASSERT(done == 1);
    return (PsWall){(int64_t)timegm(&parts) * PS_NS_PER_S};
}

PsWall ps_pki_not_before(const X509 *certificate) {
    return wall_of(X509_get0_notBefore(certificate));
}

PsWall ps_pki_not_after(const X509 *certificate) {
    return wall_of(X509_get0_notAfter(certificate));
}
