// Addresses of servers and the names of sessions.
#include "drivers/opcua/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_addresses(void **state) {
    static const struct {
        PsDevice device;
        const char *host; // NULL: none
        int port;
        const char *url;
    } rows[] = {
        {{.ip = "10.0.0.5", .port = 4841}, "10.0.0.5", 4841, "opc.tcp://10.0.0.5:4841"},
        {{.ip = "fe80::1", .port = 4840}, "fe80::1", 4840, "opc.tcp://[fe80::1]:4840"},
        {{.url = "opc.tcp://plc"}, "plc", 4840, "opc.tcp://plc:4840"},
        {{.url = "opc.tcp://plc:62541/a/b"}, "plc", 62541, "opc.tcp://plc:62541/a/b"},
        {{.url = "opc.tcp://[::1]:62541/"}, "::1", 62541, "opc.tcp://[::1]:62541/"},
        {{.url = "opc.tcp://[::1]"}, "::1", 4840, "opc.tcp://[::1]:4840"},
        {{.url = "http://plc"}, NULL, 0, NULL},
        {{.url = "opc.tcp://"}, NULL, 0, NULL},
        {{.url = "opc.tcp://:4840"}, NULL, 0, NULL},
        {{.url = "opc.tcp://plc:0"}, NULL, 0, NULL},
        {{.url = "opc.tcp://plc:x"}, NULL, 0, NULL},
        {{.url = "opc.tcp://plc:65536"}, NULL, 0, NULL},
        {{.url = "opc.tcp://[::1"}, NULL, 0, NULL},
        {{.url = "opc.tcp://[::1]x"}, NULL, 0, NULL},
        {{.ip = ""}, NULL, 0, NULL},
    };
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        PsOpcuaAddress address;
        PsDiag diag = {0};
        PsErr err = ps_opcua_address(&rows[i].device, &address, &diag);
        assert_int_equal(err, rows[i].host != NULL ? PS_OK : PS_ERR_INVALID);
        if (rows[i].host != NULL) {
            assert_string_equal(address.host, rows[i].host);
            assert_int_equal(address.port, rows[i].port);
            assert_string_equal(address.url, rows[i].url);
        } else {
            assert_string_equal(diag.field, "url");
        }
    }
}

static void test_who_shares_a_session(void **state) {
    PsDevice a = {.ip = "10.0.0.5", .port = 4840};
    PsDevice b = a;
    char one[128];
    char other[128];
    ps_opcua_endpoint_key(NULL, &a, one, sizeof one);
    assert_string_equal(one, "10.0.0.5:4840");
    b.url = "opc.tcp://10.0.0.5:4840";
    ps_opcua_endpoint_key(NULL, &b, other, sizeof other);
    assert_string_equal(one, other);
    b.auth = PS_OPCUA_USER_NAME;
    b.username = "operator";
    ps_opcua_endpoint_key(NULL, &b, other, sizeof other);
    assert_string_equal(other, "10.0.0.5:4840 as operator");
    b.security_policy = PS_OPCUA_POLICY_AES128;
    b.security_mode = PS_OPCUA_MODE_SIGN;
    ps_opcua_endpoint_key(NULL, &b, other, sizeof other);
    assert_string_equal(other, "10.0.0.5:4840 as operator (Aes128Sha256RsaOaep, Sign)");
}

static void test_long_names_stay_apart(void **state) {
    char url[240];
    char one[128];
    char other[128];
    memset(url, 'a', sizeof url);
    memcpy(url, "opc.tcp://h/", 12);
    url[sizeof url - 1] = '\0';
    PsDevice device = {.url = url};
    ps_opcua_endpoint_key(NULL, &device, one, sizeof one);
    url[sizeof url - 2] = 'b';
    ps_opcua_endpoint_key(NULL, &device, other, sizeof other);
    assert_int_equal(strlen(one), 126);
    assert_string_not_equal(one, other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_who_shares_a_session),
        cmocka_unit_test(test_long_names_stay_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
