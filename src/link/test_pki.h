//! For tests: certificates made on the spot, written as PEM files into a folder.
#pragma once

#include <stdbool.h>

typedef struct TestPki TestPki;

typedef enum TestKey {
    TEST_KEY_RSA,
    TEST_KEY_ECC,
} TestKey;

/// What one certificate says. Times are days from now.
typedef struct TestCertificate {
    const char *file; ///< FILE.crt and FILE.key are written
    const char *common_name;
    const char *san; ///< "DNS:localhost,IP:127.0.0.1", or NULL
    TestKey key;
    int from_days;
    int to_days;
} TestCertificate;

/// A root CA, written as NAME.crt in `folder`.
TestPki *test_pki_new(const char *folder, const char *name, TestKey key);
void test_pki_issue(TestPki *pki, const TestCertificate *wanted);
void test_pki_free(TestPki *pki);
