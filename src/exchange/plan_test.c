// Plans of imports: what comes over and how, what does not and why. Pure.
#include "exchange/plan_test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DEVICE_HEADER "Device Name,Protocol,Ip,Port,Slave,Byte Order\n"
#define BOILER DEVICE_HEADER "Boiler,ModbusTCP,10.5.16.82,502,1,abcd\n"
#define VAR_HEADER                                                                                 \
    "Var Name,Device,Protocol,Dbnumber,Register Type,Register Addr,Register Bit,Data Type,Read "   \
    "Write,Float Repr,Mode,Unit,Size,Desc,Group\n"
#define BASE                                                                                       \
    "{\"version\": 1, \"devices\": [{\"device_name\": \"Boiler\", \"protocol\": \"ModbusTCP\", "   \
    "\"ip\": \"10.5.16.82\", \"timeout\": 3}], \"vars\": [{\"var_name\": \"t1\", \"device\": "     \
    "\"Boiler\", \"data_type\": \"FLOAT\", \"register_addr\": 40001, \"unit\": \"C\"}]}"

static void expect(PsPlan *plan, const char *expected) {
    PS_AUTO_BUF PsBuf text = {0};
    rig_tell(plan, &text);
    assert_string_equal((const char *)text.data, expected);
    ps_plan_free(plan);
}

// The row of the manual's picture, with a device this build has.
static void takes_the_documented_rows(void **state) {
    PsPlan *plan =
        rig_plan(NULL, "var.csv",
                 VAR_HEADER
                 "SP1,Boiler,ModbusTCP,0,I,40001,3,BOOL,read/write,2,realtime,,1,,default\n"
                 "SP2,Boiler,ModbusTCP,0,,30002,0,WORD,read,2,onchange,bar,1,\"a, \"\"b\"\"\",f\n",
                 "device.csv", BOILER, "group.csv",
                 "Group Name,Polling Interval,Upload Interval,Group Type\n"
                 "warning,10,,alarm\ndefault,10,10,collect\nf,0.5,2,collect\n",
                 NULL);
    assert_non_null(plan->config);
    const PsVariable *variables = plan->config->variables;
    assert_string_equal(variables[0].name, "SP1");
    assert_int_equal(variables[0].data_type, PS_TYPE_BOOL);
    assert_int_equal(variables[0].register_bit, 3);
    assert_int_equal(variables[0].access, PS_ACCESS_READ_WRITE);
    assert_int_equal(variables[0].mode, PS_MODE_REALTIME);
    assert_int_equal(variables[1].register_bit, PS_UNSET); // a 0 without a meaning
    assert_int_equal(variables[1].mode, PS_MODE_ONCHANGE);
    assert_string_equal(variables[1].desc, "a, \"b\"");
    assert_string_equal(plan->config->groups[variables[1].group].name, "f");
    assert_true(plan->config->groups[variables[1].group].polling_interval == 0.5);
    expect(plan, "var.csv:2 added Boiler/SP1\nvar.csv:3 added Boiler/SP2\n"
                 "device.csv:2 added Boiler\ngroup.csv:2 unchanged warning\n"
                 "group.csv:3 unchanged default\ngroup.csv:4 added f\n");
}

#define SERIAL                                                                                     \
    "{\"version\": 1, \"serial\": [{\"name\": \"RS485\", \"path\": \"/dev/ttyS1\"}], "             \
    "\"devices\": [{\"device_name\": \"H\", \"protocol\": \"ModbusRTU\", \"ip\": \"gate\"}]}"
#define SERIAL_HEADER "Device Name,Protocol,Ip/Serial,Port,Slave,Byte Order\n"

static void takes_devices_behind_serial_ports(void **state) {
    PsPlan *plan = rig_plan(SERIAL, "device.csv",
                            SERIAL_HEADER "A,ModbusRTU,RS485,,2,abcd\n"
                                          "B,Modbus RTU,10.0.0.1,4001,1,abcd\n"
                                          "C,ModbusRTU,RS232,,1,abcd\n"
                                          "H,ModbusRTU,gate,502,7,abcd\n"
                                          "E,ModbusTCP,RS485,502,1,abcd\n",
                            NULL);
    const PsDevice *devices = plan->config->devices;
    assert_string_equal(devices[0].ip, "gate");
    assert_string_equal(devices[1].serial_name, "RS485");
    assert_string_equal(devices[1].ip, "");
    assert_int_equal(devices[1].slave, 2);
    assert_string_equal(devices[2].ip, "10.0.0.1");
    assert_string_equal(devices[3].ip, "RS485"); // a host may be called like that
    static const char *const parts[] = {
        "device.csv:4 not taken C - Ip/Serial: there is no serial port 'RS232'; add it to serial",
        "device.csv:5 changed H slave:1>7\n",
    };
    rig_expect_parts(plan, parts, PS_COUNT(parts));
}

