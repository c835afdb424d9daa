// Tests of nearest word, UTF-8 check and strict integers.
#include "base/text.h"

#include "base/err.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const keys[] = {"polling_interval", "upload_interval", "ip", "port", "slave"};

static void test_nearest_finds_a_slip(void **state) {
    const struct {
        const char *word;
        const char *nearest; // NULL: none
    } rows[] = {
        {"polling_intervall", "polling_interval"},
        {"poling_interval", "polling_interval"},
        {"uplaod_interval", "upload_interval"},
        {"prt", "port"},
        {"port", "port"},
        {"slvae", "slave"}, // a swap is one edit
        {"slvea", NULL},    // two edits in five letters
        {"slav", "slave"},
        {"temperature", NULL},
        {"", NULL},
        {"interval_polling_x", NULL},
    };
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        const char *nearest = ps_text_nearest(rows[i].word, keys, PS_COUNT(keys));
        if (rows[i].nearest == NULL) {
            assert_null(nearest);
        } else {
            assert_non_null(nearest);
            assert_string_equal(nearest, rows[i].nearest);
        }
    }
    assert_null(ps_text_nearest("port", keys, 0));
}

static void test_nearest_prefers_the_closer_one(void **state) {
    const char *const words[] = {"abcdefgxx", "abcdefghx", "abcdefghi", "abcdefghj"};
    assert_string_equal(ps_text_nearest("abcdefghi", words, PS_COUNT(words)), "abcdefghi");
    assert_string_equal(ps_text_nearest("abcdefghz", words, 2), "abcdefghx");
}

static void test_nearest_with_words_of_any_length(void **state) {
    char longer[300];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_null(ps_text_nearest(longer, keys, PS_COUNT(keys)));
    const char *const long_words[] = {longer};
    assert_null(ps_text_nearest("port", long_words, 1));
    // Nothing is said about two long words, not even that they are near.
    char other[300];
    memset(other, 'b', sizeof other - 1);
    other[sizeof other - 1] = '\0';
    assert_null(ps_text_nearest(other, long_words, 1));
}

static void test_utf8_vectors(void **state) {
    // RFC 3629 section 4, first and last of each row of the grammar, and their neighbours.
    const struct {
        const char *bytes;
        size_t len;
        bool good;
    } rows[] = {
        {"", 0, true},
        {"abc", 3, true},
        {"\x7f", 1, true},
        {"\0", 1, false},
        {"a\0b", 3, false},
        {"\x80", 1, false},
        {"\xbf", 1, false},
        {"\xc0\x80", 2, false},
        {"\xc1\xbf", 2, false},
        {"\xc2\x80", 2, true},
        {"\xdf\xbf", 2, true},
        {"\xc2", 1, false},
        {"\xc2\x41", 2, false},
        {"\xe0\x9f\xbf", 3, false},
        {"\xe0\xa0\x80", 3, true},
        {"\xed\x9f\xbf", 3, true},
        {"\xed\xa0\x80", 3, false},
        {"\xed\xbf\xbf", 3, false},
        {"\xee\x80\x80", 3, true},
        {"\xef\xbf\xbf", 3, true},
        {"\xe2\x82", 2, false},
        {"\xe2\x82\x41", 3, false},
        {"\xf0\x8f\xbf\xbf", 4, false},
        {"\xf0\x90\x80\x80", 4, true},
        {"\xf4\x8f\xbf\xbf", 4, true},
        {"\xf4\x90\x80\x80", 4, false},
        {"\xf5\x80\x80\x80", 4, false},
        {"\xff", 1, false},
        {"\xf0\x9f\x98", 3, false},
        {"x\xf0\x9f\x98\x80y", 6, true},
    };
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        // A block of exactly the size, so that a read beyond it is seen.
        char *exact = malloc(rows[i].len > 0 ? rows[i].len : 1);
        assert_non_null(exact);
        memcpy(exact, rows[i].bytes, rows[i].len);
        bool good = ps_text_is_utf8(exact, rows[i].len);
        free(exact);
        if (good != rows[i].good) {
            fail_msg("row %zu: expected %d", i, rows[i].good);
        }
    }
}

static void test_make_utf8_marks_only_bad_bytes(void **state) {
    char text[] = "ok \xe2\x82\xac \xff\xc3|\xf0\x9f\x98";
    ps_text_make_utf8(text, strlen(text));
    assert_string_equal(text, "ok \xe2\x82\xac ??|???");
    assert_true(ps_text_is_utf8(text, strlen(text)));
}

static void test_strict_integers(void **state) {
    const struct {
        const char *text;
        bool good;
        long long value;
    } rows[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"007", true, 7},
        {"100", true, 100},
        {"-100", true, -100},
        {"101", false, 0},
        {"-101", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"- 1", false, 0},
        {"1x", false, 0},
        {"0x10", false, 0},
        {"1e2", false, 0},
        {"99999999999999999999", false, 0},
        {NULL, false, 0},
    };
    for (size_t i = 0; i < PS_COUNT(rows); i++) {
        long long value = 4711;
        bool good = ps_text_to_int(rows[i].text, -100, 100, &value);
        if (good != rows[i].good || value != (good ? rows[i].value : 4711)) {
            fail_msg("row %zu: '%s' gave %d, %lld", i, rows[i].text ? rows[i].text : "NULL", good,
                     value);
        }
    }
    long long value = 0;
    assert_true(ps_text_to_int("-9223372036854775808", LLONG_MIN, LLONG_MAX, &value));
    assert_true(value == LLONG_MIN);
    assert_false(ps_text_to_int("9223372036854775808", LLONG_MIN, LLONG_MAX, &value));
}

static void formatted_text_is_always_one_line_of_utf8(void **state) {
    char out[8];
    ps_text_format(out, sizeof out, "%s", "ab\xc3\xbc\xc3\xbc\xc3\xbc"); // cut inside the last
    assert_string_equal(out, "ab\xc3\xbc\xc3\xbc?");
    ps_text_format(out, sizeof out, "%s", "a\nb\x1b\x7f\xff");
    assert_string_equal(out, "a?b???");
    ps_text_format(out, sizeof out, "%.3s", "\xc3\xbc\xc3\xbc");
    assert_string_equal(out, "\xc3\xbc?");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nearest_finds_a_slip),
        cmocka_unit_test(formatted_text_is_always_one_line_of_utf8),
        cmocka_unit_test(test_nearest_prefers_the_closer_one),
        cmocka_unit_test(test_nearest_with_words_of_any_length),
        cmocka_unit_test(test_utf8_vectors),
        cmocka_unit_test(test_make_utf8_marks_only_bad_bytes),
        cmocka_unit_test(test_strict_integers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
