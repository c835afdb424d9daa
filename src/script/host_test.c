// The host with real workers: what scripts get, give and say, as the Device Supervisor contract
// has it. Failures of scripts are in host_failure_test.c.
#include "script/host_test_rig.h"

#include "base/file.h"
#include "base/mem.h"

#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char *seed_script(const char *name) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", getenv("PENSTOCK_SCRIPT_TESTDATA"), name);
    PsBuf text = {0};
    assert_int_equal(ps_file_read(path, 100000, &text, NULL), PS_OK);
    return (char *)text.data;
}

#define SEED_JSON                                                                                  \
    "[{\"Device\": \"Temperature_Sensor\", \"timestamp\": 1597305662.211609, "                     \
    "\"Data\": {\"Test\": 2}}]"

static void test_seed_return_script(void **state) {
    Rig *rig = rig_new();
    char *source = seed_script("seed_return.py");
    rig_publish(rig, "data_upload", "vars_upload_test", source, 0);
    rig_start(rig);
    rig_upload(rig, 0);
    rig_expect(rig, 0, SEED_JSON);
    assert_string_equal(rig->messages[0].topic, "plant/1");
    assert_int_equal(rig->messages[0].qos, 1);
    assert_int_equal(rig->messages[0].kind, PS_SCRIPT_PUBLISH);
    assert_true(rig->messages[0].collected.ns == INT64_C(1597305662211609000));
    assert_true(rig_logged(rig, "Build module: vars_upload_test, type: publish\n"));
    assert_true(rig_logged(rig, "Build OK.\n"));
    assert_true(rig_logged(rig, "[INFO] [<string> 20]: [{'Device': 'Temperature_Sensor', "
                                "'timestamp': 1597305662.211609, 'Data': {'Test': 2}}]\n"));
    free(source);
    rig_free(rig);
}

static void test_seed_awsiot_publish_script(void **state) {
    Rig *rig = rig_new();
    char *source = seed_script("seed_awsiot_publish.py");
    rig_publish(rig, "data_upload", "vars_upload_test", source, 0);
    rig_start(rig);
    rig_upload(rig, 0);
    rig_expect(rig, 0, SEED_JSON);
    assert_string_equal(rig->messages[0].topic, "awsiot/test");
    assert_true(rig->messages[0].collected.ns == INT64_C(1597305662211609000));
    rig_wait_calls(rig, 0, 1);
    assert_int_equal(rig->message_count, 1);
    free(source);
    rig_free(rig);
}

static void test_seed_subscribe_script(void **state) {
    Rig *rig = rig_new();
    char *source = seed_script("seed_receive.py");
    rig_subscribe(rig, "data_receive", "main", source);
    rig_start(rig);
    const char *payload = "{\n  \"message\": \"Hello from AWS IoT console\"\n}";
    assert_int_equal(
        ps_script_host_receive(rig->host, 0, "awsiot/send", payload, strlen(payload), 0), PS_OK);
    rig_wait_log(rig, "[AWSIoT]: receive message, topic: awsiot/send, payload: {   \"message\"");
    char lines[8192];
    ssize_t got = pread(rig->log_fd, lines, sizeof lines - 1, 0);
    lines[got] = '\0';
    const char *first = strstr(lines, "[AWSIoT]: on_cloud_subscribe. topic: awsiot/send, payload: "
                                      "{   \"message\": \"Hello from AWS IoT console\" }, qos: 0");
    const char *topic = strstr(lines, "[INFO] [<string> 6]: awsiot/send");
    const char *text = strstr(lines, "[INFO] [<string> 7]: {   \"message\"");
    const char *last = strstr(lines, "[AWSIoT]: receive message");
    assert_true(first != NULL && first < topic && topic < text && text < last);
    free(source);
    rig_free(rig);
}

