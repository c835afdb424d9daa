// The files of certificates: names, modes, which key fits, what cannot be read. In a temporary
// folder; certificates are made on the spot.
#include "api/certificate_files.h"
#include "base/file.h"
#include "link/test_pki.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/penstock-certs-XXXXXX";
static PsConfig config;

static int make_folder(void **state) {
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    TestPki *pki = test_pki_new(folder, "ca", TEST_KEY_ECC);
    test_pki_issue(pki, &(TestCertificate){.file = "device",
                                           .common_name = "gateway 7",
                                           .key = TEST_KEY_ECC,
                                           .from_days = -3,
                                           .to_days = -1});
    test_pki_free(pki);
    config = (PsConfig){.folder = folder,
                        .cloud = {.cert = "", .key = "", .root_ca = "", .password_file = ""},
                        .web = {.cert = "", .key = ""}};
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw) {
    return remove(path);
}

static int remove_folder(void **state) {
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void copy(const char *from, const char *name) {
    char path[96];
    PS_AUTO_BUF PsBuf text = {0};
    PsDiag diag = {0};
    snprintf(path, sizeof path, "%s/%s", folder, from);
    assert_int_equal(ps_file_read(path, 65536, &text, NULL), PS_OK);
    assert_int_equal(ps_certificate_file_write(folder, name, text.data, text.len, &diag), PS_OK);
}

static json_t *row_of(const char *path) {
    PsCertificateFiles files;
    json_t *row = NULL;
    ps_certificate_files_read(&config, &files);
    for (size_t i = 0; i < files.count; i++) {
        if (strcmp(files.files[i].path, path) == 0) {
            row = ps_certificate_file_json(&files, &config, &files.files[i]);
        }
    }
    ps_certificate_files_deinit(&files);
    assert_non_null(row);
    return row;
}

static const char *text_at(const json_t *row, const char *key) {
    const char *text = json_string_value(json_object_get(row, key));
    assert_non_null(text);
    return text;
}

static void a_name_is_no_path(void **state) {
    assert_true(ps_certificate_name_ok("device-7_a.pem"));
    static const char *const bad[] = {"", ".", "..", ".x", "a/b", "../a", "a b", "\xc3\xa4.pem"};
    for (size_t i = 0; i < PS_COUNT(bad); i++) {
        assert_false(ps_certificate_name_ok(bad[i]));
    }
}

static void files_are_for_the_gateway_alone(void **state) {
    char path[96];
    struct stat status;
    copy("device.key", "device.key");
    snprintf(path, sizeof path, "%s/certs", folder);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    snprintf(path, sizeof path, "%s/certs/device.key", folder);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void a_key_and_its_certificate_know_each_other(void **state) {
    copy("device.key", "device.key");
    json_t *alone = row_of("certs/device.key");
    assert_string_equal(text_at(alone, "kind"), "key");
    assert_string_equal(text_at(alone, "problem"), "fits no certificate that is here");
    assert_null(json_object_get(alone, "subject"));
    json_decref(alone);
    copy("device.crt", "device.pem");
    json_t *key = row_of("certs/device.key");
    json_t *certificate = row_of("certs/device.pem");
    assert_string_equal(json_string_value(json_array_get(json_object_get(key, "fits"), 0)),
                        "certs/device.pem");
    assert_string_equal(json_string_value(json_array_get(json_object_get(certificate, "fits"), 0)),
                        "certs/device.key");
    assert_true(json_is_null(json_object_get(key, "problem")));
    assert_string_equal(text_at(certificate, "problem"), "has expired; have a new one made");
    assert_true(json_integer_value(json_object_get(certificate, "days_left")) < 0);
    json_decref(key);
    json_decref(certificate);
}

static void what_the_configuration_names_is_there_too(void **state) {
    char elsewhere[96];
    char missing[96];
    snprintf(elsewhere, sizeof elsewhere, "%s/ca.crt", folder);
    snprintf(missing, sizeof missing, "%s/certs/none.pem", folder);
    config.cloud.root_ca = elsewhere;
    config.cloud.cert = missing;
    json_t *root = row_of("ca.crt");
    json_t *none = row_of("certs/none.pem");
    assert_string_equal(text_at(root, "kind"), "root");
    assert_string_equal(json_string_value(json_array_get(json_object_get(root, "used_by"), 0)),
                        "cloud: root_ca");
    assert_string_equal(text_at(none, "kind"), "other");
    assert_non_null(strstr(text_at(none, "problem"), "not"));
    json_decref(root);
    json_decref(none);
    config.cloud.root_ca = config.cloud.cert = "";
}

static void a_file_goes_once(void **state) {
    PsDiag diag = {0};
    copy("device.crt", "gone.pem");
    assert_int_equal(ps_certificate_file_remove(folder, "gone.pem", &diag), PS_OK);
    assert_int_equal(ps_certificate_file_remove(folder, "gone.pem", &diag), PS_ERR_NOT_FOUND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_no_path),
        cmocka_unit_test(files_are_for_the_gateway_alone),
        cmocka_unit_test(a_key_and_its_certificate_know_each_other),
        cmocka_unit_test(what_the_configuration_names_is_there_too),
        cmocka_unit_test(a_file_goes_once),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
