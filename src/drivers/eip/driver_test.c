// Reading, writing and looking through the driver, against a controller on loopback.
#include "drivers/eip/test_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void all_kinds_of_tags_are_read(void **state) {
    EipFixture *f = *state;
    eip_add_plant(f);
    eip_add(f, "Count");
    eip_add(f, "Speed");
    eip_add(f, "On");
    eip_add(f, "Status.0");
    eip_add(f, "Status.1");
    eip_add(f, "Status.15");
    eip_add(f, "Status");
    eip_add(f, "Program:Main.Local");
    eip_add(f, "Numbers[40]");
    eip_add(f, "Numbers[0]");
    eip_add(f, "Flags[0]");
    eip_add(f, "Flags[37]");
    eip_add(f, "Flags[38]");
    eip_add(f, "Name");
    eip_add(f, "Recipe");
    eip_add(f, "Recipe.DATA[1]");
    eip_open_session(f);
    assert_string_equal(f->session->note, "1756-L83E/B, revision 33.11; a CIP connection with "
                                          "messages of 4002 bytes");
    for (int cycle = 0; cycle < 3; cycle++) {
        eip_read_well(f);
        assert_string_equal(f->diag.text, "");
        eip_assert_sample(f, 0, ps_value_int(476));
        eip_assert_sample(f, 1, ps_value_float(14.5));
        eip_assert_sample(f, 2, ps_value_bool(true));
        eip_assert_sample(f, 3, ps_value_bool(true));
        eip_assert_sample(f, 4, ps_value_bool(false));
        eip_assert_sample(f, 5, ps_value_bool(true));
        eip_assert_sample(f, 6, ps_value_int(-32763));
        eip_assert_sample(f, 7, ps_value_int(7));
        eip_assert_sample(f, 8, ps_value_int(40));
        eip_assert_sample(f, 9, ps_value_int(0));
        eip_assert_sample(f, 10, ps_value_bool(true));
        eip_assert_sample(f, 11, ps_value_bool(true));
        eip_assert_sample(f, 12, ps_value_bool(false));
        eip_assert_sample(f, 13, ps_value_text("Pump", 4));
        eip_assert_sample(f, 14, ps_value_text("Sugar", 5));
        eip_assert_sample(f, 15, ps_value_int('u'));
    }
    // Once everything is known, one packet a cycle, in which no place is asked twice.
    int frames = f->server->frames;
    int reads = f->server->reads;
    eip_read_well(f);
    assert_int_equal(f->server->frames - frames, 1);
    assert_int_equal(f->server->reads - reads, 11); // two words of Flags at once
}

static void one_bad_tag_spoils_no_other(void **state) {
    EipFixture *f = *state;
    eip_add_plant(f);
    eip_test_server_add(f->server, "Secret", 0xC4, 4, 1, NULL)->status = 0x0F;
    eip_add(f, "Count");
    eip_add(f, "Cuont");
    eip_add(f, "Secret");
    eip_add(f, "Numbers[1000]");
    eip_add(f, "Motor");
    eip_add(f, "Speed");
    eip_open_session(f);
    eip_read_well(f);
    eip_assert_sample(f, 0, ps_value_int(476));
    eip_assert_sample(f, 5, ps_value_float(14.5));
    eip_assert_quality(f, 1, PS_QUALITY_REFUSED);
    eip_assert_quality(f, 2, PS_QUALITY_REFUSED);
    eip_assert_quality(f, 3, PS_QUALITY_REFUSED);
    eip_assert_quality(f, 4, PS_QUALITY_UNDECODABLE);
    assert_non_null(strstr(f->diag.text, "CIP status"));
    // They are left alone for a while, and still told.
    eip_read_well(f);
    int reads = f->server->reads;
    eip_read_well(f);
    assert_int_equal(f->server->reads - reads, 2);
    eip_assert_quality(f, 1, PS_QUALITY_REFUSED);
    eip_assert_quality(f, 4, PS_QUALITY_UNDECODABLE);
    assert_non_null(strstr(f->diag.text, "tag '"));
    // A program that was downloaded: with the new connection all are asked again.
    ps_eip_driver.disconnect(f->session);
    eip_test_server_find(f->server, "Secret")->status = 0;
    assert_int_equal(ps_eip_driver.connect(f->session, &f->diag), PS_OK);
    eip_read_well(f);
    eip_assert_sample(f, 2, ps_value_int(0));
}