static void test_what_a_script_returns(void **state) {
    static const struct {
        const char *expression;
        const char *payload;
    } cases[] = {
        {"'text \\u20ac'", "text \xe2\x82\xac"},
        {"b'raw'", "raw"},
        {"bytearray(b'ba')", "ba"},
        {"{'a': float('nan'), 'b': [float('inf'), 1.5], float('nan'): (1,)}",
         "{\"a\": null, \"b\": [null, 1.5], \"NaN\": [1]}"},
        {"[True, None, 1, '\\u20ac']", "[true, null, 1, \"\\u20ac\"]"},
        {"0", "0"},
        {"w.get_global_parameter()",
         "{\"gateway_sn\": \"GL1\", \"log_level\": \"INFO\", \"catch_recording\": 100000, "
         "\"warning_recording\": 2000, \"device_id\": \"1\"}"},
        {"list(d) + [d['group_name']]", "[\"timestamp\", \"values\", \"group_name\", \"default\"]"},
    };
    Rig *rig = rig_new();
    PS_AUTO_BUF PsBuf source = {0};
    ps_buf_printf(&source, "n = -1\ndef main(d, w):\n  global n\n  n += 1\n");
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        ps_buf_printf(&source, "  if n == %zu: return %s\n", i, cases[i].expression);
    }
    rig_publish(rig, "values", "main", (const char *)source.data, 0);
    rig_start(rig);
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        rig_upload(rig, 0);
    }
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        rig_expect(rig, i, cases[i].payload);
    }
    rig_upload(rig, 0); // falls through: None publishes nothing
    rig_wait_calls(rig, 0, PS_COUNT(cases) + 1);
    assert_int_equal(rig->message_count, PS_COUNT(cases));
    assert_int_equal(rig_status(rig, 0).errors, 0);
    rig_free(rig);
}

static void test_every_kind_of_value(void **state) {
    Rig *rig = rig_new();
    rig_variables(rig, 8);
    rig_publish(rig, "all", "main",
                "def main(d, w):\n"
                "  v = d['values']['Temperature_Sensor']\n"
                "  r = repr(v)\n"
                "  v['v0']['status'] = 5; v.clear()\n" // a call must not see the last one's marks
                "  return r\n",
                0);
    rig_start(rig);
    const PsValue values[] = {
        ps_value_bool(true),          ps_value_int(-5),
        ps_value_uint(UINT64_MAX),    ps_value_float(1.5),
        ps_value_text("\xc3\xa4", 2), ps_value_text("\xff", 1),
        ps_value_float(INFINITY),     ps_value_int(1),
    };
    const bool good[] = {true, true, true, true, true, true, true, false};
    for (int i = 0; i < 2; i++) {
        rig_upload_values(rig, 0, values, good);
        rig_expect(rig, (size_t)i,
                   "{'v0': {'raw_data': True, 'status': 1}, 'v1': {'raw_data': -5, 'status': 1}, "
                   "'v2': {'raw_data': 18446744073709551615, 'status': 1}, "
                   "'v3': {'raw_data': 1.5, 'status': 1}, 'v4': {'raw_data': '\xc3\xa4', "
                   "'status': 1}, 'v5': {'raw_data': '\xc3\xbf', 'status': 1}, "
                   "'v6': {'raw_data': inf, 'status': 1}, 'v7': {'raw_data': None, 'status': 0}}");
    }
    rig_free(rig);
}

