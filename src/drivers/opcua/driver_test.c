// The driver against an in-process server of the same library, without protection.
#include "drivers/opcua/test_rig.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TEST_NS "nsu=urn:penstock:test;"

static const PsDriver *const driver = &ps_opcua_driver;
static Rig rig;

static int set_up(void **state) {
    rig_begin(&rig);
    return 0;
}

static int tear_down(void **state) {
    rig_end(&rig);
    return 0;
}

static void start(void) {
    rig_start(&rig, &(PsOpcuaTestSetup){0});
}

static void test_reads_values(void **state) {
    start();
    rig_add(&rig, "Temperature");
    rig_add(&rig, "Counter");
    rig_add(&rig, "Setpoint");
    rig_add(&rig, TEST_NS "s=Recipe");
    rig_add(&rig, "i=2259"); // state of the server: running
    rig_open(&rig);
    rig_connect(&rig);
    assert_string_equal(rig.session->note,
                        "nothing on this connection is protected, because the server offers no "
                        "security policy; switch Basic256Sha256 on in it");
    assert_int_equal(rig_read(&rig), PS_OK);
    assert_string_equal(rig.diag.text, "");
    assert_int_equal(rig.batch->sample_count, 5);
    assert_int_equal(rig_sample(&rig, 0)->quality, PS_QUALITY_GOOD);
    assert_true(rig_sample(&rig, 0)->value.number == 21.5);
    assert_int_equal(rig_sample(&rig, 1)->value.integer, 7);
    assert_int_equal(rig_sample(&rig, 2)->value.integer, -5);
    assert_int_equal(rig_sample(&rig, 3)->value.kind, PS_VALUE_TEXT);
    assert_memory_equal(rig_sample(&rig, 3)->value.text, "bread", 5);
    assert_int_equal(rig_sample(&rig, 4)->value.integer, 0);
    assert_int_equal(ps_opcua_test_server_sessions(rig.server, NULL), 1);
    driver->disconnect(rig.session);
    assert_false(driver->connected(rig.session));
}

static void test_bad_nodes_spoil_no_others(void **state) {
    start();
    rig_add(&rig, "Nowhere");
    rig_add(&rig, "Temperature");
    rig_add(&rig, "nsu=urn:elsewhere;s=Temperature");
    rig_add(&rig, "Failed");
    rig_add(&rig, "Old");
    rig_add(&rig, "Hidden");
    rig_add(&rig, "i=2256"); // a structure
    rig_add(&rig, "Numbers");
    rig_open(&rig);
    rig_connect(&rig);
    assert_int_equal(rig_read(&rig), PS_OK);
    assert_int_equal(rig.batch->sample_count, 8);
    assert_int_equal(rig_sample(&rig, 0)->quality, PS_QUALITY_REFUSED);
    assert_int_equal(rig_sample(&rig, 1)->quality, PS_QUALITY_GOOD);
    assert_int_equal(rig_sample(&rig, 2)->quality, PS_QUALITY_REFUSED);
    assert_int_equal(rig_sample(&rig, 3)->quality, PS_QUALITY_AWAY);
    assert_int_equal(rig_sample(&rig, 4)->quality, PS_QUALITY_STALE);
    assert_int_equal(rig_sample(&rig, 5)->quality, PS_QUALITY_REFUSED);
    assert_int_equal(rig_sample(&rig, 6)->quality, PS_QUALITY_UNDECODABLE);
    assert_int_equal(rig_sample(&rig, 7)->quality, PS_QUALITY_UNDECODABLE);
    assert_non_null(strstr(rig.diag.text, "reading ns=2;s=Nowhere: the server has no such node"));
    assert_non_null(strstr(rig.diag.text, "BadNodeIdUnknown"));
}

