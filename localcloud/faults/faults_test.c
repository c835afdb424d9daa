// Fault rules: which are understood, which are refused with what words, and when they act.
#include "localcloud/faults/faults.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

typedef struct Understood {
    const char *line;
    PsFaultEvent event;
    PsFault fault; // without the rule's number
} Understood;

static const Understood understood[] = {
    {"on publish: withhold puback", PS_FAULT_ON_PUBLISH, {.what = PS_FAULT_WITHHOLD_ANSWER}},
    {"on publish: drop puback", PS_FAULT_ON_PUBLISH, {.what = PS_FAULT_DROP_ANSWER}},
    {"on publish: delay puback 250ms",
     PS_FAULT_ON_PUBLISH,
     {.what = PS_FAULT_DELAY, .time_ms = 250}},
    {"on publish: drop", PS_FAULT_ON_PUBLISH, {.what = PS_FAULT_DROP}},
    {"on publish: cut", PS_FAULT_ON_PUBLISH, {.what = PS_FAULT_CUT}},
    {"on publish: cut before puback", PS_FAULT_ON_PUBLISH, {.what = PS_FAULT_CUT_BEFORE_ANSWER}},
    {"on publish: cut after puback", PS_FAULT_ON_PUBLISH, {.what = PS_FAULT_CUT_AFTER_ANSWER}},
    {"on publish: refuse quota exceeded",
     PS_FAULT_ON_PUBLISH,
     {.what = PS_FAULT_REFUSE, .code = 0x97}},
    {"on publish: stop reading", PS_FAULT_ON_PUBLISH, {.what = PS_FAULT_STOP_READING}},
    {"on publish: stop reading for 2min",
     PS_FAULT_ON_PUBLISH,
     {.what = PS_FAULT_STOP_READING, .time_ms = 120000}},
    {"on connect: cut after connack", PS_FAULT_ON_CONNECT, {.what = PS_FAULT_CUT_AFTER_ANSWER}},
    {"on connect: refuse", PS_FAULT_ON_CONNECT, {.what = PS_FAULT_REFUSE, .code = 0x87}},
    {"on connect: refuse server unavailable",
     PS_FAULT_ON_CONNECT,
     {.what = PS_FAULT_REFUSE, .code = 0x88}},
    {"on connect: refuse 0x9f", PS_FAULT_ON_CONNECT, {.what = PS_FAULT_REFUSE, .code = 0x9F}},
    {"on connect: lose session", PS_FAULT_ON_CONNECT, {.what = PS_FAULT_LOSE_SESSION}},
    {"on connect: delay connack 3s",
     PS_FAULT_ON_CONNECT,
     {.what = PS_FAULT_DELAY, .time_ms = 3000}},
    {"on connect: drop connack", PS_FAULT_ON_CONNECT, {.what = PS_FAULT_DROP_ANSWER}},
    {"on subscribe: withhold suback", PS_FAULT_ON_SUBSCRIBE, {.what = PS_FAULT_WITHHOLD_ANSWER}},
    {"on pingreq: drop", PS_FAULT_ON_PINGREQ, {.what = PS_FAULT_DROP}},
    {"on pingreq: drop pingresp", PS_FAULT_ON_PINGREQ, {.what = PS_FAULT_DROP_ANSWER}},
    {"on puback: drop", PS_FAULT_ON_PUBACK, {.what = PS_FAULT_DROP}},
    {"on deliver: cut", PS_FAULT_ON_DELIVER, {.what = PS_FAULT_CUT}},
    {"on deliver, topic a/*: delay 800ms",
     PS_FAULT_ON_DELIVER,
     {.what = PS_FAULT_DELAY, .time_ms = 800}},
    {"on handshake: delay 5s", PS_FAULT_ON_HANDSHAKE, {.what = PS_FAULT_DELAY, .time_ms = 5000}},
    {"on handshake: refuse", PS_FAULT_ON_HANDSHAKE, {.what = PS_FAULT_REFUSE, .code = 0x87}},
    {"on handshake: server certificate expired",
     PS_FAULT_ON_HANDSHAKE,
     {.what = PS_FAULT_SERVER_CERTIFICATE, .certificate = PS_FAULT_CERTIFICATE_EXPIRED}},
    {"  on   handshake :   server certificate foreign  ",
     PS_FAULT_ON_HANDSHAKE,
     {.what = PS_FAULT_SERVER_CERTIFICATE, .certificate = PS_FAULT_CERTIFICATE_FOREIGN}},
};

