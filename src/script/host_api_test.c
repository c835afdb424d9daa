// wizard_api with real workers: every method and every form of its result, and what is refused.
// Writes and publishing are in host_test.c.
#include "script/host_test_rig.h"

#include "base/mem.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// Runs one expression a call; its repr, or the exception, is what the script returns.
#define TRIES                                                                                      \
    "import datetime, decimal, fractions, json, threading\n"                                       \
    "n = -1\n"                                                                                     \
    "def main(d, w):\n"                                                                            \
    "  global n\n"                                                                                 \
    "  n += 1\n"                                                                                   \
    "  try: return repr(cases[n](w))\n"                                                            \
    "  except Exception as e: return type(e).__name__ + ': ' + str(e)\n"

typedef struct Try {
    const char *expression; // with `w` for wizard_api
    const char *expected;   // a part of the answer
} Try;

// The answers are the messages with the topic of the entry; others are left to the caller.
static void run_tries(Rig *rig, const Try *tries, size_t count, const char *more) {
    PS_AUTO_BUF PsBuf source = {0};
    ps_buf_printf(&source, "%s%scases = [\n", TRIES, more);
    for (size_t i = 0; i < count; i++) {
        ps_buf_printf(&source, "  lambda w: %s,\n", tries[i].expression);
    }
    ps_buf_printf(&source, "]\n");
    rig_publish(rig, "tries", "main", (const char *)source.data, 0);
    rig_start(rig);
    size_t seen = 0;
    for (size_t i = 0; i < count; i++) {
        rig_upload(rig, 0);
        rig_wait_calls(rig, 0, i + 1);
        while (seen < rig->message_count && strcmp(rig->messages[seen].topic, "plant/1") != 0) {
            seen++;
        }
        assert_true(seen < rig->message_count);
        const char *answer = rig->messages[seen++].payload;
        if (strstr(answer, tries[i].expected) == NULL) {
            fail_msg("%s\n  gave     %s\n  expected %s", tries[i].expression, answer,
                     tries[i].expected);
        }
    }
}

static void test_what_json_refuses_is_named_with_its_place(void **state) {
    static const Try tries[] = {
        {"w.awsiot_publish('t', [{'Data': {'Test': datetime.datetime.now()}}], 1)",
         "TypeError: [0].Data.Test: datetime is not JSON; use .isoformat() or .timestamp()"},
        {"w.awsiot_publish('t', {'a b': [decimal.Decimal('1.5')]}, 1)",
         "['a b'][0]: Decimal is not JSON; use float() or str()"},
        {"w.awsiot_publish('t', {'a': {1}}, 1)", "a: set is not JSON; use sorted() or list()"},
        {"w.awsiot_publish('t', {'a': Scalar()}, 1)",
         "a: Scalar is not JSON; use .item() for one value"},
        {"w.awsiot_publish('t', {'a': b'x'}, 1)", "a: bytes is not JSON; use .decode() or .hex()"},
        {"w.awsiot_publish('t', {'a': [(1 for i in 'x')]}, 1)",
         "a[0]: generator is not JSON; use list()"},
        {"w.awsiot_publish('t', datetime.timedelta(1), 1)",
         "value: timedelta is not JSON; use .total_seconds()"},
        {"w.awsiot_publish('t', {'a': {(1, 2): 3}}, 1)", "a: a key is tuple; keys must be str"},
        {"w.awsiot_publish('t', [{'self': circle}], 1)",
         "[0].self[0]: leads back to an object that holds it"},
        {"w.awsiot_publish('t', {'a': ['ok\\ud83d']}, 1)",
         "a[0]: half a character (lone surrogate) at position 2"},
        {"w.awsiot_publish('t', {'\\ud83d': 1}, 1)", "value: half a character"},
        {"w.awsiot_publish('t', 'x\\ud83d', 1)", "value: half a character"},
        {"w.awsiot_publish('t', {'a': 10 ** 5000}, 1)", "a: Exceeds the limit"},
        {"w.awsiot_publish('t', deep, 1)", "value: nested too deeply"},
        {"w.awsiot_publish('t', None, 1)", "ValueError: payload is None"},
        {"w.save_data({'topic': 't', 'qos': 1, 'payload': {'at': datetime.date.today()}})",
         "at: date is not JSON; use .isoformat()"},
        {"w.save_data([{'at': object()}], 'default')",
         "[0].at: object is not JSON; only dict, list, tuple, str, int, float, bool and None are"},
    };
    Rig *rig = rig_new();
    run_tries(rig, tries, PS_COUNT(tries),
              "class Scalar:\n  def tolist(self): return 1\n"
              "circle = []\ncircle.append(circle)\n"
              "deep = []\nfor i in range(100000): deep = [deep]\n");
    assert_int_equal(rig->message_count, PS_COUNT(tries)); // nothing but the answers
    rig_free(rig);
}

