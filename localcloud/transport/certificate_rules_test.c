// Which keys, signatures and dates of client certificates are taken.
#include "localcloud/transport/certificate_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#define NOW 1700000000
#define DAY 86400

static X509 *make(EVP_PKEY *key, const EVP_MD *digest, time_t from, time_t to) {
    X509 *certificate = X509_new();
    assert_non_null(key);
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(certificate), from));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(certificate), to));
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    assert_true(X509_sign(certificate, key, digest) > 0);
    EVP_PKEY_free(key);
    return certificate;
}

static void expect(X509 *certificate, PsAdmission expected) {
    const char *why = NULL;
    assert_int_equal(ps_certificate_rules(certificate, NOW, &why), expected);
    assert_int_equal(why == NULL, expected == PS_ADMIT);
    X509_free(certificate);
}

static void test_keys(void **state) {
    (void)state;
    static const char *const good[] = {"P-256", "P-384", "P-521"};
    static const char *const bad[] = {"secp256k1", "P-224", "brainpoolP256r1"};
    for (size_t i = 0; i < PS_COUNT(good); i++) {
        expect(make(EVP_EC_gen(good[i]), EVP_sha256(), NOW - DAY, NOW + DAY), PS_ADMIT);
        expect(make(EVP_EC_gen(bad[i]), EVP_sha256(), NOW - DAY, NOW + DAY), PS_REFUSE_KIND);
    }
    expect(make(EVP_RSA_gen(2048), EVP_sha256(), NOW - DAY, NOW + DAY), PS_ADMIT);
    expect(make(EVP_RSA_gen(1024), EVP_sha256(), NOW - DAY, NOW + DAY), PS_REFUSE_KIND);
    expect(make(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL, NOW - DAY, NOW + DAY),
           PS_REFUSE_KIND);
}

static void test_signatures(void **state) {
    (void)state;
    const EVP_MD *good[] = {EVP_sha256(), EVP_sha384(), EVP_sha512()};
    for (size_t i = 0; i < PS_COUNT(good); i++) {
        expect(make(EVP_EC_gen("P-256"), good[i], NOW - DAY, NOW + DAY), PS_ADMIT);
        expect(make(EVP_RSA_gen(2048), good[i], NOW - DAY, NOW + DAY), PS_ADMIT);
    }
    expect(make(EVP_EC_gen("P-256"), EVP_sha1(), NOW - DAY, NOW + DAY), PS_REFUSE_KIND);
    expect(make(EVP_RSA_gen(2048), EVP_sha1(), NOW - DAY, NOW + DAY), PS_REFUSE_KIND);
    expect(make(EVP_RSA_gen(2048), EVP_sha224(), NOW - DAY, NOW + DAY), PS_REFUSE_KIND);
}

static void test_dates(void **state) {
    (void)state;
    expect(make(EVP_EC_gen("P-256"), EVP_sha256(), NOW - DAY, NOW - 1), PS_REFUSE_TIME);
    expect(make(EVP_EC_gen("P-256"), EVP_sha256(), NOW + 1, NOW + DAY), PS_REFUSE_TIME);
    expect(make(EVP_EC_gen("P-256"), EVP_sha256(), NOW - 1, NOW + 1), PS_ADMIT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
