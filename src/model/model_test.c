// The configuration: what is accepted, how each mistake is named, writing back, topics, schema.
// Pure apart from a temporary folder for scripts.
#include "base/file.h"
#include "model/config.h"
#include "model/config_test_rig.h"
#include "model/operand.h"
#include "model/schema.h"
#include "model/topic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

static char folder[] = "/tmp/penstock-model-XXXXXX";

static void put_file(const char *name, const char *text, mode_t mode) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(ps_file_write(path, text, strlen(text), mode, NULL), PS_OK);
}

static int make_folder(void **state) {
    assert_non_null(mkdtemp(folder));
    char path[256];
    snprintf(path, sizeof path, "%s/s", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    put_file("s/up.py", "def main(d, w):\n    return d\n", 0644);
    put_file("s/down.py", "def main(t, p, w):\n    pass\n", 0644);
    put_file("c.pem", "x", 0644);
    put_file("k.pem", "x", 0600);
    return 0;
}

static int remove_folder(void **state) {
    static const char *const names[] = {"s/up.py", "s/down.py", "c.pem", "k.pem", "s", ""};
    char path[256];
    for (size_t i = 0; i < PS_COUNT(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)remove(path);
    }
    return 0;
}

#define DEVICE "{\"device_name\": \"D\", \"protocol\": \"ModbusTCP\", \"ip\": \"127.0.0.1\"}"
#define VARIABLE                                                                                   \
    "{\"var_name\": \"V\", \"device\": \"D\", \"data_type\": \"WORD\", \"register_addr\": 40001}"
#define CLOUD                                                                                      \
    "{\"endpoint\": \"h\", \"client_id\": \"c\", \"cert\": \"c.pem\", \"key\": \"k.pem\", "        \
    "\"root_ca\": \"c.pem\"}"

static PsErr accept_variable(const PsDevice *device, const PsVariable *variable, PsDiag *diag) {
    if (variable->register_addr == 25000) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, "register_addr", "is in no table");
    }
    return PS_OK;
}

static PsVariableCheck *check_for(int protocol) {
    return protocol == PS_PROTOCOL_MODBUS_TCP ? accept_variable : NULL;
}

static PsConfig *parse(const char *json, PsFindings *findings) {
    PsConfig *config = NULL;
    PsErr err = ps_config_parse(folder, json, strlen(json), check_for, findings, &config);
    assert_int_equal(err == PS_OK, config != NULL);
    assert_int_equal(err == PS_OK, findings->errors == 0);
    return config;
}

// The text of all findings, one a line.
static void explain(const char *json, char *out, size_t size) {
    PsFindings findings = {0};
    PsConfig *config = parse(json, &findings);
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < findings.count; i++) {
        char line[1024];
        ps_finding_format(&findings.items[i], line, sizeof line);
        used += (size_t)snprintf(out + used, size - used, "%s\n", line);
        assert_true(used < size);
    }
    ps_findings_deinit(&findings);
    ps_config_free(config);
}

static void loads_defaults(void **state) {
    PsFindings findings = {0};
    PsConfig *config = parse("{\"version\": 1, \"devices\": [" DEVICE "], \"vars\": [" VARIABLE
                             "], \"cloud\": " CLOUD
                             ", \"publish\": [{\"name\": \"p\", \"topic\": \"a/b\", \"groups\": "
                             "[\"default\"], \"main_function\": \"main\", \"script\": "
                             "\"s/up.py\"}]}",
                             &findings);
    assert_non_null(config);
    assert_int_equal(config->devices[0].port, 502);
    assert_int_equal(config->devices[0].slave, 1);
    assert_int_equal(config->group_count, 2);
    assert_string_equal(config->groups[0].name, "default");
    assert_int_equal(config->groups[0].variable_count, 1);
    assert_true(config->groups[0].polling_interval == 10);
    assert_int_equal(config->variables[0].register_bit, PS_UNSET);
    assert_int_equal(config->variables[0].float_repr, 2);
    assert_int_equal(config->cloud.port, 8883);
    assert_true(config->cloud.clean_session);
    assert_int_equal(config->publish[0].qos, 1);
    assert_int_equal(config->publish[0].groups[0], 0);
    assert_true(config->publish[0].source.len > 10);
    assert_int_equal(config->parameters.catch_recording, 100000);
    ps_findings_deinit(&findings);
    ps_config_free(config);
}

