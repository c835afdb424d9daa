// Plans with alarms: warn.csv of version 1, alarm.csv of version 2. Pure.
#include "exchange/plan_test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BASE                                                                                       \
    "{\"version\": 1, \"devices\": [{\"device_name\": \"Boiler\", \"protocol\": \"ModbusTCP\", "   \
    "\"ip\": \"10.5.16.82\"}], \"vars\": [{\"var_name\": \"t1\", \"device\": \"Boiler\", "         \
    "\"data_type\": \"FLOAT\", \"register_addr\": 40001}, {\"var_name\": \"s\", \"device\": "      \
    "\"Boiler\", \"data_type\": \"STRING\", \"register_addr\": 40011, \"size\": 8}], "             \
    "\"warning\": [{\"warn_name\": \"old\", \"quotes\": 0, \"device\": \"Boiler\", "               \
    "\"data_type\": \"WORD\", \"register_addr\": 40005, \"condition1\": \"Gt\", \"operand1\": "    \
    "\"5\"}]}"
#define HEADER                                                                                     \
    "Warn Name,Group,Quotes,Device,Var Name,Condition1,Operand1,Combine Method,Condition2,"        \
    "Operand2,Alarm Content,Register Addr,Dbnumber,Data Type,Symbol,Register Type,Register Bit,"   \
    "Namespace Index,Identifier,Identifier Type,Float Repr\n"

static void takes_alarms_on_variables_and_on_addresses(void **state) {
    PsPlan *plan =
        rig_plan(BASE, "warn.csv",
                 HEADER "hot,warning,1,Boiler,t1,Gt,30,And,Lt,50,too hot,0,0,WORD,,,0,,,,2\n"
                        "bit,warning,0,Boiler,,Eq,1,None,Eq,,open,40007,0,BIT,,,0,,,,2\n"
                        "raw,fast,0,Boiler,x,>=,-1.5,||,!=,7,,30001,0,FLOAT,,,0,,,,3\n"
                        "old,,1,Boiler,t1,Lne,1,None,Eq,,,0,0,,,,0,,,,2\n",
                 "group.csv",
                 "Group Name,Polling Interval,Upload Interval,Group Type\nfast,1,,alarm\n", NULL);
    const PsAlarm *alarms = plan->config->alarms;
    assert_string_equal(alarms[0].name, "old");
    assert_int_equal(alarms[0].quotes, 1);
    assert_int_equal(alarms[0].register_addr, PS_UNSET);
    assert_string_equal(alarms[0].group_name, "warning");
    assert_int_equal(alarms[1].quotes, 1);
    assert_int_equal(alarms[1].data_type, PS_UNSET); // files have one there all the same
    assert_int_equal(alarms[1].combine, PS_COMBINE_AND);
    assert_string_equal(alarms[1].conditions[1].operand, "50");
    assert_string_equal(alarms[1].content, "too hot");
    assert_int_equal(alarms[2].register_bit, 0);
    assert_int_equal(alarms[3].register_bit, PS_UNSET);
    assert_int_equal(alarms[3].conditions[0].compare, PS_COMPARE_GNE);
    assert_int_equal(alarms[3].conditions[1].compare, PS_COMPARE_NEQ);
    assert_int_equal(alarms[3].combine, PS_COMBINE_OR);
    assert_string_equal(plan->config->groups[alarms[3].group].name, "fast");
    static const char *const parts[] = {
        "warn.csv:2 added hot\nwarn.csv:3 added bit\nwarn.csv:4 added raw\n",
        "warn.csv:5 changed old quotes:0>1 var_name:>t1 condition1:Gt>Lne operand1:5>1 "
        "data_type:WORD> register_addr:40005>\n",
    };
    rig_expect_parts(plan, parts, PS_COUNT(parts));
}

