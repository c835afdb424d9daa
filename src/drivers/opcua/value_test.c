// Values of OPC UA as the gateway's, for each type and what the configuration asks for.
#include "drivers/opcua/value.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <open62541/types_generated.h>

// The library's own drops a const.
#define TEXT(chars) {sizeof(chars) - 1, (UA_Byte *)(uintptr_t)(chars)}

static PsVariable variable(int data_type) {
    return (PsVariable){
        .data_type = (int8_t)data_type, .array_index = PS_UNSET, .float_repr = 2, .size = 1};
}

static UA_DataValue scalar(void *data, size_t type) {
    UA_DataValue value = {.hasValue = true};
    UA_Variant_setScalar(&value.value, data, &UA_TYPES[type]);
    return value;
}

static void assert_decodes(int data_type, void *data, size_t type, PsQuality quality,
                           const char *text) {
    PsVariable asked = variable(data_type);
    asked.size = 40;
    UA_DataValue value = scalar(data, type);
    char room[PS_OPCUA_TEXT_MAX];
    char shown[128];
    PsValue decoded;
    PsOpcuaWhy why;
    assert_int_equal(ps_opcua_decode(&asked, &value, room, &decoded, &why), quality);
    ps_value_format(decoded, shown, sizeof shown);
    assert_string_equal(shown, text);
    assert_int_equal(why.text[0] != '\0', quality != PS_QUALITY_GOOD);
}

#define INTEGER(c_type, number, ua_type, text)                                                     \
    do {                                                                                           \
        c_type data = (number);                                                                    \
        assert_decodes(PS_TYPE_AUTO, &data, ua_type, PS_QUALITY_GOOD, text);                       \
    } while (0)

static void test_whole_numbers(void **state) {
    INTEGER(UA_SByte, INT8_MIN, UA_TYPES_SBYTE, "-128");
    INTEGER(UA_Byte, UINT8_MAX, UA_TYPES_BYTE, "255");
    INTEGER(UA_Int16, INT16_MIN, UA_TYPES_INT16, "-32768");
    INTEGER(UA_UInt16, UINT16_MAX, UA_TYPES_UINT16, "65535");
    INTEGER(UA_Int32, INT32_MIN, UA_TYPES_INT32, "-2147483648");
    INTEGER(UA_UInt32, UINT32_MAX, UA_TYPES_UINT32, "4294967295");
    INTEGER(UA_Int64, INT64_MIN, UA_TYPES_INT64, "-9223372036854775808");
    INTEGER(UA_UInt64, UINT64_MAX, UA_TYPES_UINT64, "18446744073709551615");
    INTEGER(UA_StatusCode, 0x80340000, UA_TYPES_STATUSCODE, "2150891520");
    INTEGER(UA_Boolean, true, UA_TYPES_BOOLEAN, "true");
}

static void test_floats(void **state) {
    UA_Double number = 21.456;
    UA_Float small = 0.1F;
    UA_Double none = NAN;
    assert_decodes(PS_TYPE_AUTO, &number, UA_TYPES_DOUBLE, PS_QUALITY_GOOD, "21.46");
    assert_decodes(PS_TYPE_FLOAT, &small, UA_TYPES_FLOAT, PS_QUALITY_GOOD, "0.1");
    assert_decodes(PS_TYPE_AUTO, &none, UA_TYPES_DOUBLE, PS_QUALITY_UNDECODABLE, "");
    assert_decodes(PS_TYPE_DINT, &number, UA_TYPES_DOUBLE, PS_QUALITY_UNDECODABLE, "");
    assert_decodes(PS_TYPE_STRING, &number, UA_TYPES_DOUBLE, PS_QUALITY_UNDECODABLE, "");
}