static void many_tags_need_few_packets(void **state) {
    EipFixture *f = *state;
    for (unsigned i = 0; i < EIP_TEST_VARIABLES; i++) {
        char name[32];
        uint32_t value = i;
        snprintf(name, sizeof name, "A_Tag_Of_Usual_Length_%u", i);
        eip_test_server_add(f->server, name, 0xC4, 4, 1, &value);
        eip_add(f, name);
    }
    eip_open_session(f);
    eip_read_well(f);
    int frames = f->server->frames;
    eip_read_well(f);
    // 400 requests of 30 bytes and their offsets: 12,800 bytes in messages of 4,000.
    assert_int_equal(f->server->frames - frames, 4);
    for (uint32_t i = 0; i < EIP_TEST_VARIABLES; i++) {
        eip_assert_sample(f, i, ps_value_int(i));
    }
}

static void answers_that_do_not_fit_are_halved_and_remembered(void **state) {
    EipFixture *f = *state;
    for (unsigned i = 0; i < 200; i++) {
        char name[32];
        snprintf(name, sizeof name, "T%03u", i);
        eip_test_server_add(f->server, name, 0xC4, 4, 1, "\x01\x00\x00\x00");
        eip_add(f, name);
    }
    f->server->answer_max = 700;
    eip_open_session(f);
    for (int cycle = 0; cycle < 3; cycle++) {
        eip_read_well(f);
        for (uint32_t i = 0; i < 200; i++) {
            eip_assert_sample(f, i, ps_value_int(1));
        }
    }
    int frames = f->server->frames;
    eip_read_well(f);
    assert_true(f->server->frames - frames <= 6);
    uint32_t max = ps_learned_max(f->learned, 0, 1, 9999);
    assert_true(max <= 700 && max >= 350);
}

static void elements_of_one_array_are_one_request(void **state) {
    EipFixture *f = *state;
    eip_add_plant(f);
    for (unsigned i = 0; i < 100; i++) {
        char name[32];
        snprintf(name, sizeof name, "Numbers[%u]", 99 - i);
        eip_add(f, name);
    }
    eip_add(f, "Flags[0]");
    eip_add(f, "Flags[37]");
    eip_add(f, "Numbers[5].0");
    eip_open_session(f);
    for (int cycle = 0; cycle < 4; cycle++) {
        eip_read_well(f);
        for (uint32_t i = 0; i < 100; i++) {
            eip_assert_sample(f, i, ps_value_int(99 - i));
        }
        eip_assert_sample(f, 100, ps_value_bool(true));
        eip_assert_sample(f, 101, ps_value_bool(true));
        eip_assert_sample(f, 102, ps_value_bool(true));
    }
    int reads = f->server->reads;
    eip_read_well(f);
    assert_int_equal(f->server->reads - reads, 2);
    // The program has a shorter array meanwhile: the good ones go on, in the same cycle.
    eip_test_server_find(f->server, "Numbers")->count = 50;
    eip_read_well(f);
    for (uint32_t i = 0; i < 50; i++) {
        eip_assert_quality(f, i, PS_QUALITY_REFUSED);
        eip_assert_sample(f, 99 - i, ps_value_int(i));
    }
}

static void devices_without_packets_are_asked_one_by_one(void **state) {
    EipFixture *f = *state;
    eip_add_plant(f);
    f->server->no_multiple = true;
    eip_add(f, "Count");
    eip_add(f, "Speed");
    eip_open_session(f);
    eip_read_well(f);
    eip_assert_sample(f, 0, ps_value_int(476));
    eip_assert_sample(f, 1, ps_value_float(14.5));
    int packets = f->server->packets;
    eip_read_well(f);
    assert_int_equal(f->server->packets, packets);
}

static PsErr write_value(EipFixture *f, uint32_t variable, PsValue value, PsValue *ret_back) {
    f->diag = (PsDiag){0};
    return ps_eip_driver.write(f->session, variable, value, ret_back, &f->diag);
}

static void write_well(EipFixture *f, uint32_t variable, PsValue value, PsValue expected) {
    PsValue back = ps_value_none();
    if (write_value(f, variable, value, &back) != PS_OK) {
        fail_msg("write %u: %s", variable, f->diag.text);
    }
    char shown[64];
    ps_value_format(back, shown, sizeof shown);
    if (!ps_value_equal(back, expected)) {
        fail_msg("write %u: reads '%s'", variable, shown);
    }
}

