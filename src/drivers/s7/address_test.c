// What a variable must have, and what people are told when it has not; TSAPs.
#include "drivers/s7/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const PsDevice plc = {.name = "plc", .slot = 1};

static PsVariable variable(int area, int db, int byte, int type) {
    return (PsVariable){.register_type = (int8_t)area,
                        .dbnumber = (uint16_t)db,
                        .register_addr = byte,
                        .register_bit = PS_UNSET,
                        .data_type = (int8_t)type,
                        .size = 4};
}

static void assert_refused(const PsDevice *device, PsVariable candidate, const char *field,
                           const char *words) {
    PsDiag diag = {0};
    assert_int_not_equal(ps_s7_check_variable(device, &candidate, &diag), PS_OK);
    assert_string_equal(diag.field, field);
    if (strstr(diag.text, words) == NULL) {
        fail_msg("'%s' says nothing of '%s'", diag.text, words);
    }
}

static void good_variables_pass(void **state) {
    (void)state;
    for (int type = PS_TYPE_BOOL; type < PS_TYPE_AUTO; type++) {
        PsVariable candidate = variable(PS_S7_DB, 6, 18, type);
        if (type == PS_TYPE_BOOL || type == PS_TYPE_BIT) {
            candidate.register_bit = 7;
        }
        PsDiag diag = {0};
        if (ps_s7_check_variable(&plc, &candidate, &diag) != PS_OK) {
            fail_msg("%s: %s", ps_data_type_name(type), diag.text);
        }
    }
    PsVariable input = variable(PS_S7_INPUTS, 0, 0, PS_TYPE_WORD);
    input.register_bit = 0; // as Device Supervisor writes it
    assert_int_equal(ps_s7_check_variable(&plc, &input, NULL), PS_OK);
}

static void what_is_missing_is_named(void **state) {
    (void)state;
    assert_refused(&plc, variable(PS_UNSET, 1, 0, PS_TYPE_WORD), "register_type", "is missing");
    assert_refused(&plc, variable(PS_S7_DB, 0, 0, PS_TYPE_WORD), "dbnumber", "is missing");
    assert_refused(&plc, variable(PS_S7_DB, 1, PS_UNSET, PS_TYPE_WORD), "register_addr",
                   "is missing");
    assert_refused(&plc, variable(PS_S7_DB, 1, 0, PS_TYPE_AUTO), "data_type", "is missing");
    assert_refused(&plc, variable(PS_S7_DB, 1, 0, PS_TYPE_BOOL), "register_bit", "0 to 7");
}

static void what_cannot_be_is_refused(void **state) {
    (void)state;
    PsVariable bit = variable(PS_S7_FLAGS, 0, 10, PS_TYPE_BOOL);
    bit.register_bit = 8;
    assert_refused(&plc, bit, "register_bit", "0 to 7");
    PsVariable word = variable(PS_S7_FLAGS, 0, 10, PS_TYPE_WORD);
    word.register_bit = 3;
    assert_refused(&plc, word, "register_bit", "remove it");
    assert_refused(&plc, variable(PS_S7_DB, 1, 65533, PS_TYPE_DWORD), "register_addr", "65535");
    PsVariable text = variable(PS_S7_DB, 1, 0, PS_TYPE_S7STRING);
    text.size = 0;
    assert_refused(&plc, text, "size", "1 to 250");
    PsDevice logo = {
        .name = "logo", .s7_mode = PS_S7_TSAP, .client_tsap = "10.00", .server_tsap = "2"};
    assert_refused(&logo, variable(PS_S7_FLAGS, 0, 10, PS_TYPE_WORD), "device", "no TSAP");
}

static void tsaps_are_two_bytes(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int tsap;
    } cases[] = {{"10.00", 0x1000}, {"02.01", 0x0201}, {"4d.aF", 0x4DAF},
                 {"", -1},          {"1000", -1},      {"10.0", -1},
                 {"10.000", -1},    {"1g.00", -1},     {"10:00", -1}};
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        uint16_t tsap = 0;
        PsErr err = ps_s7_tsap_parse(cases[i].text, "client_tsap", &tsap, NULL);
        assert_int_equal(err == PS_OK ? tsap : -1, cases[i].tsap);
    }
}

static void rack_and_slot_are_a_tsap_of_an_operator_panel(void **state) {
    (void)state;
    PsDevice device = {.rack = 1, .slot = 2};
    uint16_t local = 0;
    uint16_t remote = 0;
    assert_int_equal(ps_s7_tsaps(&device, &local, &remote, NULL), PS_OK);
    assert_int_equal(local, 0x0100);
    assert_int_equal(remote, 0x0222);
}

static void places_have_names(void **state) {
    (void)state;
    char name[PS_S7_NAME_SIZE];
    ps_s7_name_bytes(PS_S7_DB, 6, 14, 8, name, sizeof name);
    assert_string_equal(name, "DB6 bytes 14 to 21");
    ps_s7_name_bytes(PS_S7_FLAGS, 0, 10, 1, name, sizeof name);
    assert_string_equal(name, "M byte 10");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_variables_pass),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(tsaps_are_two_bytes),
        cmocka_unit_test(rack_and_slot_are_a_tsap_of_an_operator_panel),
        cmocka_unit_test(places_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
