// The layout scripts get from get_tag_config, key by key, and ids that stay.
#include "script/tag_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static PsDevice devices[] = {
    {.name = "PLC \"1\"",
     .protocol = PS_PROTOCOL_MODBUS_TCP,
     .ip = "10.0.0.1",
     .port = 502,
     .slave = 1},
    {.name = "PLC2",
     .protocol = PS_PROTOCOL_MODBUS_TCP,
     .ip = "10.0.0.2",
     .port = 503,
     .slave = 2,
     .byte_order = 2},
};
static PsGroup groups[] = {
    {.name = "default", .type = PS_GROUP_COLLECT, .polling_interval = 10, .upload_interval = 0.25},
    {.name = "warning", .type = PS_GROUP_ALARM, .polling_interval = 10, .upload_interval = 10},
};
static PsVariable variables[] = {
    {.name = "Test",
     .device_name = "PLC \"1\"",
     .group_name = "default",
     .data_type = PS_TYPE_WORD,
     .register_addr = 40001,
     .register_bit = PS_UNSET,
     .access = PS_ACCESS_READ_WRITE,
     .float_repr = 2,
     .size = 1,
     .unit = "\xc2\xb0"
             "C",
     .desc = "first"},
    {.name = "Test",
     .device_name = "PLC2",
     .group_name = "default",
     .data_type = PS_TYPE_BIT,
     .register_addr = 40003,
     .register_bit = 1,
     .mode = PS_MODE_ONCHANGE,
     .float_repr = 2,
     .size = 1,
     .device = 1},
    {.name = "coil",
     .device_name = "PLC2",
     .group_name = "default",
     .data_type = PS_TYPE_BOOL,
     .register_addr = 1,
     .register_bit = PS_UNSET,
     .access = PS_ACCESS_WRITE,
     .float_repr = 2,
     .size = 1,
     .device = 1},
    // What the second alarm watches.
    {.name = "Level high",
     .device_name = "PLC \"1\"",
     .group_name = "warning",
     .group = 1,
     .data_type = PS_TYPE_FLOAT,
     .register_addr = 30005,
     .register_bit = PS_UNSET,
     .float_repr = 3,
     .size = 1,
     .unit = "m",
     .desc = "tank"},
};
static PsAlarm alarms[] = {
    {.name = "Bit on",
     .group_name = "warning",
     .group = 1,
     .quotes = 1,
     .device_name = "PLC2",
     .variable_name = "Test",
     .content = "it is \"on\"",
     .conditions = {{PS_COMPARE_EQ, "1"}, {PS_COMPARE_EQ, ""}},
     .variable = 1,
     .watched = 1},
    {.name = "Level high",
     .group_name = "warning",
     .group = 1,
     .device_name = "PLC \"1\"",
     .variable_name = "",
     .content = "",
     .conditions = {{PS_COMPARE_GNE, "30"}, {PS_COMPARE_LT, "50.5"}},
     .combine = PS_COMBINE_AND,
     .watched = 3},
};

static PsConfig config = {
    .devices = devices,
    .device_count = PS_COUNT(devices),
    .groups = groups,
    .group_count = PS_COUNT(groups),
    .variables = variables,
    .variable_count = 3,
    .watched_count = 1,
    .alarms = alarms,
    .alarm_count = PS_COUNT(alarms),
};

// Puts 32 x in place of each id and var_id, which must be 32 hexadecimal digits; all of them in
// `ret_ids`.
static void blank_ids(char *text, char ret_ids[][33], size_t *ret_count) {
    *ret_count = 0;
    for (char *at = strstr(text, "id\": \""); at != NULL; at = strstr(at, "id\": \"")) {
        at += strlen("id\": \"");
        if (*at == '"') {
            continue; // the var_id of an alarm with an address of its own
        }
        assert_int_equal(strspn(at, "0123456789abcdef"), 32);
        assert_int_equal(at[32], '"');
        memcpy(ret_ids[*ret_count], at, 32);
        ret_ids[(*ret_count)++][32] = '\0';
        memset(at, 'x', 32);
    }
}

#define X "\"id\": \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}"

