// CMS through OpenSSL. Pure, apart from random bytes and the time it takes.
#include "backup/seal.h"

#include "base/cleanup.h"

#include <limits.h>
#include <openssl/asn1.h>
#include <openssl/cms.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#define WHAT "the sealed part of the archive"

static void cleanup_cms(CMS_ContentInfo **cms) {
    CMS_ContentInfo_free(*cms);
}

static void cleanup_bio(BIO **bio) {
    BIO_free(*bio);
}

static void cleanup_parameters(PBKDF2PARAM **parameters) {
    PBKDF2PARAM_free(*parameters);
}

#define AUTO_CMS PS_CLEANUP(cleanup_cms)
#define AUTO_BIO PS_CLEANUP(cleanup_bio)

static PsErr fail_openssl(PsDiag *diag, const char *doing) {
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    PsErr err = ps_fail(PS_ERR_INTERNAL, diag, WHAT, NULL, "OpenSSL cannot %s: %s", doing,
                        reason != NULL ? reason : "no reason given");
    ERR_clear_error();
    return err;
}

static void take_out(BIO *bio, PsBuf *out) {
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);
    ps_buf_put(out, data, len > 0 ? (size_t)len : 0);
}

PsErr ps_seal(const void *bytes, size_t len, const char *passphrase, int rounds, PsBuf *out,
              PsDiag *diag) {
    if (len > INT_MAX) {
        return ps_fail(PS_ERR_TOO_BIG, diag, WHAT, NULL, "would be larger than 2 GiB");
    }
    AUTO_CMS CMS_ContentInfo *cms = CMS_AuthEnvelopedData_create_ex(EVP_aes_256_gcm(), NULL, NULL);
    AUTO_BIO BIO *plain = BIO_new_mem_buf(bytes, (int)len);
    AUTO_BIO BIO *sealed = BIO_new(BIO_s_mem());
    unsigned char *copy = (unsigned char *)OPENSSL_strdup(passphrase);
    if (cms == NULL || plain == NULL || sealed == NULL || copy == NULL ||
        CMS_add0_recipient_password(cms, rounds, NID_id_alg_PWRI_KEK, NID_id_pbkdf2, copy,
                                    (ossl_ssize_t)strlen(passphrase), EVP_aes_256_cbc()) == NULL) {
        OPENSSL_free(copy);
        return fail_openssl(diag, "prepare the encryption");
    }
    // `copy` is the recipient's now. Not detached: the encrypted bytes stand in the structure.
    if (CMS_set_detached(cms, 0) != 1 || CMS_final(cms, plain, NULL, CMS_BINARY) != 1 ||
        i2d_CMS_bio(sealed, cms) != 1) {
        return fail_openssl(diag, "encrypt");
    }
    take_out(sealed, out);
    return PS_OK;
}

// How many rounds of PBKDF2 it asks for; 0 when that cannot be found. OpenSSL has no question for
// it, so the parameters are read where their algorithm is named (OID 1.2.840.113549.1.5.12).
static int64_t rounds_of(const uint8_t *sealed, size_t len) {
    static const uint8_t oid[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c};
    const uint8_t *found = memmem(sealed, len, oid, sizeof oid);
    if (found == NULL) {
        return 0;
    }
    const uint8_t *at = found + sizeof oid;
    long left = (long)(sealed + len - at);
    PS_CLEANUP(cleanup_parameters)
    PBKDF2PARAM *parameters = d2i_PBKDF2PARAM(NULL, &at, left);
    int64_t rounds = 0;
    if (parameters == NULL || ASN1_INTEGER_get_int64(&rounds, parameters->iter) != 1) {
        return 0;
    }
    return rounds;
}

static PsErr parse(const void *sealed, size_t len, CMS_ContentInfo **ret_cms, PsDiag *diag) {
    const uint8_t *at = sealed;
    AUTO_CMS CMS_ContentInfo *cms =
        len <= INT_MAX ? d2i_CMS_ContentInfo(NULL, &at, (long)len) : NULL;
    STACK_OF(CMS_RecipientInfo) *recipients = NULL;
    bool sound = cms != NULL && at == (const uint8_t *)sealed + len &&
                 OBJ_obj2nid(CMS_get0_type(cms)) == NID_id_smime_ct_authEnvelopedData;
    if (sound) {
        recipients = CMS_get0_RecipientInfos(cms);
        ASN1_OCTET_STRING **content = CMS_get0_content(cms);
        int64_t rounds = rounds_of(sealed, len);
        sound = sk_CMS_RecipientInfo_num(recipients) == 1 && content != NULL && *content != NULL &&
                CMS_RecipientInfo_type(sk_CMS_RecipientInfo_value(recipients, 0)) ==
                    CMS_RECIPINFO_PASS &&
                rounds > 0 && rounds <= PS_SEAL_ROUNDS_MAX;
    }
    ERR_clear_error();
    if (!sound) {
        return ps_fail(PS_ERR_CORRUPT, diag, WHAT, NULL,
                       "is not encrypted as Penstock does it; take another copy of the archive");
    }
    *ret_cms = cms;
    cms = NULL;
    return PS_OK;
}

PsErr ps_seal_check(const void *sealed, size_t len, PsDiag *diag) {
    AUTO_CMS CMS_ContentInfo *cms = NULL;
    return parse(sealed, len, &cms, diag);
}

PsErr ps_unseal(const void *sealed, size_t len, const char *passphrase, PsBuf *out, PsDiag *diag) {
    AUTO_CMS CMS_ContentInfo *cms = NULL;
    PsErr err = parse(sealed, len, &cms, diag);
    if (err != PS_OK) {
        return err;
    }
    AUTO_BIO BIO *plain = BIO_new(BIO_s_mem());
    unsigned char *copy = (unsigned char *)OPENSSL_strdup(passphrase);
    if (plain == NULL || copy == NULL) {
        OPENSSL_free(copy);
        return fail_openssl(diag, "prepare the decryption");
    }
    bool opened = CMS_decrypt_set1_password(cms, copy, (ossl_ssize_t)strlen(passphrase)) == 1 &&
                  CMS_decrypt(cms, NULL, NULL, NULL, plain, CMS_BINARY) == 1;
    OPENSSL_clear_free(copy, strlen(passphrase));
    ERR_clear_error();
    if (!opened) {
        return ps_fail(PS_ERR_DENIED, diag, WHAT, NULL,
                       "does not open: the passphrase is wrong; if it is the right one, the "
                       "archive was changed: take another copy of it");
    }
    take_out(plain, out);
    return PS_OK;
}

void ps_seal_wipe(PsBuf *secret) {
    if (secret->data != NULL) {
        OPENSSL_cleanse(secret->data, secret->capacity);
    }
    ps_buf_deinit(secret);
}