// The dicts of the last call are used again; a script must not be able to tell.
static void test_scripts_keep_and_change_what_they_get(void **state) {
    static const char *const actions[] = {
        "kept.append((d, repr(d)))",
        "kept.append((d['values'], repr(d['values'])))",
        "kept.append((t, repr(t)))",
        "kept.append((t['v1'], repr(t['v1'])))",
        "kept.append((t.pop('v1'), \"{'raw_data': 1, 'status': 1}\"))",
        "del t['v0']",
        "t['v9'] = 1; del t['v1']",
        "t['v0'] = t.pop('v0')",
        "t['v0'] = 5; t['v1'] = t['v2']",
        "t['v0']['raw_data'] = 'mine'; t['v1']['status'] = 7; t['v2']['more'] = 1",
        "t['v0'].clear(); del t['v1']['raw_data']; t['v1']['raw_data'] = 1",
        "t['v0']['raw_data'] = Ends(); t['v1']['status'] = True; t['v2']['raw_data'] = 2.0",
        "t['v0'] = Ends(); t['v1']['raw_data'] = True; t['v2']['raw_data'] = 1 << 80",
        "d.clear()",
        "d['values'] = {}",
        "d['values']['Second'], d['values']['Temperature_Sensor'] = t, {}",
        "d['more'] = 1; del d['group_name']",
        "d['more'] = 1; del d['timestamp']",
        "d['timestamp'] = d.pop('timestamp')",
        "d['group_name'] = 'mine'; d['timestamp'] = 0",
        "keys = iter(t.items()); next(keys); kept.append((keys.__class__, repr(keys.__class__)))",
        "raise ValueError(d)",
    };
    Rig *rig = rig_new();
    rig_variables(rig, 3);
    PS_AUTO_BUF PsBuf source = {0};
    ps_buf_printf(&source, "import gc\n"
                           "class Ends:\n"
                           "  def __del__(self):\n"
                           "    gc.collect()\n"
                           "    ended.append([{} for _ in range(9)])\n"
                           "ended = []\n"
                           "kept = []\nn = -1\ndef main(d, w):\n  global n\n  n += 1\n"
                           "  t = d['values']['Temperature_Sensor']\n"
                           "  w.awsiot_publish('seen', repr(d), 1)\n");
    for (size_t i = 0; i < PS_COUNT(actions); i++) {
        ps_buf_printf(&source, "  if n == %zu: %s\n", 2 * i + 1, actions[i]);
    }
    ps_buf_printf(&source, "  assert all(repr(o) == r for o, r in kept), kept\n");
    rig_publish(rig, "keeps", "main", (const char *)source.data, 0);
    rig_start(rig);
    size_t calls = 2 * PS_COUNT(actions) + 1;
    for (size_t i = 0; i < calls; i++) {
        rig_upload(rig, 0);
        rig_expect(rig, i,
                   "{'timestamp': 1597305662.211609, 'values': {'Temperature_Sensor': "
                   "{'v0': {'raw_data': 0, 'status': 1}, 'v1': {'raw_data': 1, 'status': 1}, "
                   "'v2': {'raw_data': 2, 'status': 1}}}, 'group_name': 'default'}");
    }
    rig_wait_calls(rig, 0, calls);
    assert_int_equal(rig_status(rig, 0).errors, 1); // the one that raises
    rig_free(rig);
}

// The dict of a value takes half the memory of one that holds its keys itself: when it is made
// (first call) and when it is filled again (second).
static void test_entries_share_their_keys(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "sizes", "main",
                "import sys\n"
                "def main(d, w):\n"
                "  e = d['values']['Temperature_Sensor']['Test']\n"
                "  own, shared = sys.getsizeof({'raw_data': 0, 'status': 1}), sys.getsizeof(e)\n"
                "  return 'shared' if 3 * shared < 2 * own else f'{shared} of {own} bytes'\n",
                0);
    rig_start(rig);
    for (size_t i = 0; i < 2; i++) {
        rig_upload(rig, 0);
        rig_expect(rig, i, "shared");
    }
    rig_free(rig);
}

// SHA-2 is in the interpreter, or comes from OpenSSL (worker/no_sha2.c).
static void test_sha2_of_the_standard_library(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "hashes", "main",
                "import hashlib, random\n"
                "def main(d, w):\n"
                "  random.seed('abc')\n"
                "  return ' '.join(hashlib.new(n, b'abc').hexdigest()[:8] for n in\n"
                "                  ('sha224', 'sha256', 'sha384', 'sha512'))\n",
                0);
    rig_start(rig);
    rig_upload(rig, 0);
    rig_expect(rig, 0, "23097d22 ba7816bf cb00753f ddaf35a1");
    rig_free(rig);
}