static void names_each_mistake(void **state) {
    static const struct {
        const char *json;
        const char *expected;
    } cases[] = {
        {"{", "line 1, column 2: this is not strict JSON"},
        {"[]", "must be one object"},
        {"{}", "version: must be 1"},
        {"{\"version\": 1, \"version\": 1}", "not strict JSON"},
        {"{\"version\": 1, \"device\": []}",
         "device: is not a known block; did you mean 'devices'?"},
        {"{\"version\": 1, \"devices\": 5}", "devices: must be a list"},
        {"{\"version\": 1, \"devices\": [5]}", "devices[0]: must be an object"},
        {"{\"version\": 1, \"devices\": [{\"device_name\": \"D\", \"protocol\": \"ModbusTPC\", "
         "\"ip\": \"x\"}]}",
         "device 'D': protocol: 'ModbusTPC' is not one of: ModbusTCP"},
        {"{\"version\": 1, \"devices\": [{\"device_name\": \"D\", \"protocol\": \"OPCUA\", "
         "\"ip\": \"x\"}]}",
         "device 'D': protocol: OPCUA is not available in this version"},
        {"{\"version\": 1, \"devices\": [{\"device_name\": \"D\", \"protocol\": \"ModbusTCP\"}]}",
         "device 'D': ip: is missing; add it"},
        {"{\"version\": 1, \"devices\": [{\"device_name\": \"D\", \"protocol\": \"ModbusTCP\", "
         "\"ip\": \"x\", \"prot\": 502}]}",
         "device 'D': prot: is not a known key; did you mean 'port'?"},
        {"{\"version\": 1, \"devices\": [{\"device_name\": \"D\", \"protocol\": \"ModbusTCP\", "
         "\"ip\": \"x\", \"port\": 70000}]}",
         "device 'D': port: is 70000; it must be 1 to 65535"},
        {"{\"version\": 1, \"devices\": [{\"device_name\": \"D\", \"protocol\": \"ModbusTCP\", "
         "\"ip\": \"x\", \"port\": \"502\"}]}",
         "device 'D': port: must be a whole number without quotes"},
        {"{\"version\": 1, \"devices\": [" DEVICE ", " DEVICE "]}",
         "device 'D': device_name: is used twice"},
        {"{\"version\": 1, \"vars\": [" VARIABLE "]}", "var 'V' of device 'D': device: there is no "
                                                       "device 'D'"},
        {"{\"version\": 1, \"devices\": [" DEVICE "], \"vars\": [" VARIABLE ", " VARIABLE "]}",
         "var_name: is used twice in this device"},
        {"{\"version\": 1, \"devices\": [" DEVICE "], \"vars\": [{\"var_name\": \"V\", \"device\": "
         "\"D\", \"data_type\": \"WORD\", \"register_addr\": 25000}]}",
         "register_addr: is in no table"},
        {"{\"version\": 1, \"devices\": [" DEVICE "], \"vars\": [{\"var_name\": \"V\", \"device\": "
         "\"D\", \"group\": \"fast\", \"data_type\": \"WORD\", \"register_addr\": 40001}]}",
         "group: there is no group 'fast'"},
        {"{\"version\": 1, \"groups\": [{\"group_name\": \"default\", \"group_type\": \"alarm\"}]}",
         "group 'default': group_type: of the predefined group"},
        {"{\"version\": 1, \"groups\": [{\"group_name\": \"g\", \"polling_interval\": 0}]}",
         "polling_interval: is 0; it must be 0.01 to 3600 s"},
        {"{\"version\": 1, \"publish\": [{\"name\": \"p\", \"topic\": \"a/+\", \"groups\": "
         "[\"default\"], \"main_function\": \"main\", \"script\": \"s/up.py\"}]}",
         "topic: holds + or #"},
        {"{\"version\": 1, \"publish\": [{\"name\": \"p\", \"topic\": \"a\", \"groups\": "
         "[\"warning\"], \"main_function\": \"main\", \"script\": \"s/up.py\"}]}",
         "groups: 'warning' is an alarm group; name a collect group"},
        {"{\"version\": 1, \"publish\": [{\"name\": \"p\", \"topic\": \"a\", \"group_type\": "
         "\"alarm\", "
         "\"groups\": [\"warning\"], \"main_function\": \"main\", \"script\": \"s/up.py\"}]}",
         "groups: 'warning' has no alarms, so the script never runs for it"},
        {"{\"version\": 1, \"publish\": [{\"name\": \"p\", \"topic\": \"a\", \"qos\": 2, "
         "\"groups\": [\"default\"], \"main_function\": \"main\", \"script\": \"s/none.py\"}]}",
         "cannot read: No such file"},
        {"{\"version\": 1, \"publish\": [{\"name\": \"p\", \"topic\": \"a\", \"qos\": 2, "
         "\"groups\": [\"default\"], \"main_function\": \"main\", \"script\": \"s/up.py\"}]}",
         "qos: 2 is not offered by AWS IoT"},
        {"{\"version\": 1, \"cloud\": {\"endpoint\": \"h\", \"client_id\": \"c\"}}",
         "cloud: cert: is missing; AWS IoT needs"},
        {"{\"version\": 1, \"cloud\": {\"endpoint\": \"mqtts://h\", \"client_id\": \"c\", "
         "\"cert\": \"c.pem\", \"key\": \"k.pem\", \"root_ca\": \"gone.pem\"}}",
         "root_ca: "},
        {"{\"version\": 1, \"parameters\": {\"max_loss_s\": 5}}", "max_loss_s: is 5; it must be 0, "
                                                                  "1 or 10"},
        {"{\"version\": 1, \"parameters\": {\"custom\": {\"a\": 1}}}",
         "a: must be a text in quotes"},
        {"{\"version\": 1, \"warning\": [{}]}", "warning[0]: warn_name: is missing; add it"},
        {"{\"version\": 1, \"api\": [{}]}", "the web interface is not available"},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        char text[8192];
        explain(cases[i].json, text, sizeof text);
        if (strstr(text, cases[i].expected) == NULL) {
            fail_msg("%s\n gave: %s\n not: %s", cases[i].json, text, cases[i].expected);
        }
    }
}