static void test_array_elements(void **state) {
    start();
    rig_add(&rig, "Numbers")->array_index = 3;
    rig_add(&rig, "Numbers")->array_index = 10;
    rig_add(&rig, "Counter")->array_index = 0;
    rig_open(&rig);
    rig_connect(&rig);
    assert_int_equal(rig_read(&rig), PS_OK);
    assert_int_equal(rig_sample(&rig, 0)->value.integer, 30);
    assert_int_equal(rig_sample(&rig, 1)->quality, PS_QUALITY_REFUSED);
    assert_int_not_equal(rig_sample(&rig, 2)->quality, PS_QUALITY_GOOD);
    assert_non_null(strstr(rig.diag.text, "Numbers[10]: the array has no such element"));
}

static void add_numbers(uint32_t count, char texts[][24]) {
    for (uint32_t i = 0; i < count; i++) {
        snprintf(texts[i], sizeof texts[i], "ns=2;i=%u", i + 1);
        rig_add(&rig, texts[i]);
    }
}

static void assert_numbers(uint32_t count) {
    assert_int_equal(rig.batch->sample_count, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(rig_sample(&rig, i)->quality, PS_QUALITY_GOOD);
        assert_int_equal(rig_sample(&rig, i)->value.integer, i + 1);
    }
}

static void test_one_request_for_all(void **state) {
    static char texts[600][24];
    start();
    add_numbers(600, texts);
    rig_open(&rig);
    rig_connect(&rig);
    uint64_t before = rig.session->counters.requests;
    assert_int_equal(rig_read(&rig), PS_OK);
    assert_int_equal(rig.session->counters.requests - before, 1);
    assert_numbers(600);
}

static void test_keeps_to_the_limit(void **state) {
    static char texts[100][24];
    rig_start(&rig, &(PsOpcuaTestSetup){.max_read = 30});
    add_numbers(100, texts);
    rig_open(&rig);
    rig_connect(&rig);
    uint64_t before = rig.session->counters.requests;
    assert_int_equal(rig_read(&rig), PS_OK);
    assert_int_equal(rig.session->counters.requests - before, 4);
    assert_int_equal(rig.session->counters.errors, 0);
    assert_numbers(100);
}

static PsErr write_text(uint32_t variable, const char *text, PsValue *ret_back) {
    rig.diag = (PsDiag){0};
    return driver->write(rig.session, variable, ps_value_text(text, (uint32_t)strlen(text)),
                         ret_back, &rig.diag);
}

static void test_writes_every_type(void **state) {
    static const struct {
        const char *node;
        const char *text;
        PsErr err;
        const char *words; // the value read back, or part of the diagnosis
    } rows[] = {
        {"Types.Boolean", "true", PS_OK, "true"},
        {"Types.Boolean", "2", PS_ERR_INVALID, "Boolean: true, false, 1 or 0"},
        {"Types.SByte", "-128", PS_OK, "-128"},
        {"Types.SByte", "128", PS_ERR_INVALID, "SByte: a whole number from -128 to 127"},
        {"Types.Byte", "255", PS_OK, "255"},
        {"Types.Int16", "-32768", PS_OK, "-32768"},
        {"Types.UInt16", "65535", PS_OK, "65535"},
        {"Types.UInt16", "-1", PS_ERR_INVALID, "from 0 to 65535"},
        {"Types.Int32", "12.0", PS_OK, "12"},
        {"Types.Int32", "12.5", PS_ERR_INVALID, "Int32"},
        {"Types.UInt32", "4294967295", PS_OK, "4294967295"},
        {"Types.Int64", "-9223372036854775808", PS_OK, "-9223372036854775808"},
        {"Types.UInt64", "18446744073709551615", PS_OK, "18446744073709551615"},
        {"Types.Float", "1.5", PS_OK, "1.5"},
        {"Types.Float", "1e39", PS_ERR_INVALID, "Float: a number up to"},
        {"Types.Double", "-2.25", PS_OK, "-2.25"},
        {"Types.String", "12", PS_OK, "12"},
        {"Types.LocalizedText", "Brot", PS_OK, "Brot"},
        {"Types.Guid", "x", PS_ERR_INVALID, "the gateway does not write"},
        {"Nowhere", "1", PS_ERR_REFUSED, "no such node"},
        {"Counter", "1", PS_ERR_REFUSED, "cannot be written"},
    };
    start();
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        rig_add(&rig, rows[i].node);
    }
    rig_open(&rig);
    rig_connect(&rig);
    for (uint32_t i = 0; i < PS_COUNT(rows); i++) {
        PsValue back = ps_value_none();
        char text[64];
        if (i == PS_COUNT(rows) / 2) {
            assert_int_equal(rig_read(&rig), PS_OK); // from here on types are known
        }
        assert_int_equal(write_text(i, rows[i].text, &back), rows[i].err);
        ps_value_format(back, text, sizeof text);
        if (rows[i].err == PS_OK) {
            assert_string_equal(text, rows[i].words);
        } else {
            assert_non_null(strstr(rig.diag.text, rows[i].words));
        }
    }
}

