// Export: the form Device Supervisor writes, and that what goes out comes back the same. Pure.
#include "exchange/export.h"

#include "exchange/plan_test_rig.h"
#include "model/tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static PsConfig *parse(const char *json) {
    PsFindings findings = {0};
    PsConfig *config = NULL;
    PsErr err =
        ps_config_parse("/nonexistent", json, strlen(json), rig_check_for, &findings, &config);
    if (err != PS_OK) {
        fail_msg("%s: %s: %s\n%s", findings.items[0].diag.object, findings.items[0].diag.field,
                 findings.items[0].diag.text, json);
    }
    ps_findings_deinit(&findings);
    return config;
}

static void expect_file(const PsConfig *config, const char *kind, const char *expected) {
    PS_AUTO_BUF PsBuf out = {0};
    assert_int_equal(ps_export(config, kind, NULL, &out), PS_OK);
    assert_string_equal((const char *)out.data, expected);
}

#define SERIAL "\"serial\": [{\"name\": \"RS485\", \"path\": \"/dev/ttyS1\"}]"

static void a_serial_port_stands_where_the_address_does(void **state) {
    PsConfig *config = parse("{\"version\": 1, " SERIAL ", \"devices\": [{\"device_name\": \"A\", "
                             "\"protocol\": \"ModbusRTU\", \"serial\": \"RS485\", \"slave\": 3}, "
                             "{\"device_name\": \"B\", \"protocol\": \"ModbusRTU\", \"ip\": "
                             "\"10.0.0.1\", \"port\": 4001}]}");
    expect_file(config, "devices",
                "\xef\xbb\xbf"
                "Device Name,Protocol,Ip/Serial,Port,Slave,Byte Order\r\n"
                "A,ModbusRTU,RS485,,3,abcd\r\n"
                "B,ModbusRTU,10.0.0.1,4001,1,abcd\r\n");
    ps_config_free(config);
}

static void writes_the_documented_form(void **state) {
    PsConfig *config = parse(
        "{\"version\": 1, \"devices\": [{\"device_name\": \"Boiler\", \"protocol\": \"ModbusTCP\", "
        "\"ip\": \"10.5.16.82\"}], \"vars\": [{\"var_name\": \"t, 1\", \"device\": \"Boiler\", "
        "\"data_type\": \"FLOAT\", \"register_addr\": 40001, \"unit\": \"\u00b0C\"}, "
        "{\"var_name\": \"b\", \"device\": \"Boiler\", \"data_type\": \"BOOL\", "
        "\"register_addr\": 40002, \"register_bit\": 5, \"read_write\": \"read/write\"}, "
        "{\"var_name\": \"c\", \"device\": \"Boiler\", \"data_type\": \"BIT\", "
        "\"register_addr\": 7}], \"groups\": [{\"group_name\": \"f\", \"polling_interval\": "
        "0.25}], "
        "\"warning\": [{\"warn_name\": \"hot\", \"quotes\": 1, \"device\": \"Boiler\", "
        "\"var_name\": "
        "\"t, 1\", \"condition1\": \"Gt\", \"operand1\": \"30\"}, {\"warn_name\": \"own\", "
        "\"quotes\": 0, "
        "\"device\": \"Boiler\", \"data_type\": \"WORD\", \"register_addr\": 30007, "
        "\"condition1\": "
        "\"Eq\", \"operand1\": \"1\"}]}");
    expect_file(config, "devices",
                "\xef\xbb\xbf"
                "Device Name,Protocol,Ip,Port,Slave,Byte Order\r\n"
                "Boiler,ModbusTCP,10.5.16.82,502,1,abcd\r\n");
    expect_file(config, "variables",
                "\xef\xbb\xbf"
                "Var Name,Device,Protocol,Register Addr,Register Bit,Data Type,Read "
                "Write,Float Repr,Mode,Unit,Size,Desc,Group\r\n"
                "\"t, 1\",Boiler,ModbusTCP,40001,0,FLOAT,read,2,realtime,\u00b0C,1,,default\r\n"
                "b,Boiler,ModbusTCP,40002,5,BOOL,read/write,2,realtime,,1,,default\r\n"
                "c,Boiler,ModbusTCP,7,,BIT,read,2,realtime,,1,,default\r\n");
    expect_file(config, "groups",
                "\xef\xbb\xbf"
                "Group Name,Polling Interval,Upload Interval,Group Type\r\n"
                "f,0.25,10,collect\r\ndefault,10,10,collect\r\nwarning,10,,alarm\r\n");
    expect_file(config, "alarms",
                "\xef\xbb\xbf"
                "Warn Name,Group,Quotes,Device,Var Name,Condition1,Operand1,Combine Method,"
                "Condition2,Operand2,Alarm Content,Register Addr,Data Type,Register Bit,Float "
                "Repr\r\n"
                "hot,warning,1,Boiler,\"t, 1\",Gt,30,None,Eq,,,,,,2\r\n"
                "own,warning,0,Boiler,,Eq,1,None,Eq,,,30007,WORD,,2\r\n");
    PS_AUTO_BUF PsBuf out = {0};
    assert_int_equal(ps_export(config, "scripts", NULL, &out), PS_ERR_NOT_FOUND);
    assert_int_equal(ps_export(config, "variables", "Nobody", &out), PS_OK);
    assert_null(strstr((const char *)out.data, "Boiler"));
    ps_buf_clear(&out);
    assert_int_equal(ps_export(config, "variables", "Boiler", &out), PS_OK);
    assert_non_null(strstr((const char *)out.data, "c,Boiler,ModbusTCP,7"));
    ps_config_free(config);
}

