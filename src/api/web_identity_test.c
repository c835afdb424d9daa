// The web server's certificate: made, kept, renewed, refused; and how addresses are written.
#include "api/web.h"
#include "api/web_identity.h"
#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define DAY_NS ((int64_t)86400 * PS_NS_PER_S)

typedef struct Rig {
    char folder[64];
    char cert[96];
    char key[96];
    PsWall now;
} Rig;

static int set_up(void **state) {
    Rig *rig = calloc(1, sizeof *rig);
    snprintf(rig->folder, sizeof rig->folder, "/tmp/penstock-web-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    snprintf(rig->cert, sizeof rig->cert, "%s/cert.pem", rig->folder);
    snprintf(rig->key, sizeof rig->key, "%s/key.pem", rig->folder);
    rig->now = ps_wall_now();
    *state = rig;
    return 0;
}

static int tear_down(void **state) {
    Rig *rig = *state;
    unlink(rig->cert);
    unlink(rig->key);
    rmdir(rig->folder);
    free(rig);
    return 0;
}

// The fingerprint of the certificate that is used then.
static void own(const Rig *rig, const char *host, PsWall now, char *fingerprint) {
    PsWebIdentity identity = {0};
    PsDiag diag = {0};
    bool kept = false;
    assert_int_equal(ps_web_identity_own(rig->folder, host, now, &identity, &kept, &diag), PS_OK);
    assert_true(identity.own && kept);
    assert_int_equal(strlen(identity.fingerprint), 32 * 3 - 1);
    assert_true(identity.not_after.ns > now.ns + 30 * DAY_NS);
    snprintf(fingerprint, PS_WEB_FINGERPRINT_SIZE, "%s", identity.fingerprint);
    ps_web_identity_deinit(&identity);
}

static void it_is_made_once(void **state) {
    const Rig *rig = *state;
    char first[PS_WEB_FINGERPRINT_SIZE];
    char again[PS_WEB_FINGERPRINT_SIZE];
    own(rig, "gateway", rig->now, first);
    own(rig, "gateway", rig->now, again);
    assert_string_equal(first, again);
    struct stat status;
    assert_int_equal(stat(rig->key, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void it_is_renewed_before_its_end_and_for_another_name(void **state) {
    const Rig *rig = *state;
    char first[PS_WEB_FINGERPRINT_SIZE];
    char next[PS_WEB_FINGERPRINT_SIZE];
    own(rig, "gateway", rig->now, first);
    own(rig, "gateway", (PsWall){rig->now.ns + 790 * DAY_NS}, next);
    assert_string_equal(first, next);
    own(rig, "gateway", (PsWall){rig->now.ns + 800 * DAY_NS}, next);
    assert_string_not_equal(first, next);
    own(rig, "other", (PsWall){rig->now.ns + 800 * DAY_NS}, first);
    assert_string_not_equal(first, next);
    own(rig, "no/host name", (PsWall){rig->now.ns + 800 * DAY_NS}, next); // is in no certificate
    assert_string_equal(first, next);
}

static void a_pair_that_does_not_fit_is_made_anew(void **state) {
    const Rig *rig = *state;
    char first[PS_WEB_FINGERPRINT_SIZE];
    char next[PS_WEB_FINGERPRINT_SIZE];
    PsDiag diag = {0};
    PS_AUTO_BUF PsBuf key = {0};
    own(rig, "gateway", rig->now, first);
    assert_int_equal(ps_file_read(rig->key, 4096, &key, &diag), PS_OK);
    unlink(rig->cert);
    own(rig, "gateway", rig->now, next);
    assert_string_not_equal(first, next);
    assert_int_equal(ps_file_write(rig->key, key.data, key.len, 0600, &diag), PS_OK);
    PsWebIdentity identity = {0};
    assert_int_equal(ps_web_identity_read(rig->cert, rig->key, rig->now, &identity, &diag),
                     PS_ERR_INVALID);
    assert_non_null(strstr(diag.text, "is not the key of"));
    own(rig, "gateway", rig->now, first);
    assert_string_not_equal(first, next);
}

static void what_cannot_be_used_is_said(void **state) {
    const Rig *rig = *state;
    char first[PS_WEB_FINGERPRINT_SIZE];
    PsWebIdentity identity = {0};
    PsDiag diag = {0};
    assert_int_equal(ps_web_identity_read(rig->cert, rig->key, rig->now, &identity, &diag),
                     PS_ERR_NOT_FOUND);
    own(rig, "gateway", rig->now, first);
    PsWall late = {rig->now.ns + 900 * DAY_NS};
    assert_int_equal(ps_web_identity_read(rig->cert, rig->key, late, &identity, &diag),
                     PS_ERR_INVALID);
    assert_non_null(strstr(diag.text, "is over"));
    assert_int_equal(ps_web_identity_read(rig->key, rig->key, rig->now, &identity, &diag),
                     PS_ERR_INVALID);
    assert_int_equal(ps_web_identity_read(rig->cert, rig->cert, rig->now, &identity, &diag),
                     PS_ERR_INVALID);
    assert_non_null(strstr(diag.text, "private key"));
    assert_int_equal(ps_file_write(rig->cert, "", 0, 0644, &diag), PS_OK);
    assert_int_equal(ps_web_identity_read(rig->cert, rig->key, rig->now, &identity, &diag),
                     PS_ERR_INVALID);
}

static void without_a_disk_it_is_made_all_the_same(void **state) {
    (void)state;
    PsWebIdentity identity = {0};
    PsDiag diag = {0};
    bool kept = true;
    assert_int_equal(
        ps_web_identity_own("/proc/nowhere/web", "gateway", ps_wall_now(), &identity, &kept, &diag),
        PS_OK);
    assert_false(kept);
    assert_true(diag.text[0] != '\0' && identity.cert != NULL && identity.key != NULL);
    assert_int_equal(identity.name_count, 2);
    assert_string_equal(identity.names[0], "gateway");
    ps_web_identity_deinit(&identity);
}

static void addresses_are_read(void **state) {
    (void)state;
    char address[64];
    int port = -1;
    assert_true(ps_web_parse("127.0.0.1:9443", address, sizeof address, &port));
    assert_string_equal(address, "127.0.0.1");
    assert_int_equal(port, 9443);
    assert_true(ps_web_parse("[::]:0", address, sizeof address, &port));
    assert_string_equal(address, "::");
    assert_int_equal(port, 0);
    const char *const wrong[] = {"",     "9443",          ":9443",      "127.0.0.1",
                                 "[::]", "[::",           "[::]9443",   "127.0.0.1:",
                                 "a:b",  "1.2.3.4:70000", "1.2.3.4:-1", "[]:1"};
    for (size_t i = 0; i < PS_COUNT(wrong); i++) {
        assert_false(ps_web_parse(wrong[i], address, sizeof address, &port));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_made_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_renewed_before_its_end_and_for_another_name, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_pair_that_does_not_fit_is_made_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_used_is_said, set_up, tear_down),
        cmocka_unit_test(without_a_disk_it_is_made_all_the_same),
        cmocka_unit_test(addresses_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