// A configuration with one device, one variable of each kind that matters, and this alarm.
static void explain_alarm(const char *keys, char *out, size_t size) {
    char json[4096];
    snprintf(json, sizeof json,
             "{\"version\": 1, \"devices\": [" DEVICE ", {\"device_name\": \"E\", \"protocol\": "
             "\"EtherNet/IP\", \"ip\": \"h\"}], \"vars\": [" VARIABLE
             ", {\"var_name\": \"S\", \"device\": \"D\", \"data_type\": \"STRING\", "
             "\"register_addr\": 40010, \"size\": 8}, {\"var_name\": \"W\", \"device\": \"D\", "
             "\"data_type\": \"WORD\", \"register_addr\": 40002, \"read_write\": \"write\"}], "
             "\"warning\": [{\"warn_name\": \"A\", %s}]}",
             keys);
    explain(json, out, size);
}

static void names_mistakes_in_alarms(void **state) {
    static const struct {
        const char *keys;
        const char *expected;
    } cases[] = {
        {"\"quotes\": 1, \"device\": \"X\", \"var_name\": \"V\", \"condition1\": \"Eq\", "
         "\"operand1\": \"1\"",
         "alarm 'A': device: there is no device 'X'"},
        {"\"quotes\": 1, \"device\": \"D\", \"var_name\": \"X\", \"condition1\": \"Eq\", "
         "\"operand1\": \"1\"",
         "alarm 'A': var_name: device 'D' has no variable 'X'"},
        {"\"quotes\": 1, \"device\": \"D\", \"condition1\": \"Eq\", \"operand1\": \"1\"",
         "alarm 'A': var_name: device 'D' has no variable ''"},
        {"\"quotes\": 1, \"device\": \"D\", \"var_name\": \"W\", \"condition1\": \"Eq\", "
         "\"operand1\": \"1\"",
         "alarm 'A': var_name: 'W' is never read"},
        {"\"quotes\": 1, \"device\": \"D\", \"var_name\": \"V\", \"condition1\": \"Eq\", "
         "\"operand1\": \"1\", \"group\": \"fast\"",
         "alarm 'A': group: there is no group 'fast'"},
        {"\"quotes\": 1, \"device\": \"D\", \"var_name\": \"V\", \"condition1\": \"Eq\", "
         "\"operand1\": \"1\", \"group\": \"default\"",
         "alarm 'A': group: 'default' is a collect group; name an alarm group"},
        {"\"quotes\": 1, \"device\": \"D\", \"var_name\": \"V\", \"condition1\": \"Eq\", "
         "\"operand1\": \"1\", \"register_addr\": 40001",
         "alarm 'A': register_addr: belongs to an alarm with an address of its own"},
        {"\"quotes\": 1, \"device\": \"D\", \"var_name\": \"V\", \"condition1\": \"Eq\", "
         "\"operand1\": \"3x\"",
         "alarm 'A': operand1: '3x' is not a number"},
        {"\"quotes\": 1, \"device\": \"D\", \"var_name\": \"V\", \"condition1\": \"Eq\", "
         "\"operand1\": 30",
         "alarm 'A': operand1: must be a text in quotes"},
        {"\"quotes\": 1, \"device\": \"D\", \"var_name\": \"V\", \"condition1\": \"Gt\", "
         "\"operand1\": \"3\", \"combine_method\": \"Or\", \"condition2\": \"Lt\"",
         "alarm 'A': operand2: '' is not a number"},
        {"\"quotes\": 1, \"device\": \"D\", \"var_name\": \"V\", \"condition1\": \"Gt\", "
         "\"operand1\": \"3\", \"operand2\": \"4\"",
         "alarm 'A': operand2: does not count"},
        {"\"quotes\": 1, \"device\": \"D\", \"var_name\": \"V\", \"condition1\": \"Greater\", "
         "\"operand1\": \"3\"",
         "alarm 'A': condition1: 'Greater' is not one of: Eq, Neq, Gt, Gne, Lne, Lt"},
        {"\"quotes\": 1, \"device\": \"D\", \"var_name\": \"S\", \"condition1\": \"Gt\", "
         "\"operand1\": \"3\"",
         "alarm 'A': condition1: Gt orders numbers; a STRING takes Eq and Neq"},
        {"\"quotes\": 0, \"device\": \"E\", \"condition1\": \"Gt\", \"operand1\": \"hot\", "
         "\"symbol\": \"Tank.Level\"",
         "alarm 'A': operand1: 'hot' is not a number"},
        {"\"quotes\": 0, \"device\": \"E\", \"condition1\": \"Eq\", \"operand1\": \"1\"",
         "alarm 'A': symbol: is missing; an alarm with an address of its own"},
        {"\"quotes\": 1, \"device\": \"D\", \"var_name\": \"V\", \"condition1\": \"Eq\", "
         "\"operand1\": \"1\", \"dbnumber\": 3",
         "alarm 'A': dbnumber: belongs to an alarm with an address of its own"},
        {"\"quotes\": 0, \"device\": \"D\", \"condition1\": \"Eq\", \"operand1\": \"1\", "
         "\"register_addr\": 40001",
         "alarm 'A': data_type: is missing"},
        {"\"quotes\": 0, \"device\": \"D\", \"condition1\": \"Eq\", \"operand1\": \"1\", "
         "\"data_type\": \"WORD\"",
         "alarm 'A': register_addr: is missing"},
        {"\"quotes\": 0, \"device\": \"D\", \"condition1\": \"Eq\", \"operand1\": \"1\", "
         "\"data_type\": \"WORD\", \"register_addr\": 25000",
         "alarm 'A': register_addr: is in no table"},
        {"\"quotes\": 1, \"device\": \"D\", \"var_name\": \"S\", \"condition1\": \"Eq\", "
         "\"operand1\": \"3\", \"hysteresis\": 1",
         "alarm 'A': hysteresis: is for numbers, not for STRING"},
        {"\"quotes\": 1, \"device\": \"D\", \"var_name\": \"V\", \"condition1\": \"Gt\", "
         "\"operand1\": \"3\", \"combine_method\": \"Or\", \"condition2\": \"Neq\", "
         "\"operand2\": \"4\", \"hysteresis\": 1",
         "alarm 'A': hysteresis: cannot widen Neq"},
        {"\"quotes\": 1, \"device\": \"D\", \"var_name\": \"V\", \"condition1\": \"Gt\", "
         "\"operand1\": \"3\", \"on_delay\": -1",
         "alarm 'A': on_delay: is -1; it must be 0 to 86400"},
        {"\"quotes\": 2, \"device\": \"D\", \"condition1\": \"Eq\", \"operand1\": \"1\"",
         "alarm 'A': quotes: is 2; it must be 0 to 1"},
        {"\"device\": \"D\", \"condition1\": \"Eq\", \"operand1\": \"1\"}, {\"warn_name\": "
         "\"B\", \"quotes\": 1",
         "alarm 'A': quotes: is missing"},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        char text[8192];
        explain_alarm(cases[i].keys, text, sizeof text);
        if (strstr(text, cases[i].expected) == NULL) {
            fail_msg("%s\n gave: %s\n not: %s", cases[i].keys, text, cases[i].expected);
        }
    }
}