// A small generator, so that a failing round can be repeated.
typedef struct Dice {
    uint32_t state;
} Dice;

static unsigned roll(Dice *dice, unsigned sides) {
    dice->state = dice->state * 1664525U + 1013904223U;
    return (dice->state >> 8) % sides;
}

// A JSON text with everything that is hard on CSV; `number` keeps names apart.
static void put_name(Dice *dice, unsigned number, PsBuf *json) {
    static const char *const pieces[] = {",",    ";",      "\\\"", "\u00e4\u00f6\u00fc",
                                         "00",   "'",      " ",    "\u20ac",
                                         "=1+1", "|",      "a",    "-",
                                         "\\\\", "\u6e29", "sep=", "\xf0\x9f\x98\x80",
                                         "/",    "."};
    ps_buf_printf(json, "\"");
    for (unsigned i = roll(dice, 5); i > 0; i--) {
        ps_buf_printf(json, "%s", pieces[roll(dice, PS_COUNT(pieces))]);
    }
    ps_buf_printf(json, "%04u", number);
    for (unsigned i = roll(dice, 3); i > 0; i--) {
        ps_buf_printf(json, "%s", pieces[roll(dice, PS_COUNT(pieces))]);
    }
    ps_buf_printf(json, "\"");
}

typedef struct Names {
    char texts[4][256];
    int protocols[4]; // of devices
    unsigned count;
} Names;

static const char *pick(Dice *dice, const Names *names) {
    return names->texts[roll(dice, names->count)];
}

static void make_names(Dice *dice, Names *names) {
    names->count = 1 + roll(dice, PS_COUNT(names->texts));
    for (unsigned i = 0; i < names->count; i++) {
        PS_AUTO_BUF PsBuf text = {0};
        put_name(dice, i, &text);
        snprintf(names->texts[i], sizeof names->texts[i], "%s", (const char *)text.data);
    }
}