static void test_writes_an_element(void **state) {
    PsValue back = ps_value_none();
    start();
    rig_add(&rig, "Numbers")->array_index = 4;
    rig_add(&rig, "Numbers")->array_index = 5;
    rig_add(&rig, "Numbers");
    rig_open(&rig);
    rig_connect(&rig);
    assert_int_equal(driver->write(rig.session, 0, ps_value_int(44), &back, &rig.diag), PS_OK);
    assert_int_equal(back.integer, 44);
    assert_int_equal(rig_read(&rig), PS_OK);
    assert_int_equal(rig_sample(&rig, 0)->value.integer, 44);
    assert_int_equal(rig_sample(&rig, 1)->value.integer, 50);
    assert_int_equal(driver->write(rig.session, 2, ps_value_int(1), &back, &rig.diag),
                     PS_ERR_INVALID);
    assert_non_null(strstr(rig.diag.text, "array_index"));
}

static void test_peek(void **state) {
    PsPeek peek = {0};
    start();
    rig_add(&rig, "Setpoint");
    rig_add(&rig, "Nowhere");
    rig_open(&rig);
    rig_connect(&rig);
    assert_int_equal(driver->peek(rig.session, 0, &peek, &rig.diag), PS_OK);
    assert_string_equal(peek.request, "Read: the Value of ns=2;s=Setpoint");
    assert_string_equal(peek.type, "Int16");
    assert_int_equal(peek.len, 2);
    assert_memory_equal(peek.bytes, "\xfb\xff", 2);
    assert_true(peek.ordered);
    assert_true(peek.sent_len > 18);
    // Attribute Value, no range at all (an empty one is something else), no encoding.
    assert_memory_equal(&peek.sent[peek.sent_len - 14],
                        "\x0d\0\0\0\xff\xff\xff\xff\0\0\xff\xff\xff\xff", 14);
    assert_true(peek.received_len > 0);
    peek = (PsPeek){0};
    assert_int_equal(driver->peek(rig.session, 1, &peek, &rig.diag), PS_ERR_REFUSED);
    assert_true(peek.code == (int64_t)UA_STATUSCODE_BADNODEIDUNKNOWN);
    assert_non_null(strstr(peek.meaning, "no such node"));
}

static const PsBrowseNode *find(const PsBrowse *browse, const char *name) {
    for (uint32_t i = 0; i < browse->count; i++) {
        if (strcmp(browse->nodes[i].name, name) == 0) {
            return &browse->nodes[i];
        }
    }
    return NULL;
}