#define ALARM_HEAD "{\"device\": \"D\", \"condition1\": \"Gt\", \"operand1\": \"30\", "
#define ALARM_ONE ALARM_HEAD "\"warn_name\": \"one\", \"quotes\": 1, \"var_name\": \"V\"}"
#define ALARM_TWO                                                                                  \
    ALARM_HEAD "\"warn_name\": \"two\", \"quotes\": 1, \"var_name\": \"V\", "                      \
               "\"combine_method\": \"And\", \"condition2\": \"Lt\", \"operand2\": \"50\"}"
#define ALARM_THREE                                                                                \
    ALARM_HEAD "\"warn_name\": \"three\", \"quotes\": 1, \"var_name\": \"V\", \"group\": "         \
               "\"fast\"}"
#define ALARM_FOUR                                                                                 \
    ALARM_HEAD "\"warn_name\": \"four\", \"quotes\": 0, \"data_type\": \"FLOAT\", "                \
               "\"register_addr\": 30009, \"group\": \"fast\", \"hysteresis\": 0.5, "              \
               "\"off_delay\": 60}"
#define FAST "{\"group_name\": \"fast\", \"group_type\": \"alarm\", \"polling_interval\": 0.5}"

// Written and read again it is the same; the caller frees what comes back.
static PsConfig *read_back(const PsConfig *config, PsBuf *text) {
    PsFindings findings = {0};
    ps_config_write(config, text);
    PsConfig *again = parse((const char *)text->data, &findings);
    assert_non_null(again);
    PS_AUTO_BUF PsBuf second = {0};
    ps_config_write(again, &second);
    assert_string_equal((const char *)text->data, (const char *)second.data);
    ps_findings_deinit(&findings);
    return again;
}