static void test_part_of_a_group(void **state) {
    Rig *rig = rig_new();
    rig_variables(rig, 5);
    rig->variables[3].device = 1;
    rig_publish(rig, "part", "main", "def main(d, w):\n  return d['values']\n", 0);
    rig_start(rig);
    const PsUploadItem items[] = {
        {4, true, ps_value_int(4)}, {1, true, ps_value_int(1)}, {3, true, ps_value_int(3)}};
    PsUpload upload = {.collected = {1}, .item_count = 3, .items = items};
    assert_int_equal(ps_script_host_collect(rig->host, 0, &upload), PS_OK);
    rig_expect(rig, 0,
               "{\"Temperature_Sensor\": {\"v4\": {\"raw_data\": 4, \"status\": 1}, "
               "\"v1\": {\"raw_data\": 1, \"status\": 1}}, "
               "\"Second\": {\"v3\": {\"raw_data\": 3, \"status\": 1}}}");
    rig_upload(rig, 0);
    rig_expect(
        rig, 1,
        "{\"Temperature_Sensor\": {\"v0\": {\"raw_data\": 0, \"status\": 1}, "
        "\"v1\": {\"raw_data\": 1, \"status\": 1}, \"v2\": {\"raw_data\": 2, \"status\": 1}, "
        "\"v4\": {\"raw_data\": 4, \"status\": 1}}, "
        "\"Second\": {\"v3\": {\"raw_data\": 3, \"status\": 1}}}");
    rig_free(rig);
}

static void test_logging(void **state) {
    Rig *rig = rig_new();
    ps_log_set_level(PS_LOG_ERROR);
    rig_publish(rig, "logs", "main",
                "import logging, sys\n"
                "from common.Logger import logger\n"
                "def main(d, w):\n"
                "  logging.debug({'always': 1})\n"
                "  logging.warning('with %s', 'argument')\n"
                "  logger.warning('hidden')\n"
                "  logger.error('%d shown', 1)\n"
                "  print('printed', 1)\n"
                "  print('no newline', end='')\n"
                "  sys.stderr.write('on stderr\\n')\n"
                "  logging.info('wrong', 'arguments')\n"
                "  logging.info('\\ud800' + 'x' * 20000)\n"
                "  for i in range(2000): logging.info('flood %d', i)\n",
                0);
    rig_start(rig);
    rig_upload(rig, 0);
    rig_wait_calls(rig, 0, 1);
    static const char *const lines[] = {
        "[DEBUG] [<string> 4]: {'always': 1}\n", "[WARNING] [<string> 5]: with argument\n",
        "[ERROR] [<string> 7]: 1 shown\n",       "[INFO] [<string> 8]: printed 1\n",
        "[WARNING] [<string> 10]: on stderr\n",  "[INFO] [<string> 11]: wrong ('arguments',)\n",
        "[INFO] [<string> 12]: \\ud800xxx",      "bytes more)\n",
    };
    for (size_t i = 0; i < PS_COUNT(lines); i++) {
        if (!rig_logged(rig, lines[i])) {
            fail_msg("not in the log: %s", lines[i]);
        }
    }
    assert_false(rig_logged(rig, "hidden"));
    assert_true(rig_logged(rig, "flood 900\n"));
    assert_false(rig_logged(rig, "flood 1999"));
    rig_free(rig);
}

static void test_unfinished_print_comes_at_the_end_of_the_call(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "p", "main", "def main(d, w):\n  print('a', end=' ')\n  print('b', end='')\n",
                0);
    rig_start(rig);
    rig_upload(rig, 0);
    rig_wait_calls(rig, 0, 1);
    assert_true(rig_logged(rig, "[INFO] [<string> 3]: a b\n"));
    rig_free(rig);
}

static void test_link_state_and_keywords(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "aws", "main",
                "def main(d, w):\n"
                "  return repr(w.awsiot_publish(qos=0, payload={'a': 1}, topic='t'))\n",
                0);
    rig_start(rig);
    rig_upload(rig, 0);
    rig_expect(rig, 1, "False");
    rig_expect(rig, 0, "{\"a\": 1}");
    assert_string_equal(rig->messages[0].topic, "t");
    assert_int_equal(rig->messages[0].qos, 0);
    ps_script_host_set_link(rig->host, true);
    rig_upload(rig, 0);
    rig_expect(rig, 3, "True");
    rig_free(rig);
}

