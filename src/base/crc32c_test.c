// CRC-32C against published values and against its definition.
#include "base/crc32c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

// RFC 3720 appendix B.4; the digits are the check value of the CRC catalogues.
static void published_values(void **state) {
    uint8_t bytes[32] = {0};
    assert_int_equal(ps_crc32c(0, bytes, sizeof bytes), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(ps_crc32c(0, bytes, sizeof bytes), 0x62a8ab43);
    for (uint8_t i = 0; i < 32; i++) {
        bytes[i] = i;
    }
    assert_int_equal(ps_crc32c(0, bytes, sizeof bytes), 0x46dd794e);
    for (uint8_t i = 0; i < 32; i++) {
        bytes[i] = 31 - i;
    }
    assert_int_equal(ps_crc32c(0, bytes, sizeof bytes), 0x113fdb5c);
    static const uint8_t scsi_read[48] = {
        0x01, 0xc0, [16] = 0x14, [22] = 0x04, [27] = 0x14, [31] = 0x18, [32] = 0x28, [40] = 0x02};
    assert_int_equal(ps_crc32c(0, scsi_read, sizeof scsi_read), 0xd9963a56);
    assert_int_equal(ps_crc32c(0, "123456789", 9), 0xe3069283);
}

// Bit by bit, as the polynomial says.
static uint32_t by_definition(const uint8_t *bytes, size_t len) {
    uint32_t crc = ~0U;
    for (size_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78U : 0);
        }
    }
    return ~crc;
}

static void every_length_place_and_cut(void **state) {
    uint8_t bytes[300];
    uint32_t random = 1;
    for (size_t i = 0; i < sizeof bytes; i++) {
        random = random * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(random >> 24);
    }
    for (size_t from = 0; from < 8; from++) {
        for (size_t len = 0; from + len <= sizeof bytes; len++) {
            uint32_t whole = ps_crc32c(0, bytes + from, len);
            assert_int_equal(whole, by_definition(bytes + from, len));
            size_t cut = len * 2 / 3;
            uint32_t head = ps_crc32c(0, bytes + from, cut);
            assert_int_equal(ps_crc32c(head, bytes + from + cut, len - cut), whole);
        }
    }
    assert_int_equal(ps_crc32c(0, NULL, 0), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_values),
        cmocka_unit_test(every_length_place_and_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
