// Reads the number in an operand, and moves it. Pure.
#include "model/operand.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Sign and digits alone, within 64 bits.
static bool read_whole(const char *text, PsOperand *operand) {
    bool negative = *text == '-';
    text += *text == '-' || *text == '+';
    uint64_t magnitude = 0;
    for (const char *at = text; *at != '\0'; at++) {
        unsigned digit = (unsigned)(*at - '0');
        if (digit > 9 || magnitude > (UINT64_MAX - digit) / 10) {
            return false;
        }
        magnitude = magnitude * 10 + digit;
    }
    operand->negative = negative && magnitude > 0;
    operand->magnitude = magnitude;
    return true;
}

PsErr ps_operand_parse(const char *text, PsOperand *ret_operand) {
    PsOperand operand = {0};
    bool plain = text[0] != '\0' && text[strspn(text, "+-.0123456789eE")] == '\0';
    char *end = NULL;
    operand.number = plain ? strtod(text, &end) : NAN;
    if (!plain || *end != '\0' || !isfinite(operand.number)) {
        return PS_ERR_INVALID;
    }
    operand.whole = read_whole(text, &operand);
    *ret_operand = operand;
    return PS_OK;
}

PsOperand ps_operand_shift(const PsOperand *operand, double by) {
    PsOperand sum = {.number = operand->number + by};
    bool by_is_whole = by == floor(by) && fabs(by) < 0x1p63;
    if (operand->whole && by_is_whole) {
        __int128 whole = operand->negative ? -(__int128)operand->magnitude : operand->magnitude;
        whole += (int64_t)by;
        __int128 magnitude = whole < 0 ? -whole : whole;
        sum.whole = true;
        sum.negative = whole < 0;
        sum.magnitude = magnitude > UINT64_MAX ? UINT64_MAX : (uint64_t)magnitude;
    }
    return sum;
}
