// Telegrams as bytes, and what is taken for an answer: vectors as they go over the wire of an
// S7-300, and the same spoiled in each field.
#include "drivers/s7/pdu.h"

#include "model/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void a_connection_request_has_both_tsaps(void **state) {
    (void)state;
    static const uint8_t expected[] = {3,    0, 0,  22,   17, 0xE0, 0,    0,    0, 1,    0,
                                       0xC0, 1, 10, 0xC1, 2,  0x01, 0x00, 0xC2, 2, 0x02, 0x02};
    PsS7Frame frame;
    ps_s7_pdu_connect(&frame, 0x0100, 0x0202);
    assert_int_equal(frame.len, sizeof expected);
    assert_memory_equal(frame.bytes, expected, sizeof expected);
}

static const PsS7Ask asks[] = {
    {.area = PS_S7_DB, .db = 6, .first = 14, .len = 3},
    {.area = PS_S7_FLAGS, .db = 99, .first = 10, .len = 2},
    {.area = PS_S7_DB, .db = 7, .first = 0, .len = 1},
};

static void a_read_request_names_its_places(void **state) {
    (void)state;
    static const uint8_t expected[] = {
        3,    0,  0,    43, 2,    0xF0, 0x80,              // TPKT, COTP
        0x32, 1,  0,    0,  0x12, 0x34, 0,    26, 0,    0, // header
        4,    2,                                           // read, two items
        0x12, 10, 0x10, 2,  0,    3,    0,    6,  0x84, 0, 0, 112,
        0x12, 10, 0x10, 2,  0,    2,    0,    0,  0x83, 0, 0, 80,
    };
    PsS7Frame frame;
    ps_s7_pdu_read(&frame, 0x1234, asks, 2);
    assert_int_equal(frame.len, sizeof expected);
    assert_memory_equal(frame.bytes, expected, sizeof expected);
}

static void a_bit_is_written_as_a_bit(void **state) {
    (void)state;
    static const uint8_t expected[] = {
        3,    0,  0,    36, 2, 0xF0, 0x80,                       // TPKT, COTP
        0x32, 1,  0,    0,  0, 9,    0,    14, 0,    5,          // header
        5,    1,                                                 // write, one item
        0x12, 10, 0x10, 1,  0, 1,    0,    1,  0x84, 0, 0, 0x15, // bit 5 of byte 2
        0,    3,  0,    1,  1,
    };
    PsS7Frame frame;
    PsS7Ask ask = {.area = PS_S7_DB, .is_bit = true, .bit = 5, .db = 1, .first = 2, .len = 1};
    ps_s7_pdu_write(&frame, 9, &ask, (const uint8_t[]){1});
    assert_int_equal(frame.len, sizeof expected);
    assert_memory_equal(frame.bytes, expected, sizeof expected);
}

// An answer to `asks`: three bytes and a filler, two bytes, a refusal.
static const uint8_t answer[] = {
    3,    0, 0, 39, 2,    0xF0, 0x80,                 // TPKT, COTP
    0x32, 3, 0, 0,  0x12, 0x34, 0,    2, 0, 18, 0, 0, // header
    4,    3,                                          // read, three items
    0xFF, 4, 0, 24, 1,    2,    3,    0,              // three bytes and the filler
    0xFF, 9, 0, 2,  4,    5,                          // two bytes, told in bytes
    0x0A, 0, 0, 4,
};

static PsS7Verdict check(const uint8_t *bytes, size_t len, PsS7Got *got) {
    PsS7Frame request;
    ps_s7_pdu_read(&request, 0x1234, asks, 3);
    return ps_s7_pdu_check_read(&request, asks, 3, bytes, len, got);
}

static void an_answer_is_taken_apart(void **state) {
    (void)state;
    PsS7Got got[3];
    PsS7Verdict verdict = check(answer, sizeof answer, got);
    assert_null(verdict.wrong);
    assert_int_equal(verdict.error, 0);
    assert_int_equal(got[0].code, PS_S7_FINE);
    assert_memory_equal(got[0].bytes, "\1\2\3", 3);
    assert_memory_equal(got[1].bytes, "\4\5", 2);
    assert_int_equal(got[2].code, 0x0A);
}

