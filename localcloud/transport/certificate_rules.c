// Keys, signatures and validity of client certificates. Pure.
#include "localcloud/transport/certificate_rules.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <string.h>

#define RSA_BITS_MIN 2048

static const int signatures[] = {
    NID_sha256WithRSAEncryption, NID_sha384WithRSAEncryption, NID_sha512WithRSAEncryption,
    NID_ecdsa_with_SHA256,       NID_ecdsa_with_SHA384,       NID_ecdsa_with_SHA512,
    NID_dsa_with_SHA256,
};

static const char *const curves[] = {SN_X9_62_prime256v1, SN_secp384r1, SN_secp521r1};

static bool signature_is_accepted(const X509 *certificate) {
    int nid = X509_get_signature_nid(certificate);
    for (size_t i = 0; i < PS_COUNT(signatures); i++) {
        if (signatures[i] == nid) {
            return true;
        }
    }
    return false;
}

static bool curve_is_accepted(const EVP_PKEY *key) {
    char name[64] = "";
    size_t len = 0;
    if (EVP_PKEY_get_group_name(key, name, sizeof name, &len) != 1) {
        return false;
    }
    for (size_t i = 0; i < PS_COUNT(curves); i++) {
        if (strcmp(name, curves[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool key_is_accepted(const X509 *certificate) {
    const EVP_PKEY *key = X509_get0_pubkey(certificate);
    if (key == NULL) {
        return false;
    }
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        return EVP_PKEY_get_bits(key) >= RSA_BITS_MIN;
    case EVP_PKEY_EC:
        return curve_is_accepted(key);
    default:
        return false;
    }
}

PsAdmission ps_certificate_rules(const X509 *certificate, time_t now, const char **why) {
    if (!key_is_accepted(certificate)) {
        *why = "its key is neither RSA of 2048 bits or more nor ECC on P-256, P-384 or P-521";
        return PS_REFUSE_KIND;
    }
    if (!signature_is_accepted(certificate)) {
        *why = "it is not signed with SHA-256, SHA-384 or SHA-512";
        return PS_REFUSE_KIND;
    }
    // X509_cmp_time: 0 says the time cannot be read.
    if (X509_cmp_time(X509_get0_notBefore(certificate), &now) >= 0) {
        *why = "it is not valid yet";
        return PS_REFUSE_TIME;
    }
    if (X509_cmp_time(X509_get0_notAfter(certificate), &now) <= 0) {
        *why = "it has expired";
        return PS_REFUSE_TIME;
    }
    return PS_ADMIT;
}
