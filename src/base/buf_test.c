// Tests of the byte buffer and the checked reader.
#include "base/buf.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_little_endian_layout(void **state) {
    PS_AUTO_BUF PsBuf buf = {0};
    ps_buf_put_u8(&buf, 0x01);
    ps_buf_put_u16(&buf, 0x0203);
    ps_buf_put_u32(&buf, 0x04050607);
    ps_buf_put_u64(&buf, UINT64_C(0x08090A0B0C0D0E0F));
    ps_buf_put_text(&buf, "hi");
    const uint8_t expected[] = {0x01, 0x03, 0x02, 0x07, 0x06, 0x05, 0x04, 0x0F, 0x0E, 0x0D, 0x0C,
                                0x0B, 0x0A, 0x09, 0x08, 0x02, 0x00, 0x00, 0x00, 'h',  'i'};
    assert_int_equal(buf.len, sizeof expected);
    assert_memory_equal(buf.data, expected, sizeof expected);
    assert_int_equal(buf.data[buf.len], 0);
}

static void test_what_is_not_used_is_given_back(void **state) {
    PS_AUTO_BUF PsBuf buf = {0};
    ps_buf_fit(&buf);
    assert_null(buf.data);
    ps_buf_reserve(&buf, 5000);
    ps_buf_put(&buf, "abc", 3);
    ps_buf_fit(&buf);
    assert_int_equal(buf.capacity, 4);
    assert_string_equal(buf.data, "abc");
    ps_buf_fit(&buf); // nothing more to give
    for (int i = 0; i < 100; i++) {
        ps_buf_put_u8(&buf, 'd'); // it still grows
    }
    assert_int_equal(buf.len, 103);
    assert_int_equal(strlen((const char *)buf.data), 103);
    ps_buf_clear(&buf);
    ps_buf_fit(&buf);
    assert_int_equal(buf.capacity, 1);
    ps_buf_put(&buf, "e", 1);
    assert_string_equal(buf.data, "e");
}

static void test_everything_reads_back(void **state) {
    PS_AUTO_BUF PsBuf buf = {0};
    ps_buf_put_u8(&buf, UINT8_MAX);
    ps_buf_put_u16(&buf, UINT16_MAX - 1);
    ps_buf_put_u32(&buf, UINT32_MAX - 2);
    ps_buf_put_u64(&buf, UINT64_MAX - 3);
    ps_buf_put_f64(&buf, -12.375);
    ps_buf_put_f64(&buf, (double)INFINITY);
    ps_buf_put_bytes(&buf, "a\0b", 3);
    ps_buf_put_bytes(&buf, NULL, 0);
    PsReader reader = ps_reader(buf.data, buf.len);
    assert_int_equal(ps_reader_u8(&reader), UINT8_MAX);
    assert_int_equal(ps_reader_u16(&reader), UINT16_MAX - 1);
    assert_int_equal(ps_reader_u32(&reader), UINT32_MAX - 2);
    assert_true(ps_reader_u64(&reader) == UINT64_MAX - 3);
    assert_true(ps_reader_f64(&reader) == -12.375);
    assert_true(isinf(ps_reader_f64(&reader)));
    size_t len = 99;
    assert_memory_equal(ps_reader_bytes(&reader, &len), "a\0b", 3);
    assert_int_equal(len, 3);
    assert_false(ps_reader_done(&reader));
    assert_non_null(ps_reader_bytes(&reader, &len));
    assert_int_equal(len, 0);
    assert_true(ps_reader_done(&reader));
}

static void test_short_read_fails_and_stays_failed(void **state) {
    const uint8_t bytes[] = {1, 2, 3, 4, 5};
    PsReader reader = ps_reader(bytes, sizeof bytes);
    assert_int_equal(ps_reader_u32(&reader), 0x04030201);
    assert_int_equal(ps_reader_u32(&reader), 0);
    assert_true(reader.failed);
    assert_int_equal(ps_reader_u8(&reader), 0); // one byte is left, but the reader has failed
    assert_int_equal(ps_reader_left(&reader), 0);
    assert_null(ps_reader_raw(&reader, 1));
    assert_false(ps_reader_done(&reader));
}

