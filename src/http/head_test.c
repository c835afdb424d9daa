// Content-Length, cookies, header values, codings and tags, good ones and hostile ones.
#include "http/head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_the_end_of_a_body(void **state) {
    PsHttpFraming framing = {.length = 7};
    assert_int_equal(ps_http_framing_read(NULL, NULL, 0, &framing), PS_OK);
    assert_true(framing.length == 0 && !framing.chunked);
    assert_int_equal(ps_http_framing_read("18446744073709551615", NULL, 1, &framing), PS_OK);
    assert_true(framing.length == UINT64_MAX);
    assert_int_equal(ps_http_framing_read("4294967296", NULL, 1, &framing), PS_OK);
    assert_true(framing.length == (UINT64_C(1) << 32));
    assert_int_equal(ps_http_framing_read(NULL, "Chunked", 1, &framing), PS_OK);
    assert_true(framing.chunked && framing.length == 0);
    assert_int_equal(ps_http_framing_read("18446744073709551616", NULL, 1, &framing),
                     PS_ERR_TOO_BIG);
    static const char *const bad[] = {"", "-1", "+1", "1 ", "0x10", "1,1", "1e3"};
    for (size_t i = 0; i < PS_COUNT(bad); i++) {
        assert_int_equal(ps_http_framing_read(bad[i], NULL, 1, &framing), PS_ERR_INVALID);
    }
    assert_int_equal(ps_http_framing_read("1", "chunked", 2, &framing), PS_ERR_INVALID);
    assert_int_equal(ps_http_framing_read("1", NULL, 2, &framing), PS_ERR_INVALID);
    assert_int_equal(ps_http_framing_read(NULL, "gzip, chunked", 1, &framing), PS_ERR_INVALID);
}

static void test_cookies(void **state) {
    char out[8];
    assert_true(ps_http_cookie_find("a=1; sid=xyz; b=2", "sid", out, sizeof out));
    assert_string_equal(out, "xyz");
    assert_true(ps_http_cookie_find("sid=\"xyz\" ;", "sid", out, sizeof out));
    assert_string_equal(out, "xyz");
    assert_true(ps_http_cookie_find("sid=", "sid", out, sizeof out));
    assert_string_equal(out, "");
    assert_true(ps_http_cookie_find("sid=1234567", "sid", out, sizeof out));
    static const char *const none[] = {"",        "xsid=1", "sid",          "sid =1", "sidx=1",
                                       "a=sid=1", ";;;",    "sid=12345678", "SID=1"};
    for (size_t i = 0; i < PS_COUNT(none); i++) {
        assert_false(ps_http_cookie_find(none[i], "sid", out, sizeof out));
    }
    assert_false(ps_http_cookie_find(NULL, "sid", out, sizeof out));
}

static void test_headers_that_may_be_sent(void **state) {
    assert_true(ps_http_header_is_sound("Content-Type", "text/plain; charset=utf-8"));
    assert_true(ps_http_header_is_sound("X", "gr\xc3\xbc\xc3\x9f"));
    assert_false(ps_http_header_is_sound("X", "a\r\nSet-Cookie: b=c"));
    assert_false(ps_http_header_is_sound("X", "a\nb"));
    assert_false(ps_http_header_is_sound("X", "a\rb"));
    assert_false(ps_http_header_is_sound("X", "a\x7f"));
    assert_false(ps_http_header_is_sound("X", ""));
    assert_false(ps_http_header_is_sound("X Y", "a"));
    assert_false(ps_http_header_is_sound("X:", "a"));
    assert_false(ps_http_header_is_sound("", "a"));
}

static void test_codings(void **state) {
    assert_true(ps_http_accepts("gzip, deflate, br", "gzip"));
    assert_true(ps_http_accepts("br;q=1.0, GZIP;q=0.8, *;q=0.1", "gzip"));
    assert_true(ps_http_accepts("*", "gzip"));
    assert_true(ps_http_accepts("gzip ; q=0.001", "gzip"));
    assert_false(ps_http_accepts(NULL, "gzip"));
    assert_false(ps_http_accepts("", "gzip"));
    assert_false(ps_http_accepts("identity", "gzip"));
    assert_false(ps_http_accepts("gzip;q=0, *", "gzip"));
    assert_false(ps_http_accepts("gzip;q=0.000", "gzip"));
    assert_false(ps_http_accepts("*;q=0", "gzip"));
    assert_false(ps_http_accepts("xgzip", "gzip"));
}

static void test_tags(void **state) {
    assert_true(ps_http_etag_matches("\"abc\"", "\"abc\""));
    assert_true(ps_http_etag_matches("\"x\", W/\"abc\" , \"y\"", "\"abc\""));
    assert_true(ps_http_etag_matches("*", "\"abc\""));
    assert_false(ps_http_etag_matches(NULL, "\"abc\""));
    assert_false(ps_http_etag_matches("abc", "\"abc\""));
    assert_false(ps_http_etag_matches("\"abcd\"", "\"abc\""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_end_of_a_body),
        cmocka_unit_test(test_cookies),
        cmocka_unit_test(test_headers_that_may_be_sent),
        cmocka_unit_test(test_codings),
        cmocka_unit_test(test_tags),
    };
    return cmocka_run_group_tests_name("http head", tests, NULL, NULL);
}
