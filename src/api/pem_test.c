// What an uploaded text is, and what people are told that uploaded something else. Certificates are
// made on the spot.
#include "api/pem.h"
#include "base/file.h"
#include "link/test_pki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/penstock-pem-XXXXXX";
static const char *const made[] = {"ca.crt", "rsa.crt", "rsa.key", "ec.crt", "ec.key"};

static int make_folder(void **state) {
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    TestPki *pki = test_pki_new(folder, "ca", TEST_KEY_ECC);
    test_pki_issue(pki, &(TestCertificate){.file = "rsa",
                                           .common_name = "gateway 7",
                                           .key = TEST_KEY_RSA,
                                           .from_days = -1,
                                           .to_days = 30});
    test_pki_issue(pki, &(TestCertificate){.file = "ec",
                                           .common_name = "other",
                                           .key = TEST_KEY_ECC,
                                           .from_days = -2,
                                           .to_days = -1});
    test_pki_free(pki);
    return 0;
}

static int remove_folder(void **state) {
    for (size_t i = 0; i < PS_COUNT(made); i++) {
        char path[80];
        snprintf(path, sizeof path, "%s/%s", folder, made[i]);
        (void)unlink(path);
    }
    char key[80];
    snprintf(key, sizeof key, "%s/ca.key", folder);
    (void)unlink(key);
    return rmdir(folder);
}

static void put_file(const char *name, PsBuf *text) {
    char path[80];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(ps_file_read(path, 65536, text, NULL), PS_OK);
}

static PsPem read_file(const char *name) {
    PS_AUTO_BUF PsBuf text = {0};
    PsPem pem;
    PsDiag diag = {0};
    put_file(name, &text);
    assert_int_equal(ps_pem_read(name, text.data, text.len, &pem, &diag), PS_OK);
    return pem;
}

static void assert_refused(const void *text, size_t len, const char *words) {
    PsPem pem;
    PsDiag diag = {0};
    assert_int_equal(ps_pem_read("x.pem", text, len, &pem, &diag), PS_ERR_INVALID);
    assert_string_equal(diag.object, "x.pem");
    if (strstr(diag.text, words) == NULL) {
        fail_msg("'%s' is not in '%s'", words, diag.text);
    }
}

static void assert_text_refused(const char *text, const char *words) {
    assert_refused(text, strlen(text), words);
}

static void the_kind_is_recognised(void **state) {
    PsPem root = read_file("ca.crt");
    PsPem certificate = read_file("rsa.crt");
    PsPem key = read_file("rsa.key");
    PsPem ec_key = read_file("ec.key");
    assert_string_equal(ps_pem_kind_name(root.kind), "root");
    assert_string_equal(ps_pem_kind_name(certificate.kind), "certificate");
    assert_string_equal(ps_pem_kind_name(key.kind), "key");
    assert_non_null(strstr(certificate.subject, "CN=gateway 7"));
    assert_string_equal(certificate.issuer, root.subject);
    assert_int_equal(strlen(certificate.fingerprint), 95);
    assert_true(certificate.not_after > certificate.not_before + 30 * 86400);
    assert_string_equal(certificate.key_type, "RSA 2048");
    assert_non_null(strstr(ec_key.key_type, "EC "));
    assert_string_equal(key.subject, "");
    assert_string_equal(key.fingerprint, "");
}

static void a_key_is_known_by_its_certificate(void **state) {
    PsPem certificate = read_file("rsa.crt");
    PsPem key = read_file("rsa.key");
    PsPem other = read_file("ec.key");
    assert_int_equal(strlen(key.public_sha256), 64);
    assert_string_equal(key.public_sha256, certificate.public_sha256);
    assert_string_not_equal(other.public_sha256, certificate.public_sha256);
}

static void several_roots_are_one_file(void **state) {
    PS_AUTO_BUF PsBuf text = {0};
    PsPem pem;
    put_file("ca.crt", &text);
    put_file("ca.crt", &text);
    assert_int_equal(ps_pem_read("roots", text.data, text.len, &pem, NULL), PS_OK);
    assert_int_equal(pem.count, 2);
    assert_int_equal(pem.kind, PS_PEM_ROOT);
}

static void what_it_is_instead_is_said(void **state) {
    assert_text_refused("", "is empty");
    assert_text_refused(" \n ", "is empty");
    assert_text_refused("\n<!DOCTYPE html><html>Log in</html>", "web page");
    assert_text_refused("-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE "
                        "REQUEST-----\n",
                        "request for a certificate");
    assert_text_refused("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE "
                        "KEY-----\n",
                        "under a passphrase");
    assert_text_refused("-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n",
                        "public key");
    assert_text_refused("-----BEGIN PKCS7-----\nMIIB\n-----END PKCS7-----\n", "PKCS#7");
    assert_text_refused("hello", "some other text");
    assert_refused("\x30\x82\x01\x0a\x00\x01", 6, "binary file, perhaps DER");
    assert_text_refused("0\xef\xbf\xbd\x01", "binary file, perhaps DER");
}

static void a_file_that_was_cut_off_is_refused(void **state) {
    PS_AUTO_BUF PsBuf text = {0};
    put_file("rsa.crt", &text);
    assert_refused(text.data, text.len / 2, "cut off");
    ps_buf_clear(&text);
    put_file("rsa.key", &text);
    assert_refused(text.data, text.len / 2, "cut off");
}

static void certificate_and_key_are_two_files(void **state) {
    PS_AUTO_BUF PsBuf text = {0};
    put_file("rsa.crt", &text);
    put_file("rsa.key", &text);
    assert_refused(text.data, text.len, "as two files");
}

static void nothing_large_is_looked_at(void **state) {
    PS_AUTO_BUF PsBuf text = {0};
    PsPem pem;
    ps_buf_reserve(&text, PS_PEM_BYTES_MAX + 1);
    memset(text.data, 'A', PS_PEM_BYTES_MAX + 1);
    assert_int_equal(ps_pem_read("x", text.data, PS_PEM_BYTES_MAX + 1, &pem, NULL), PS_ERR_TOO_BIG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kind_is_recognised),
        cmocka_unit_test(a_key_is_known_by_its_certificate),
        cmocka_unit_test(several_roots_are_one_file),
        cmocka_unit_test(what_it_is_instead_is_said),
        cmocka_unit_test(a_file_that_was_cut_off_is_refused),
        cmocka_unit_test(certificate_and_key_are_two_files),
        cmocka_unit_test(nothing_large_is_looked_at),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