static void an_answer_that_is_not_the_requests_is_none(void **state) {
    (void)state;
    static const struct {
        size_t at;
        uint8_t byte;
        const char *words;
    } spoiled[] = {
        {0, 4, "no TPKT"},
        {3, 38, "no TPKT"},
        {5, 0xE0, "no COTP"},
        {6, 0x00, "no COTP"},
        {7, 0x33, "no S7"},
        {8, 1, "no answer"},
        {12, 0x35, "another"},
        {14, 200, "shorter"},
        {16, 19, "shorter"},
        {19, 5, "items"},
        {20, 2, "items"},
        {24, 32, "longer or shorter"},
        {24, 16, "longer or shorter"},
        {30, 4, "longer or shorter"},
        {31, 0xFF, "longer or shorter"},
    };
    for (size_t i = 0; i < PS_COUNT(spoiled); i++) {
        uint8_t bytes[sizeof answer];
        memcpy(bytes, answer, sizeof answer);
        bytes[spoiled[i].at] = spoiled[i].byte;
        PsS7Got got[3];
        PsS7Verdict verdict = check(bytes, sizeof bytes, got);
        if (verdict.wrong == NULL || strstr(verdict.wrong, spoiled[i].words) == NULL) {
            fail_msg("byte %zu: %s", spoiled[i].at,
                     verdict.wrong != NULL ? verdict.wrong : "taken");
        }
    }
}

static void a_cut_answer_is_none(void **state) {
    (void)state;
    for (size_t len = 0; len < sizeof answer; len++) {
        uint8_t bytes[sizeof answer];
        memcpy(bytes, answer, sizeof answer);
        bytes[3] = (uint8_t)len;
        PsS7Got got[3];
        assert_non_null(check(bytes, len, got).wrong);
    }
}

static void a_refused_job_says_why(void **state) {
    (void)state;
    static const uint8_t refused[] = {3, 0,    0,    19, 2, 0xF0, 0x80, 0x32, 2,   0,
                                      0, 0x12, 0x34, 0,  0, 0,    0,    0x81, 0x04};
    PsS7Got got[3];
    PsS7Verdict verdict = check(refused, sizeof refused, got);
    assert_null(verdict.wrong);
    assert_int_equal(verdict.error, 0x8104);
}

static void the_length_of_telegrams_is_agreed_on(void **state) {
    (void)state;
    uint8_t bytes[] = {3, 0, 0, 27, 2, 0xF0, 0x80, 0x32, 3, 0, 0, 0, 1,  0,
                       8, 0, 0, 0,  0, 0xF0, 0,    0,    1, 0, 1, 0, 240};
    PsS7Frame request;
    uint16_t pdu = 0;
    ps_s7_pdu_setup(&request, 1, PS_S7_PDU_MAX);
    assert_null(ps_s7_pdu_check_setup(&request, bytes, sizeof bytes, &pdu).wrong);
    assert_int_equal(pdu, 240);
    bytes[25] = 0xFF; // more than was asked for
    assert_null(ps_s7_pdu_check_setup(&request, bytes, sizeof bytes, &pdu).wrong);
    assert_int_equal(pdu, PS_S7_PDU_MAX);
    bytes[25] = 0;
    bytes[26] = 20;
    assert_non_null(ps_s7_pdu_check_setup(&request, bytes, sizeof bytes, &pdu).wrong);
}

static void the_end_of_a_frame_is_known_early(void **state) {
    (void)state;
    assert_int_equal(ps_s7_frame_length(answer, 0), 0);
    assert_int_equal(ps_s7_frame_length(answer, 3), 0);
    assert_int_equal(ps_s7_frame_length(answer, 4), sizeof answer);
    assert_true(ps_s7_frame_length((const uint8_t *)"HTTP", 1) == SIZE_MAX);
    assert_true(ps_s7_frame_length((const uint8_t[]){3, 0, 0xFF, 0xFF}, 4) == SIZE_MAX);
    assert_true(ps_s7_frame_length((const uint8_t[]){3, 0, 0, 6}, 4) == SIZE_MAX);
}

static void a_refused_connection_is_told_apart(void **state) {
    (void)state;
    bool refused = false;
    uint8_t confirm[] = {3, 0, 0, 11, 6, 0xD0, 0, 1, 0, 2, 0};
    assert_null(ps_s7_pdu_check_connect(confirm, sizeof confirm, &refused));
    confirm[5] = 0x80;
    assert_non_null(ps_s7_pdu_check_connect(confirm, sizeof confirm, &refused));
    assert_true(refused);
    confirm[5] = 0xF0;
    assert_non_null(ps_s7_pdu_check_connect(confirm, sizeof confirm, &refused));
    assert_false(refused);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_request_has_both_tsaps),
        cmocka_unit_test(a_read_request_names_its_places),
        cmocka_unit_test(a_bit_is_written_as_a_bit),
        cmocka_unit_test(an_answer_is_taken_apart),
        cmocka_unit_test(an_answer_that_is_not_the_requests_is_none),
        cmocka_unit_test(a_cut_answer_is_none),
        cmocka_unit_test(a_refused_job_says_why),
        cmocka_unit_test(the_length_of_telegrams_is_agreed_on),
        cmocka_unit_test(the_end_of_a_frame_is_known_early),
        cmocka_unit_test(a_refused_connection_is_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
