// Alarms on their way to a script: the layout it is called with, what is kept of a call that fails,
// and its replay. A real penstock-script, one loop.
#include "script/host_test_rig.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COLLECTED INT64_C(1597305662500000000)
#define READ INT64_C(1597305661900000000)

static PsGroup groups[] = {
    {.name = "default", .type = PS_GROUP_COLLECT, .variable_count = 1},
    {.name = "warning", .type = PS_GROUP_ALARM, .alarm_count = 2},
    {.name = "other", .type = PS_GROUP_ALARM, .alarm_count = 1},
};
static PsAlarm alarms[] = {
    {.name = "High", .content = "too \"high\"", .group = 1, .place = 0},
    {.name = "Elsewhere", .content = "", .group = 2, .place = 0},
    {.name = "Low", .content = "", .group = 1, .place = 1, .level = 5},
};

static Rig *start(const char *source) {
    Rig *rig = rig_new();
    rig_publish(rig, "alarms", "main", source, 0);
    rig->publish[0].group_type = PS_GROUP_ALARM;
    rig->config.groups = groups;
    rig->config.group_count = PS_COUNT(groups);
    rig->config.alarms = alarms;
    rig->config.alarm_count = PS_COUNT(alarms);
    rig_start(rig);
    return rig;
}

static void upload(Rig *rig, uint32_t alarm, bool on, PsValue value) {
    PsAlarmEvent event = {.alarm = alarm, .on = on, .stamp = {READ}, .value = value};
    PsAlarmUpload one = {
        .group = alarms[alarm].group, .collected = {COLLECTED}, .event_count = 1, .events = &event};
    assert_int_equal(ps_script_host_alarms(rig->host, 0, &one), PS_OK);
}

static void test_layout(void **state) {
    Rig *rig = start("def main(d, w):\n  return d\n");
    PsAlarmEvent events[] = {
        {.alarm = 2, .on = false, .stamp = {READ}, .value = ps_value_float(1.5)},
        {.alarm = 0, .on = true, .stamp = {COLLECTED}, .value = ps_value_int(40)},
    };
    PsAlarmUpload both = {.group = 1, .collected = {COLLECTED}, .event_count = 2, .events = events};
    assert_int_equal(ps_script_host_alarms(rig->host, 0, &both), PS_OK);
    rig_expect(rig, 0,
               "{\"timestamp\": 1597305662.5, \"values\": {\"Low\": {\"timestamp\": 1597305661, "
               "\"current\": \"off\", \"status\": 1, \"value\": 1.5, \"alarm_content\": \"\", "
               "\"level\": 5}, \"High\": {\"timestamp\": 1597305662, \"current\": \"on\", "
               "\"status\": 0, \"value\": 40, \"alarm_content\": \"too \\\"high\\\"\", \"level\": "
               "1}}, \"group_name\": \"warning\"}");
    assert_true(rig->messages[0].collected.ns == COLLECTED);
    assert_string_equal(rig->messages[0].topic, "plant/1");
    upload(rig, 1, true, ps_value_text("pump", 4)); // of another group, with its own names
    rig_expect(rig, 1,
               "{\"timestamp\": 1597305662.5, \"values\": {\"Elsewhere\": {\"timestamp\": "
               "1597305661, \"current\": \"on\", \"status\": 0, \"value\": \"pump\", "
               "\"alarm_content\": \"\", \"level\": 1}}, \"group_name\": \"other\"}");
    upload(rig, 0, false, ps_value_bool(true)); // the first one's names still stand
    rig_wait_messages(rig, 3);
    assert_non_null(strstr(rig->messages[2].payload, "{\"High\": {"));
    assert_non_null(strstr(rig->messages[2].payload, "\"value\": true"));
    rig_free(rig);
}

static void test_scripts_may_keep_and_change_what_they_get(void **state) {
    Rig *rig = start("kept = []\n"
                     "def main(d, w):\n"
                     "  kept.append(d)\n"
                     "  d['values']['High']['value'] += len(kept)\n"
                     "  return [k['values']['High']['value'] for k in kept]\n");
    upload(rig, 0, true, ps_value_int(10));
    upload(rig, 0, false, ps_value_int(20));
    rig_expect(rig, 1, "[11, 22]");
    rig_free(rig);
}

