// Imports of devices and variables of every protocol: the columns of each, notations of S7
// addresses, and defaults in columns that do not count. Pure.
#include "exchange/plan_test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define DEVICE_HEADER                                                                              \
    "Device Name,Protocol,Ip/Serial,Port,Rack,Slot,Mode,Client Tsap,Server Tsap,Slave,Byte Order," \
    "Url,Auth,Security Policy,Security Mode\n"
#define VAR_HEADER                                                                                 \
    "Var Name,Device,Protocol,Dbnumber,Register Type,Register Addr,Register Bit,Symbol,Namespace " \
    "Index,Identifier,Identifier Type,Array Index,Data Type\n"
#define BASE                                                                                       \
    "{\"version\": 1, \"devices\": ["                                                              \
    "{\"device_name\": \"S\", \"protocol\": \"ISO-on-TCP\", \"ip\": \"s\"}, "                      \
    "{\"device_name\": \"E\", \"protocol\": \"EtherNet/IP\", \"ip\": \"e\"}, "                     \
    "{\"device_name\": \"U\", \"protocol\": \"OPCUA\", \"ip\": \"u\"}, "                           \
    "{\"device_name\": \"M\", \"protocol\": \"ModbusTCP\", \"ip\": \"m\"}]}"

static int every_protocol(void **state) {
    rig_every_protocol = true;
    return 0;
}

static void devices_of_each_protocol(void **state) {
    PsPlan *plan =
        rig_plan(NULL, "device.csv",
                 DEVICE_HEADER "S,ISO-on-TCP,10.0.0.1,102,0,2,Rack/Slot,,,,,,,,\n"
                               "L,ISO on TCP,10.0.0.2,102,0,0,tsap,02.00,02.01,1,,,,,\n"
                               "E,EIP,10.0.0.3,44818,0,1,Rack/Slot,,,1,abcd,,,,\n"
                               "U,OPC UA,,,0,0,,,,1,abcd,opc.tcp://plc:4841,Anonymous,"
                               "Basic256Sha256,Sign & Encrypt\n"
                               "M,Modbus TCP,10.0.0.5,,0,3,Rack/Slot,10.00,,7,cdab,,,,\n",
                 NULL);
    assert_non_null(plan->config);
    const PsDevice *devices = plan->config->devices;
    assert_int_equal(devices[0].slot, 2);
    assert_int_equal(devices[0].port, 102);
    assert_int_equal(devices[1].s7_mode, PS_S7_TSAP);
    assert_string_equal(devices[1].server_tsap, "02.01");
    assert_int_equal(devices[2].slot, 1);
    assert_string_equal(devices[3].url, "opc.tcp://plc:4841");
    assert_int_equal(devices[3].security_mode, PS_OPCUA_MODE_SIGN_ENCRYPT);
    assert_int_equal(devices[4].slot, 0); // does not count there
    assert_int_equal(devices[4].slave, 7);
    assert_int_equal(plan->rest.count, 0);
    ps_plan_free(plan);
}

static void variables_of_each_protocol(void **state) {
    PsPlan *plan = rig_plan(BASE, "var.csv",
                            VAR_HEADER "SP1,S,ISO-on-TCP,0,I,0,0,,,,,,BOOL\n"
                                       "a,S,ISO-on-TCP,6,DB,14,0,,,,,,DWORD\n"
                                       "b,S,ISO-on-TCP,0,A,3,,,,,,,WORD\n"
                                       "c,E,EtherNet/IP,0,,0,0,ZB.LEN.16,0,,String,,\n"
                                       "d,U,OPCUA,0,I,0,0,,2,Tank.Level,String,,\n"
                                       "e,U,,0,,0,0,,2,1001,Numeric,3,DINT\n"
                                       "f,M,ModbusTCP,0,I,40001,0,,0,,String,,WORD\n",
                            NULL);
    PS_AUTO_BUF PsBuf text = {0};
    rig_tell(plan, &text);
    assert_string_equal((const char *)text.data,
                        "var.csv:2 added S/SP1\nvar.csv:3 added S/a\nvar.csv:4 added S/b\n"
                        "var.csv:5 added E/c\nvar.csv:6 added U/d\nvar.csv:7 added U/e\n"
                        "var.csv:8 added M/f\n");
    const PsVariable *variables = plan->config->variables;
    assert_int_equal(variables[0].register_type, PS_S7_INPUTS);
    assert_int_equal(variables[0].register_bit, 0);
    assert_int_equal(variables[1].dbnumber, 6);
    assert_int_equal(variables[1].register_bit, PS_UNSET);
    assert_int_equal(variables[2].register_type, PS_S7_OUTPUTS);
    assert_string_equal(variables[3].symbol, "ZB.LEN.16");
    assert_int_equal(variables[3].data_type, PS_TYPE_AUTO);
    assert_int_equal(variables[3].register_addr, PS_UNSET);
    assert_string_equal(variables[4].identifier, "Tank.Level");
    assert_int_equal(variables[4].register_type, PS_UNSET);
    assert_int_equal(variables[5].identifier_type, PS_IDENTIFIER_NUMBER);
    assert_int_equal(variables[5].array_index, 3);
    assert_int_equal(variables[6].register_type, PS_UNSET);
    ps_plan_free(plan);
}

