// sequence(): which calls consume a number and which do not. A real penstock-script, one loop.
#include "script/host_test_rig.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VALUE "d['values']['Temperature_Sensor']['Test']['raw_data']"
#define NUMBER "w.sequence()['sequence']"
// What the script does depends on the value it gets; it says which number it had.
#define SCRIPT                                                                                     \
    "import os, sys\n"                                                                             \
    "def main(d, w):\n"                                                                            \
    "  v = " VALUE "\n"                                                                            \
    "  if v == 1: return 'none'\n"                                                                 \
    "  n = " NUMBER "\n"                                                                           \
    "  if v == 2: raise ValueError(n)\n"                                                           \
    "  if v == 3: os._exit(3)\n"                                                                   \
    "  while v == 4: pass\n"                                                                       \
    "  if v == 5: return {1}\n"                                                                    \
    "  assert n == " NUMBER "\n"                                                                   \
    "  return [v, n]\n"

static void upload(Rig *rig, uint32_t publish, int64_t number) {
    PsValue value = ps_value_int(number);
    rig_upload_values(rig, publish, &value, NULL);
}

static void test_only_calls_that_end_well_count(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "p", "main", SCRIPT, 0.5);
    rig_start(rig);
    static const int64_t values[] = {9, 1, 9, 2, 9, 3, 9, 4, 9, 5, 9, 1, 9};
    for (size_t i = 0; i < PS_COUNT(values); i++) {
        upload(rig, 0, values[i]);
    }
    static const char *const sent[] = {"[9, 1]", "none",   "[9, 2]", "[9, 3]", "[9, 4]",
                                       "[9, 5]", "[9, 6]", "none",   "[9, 7]"};
    for (size_t i = 0; i < PS_COUNT(sent); i++) {
        rig_expect(rig, i, sent[i]);
    }
    assert_int_equal(rig->dead_count, 4);
    // A dead letter gets the number it is given when it runs, in a script that was saved meanwhile.
    PsBuf text = {0};
    static const char better[] = "def main(d, w):\n  return [" VALUE ", " NUMBER "]\n";
    ps_buf_put(&text, better, strlen(better));
    ps_script_host_replace(rig->host, PS_SCRIPT_PUBLISH, 0, &text);
    rig_wait_log(rig, "its saved script takes over");
    PsDiag diag;
    assert_int_equal(
        ps_script_host_replay(rig->host, PS_SCRIPT_PUBLISH, 0, &rig->dead[0].kept, 1, &diag),
        PS_OK);
    rig_expect(rig, PS_COUNT(sent), "[2, 8]");
    upload(rig, 0, 9);
    rig_expect(rig, PS_COUNT(sent) + 1, "[9, 9]");
    rig_free(rig);
}

static void test_each_message_counts_for_itself(void **state) {
    char boots[2][17];
    for (size_t i = 0; i < 2; i++) {
        Rig *rig = rig_new();
        rig_publish(rig, "one", "main", "def main(d, w):\n  return w.sequence()\n", 0);
        rig_publish(rig, "two", "main", "def main(d, w):\n  return w.sequence()\n", 0);
        rig_start(rig);
        upload(rig, 0, 1);
        rig_wait_messages(rig, 1);
        upload(rig, 1, 1);
        rig_wait_messages(rig, 2);
        assert_string_equal(rig->messages[0].payload, rig->messages[1].payload);
        unsigned number = 0;
        assert_int_equal(sscanf(rig->messages[0].payload,
                                "{\"boot\": \"%16[0-9a-f]\", \"sequence\": %u}", boots[i], &number),
                         2);
        assert_int_equal(strlen(boots[i]), 16);
        assert_int_equal(number, 1);
        rig_free(rig);
    }
    assert_string_not_equal(boots[0], boots[1]); // of another start
}

static void test_subscribe_scripts_and_callbacks(void **state) {
    Rig *rig = rig_new();
    rig_subscribe(rig, "s", "main",
                  "def main(topic, payload, w):\n"
                  "  w.write_plc_values({'Test': 1}, done, tail=payload)\n"
                  "  w.awsiot_publish('call', " NUMBER ", 1)\n"
                  "def done(result, tail, w):\n"
                  "  w.awsiot_publish('back', " NUMBER ", 1)\n"
                  "  if tail == 'bad': raise ValueError\n");
    rig_start(rig);
    assert_int_equal(ps_script_host_receive(rig->host, 0, "t", "bad", 3, 0), PS_OK);
    rig_wait_calls(rig, 0, 2);
    assert_int_equal(ps_script_host_receive(rig->host, 0, "t", "good", 4, 0), PS_OK);
    rig_wait_calls(rig, 0, 4);
    static const char *const numbers[] = {"1", "2", "2", "3"};
    for (size_t i = 0; i < PS_COUNT(numbers); i++) {
        rig_expect(rig, i, numbers[i]);
    }
    rig_free(rig);
}

static void test_a_thread_has_no_number(void **state) {
    Rig *rig = rig_new();
    rig_publish(rig, "p", "main",
                "import threading\n"
                "said = []\n"
                "def ask(w):\n"
                "  try: w.sequence()\n"
                "  except RuntimeError as e: said.append(str(e))\n"
                "def main(d, w):\n"
                "  t = threading.Thread(target=ask, args=(w,))\n"
                "  t.start(); t.join()\n"
                "  return said[0]\n",
                0);
    rig_start(rig);
    upload(rig, 0, 1);
    rig_wait_messages(rig, 1);
    assert_non_null(strstr(rig->messages[0].payload, "sequence belongs to a call"));
    rig_free(rig);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_calls_that_end_well_count),
        cmocka_unit_test(test_each_message_counts_for_itself),
        cmocka_unit_test(test_subscribe_scripts_and_callbacks),
        cmocka_unit_test(test_a_thread_has_no_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