// To the byte what json.dumps gives, but for what JSON does not know.
static void test_json_is_that_of_json_dumps(void **state) {
    static const Try tries[] = {
        {"check(w, {'b': [1, -2.5, 1e300, 2 ** 70], 'a': (True, None)})", "True"},
        {"check(w, {'\\u00e4\\U0001f600\"\\n\\x7f': 'x\\ud83d\\ude00'.encode('utf-16', "
         "'surrogatepass').decode('utf-16')})",
         "True"},
        {"check(w, {1: 2, True: 3, None: 4, 1.5: 5})", "True"},
        {"check(w, collections.OrderedDict(z=1, a=[Number.ONE]))", "True"},
        {"check(w, [])", "True"},
        {"check(w, '')", "True"},
        {"w.awsiot_publish('t', [float('nan'), {'a': float('-inf')}, float('inf')], 1)", "False"},
    };
    Rig *rig = rig_new();
    run_tries(rig, tries, PS_COUNT(tries),
              "import collections, enum\n"
              "class Number(enum.IntEnum):\n  ONE = 1\n"
              "def check(w, value):\n"
              "  w.awsiot_publish('ours', value, 1)\n"
              "  w.awsiot_publish('theirs', value if value == '' else json.dumps(value), 1)\n"
              "  return True\n");
    size_t compared = 0;
    for (size_t i = 0; i + 1 < rig->message_count; i++) {
        if (strcmp(rig->messages[i].topic, "ours") == 0) {
            assert_string_equal(rig->messages[i + 1].topic, "theirs");
            assert_string_equal(rig->messages[i].payload, rig->messages[i + 1].payload);
            compared++;
        }
    }
    assert_int_equal(compared, PS_COUNT(tries) - 1);
    assert_string_equal(rig->messages[rig->message_count - 2].payload,
                        "[null, {\"a\": null}, null]");
    rig_free(rig);
}

static const RigMessage *find_message(const Rig *rig, const char *topic) {
    for (size_t i = 0; i < rig->message_count; i++) {
        if (strcmp(rig->messages[i].topic, topic) == 0) {
            return &rig->messages[i];
        }
    }
    fail_msg("no message on %s", topic);
    return NULL;
}