static void updates_by_name_and_tells_what_changes(void **state) {
    PsPlan *plan =
        rig_plan(BASE, "device.csv", DEVICE_HEADER "Boiler,ModbusTCP,10.5.16.83,502,,cdab\n",
                 "var.csv", "Device,Var Name,Mode,Unit\nBoiler,t1,Onchange,\n", NULL);
    assert_true(plan->config->devices[0].timeout == 3); // what no column has stays
    assert_int_equal(plan->config->variables[0].register_addr, 40001);
    expect(plan, "device.csv:2 changed Boiler ip:10.5.16.82>10.5.16.83 byte_order:abcd>cdab\n"
                 "var.csv:2 changed Boiler/t1 mode:realtime>onchange unit:C>\n");
    expect(rig_plan(BASE, "device.csv", BOILER, NULL), "device.csv:2 unchanged Boiler\n");
}

static void knows_files_by_their_columns(void **state) {
    static const char *const headers[][2] = {
        {"var_name;DEVICE; data type ;register-addr\nx;Boiler;word;40002\n", "added Boiler/x"},
        {"Uploading Interval\tGroup Name\tPolling Interval\n5\tg\t1\n", "added g"},
        {"Group Name,Polling Interval,Upload Interval,Group Type\nw,1,--,ALARM\n", "added w"},
        {"Device Name,Protocol,Ip/Serial\nP,modbus-tcp,h\n", "added P"},
    };
    for (size_t i = 0; i < PS_COUNT(headers); i++) {
        rig_expect_parts(rig_plan(BASE, "f.csv", headers[i][0], NULL), &headers[i][1], 1);
    }
    static const char *const mistakes[] = {
        "a.csv failed: line 1: the columns ('x', ...) are those of no file",
        "b.csv failed: line 1: column 'var_name' is there twice",
        "c.csv failed: line 2, column 5: the quote that opens here is never closed",
        "note d.csv:0 0 Colour: is not known and is passed over",
    };
    PsPlan *plan = rig_plan(BASE, "a.csv", "x,y\n1,2\n", "b.csv", "Var Name,var_name,Device\n",
                            "c.csv", "Var Name,Device\nabc,\"\n", "d.csv",
                            "Var Name,Device,Colour\nt1,Boiler,red\n", NULL);
    assert_int_equal(plan->failed_files, 3);
    rig_expect_parts(plan, mistakes, PS_COUNT(mistakes));
}

static void names_row_column_and_cure(void **state) {
    static const struct {
        const char *row;
        const char *expected;
    } cases[] = {
        {",Boiler,,,,40001,0,WORD,read,2,realtime,,1,,default", "Var Name: is empty; fill it in"},
        {"x,,,,,40001,0,WORD,read,2,realtime,,1,,default", "Device: is empty; fill it in"},
        {"x,Nobody,,,,40001,0,WORD,read,2,realtime,,1,,default",
         "Device: there is no device 'Nobody' in penstock.json or in these files; import its "
         "device.csv"},
        {"x,Boiler,,,,4000l,0,WORD,read,2,realtime,,1,,default",
         "Register Addr: '4000l' is not a whole number"},
        {"x,Boiler,,,,40001.5,0,WORD,read,2,realtime,,1,,default", "is not a whole number"},
        {"x,Boiler,,,,99999999999,0,WORD,read,2,realtime,,1,,default", "is not a whole number"},
        {"x,Boiler,,,,500000,0,WORD,read,2,realtime,,1,,default",
         "Register Addr: is 500000; it must be 0 to 465535"},
        {"x,Boiler,,,,,0,WORD,read,2,realtime,,1,,default", "Register Addr: is missing; add it"},
        {"x,Boiler,,,,25000,0,WORD,read,2,realtime,,1,,default", "Register Addr: is in no table"},
        {"x,Boiler,,,,40001,0,FLOT,read,2,realtime,,1,,default",
         "Data Type: 'FLOT' is not one of: BOOL, BIT"},
        {"x,Boiler,,,,40001,0,WORD,reed,7,realtime,,1,,default",
         "Read Write: 'reed' is not one of: read, write, read/write - Float Repr: is 7; it must"},
        {"x,Boiler,,,,40001,0,WORD,read,2,realtime,,1,,fast",
         "Group: there is no group 'fast' in penstock.json or in these files; import its "
         "group.csv"},
        {"x,Boiler,,,,40001,0,WORD,read,2,realtime,,1,,warning",
         "Group: 'warning' is an alarm group; name a collect group"},
        {"x,Boiler,,,,40001,0,WORD,read,2,realtime,,1,a,b,default",
         "the whole row: has 16 columns, the first row has 15"},
        {"x,Boiler,,,,40001,0,WORD,read,2,realtime,,1,\"a\nb\",default",
         "Desc: holds a control character"},
        {"x,Boiler,ISO-on-TCP,1,DB,14,0,WORD,read,2,realtime,,1,,default",
         "Protocol: ISO-on-TCP is not available in this version"},
        {"x,Boiler,Profinet,1,DB,14,0,WORD,read,2,realtime,,1,,default",
         "Protocol: 'Profinet' is no protocol that is known"},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        char text[1024];
        snprintf(text, sizeof text, VAR_HEADER "%s\n", cases[i].row);
        PsPlan *plan = rig_plan(BASE, "var.csv", text, NULL);
        assert_int_equal(plan->counts[PS_ROW_NOT_TAKEN], 1);
        assert_int_equal(plan->rows[0].line, 2);
        assert_non_null(plan->config); // without the row
        rig_expect_parts(plan, &cases[i].expected, 1);
    }
}