static void the_address_may_be_in_s7_notation(void **state) {
    PsPlan *plan = rig_plan(BASE, "var.csv",
                            VAR_HEADER "a,S,ISO-on-TCP,0,,%DB6.DBD18,0,,,,,,FLOAT\n"
                                       "b,S,,,,M10.2,,,,,,,\n"
                                       "c,S,,6,DB,DB6.DBX2.0,0,,,,,,BOOL\n",
                            "measure.csv",
                            "MeasuringPointName,ControllerName,DataType,Address,BitIndex\n"
                            "d,S,BIT,DB6.2.5,0\ne,S,WORD,EW4,0\n",
                            NULL);
    assert_int_equal(plan->counts[PS_ROW_NOT_TAKEN], 0);
    const PsVariable *variables = plan->config->variables;
    assert_int_equal(variables[0].dbnumber, 6);
    assert_int_equal(variables[0].register_addr, 18);
    assert_int_equal(variables[0].data_type, PS_TYPE_FLOAT);
    assert_int_equal(variables[1].register_type, PS_S7_FLAGS);
    assert_int_equal(variables[1].register_bit, 2);
    assert_int_equal(variables[1].data_type, PS_TYPE_BOOL);
    assert_int_equal(variables[2].register_bit, 0);
    assert_int_equal(variables[3].register_bit, 5);
    assert_int_equal(variables[4].register_type, PS_S7_INPUTS);
    ps_plan_free(plan);
}

static void what_is_wrong_is_told(void **state) {
    static const char *const parts[] = {
        "is no S7 address: the number of the byte is missing; write one like DB6.DBD18",
        "var.csv:3 not taken S/b - Dbnumber: is 7, but the address says 6; correct one of them",
        "var.csv:4 not taken S/c - Register Type: 'X' is not one of: I, Q, M, DB",
        "device.csv:2 not taken D - Client Tsap: '1000' is no TSAP",
    };
    PsPlan *plan =
        rig_plan(BASE, "var.csv",
                 VAR_HEADER "a,S,ISO-on-TCP,0,,DB6.DBW,0,,,,,,WORD\n"
                            "b,S,ISO-on-TCP,7,,DB6.DBW2,0,,,,,,WORD\n"
                            "c,S,ISO-on-TCP,0,X,2,0,,,,,,WORD\n",
                 "device.csv", DEVICE_HEADER "D,ISO-on-TCP,h,102,0,0,TSAP,1000,,,,,,,\n", NULL);
    rig_expect_parts(plan, parts, PS_COUNT(parts));
}

#define WARN_HEADER                                                                                \
    "Warn Name,Group,Quotes,Device,Var Name,Condition1,Operand1,Register Addr,Dbnumber,Data "      \
    "Type,Symbol,Register Type,Register Bit,Namespace Index,Identifier,Identifier Type\n"

static void alarms_with_addresses_of_their_own(void **state) {
    PsPlan *plan = rig_plan(BASE, "warn.csv",
                            WARN_HEADER "a,warning,0,S,,Gt,3,14,6,WORD,,DB,0,0,,String\n"
                                        "b,warning,0,E,,Eq,on,0,0,,Tank.Level,,0,0,,String\n"
                                        "c,warning,0,U,,Eq,1,0,0,,,,0,2,Level,String\n"
                                        "d,warning,0,S,,Eq,1,I0.1,0,,,,0,0,,\n",
                            NULL);
    assert_int_equal(plan->counts[PS_ROW_NOT_TAKEN], 0);
    const PsConfig *config = plan->config;
    assert_int_equal(config->variables[config->alarms[0].watched].dbnumber, 6);
    assert_string_equal(config->variables[config->alarms[1].watched].symbol, "Tank.Level");
    assert_int_equal(config->variables[config->alarms[1].watched].data_type, PS_TYPE_AUTO);
    assert_int_equal(config->variables[config->alarms[2].watched].namespace_index, 2);
    assert_int_equal(config->variables[config->alarms[3].watched].register_bit, 1);
    assert_int_equal(plan->rest.count, 0);
    ps_plan_free(plan);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_of_each_protocol),
        cmocka_unit_test(variables_of_each_protocol),
        cmocka_unit_test(the_address_may_be_in_s7_notation),
        cmocka_unit_test(what_is_wrong_is_told),
        cmocka_unit_test(alarms_with_addresses_of_their_own),
    };
    return cmocka_run_group_tests(tests, every_protocol, NULL);
}