static void test_save_data(void **state) {
    static const Try tries[] = {
        {"w.save_data({'topic': 'saved', 'qos': 0, 'payload': [1, {'a': None}]})", "True"},
        {"w.save_data(data={'payload': b'raw', 'qos': 1, 'topic': 'bytes', 'more': 1})", "True"},
        {"w.save_data({'topic': 'wrong/#', 'qos': 1, 'payload': 'x'})", "False"},
        {"w.save_data('x', 'nowhere')", "False"},
        {"w.save_data('x', group='')", "False"},
        {"w.save_data({'qos': 1, 'payload': 'x'})",
         "ValueError: save_data: the dict has no 'topic'; it needs topic, qos and payload"},
        {"w.save_data({'topic': 't', 'qos': 1})", "has no 'payload'"},
        {"w.save_data({'topic': 't', 'payload': 1})", "has no 'qos'"},
        {"w.save_data({'topic': 't', 'qos': 2, 'payload': 1})", "qos is 2; it must be 0 to 1"},
        {"w.save_data({'topic': 5, 'qos': 1, 'payload': 1})", "TypeError: "},
        {"w.save_data({'topic': 't', 'qos': '1', 'payload': 1})", "TypeError: "},
        {"w.save_data([1])", "TypeError: save_data: without a group, data must be a dict"},
        {"w.save_data('x', 5)", "TypeError: save_data: group must be the name of a group"},
        {"w.save_data(None, 'default')", "ValueError: save_data: data is None"},
        {"w.save_data()", "TypeError"},
        {"in_thread(lambda: w.save_data('x', 'default'))",
         "RuntimeError('save_data waits for its answer"},
    };
    Rig *rig = rig_new();
    PsWall before = ps_wall_now();
    run_tries(rig, tries, PS_COUNT(tries),
              "def in_thread(f):\n"
              "  found = []\n"
              "  def run():\n"
              "    try: found.append(f())\n"
              "    except Exception as e: found.append(e)\n"
              "  t = threading.Thread(target=run)\n"
              "  t.start(); t.join()\n"
              "  return found[0]\n");
    const RigMessage *saved = find_message(rig, "saved");
    assert_string_equal(saved->payload, "[1, {\"a\": null}]");
    assert_int_equal(saved->qos, 0);
    assert_true(saved->collected.ns >= before.ns); // the moment of saving, not of collection
    assert_string_equal(find_message(rig, "bytes")->payload, "raw");
    assert_int_equal(rig->message_count, PS_COUNT(tries) + 2);
    assert_true(rig_logged(rig, "SCRIPT-SAVE: publish 'tries': save_data: no publish message has "
                                "a group 'nowhere'; not saved\n"));
    assert_true(rig_logged(rig, "topic 'wrong/#'"));
    rig_free(rig);
}

static void test_save_data_for_a_group(void **state) {
    Rig *rig = rig_new();
    const char *first[] = {"other"};
    const char *second[] = {"other2", "default"};
    rig_publish(rig, "elsewhere", "main", "def main(d, w): pass\n", 0);
    rig_publish(rig, "first", "main", "def main(d, w): pass\n", 0);
    rig_publish(rig, "second", "main",
                "def main(d, w):\n"
                "  return repr([w.save_data({'n': n}, 'default') for n in range(3)])\n",
                0);
    rig->publish[0].group_names = (PsTextList){first, 1};
    rig->publish[1].group_names = (PsTextList){second, 2};
    rig->publish[1].topic = "of/${device_id}/${nobody}";
    rig->publish[1].qos = 0;
    rig->publish[2].group_names = (PsTextList){second, 2};
    rig_start(rig);
    rig_upload(rig, 2);
    rig_expect(rig, 3, "[True, True, True]");
    for (size_t i = 0; i < 3; i++) {
        char expected[16];
        snprintf(expected, sizeof expected, "{\"n\": %zu}", i);
        rig_expect(rig, i, expected);
        assert_string_equal(rig->messages[i].topic, "of/1/${nobody}");
        assert_int_equal(rig->messages[i].qos, 0);
        assert_int_equal(rig->messages[i].entry, 2); // the ledger of the script that saved
        assert_true(i == 0 || rig->messages[i].collected.ns >= rig->messages[i - 1].collected.ns);
    }
    rig->refuse = true;
    rig_upload(rig, 2);
    rig_wait_messages(rig, 8);
    assert_string_equal(rig->messages[7].payload, "[False, False, False]");
    rig_free(rig);
}

#define ASKER(call)                                                                                \
    "tail = object()\n"                                                                            \
    "def main(d, w):\n"                                                                            \
    "  assert " call " is None\n"                                                                  \
    "def done(result, got, w):\n"                                                                  \
    "  w.awsiot_publish('result', [result, got is tail, type(result).__name__], 1)\n"

