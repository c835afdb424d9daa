// TSAPs, routes and OPC UA addresses: what is taken, and what is said about the rest. Pure.
#include "model/device_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void a_tsap_is_two_hexadecimal_bytes(void **state) {
    static const struct {
        const char *text;
        int tsap; // -1: is none
    } cases[] = {
        {"10.00", 0x1000}, {"02.01", 0x0201}, {"4D.57", 0x4d57}, {"4d.57", 0x4d57},
        {"1.2", 0x0102},   {"ff.F", 0xff0f},  {"", -1},          {"10", -1},
        {"10.", -1},       {".10", -1},       {"10.000", -1},    {"100.0", -1},
        {"1G.00", -1},     {"10 00", -1},     {"10.00 ", -1},    {"-1.00", -1},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        uint16_t tsap = 0;
        bool parsed = ps_tsap_parse(cases[i].text, &tsap);
        if (parsed != (cases[i].tsap >= 0) || (parsed && tsap != cases[i].tsap)) {
            fail_msg("'%s': %d %04x", cases[i].text, parsed, tsap);
        }
    }
}

static void a_route_is_pairs_of_port_and_address(void **state) {
    static const char *const sound[] = {
        "", "none", "1,0", "1,255", "1,0,2,192.168.1.5", "1,2,2,10.0.0.1,1,0"};
    static const char *const bad[] = {"1",     "1,",   ",0",       "0,0",         "1,256", "1,0,",
                                      "1,0,2", "None", "1,0 ,2,1", "2,192.168.1", "a,b",   "1,0,,"};
    for (size_t i = 0; i < PS_COUNT(sound); i++) {
        assert_int_equal(ps_route_check(sound[i], NULL), PS_OK);
    }
    for (size_t i = 0; i < PS_COUNT(bad); i++) {
        PsDiag diag = {0};
        if (ps_route_check(bad[i], &diag) == PS_OK) {
            fail_msg("'%s' is taken", bad[i]);
        }
        assert_string_equal(diag.field, "route");
        assert_non_null(strstr(diag.text, "like 1,0 (backplane, slot 0)"));
    }
}

static void an_opcua_address_has_scheme_host_port_and_path(void **state) {
    static const char *const sound[] = {"opc.tcp://plc",
                                        "OPC.TCP://plc:4840",
                                        "opc.tcp://192.168.0.10:4840/",
                                        "opc.tcp://[fe80::1]:4840",
                                        "opc.tcp://[fe80::1%eth0]",
                                        "opc.tcp://plc/UA/Server one",
                                        "opc.tcp://plc:65535/a:b"};
    static const struct {
        const char *url;
        const char *words;
    } bad[] = {
        {"plc:4840", "does not begin with opc.tcp://"},
        {"http://plc", "does not begin with opc.tcp://"},
        {"opc.tcp://", "has no host"},
        {"opc.tcp://:4840", "has no host"},
        {"opc.tcp://fe80::1", "has no port from 1 to 65535"},
        {"opc.tcp://[fe80::1", "has no host"},
        {"opc.tcp://[plc]", "has no host"},
        {"opc.tcp://plc:", "has no port"},
        {"opc.tcp://plc:0", "has no port"},
        {"opc.tcp://plc:65536/x", "has no port"},
        {"opc.tcp://plc:48400000000000/x", "has no port"},
        {"opc.tcp://plc?x", "has something behind the host"},
        {"opc.tcp://user@plc", "has something behind the host"},
        {"opc.tcp://[::1]x", "has something behind the host"},
    };
    for (size_t i = 0; i < PS_COUNT(sound); i++) {
        PsDiag diag = {0};
        if (ps_opcua_url_check(sound[i], &diag) != PS_OK) {
            fail_msg("%s: %s", sound[i], diag.text);
        }
    }
    for (size_t i = 0; i < PS_COUNT(bad); i++) {
        PsDiag diag = {0};
        assert_int_equal(ps_opcua_url_check(bad[i].url, &diag), PS_ERR_INVALID);
        assert_string_equal(diag.field, "url");
        if (strstr(diag.text, bad[i].words) == NULL) {
            fail_msg("%s: %s", bad[i].url, diag.text);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tsap_is_two_hexadecimal_bytes),
        cmocka_unit_test(a_route_is_pairs_of_port_and_address),
        cmocka_unit_test(an_opcua_address_has_scheme_host_port_and_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
