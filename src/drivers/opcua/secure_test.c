// Protected sessions against an in-process server of the same library: each policy and mode, first
// contact, users.
#include "base/file.h"
#include "drivers/opcua/identity.h"
#include "drivers/opcua/test_rig.h"
#include "drivers/opcua/trust.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static const PsDriver *const driver = &ps_opcua_driver;
static Rig rig;
static char server_folder[160];
static char password[200];

static int set_up(void **state) {
    rig_begin(&rig);
    snprintf(server_folder, sizeof server_folder, "%s/server", rig.folder);
    snprintf(password, sizeof password, "%s/password", rig.folder);
    return 0;
}

static int tear_down(void **state) {
    rig_end(&rig);
    return 0;
}

static void start(PsOpcuaTestSetup setup) {
    setup.folder = server_folder;
    rig_start(&rig, &setup);
    rig_add(&rig, "Counter");
    rig_open(&rig);
}

static PsErr try(void) {
    rig.diag = (PsDiag){0};
    return driver->connect(rig.session, &rig.diag);
}

// What a person does at first contact.
static void accept_all(void) {
    static PsTrustEntry entries[2 * PS_TRUST_ENTRIES_MAX];
    size_t count = 0;
    assert_int_equal(ps_opcua_trust_list(rig.state, entries, &count, NULL), PS_OK);
    assert_int_equal(count, 1);
    assert_false(entries[0].trusted);
    assert_int_equal(ps_opcua_trust_accept(rig.state, entries[0].fingerprint, NULL), PS_OK);
}

static void connect_trusting(void) {
    assert_int_equal(try(), PS_ERR_DENIED);
    accept_all();
    rig_connect(&rig);
}

static void test_first_contact(void **state) {
    start((PsOpcuaTestSetup){0});
    assert_int_equal(try(), PS_ERR_DENIED);
    assert_non_null(strstr(rig.diag.text, "the server's certificate is not trusted yet: "));
    assert_non_null(strstr(rig.diag.text, "CN=Penstock"));
    assert_non_null(strstr(rig.diag.text, "penstock trust accept "));
    assert_false(driver->connected(rig.session));
    assert_int_equal(try(), PS_ERR_DENIED); // nobody has said anything
    accept_all();
    rig_connect(&rig); // without a new session object: effective at the next try
    assert_string_equal(rig.session->note, "");
    rig_wait_integer(&rig, 0, 7);
}

static void test_revoked(void **state) {
    static PsTrustEntry entries[2 * PS_TRUST_ENTRIES_MAX];
    size_t count = 0;
    start((PsOpcuaTestSetup){0});
    connect_trusting();
    driver->disconnect(rig.session);
    assert_int_equal(ps_opcua_trust_list(rig.state, entries, &count, NULL), PS_OK);
    assert_true(entries[0].trusted);
    assert_int_equal(ps_opcua_trust_revoke(rig.state, entries[0].fingerprint, NULL), PS_OK);
    assert_int_equal(try(), PS_ERR_DENIED);
}

static void test_another_certificate_is_a_first_contact(void **state) {
    start((PsOpcuaTestSetup){0});
    connect_trusting();
    driver->disconnect(rig.session);
    int port = ps_opcua_test_server_port(rig.server);
    ps_opcua_test_server_stop(rig.server);
    char other[160];
    snprintf(other, sizeof other, "%s/other", rig.folder);
    rig_start(&rig, &(PsOpcuaTestSetup){.folder = other, .port = port});
    assert_int_equal(try(), PS_ERR_DENIED);
}

static void test_every_policy_and_mode(void **state) {
    static const struct {
        int policy;
        int mode;
    } rows[] = {
        {PS_OPCUA_POLICY_BASIC256SHA256, PS_OPCUA_MODE_SIGN},
        {PS_OPCUA_POLICY_BASIC256SHA256, PS_OPCUA_MODE_SIGN_ENCRYPT},
        {PS_OPCUA_POLICY_AES128, PS_OPCUA_MODE_SIGN},
        {PS_OPCUA_POLICY_AES128, PS_OPCUA_MODE_SIGN_ENCRYPT},
        {PS_OPCUA_POLICY_BASIC256SHA256, PS_OPCUA_MODE_AUTO},
        {PS_OPCUA_POLICY_AUTO, PS_OPCUA_MODE_SIGN},
        {PS_OPCUA_POLICY_NONE, PS_OPCUA_MODE_AUTO},
        {PS_OPCUA_POLICY_AUTO, PS_OPCUA_MODE_NONE},
    };
    start((PsOpcuaTestSetup){0});
    connect_trusting();
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        driver->disconnect(rig.session);
        rig.device.security_policy = rows[i].policy;
        rig.device.security_mode = rows[i].mode;
        rig_connect(&rig);
        assert_int_equal(rig_read(&rig), PS_OK);
        assert_int_equal(rig_sample(&rig, 0)->value.integer, 7);
        assert_string_equal(rig.session->note, ""); // None was chosen by a person
    }
}

static void test_policy_that_is_not_offered(void **state) {
    rig.device.security_policy = PS_OPCUA_POLICY_BASIC256SHA256;
    rig_start(&rig, &(PsOpcuaTestSetup){0});
    rig_add(&rig, "Counter");
    rig_open(&rig);
    assert_int_equal(try(), PS_ERR_REFUSED);
    assert_non_null(strstr(rig.diag.text, "does not offer security_policy Basic256Sha256"));
    assert_non_null(strstr(rig.diag.text, "it offers None/None"));
}

