// Bit by bit: a serial line is slower than this by orders of magnitude. Pure; any thread.
#include "base/crc16.h"

#define POLYNOMIAL 0xA001U
#define START 0xFFFFU

uint16_t ps_crc16(const void *bytes, size_t len) {
    const uint8_t *at = bytes;
    unsigned crc = START;
    for (size_t i = 0; i < len; i++) {
        crc ^= at[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 1U) != 0 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
        }
    }
    return (uint16_t)crc;
}