static void test_mqtt_publish(void **state) {
    Rig *rig = rig_new();
    rig->config.cloud.type = PS_CLOUD_STANDARD_MQTT;
    rig_publish(rig, "mqtt", "main",
                "def main(d, w):\n"
                "  return repr((w.mqtt_publish('t', 'x', 2), hasattr(w, 'awsiot_publish')))\n",
                0);
    rig_start(rig);
    static const char *const answers[] = {"(False, False)", "(True, False)", "(False, False)"};
    for (int i = 0; i < 3; i++) {
        rig->now_answer = i;
        rig_upload(rig, 0);
        rig_expect(rig, (size_t)i, answers[i]);
    }
    assert_int_equal(rig->now_count, 3);
    rig_free(rig);
}

static void test_number_of_arguments(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "one", "main", "def main(d):\n  return d['group_name']\n", 0);
    rig_publish(rig, "star", "main", "def main(*a):\n  return len(a)\n", 0);
    rig_publish(rig, "bound", "main",
                "class A:\n  def f(self, d, w, extra=3):\n    return repr(w is not None)\n"
                "main = A().f\n",
                0);
    rig_subscribe(rig, "two", "main",
                  "def main(topic, payload):\n  raise ValueError(type(payload).__name__)\n");
    rig_start(rig);
    for (uint32_t i = 0; i < 3; i++) {
        rig_upload(rig, i);
        rig_wait_messages(rig, i + 1);
    }
    rig_expect(rig, 0, "default");
    rig_expect(rig, 1, "2");
    rig_expect(rig, 2, "True");
    assert_int_equal(ps_script_host_receive(rig->host, 0, "t", "\xff", 1, 1), PS_OK);
    rig_wait_log(rig, "[ERROR] [<string> 2]: two: ValueError: bytes\n");
    rig_free(rig);
}

#define WRITER                                                                                     \
    "import json, logging\n"                                                                       \
    "tails = {'a': object()}\n"                                                                    \
    "def main(topic, payload, w):\n"                                                               \
    "  w.write_plc_values(json.loads(payload), done, tail=tails, timeout=float(topic))\n"          \
    "def done(result, tail, w):\n"                                                                 \
    "  w.awsiot_publish('result', [result, tail is tails, isinstance(result, tuple)], 1)\n"

static void command(Rig *rig, const char *topic, const char *payload) {
    assert_int_equal(ps_script_host_receive(rig->host, 0, topic, payload, strlen(payload), 0),
                     PS_OK);
}