static void test_server_does_not_trust_us(void **state) {
    start((PsOpcuaTestSetup){.distrusts = true});
    assert_int_equal(try(), PS_ERR_DENIED);
    accept_all();
    assert_int_equal(try(), PS_ERR_DENIED);
    assert_non_null(strstr(rig.diag.text, "trust"));
    assert_non_null(strstr(rig.diag.text, "opening a session"));
}

static void put_password(const char *text, mode_t mode) {
    assert_int_equal(ps_file_write(password, text, strlen(text), mode, NULL), PS_OK);
    rig.device.auth = PS_OPCUA_USER_NAME;
    rig.device.username = "operator";
    rig.device.password_file = password;
}

static void test_user_name(void **state) {
    put_password("right\n", 0600);
    start((PsOpcuaTestSetup){.users = true});
    connect_trusting();
    rig_wait_integer(&rig, 0, 7);
}

static void test_user_name_signed_only(void **state) {
    put_password("right", 0600);
    rig.device.security_mode = PS_OPCUA_MODE_SIGN;
    start((PsOpcuaTestSetup){.users = true});
    connect_trusting();
    rig_wait_integer(&rig, 0, 7);
}

static void test_wrong_password(void **state) {
    put_password("wrong\n", 0600);
    start((PsOpcuaTestSetup){.users = true});
    assert_int_equal(try(), PS_ERR_DENIED);
    accept_all();
    assert_int_equal(try(), PS_ERR_DENIED);
    assert_non_null(strstr(rig.diag.text, "the server does not accept the user"));
}

static void test_open_password_file(void **state) {
    put_password("right\n", 0644);
    start((PsOpcuaTestSetup){.users = true});
    assert_int_equal(try(), PS_ERR_DENIED);
    accept_all();
    assert_int_equal(try(), PS_ERR_DENIED);
    assert_string_equal(rig.diag.field, "password_file");
    assert_non_null(strstr(rig.diag.text, "chmod 600"));
}

static void test_anonymous_is_not_offered(void **state) {
    start((PsOpcuaTestSetup){.users = true});
    assert_int_equal(try(), PS_ERR_REFUSED);
    assert_non_null(strstr(rig.diag.text, "does not offer auth Anonymous"));
}

// A server that takes passwords in the clear: not from us.
static void test_password_in_the_clear_is_not_sent(void **state) {
    put_password("right\n", 0600);
    rig_start(&rig, &(PsOpcuaTestSetup){.users = true, .plain_password = true});
    rig_add(&rig, "Counter");
    rig_open(&rig);
    assert_int_equal(try(), PS_ERR_REFUSED);
    assert_non_null(strstr(rig.diag.text, "the password was not sent"));
}

static void test_without_a_state_folder(void **state) {
    rig_start(&rig, &(PsOpcuaTestSetup){.folder = server_folder});
    rig_add(&rig, "Counter");
    rig_open(&rig);
    driver->free(rig.session);
    rig.session = NULL;
    rig.endpoint.state_folder = NULL;
    assert_int_equal(driver->session_new(&rig.endpoint, &rig.session, &rig.diag), PS_OK);
    assert_int_equal(try(), PS_ERR_DENIED);
    assert_non_null(strstr(rig.diag.text, "could not be checked"));
}

static void test_user_certificate(void **state) {
    char folder[160];
    char cert[256];
    char key[256];
    PsOpcuaIdentity user = {0};
    snprintf(folder, sizeof folder, "%s/user", rig.folder);
    assert_int_equal(ps_opcua_identity_own(folder, &user, NULL), PS_OK);
    ps_opcua_identity_deinit(&user);
    snprintf(cert, sizeof cert, "%s/%s", folder, PS_OPCUA_OWN_CERTIFICATE);
    snprintf(key, sizeof key, "%s/%s", folder, PS_OPCUA_OWN_KEY);
    rig.device.auth = PS_OPCUA_CERTIFICATE;
    rig.device.cert = cert;
    rig.device.key = key;
    start((PsOpcuaTestSetup){0});
    connect_trusting();
    rig_wait_integer(&rig, 0, 7);
    driver->disconnect(rig.session);
    rig.device.key = password; // is not there
    assert_int_equal(try(), PS_ERR_NOT_FOUND);
}

static void test_own_files(void **state) {
    char path[256];
    struct stat status;
    start((PsOpcuaTestSetup){0});
    connect_trusting();
    snprintf(path, sizeof path, "%s/%s", rig.state, PS_OPCUA_OWN_KEY);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    snprintf(path, sizeof path, "%s/%s", rig.state, PS_OPCUA_OWN_CERTIFICATE);
    assert_int_equal(stat(path, &status), 0);
}

static void test_leaves_no_sessions(void **state) {
    size_t ever;
    start((PsOpcuaTestSetup){0});
    connect_trusting();
    for (int i = 0; i < 20; i++) {
        driver->disconnect(rig.session);
        rig_connect(&rig);
        assert_int_equal(ps_opcua_test_server_sessions(rig.server, &ever), 1);
    }
    assert_int_equal(ever, 21);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_first_contact),
        TEST(test_revoked),
        TEST(test_another_certificate_is_a_first_contact),
        TEST(test_every_policy_and_mode),
        TEST(test_policy_that_is_not_offered),
        TEST(test_server_does_not_trust_us),
        TEST(test_user_name),
        TEST(test_user_name_signed_only),
        TEST(test_wrong_password),
        TEST(test_open_password_file),
        TEST(test_anonymous_is_not_offered),
        TEST(test_password_in_the_clear_is_not_sent),
        TEST(test_without_a_state_folder),
        TEST(test_user_certificate),
        TEST(test_own_files),
        TEST(test_leaves_no_sessions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