static void values_are_written_and_read_back(void **state) {
    EipFixture *f = *state;
    eip_add_plant(f);
    eip_add(f, "Count");
    eip_add(f, "Speed");
    eip_add(f, "On");
    eip_add(f, "Status.1");
    eip_add(f, "Numbers[50]");
    eip_add(f, "Flags[38]");
    eip_add(f, "Name");
    eip_add(f, "Recipe");
    eip_open_session(f);
    write_well(f, 0, ps_value_int(-5), ps_value_int(-5));
    write_well(f, 1, ps_value_text("12.5", 4), ps_value_float(12.5));
    write_well(f, 2, ps_value_text("false", 5), ps_value_bool(false));
    write_well(f, 3, ps_value_bool(true), ps_value_bool(true));
    write_well(f, 4, ps_value_int(99), ps_value_int(99));
    write_well(f, 5, ps_value_bool(true), ps_value_bool(true));
    write_well(f, 6, ps_value_text("Fan", 3), ps_value_text("Fan", 3));
    EipTestServer *server = f->server;
    // Bits leave their neighbours alone.
    assert_int_equal(server->modifies, 2);
    assert_memory_equal(eip_test_server_find(server, "Status")->data, "\x07\x80", 2);
    assert_memory_equal(eip_test_server_find(server, "Flags")->data + 4, "\x60\x00\x00\x00", 4);
    assert_memory_equal(eip_test_server_find(server, "Numbers")->data + 4 * 50, "\x63", 1);
    assert_memory_equal(eip_test_server_find(server, "Name")->data,
                        "\x03\x00\x00\x00"
                        "Fan\0\0",
                        9);
    write_well(f, 7, ps_value_text("Salt", 4), ps_value_text("Salt", 4));
    PsValue back;
    assert_int_equal(write_value(f, 7, ps_value_text("twenty-one characters", 21), &back),
                     PS_ERR_INVALID);
    assert_non_null(strstr(f->diag.text, "at most 20 bytes"));
    f->variables[0].access = PS_ACCESS_WRITE;
    write_well(f, 0, ps_value_int(1), ps_value_none());
}

static void values_that_do_not_fit_are_not_sent(void **state) {
    EipFixture *f = *state;
    eip_add_plant(f);
    eip_test_server_add(f->server, "Fixed", 0xC3, 2, 1, NULL);
    eip_add(f, "Status");
    eip_add(f, "Nothing");
    eip_add(f, "Motor");
    eip_add(f, "Status.16");
    eip_add(f, "Speed.1");
    eip_open_session(f);
    PsValue back;
    assert_int_equal(write_value(f, 0, ps_value_int(40000), &back), PS_ERR_INVALID);
    assert_non_null(strstr(f->diag.text, "from -32768 to 32767 (the tag is a INT)"));
    assert_int_equal(write_value(f, 1, ps_value_int(1), &back), PS_ERR_REFUSED);
    assert_non_null(strstr(f->diag.text, "tag 'Nothing': there is no such tag"));
    assert_int_equal(write_value(f, 2, ps_value_int(1), &back), PS_ERR_INVALID);
    assert_non_null(strstr(f->diag.text, "is a structure"));
    assert_int_equal(write_value(f, 3, ps_value_int(1), &back), PS_ERR_INVALID);
    assert_int_equal(write_value(f, 4, ps_value_int(1), &back), PS_ERR_INVALID);
    assert_int_equal(f->server->writes + f->server->modifies, 0);
}