static void test_write_results(void **state) {
    Rig *rig = rig_new();
    rig_variables(rig, 4);
    rig->variables[1].access = PS_ACCESS_READ;
    PsVariable twin = rig->variables[2];
    rig->variables[3].device = 1;
    union {
        const char *in;
        void *out;
    } old = {.in = rig->variables[3].name};
    free(old.out);
    rig->variables[3].name = ps_strdup(twin.name); // v2 on both devices
    rig_subscribe(rig, "cmd", "main", WRITER);
    rig_start(rig);
    command(rig, "30",
            "{\"v0\": 7, \"v1\": 1, \"v2\": 1, \"gone\": 1, \"Second\": {\"v2\": \"on\"}, "
            "\"X\": {\"v0\": 1}}");
    rig_expect(
        rig, 0,
        "[[{\"value\": 7, \"device\": \"Temperature_Sensor\", \"var_name\": \"v0\", "
        "\"result\": \"OK\", \"error\": \"\"}, "
        "{\"value\": 1, \"device\": \"Temperature_Sensor\", \"var_name\": \"v1\", "
        "\"result\": \"Failed\", \"error\": \"The variable is read-only.\"}, "
        "{\"value\": 1, \"device\": \"\", \"var_name\": \"v2\", \"result\": \"Failed\", "
        "\"error\": \"Variable 'v2' exists on more than one device.\"}, "
        "{\"value\": 1, \"device\": \"\", \"var_name\": \"gone\", \"result\": \"Failed\", "
        "\"error\": \"Variable 'gone' not found.\"}, "
        "{\"value\": \"on\", \"device\": \"Second\", \"var_name\": \"v2\", \"result\": \"OK\", "
        "\"error\": \"\"}, "
        "{\"value\": 1, \"device\": \"X\", \"var_name\": \"v0\", \"result\": \"Failed\", "
        "\"error\": \"Device 'X' not found.\"}], true, false]");
    assert_int_equal(rig->write_count, 2);
    assert_int_equal(rig->writes[0].value.integer, 7);
    assert_string_equal(rig->writes[1].text, "on");
    rig->write_result = PS_ERR_REFUSED;
    command(rig, "30", "{\"v0\": [1], \"Second\": {\"v2\": 1}}");
    rig_wait_messages(rig, 2);
    assert_non_null(strstr(rig->messages[1].payload, "The value must be a bool"));
    assert_non_null(strstr(rig->messages[1].payload, "\"error\": \"The device said no.\""));
    command(rig, "30", "{}");
    rig_expect(rig, 2, "[[], true, false]");
    rig_free(rig);
}

static void test_write_timeout(void **state) {
    Rig *rig = rig_new();
    rig_subscribe(rig, "cmd", "main", WRITER);
    rig->hold_writes = true;
    rig_start(rig);
    command(rig, "0.05", "{\"Test\": 1}");
    rig_expect(rig, 0, "[[\"error\", -110, \"timeout\"], true, true]");
    rig->writes[0].done(PS_OK, NULL, ps_value_none(), rig->writes[0].done_ctx); // too late: nothing
    command(rig, "30", "{\"Test\": 2}");
    command(rig, "30", "{\"Test\": 3}");
    rig_wait_calls(rig, 0, 4);
    // Outcomes may come in any order, and after the host has gone.
    rig->writes[2].done(PS_OK, NULL, ps_value_none(), rig->writes[2].done_ctx);
    rig_wait_messages(rig, 2);
    assert_non_null(strstr(rig->messages[1].payload, "\"value\": 3"));
    RigWrite open = rig->writes[1];
    rig_free(rig);
    open.done(PS_ERR_CANCELLED, NULL, ps_value_none(), open.done_ctx);
}

static void test_write_without_callback(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "w", "main", "def main(d, w):\n  return w.write_plc_values({'Test': 9.5})\n",
                0);
    rig->write_result = PS_ERR_REFUSED;
    rig_start(rig);
    rig_upload(rig, 0);
    rig_wait_log(rig, "SCRIPT-WRITE: w: write_plc_values: device 'Temperature_Sensor', variable "
                      "'Test': The device said no.");
    rig_wait_calls(rig, 0, 1);
    assert_true(rig->writes[0].value.number == 9.5);
    rig_free(rig);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seed_return_script),
        cmocka_unit_test(test_seed_awsiot_publish_script),
        cmocka_unit_test(test_seed_subscribe_script),
        cmocka_unit_test(test_what_a_script_returns),
        cmocka_unit_test(test_every_kind_of_value),
        cmocka_unit_test(test_scripts_keep_and_change_what_they_get),
        cmocka_unit_test(test_entries_share_their_keys),
        cmocka_unit_test(test_sha2_of_the_standard_library),
        cmocka_unit_test(test_part_of_a_group),
        cmocka_unit_test(test_logging),
        cmocka_unit_test(test_unfinished_print_comes_at_the_end_of_the_call),
        cmocka_unit_test(test_link_state_and_keywords),
        cmocka_unit_test(test_mqtt_publish),
        cmocka_unit_test(test_number_of_arguments),
        cmocka_unit_test(test_write_results),
        cmocka_unit_test(test_write_timeout),
        cmocka_unit_test(test_write_without_callback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
