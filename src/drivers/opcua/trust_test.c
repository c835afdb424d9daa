// The trust list and the gateway's own certificate on the disk.
#include "drivers/opcua/trust.h"

#include "base/file.h"
#include "drivers/opcua/identity.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define NOW INT64_C(1790000000) // 2026
#define ENDPOINT "opc.tcp://10.0.0.5:4840"
#define WARNING 800

static char folder[128];
static const PsTrustList here = {.folder = folder};
static PsTrustEntry entries[2 * PS_TRUST_ENTRIES_MAX];

static int set_up(void **state) {
    snprintf(folder, sizeof folder, "%s/trust-test-XXXXXX",
             getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk) {
    return remove(path);
}

static int tear_down(void **state) {
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static PsErr check(const PsOpcuaIdentity *server, int64_t now, char *warning, PsDiag *diag) {
    PsTrustShown shown = {server->certificate.data, server->certificate.len, ENDPOINT, server->uri};
    return ps_opcua_trust_check(&here, &shown, now, warning, WARNING, diag);
}

static size_t list(void) {
    size_t count = 0;
    assert_int_equal(ps_opcua_trust_list(folder, entries, &count, NULL), PS_OK);
    return count;
}

static void test_accept_and_revoke(void **state) {
    PsOpcuaIdentity server = {0};
    char warning[WARNING];
    PsDiag diag = {0};
    assert_int_equal(list(), 0);
    assert_int_equal(ps_opcua_identity_own(NULL, &server, NULL), PS_OK);
    assert_int_equal(check(&server, NOW, warning, &diag), PS_ERR_DENIED);
    assert_int_equal(check(&server, NOW, warning, &diag), PS_ERR_DENIED);
    assert_int_equal(list(), 1);
    assert_non_null(strstr(diag.text, entries[0].fingerprint));
    assert_string_equal(entries[0].endpoint, ENDPOINT);
    assert_string_equal(entries[0].uri, server.uri);
    assert_false(entries[0].trusted);
    assert_int_equal(ps_opcua_trust_accept(folder, entries[0].fingerprint, NULL), PS_OK);
    assert_int_equal(ps_opcua_trust_accept(folder, entries[0].fingerprint, NULL), PS_OK);
    assert_int_equal(check(&server, NOW, warning, &diag), PS_OK);
    assert_string_equal(warning, "");
    assert_int_equal(list(), 1);
    assert_true(entries[0].trusted);
    assert_string_equal(entries[0].endpoint, ENDPOINT);
    assert_int_equal(ps_opcua_trust_revoke(folder, entries[0].fingerprint, NULL), PS_OK);
    assert_int_equal(check(&server, NOW, warning, &diag), PS_ERR_DENIED);
    ps_opcua_identity_deinit(&server);
}

static void test_time_is_warned_of(void **state) {
    PsOpcuaIdentity server = {0};
    char warning[WARNING];
    assert_int_equal(ps_opcua_identity_own(NULL, &server, NULL), PS_OK);
    assert_int_equal(check(&server, NOW, warning, NULL), PS_ERR_DENIED);
    assert_int_equal(list(), 1);
    assert_int_equal(ps_opcua_trust_accept(folder, entries[0].fingerprint, NULL), PS_OK);
    assert_int_equal(check(&server, server.not_after + 1, warning, NULL), PS_OK);
    assert_non_null(strstr(warning, "ended on"));
    assert_int_equal(check(&server, server.not_after - 86400, warning, NULL), PS_OK);
    assert_non_null(strstr(warning, "ends on"));
    assert_int_equal(check(&server, 0, warning, NULL), PS_OK);
    assert_non_null(strstr(warning, "check the clocks"));
    ps_opcua_identity_deinit(&server);
}

static void test_names_are_compared_and_kept(void **state) {
    PsOpcuaIdentity server = {0};
    char warning[WARNING];
    PsDiag diag = {0};
    assert_int_equal(ps_opcua_identity_own(NULL, &server, NULL), PS_OK);
    PsTrustShown shown = {server.certificate.data, server.certificate.len, ENDPOINT, "urn:other"};
    assert_int_equal(ps_opcua_trust_check(&here, &shown, NOW, warning, WARNING, &diag),
                     PS_ERR_DENIED);
    assert_non_null(strstr(diag.text, "is not trusted yet"));
    assert_int_equal(list(), 1);
    assert_string_equal(entries[0].warning, warning);
    assert_string_equal(entries[0].announced, "urn:other");
    assert_non_null(strstr(warning, "asked as 10.0.0.5, its certificate is for "));
    assert_non_null(strstr(warning, entries[0].hosts));
    assert_non_null(strstr(warning, "calls itself urn:other, its certificate is for urn:"));
    // No refusal: accepted it is as good as any other, and nothing more is said.
    assert_int_equal(ps_opcua_trust_accept(folder, entries[0].fingerprint, NULL), PS_OK);
    assert_int_equal(ps_opcua_trust_check(&here, &shown, NOW, warning, WARNING, &diag), PS_OK);
    assert_string_equal(warning, "");
    assert_int_equal(list(), 1);
    assert_string_equal(entries[0].announced, "urn:other");
    ps_opcua_identity_deinit(&server);
}

// Files of a version that kept the endpoint alone.
static void test_one_line_is_enough(void **state) {
    PsOpcuaIdentity server = {0};
    char warning[WARNING];
    char path[300];
    assert_int_equal(ps_opcua_identity_own(NULL, &server, NULL), PS_OK);
    assert_int_equal(check(&server, NOW, warning, NULL), PS_ERR_DENIED);
    assert_int_equal(list(), 1);
    snprintf(path, sizeof path, "%s/rejected/%s.txt", folder, entries[0].fingerprint);
    assert_int_equal(ps_file_write(path, ENDPOINT, strlen(ENDPOINT), 0600, NULL), PS_OK);
    assert_int_equal(list(), 1);
    assert_string_equal(entries[0].endpoint, ENDPOINT);
    assert_string_equal(entries[0].announced, "");
    ps_opcua_identity_deinit(&server);
}

// A gateway's list as somebody else sees it who tries the configuration.
static void test_a_list_that_is_only_read(void **state) {
    static const PsTrustList theirs = {.folder = folder, .only_reads = true};
    PsOpcuaIdentity server = {0};
    char warning[WARNING];
    PsDiag diag = {0};
    assert_int_equal(ps_opcua_identity_own(NULL, &server, NULL), PS_OK);
    PsTrustShown shown = {server.certificate.data, server.certificate.len, ENDPOINT, server.uri};
    assert_int_equal(ps_opcua_trust_check(&theirs, &shown, NOW, warning, WARNING, &diag),
                     PS_ERR_DENIED);
    assert_non_null(strstr(diag.text, "has not met it yet"));
    assert_non_null(strstr(diag.text, "penstock trust accept "));
    assert_int_equal(list(), 0); // nothing was kept
    assert_int_equal(check(&server, NOW, warning, NULL), PS_ERR_DENIED);
    assert_int_equal(list(), 1);
    assert_int_equal(ps_opcua_trust_check(&theirs, &shown, NOW, warning, WARNING, &diag),
                     PS_ERR_DENIED);
    assert_non_null(strstr(diag.text, "is not trusted yet"));
    assert_int_equal(ps_opcua_trust_accept(folder, entries[0].fingerprint, NULL), PS_OK);
    assert_int_equal(ps_opcua_trust_check(&theirs, &shown, NOW, warning, WARNING, &diag), PS_OK);
    ps_opcua_identity_deinit(&server);
}

static void test_find(void **state) {
    static const PsTrustEntry three[] = {{.fingerprint = "aaaaaaaa11111111"},
                                         {.fingerprint = "aaaaaaaa22222222"},
                                         {.fingerprint = "bbbbbbbb33333333"}};
    const PsTrustEntry *found = NULL;
    assert_int_equal(ps_opcua_trust_find(three, 3, "bbbbbbbb", &found, NULL), PS_OK);
    assert_ptr_equal(found, &three[2]);
    assert_int_equal(ps_opcua_trust_find(three, 3, "AA:AA:AA:AA:22", &found, NULL), PS_OK);
    assert_ptr_equal(found, &three[1]);
    assert_int_equal(ps_opcua_trust_find(three, 3, "aaaaaaaa", &found, NULL), PS_ERR_EXISTS);
    assert_int_equal(ps_opcua_trust_find(three, 3, "bbbb", &found, NULL), PS_ERR_INVALID);
    assert_int_equal(ps_opcua_trust_find(three, 3, "../../etc/passwd", &found, NULL),
                     PS_ERR_INVALID);
    assert_int_equal(ps_opcua_trust_find(three, 3, "cccccccc", &found, NULL), PS_ERR_NOT_FOUND);
    assert_int_equal(ps_opcua_trust_accept(folder, "../x", NULL), PS_ERR_INVALID);
}

static void test_what_is_no_certificate(void **state) {
    char warning[WARNING];
    PsDiag diag = {0};
    PsTrustShown nothing = {"", 0, ENDPOINT, ""};
    PsTrustShown cut = {"\x30\x03\x01", 3, ENDPOINT, ""};
    assert_int_equal(ps_opcua_trust_check(&here, &nothing, NOW, warning, WARNING, &diag),
                     PS_ERR_INVALID);
    assert_int_equal(ps_opcua_trust_check(&here, &cut, NOW, warning, WARNING, &diag),
                     PS_ERR_INVALID);
    assert_int_equal(list(), 0);
}

static void test_own_certificate_stays(void **state) {
    PsOpcuaIdentity first = {0};
    PsOpcuaIdentity second = {0};
    char path[200];
    struct stat status;
    assert_int_equal(ps_opcua_identity_own(folder, &first, NULL), PS_OK);
    assert_true(first.made);
    assert_memory_equal(first.uri, "urn:", 4);
    assert_int_equal(ps_opcua_identity_own(folder, &second, NULL), PS_OK);
    assert_false(second.made);
    assert_int_equal(first.certificate.len, second.certificate.len);
    assert_memory_equal(first.certificate.data, second.certificate.data, first.certificate.len);
    ps_opcua_identity_deinit(&second);
    snprintf(path, sizeof path, "%s/%s", folder, PS_OPCUA_OWN_KEY);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    // A damaged key is of no use: both are made anew.
    assert_int_equal(ps_file_write(path, "x", 1, 0600, NULL), PS_OK);
    assert_int_equal(ps_opcua_identity_own(folder, &second, NULL), PS_OK);
    assert_true(second.made);
    ps_opcua_identity_deinit(&first);
    ps_opcua_identity_deinit(&second);
}

static void test_own_certificate_is_borrowed(void **state) {
    PsOpcuaIdentity lent = {0};
    PsOpcuaIdentity own = {0};
    char path[200];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s", folder, PS_OPCUA_OWN_KEY);
    assert_int_equal(ps_opcua_identity_borrow(folder, &lent, NULL), PS_OK);
    assert_true(lent.made);
    assert_int_not_equal(stat(path, &status), 0); // nothing was kept
    ps_opcua_identity_deinit(&lent);
    assert_int_equal(ps_opcua_identity_own(folder, &own, NULL), PS_OK);
    assert_int_equal(ps_opcua_identity_borrow(folder, &lent, NULL), PS_OK);
    assert_false(lent.made);
    assert_memory_equal(lent.certificate.data, own.certificate.data, own.certificate.len);
    ps_opcua_identity_deinit(&lent);
    // The gateway would make it anew; whoever borrows says what is wrong and leaves it alone.
    assert_int_equal(ps_file_write(path, "x", 1, 0600, NULL), PS_OK);
    assert_int_equal(ps_opcua_identity_borrow(folder, &lent, NULL), PS_ERR_INVALID);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 1);
    ps_opcua_identity_deinit(&own);
}

static void test_secrets(void **state) {
    char path[200];
    PsBuf secret = {0};
    PsDiag diag = {0};
    snprintf(path, sizeof path, "%s/password", folder);
    assert_int_equal(ps_file_write(path, "right\r\n", 7, 0600, NULL), PS_OK);
    assert_int_equal(ps_opcua_read_secret(path, "password_file", &secret, &diag), PS_OK);
    assert_int_equal(secret.len, 5);
    ps_opcua_wipe(&secret);
    assert_int_equal(ps_file_write(path, "a\nb\n", 4, 0600, NULL), PS_OK);
    assert_int_equal(ps_opcua_read_secret(path, "password_file", &secret, &diag), PS_ERR_INVALID);
    ps_opcua_wipe(&secret);
    assert_int_equal(ps_file_write(path, "right\n", 6, 0640, NULL), PS_OK);
    assert_int_equal(ps_opcua_read_secret(path, "password_file", &secret, &diag), PS_ERR_DENIED);
    ps_opcua_wipe(&secret);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_accept_and_revoke),           TEST(test_time_is_warned_of),
        TEST(test_names_are_compared_and_kept), TEST(test_one_line_is_enough),
        TEST(test_a_list_that_is_only_read),    TEST(test_find),
        TEST(test_what_is_no_certificate),      TEST(test_own_certificate_stays),
        TEST(test_own_certificate_is_borrowed), TEST(test_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