static void gives_alarms_their_variables(void **state) {
    PsFindings findings = {0};
    PsConfig *config = parse("{\"version\": 1, \"devices\": [" DEVICE "], \"vars\": [" VARIABLE
                             "], \"groups\": [" FAST "], \"warning\": [" ALARM_ONE ", " ALARM_TWO
                             ", " ALARM_THREE ", " ALARM_FOUR "]}",
                             &findings);
    assert_non_null(config);
    assert_int_equal(findings.count, 0);
    assert_int_equal(config->variable_count, 1);
    assert_int_equal(config->watched_count, 3); // the first two share one
    const PsAlarm *alarms = config->alarms;
    assert_int_equal(alarms[0].watched, alarms[1].watched);
    assert_int_equal(alarms[2].variable, 0);
    const PsVariable *watched = &config->variables[alarms[2].watched];
    assert_int_equal(watched->register_addr, 40001);
    assert_string_equal(config->groups[watched->group].name, "fast");
    assert_int_equal(watched->group, alarms[2].group);
    watched = &config->variables[alarms[3].watched];
    assert_string_equal(watched->name, "four");
    assert_int_equal(watched->data_type, PS_TYPE_FLOAT);
    assert_int_equal(watched->register_addr, 30009);
    assert_int_equal(config->groups[alarms[3].group].alarm_count, 2);
    assert_int_equal(config->groups[alarms[3].group].variable_count, 2);
    PS_AUTO_BUF PsBuf text = {0};
    PsConfig *again = read_back(config, &text);
    assert_int_equal(again->alarm_count, 4);
    assert_int_equal(again->variable_count, 1);
    ps_findings_deinit(&findings);
    ps_config_free(config);
    ps_config_free(again);
}