typedef struct Seen {
    size_t count;
    PsKeptAlarm last;
} Seen;

static void see(const PsKeptAlarm *alarm, void *ctx) {
    Seen *seen = ctx;
    seen->count++;
    seen->last = *alarm;
}

static void replay(Rig *rig, const PsScriptKept *kept, uint64_t id, PsErr expected) {
    PsDiag diag = {0};
    assert_int_equal(ps_script_host_replay(rig->host, PS_SCRIPT_PUBLISH, 0, kept, id, &diag),
                     expected);
    assert_true((diag.text[0] == '\0') == (expected == PS_OK));
}

static void test_a_call_that_raises_is_kept_and_replayed(void **state) {
    Rig *rig = start("def main(d, w):\n"
                     "  if d['group_name'] == 'warning' and d['values']['High']['value'] == 1:\n"
                     "    raise ValueError('not ready')\n"
                     "  return d\n");
    upload(rig, 0, true, ps_value_int(1));
    rig_wait_dead(rig, 1);
    const PsScriptKept *kept = &rig->dead[0].kept;
    assert_true(kept->form == PS_KEPT_ALARMS && kept->collected.ns == COLLECTED);
    PsWireText group;
    double timestamp;
    Seen seen = {0};
    assert_int_equal(ps_kept_alarms(kept, &group, &timestamp, see, &seen), PS_OK);
    assert_true(seen.count == 1 && seen.last.on && seen.last.timestamp == 1597305661);
    assert_memory_equal(seen.last.content.data, alarms[0].content, seen.last.content.len);
    assert_true(timestamp == 1597305662.5 && group.len == strlen("warning"));
    replay(rig, kept, 7, PS_OK);
    rig_wait_replayed(rig, 1);
    assert_int_equal(rig->replay_end, PS_SCRIPT_REPLAY_FAILED);
    // Kept by another configuration: its names come with it, and the present ones still stand.
    PS_AUTO_BUF PsBuf names = {0};
    ps_buf_put_u32(&names, 5);
    ps_buf_put_text(&names, "former");
    ps_buf_put_u32(&names, 1);
    ps_buf_put_text(&names, "Old");
    ps_buf_put_text(&names, "was so");
    PsScriptKept old = *kept;
    old.schema = names.data;
    old.schema_len = names.len;
    replay(rig, &old, 8, PS_OK);
    rig_expect(rig, 0,
               "{\"timestamp\": 1597305662.5, \"values\": {\"Old\": {\"timestamp\": 1597305661, "
               "\"current\": \"on\", \"status\": 0, \"value\": 1, \"alarm_content\": \"was so\", "
               "\"level\": 1}}, \"group_name\": \"former\"}");
    upload(rig, 0, false, ps_value_int(2));
    rig_wait_messages(rig, 2);
    assert_non_null(strstr(rig->messages[1].payload, "{\"High\": {"));
    rig_free(rig);
}

static void test_letters_that_cannot_be_run(void **state) {
    Rig *rig = start("def main(d, w):\n  raise ValueError\n");
    upload(rig, 0, true, ps_value_text("x", 1));
    rig_wait_dead(rig, 1);
    for (size_t len = 0; len < rig->dead[0].kept.input_len; len++) {
        PsScriptKept letter = rig->dead[0].kept;
        letter.input_len = len;
        replay(rig, &letter, 1, PS_ERR_CORRUPT);
    }
    for (size_t len = 0; len < rig->dead[0].kept.schema_len; len++) {
        PsScriptKept letter = rig->dead[0].kept;
        letter.schema_len = len;
        replay(rig, &letter, 1, PS_ERR_CORRUPT);
    }
    PsScriptKept letter = rig->dead[0].kept;
    letter.form = PS_KEPT_SNAPSHOT; // of the time before it was a message of alarms
    replay(rig, &letter, 1, PS_ERR_INVALID);
    letter.form = PS_KEPT_ALARMS + 1;
    replay(rig, &letter, 1, PS_ERR_UNSUPPORTED);
    assert_int_equal(rig->replayed_count, 0);
    rig_free(rig);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_scripts_may_keep_and_change_what_they_get),
        cmocka_unit_test(test_a_call_that_raises_is_kept_and_replayed),
        cmocka_unit_test(test_letters_that_cannot_be_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