static void a_row_that_falls_takes_along_what_leans_on_it(void **state) {
    static const char *const parts[] = {
        "device.csv:2 not taken S7 - Protocol: ISO-on-TCP is not available",
        "device.csv:3 added Boiler",
        "var.csv:2 not taken S7/a - Device: device 'S7' is not taken: see line 2 of device.csv",
        "var.csv:3 not taken Boiler/b - Group: group 'g' is not taken: see line 2 of group.csv",
        "var.csv:4 added Boiler/c",
        "group.csv:2 not taken g - Polling Interval: is 0; it must be 0.01 to 3600 s",
    };
    PsPlan *plan =
        rig_plan(NULL, "device.csv",
                 DEVICE_HEADER "S7,ISO-on-TCP,h,102,,\nBoiler,ModbusTCP,h,502,1,abcd\n", "var.csv",
                 "Var Name,Device,Register Addr,Data Type,Group\na,S7,40001,WORD,\n"
                 "b,Boiler,40001,WORD,g\nc,Boiler,40001,WORD,\n",
                 "group.csv", "Group Name,Polling Interval\ng,0\n", NULL);
    assert_int_equal(plan->config->variable_count, 1);
    rig_expect_parts(plan, parts, PS_COUNT(parts));
}

static void a_change_that_falls_leaves_the_object_as_it_was(void **state) {
    PsPlan *plan = rig_plan(
        BASE, "var.csv", "Var Name,Device,Register Addr\nt1,Boiler,25000\nt1,Boiler,40002\n", NULL);
    assert_int_equal(plan->config->variables[0].register_addr, 40001);
    static const char *const parts[] = {
        "var.csv:2 not taken Boiler/t1 register_addr:40001>25000 - Register Addr: is in no table",
        "var.csv:3 not taken Boiler/t1 - Var Name: 't1' is in line 2 of var.csv already",
    };
    rig_expect_parts(plan, parts, PS_COUNT(parts));
}

// More rows than one look keeps findings for.
static void thousands_of_bad_rows_are_all_named(void **state) {
    enum {
        ROWS = 45000
    };
    PS_AUTO_BUF PsBuf text = {0};
    ps_buf_printf(&text, "Var Name,Device,Register Addr,Data Type\n");
    for (unsigned i = 0; i < ROWS; i++) {
        ps_buf_printf(&text, "v%u,Boiler,%u,WORD\n", i, i % 3 == 0 ? 40001 : 25000);
    }
    PsPlan *plan = rig_plan(BASE, "var.csv", (const char *)text.data, NULL);
    assert_int_equal(plan->counts[PS_ROW_ADDED], ROWS / 3);
    assert_int_equal(plan->counts[PS_ROW_NOT_TAKEN], ROWS - ROWS / 3);
    assert_int_equal(plan->config->variable_count, 1 + ROWS / 3);
    ps_plan_free(plan);
}