static void reads_operands(void **state) {
    static const struct {
        const char *text;
        bool whole;
        double number;
    } good[] = {
        {"30", true, 30},
        {"-5", true, -5},
        {"+7", true, 7},
        {"0", true, 0},
        {"-0", true, 0},
        {"18446744073709551615", true, 18446744073709551615.0},
        {"18446744073709551616", false, 18446744073709551616.0},
        {"1.5", false, 1.5},
        {"2e3", false, 2000},
        {".5", false, 0.5},
    };
    PsOperand operand;
    for (size_t i = 0; i < PS_COUNT(good); i++) {
        assert_int_equal(ps_operand_parse(good[i].text, &operand), PS_OK);
        assert_int_equal(operand.whole, good[i].whole);
        assert_true(operand.number == good[i].number);
    }
    assert_int_equal(ps_operand_parse("-9223372036854775808", &operand), PS_OK);
    assert_true(operand.whole && operand.negative);
    assert_true(operand.magnitude == UINT64_C(9223372036854775808));
    static const char *const bad[] = {"",      " 1",  "1 ",  "0x10", "nan", "inf",
                                      "1e999", "1,5", "--1", "+",    "1e",  "true"};
    for (size_t i = 0; i < PS_COUNT(bad); i++) {
        assert_int_equal(ps_operand_parse(bad[i], &operand), PS_ERR_INVALID);
    }
}

static void lists_all_findings_of_a_run(void **state) {
    char text[8192];
    explain("{\"version\": 2, \"devices\": [{\"device_name\": \"D\", \"ip\": \"x\", \"port\": 0}], "
            "\"vars\": [{\"var_name\": \"V\"}], \"x\": 1}",
            text, sizeof text);
    assert_non_null(strstr(text, "version: must be"));
    assert_non_null(strstr(text, "device 'D': protocol: is missing"));
    assert_non_null(strstr(text, "device 'D': port: is 0"));
    assert_non_null(strstr(text, "var 'V': device: is missing"));
    assert_non_null(strstr(text, "x: is not a known block"));
}