static bool ask(PsFaults *faults, PsFaultCounts *counts, PsFaultEvent event, const char *client,
                const char *topic, PsFault *ret_fault) {
    return ps_faults_ask(faults, counts, event, client, topic, topic != NULL ? strlen(topic) : 0,
                         ret_fault);
}

static uint32_t add(PsFaults *faults, const char *line) {
    uint32_t id = 0;
    PsDiag diag = {0};
    if (ps_faults_add(faults, line, &id, &diag) != PS_OK) {
        fail_msg("%s: %s: %s", line, diag.field, diag.text);
    }
    return id;
}

static void test_understood(void **state) {
    (void)state;
    for (size_t i = 0; i < PS_COUNT(understood); i++) {
        const Understood *one = &understood[i];
        PsFaults *faults = ps_faults_new();
        PsFaultCounts counts = {0};
        PsFault fault = {0};
        uint32_t id = add(faults, one->line);
        for (int event = 0; event < PS_FAULT_EVENTS; event++) {
            bool acts = ask(faults, &counts, (PsFaultEvent)event, "gw", "a/b", &fault);
            assert_int_equal(acts, event == (int)one->event);
        }
        assert_int_equal(fault.what, one->fault.what);
        assert_int_equal(fault.time_ms, one->fault.time_ms);
        assert_int_equal(fault.code, one->fault.code);
        assert_int_equal(fault.certificate, one->fault.certificate);
        assert_int_equal(fault.rule, id);
        assert_true(ps_faults_in_force(faults, id));
        ps_faults_free(faults);
    }
}

typedef struct Refused {
    const char *line;
    const char *field;
    const char *text; // begins with it
} Refused;

static const Refused refused[] = {
    {"", "", "begins with 'on'"},
    {"publish: cut", "", "begins with 'on'"},
    {"on publsh: cut", "on", "'publsh' is no event"},
    {"on publish", "when", "a colon"},
    {"on publish cut", "publish", "'cut' is not understood"},
    {"on publish #0: cut", "publish", "'#0' is not understood"},
    {"on publish #5-3: cut", "publish", "'#5-3' is not understood"},
    {"on publish #1 #2: cut", "when", "a colon and what is to happen must follow '#1'"},
    {"on publish every: cut", "every", "needs a number"},
    {"on publish, sometimes: cut", "when", "'sometimes' is not understood"},
    {"on publish, 3: cut", "when", "the word 'times' is missing"},
    {"on publish, connection 2: cut", "connection", "needs a number: #2"},
    {"on connect, connection #2: cut", "connection", "there is one on each connection"},
    {"on handshake, client gw: cut", "client", "is not known before the CONNECT"},
    {"on connect, topic a: cut", "topic", "connect has none"},
    {"on publish, client: cut", "when", "a colon"}, // the pattern is "cut"
    {"on publish:", "what", "'…' cannot happen on publish"},
    {"on publish: explode", "what", "'explode…' cannot happen on publish"},
    {"on publish: cut after connack", "what", "'cut…' cannot happen on publish, or lacks"},
    {"on publish: delay puback", "what", "'delay…'"},
    {"on deliver: delay", "what", "'delay…'"},
    {"on deliver: delay puback 5s", "what", "'delay…'"},
    {"on publish: delay puback 5", "what", "'delay…'"},
    {"on publish: delay puback 2000min", "what", "'delay…'"},
    {"on publish: lose session", "what", "'lose…'"},
    {"on publish: server certificate expired", "what", "'server…'"},
    {"on publish: refuse 0x00", "what", "'refuse…'"},
    {"on handshake: server certificate", "what", "'server…'"},
    {"on publish: cut now", "what", "'cut…'"},
    {"on publish, topic \"a: cut", "", "has too many words, or a quote"},
};

static void test_refused(void **state) {
    (void)state;
    PsFaults *faults = ps_faults_new();
    for (size_t i = 0; i < PS_COUNT(refused); i++) {
        const Refused *one = &refused[i];
        PsDiag diag = {0};
        uint32_t id = 0;
        assert_int_equal(ps_faults_add(faults, one->line, &id, &diag), PS_ERR_INVALID);
        assert_non_null(strstr(diag.object, one->line));
        if (strcmp(diag.field, one->field) != 0 ||
            strncmp(diag.text, one->text, strlen(one->text)) != 0) {
            fail_msg("%s: %s: %s", one->line, diag.field, diag.text);
        }
    }
    assert_int_equal(ps_faults_count(faults), 0);
    ps_faults_free(faults);
}