static void names_what_is_wrong_with_an_alarm(void **state) {
    static const struct {
        const char *row;
        const char *expected;
    } cases[] = {
        {"a,warning,1,Boiler,gone,Gt,30,None,Eq,,", "Var Name: there is no variable 'gone' in"},
        {"a,warning,1,Gone,t1,Gt,30,None,Eq,,", "Device: there is no device 'Gone' in"},
        {"a,warning,2,Boiler,t1,Gt,30,None,Eq,,", "Quotes: is 2; it must be 0 to 1"},
        {"a,warning,,Boiler,t1,Gt,30,None,Eq,,", "Quotes: is missing; add it"},
        {"a,default,1,Boiler,t1,Gt,30,None,Eq,,", "Group: 'default' is a collect group"},
        {"a,fast,1,Boiler,t1,Gt,30,None,Eq,,", "Group: there is no group 'fast' in"},
        {"a,warning,1,Boiler,t1,Big,30,None,Eq,,", "Condition1: 'Big' is not one of: Eq, Neq"},
        {"a,warning,1,Boiler,t1,Gt,hot,None,Eq,,", "Operand1: 'hot' is not a number"},
        {"a,warning,1,Boiler,s,Gt,hot,None,Eq,,", "Condition1: Gt orders numbers"},
        {"a,warning,1,Boiler,t1,Gt,1,Xor,Eq,,", "Combine Method: 'Xor' is not one of: None"},
        {"a,warning,0,Boiler,,Gt,1,None,Eq,,", "Data Type: is missing"},
        {"a,warning,0,Boiler,,Gt,1,None,Eq,,,25000,0,WORD", "Register Addr: is in no table"},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        char text[1024];
        snprintf(text, sizeof text, HEADER "%s\n", cases[i].row);
        PsPlan *plan = rig_plan(BASE, "warn.csv", text, NULL);
        assert_int_equal(plan->counts[PS_ROW_NOT_TAKEN], 1);
        assert_int_equal(plan->config->alarm_count, 1);
        rig_expect_parts(plan, &cases[i].expected, 1);
    }
}

static void an_alarm_falls_with_its_variable(void **state) {
    PsPlan *plan =
        rig_plan(BASE, "warn.csv", HEADER "a,warning,1,Boiler,bad,Gt,30\n", "var.csv",
                 "Var Name,Device,Register Addr,Data Type\nbad,Boiler,25000,WORD\n", NULL);
    static const char *const parts[] = {
        "warn.csv:2 not taken a - Var Name: variable 'bad' is not taken: see line 2 of var.csv"};
    rig_expect_parts(plan, parts, PS_COUNT(parts));
}

static void a_decimal_comma_belongs_to_semicolons(void **state) {
    PsPlan *plan = rig_plan(BASE, "warn.csv",
                            "Warn Name;Quotes;Device;Var Name;Condition1;Operand1\n"
                            "a;1;Boiler;t1;Gt;1,5\nb;1;Boiler;s;Eq;x,y\nc;1;Boiler;t1;Gt;1,5,0\n",
                            NULL);
    assert_string_equal(plan->config->alarms[1].conditions[0].operand, "1.5");
    assert_string_equal(plan->config->alarms[2].conditions[0].operand, "x,y");
    static const char *const parts[] = {
        "warn.csv:4 not taken c - Operand1: '1,5,0' is not a number"};
    rig_expect_parts(plan, parts, PS_COUNT(parts));
}

static void takes_alarms_of_version_2(void **state) {
    PsPlan *plan = rig_plan(
        BASE, "alarm.csv",
        "AlarmName,ControllerName,MeasuringPointName,AlarmLevel,Condition1,Operand1,CombineMethod,"
        "Condition2,Operand2,AlarmContent,AlarmTag\n"
        "a,Boiler,t1,3,egt,30,and,lt,50,hot,default\n"
        "b,Boiler,t1,1,Gt,30,None,,,,line2\n"
        "old,Boiler,t1,1,Gt,5,None,,,,\n",
        NULL);
    const PsAlarm *alarms = plan->config->alarms;
    assert_int_equal(alarms[0].quotes, 1); // it had an address of its own
    assert_int_equal(alarms[1].conditions[0].compare, PS_COMPARE_GNE);
    assert_int_equal(alarms[1].combine, PS_COMBINE_AND);
    assert_string_equal(alarms[1].group_name, "warning");
    static const char *const parts[] = {
        "note alarm.csv:2 1 AlarmLevel: alarms have no levels",
        "alarm.csv:3 not taken b - AlarmTag: there is no group 'line2' in",
        "alarm.csv:4 changed old quotes:0>1",
    };
    rig_expect_parts(plan, parts, PS_COUNT(parts));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_alarms_on_variables_and_on_addresses),
        cmocka_unit_test(names_what_is_wrong_with_an_alarm),
        cmocka_unit_test(an_alarm_falls_with_its_variable),
        cmocka_unit_test(a_decimal_comma_belongs_to_semicolons),
        cmocka_unit_test(takes_alarms_of_version_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