static void test_browse(void **state) {
    static PsBrowseNode nodes[PS_BROWSE_NODES_MAX];
    start();
    rig_open(&rig);
    rig_connect(&rig);
    PsArena *arena = ps_arena_new();
    PsBrowse browse = {.node = "", .after = "", .arena = arena, .nodes = nodes};
    assert_int_equal(driver->browse(rig.session, 0, &browse, &rig.diag), PS_OK);
    assert_int_equal(browse.count, PS_BROWSE_NODES_MAX); // 600 numbered ones and more
    assert_string_equal(browse.next, "500");
    const PsBrowseNode *server = find(&browse, "Server");
    assert_non_null(server);
    assert_true(server->inside);
    assert_string_equal(server->node, "i=2253");
    assert_string_equal(server->address, "");
    PsBrowse rest = {.node = "", .after = browse.next, .arena = arena, .nodes = nodes};
    uint32_t first = browse.count;
    const PsBrowseNode *setpoint = find(&browse, "Setpoint");
    assert_non_null(setpoint);
    assert_string_equal(setpoint->address, "nsu=urn:penstock:test;s=Setpoint");
    assert_string_equal(setpoint->type, "Int16");
    assert_int_equal(setpoint->data_type, PS_TYPE_INT);
    assert_true(setpoint->readable);
    assert_true(setpoint->writable);
    assert_false(setpoint->inside);
    assert_string_equal(find(&browse, "Numbers")->type, "Int32[10]");
    assert_int_equal(find(&browse, "Numbers")->data_type, PS_UNSET);
    assert_false(find(&browse, "Counter")->writable);
    assert_int_equal(driver->browse(rig.session, 0, &rest, &rig.diag), PS_OK);
    assert_string_equal(rest.next, "");
    assert_true(first + rest.count > 620);
    PsBrowse inside = {.node = "i=2253", .after = "", .arena = arena, .nodes = nodes};
    assert_int_equal(driver->browse(rig.session, 0, &inside, &rig.diag), PS_OK);
    assert_non_null(find(&inside, "ServerStatus"));
    assert_true(find(&inside, "ServerStatus")->inside);
    assert_string_equal(find(&inside, "ServerStatus")->type, "ServerStatusDataType");
    PsBrowse wrong = {.node = "ns=2;s=Nowhere", .after = "", .arena = arena, .nodes = nodes};
    assert_int_equal(driver->browse(rig.session, 0, &wrong, &rig.diag), PS_ERR_NOT_FOUND);
    ps_arena_free(arena);
}

static void test_survives_a_restart(void **state) {
    rig_start(&rig, &(PsOpcuaTestSetup){0});
    int port = ps_opcua_test_server_port(rig.server);
    rig_add(&rig, TEST_NS "s=Counter");
    rig_open(&rig);
    rig_connect(&rig);
    rig_wait_integer(&rig, 0, 7);
    ps_opcua_test_server_stop(rig.server);
    rig.server = NULL;
    PsErr err = rig_read(&rig);
    assert_int_equal(err, PS_ERR_CLOSED);
    assert_false(driver->connected(rig.session));
    assert_int_not_equal(driver->connect(rig.session, &rig.diag), PS_OK);
    // Its namespaces have other numbers now.
    rig_start(&rig, &(PsOpcuaTestSetup){.port = port, .uri = "urn:penstock:new"});
    rig_connect(&rig);
    rig_wait_integer(&rig, 0, 7);
}

static void test_leaves_no_sessions(void **state) {
    size_t ever;
    start();
    rig_add(&rig, "Counter");
    rig_open(&rig);
    for (int i = 0; i < 100; i++) {
        rig_connect(&rig);
        assert_int_equal(rig_read(&rig), PS_OK);
        assert_int_equal(ps_opcua_test_server_sessions(rig.server, &ever), 1);
        driver->disconnect(rig.session);
    }
    assert_int_equal(ever, 100);
}

static void test_silence_is_a_timeout(void **state) {
    start();
    rig.device.timeout = 0.2;
    rig_add(&rig, "Counter");
    rig_open(&rig);
    rig_connect(&rig);
    assert_int_equal(rig_read(&rig), PS_OK);
    ps_opcua_test_server_hold(rig.server, true);
    assert_int_equal(rig_read(&rig), PS_ERR_TIMEOUT);
    assert_non_null(strstr(rig.diag.text, "reading 1 node: no answer within 0.2 s"));
    assert_int_equal(rig.batch->sample_count, 0);
    assert_true(driver->connected(rig.session)); // once is no reason to make a new session
    ps_opcua_test_server_hold(rig.server, false);
    rig.device.timeout = 10;
    rig_wait_integer(&rig, 0, 7);
    assert_int_equal(rig.session->counters.late, 1);
    size_t ever;
    assert_int_equal(ps_opcua_test_server_sessions(rig.server, &ever), 1);
    assert_int_equal(ever, 1);
}

