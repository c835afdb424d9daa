// CRC-32C eight bytes at a time. Pure; any thread; never blocks.
//
// A table for each of the four: what a byte becomes that is followed by 0, 1, 2 or 3 others. A
// table is linear: an entry is the sum, without carry, of the entries of its bits, which stand
// here.
#include "base/crc32c.h"

#define TERM(n, bit, value) ((((n) >> (bit)) & 1U) * (value))
#define SUM(n, a, b, c, d, e, f, g, h)                                                             \
    (TERM(n, 0, a) ^ TERM(n, 1, b) ^ TERM(n, 2, c) ^ TERM(n, 3, d) ^ TERM(n, 4, e) ^               \
     TERM(n, 5, f) ^ TERM(n, 6, g) ^ TERM(n, 7, h))
// AFTER_n: with n other bytes behind it.
#define AFTER_0(n)                                                                                 \
    SUM(n, 0xf26b8303U, 0xe13b70f7U, 0xc79a971fU, 0x8ad958cfU, 0x105ec76fU, 0x20bd8edeU,           \
        0x417b1dbcU, 0x82f63b78U)
#define AFTER_1(n)                                                                                 \
    SUM(n, 0x13a29877U, 0x274530eeU, 0x4e8a61dcU, 0x9d14c3b8U, 0x3fc5f181U, 0x7f8be302U,           \
        0xff17c604U, 0xfbc3faf9U)
#define AFTER_2(n)                                                                                 \
    SUM(n, 0xa541927eU, 0x4f6f520dU, 0x9edea41aU, 0x38513ec5U, 0x70a27d8aU, 0xe144fb14U,           \
        0xc76580d9U, 0x8b277743U)
#define AFTER_3(n)                                                                                 \
    SUM(n, 0xdd45aab8U, 0xbf672381U, 0x7b2231f3U, 0xf64463e6U, 0xe964b13dU, 0xd725148bU,           \
        0xaba65fe7U, 0x52a0c93fU)
#define AFTER_4(n)                                                                                 \
    SUM(n, 0x38116facU, 0x7022df58U, 0xe045beb0U, 0xc5670b91U, 0x8f2261d3U, 0x1ba8b557U,           \
        0x37516aaeU, 0x6ea2d55cU)
#define AFTER_5(n)                                                                                 \
    SUM(n, 0xef306b19U, 0xdb8ca0c3U, 0xb2f53777U, 0x6006181fU, 0xc00c303eU, 0x85f4168dU,           \
        0x0e045bebU, 0x1c08b7d6U)
#define AFTER_6(n)                                                                                 \
    SUM(n, 0x68032cc8U, 0xd0065990U, 0xa5e0c5d1U, 0x4e2dfd53U, 0x9c5bfaa6U, 0x3d5b83bdU,           \
        0x7ab7077aU, 0xf56e0ef4U)
#define AFTER_7(n)                                                                                 \
    SUM(n, 0x493c7d27U, 0x9278fa4eU, 0x211d826dU, 0x423b04daU, 0x847609b4U, 0x0d006599U,           \
        0x1a00cb32U, 0x34019664U)

#define TWO(entry, n) entry(n), entry((n) + 1U)
#define EIGHT(entry, n)                                                                            \
    TWO(entry, n), TWO(entry, (n) + 2U), TWO(entry, (n) + 4U), TWO(entry, (n) + 6U)
#define THIRTY_TWO(entry, n)                                                                       \
    EIGHT(entry, n), EIGHT(entry, (n) + 8U), EIGHT(entry, (n) + 16U), EIGHT(entry, (n) + 24U)
#define ALL(entry)                                                                                 \
    THIRTY_TWO(entry, 0U), THIRTY_TWO(entry, 32U), THIRTY_TWO(entry, 64U), THIRTY_TWO(entry, 96U), \
        THIRTY_TWO(entry, 128U), THIRTY_TWO(entry, 160U), THIRTY_TWO(entry, 192U),                 \
        THIRTY_TWO(entry, 224U)

static const uint32_t after[8][256] = {
    {ALL(AFTER_0)}, {ALL(AFTER_1)}, {ALL(AFTER_2)}, {ALL(AFTER_3)},
    {ALL(AFTER_4)}, {ALL(AFTER_5)}, {ALL(AFTER_6)}, {ALL(AFTER_7)},
};

static uint32_t word(const uint8_t *at) {
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

uint32_t ps_crc32c(uint32_t crc, const void *bytes, size_t len) {
    const uint8_t *at = bytes;
    crc = ~crc;
    for (; len >= 8; len -= 8, at += 8) {
        uint32_t low = word(at) ^ crc;
        uint32_t high = word(at + 4);
        crc = after[7][low & 0xff] ^ after[6][low >> 8 & 0xff] ^ after[5][low >> 16 & 0xff] ^
              after[4][low >> 24] ^ after[3][high & 0xff] ^ after[2][high >> 8 & 0xff] ^
              after[1][high >> 16 & 0xff] ^ after[0][high >> 24];
    }
    for (; len > 0; len--, at++) {
        crc = crc >> 8 ^ after[0][(crc ^ *at) & 0xff];
    }
    return ~crc;
}