// The keys that the object at `from` does not have yet, as its table says, so that a key which is
// new to the model cannot get lost on the way unseen; `except`: those that do not go with the rest.
static void put_others(Dice *dice, const PsOptionTable *table, size_t from, const char *except,
                       int protocol, PsBuf *json) {
    for (size_t i = 0; i < table->count; i++) {
        const PsOption *option = &table->options[i];
        char quoted[64];
        snprintf(quoted, sizeof quoted, "\"%s\":", option->key);
        if (strstr((const char *)json->data + from, quoted) != NULL ||
            strstr(except, quoted) != NULL || !ps_option_is_for(option, protocol)) {
            continue;
        }
        ps_buf_printf(json, ", %s ", quoted);
        if (option->type == PS_OPTION_WORD) {
            ps_buf_printf(json, "\"%s\"", option->words->items[roll(dice, option->words->count)]);
        } else if (option->type == PS_OPTION_TEXT) {
            ps_buf_printf(json, "\"x\"");
        } else if (option->type == PS_OPTION_BOOL) {
            ps_buf_printf(json, "%s", roll(dice, 2) == 0 ? "true" : "false");
        } else {
            int more = (int)roll(dice, 20);
            ps_buf_printf(json, "%g",
                          option->min + more < option->max ? option->min + more : option->max);
        }
    }
    ps_buf_printf(json, "}");
}

static void put_place(Dice *dice, int protocol, const char *type, PsBuf *json) {
    static const int bases[] = {1, 10001, 30001, 40001, 110001, 310001, 400001, 410001};
    static const char *const areas[] = {"I", "Q", "M", "DB"};
    bool is_bit = strcmp(type, "BOOL") == 0 || strcmp(type, "BIT") == 0;
    switch (protocol) {
    case PS_PROTOCOL_OPCUA:
        ps_buf_printf(json, ", \"identifier\": \"%s\"",
                      roll(dice, 2) == 0 ? "ns=2;s=a, b;c" : "Tank.Level");
        break;
    case PS_PROTOCOL_ETHERNET_IP:
    case PS_PROTOCOL_SIMULATOR:
        ps_buf_printf(json, ", \"symbol\": \"Program:Main.Speed[%u,2]\"", roll(dice, 9));
        break;
    case PS_PROTOCOL_ISO_ON_TCP:
        ps_buf_printf(json, ", \"register_type\": \"%s\", \"register_addr\": %u, \"dbnumber\": %u",
                      areas[roll(dice, 4)], roll(dice, 65536), roll(dice, 9));
        break;
    default:
        ps_buf_printf(json, ", \"register_addr\": %d",
                      bases[roll(dice, PS_COUNT(bases))] + (int)roll(dice, 9999));
        break;
    }
    bool has_bits = ps_option_is_for(ps_option_find(&ps_table_variable, "register_bit"), protocol);
    if (has_bits && is_bit && roll(dice, 2) == 0) {
        ps_buf_printf(json, ", \"register_bit\": %u", roll(dice, 8));
    }
}

static void put_variable(Dice *dice, unsigned number, const Names *devices, const Names *groups,
                         PsBuf *json) {
    static const char *const types[] = {"BOOL",   "BIT",    "WORD", "INT",     "DWORD",
                                        "DINT",   "FLOAT",  "LONG", "ULONG",   "BCD32",
                                        "DOUBLE", "STRING", "AUTO", "S7STRING"};
    static const char *const access[] = {"read", "write", "read/write"};
    const char *type = types[roll(dice, PS_COUNT(types))];
    unsigned device = roll(dice, devices->count);
    size_t from = json->len;
    ps_buf_printf(json, "{\"device\": %s, \"group\": %s, \"var_name\": ", devices->texts[device],
                  pick(dice, groups));
    put_name(dice, number, json);
    ps_buf_printf(json, ", \"data_type\": \"%s\"", type);
    put_place(dice, devices->protocols[device], type, json);
    ps_buf_printf(json, ", \"read_write\": \"%s\", \"mode\": \"%s\", \"float_repr\": %u",
                  access[roll(dice, 3)], roll(dice, 2) == 0 ? "realtime" : "onchange",
                  roll(dice, 7));
    ps_buf_printf(json, ", \"size\": %u, \"unit\": ", 1 + roll(dice, 250));
    ps_buf_printf(json, "%s, \"desc\": ", roll(dice, 2) == 0 ? "\"\"" : "\"\u00b0C, \\\"x\\\"\"");
    put_name(dice, number, json);
    put_others(dice, &ps_table_variable, from, "\"register_bit\":", devices->protocols[device],
               json);
}