static void *interrupt_soon(void *argument) {
    usleep(50 * 1000);
    driver->interrupt(rig.session);
    return NULL;
}

static void assert_interrupted(PsErr (*call)(void)) {
    pthread_t thread;
    PsMono begin = ps_mono_now();
    assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, NULL), 0);
    assert_int_equal(call(), PS_ERR_CANCELLED);
    assert_true(ps_mono_diff_ns(ps_mono_now(), begin) < 3 * PS_NS_PER_S); // of ten
    pthread_join(thread, NULL);
}

static PsErr call_read(void) {
    return rig_read(&rig);
}

static PsErr call_connect(void) {
    return driver->connect(rig.session, &rig.diag);
}

static void test_interrupt_while_reading(void **state) {
    start();
    rig_add(&rig, "Counter");
    rig_open(&rig);
    rig_connect(&rig);
    ps_opcua_test_server_hold(rig.server, true);
    assert_interrupted(call_read);
}

static void test_interrupt_while_connecting(void **state) {
    start();
    rig_add(&rig, "Counter");
    rig_open(&rig);
    ps_opcua_test_server_hold(rig.server, true);
    assert_interrupted(call_connect);
}

static void test_nobody_listens(void **state) {
    start();
    rig_add(&rig, "Counter");
    rig_open(&rig);
    ps_opcua_test_server_stop(rig.server);
    rig.server = NULL;
    assert_int_equal(driver->connect(rig.session, &rig.diag), PS_ERR_CLOSED);
    assert_non_null(strstr(rig.diag.text, "OPC UA server"));
}

static void test_replan_keeps_the_session(void **state) {
    size_t ever;
    start();
    rig_add(&rig, "Counter");
    rig_open(&rig);
    rig_connect(&rig);
    assert_int_equal(rig_read(&rig), PS_OK);
    rig_add(&rig, "Setpoint");
    static PsPollSet set; // both outlive the test, as the session does
    static PsEndpoint endpoint;
    set = (PsPollSet){.variables = rig.indexes, .variable_count = 2};
    endpoint = rig.endpoint;
    endpoint.sets = &set;
    assert_true(driver->replan(rig.session, &endpoint));
    assert_int_equal(rig_read(&rig), PS_OK);
    assert_int_equal(rig_sample(&rig, 1)->value.integer, -5);
    assert_int_equal(ps_opcua_test_server_sessions(rig.server, &ever), 1);
    assert_int_equal(ever, 1);
}

static void test_check_variable(void **state) {
    PsVariable *variable = rig_add(&rig, "ns=x;s=y");
    assert_int_equal(driver->check_variable(&rig.device, variable, &rig.diag), PS_ERR_INVALID);
    assert_string_equal(rig.diag.field, "identifier");
    variable = rig_add(&rig, "Counter");
    variable->data_type = PS_TYPE_BCD;
    assert_int_equal(driver->check_variable(&rig.device, variable, &rig.diag), PS_ERR_INVALID);
    assert_string_equal(rig.diag.field, "data_type");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_reads_values),
        TEST(test_bad_nodes_spoil_no_others),
        TEST(test_array_elements),
        TEST(test_one_request_for_all),
        TEST(test_keeps_to_the_limit),
        TEST(test_writes_every_type),
        TEST(test_writes_an_element),
        TEST(test_peek),
        TEST(test_browse),
        TEST(test_survives_a_restart),
        TEST(test_leaves_no_sessions),
        TEST(test_silence_is_a_timeout),
        TEST(test_interrupt_while_reading),
        TEST(test_interrupt_while_connecting),
        TEST(test_nobody_listens),
        TEST(test_replan_keeps_the_session),
        TEST(test_check_variable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