static void a_look_shows_frames_and_meaning(void **state) {
    EipFixture *f = *state;
    eip_add_plant(f);
    eip_add(f, "Count");
    eip_add(f, "Nothing");
    eip_add(f, "Flags[37]");
    eip_open_session(f);
    PsPeek peek = {0};
    assert_int_equal(ps_eip_driver.peek(f->session, 0, &peek, &f->diag), PS_OK);
    assert_string_equal(peek.request, "Read Tag 'Count', by a CIP connection, route 1,0");
    assert_string_equal(peek.type, "DINT");
    assert_true(peek.ordered);
    assert_int_equal(peek.len, 4);
    assert_memory_equal(peek.bytes, "\xDC\x01\x00\x00", 4);
    assert_int_equal(peek.sent[0], 0x70);
    assert_int_equal(peek.received[0], 0x70);
    memset(&peek, 0, sizeof peek);
    assert_int_equal(ps_eip_driver.peek(f->session, 1, &peek, &f->diag), PS_ERR_REFUSED);
    assert_int_equal(peek.code, 4);
    assert_non_null(strstr(peek.meaning, "misspelt"));
    assert_true(peek.sent_len > 46 && peek.received_len > 46);
    memset(&peek, 0, sizeof peek);
    assert_int_equal(ps_eip_driver.peek(f->session, 2, &peek, &f->diag), PS_OK);
    assert_string_equal(peek.type, "bit 5 of a DWORD");
}

static void what_is_known_survives_a_change_of_the_configuration(void **state) {
    EipFixture *f = *state;
    eip_add_plant(f);
    eip_add(f, "Nothing");
    eip_add(f, "Count");
    eip_open_session(f);
    eip_read_well(f);
    eip_read_well(f);
    eip_add(f, "Speed");
    PsPollSet set = {.variables = f->indexes, .variable_count = f->config.variable_count};
    PsEndpoint endpoint = f->endpoint;
    endpoint.sets = &set;
    assert_true(ps_eip_driver.replan(f->session, &endpoint));
    int reads = f->server->reads;
    eip_read_well(f);
    assert_int_equal(f->server->reads - reads, 2); // the refused one rests on
    eip_assert_quality(f, 0, PS_QUALITY_REFUSED);
    eip_assert_sample(f, 2, ps_value_float(14.5));
    ps_eip_driver.free(f->session);
    f->session = NULL;
}

static void variables_are_checked_and_described(void **state) {
    EipFixture *f = *state;
    eip_add(f, "Count");
    eip_add(f, "Speed");
    eip_add(f, "3x");
    PsBuf out = {0};
    f->set = (PsPollSet){.variables = f->indexes, .variable_count = 2};
    ps_eip_driver.describe(&f->config, &f->set, 1, &out);
    assert_string_equal((char *)out.data, "Read Tag 'Speed', with 1 more in one Multiple Service "
                                          "Packet, over route 1,0, by a CIP connection");
    ps_buf_deinit(&out);
    assert_int_equal(ps_eip_driver.check_variable(&f->device, &f->variables[2], &f->diag),
                     PS_ERR_INVALID);
    assert_string_equal(f->diag.field, "symbol");
    f->variables[0].data_type = PS_TYPE_BCD;
    assert_int_equal(ps_eip_driver.check_variable(&f->device, &f->variables[0], &f->diag),
                     PS_ERR_INVALID);
    assert_string_equal(f->diag.field, "data_type");
    f->device.route = "1";
    assert_int_equal(ps_eip_driver.check_variable(&f->device, &f->variables[1], &f->diag),
                     PS_ERR_INVALID);
    char key[PS_ENDPOINT_KEY_SIZE];
    f->device.port = 44818;
    f->device.route = "";
    ps_eip_driver.endpoint_key(&f->config, &f->device, key, sizeof key);
    assert_string_equal(key, "127.0.0.1:44818");
    f->device.slot = 2;
    ps_eip_driver.endpoint_key(&f->config, &f->device, key, sizeof key);
    assert_string_equal(key, "127.0.0.1:44818/1,2");
    eip_test_server_start(f->server); // for the tear-down
}

int main(void) {
    const struct CMUnitTest tests[] = {
        EIP_TEST(all_kinds_of_tags_are_read),
        EIP_TEST(one_bad_tag_spoils_no_other),
        EIP_TEST(many_tags_need_few_packets),
        EIP_TEST(answers_that_do_not_fit_are_halved_and_remembered),
        EIP_TEST(elements_of_one_array_are_one_request),
        EIP_TEST(devices_without_packets_are_asked_one_by_one),
        EIP_TEST(values_are_written_and_read_back),
        EIP_TEST(values_that_do_not_fit_are_not_sent),
        EIP_TEST(a_look_shows_frames_and_meaning),
        EIP_TEST(what_is_known_survives_a_change_of_the_configuration),
        EIP_TEST(variables_are_checked_and_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