static void put_alarm(Dice *dice, unsigned number, const Names *devices, PsBuf *json) {
    static const char *const compares[] = {"Eq", "Gt", "Gne", "Lne", "Lt", "Neq"};
    static const char *const operands[] = {"0", "-5", "1.50", "007", "1e3"};
    static const char *const own[] = {"FLOAT", "WORD", "BIT"};
    bool on_variable = roll(dice, 2) == 0;
    unsigned type = roll(dice, 3);
    bool plain = roll(dice, 2) == 0 || (!on_variable && type == 2); // takes no hysteresis
    size_t from = json->len;
    int protocol = devices->protocols[0];
    ps_buf_printf(json, "{\"device\": %s, \"warn_name\": ", devices->texts[0]);
    put_name(dice, number, json);
    ps_buf_printf(json, ", \"alarm_content\": ");
    put_name(dice, number, json);
    for (unsigned i = 1; i <= 2; i++) {
        ps_buf_printf(json, ", \"condition%u\": \"%s\", \"operand%u\": \"%s\"", i,
                      compares[roll(dice, plain ? 6 : 5)], i, operands[roll(dice, 5)]);
    }
    if (on_variable) {
        ps_buf_printf(json, ", \"quotes\": 1, \"var_name\": \"watched\"");
    } else {
        ps_buf_printf(json, ", \"quotes\": 0, \"data_type\": \"%s\"", own[type]);
        put_place(dice, protocol, own[type], json);
    }
    if (plain) {
        ps_buf_printf(json, ", \"hysteresis\": 0");
    }
    put_others(dice, &ps_table_alarm, from,
               "\"group\":\"register_bit\":\"data_type\":\"register_addr\":\"register_type\":"
               "\"dbnumber\":\"symbol\":\"identifier\":\"identifier_type\":\"namespace_index\":",
               protocol, json);
}

// A communication alarm does not go into CSV files; penstock export says so.
#define NOT_TAKEN                                                                                  \
    "\"comm_alarm\":\"comm_alarm_level\":\"comm_alarm_group\":\"comm_alarm_on_delay\":"            \
    "\"comm_alarm_off_delay\":\"comm_alarm_content\":\"serial\":\"password_file\":\"cert\":"       \
    "\"key\":\"auth\":\"route\":\"ip\":\"port\":\"url\":"

static void put_way(Dice *dice, int protocol, PsBuf *json) {
    bool secured = roll(dice, 2) == 0;
    if (protocol == PS_PROTOCOL_OPCUA) {
        ps_buf_printf(json, ", \"security_policy\": \"%s\", \"security_mode\": \"%s\"",
                      secured ? "Basic256Sha256" : "None", secured ? "SignAndEncrypt" : "None");
    } else if (protocol == PS_PROTOCOL_ISO_ON_TCP && secured) {
        ps_buf_printf(json, ", \"client_tsap\": \"02.00\", \"server_tsap\": \"4d.57\"");
    } else if (protocol == PS_PROTOCOL_ISO_ON_TCP) {
        ps_buf_printf(json, ", \"client_tsap\": \"10.00\", \"server_tsap\": \"10.00\"");
    } else if (protocol == PS_PROTOCOL_ETHERNET_IP && secured) {
        ps_buf_printf(json, ", \"route\": \"1,0,2,192.168.1.%u\"", roll(dice, 256));
    }
    if (protocol == PS_PROTOCOL_OPCUA && roll(dice, 2) == 0) {
        ps_buf_printf(json, ", \"url\": \"opc.tcp://plc/a,b\"");
    } else if (protocol != PS_PROTOCOL_SIMULATOR) {
        ps_buf_printf(json, ", \"ip\": \"10.0.0.%u\", \"port\": %u", roll(dice, 256),
                      roll(dice, 3) == 0 ? 102 : 1 + roll(dice, 65535));
    }
}

// Something that alarms can watch.
static void put_watched(const Names *devices, PsBuf *json) {
    Dice any = {.state = 5};
    ps_buf_printf(json,
                  "], \"vars\": [{\"var_name\": \"watched\", \"device\": %s, \"data_type\": "
                  "\"WORD\"",
                  devices->texts[0]);
    put_place(&any, devices->protocols[0], "WORD", json);
    ps_buf_printf(json, "}");
}

