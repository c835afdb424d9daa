// The chains as a TLS peer checks them, and the folder that keeps them.
#include "localcloud/identity.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_NS (INT64_C(86400) * PS_NS_PER_S)

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *ftw) {
    (void)info;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int make_folder(void **state) {
    char name[] = "/tmp/penstock-pki-XXXXXX";
    char *dir = mkdtemp(name);
    *state = dir != NULL ? strdup(dir) : NULL;
    return *state != NULL ? 0 : -1;
}

static int remove_folder(void **state) {
    int result = nftw(*state, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return result;
}

static void path_of(char *out, const char *dir, const char *name) {
    assert_true(snprintf(out, PATH_MAX, "%s/%s", dir, name) < PATH_MAX);
}

// Every certificate of a PEM file, the first one first.
static STACK_OF(X509) * read_chain(const char *dir, const char *name) {
    char path[PATH_MAX];
    path_of(path, dir, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    STACK_OF(X509) *chain = sk_X509_new_null();
    X509 *certificate = NULL;
    while (file != NULL && (certificate = PEM_read_X509(file, NULL, NULL, NULL)) != NULL) {
        assert_true(sk_X509_push(chain, certificate) > 0);
    }
    if (file != NULL) {
        fclose(file);
    }
    assert_true(sk_X509_num(chain) > 0);
    return chain;
}

// X509_V_OK, or why a peer that trusts `root` refuses the chain as purpose `purpose`.
static int verify(const char *dir, const char *root_name, const char *chain_name, int purpose,
                  const char *host) {
    STACK_OF(X509) *root = read_chain(dir, root_name);
    STACK_OF(X509) *chain = read_chain(dir, chain_name);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    assert_int_equal(X509_STORE_add_cert(store, sk_X509_value(root, 0)), 1);
    assert_int_equal(X509_STORE_CTX_init(context, store, sk_X509_value(chain, 0), chain), 1);
    assert_int_equal(X509_STORE_CTX_set_purpose(context, purpose), 1);
    if (host != NULL) {
        X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
        if (X509_VERIFY_PARAM_set1_ip_asc(param, host) != 1) {
            assert_int_equal(X509_VERIFY_PARAM_set1_host(param, host, 0), 1);
        }
    }
    int result = X509_verify_cert(context) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    sk_X509_pop_free(root, X509_free);
    sk_X509_pop_free(chain, X509_free);
    return result;
}

static void make_server(const char *dir, PsKeyType type, PsFlaw flaw) {
    static const char *const hosts[] = {"gateway.example", "10.0.0.1"};
    PS_AUTO_TLS_IDENTITY PsTlsIdentity identity = {0};
    PS_AUTO_BUF PsBuf chain = {0};
    PS_AUTO_PKI_PAIR PsPkiPair device_ca = {0};
    char path[PATH_MAX];
    PsDiag diag = {0};
    assert_int_equal(ps_folder_device_ca(dir, &device_ca, &diag), PS_OK);
    assert_int_equal(ps_identity_make(dir, flaw, hosts, 2, &identity, &diag), PS_OK);
    assert_int_equal(ps_pki_put_certificate(identity.server[type].certificate, &chain), PS_OK);
    assert_int_equal(ps_pki_put_certificate(identity.issuer[type].certificate, &chain), PS_OK);
    snprintf(path, sizeof path, "%s/chain.pem", dir);
    assert_int_equal(ps_file_write(path, chain.data, chain.len, 0644, &diag), PS_OK);
}

static void test_server_chain(void **state) {
    static const char *const good[] = {"localhost", "127.0.0.1", "::1", "gateway.example",
                                       "10.0.0.1"};
    for (int type = PS_KEY_RSA; type <= PS_KEY_ECC; type++) {
        const char *root = ps_folder_root_name((PsKeyType)type);
        make_server(*state, (PsKeyType)type, PS_FLAW_NONE);
        for (size_t i = 0; i < PS_COUNT(good); i++) {
            assert_int_equal(verify(*state, root, "chain.pem", X509_PURPOSE_SSL_SERVER, good[i]),
                             X509_V_OK);
        }
        assert_int_equal(verify(*state, root, "chain.pem", X509_PURPOSE_SSL_SERVER, "example.com"),
                         X509_V_ERR_HOSTNAME_MISMATCH);
        assert_int_not_equal(
            verify(*state, "device-ca.pem", "chain.pem", X509_PURPOSE_SSL_SERVER, NULL), X509_V_OK);
    }
}

static void test_server_flaws(void **state) {
    make_server(*state, PS_KEY_ECC, PS_FLAW_EXPIRED);
    assert_int_equal(
        verify(*state, "AmazonRootCA3.pem", "chain.pem", X509_PURPOSE_SSL_SERVER, NULL),
        X509_V_ERR_CERT_HAS_EXPIRED);
    make_server(*state, PS_KEY_ECC, PS_FLAW_NOT_YET);
    assert_int_equal(
        verify(*state, "AmazonRootCA3.pem", "chain.pem", X509_PURPOSE_SSL_SERVER, NULL),
        X509_V_ERR_CERT_NOT_YET_VALID);
    make_server(*state, PS_KEY_ECC, PS_FLAW_WRONG_HOST);
    assert_int_equal(
        verify(*state, "AmazonRootCA3.pem", "chain.pem", X509_PURPOSE_SSL_SERVER, "localhost"),
        X509_V_ERR_HOSTNAME_MISMATCH);
    make_server(*state, PS_KEY_RSA, PS_FLAW_FOREIGN_CA);
    assert_int_equal(
        verify(*state, "AmazonRootCA1.pem", "chain.pem", X509_PURPOSE_SSL_SERVER, "localhost"),
        X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    static const char *const bad_hosts[] = {"a,DNS:b"};
    PsDiag diag = {0};
    PsTlsIdentity identity;
    assert_int_equal(ps_identity_make(*state, PS_FLAW_NONE, bad_hosts, 1, &identity, &diag),
                     PS_ERR_INVALID);
    assert_string_equal(diag.field, "host");
}

typedef struct ThingCase {
    PsThingOrder order;
    int verdict;
} ThingCase;

static void test_things(void **state) {
    static const ThingCase cases[] = {
        {{"rsa", PS_KEY_RSA, PS_FLAW_NONE, false}, X509_V_OK},
        {{"ecc", PS_KEY_ECC, PS_FLAW_NONE, false}, X509_V_OK},
        {{"console", PS_KEY_ECC, PS_FLAW_NONE, true}, X509_V_OK},
        {{"old", PS_KEY_ECC, PS_FLAW_EXPIRED, false}, X509_V_ERR_CERT_HAS_EXPIRED},
        {{"early", PS_KEY_ECC, PS_FLAW_NOT_YET, false}, X509_V_ERR_CERT_NOT_YET_VALID},
        {{"foreign", PS_KEY_ECC, PS_FLAW_FOREIGN_CA, false},
         X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
    };
    const char *dir = *state;
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PsThingFiles files = {0};
        PsThingFiles again = {0};
        PsDiag diag = {0};
        assert_int_equal(ps_folder_thing(dir, &cases[i].order, &files, &diag), PS_OK);
        assert_int_equal(verify(dir, "device-ca.pem", files.certificate + strlen(dir) + 1,
                                X509_PURPOSE_SSL_CLIENT, NULL),
                         cases[i].verdict);
        const char *name = strrchr(files.private_key, '/') + 1;
        assert_memory_equal(name, files.certificate_id, 10);
        assert_string_equal(name + 10, "-private.pem.key");
        struct stat info;
        assert_int_equal(stat(files.private_key, &info), 0);
        assert_int_equal(info.st_mode & 0777, 0600);
        assert_int_equal(ps_folder_thing(dir, &cases[i].order, &again, &diag), PS_OK);
        assert_string_equal(again.certificate_id, files.certificate_id);
        PsThingOrder other = cases[i].order;
        other.flaw = other.flaw == PS_FLAW_EXPIRED ? PS_FLAW_NONE : PS_FLAW_EXPIRED;
        assert_int_equal(ps_folder_thing(dir, &other, &again, &diag), PS_ERR_EXISTS);
    }
}

static void test_thing_names(void **state) {
    static const char *const bad[] = {"", "a/b", "..", "a b", "\303\244"};
    for (size_t i = 0; i < PS_COUNT(bad); i++) {
        PsThingOrder order = {.name = bad[i], .key_type = PS_KEY_ECC};
        PsThingFiles files;
        PsDiag diag = {0};
        assert_int_equal(ps_folder_thing(*state, &order, &files, &diag), PS_ERR_INVALID);
    }
    char longest[PS_THING_NAME_MAX + 2];
    memset(longest, 'a', sizeof longest);
    longest[PS_THING_NAME_MAX + 1] = '\0';
    PsThingOrder order = {.name = longest, .key_type = PS_KEY_ECC};
    PsThingFiles files;
    assert_int_equal(ps_folder_thing(*state, &order, &files, NULL), PS_ERR_INVALID);
    longest[PS_THING_NAME_MAX] = '\0';
    assert_int_equal(ps_folder_thing(*state, &order, &files, NULL), PS_OK);
}

// A key that is not the certificate's is found when the folder is used again.
static void test_mixed_up_key(void **state) {
    PsThingOrder one = {.name = "one", .key_type = PS_KEY_ECC};
    PsThingOrder two = {.name = "two", .key_type = PS_KEY_ECC};
    PsThingFiles one_files;
    PsThingFiles two_files;
    PsDiag diag = {0};
    assert_int_equal(ps_folder_thing(*state, &one, &one_files, &diag), PS_OK);
    assert_int_equal(ps_folder_thing(*state, &two, &two_files, &diag), PS_OK);
    assert_int_equal(rename(two_files.private_key, one_files.private_key), 0);
    assert_int_equal(ps_folder_thing(*state, &one, &one_files, &diag), PS_ERR_CORRUPT);
    PS_AUTO_BUF PsBuf text = {0};
    ps_buf_printf(&text, "no PEM");
    assert_int_equal(ps_file_write(two_files.private_key, text.data, text.len, 0600, NULL), PS_OK);
    assert_int_equal(ps_folder_thing(*state, &two, &two_files, &diag), PS_ERR_CORRUPT);
}

static void test_certificate_fields(void **state) {
    (void)state;
    PsWall now = ps_wall_now();
    PsPkiOrder order = {.role = PS_PKI_ROOT,
                        .key_type = PS_KEY_ECC,
                        .common_name = "A root",
                        .not_before = {now.ns - DAY_NS},
                        .not_after = {INT64_C(2524607999) * PS_NS_PER_S}};
    PS_AUTO_PKI_PAIR PsPkiPair one = {0};
    PS_AUTO_PKI_PAIR PsPkiPair two = {0};
    assert_int_equal(ps_pki_make(&order, NULL, &one, NULL), PS_OK);
    assert_int_equal(ps_pki_make(&order, NULL, &two, NULL), PS_OK);
    assert_int_equal(ps_pki_not_after(one.certificate).ns, order.not_after.ns);
    assert_int_equal(ps_pki_not_before(one.certificate).ns / PS_NS_PER_S,
                     order.not_before.ns / PS_NS_PER_S);
    assert_true(ps_pki_signed_by(&one, &one));
    assert_false(ps_pki_signed_by(&one, &two));
    assert_int_equal(ps_pki_key_type(&one), PS_KEY_ECC);
    assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(one.certificate),
                                          X509_get0_serialNumber(two.certificate)),
                         0);
    assert_int_equal(X509_check_ca(one.certificate), 1);
    char id[PS_PKI_ID_SIZE];
    ps_pki_certificate_id(one.certificate, id);
    assert_int_equal(strlen(id), 64);
    assert_int_equal(strspn(id, "0123456789abcdef"), 64);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_server_chain, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_server_flaws, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_things, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_thing_names, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_mixed_up_key, make_folder, remove_folder),
        cmocka_unit_test(test_certificate_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