static const char expected[] =
    "{\"devices\": ["
    "{\"device_name\": \"PLC \\\"1\\\"\", \"protocol\": \"ModbusTCP\", \"ip\": \"10.0.0.1\", "
    "\"port\": 502, \"slave\": 1, \"byte_order\": \"abcd\", " X ", "
    "{\"device_name\": \"PLC2\", \"protocol\": \"ModbusTCP\", \"ip\": \"10.0.0.2\", "
    "\"port\": 503, \"slave\": 2, \"byte_order\": \"cdab\", " X "], "
    "\"groups\": ["
    "{\"group_name\": \"default\", \"group_type\": \"collect\", \"polling_interval\": 10, "
    "\"upload_interval\": 0.25, " X ", "
    "{\"group_name\": \"warning\", \"group_type\": \"alarm\", \"polling_interval\": 10, "
    "\"upload_interval\": \"\", " X "], "
    "\"warning\": ["
    "{\"warn_name\": \"Bit on\", \"group\": \"warning\", \"quotes\": 1, \"device\": \"PLC2\", "
    "\"alarm_content\": \"it is \\\"on\\\"\", \"condition1\": \"Eq\", \"operand1\": \"1\", "
    "\"combine_method\": \"None\", \"condition2\": \"Eq\", \"operand2\": \"\", \"var_name\": "
    "\"Test\", "
    "\"var_id\": \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\", \"size\": 1, \"float_repr\": 2, "
    "\"protocol\": \"ModbusTCP\", \"data_type\": \"BIT\", \"register_type\": \"\", "
    "\"register_addr\": 40003, \"dbnumber\": 0, \"register_bit\": 1, \"address\": \"40003.1\", "
    "\"read_write\": \"read\", \"mode\": \"onchange\", \"unit\": \"\", \"desc\": \"\", " X ", "
    "{\"warn_name\": \"Level high\", \"group\": \"warning\", \"quotes\": 0, \"device\": \"PLC "
    "\\\"1\\\"\", "
    "\"alarm_content\": \"\", \"condition1\": \"Gne\", \"operand1\": \"30\", "
    "\"combine_method\": \"And\", \"condition2\": \"Lt\", \"operand2\": \"50.5\", \"var_name\": "
    "\"\", "
    "\"var_id\": \"\", \"size\": 1, \"float_repr\": 3, "
    "\"protocol\": \"ModbusTCP\", \"data_type\": \"FLOAT\", \"register_type\": \"\", "
    "\"register_addr\": 30005, \"dbnumber\": 0, \"register_bit\": \"\", \"address\": \"30005\", "
    "\"read_write\": \"read\", \"mode\": \"realtime\", \"unit\": \"m\", \"desc\": \"tank\", " X
    "], "
    "\"vars\": ["
    "{\"var_name\": \"Test\", \"device\": \"PLC \\\"1\\\"\", \"protocol\": \"ModbusTCP\", "
    "\"group\": \"default\", \"data_type\": \"WORD\", \"register_type\": \"\", "
    "\"register_addr\": 40001, \"dbnumber\": 0, \"register_bit\": \"\", \"address\": \"40001\", "
    "\"read_write\": \"read/write\", \"mode\": \"realtime\", \"float_repr\": 2, \"size\": 1, "
    "\"unit\": \"\xc2\xb0"
    "C\", \"desc\": \"first\", " X ", "
    "{\"var_name\": \"Test\", \"device\": \"PLC2\", \"protocol\": \"ModbusTCP\", "
    "\"group\": \"default\", \"data_type\": \"BIT\", \"register_type\": \"\", "
    "\"register_addr\": 40003, \"dbnumber\": 0, \"register_bit\": 1, \"address\": \"40003.1\", "
    "\"read_write\": \"read\", \"mode\": \"onchange\", \"float_repr\": 2, \"size\": 1, "
    "\"unit\": \"\", \"desc\": \"\", " X ", "
    "{\"var_name\": \"coil\", \"device\": \"PLC2\", \"protocol\": \"ModbusTCP\", "
    "\"group\": \"default\", \"data_type\": \"BOOL\", \"register_type\": \"\", "
    "\"register_addr\": 1, \"dbnumber\": 0, \"register_bit\": \"\", \"address\": \"00001\", "
    "\"read_write\": \"write\", \"mode\": \"realtime\", \"float_repr\": 2, \"size\": 1, "
    "\"unit\": \"\", \"desc\": \"\", " X "]}";

// Places in the order of the text: the var_id of the first alarm, and the variable it names.
#define VAR_ID 4
#define VAR_ID_OF 8

static void test_layout_and_ids(void **state) {
    char ids[16][33];
    size_t count = 0;
    PS_AUTO_BUF PsBuf text = {0};
    ps_tag_config_put(&config, &text);
    blank_ids((char *)text.data, ids, &count);
    assert_string_equal((const char *)text.data, expected);
    assert_int_equal(count, 10);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < i; k++) {
            bool same = k == VAR_ID && i == VAR_ID_OF;
            assert_true((strcmp(ids[i], ids[k]) == 0) == same);
        }
    }
    // Scripts and their receivers may keep ids: these must never change.
    assert_string_equal(ids[1], "c40db2b30d118ebe9f8ef6116766a4d6");
    assert_string_equal(ids[VAR_ID_OF], "688ad6dbf030441ff9a6bd5c225361dc");
    // An id follows the names alone.
    char again[16][33];
    devices[1].ip = "10.9.9.9";
    variables[1].register_addr = 40099;
    PS_AUTO_BUF PsBuf moved = {0};
    ps_tag_config_put(&config, &moved);
    blank_ids((char *)moved.data, again, &count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(ids[i], again[i]);
    }
}

