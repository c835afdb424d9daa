// Values out of answers and into requests.
#include "drivers/eip/codec.h"

#include "drivers/eip/symbol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const PsEipField any = {
    .data_type = PS_TYPE_AUTO, .decimals = 2, .bit = PS_EIP_NO_BIT, .room = 82};

static PsQuality decode(PsEipField field, const char *bytes, size_t len, PsValue *ret_value,
                        PsDiag *diag) {
    PsEipData data;
    assert_true(ps_eip_data_get((const uint8_t *)bytes, len, &data));
    return ps_eip_decode(&field, &data, data.handle == PS_EIP_HANDLE_STRING, ret_value, diag);
}

#define BYTES(text) (text), sizeof(text) - 1

static void every_type_is_decoded(void **state) {
    (void)state;
    const struct {
        const char *bytes;
        size_t len;
        PsValue value;
    } cases[] = {
        {BYTES("\xC1\x00\x01"), ps_value_bool(true)},
        {BYTES("\xC1\x00\xFF"), ps_value_bool(true)},
        {BYTES("\xC1\x05\x00"), ps_value_bool(false)}, // of a structure, at bit 5
        {BYTES("\xC2\x00\xFE"), ps_value_int(-2)},
        {BYTES("\xC3\x00\x2A\x00"), ps_value_int(42)},
        {BYTES("\xC4\x00\xDC\x01\x00\x00"), ps_value_int(476)},
        {BYTES("\xC5\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), ps_value_int(-1)},
        {BYTES("\xC6\x00\xFE"), ps_value_int(254)},
        {BYTES("\xC7\x00\xFF\xFF"), ps_value_int(65535)},
        {BYTES("\xC8\x00\xFF\xFF\xFF\xFF"), ps_value_int(4294967295)},
        {BYTES("\xC9\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), ps_value_uint(UINT64_MAX)},
        // 1756-PM020F, "Atomic members ...": 16.0 and, written there, 14.5
        {BYTES("\xCA\x00\x00\x00\x80\x41"), ps_value_float(16)},
        {BYTES("\xCA\x00\x00\x00\x68\x41"), ps_value_float(14.5)},
        {BYTES("\xCA\x00\xC3\xF5\x48\x40"), ps_value_float(3.14)}, // rounded
        {BYTES("\xCB\x00\x00\x00\x00\x00\x00\x00\xC0\xBF"), ps_value_float(-0.13)},
        {BYTES("\xD2\x00\x01\x80"), ps_value_int(32769)},
        {BYTES("\xA0\x02\xCE\x0F\x04\x00\x00\x00Pump\x00\x00"), ps_value_text("Pump", 4)},
        {BYTES("\xDA\x00\x04Pump"), ps_value_text("Pump", 4)},
        {BYTES("\xD0\x00\x04\x00Pump"), ps_value_text("Pump", 4)},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PsValue value;
        PsDiag diag = {0};
        PsQuality quality = decode(any, cases[i].bytes, cases[i].len, &value, &diag);
        if (quality != PS_QUALITY_GOOD || !ps_value_equal(value, cases[i].value)) {
            char shown[64];
            ps_value_format(value, shown, sizeof shown);
            fail_msg("case %zu: '%s' %s", i, shown, diag.text);
        }
    }
}

static void what_is_no_value_is_explained(void **state) {
    (void)state;
    PsEipField bit = any;
    bit.bit = 16;
    PsEipField text = any;
    text.data_type = PS_TYPE_STRING;
    PsEipField number = any;
    number.data_type = PS_TYPE_INT;
    const struct {
        PsEipField field;
        const char *bytes;
        size_t len;
        const char *said;
    } cases[] = {
        {any, BYTES("\xA0\x02\x34\x12\x00\x00\x00\x00"), "name one of its members"},
        {any, BYTES("\xC4\x00\x01\x02"), "too short for a DINT"},
        {any, BYTES("\xCA\x00\x00\x00\xC0\x7F"), "NaN"},
        {any, BYTES("\xEE\x00\x00"), "type 0x00EE"},
        {any, BYTES("\xA0\x02\xCE\x0F\x30\x00\x00\x00Pump"), "says it has 48 characters"},
        {any, BYTES("\xA0\x02\xCE\x0F\x30\x00"), "too short for a text"},
        {bit, BYTES("\xC3\x00\x01\x02"), "bits 0 to 15, it has no bit 16"},
        {bit, BYTES("\xCA\x00\x00\x00\x80\x41"), "REAL, which has no numbered bits"},
        {bit, BYTES("\xA0\x02\xCE\x0F\x00\x00\x00\x00"), "no numbered bits"},
        {text, BYTES("\xC3\x00\x01\x02"), "is a INT in the controller, not STRING; use AUTO"},
        {number, BYTES("\xA0\x02\xCE\x0F\x00\x00\x00\x00"), "is a text in the controller, not INT"},
        {number, BYTES("\xCA\x00\x00\x00\x80\x41"), "is a REAL in the controller, not INT"},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PsValue value;
        PsDiag diag = {0};
        PsQuality quality = decode(cases[i].field, cases[i].bytes, cases[i].len, &value, &diag);
        assert_int_equal(quality, PS_QUALITY_UNDECODABLE);
        assert_int_equal(value.kind, PS_VALUE_NONE);
        if (strstr(diag.text, cases[i].said) == NULL) {
            fail_msg("case %zu: %s", i, diag.text);
        }
    }
}

static void bits_and_long_texts(void **state) {
    (void)state;
    PsEipField field = any;
    PsValue value;
    field.bit = 31;
    assert_int_equal(decode(field, BYTES("\xC4\x00\x00\x00\x00\x80"), &value, NULL),
                     PS_QUALITY_GOOD);
    assert_true(ps_value_equal(value, ps_value_bool(true)));
    field.bit = 0;
    field.data_type = PS_TYPE_BIT;
    assert_int_equal(decode(field, BYTES("\xC4\x00\x00\x00\x00\x80"), &value, NULL),
                     PS_QUALITY_GOOD);
    assert_true(ps_value_equal(value, ps_value_int(0)));
    field = any;
    field.room = 3;
    assert_int_equal(decode(field, BYTES("\xDA\x00\x06Motors"), &value, NULL), PS_QUALITY_GOOD);
    assert_true(ps_value_equal(value, ps_value_text("Mot", 3)));
}

static void values_are_brought_to_the_type(void **state) {
    (void)state;
    const struct {
        uint16_t type;
        PsValue value;
        const char *bytes; // NULL: refused
        size_t len;
    } cases[] = {
        // 1756-PM020F, "Write Tag Service": CartonSize 14; "Atomic members ...": PRE 50, 14.5
        {0xC4, ps_value_int(14), BYTES("\x0E\x00\x00\x00")},
        {0xC4, ps_value_text("50", 2), BYTES("\x32\x00\x00\x00")},
        {0xCA, ps_value_float(14.5), BYTES("\x00\x00\x68\x41")},
        {0xCA, ps_value_text("14.5", 4), BYTES("\x00\x00\x68\x41")},
        {0xCA, ps_value_int(16), BYTES("\x00\x00\x80\x41")},
        {0xC3, ps_value_int(-2), BYTES("\xFE\xFF")},
        {0xC3, ps_value_float(12), BYTES("\x0C\x00")},
        {0xC3, ps_value_bool(true), BYTES("\x01\x00")},
        {0xC3, ps_value_int(-32768), BYTES("\x00\x80")},
        {0xC9, ps_value_uint(UINT64_MAX), BYTES("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF")},
        {0xC1, ps_value_text("true", 4), BYTES("\x01")},
        {0xC1, ps_value_int(0), BYTES("\x00")},
        {0xC3, ps_value_int(32768), NULL, 0},
        {0xC3, ps_value_int(-32769), NULL, 0},
        {0xC3, ps_value_float(1.5), NULL, 0},
        {0xC3, ps_value_text("abc", 3), NULL, 0},
        {0xC6, ps_value_int(-1), NULL, 0},
        {0xC5, ps_value_uint(UINT64_MAX), NULL, 0},
        {0xCA, ps_value_float(1e39), NULL, 0},
        {0xCA, ps_value_text("", 0), NULL, 0},
        {0xC1, ps_value_int(2), NULL, 0},
        {0xC1, ps_value_none(), NULL, 0},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        uint8_t out[PS_EIP_ENCODED_MAX];
        PsDiag diag = {0};
        PsErr err = ps_eip_encode(cases[i].type, cases[i].value, out, &diag);
        if ((err == PS_OK) != (cases[i].bytes != NULL)) {
            fail_msg("case %zu: %s", i, diag.text);
        }
        if (err == PS_OK) {
            assert_memory_equal(out, cases[i].bytes, cases[i].len);
        } else {
            assert_int_equal(err, PS_ERR_INVALID);
            assert_non_null(strstr(diag.text, ps_eip_type_find(cases[i].type)->name));
        }
    }
    PsDiag diag = {0};
    uint8_t out[PS_EIP_ENCODED_MAX];
    assert_int_equal(ps_eip_encode(0xC3, ps_value_int(40000), out, &diag), PS_ERR_INVALID);
    assert_string_equal(diag.text, "takes a whole number from -32768 to 32767 (the tag is a INT); "
                                   "got '40000'");
}

static void texts_are_bounded_by_the_tag(void **state) {
    (void)state;
    char scratch[64];
    PsValue text;
    PsDiag diag = {0};
    assert_int_equal(
        ps_eip_encode_text(ps_value_int(12), 82, scratch, sizeof scratch, &text, &diag), PS_OK);
    assert_true(ps_value_equal(text, ps_value_text("12", 2)));
    assert_int_equal(
        ps_eip_encode_text(ps_value_text("Motor", 5), 4, scratch, sizeof scratch, &text, &diag),
        PS_ERR_INVALID);
    assert_non_null(strstr(diag.text, "at most 4 bytes"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_decoded),
        cmocka_unit_test(what_is_no_value_is_explained),
        cmocka_unit_test(bits_and_long_texts),
        cmocka_unit_test(values_are_brought_to_the_type),
        cmocka_unit_test(texts_are_bounded_by_the_tag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