static void test_data_types_hold_the_value(void **state) {
    UA_UInt32 number = 40000;
    assert_decodes(PS_TYPE_DINT, &number, UA_TYPES_UINT32, PS_QUALITY_GOOD, "40000");
    assert_decodes(PS_TYPE_WORD, &number, UA_TYPES_UINT32, PS_QUALITY_GOOD, "40000");
    assert_decodes(PS_TYPE_INT, &number, UA_TYPES_UINT32, PS_QUALITY_UNDECODABLE, "");
    assert_decodes(PS_TYPE_DOUBLE, &number, UA_TYPES_UINT32, PS_QUALITY_GOOD, "40000.0");
    assert_decodes(PS_TYPE_BOOL, &number, UA_TYPES_UINT32, PS_QUALITY_UNDECODABLE, "");
    assert_decodes(PS_TYPE_STRING, &number, UA_TYPES_UINT32, PS_QUALITY_UNDECODABLE, "");
    UA_Int16 negative = -1;
    assert_decodes(PS_TYPE_WORD, &negative, UA_TYPES_INT16, PS_QUALITY_UNDECODABLE, "");
    assert_decodes(PS_TYPE_LONG, &negative, UA_TYPES_INT16, PS_QUALITY_GOOD, "-1");
    UA_UInt64 large = UINT64_MAX;
    assert_decodes(PS_TYPE_ULONG, &large, UA_TYPES_UINT64, PS_QUALITY_GOOD, "18446744073709551615");
    assert_decodes(PS_TYPE_LONG, &large, UA_TYPES_UINT64, PS_QUALITY_UNDECODABLE, "");
    UA_Boolean on = true;
    assert_decodes(PS_TYPE_BIT, &on, UA_TYPES_BOOLEAN, PS_QUALITY_GOOD, "1");
    assert_decodes(PS_TYPE_BOOL, &on, UA_TYPES_BOOLEAN, PS_QUALITY_GOOD, "true");
    UA_Byte one = 1;
    assert_decodes(PS_TYPE_BOOL, &one, UA_TYPES_BYTE, PS_QUALITY_GOOD, "true");
}

static void test_texts(void **state) {
    UA_String text = TEXT("bread");
    UA_LocalizedText localized = {.locale = TEXT("de"), .text = text};
    UA_QualifiedName name = {2, text};
    UA_Byte bytes[] = {0xde, 0xad, 0x01};
    UA_ByteString raw = {3, bytes};
    UA_Guid guid = {0x09087e75, 0x8e5e, 0x499b, {0x95, 0x4f, 0xf2, 0xa9, 0x60, 0x3d, 0xb2, 0x8a}};
    UA_DateTime date = UA_DATETIME_UNIX_EPOCH + 86400 * UA_DATETIME_SEC + 250 * UA_DATETIME_MSEC;
    UA_NodeId id = UA_NODEID_NUMERIC(2, 7);
    assert_decodes(PS_TYPE_AUTO, &text, UA_TYPES_STRING, PS_QUALITY_GOOD, "bread");
    assert_decodes(PS_TYPE_STRING, &localized, UA_TYPES_LOCALIZEDTEXT, PS_QUALITY_GOOD, "bread");
    assert_decodes(PS_TYPE_AUTO, &name, UA_TYPES_QUALIFIEDNAME, PS_QUALITY_GOOD, "bread");
    assert_decodes(PS_TYPE_AUTO, &raw, UA_TYPES_BYTESTRING, PS_QUALITY_GOOD, "dead01");
    assert_decodes(PS_TYPE_AUTO, &guid, UA_TYPES_GUID, PS_QUALITY_GOOD,
                   "09087e75-8e5e-499b-954f-f2a9603db28a");
    assert_decodes(PS_TYPE_AUTO, &date, UA_TYPES_DATETIME, PS_QUALITY_GOOD,
                   "1970-01-02T00:00:00.250Z");
    assert_decodes(PS_TYPE_AUTO, &id, UA_TYPES_NODEID, PS_QUALITY_GOOD, "ns=2;i=7");
    assert_decodes(PS_TYPE_WORD, &text, UA_TYPES_STRING, PS_QUALITY_UNDECODABLE, "");
}

static void test_texts_are_cut_between_characters(void **state) {
    PsVariable asked = variable(PS_TYPE_STRING);
    UA_String text = TEXT("ab\xc3\xa4");
    UA_DataValue value = scalar(&text, UA_TYPES_STRING);
    char room[PS_OPCUA_TEXT_MAX];
    PsValue decoded;
    asked.size = 3;
    assert_int_equal(ps_opcua_decode(&asked, &value, room, &decoded, NULL), PS_QUALITY_GOOD);
    assert_int_equal(decoded.text_len, 2);
}

