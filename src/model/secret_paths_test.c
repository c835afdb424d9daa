// Which secrets a change may name. Pure.
#include "model/config_test_rig.h"
#include "model/secret_paths.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

// A Modbus device warns of an OPC UA key, but its file need not be there for that.
static PsConfig *with(const char *password_file, const char *cloud_key) {
    char text[512];
    snprintf(text, sizeof text,
             "{\"version\": 1, \"devices\": [{\"device_name\": \"D\", \"protocol\": \"ModbusTCP\", "
             "\"ip\": \"h\", \"password_file\": \"%s\"}], \"cloud\": {\"enable\": false, "
             "\"endpoint\": \"e\", \"client_id\": \"c\", \"key\": \"%s\"}}",
             password_file, cloud_key);
    return ps_test_config("/etc", text);
}

static void expect(const char *before_file, const char *file, const char *cloud_key,
                   const char *object) {
    PsDiag diag = {0};
    PsConfig *before = before_file != NULL ? with(before_file, "") : NULL;
    PsConfig *after = with(file, cloud_key);
    PsErr err = ps_secret_paths_check(before, after, &diag);
    assert_int_equal(err, object != NULL ? PS_ERR_DENIED : PS_OK);
    assert_string_equal(diag.object, object != NULL ? object : "");
    ps_config_free(before);
    ps_config_free(after);
}

static void files_outside_are_for_administrators(void **state) {
    expect(NULL, "certs/a.password", "certs/c.key", NULL);
    expect(NULL, "", "", NULL);
    expect(NULL, "/etc/certs/a.password", "", NULL);
    expect(NULL, "/var/lib/x", "", "device 'D'");
    expect("", "/var/lib/x", "", "device 'D'");
    expect("/var/lib/y", "/var/lib/x", "", "device 'D'");
    expect("/var/lib/x", "/var/lib/x", "", NULL); // as an administrator has set it
    expect("", "certs/../../shadow", "", "device 'D'");
    expect("", "..", "", "device 'D'");
    expect("", "certs/..a", "", NULL);
    expect("", "/etcetera/x", "", "device 'D'");
    expect("", "", "/root/c.key", "cloud");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_outside_are_for_administrators),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