static void writes_what_it_read(void **state) {
    PsFindings findings = {0};
    PsConfig *config =
        parse("{\"version\": 1, \"devices\": [" DEVICE "], \"vars\": [{\"var_name\": \"\\u00b0 "
              "\\\"x\\\"\", \"device\": \"D\", \"data_type\": \"FLOAT\", \"register_addr\": 30001, "
              "\"mode\": \"onchange\", \"read_write\": \"read/write\"}], \"groups\": "
              "[{\"group_name\": \"f\", \"polling_interval\": 0.05, \"upload_interval\": 0.1}], "
              "\"cloud\": " CLOUD
              ", \"publish\": [{\"name\": \"p\", \"topic\": \"a/${id}\", \"groups\": [\"default\", "
              "\"f\"], \"main_function\": \"main\", \"script\": \"s/up.py\"}], \"subscribe\": "
              "[{\"name\": \"s\", \"topic\": \"a/#\", \"qos\": 1, \"main_function\": \"main\", "
              "\"script\": \"s/down.py\"}], \"parameters\": {\"max_loss_s\": 0, \"custom\": "
              "{\"id\": \"7\"}}}",
              &findings);
    assert_non_null(config);
    PS_AUTO_BUF PsBuf first = {0};
    PsConfig *again = read_back(config, &first);
    assert_non_null(strstr((const char *)first.data, "\"polling_interval\": 0.05"));
    assert_non_null(strstr((const char *)first.data, "\"script\": \"s/up.py\""));
    assert_string_equal(again->variables[0].name, "\u00b0 \"x\"");
    ps_findings_deinit(&findings);
    ps_config_free(config);
    ps_config_free(again);
}

static void expands_parameters(void **state) {
    PsCustom custom[] = {{"id", "7"}, {"line", "L/1"}};
    PsConfig config = {.parameters = {.custom = custom, .custom_count = 2}};
    PS_AUTO_BUF PsBuf out = {0};
    const char *unknown = NULL;
    size_t len = 0;
    ps_config_expand(&config, "g/${id}/${line}/p", &out, &unknown, &len);
    assert_string_equal((const char *)out.data, "g/7/L/1/p");
    assert_null(unknown);
    ps_buf_clear(&out);
    ps_config_expand(&config, "${x}/${id}/${", &out, &unknown, &len);
    assert_string_equal((const char *)out.data, "${x}/7/${");
    assert_int_equal(len, 4);
    assert_memory_equal(unknown, "${x}", 4);
}

static void matches_topics(void **state) {
    static const struct {
        const char *filter;
        const char *topic;
        bool match;
    } cases[] = {
        {"a/b", "a/b", true},     {"a/b", "a/bc", false},     {"a/+", "a/b", true},
        {"a/+", "a/b/c", false},  {"a/+", "a/", true},        {"a/#", "a", true},
        {"a/#", "a/b/c", true},   {"#", "a/b", true},         {"#", "$aws/x", false},
        {"+/x", "$aws/x", false}, {"$aws/#", "$aws/x", true}, {"+", "a", true},
        {"+/+", "/a", true},      {"a", "a/", false},         {"ab", "a", false},
        {"a/+/c", "a/b/c", true}, {"a/+/c", "a/b/d", false},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        if (ps_topic_matches(cases[i].filter, cases[i].topic) != cases[i].match) {
            fail_msg("%s against %s", cases[i].filter, cases[i].topic);
        }
    }
}

