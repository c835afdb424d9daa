// Reads the addresses of Device Supervisor 2.x. Pure; any thread.
#include "exchange/ds_address.h"

#include "base/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ITEM_MAX 65535       // the numbers of penstock.json end at 465535
#define COIL_MAX 10000       // higher numbers without a table are discrete inputs
#define FIVE_DIGITS_MAX 9999 // items of a table that five digits can tell in 2.x

static PsErr fail(PsDiag *diag, const char *text, const char *why) {
    return ps_fail(PS_ERR_INVALID, diag, NULL, NULL, "'%.30s' %s", text, why);
}

// Table 0, 1, 3 or 4 and an item from 1 to a number of five or six digits.
static PsErr from_item(const char *text, int table, int item, int *ret_address, PsDiag *diag) {
    if (item < 1 || item > ITEM_MAX) {
        return fail(diag, text, "has an item outside 1 to 65535; correct it");
    }
    if (table == 0 && item > COIL_MAX) {
        return fail(diag, text,
                    "is a coil above 10000, which has no number of its own in "
                    "penstock.json; it cannot come over");
    }
    int base = item <= FIVE_DIGITS_MAX ? 10000 : 100000;
    *ret_address = table * base + item;
    return PS_OK;
}

static PsErr from_digits(const char *text, const char *digits, int *ret_address, PsDiag *diag) {
    size_t len = strlen(digits);
    long long number = 0;
    if (len > 6 || !ps_text_to_int(digits, 0, 999999, &number)) {
        return fail(diag, text, "is no Modbus address; write one like 4X0001 or 40001");
    }
    if (len >= 5 && digits[0] == '0') {
        return from_item(text, 0, (int)number, ret_address, diag);
    }
    if (number == 20000 || number == 40000 || number == 50000) {
        return fail(diag, text,
                    "means another register in 1.x than in 2.x, where five digits end "
                    "at item 9999; write table and item, like 4X10000");
    }
    *ret_address = (int)number;
    return PS_OK;
}

PsErr ps_ds_address_parse(const char *text, int *ret_address, int *ret_bit, PsDiag *diag) {
    char digits[16];
    size_t prefix = strlen(text) > 2 && (text[1] == 'X' || text[1] == 'x') ? 2 : 0;
    size_t len = strcspn(text + prefix, ".");
    long long bit = -1;
    const char *behind = text + prefix + len;
    if (behind[0] == '.' && !ps_text_to_int(behind + 1, 0, 15, &bit)) {
        return fail(diag, text, "has a bit outside 0 to 15 behind its point; correct it");
    }
    if (len == 0 || len >= sizeof digits || strspn(text + prefix, "0123456789") < len ||
        (prefix > 0 && strchr("0134", text[0]) == NULL)) {
        return fail(diag, text, "is no Modbus address; write one like 4X0001 or 40001");
    }
    memcpy(digits, text + prefix, len);
    digits[len] = '\0';
    long long item = 0;
    int address = 0;
    PsErr err = PS_OK;
    if (prefix == 0) {
        err = from_digits(text, digits, &address, diag);
    } else if (ps_text_to_int(digits, 0, 999999, &item)) {
        err = from_item(text, text[0] - '0', (int)item, &address, diag);
    } else {
        err = from_item(text, text[0] - '0', 0, &address, diag);
    }
    if (err != PS_OK) {
        return err;
    }
    *ret_address = address;
    *ret_bit = (int)bit;
    return PS_OK;
}