static void test_statuses(void **state) {
    static const struct {
        UA_StatusCode status;
        PsQuality quality;
    } rows[] = {
        {UA_STATUSCODE_GOOD, PS_QUALITY_GOOD},
        {UA_STATUSCODE_GOODCLAMPED, PS_QUALITY_GOOD},
        {UA_STATUSCODE_UNCERTAIN, PS_QUALITY_GOOD},
        {UA_STATUSCODE_UNCERTAINLASTUSABLEVALUE, PS_QUALITY_STALE},
        {UA_STATUSCODE_UNCERTAINLASTUSABLEVALUE | 0x480, PS_QUALITY_STALE}, // flags of the server
        {UA_STATUSCODE_BADNODEIDUNKNOWN, PS_QUALITY_REFUSED},
        {UA_STATUSCODE_BADUSERACCESSDENIED, PS_QUALITY_REFUSED},
        {UA_STATUSCODE_BADNOCOMMUNICATION, PS_QUALITY_AWAY},
        {UA_STATUSCODE_BADWAITINGFORINITIALDATA, PS_QUALITY_NOT_READ},
        {0x80FF0000, PS_QUALITY_REFUSED},
    };
    UA_Double number = 1;
    PsVariable asked = variable(PS_TYPE_AUTO);
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        UA_DataValue value = scalar(&number, UA_TYPES_DOUBLE);
        value.hasStatus = true;
        value.status = rows[i].status;
        char room[PS_OPCUA_TEXT_MAX];
        PsValue decoded;
        PsOpcuaWhy why;
        assert_int_equal(ps_opcua_decode(&asked, &value, room, &decoded, &why), rows[i].quality);
        assert_int_equal(decoded.kind == PS_VALUE_NONE, rows[i].quality != PS_QUALITY_GOOD);
    }
}

static void test_shapes(void **state) {
    UA_Int32 numbers[] = {1, 2, 3};
    UA_DataValue value = {.hasValue = true};
    PsVariable asked = variable(PS_TYPE_AUTO);
    char room[PS_OPCUA_TEXT_MAX];
    PsValue decoded;
    PsOpcuaWhy why;
    UA_Variant_setArray(&value.value, numbers, 3, &UA_TYPES[UA_TYPES_INT32]);
    assert_int_equal(ps_opcua_decode(&asked, &value, room, &decoded, &why), PS_QUALITY_UNDECODABLE);
    assert_string_equal(why.text, "the value is a whole array (Int32[3]); choose an element with "
                                  "array_index");
    asked.array_index = 1;
    assert_int_equal(ps_opcua_decode(&asked, &value, room, &decoded, &why), PS_QUALITY_UNDECODABLE);
    UA_Variant_setArray(&value.value, numbers, 1, &UA_TYPES[UA_TYPES_INT32]);
    assert_int_equal(ps_opcua_decode(&asked, &value, room, &decoded, &why), PS_QUALITY_GOOD);
    assert_int_equal(decoded.integer, 1);
    UA_Variant_init(&value.value);
    assert_int_equal(ps_opcua_decode(&asked, &value, room, &decoded, &why), PS_QUALITY_UNDECODABLE);
    value.hasValue = false;
    assert_int_equal(ps_opcua_decode(&asked, &value, room, &decoded, &why), PS_QUALITY_UNDECODABLE);
}

static void test_type_numbers(void **state) {
    for (size_t i = 0; i <= UA_TYPES_LOCALIZEDTEXT; i++) {
        assert_int_equal(ps_opcua_type_of(&UA_TYPES[i].typeId), i);
    }
    assert_int_equal(ps_opcua_type_of(&(UA_NodeId){.identifier.numeric = 29}), UA_TYPES_INT32);
    assert_int_equal(ps_opcua_type_of(&(UA_NodeId){.namespaceIndex = 2, .identifier.numeric = 1}),
                     PS_UNSET);
}

