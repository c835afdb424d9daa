// Trials with a real penstock-script: what is recorded, what is measured, how mistakes are told;
// and the inputs that are written down as JSON.
#include "base/log.h"
#include "script/sample.h"
#include "script/trial_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const char input[] =
    "{\"timestamp\": 1597305662.5, \"group_name\": \"g\", \"values\": {"
    "\"Plant\": {\"Test\": {\"raw_data\": 2, \"status\": 1}, \"Level\": {\"raw_data\": 2.5},"
    "\"Name\": {\"raw_data\": \"pump\", \"status\": 1}, \"Away\": {\"raw_data\": 9, \"status\": "
    "0}},"
    "\"Other\": {\"On\": {\"raw_data\": true, \"status\": 1}}}}";

typedef struct Trial {
    PsScriptSample sample;
    json_t *result;
} Trial;

static void on_done(const PsTrialReport *report, void *ctx) {
    Trial *trial = ctx;
    trial->result = ps_trial_report_json(report, &trial->sample.config);
}

static void on_timer(uv_timer_t *timer) {
    ps_trial_cancel(timer->data);
    uv_close((uv_handle_t *)timer, NULL);
}

// `cancel_ms` 0: not cancelled.
static json_t *try_with(const char *given, PsGroupType type, const char *source, double timeout_s,
                        uint64_t cancel_ms) {
    Trial trial = {0};
    PsDiag diag = {0};
    assert_int_equal(ps_script_sample_parse(given, strlen(given), type, &trial.sample, &diag),
                     PS_OK);
    uv_loop_t loop;
    uv_loop_init(&loop);
    PsBuf text = {0};
    ps_buf_put(&text, source, strlen(source));
    PsTrialSetup setup = {.loop = &loop,
                          .program = getenv("PENSTOCK_SCRIPT"),
                          .config = &trial.sample.config,
                          .kind = PS_SCRIPT_PUBLISH,
                          .name = "trial",
                          .main_function = "main",
                          .topic = "own",
                          .qos = 1,
                          .timeout_s = timeout_s,
                          .source = &text,
                          .upload = type == PS_GROUP_COLLECT ? &trial.sample.upload : NULL,
                          .alarms = type == PS_GROUP_ALARM ? &trial.sample.alarms : NULL,
                          .done = on_done,
                          .ctx = &trial};
    PsTrial *started = NULL;
    assert_int_equal(ps_trial_start(&setup, &started, &diag), PS_OK);
    assert_null(text.data);
    uv_timer_t timer = {.data = started};
    if (cancel_ms > 0) {
        uv_timer_init(&loop, &timer);
        uv_timer_start(&timer, on_timer, cancel_ms, 0);
        timer.data = started;
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    ps_script_sample_deinit(&trial.sample);
    assert_non_null(trial.result);
    return trial.result;
}

static json_t *try_script(const char *source, double timeout_s, uint64_t cancel_ms) {
    return try_with(input, PS_GROUP_COLLECT, source, timeout_s, cancel_ms);
}

static const char *text_at(const json_t *result, const char *list, size_t index, const char *key) {
    const json_t *row = json_array_get(json_object_get(result, list), index);
    const char *text = json_string_value(json_object_get(row, key));
    return text != NULL ? text : "";
}

static const char *error_of(const json_t *result) {
    return json_string_value(json_object_get(result, "error"));
}

static void test_everything_is_recorded(void **state) {
    json_t *result = try_script("import logging\n"
                                "def main(d, w):\n"
                                "  logging.warning('seen %s', d['group_name'])\n"
                                "  w.write_plc_values({'Plant': {'Test': 7}}, done, tail=3)\n"
                                "  w.write_plc_values({'On': False})\n"
                                "  assert w.mqtt_publish('now', b'\\xff\\x00', 0) is True\n"
                                "  return [d['timestamp'], d['values']]\n"
                                "def done(result, tail, w):\n"
                                "  w.awsiot_publish('answers', [result[0]['result'], tail], 1)\n",
                                10, 0);
    assert_string_equal(error_of(result), "");
    assert_true(json_is_true(json_object_get(result, "ok")));
    assert_string_equal(text_at(result, "publishes", 0, "method"), "mqtt_publish");
    assert_string_equal(text_at(result, "publishes", 0, "payload_hex"), "ff00");
    assert_string_equal(text_at(result, "publishes", 1, "topic"), "own");
    assert_string_equal(
        text_at(result, "publishes", 1, "payload"),
        "[1597305662.5, {\"Plant\": {\"Test\": {\"raw_data\": 2, \"status\": 1}, \"Level\": "
        "{\"raw_data\": 2.5, \"status\": 1}, \"Name\": {\"raw_data\": \"pump\", \"status\": 1}, "
        "\"Away\": {\"raw_data\": null, \"status\": 0}}, \"Other\": {\"On\": {\"raw_data\": true, "
        "\"status\": 1}}}]");
    assert_string_equal(text_at(result, "publishes", 2, "payload"), "[\"OK\", 3]");
    assert_string_equal(text_at(result, "writes", 0, "device"), "Plant");
    assert_string_equal(text_at(result, "writes", 0, "value"), "7");
    assert_string_equal(text_at(result, "writes", 1, "var_name"), "On");
    assert_string_equal(text_at(result, "lines", 0, "text"), "seen g");
    assert_string_equal(text_at(result, "lines", 0, "file"), "<string>");
    assert_true(json_number_value(json_object_get(result, "wall_s")) > 0);
    assert_true(json_number_value(json_object_get(result, "cpu_s")) > 0);
    assert_true(json_integer_value(json_object_get(result, "peak_kib")) > 1000);
    json_decref(result);
}

static void test_alarms(void **state) {
    static const char alarms[] =
        "{\"timestamp\": 1597305662.5, \"values\": {\"High\": {\"timestamp\": 1597305661, "
        "\"current\": "
        "\"on\", \"status\": 0, \"value\": 40, \"alarm_content\": \"too \\\"high\\\"\", \"level\": "
        "1}, "
        "\"Name\": {\"current\": \"off\", \"value\": \"pump\"}, \"Odd\": {\"current\": \"off\", "
        "\"value\": 0.5}}}";
    json_t *result = try_with(alarms, PS_GROUP_ALARM,
                              "def main(d, w):\n"
                              "  w.get_tag_config(lambda c: w.mqtt_publish('names', "
                              "[a['warn_name'] for a in c['warning']], 1))\n"
                              "  w.recall_data(lambda r: w.mqtt_publish('all', r['values'], 1))\n"
                              "  assert w.save_data('x', 'warning')\n"
                              "  return d\n",
                              10, 0);
    assert_string_equal(error_of(result), "");
    assert_string_equal(text_at(result, "publishes", 0, "payload"), "x");
    assert_string_equal(text_at(result, "publishes", 2, "payload"),
                        "[\"High\", \"Name\", \"Odd\"]");
    assert_string_equal(text_at(result, "publishes", 3, "payload"), "{}");
    assert_string_equal(
        text_at(result, "publishes", 1, "payload"),
        "{\"timestamp\": 1597305662.5, \"values\": {\"High\": {\"timestamp\": 1597305661, "
        "\"current\": \"on\", \"status\": 0, \"value\": 40, \"alarm_content\": \"too "
        "\\\"high\\\"\", \"level\": 1}, \"Name\": {\"timestamp\": 1597305662, \"current\": "
        "\"off\", "
        "\"status\": 1, \"value\": \"pump\", \"alarm_content\": \"\", \"level\": 1}, \"Odd\": "
        "{\"timestamp\": 1597305662, \"current\": \"off\", \"status\": 1, \"value\": 0.5, "
        "\"alarm_content\": \"\", \"level\": 1}}, \"group_name\": \"warning\"}");
    json_decref(result);
}

static void test_saving_and_asking(void **state) {
    json_t *result =
        try_script("def main(d, w):\n"
                   "  assert w.save_data('x', 'g') and not w.save_data('x', 'nowhere')\n"
                   "  assert w.save_data({'topic': 'saved', 'qos': 0, 'payload': 1})\n"
                   "  w.recall_data(recalled, d)\n"
                   "  w.get_tag_config(lambda c: w.mqtt_publish('vars', len(c['vars']), 1))\n"
                   "def recalled(result, tail, w):\n"
                   "  assert tail.pop('group_name') == 'g' and result == tail, (result, tail)\n"
                   "  w.awsiot_publish('recalled', 'same', 1)\n",
                   10, 0);
    assert_string_equal(error_of(result), "");
    assert_string_equal(text_at(result, "publishes", 0, "topic"), "own");
    assert_string_equal(text_at(result, "publishes", 0, "payload"), "x");
    assert_string_equal(text_at(result, "publishes", 1, "topic"), "saved");
    assert_string_equal(text_at(result, "publishes", 2, "topic"), "recalled");
    assert_string_equal(text_at(result, "publishes", 3, "payload"), "5");
    assert_string_equal(text_at(result, "lines", 0, "text"),
                        "save_data: no publish message has a group 'nowhere'; not saved");
    json_decref(result);
}

static void test_mistakes_name_their_line(void **state) {
    json_t *result = try_script("def main(d, w):\n\n\n\n\n\n  return d['nothing']\n", 10, 0);
    assert_string_equal(error_of(result), "KeyError: 'nothing'");
    assert_int_equal(json_integer_value(json_object_get(
                         json_array_get(json_object_get(result, "lines"), 0), "line")),
                     7);
    json_decref(result);
    result = try_script("x = 1\ndef main(d, w:\n", 10, 0);
    assert_non_null(
        strstr(error_of(result), "cannot be built: '(' was never closed (<string>, line 2)"));
    json_decref(result);
    result = try_script("def main(d, w):\n  while True: pass\n", 0.2, 0);
    assert_non_null(strstr(error_of(result), "did not end within 0.2 s, at <string> 2"));
    json_decref(result);
    result = try_script("import os\ndef main(d, w):\n  os._exit(3)\n", 10, 0);
    assert_non_null(strstr(error_of(result), "ended by itself with status 3"));
    json_decref(result);
    result = try_script("def main(d, w):\n  w.awsiot_publish('a/#', 'x', 1)\n", 10, 0);
    assert_non_null(strstr(text_at(result, "lines", 0, "text"), "message not sent: topic 'a/#'"));
    json_decref(result);
}

static void test_a_payload_above_the_limit_is_told(void **state) {
    json_t *result = try_script("def main(d, w):\n  return 'x' * 131073\n", 10, 0);
    const json_t *publish = json_array_get(json_object_get(result, "publishes"), 0);
    assert_true(json_is_true(json_object_get(publish, "too_large")));
    assert_int_equal(json_integer_value(json_object_get(publish, "bytes")), 131073);
    assert_int_equal(strlen(text_at(result, "publishes", 0, "payload")), PS_TRIAL_PAYLOAD_SHOWN);
    json_decref(result);
}

static void test_cancelled(void **state) {
    json_t *result = try_script("def main(d, w):\n  while True: pass\n", 60, 300);
    assert_string_equal(error_of(result), "cancelled");
    json_decref(result);
}

static void test_inputs_that_make_no_sense(void **state) {
    static const struct {
        const char *json;
        const char *place;
        PsGroupType type;
    } cases[] = {
        {"{\"values\": {\"A\": 3}}", "values.A", PS_GROUP_ALARM},
        {"{\"values\": {\"A\": {\"current\": \"maybe\", \"value\": 1}}}", "values.A",
         PS_GROUP_ALARM},
        {"{\"values\": {\"A\": {\"current\": \"on\"}}}", "values.A", PS_GROUP_ALARM},
        {"{\"values\": {\"A\": {\"current\": \"on\", \"value\": []}}}", "values.A", PS_GROUP_ALARM},
        {"{\"values\": []}", "values", PS_GROUP_ALARM},
        {"", "line 1"},
        {"[]", ""},
        {"{\"values\": 3}", "values"},
        {"{\"values\": {\"D\": 3}}", "values.D"},
        {"{\"values\": {\"D\": {\"V\": 3}}}", "values.D.V"},
        {"{\"values\": {\"D\": {\"V\": {\"raw_data\": [1]}}}}", "values.D.V"},
        {"{\"values\": {}, \"values\": {}}", "line 1"},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PsScriptSample sample;
        PsDiag diag = {0};
        assert_int_equal(ps_script_sample_parse(cases[i].json, strlen(cases[i].json), cases[i].type,
                                                &sample, &diag),
                         PS_ERR_INVALID);
        assert_string_equal(diag.field, cases[i].place);
        assert_null(sample.arena);
    }
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    ps_log_set_fd(-1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_is_recorded),
        cmocka_unit_test(test_alarms),
        cmocka_unit_test(test_saving_and_asking),
        cmocka_unit_test(test_mistakes_name_their_line),
        cmocka_unit_test(test_a_payload_above_the_limit_is_told),
        cmocka_unit_test(test_cancelled),
        cmocka_unit_test(test_inputs_that_make_no_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