// Which of `count` events of one kind on one connection a rule acts on, as a row of digits.
static void spell(const char *line, PsFaultEvent event, size_t count, char *out) {
    PsFaults *faults = ps_faults_new();
    PsFaultCounts counts = {0};
    PsFault fault;
    add(faults, line);
    for (size_t i = 0; i < count; i++) {
        out[i] = ask(faults, &counts, event, "gw", "a/b", &fault) ? '1' : '0';
    }
    out[count] = '\0';
    ps_faults_free(faults);
}

typedef struct When {
    const char *line;
    const char *acts;
} When;

static void test_when(void **state) {
    (void)state;
    static const When cases[] = {
        {"on publish: cut", "111111"},
        {"on publish #3: cut", "001000"},
        {"on publish #3-4: cut", "001100"},
        {"on publish #3-: cut", "001111"},
        {"on publish every 2: cut", "010101"},
        {"on publish, once: cut", "100000"},
        {"on publish, 2 times: cut", "110000"},
        {"on publish every 2, once: cut", "010000"},
        {"on publish, client gw: cut", "111111"},
        {"on publish, client g*: cut", "111111"},
        {"on publish, client g: cut", "000000"},
        {"on publish, topic a/?, client *: cut", "111111"},
        {"on publish, topic \"a/b\": cut", "111111"},
        {"on publish, topic c/*: cut", "000000"},
        {"on publish, connection #1: cut", "000000"}, // no CONNECT has come
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        char acts[16];
        spell(cases[i].line, PS_FAULT_ON_PUBLISH, strlen(cases[i].acts), acts);
        assert_string_equal(acts, cases[i].acts);
    }
}

// A connection: CONNECT and two messages; whether the rule acts on the second message.
static bool second_message(PsFaults *faults, const char *client) {
    PsFaultCounts counts = {0};
    PsFault fault;
    ask(faults, &counts, PS_FAULT_ON_CONNECT, client, NULL, &fault);
    ask(faults, &counts, PS_FAULT_ON_PUBLISH, client, "a", &fault);
    return ask(faults, &counts, PS_FAULT_ON_PUBLISH, client, "a", &fault);
}

static void test_connections(void **state) {
    (void)state;
    PsFaults *faults = ps_faults_new();
    add(faults, "on publish #2, connection #2, client gw: cut");
    assert_false(second_message(faults, "gw"));
    assert_false(second_message(faults, "other")); // is no connection of gw's
    assert_true(second_message(faults, "gw"));
    assert_false(second_message(faults, "gw"));
    ps_faults_clear(faults);
    add(faults, "on publish #2: cut"); // counted anew on each connection
    assert_true(second_message(faults, "gw"));
    assert_true(second_message(faults, "gw"));
    ps_faults_clear(faults);
    // CONNECTs are counted over connections.
    add(faults, "on connect #2, client gw: refuse");
    const char *const clients[] = {"gw", "other", "gw", "gw"};
    for (size_t i = 0; i < PS_COUNT(clients); i++) {
        PsFaultCounts counts = {0};
        PsFault fault;
        assert_int_equal(ask(faults, &counts, PS_FAULT_ON_CONNECT, clients[i], NULL, &fault),
                         i == 2);
    }
    ps_faults_free(faults);
}

static void test_order(void **state) {
    (void)state;
    PsFaults *faults = ps_faults_new();
    PsFaultCounts counts = {0};
    PsFault fault;
    uint32_t first = add(faults, "on publish #2: cut");
    uint32_t second = add(faults, "on publish: drop puback");
    assert_true(ask(faults, &counts, PS_FAULT_ON_PUBLISH, "gw", "a", &fault));
    assert_int_equal(fault.rule, second);
    assert_true(ask(faults, &counts, PS_FAULT_ON_PUBLISH, "gw", "a", &fault));
    assert_int_equal(fault.rule, first);
    json_t *json = ps_faults_take(faults);
    const json_t *rules = json_object_get(json, "rules");
    assert_int_equal(json_array_size(rules), 2);
    const json_t *rule = json_array_get(rules, 1);
    assert_string_equal(json_string_value(json_object_get(rule, "rule")),
                        "on publish: drop puback");
    assert_int_equal(json_integer_value(json_object_get(rule, "matched")), 2);
    assert_int_equal(json_integer_value(json_object_get(rule, "done")), 1);
    json_decref(json);
    ps_faults_free(faults);
}

static void count_call(void *ctx) {
    (*(int *)ctx)++;
}

static PsErr put(PsFaults *faults, const char *text) {
    json_t *json = json_loads(text, 0, NULL);
    PsDiag diag = {0};
    assert_non_null(json);
    PsErr err = ps_faults_put(faults, json, &diag);
    assert_int_equal(err == PS_OK, diag.text[0] == '\0');
    json_decref(json);
    return err;
}