static void test_get_tag_config(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "asks", "main", ASKER("w.get_tag_config(done, tail, 5)"), 0);
    rig_start(rig);
    rig_upload(rig, 0);
    rig_wait_messages(rig, 1);
    const char *text = rig->messages[0].payload;
    assert_non_null(strstr(text, "[{\"devices\": [{\"device_name\": \"Temperature_Sensor\", "));
    assert_non_null(strstr(text, "\"vars\": [{\"var_name\": \"Test\", "));
    assert_non_null(strstr(text, "}]}, true, \"dict\"]"));
    rig_upload(rig, 0); // made once, given as often as asked
    rig_wait_messages(rig, 2);
    assert_string_equal(rig->messages[1].payload, text);
    rig_free(rig);
}

static void test_recall_data(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "asks", "main", ASKER("w.recall_data(tail=tail, callback=done, timeout=2.5)"),
                0);
    rig_start(rig);
    for (size_t i = 0; i < 2; i++) {
        rig_upload(rig, 0);
        rig_expect(rig, i,
                   "[{\"timestamp\": 1597305662.5, \"values\": {\"Temperature_Sensor\": "
                   "{\"Test\": {\"raw_data\": 7, \"status\": 1}}}}, true, \"dict\"]");
    }
    rig->recall_result = PS_ERR_TIMEOUT;
    rig_upload(rig, 0);
    rig_expect(rig, 2, "[[\"error\", -110, \"timeout\"], true, \"tuple\"]");
    rig->recall_result = PS_ERR_CANCELLED;
    rig_upload(rig, 0);
    rig_expect(rig, 3, "[[\"error\", -125, \"cancelled\"], true, \"tuple\"]");
    assert_int_equal(rig->recall_count, 4);
    rig_free(rig);
}

static void test_a_recall_outlives_its_script_and_the_host(void **state) {
    Rig *rig = rig_new();
    rig->hold_recalls = true;
    rig_publish(rig, "asks", "main",
                "import os\n"
                "n = 0\n"
                "def main(d, w):\n"
                "  global n\n"
                "  n += 1\n"
                "  if n == 2: os._exit(1)\n"
                "  w.recall_data(lambda result: w.awsiot_publish('result', result, 1))\n",
                0);
    rig_start(rig);
    rig_upload(rig, 0);
    rig_wait_calls(rig, 0, 1);
    rig_upload(rig, 0);
    rig_wait_log(rig, "status 1 (os._exit?)");
    rig_answer_recall(rig, 0, PS_ERR_TIMEOUT); // nobody is left to hear it
    rig_wait_state(rig, 0, PS_WORKER_RUNNING);
    rig_upload(rig, 0);
    rig_wait_calls(rig, 0, 3);
    RigRecall open = rig->recalls[1];
    assert_int_equal(rig->message_count, 0);
    rig_free(rig);
    open.done(PS_ERR_CANCELLED, NULL, open.done_ctx);
}

static void test_wrong_arguments(void **state) {
    static const Try tries[] = {
        {"w.get_tag_config()", "TypeError: "},
        {"w.get_tag_config(None)", "get_tag_config: callback must be a function, not None"},
        {"w.get_tag_config(5)", "TypeError: get_tag_config: callback must be a function, not int"},
        {"w.recall_data(print, None, 0)", "ValueError: recall_data: timeout must be seconds above"},
        {"w.recall_data(print, timeout=float('nan'))", "recall_data: timeout must be"},
        {"w.recall_data(print, timeout='5')", "TypeError: "},
        {"w.write_plc_values([('Test', 1)])", "write_plc_values: message must be a dict, not list"},
        {"w.write_plc_values({'Test': 1}, 'done')", "callback must be a function, not str"},
        {"w.write_plc_values({'Test': 1}, None, None, -1)", "timeout must be seconds above 0"},
        {"w.write_plc_values({5: 1})", "names of devices and variables must be str"},
        {"w.get_global_parameter(1)", "TypeError: "},
        {"[w.recall_data(print) for i in range(300)]",
         "RuntimeError: recall_data: 256 calls are waiting for their results"},
        {"w.send_message_to_cloud('x')",
         "AttributeError: wizard_api.send_message_to_cloud exists only with the cloud type Azure "
         "IoT; the cloud type of this gateway is AWS IoT"},
        {"w.thing_post_property({})", "only with the cloud type Aliyun IoT"},
        {"hasattr(w, 'thing_answer_service')", "False"},
        {"w.no_such_thing()", "AttributeError: "},
        {"sorted(n for n in dir(w) if n[0] != '_')",
         "['awsiot_publish', 'get_global_parameter', 'get_tag_config', 'mqtt_publish', "
         "'recall_data', 'save_data', 'sequence', 'write_plc_values']"},
    };
    Rig *rig = rig_new();
    rig->hold_recalls = true;
    run_tries(rig, tries, PS_COUNT(tries), "");
    for (size_t i = 0; i < rig->recall_count; i++) {
        rig_answer_recall(rig, i, PS_ERR_TIMEOUT);
    }
    rig_free(rig);
}

