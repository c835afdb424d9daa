// Binary coded decimals. Pure; any thread.
#include "drivers/bcd.h"

bool ps_bcd_decode(uint64_t bits, unsigned digits, int64_t *ret_number) {
    int64_t number = 0;
    for (unsigned i = digits; i-- > 0;) {
        unsigned digit = (unsigned)(bits >> (4 * i)) & 0xF;
        if (digit > 9) {
            return false;
        }
        number = number * 10 + digit;
    }
    *ret_number = number;
    return true;
}

uint64_t ps_bcd_encode(int64_t number, unsigned digits) {
    uint64_t bits = 0;
    for (unsigned i = 0; i < digits; i++) {
        bits |= (uint64_t)(number % 10) << (4 * i);
        number /= 10;
    }
    return bits;
}