static void mistakes_that_no_row_brings_are_kept_apart(void **state) {
    static const char json[] =
        "{\"version\": 1, \"devices\": [{\"device_name\": \"D\", \"protocol\": \"ModbusTCP\", "
        "\"ip\": \"h\"}], \"vars\": [{\"var_name\": \"v\", \"device\": \"D\", \"data_type\": "
        "\"WORD\", \"register_addr\": 25000}], \"cloud\": {\"endpoint\": \"h\", \"client_id\": "
        "\"c\"}}";
    PsPlan *plan = rig_plan(json, "device.csv", BOILER, NULL);
    assert_null(plan->config);
    assert_int_equal(plan->counts[PS_ROW_ADDED], 1);
    static const char *const parts[] = {
        "rest penstock.json: var 'v' of device 'D': register_addr: is in no table",
        "rest penstock.json: cloud: cert: is missing",
    };
    rig_expect_parts(plan, parts, PS_COUNT(parts));
    // A row that mends the mistake is taken.
    plan = rig_plan("{\"version\": 1, \"vars\": [{\"var_name\": \"v\", \"device\": \"Boiler\", "
                    "\"data_type\": \"WORD\", \"register_addr\": 40001}]}",
                    "device.csv", BOILER, NULL);
    assert_non_null(plan->config);
    ps_plan_free(plan);
    PsFindings findings = {0};
    plan = NULL;
    assert_int_equal(ps_plan_new("/", "{\"vars\": {}}", 12, rig_check_for, &findings, &plan),
                     PS_ERR_INVALID);
    assert_null(plan);
    ps_findings_deinit(&findings);
}

#define MEASURE_HEADER                                                                             \
    "MeasuringPointName,ControllerName,GroupName,UploadType,DeadZonePercent,Data "                 \
    "Type,ArrayIndex,EnableBit,BitIndex,reverseBit,Address,Decimal,Len,CodeType,ReadWrite,Unit,"   \
    "Description,Transform Type,MaxValue,MinValue,MaxScale,MinScale,Gain,Offset,startBit,endBit,"  \
    "Pt,Ct,bitMap,msecSample,storageLwTSDB,pollCycle\n"

static void takes_measures_of_version_2(void **state) {
    PsPlan *plan = rig_plan(
        BASE, "measure.csv",
        MEASURE_HEADER
        "a,Boiler,default,periodic,,WORD,,0,0,0,4X0002,2,1,,rw,bar,x,none,,,,,,,,,,,0,0,0,0\n"
        "b,Boiler,default,onchange,5,BIT,,0,0,1,0X0001,2,1,,Read,,,,,,,,,,,,,,1,0,0,0\n"
        "c,Boiler,default,realtime,,INT,,1,7,0,3X0001,2,1,,ro,,,,,,,,,,,,,,0,1,1,1\n"
        "d,Boiler,default,Periodic,0,FLOAT,,0,0,0,4X10000,3,1,,Read/Write,,,zoom,,,,,2,1,,,,,0,0,0,"
        "0\n"
        "e,Boiler,default,never,,WORD,,0,0,0,4X0005,2,1,,ro,,,none,,,,,,,,,,,0,0,0,0\n"
        "f,Boiler,default,periodic,,DWORD,,1,20,0,4X0005,2,1,,ro,,,none,,,,,,,,,,,0,0,0,0\n"
        "g,Gone,default,periodic,,BIT,,0,0,0,40001.3,2,1,,ro,,,none,,,,,,,,,,,0,0,0,0\n"
        "h,Boiler,default,periodic,,STRING,,0,0,0,40050,2,8,GB2312,ro,,,gain,,,,,,,,,,,0,0,0,0\n"
        "i,Boiler,default,periodic,,WORD,,0,0,0,40000,2,1,,ro,,,none,,,,,,,,,,,0,0,0,0\n"
        "j,Boiler,default,periodic,,BIT,,0,0,0,40001.3,2,1,,ro,,,none,,,,,,,,,,,0,0,0,0\n",
        NULL);
    const PsVariable *v = plan->config->variables + 1;
    assert_int_equal(v[0].register_addr, 40002);
    assert_int_equal(v[0].access, PS_ACCESS_READ_WRITE);
    assert_int_equal(v[1].data_type, PS_TYPE_BOOL);
    assert_int_equal(v[1].register_addr, 1);
    assert_int_equal(v[2].data_type, PS_TYPE_BIT);
    assert_int_equal(v[2].register_bit, 7);
    assert_int_equal(v[3].register_addr, 410000);
    assert_int_equal(v[3].float_repr, 3);
    assert_int_equal(v[4].size, 8);
    assert_int_equal(v[5].register_bit, 3);
    static const char *const parts[] = {
        "measure.csv:6 not taken Boiler/e - UploadType: 'never' has no equal",
        "measure.csv:7 not taken Boiler/f - EnableBit: a single bit of DWORD cannot come over",
        "measure.csv:8 not taken Gone/g - ControllerName: there is no device 'Gone'",
        "measure.csv:10 not taken Boiler/i - Address: '40000' means another register in 1.x",
        "note measure.csv:3 1 DeadZonePercent: dead zones are not available",
        "note measure.csv:3 1 reverseBit: bits are not inverted",
        "note measure.csv:4 1 msecSample: ",
        "note measure.csv:4 1 storageLwTSDB: ",
        "note measure.csv:4 1 pollCycle: ",
        "note measure.csv:5 2 Transform Type: calculations are not available",
        "note measure.csv:9 1 CodeType: ",
    };
    rig_expect_parts(plan, parts, PS_COUNT(parts));
}