// The failure must stick also for a request of nothing: a decoder that loops "until no bytes are
// asked for" would otherwise take a torn frame for a whole one.
static void test_failed_reader_gives_not_even_nothing(void **state) {
    const uint8_t bytes[] = {1};
    PsReader reader = ps_reader(bytes, sizeof bytes);
    assert_int_equal(ps_reader_u16(&reader), 0);
    assert_null(ps_reader_raw(&reader, 0));
}

static void test_inner_length_is_not_trusted(void **state) {
    const uint8_t bytes[] = {0xFF, 0xFF, 0xFF, 0xFF, 'a', 'b'};
    PsReader reader = ps_reader(bytes, sizeof bytes);
    size_t len = 99;
    assert_null(ps_reader_bytes(&reader, &len));
    assert_int_equal(len, 0);
    assert_true(reader.failed);
}

static void test_bytes_cut_inside_the_length(void **state) {
    const uint8_t bytes[] = {1, 0};
    PsReader reader = ps_reader(bytes, sizeof bytes);
    size_t len = 99;
    assert_null(ps_reader_bytes(&reader, &len));
    assert_int_equal(len, 0);
}

static void test_reader_over_nothing(void **state) {
    PsReader reader = ps_reader(NULL, 0);
    assert_true(ps_reader_done(&reader));
    assert_int_equal(ps_reader_u8(&reader), 0);
    assert_false(ps_reader_done(&reader));
}

static void test_growth_keeps_the_bytes(void **state) {
    PS_AUTO_BUF PsBuf buf = {0};
    for (uint32_t i = 0; i < 5000; i++) {
        ps_buf_put_u32(&buf, i);
    }
    PsReader reader = ps_reader(buf.data, buf.len);
    for (uint32_t i = 0; i < 5000; i++) {
        assert_int_equal(ps_reader_u32(&reader), i);
    }
    assert_true(ps_reader_done(&reader));
}

static void test_clear_and_reserve_keep_the_memory(void **state) {
    PS_AUTO_BUF PsBuf buf = {0};
    ps_buf_clear(&buf); // empty is valid
    ps_buf_reserve(&buf, 1000);
    const uint8_t *memory = buf.data;
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < 1000; i++) {
            ps_buf_put_u8(&buf, 'x');
        }
        assert_ptr_equal(buf.data, memory);
        ps_buf_clear(&buf);
        assert_int_equal(buf.len, 0);
        assert_string_equal((const char *)buf.data, "");
    }
}

static void test_printf_appends(void **state) {
    PS_AUTO_BUF PsBuf buf = {0};
    ps_buf_printf(&buf, "%s", "");
    assert_string_equal((const char *)buf.data, "");
    ps_buf_printf(&buf, "%d-", 1);
    ps_buf_printf(&buf, "%200d", 2);
    assert_int_equal(buf.len, 202);
    assert_memory_equal(buf.data, "1- ", 3);
    assert_int_equal(buf.data[201], '2');
    assert_int_equal(buf.data[202], 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_little_endian_layout),
        cmocka_unit_test(test_what_is_not_used_is_given_back),
        cmocka_unit_test(test_everything_reads_back),
        cmocka_unit_test(test_short_read_fails_and_stays_failed),
        cmocka_unit_test(test_failed_reader_gives_not_even_nothing),
        cmocka_unit_test(test_inner_length_is_not_trusted),
        cmocka_unit_test(test_bytes_cut_inside_the_length),
        cmocka_unit_test(test_reader_over_nothing),
        cmocka_unit_test(test_growth_keeps_the_bytes),
        cmocka_unit_test(test_clear_and_reserve_keep_the_memory),
        cmocka_unit_test(test_printf_appends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