static PsErr encode(PsValue value, size_t type, UA_Variant *variant, PsDiag *diag) {
    UA_Variant_init(variant);
    return ps_opcua_encode(value, type, false, variant, diag);
}

static void test_what_goes_in_comes_out(void **state) {
    static const struct {
        size_t type;
        int64_t min;
        int64_t max;
    } rows[] = {
        {UA_TYPES_SBYTE, INT8_MIN, INT8_MAX},   {UA_TYPES_BYTE, 0, UINT8_MAX},
        {UA_TYPES_INT16, INT16_MIN, INT16_MAX}, {UA_TYPES_UINT16, 0, UINT16_MAX},
        {UA_TYPES_INT32, INT32_MIN, INT32_MAX}, {UA_TYPES_UINT32, 0, UINT32_MAX},
        {UA_TYPES_INT64, INT64_MIN, INT64_MAX}, {UA_TYPES_UINT64, 0, INT64_MAX},
    };
    PsVariable asked = variable(PS_TYPE_AUTO);
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        const int64_t numbers[] = {rows[i].min, 0, 1, rows[i].max};
        for (size_t j = 0; j < PS_COUNT(numbers); j++) {
            UA_DataValue value = {.hasValue = true};
            char room[PS_OPCUA_TEXT_MAX];
            PsValue back;
            assert_int_equal(encode(ps_value_int(numbers[j]), rows[i].type, &value.value, NULL),
                             PS_OK);
            assert_int_equal(ps_opcua_decode(&asked, &value, room, &back, NULL), PS_QUALITY_GOOD);
            assert_true(back.integer == numbers[j]);
            UA_Variant_clear(&value.value);
        }
        UA_Variant none;
        PsDiag diag = {0};
        if (rows[i].max < INT64_MAX) {
            assert_int_equal(encode(ps_value_int(rows[i].max + 1), rows[i].type, &none, &diag),
                             PS_ERR_INVALID);
        }
        if (rows[i].min > INT64_MIN) {
            assert_int_equal(encode(ps_value_int(rows[i].min - 1), rows[i].type, &none, &diag),
                             PS_ERR_INVALID);
        }
    }
}

static void test_what_is_no_number(void **state) {
    UA_Variant none;
    PsDiag diag = {0};
    assert_int_equal(encode(ps_value_float(1.5), UA_TYPES_INT32, &none, &diag), PS_ERR_INVALID);
    assert_int_equal(encode(ps_value_float(NAN), UA_TYPES_DOUBLE, &none, &diag), PS_ERR_INVALID);
    assert_int_equal(encode(ps_value_float(1e300), UA_TYPES_FLOAT, &none, &diag), PS_ERR_INVALID);
    assert_int_equal(encode(ps_value_float(0x1p64), UA_TYPES_UINT64, &none, &diag), PS_ERR_INVALID);
    assert_int_equal(encode(ps_value_text(" 1", 2), UA_TYPES_DOUBLE, &none, &diag), PS_ERR_INVALID);
    assert_int_equal(encode(ps_value_text("", 0), UA_TYPES_INT32, &none, &diag), PS_ERR_INVALID);
    assert_int_equal(encode(ps_value_none(), UA_TYPES_INT32, &none, &diag), PS_ERR_INVALID);
    assert_int_equal(encode(ps_value_int(1), UA_TYPES_GUID, &none, &diag), PS_ERR_UNSUPPORTED);
}

static void test_status_words(void **state) {
    char words[240];
    ps_opcua_status_words(UA_STATUSCODE_BADNODEIDUNKNOWN, words, sizeof words);
    assert_non_null(strstr(words, "the server has no such node"));
    assert_non_null(strstr(words, "(BadNodeIdUnknown)"));
    ps_opcua_status_words(0x80FF0000, words, sizeof words);
    assert_non_null(strstr(words, "0x80FF0000"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_numbers),
        cmocka_unit_test(test_floats),
        cmocka_unit_test(test_data_types_hold_the_value),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_texts_are_cut_between_characters),
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_type_numbers),
        cmocka_unit_test(test_what_goes_in_comes_out),
        cmocka_unit_test(test_what_is_no_number),
        cmocka_unit_test(test_status_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