static void takes_groups_of_version_2(void **state) {
    PsPlan *plan =
        rig_plan(BASE, "group.csv",
                 "GroupName,UploadInterval,EnablePerOnchange,OnchangePeriod,LwTSDBSize,strategy,"
                 "storagePeriod,historyDataPath\n"
                 "default,30,0,60,1000,1,10,/x\nslow,60,1,600,1000,1,10,/x\n",
                 NULL);
    const PsGroup *groups = plan->config->groups;
    assert_true(groups[0].upload_interval == 30 && groups[0].polling_interval == 10);
    assert_string_equal(groups[1].name, "slow");
    assert_true(groups[1].polling_interval == 60);
    static const char *const parts[] = {
        "group.csv:2 changed default upload_interval:10>30\n",
        "group.csv:3 added slow\n",
        "note group.csv:3 1 UploadInterval: is taken as the polling interval, too",
        "note group.csv:3 1 EnablePerOnchange: ",
        "note group.csv:2 2 LwTSDBSize: there is no local history",
    };
    rig_expect_parts(plan, parts, PS_COUNT(parts));
}

// Whatever is changed in sound files, each mistake has a line and a column or a place.
static void damage_never_goes_unnamed(void **state) {
    static const char sound[] = VAR_HEADER
        "SP1,Boiler,ModbusTCP,0,I,40001,3,BOOL,read/write,2,realtime,,1,,default\n"
        "\"S\nP2\",Boiler,ModbusTCP,0,,30002,0,WORD,read,2,onchange,bar,1,\"a, b\",default\n";
    unsigned random = 7;
    size_t not_taken = 0;
    for (unsigned round = 0; round < 3000; round++) {
        char text[sizeof sound];
        memcpy(text, sound, sizeof sound);
        for (unsigned i = 0; i <= round % 4; i++) {
            random = random * 1664525U + 1013904223U;
            char byte = (char)(random >> 24);
            text[(random >> 7) % (sizeof sound - 1)] = byte != '\0' ? byte : ',';
        }
        PsPlan *plan = rig_plan(BASE, "var.csv", text, NULL);
        assert_non_null(plan->config);
        for (uint32_t i = 0; i < plan->row_count; i++) {
            const PsPlanRow *row = &plan->rows[i];
            assert_true(row->line >= 2 && row->line <= 8);
            assert_int_equal(row->state == PS_ROW_NOT_TAKEN, row->problem_count > 0);
            not_taken += row->state == PS_ROW_NOT_TAKEN;
        }
        assert_true(plan->failed_files == 0 || strncmp(plan->files[0].failure, "line ", 5) == 0);
        ps_plan_free(plan);
    }
    assert_true(not_taken > 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_documented_rows),
        cmocka_unit_test(takes_devices_behind_serial_ports),
        cmocka_unit_test(updates_by_name_and_tells_what_changes),
        cmocka_unit_test(knows_files_by_their_columns),
        cmocka_unit_test(names_row_column_and_cure),
        cmocka_unit_test(a_row_that_falls_takes_along_what_leans_on_it),
        cmocka_unit_test(a_change_that_falls_leaves_the_object_as_it_was),
        cmocka_unit_test(thousands_of_bad_rows_are_all_named),
        cmocka_unit_test(mistakes_that_no_row_brings_are_kept_apart),
        cmocka_unit_test(takes_measures_of_version_2),
        cmocka_unit_test(takes_groups_of_version_2),
        cmocka_unit_test(damage_never_goes_unnamed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