static void test_device_behind_a_serial_port(void **state) {
    PsSerial serial = {.name = "RS485",
                       .baud_rate = 19200,
                       .data_bits = 8,
                       .parity = PS_PARITY_EVEN,
                       .stop_bits = 1};
    PsDevice device = {
        .name = "D", .protocol = PS_PROTOCOL_MODBUS_RTU, .serial_name = "RS485", .slave = 7};
    PsConfig behind = {
        .devices = &device, .device_count = 1, .serials = &serial, .serial_count = 1};
    PS_AUTO_BUF PsBuf out = {0};
    ps_tag_config_put(&behind, &out);
    assert_non_null(
        strstr((const char *)out.data,
               "\"protocol\": \"ModbusRTU\", \"serial\": \"RS485\", \"baudrate\": 19200, "
               "\"bytesize\": 8, \"parity\": \"e\", \"stopbits\": 1, \"slave\": 7, "));
}

static void test_each_protocol_has_its_own_keys(void **state) {
    PsDevice plant[] = {
        {.name = "S7", .protocol = PS_PROTOCOL_ISO_ON_TCP, .ip = "h", .port = 102, .slot = 2},
        {.name = "Logo",
         .protocol = PS_PROTOCOL_ISO_ON_TCP,
         .ip = "l",
         .port = 102,
         .s7_mode = PS_S7_TSAP,
         .client_tsap = "02.00",
         .server_tsap = "02.01"},
        {.name = "UA", .protocol = PS_PROTOCOL_OPCUA, .url = "opc.tcp://u"},
        {.name = "Logix", .protocol = PS_PROTOCOL_ETHERNET_IP, .ip = "e", .port = 44818},
    };
    PsVariable tags[] = {
        {.name = "a",
         .device_name = "S7",
         .register_type = PS_S7_DB,
         .dbnumber = 6,
         .register_addr = 2,
         .register_bit = 0},
        {.name = "b",
         .device_name = "UA",
         .device = 2,
         .data_type = PS_TYPE_AUTO,
         .register_addr = PS_UNSET,
         .register_bit = PS_UNSET,
         .array_index = PS_UNSET,
         .namespace_index = 2,
         .identifier = "Tank.Level"},
        {.name = "c",
         .device_name = "Logix",
         .device = 3,
         .data_type = PS_TYPE_AUTO,
         .register_addr = PS_UNSET,
         .register_bit = PS_UNSET,
         .symbol = "ZB.LEN.16"},
    };
    PsConfig mixed = {.devices = plant, .device_count = 4, .variables = tags, .variable_count = 3};
    static const char *const parts[] = {
        "\"ip\": \"h\", \"port\": 102, \"mode\": \"Rack/Slot\", \"rack\": 0, \"slot\": 2, \"id\"",
        "\"mode\": \"TSAP\", \"client_tsap\": \"02.00\", \"server_tsap\": \"02.01\", \"id\"",
        "\"protocol\": \"OPCUA\", \"url\": \"opc.tcp://u\", \"id\"",
        "\"ip\": \"e\", \"port\": 44818, \"id\"",
        "\"register_type\": \"DB\", \"register_addr\": 2, \"dbnumber\": 6, \"register_bit\": 0, "
        "\"address\": \"DB6.2.0\"",
        "\"register_addr\": \"\", \"dbnumber\": 0, \"register_bit\": \"\", \"namespace_index\": 2, "
        "\"identifier\": \"Tank.Level\", \"identifier_type\": \"String\", \"address\": "
        "\"ns=2;s=Tank.Level\"",
        "\"symbol\": \"ZB.LEN.16\", \"address\": \"ZB.LEN.16\"",
    };
    PS_AUTO_BUF PsBuf out = {0};
    ps_tag_config_put(&mixed, &out);
    for (size_t i = 0; i < PS_COUNT(parts); i++) {
        if (strstr((const char *)out.data, parts[i]) == NULL) {
            fail_msg("%s is not in %s", parts[i], (const char *)out.data);
        }
    }
}

static void test_nothing_configured(void **state) {
    PsConfig empty = {0};
    PS_AUTO_BUF PsBuf text = {0};
    ps_tag_config_put(&empty, &text);
    assert_string_equal((const char *)text.data,
                        "{\"devices\": [], \"groups\": [], \"warning\": [], \"vars\": []}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout_and_ids),
        cmocka_unit_test(test_device_behind_a_serial_port),
        cmocka_unit_test(test_each_protocol_has_its_own_keys),
        cmocka_unit_test(test_nothing_configured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
