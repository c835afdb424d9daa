// Routes and the paths of objects.
#include "drivers/eip/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(text) (text), sizeof(text) - 1

static void routes_become_port_segments(void **state) {
    (void)state;
    const struct {
        const char *route;
        int slot;
        const char *bytes;
        size_t len;
        const char *text;
    } cases[] = {
        {"", 0, BYTES("\x01\x00"), "1,0"},
        {"", 3, BYTES("\x01\x03"), "1,3"},
        {"none", 3, BYTES(""), "none"},
        {"1,2", 0, BYTES("\x01\x02"), "1,2"},
        {" 1 , 2 ", 0, BYTES("\x01\x02"), "1,2"},
        // CIP Volume 1, C-1.4.1: an address of its own length, here an IP address behind port 2
        {"1,3,2,192.168.1.10,1,0", 0,
         BYTES("\x01\x03\x12\x0C"
               "192.168.1.10\x01\x00"),
         "1,3,2,192.168.1.10,1,0"},
        {"2,10.0.0.1", 0,
         BYTES("\x12\x08"
               "10.0.0.1"),
         "2,10.0.0.1"},
        {"2,10.0.0.12", 0,
         BYTES("\x12\x09"
               "10.0.0.12\0"),
         "2,10.0.0.12"},
        {"18,5", 0, BYTES("\x0F\x12\x00\x05"), "18,5"},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PsDevice device = {.name = "plc", .route = cases[i].route, .slot = cases[i].slot};
        PsEipRoute route = {0};
        PsDiag diag = {0};
        if (ps_eip_route_parse(&device, &route, &diag) != PS_OK) {
            fail_msg("%s: %s", cases[i].route, diag.text);
        }
        assert_int_equal(route.len, cases[i].len);
        assert_memory_equal(route.bytes, cases[i].bytes, cases[i].len);
        assert_string_equal(route.text, cases[i].text);
    }
}

static void wrong_routes_say_what_to_write(void **state) {
    (void)state;
    const char *wrong[] = {
        "1",     "1,",        ",1",
        "x,1",   "0,1",       "1,2,",
        "1,2,3", "1,a b",     "70000,1",
        "1;0",   "backplane", "1,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < PS_COUNT(wrong); i++) {
        PsDevice device = {.name = "plc", .route = wrong[i]};
        PsEipRoute route;
        PsDiag diag = {0};
        if (ps_eip_route_parse(&device, &route, &diag) != PS_ERR_INVALID) {
            fail_msg("'%s' was taken", wrong[i]);
        }
        assert_non_null(strstr(diag.text, "for example 1,0 (backplane, slot 0)"));
    }
}

static void objects_become_logical_segments(void **state) {
    (void)state;
    uint8_t path[PS_EIP_OBJECT_MAX];
    assert_int_equal(ps_eip_object_put(path, 0x06, 1), 4);
    assert_memory_equal(path, "\x20\x06\x24\x01", 4);
    // 1756-PM020F, chapter 2: instance 0 of the symbol object, 0x2E9 of the template object
    assert_int_equal(ps_eip_object_put(path, 0x6B, 0), 6);
    assert_memory_equal(path, "\x20\x6B\x25\x00\x00\x00", 6);
    assert_int_equal(ps_eip_object_put(path, 0x6C, 0x2E9), 6);
    assert_memory_equal(path, "\x20\x6C\x25\x00\xE9\x02", 6);
    assert_int_equal(ps_eip_object_put(path, 0x6B, 0x12345), 8);
    assert_memory_equal(path, "\x20\x6B\x26\x00\x45\x23\x01\x00", 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_become_port_segments),
        cmocka_unit_test(wrong_routes_say_what_to_write),
        cmocka_unit_test(objects_become_logical_segments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