static void test_numbers_of_other_kinds_are_written(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "writes", "main",
                "import decimal, fractions\n"
                "class Whole:\n  def __index__(self): return 12\n"
                "class Broken:\n  def __float__(self): raise OSError('no')\n"
                "message = {}\n"
                "class Sly:\n"
                "  def __float__(self):\n    message.clear()\n    return 2.5\n"
                "def main(d, w):\n"
                "  for v in (decimal.Decimal('21.5'), fractions.Fraction(1, 4), Whole(), Sly(),\n"
                "            2 ** 63, True, 'on'):\n"
                "    message['Test'] = v\n"
                "    w.write_plc_values(message)\n"
                "  for v in (Broken(), None, 2 ** 64, b'x', [1], 1j):\n"
                "    w.write_plc_values({'Test': v})\n",
                0);
    rig_start(rig);
    rig_upload(rig, 0);
    rig_wait_calls(rig, 0, 1);
    assert_int_equal(rig_status(rig, 0).errors, 0);
    assert_int_equal(rig->write_count, 7);
    const PsValue expected[] = {ps_value_float(21.5),
                                ps_value_float(0.25),
                                ps_value_int(12),
                                ps_value_float(2.5),
                                ps_value_uint(UINT64_C(1) << 63),
                                ps_value_bool(true)};
    for (size_t i = 0; i < PS_COUNT(expected); i++) {
        assert_int_equal(rig->writes[i].value.kind, expected[i].kind);
        if (expected[i].kind == PS_VALUE_BOOL) {
            assert_true(rig->writes[i].value.boolean);
        } else { // the same bits
            assert_true(rig->writes[i].value.unsigned_integer == expected[i].unsigned_integer);
        }
    }
    assert_string_equal(rig->writes[6].text, "on");
    assert_int_equal(rig_log_count(rig, "The value must be a bool, a number of at most 64 bits, or "
                                        "a str."),
                     6);
    rig_free(rig);
}

static void test_without_aws(void **state) {
    static const Try tries[] = {
        {"w.awsiot_publish('t', 'x', 1)",
         "AttributeError: wizard_api.awsiot_publish exists only with the cloud type AWS IoT; the "
         "cloud type of this gateway is Standard MQTT"},
        {"w.save_data({'topic': 'saved', 'qos': 2, 'payload': 'x'})", "True"},
        {"w.save_data({'topic': 'saved', 'qos': 3, 'payload': 'x'})", "must be 0 to 2"},
        {"w.mqtt_publish('t', datetime, 1)", "value: module is not JSON"},
    };
    Rig *rig = rig_new();
    rig->config.cloud.type = PS_CLOUD_STANDARD_MQTT;
    run_tries(rig, tries, PS_COUNT(tries), "");
    assert_int_equal(find_message(rig, "saved")->qos, 2);
    rig_free(rig);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_json_refuses_is_named_with_its_place),
        cmocka_unit_test(test_json_is_that_of_json_dumps),
        cmocka_unit_test(test_save_data),
        cmocka_unit_test(test_save_data_for_a_group),
        cmocka_unit_test(test_get_tag_config),
        cmocka_unit_test(test_recall_data),
        cmocka_unit_test(test_a_recall_outlives_its_script_and_the_host),
        cmocka_unit_test(test_wrong_arguments),
        cmocka_unit_test(test_numbers_of_other_kinds_are_written),
        cmocka_unit_test(test_without_aws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