static void test_json(void **state) {
    (void)state;
    PsFaults *faults = ps_faults_new();
    int calls = 0;
    ps_faults_watch(faults, count_call, &calls);
    assert_int_equal(put(faults, "{\"add\": \"on publish: withhold puback\"}"), PS_OK);
    assert_int_equal(put(faults, "{\"add\": [\"on connect: refuse\", \"on publish: cut\"]}"),
                     PS_OK);
    assert_int_equal(ps_faults_count(faults), 3);
    assert_int_equal(calls, 0);
    assert_int_equal(put(faults, "{\"rules\": [\"on publish: drop\", \"nonsense\"]}"),
                     PS_ERR_INVALID);
    assert_int_equal(put(faults, "{\"remove\": [1, 7]}"), PS_ERR_NOT_FOUND);
    assert_int_equal(put(faults, "{\"add\": 7}"), PS_ERR_INVALID);
    assert_int_equal(put(faults, "{\"clear\": false}"), PS_ERR_INVALID);
    assert_int_equal(put(faults, "{}"), PS_ERR_INVALID);
    assert_int_equal(put(faults, "{\"clear\": true, \"remove\": 1}"), PS_ERR_INVALID);
    assert_int_equal(ps_faults_count(faults), 3);
    assert_int_equal(put(faults, "{\"remove\": [1, 1]}"), PS_OK);
    assert_int_equal(calls, 1);
    assert_false(ps_faults_in_force(faults, 1));
    assert_true(ps_faults_in_force(faults, 2));
    assert_int_equal(put(faults, "{\"rules\": [\"on publish: drop\"]}"), PS_OK);
    assert_int_equal(ps_faults_count(faults), 1);
    assert_false(ps_faults_in_force(faults, 2));
    assert_int_equal(put(faults, "{\"clear\": true}"), PS_OK);
    assert_int_equal(ps_faults_count(faults), 0);
    ps_faults_free(faults);
}

static void test_script(void **state) {
    (void)state;
    static const char good[] = "# one day in the plant\r\n"
                               "\n"
                               "on connect #1, client gw: cut after connack\r\n"
                               "  on publish #3: cut before puback";
    static const char bad[] = "on publish: cut\n\non publish: explode\n";
    PsFaults *faults = ps_faults_new();
    PsDiag diag = {0};
    assert_int_equal(ps_faults_load(faults, good, sizeof good - 1, &diag), PS_OK);
    assert_int_equal(ps_faults_count(faults), 2);
    assert_int_equal(ps_faults_load(faults, bad, sizeof bad - 1, &diag), PS_ERR_INVALID);
    assert_string_equal(diag.field, "line 3");
    assert_non_null(strstr(diag.text, "'explode…' cannot happen"));
    assert_int_equal(ps_faults_count(faults), 2);
    assert_int_equal(ps_faults_load(faults, "on publish:\0cut", 15, &diag), PS_ERR_INVALID);
    ps_faults_free(faults);
}

static void test_bounds(void **state) {
    (void)state;
    PsFaults *faults = ps_faults_new();
    for (int i = 0; i < PS_FAULTS_MAX; i++) {
        add(faults, "on publish: cut");
    }
    uint32_t id = 0;
    PsDiag diag = {0};
    assert_int_equal(ps_faults_add(faults, "on publish: cut", &id, &diag), PS_ERR_FULL);
    ps_faults_clear(faults);
    char line[PS_FAULT_RULE_SIZE + 1];
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    assert_int_equal(ps_faults_add(faults, line, &id, &diag), PS_ERR_INVALID);
    assert_non_null(strstr(diag.text, "is longer than"));
    ps_faults_free(faults);
}

static void test_return_codes(void **state) {
    (void)state;
    assert_int_equal(ps_fault_return_code(0x84), 1);
    assert_int_equal(ps_fault_return_code(0x85), 2);
    assert_int_equal(ps_fault_return_code(0x86), 4);
    assert_int_equal(ps_fault_return_code(0x87), 5);
    assert_int_equal(ps_fault_return_code(0x88), 3);
    assert_int_equal(ps_fault_return_code(0x97), 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_understood),   cmocka_unit_test(test_refused),
        cmocka_unit_test(test_when),         cmocka_unit_test(test_connections),
        cmocka_unit_test(test_order),        cmocka_unit_test(test_json),
        cmocka_unit_test(test_script),       cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_return_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