static void checks_topics(void **state) {
    char longest[300];
    memset(longest, 'a', sizeof longest);
    longest[257] = '\0';
    assert_int_equal(ps_topic_check_name(longest, true, NULL), PS_ERR_TOO_BIG);
    assert_int_equal(ps_topic_check_name(longest, false, NULL), PS_OK);
    assert_int_equal(ps_topic_check_name("1/2/3/4/5/6/7/8", true, NULL), PS_OK);
    assert_int_equal(ps_topic_check_name("1/2/3/4/5/6/7/8/9", true, NULL), PS_ERR_INVALID);
    static const char *const forbidden[] = {"a\x01",        "\x7f/b",       "a\xc2\x85z",
                                            "\xef\xb7\x90", "\xef\xbf\xbf", "x\xf0\x9f\xbf\xbe"};
    for (size_t i = 0; i < PS_COUNT(forbidden); i++) {
        assert_int_equal(ps_topic_check_name(forbidden[i], false, NULL), PS_ERR_INVALID);
        assert_int_equal(ps_topic_check_filter(forbidden[i], false, NULL), PS_ERR_INVALID);
    }
    assert_int_equal(ps_topic_check_name("\xc3\xa9/\xef\xbf\xbd/\xf0\x9f\x98\x80", true, NULL),
                     PS_OK);
    assert_int_equal(ps_topic_check_name("$aws/rules/r/1/2/3/4/5/6/7/8", true, NULL), PS_OK);
    assert_int_equal(ps_topic_check_name("", false, NULL), PS_ERR_INVALID);
    assert_int_equal(ps_topic_check_name("a\xff", false, NULL), PS_ERR_INVALID);
    assert_int_equal(ps_topic_check_filter("a/#/b", false, NULL), PS_ERR_INVALID);
    assert_int_equal(ps_topic_check_filter("a+/b", false, NULL), PS_ERR_INVALID);
    assert_int_equal(ps_topic_check_filter("+/b/#", true, NULL), PS_OK);
}

// What decides a default comes after it in the file here.
static void a_port_that_is_the_protocols_is_not_written(void **state) {
    static const struct {
        const char *protocol;
        int port;
    } cases[] = {{"ModbusTCP", 502},
                 {"ModbusRTU", 502},
                 {"ISO-on-TCP", 102},
                 {"OPCUA", 4840},
                 {"EtherNet/IP", 44818}};
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        char text[256];
        PS_AUTO_BUF PsBuf written = {0};
        snprintf(text, sizeof text,
                 "{\"version\": 1, \"devices\": [{\"ip\": \"h\", \"device_name\": \"A\", "
                 "\"protocol\": \"%s\"}, {\"port\": %d, \"ip\": \"h\", \"device_name\": \"B\", "
                 "\"protocol\": \"%s\"}]}",
                 cases[i].protocol, cases[i].port, cases[i].protocol);
        PsConfig *config = ps_test_config(folder, text);
        assert_int_equal(config->devices[0].port, cases[i].port);
        assert_int_equal(config->devices[1].port, cases[i].port);
        ps_config_write(config, &written);
        assert_null(strstr((const char *)written.data, "port"));
        ps_config_free(config);
    }
}

static void schema_is_json_and_names_every_key(void **state) {
    PS_AUTO_BUF PsBuf out = {0};
    ps_schema_write_json(&out);
    json_t *schema = json_loadb((const char *)out.data, out.len, 0, NULL);
    assert_non_null(schema);
    const json_t *properties = json_object_get(schema, "properties");
    const json_t *device = json_object_get(json_object_get(properties, "devices"), "items");
    device = json_object_get(device, "properties");
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(device, "slave"), "default")), 1);
    // The protocol decides.
    assert_null(json_object_get(json_object_get(device, "port"), "default"));
    device = json_object_get(json_object_get(properties, "devices"), "items");
    assert_int_equal(json_array_size(json_object_get(device, "required")), 2);
    const json_t *alarm = json_object_get(json_object_get(properties, "warning"), "items");
    assert_int_equal(json_array_size(json_object_get(alarm, "required")), 5);
    json_decref(schema);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_defaults),
        cmocka_unit_test(names_each_mistake),
        cmocka_unit_test(names_mistakes_in_alarms),
        cmocka_unit_test(gives_alarms_their_variables),
        cmocka_unit_test(reads_operands),
        cmocka_unit_test(lists_all_findings_of_a_run),
        cmocka_unit_test(writes_what_it_read),
        cmocka_unit_test(expands_parameters),
        cmocka_unit_test(matches_topics),
        cmocka_unit_test(checks_topics),
        cmocka_unit_test(a_port_that_is_the_protocols_is_not_written),
        cmocka_unit_test(schema_is_json_and_names_every_key),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