static void make_config(Dice *dice, PsBuf *json) {
    static const char *const times[] = {"0.01", "0.05", "1", "2.5", "60", "3600"};
    Names devices;
    Names groups;
    make_names(dice, &devices);
    make_names(dice, &groups);
    ps_buf_printf(json, "{\"version\": 1, \"devices\": [");
    for (unsigned i = 0; i < devices.count; i++) {
        size_t from = json->len;
        int protocol = (int)roll(dice, PS_PROTOCOL_SIMULATOR + 1);
        devices.protocols[i] = protocol;
        ps_buf_printf(json, "%s{\"device_name\": %s, \"protocol\": \"%s\", \"timeout\": %s",
                      i > 0 ? ", " : "", devices.texts[i], ps_protocol_name(protocol),
                      times[1 + roll(dice, 3)]);
        put_way(dice, protocol, json);
        put_others(dice, &ps_table_device, from, NOT_TAKEN, protocol, json);
    }
    ps_buf_printf(json, "], \"groups\": [");
    for (unsigned i = 0; i < groups.count; i++) {
        size_t from = json->len;
        ps_buf_printf(
            json, "%s{\"group_name\": %s, \"polling_interval\": %s, \"upload_interval\": %s",
            i > 0 ? ", " : "", groups.texts[i], times[roll(dice, 6)], times[roll(dice, 6)]);
        put_others(dice, &ps_table_group, from, "\"group_type\":", PS_PROTOCOL_MODBUS_TCP, json);
    }
    put_watched(&devices, json);
    for (unsigned i = 0, count = roll(dice, 12); i < count; i++) {
        ps_buf_printf(json, ", ");
        put_variable(dice, i, &devices, &groups, json);
    }
    ps_buf_printf(json, "], \"warning\": [");
    for (unsigned i = 0, count = roll(dice, 4); i < count; i++) {
        ps_buf_printf(json, "%s", i > 0 ? ", " : "");
        put_alarm(dice, i, &devices, json);
    }
    ps_buf_printf(json, "]}");
}

static const char *const kinds[] = {"alarms", "variables", "groups", "devices"};

// Into an empty folder it is the same configuration; into itself nothing changes.
static void comes_back_as_it_went_out(const PsConfig *config) {
    PsBuf files[PS_COUNT(kinds)] = {0};
    PS_AUTO_BUF PsBuf text = {0};
    PS_AUTO_BUF PsBuf back = {0};
    for (size_t i = 0; i < PS_COUNT(kinds); i++) {
        assert_int_equal(ps_export(config, kinds[i], NULL, &files[i]), PS_OK);
    }
    ps_config_write(config, &text);
    PsPlan *plan = rig_plan(NULL, "a", files[0].data, "v", files[1].data, "g", files[2].data, "d",
                            files[3].data, NULL);
    assert_int_equal(plan->counts[PS_ROW_NOT_TAKEN] + plan->failed_files, 0);
    assert_non_null(plan->config);
    ps_config_write(plan->config, &back);
    PsPlan *again = rig_plan((const char *)text.data, "a", files[0].data, "v", files[1].data, "g",
                             files[2].data, "d", files[3].data, NULL);
    assert_int_equal(again->counts[PS_ROW_UNCHANGED], again->row_count);
    assert_string_equal((const char *)text.data, (const char *)back.data);
    for (size_t i = 0; i < PS_COUNT(kinds); i++) {
        ps_buf_deinit(&files[i]);
    }
    ps_plan_free(plan);
    ps_plan_free(again);
}

static void random_configurations_come_back(void **state) {
    Dice dice = {.state = 20240601};
    rig_every_protocol = true;
    for (unsigned round = 0; round < 400; round++) {
        PS_AUTO_BUF PsBuf json = {0};
        make_config(&dice, &json);
        PsConfig *config = parse((const char *)json.data);
        comes_back_as_it_went_out(config);
        ps_config_free(config);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_documented_form),
        cmocka_unit_test(a_serial_port_stands_where_the_address_does),
        cmocka_unit_test(random_configurations_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
