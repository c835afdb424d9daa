// Certificates for tests through the OpenSSL API. Any failure ends the test program.
#include "link/test_pki.h"

#include "base/err.h"
#include "base/mem.h"

#include <limits.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct TestPki {
    char *folder;
    EVP_PKEY *key;
    X509 *root;
    long serial;
};

static EVP_PKEY *make_key(TestKey kind) {
    EVP_PKEY *key = kind == TEST_KEY_RSA ? EVP_RSA_gen(2048U) : EVP_EC_gen("P-256");
    PS_ASSERT(key != NULL);
    return key;
}

static X509 *make_certificate(const char *name, EVP_PKEY *key, long serial, int from, int to) {
    X509 *certificate = X509_new();
    PS_ASSERT(certificate != NULL);
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), (long)from * 86400);
    X509_gmtime_adj(X509_getm_notAfter(certificate), (long)to * 86400);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                               (const unsigned char *)name, -1, -1, 0);
    return certificate;
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    PS_ASSERT(extension != NULL);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

static FILE *create(const char *folder, const char *name, const char *ending) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, ending);
    FILE *file = fopen(path, "w");
    PS_ASSERT(file != NULL);
    PS_ASSERT(chmod(path, 0600) == 0);
    return file;
}

static void write_certificate(const char *folder, const char *name, X509 *certificate) {
    FILE *file = create(folder, name, "crt");
    PS_ASSERT(PEM_write_X509(file, certificate) == 1);
    fclose(file);
}

TestPki *test_pki_new(const char *folder, const char *name, TestKey kind) {
    TestPki *pki = ps_alloc(sizeof *pki);
    pki->folder = ps_strdup(folder);
    pki->key = make_key(kind);
    pki->serial = 1;
    pki->root = make_certificate(name, pki->key, pki->serial, -400, 4000);
    X509_set_issuer_name(pki->root, X509_get_subject_name(pki->root));
    add_extension(pki->root, pki->root, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(pki->root, pki->root, NID_subject_key_identifier, "hash");
    PS_ASSERT(X509_sign(pki->root, pki->key, EVP_sha256()) > 0);
    write_certificate(folder, name, pki->root);
    return pki;
}

void test_pki_issue(TestPki *pki, const TestCertificate *wanted) {
    EVP_PKEY *key = make_key(wanted->key);
    X509 *certificate = make_certificate(wanted->common_name, key, ++pki->serial, wanted->from_days,
                                         wanted->to_days);
    X509_set_issuer_name(certificate, X509_get_subject_name(pki->root));
    if (wanted->san != NULL) {
        add_extension(certificate, pki->root, NID_subject_alt_name, wanted->san);
    }
    PS_ASSERT(X509_sign(certificate, pki->key, EVP_sha256()) > 0);
    write_certificate(pki->folder, wanted->file, certificate);
    FILE *file = create(pki->folder, wanted->file, "key");
    PS_ASSERT(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1);
    fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

void test_pki_free(TestPki *pki) {
    X509_free(pki->root);
    EVP_PKEY_free(pki->key);
    free(pki->folder);
    free(pki);
}
