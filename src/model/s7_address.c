// Reads the notations of S7 addresses from left to right: area, width, byte, bit. Pure.
#include "model/s7_address.h"

#include "model/config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define DB_MAX 65535
#define BIT_MAX 7

typedef struct Scanner {
    const char *at;
    const char *text; // whole, for what is wrong
    PsDiag *diag;
} Scanner;

static const struct {
    char letter;
    int area;
    int dbnumber;
} areas[] = {
    {'I', PS_S7_INPUTS, 0},  {'E', PS_S7_INPUTS, 0}, {'Q', PS_S7_OUTPUTS, 0},
    {'A', PS_S7_OUTPUTS, 0}, {'M', PS_S7_FLAGS, 0},  {'V', PS_S7_DB, 1},
};

static const struct {
    char letter;
    int data_type;
} widths[] = {
    {'X', PS_TYPE_BOOL},
    {'B', PS_TYPE_BYTE},
    {'W', PS_TYPE_WORD},
    {'D', PS_TYPE_DWORD},
};

static char upper(char letter) {
    return (char)toupper((unsigned char)letter);
}

static PsErr fail(const Scanner *scanner, const char *what) {
    return ps_fail(PS_ERR_INVALID, scanner->diag, NULL, "address",
                   "'%.60s' is no S7 address: %s; write one like DB6.DBD18, DB6.DBX2.0, IW3 or "
                   "M10.2",
                   scanner->text, what);
}

static PsErr read_number(Scanner *scanner, const char *what, int max, int *ret_number) {
    if (!isdigit((unsigned char)*scanner->at)) {
        char text[64];
        snprintf(text, sizeof text, "%s is missing", what);
        return fail(scanner, text);
    }
    int number = 0;
    for (; isdigit((unsigned char)*scanner->at); scanner->at++) {
        number = number * 10 + (*scanner->at - '0');
        if (number > max) {
            return ps_fail(PS_ERR_RANGE, scanner->diag, NULL, "address",
                           "'%.60s': %s is at most %d", scanner->text, what, max);
        }
    }
    *ret_number = number;
    return PS_OK;
}

// "6." behind DB, and "DB" again before the width in the absolute notation.
static PsErr read_block(Scanner *scanner, PsS7Address *address) {
    PsErr err = read_number(scanner, "the number of the data block", DB_MAX, &address->dbnumber);
    if (err != PS_OK) {
        return err;
    }
    if (address->dbnumber == 0) {
        return fail(scanner, "data blocks begin with DB1");
    }
    if (*scanner->at != '.') {
        return fail(scanner, "a point and the place in the data block are missing");
    }
    scanner->at++;
    bool absolute = strncasecmp(scanner->at, "DB", 2) == 0;
    scanner->at += absolute ? 2 : 0;
    address->area = PS_S7_DB;
    return !absolute || isalpha((unsigned char)*scanner->at)
               ? PS_OK
               : fail(scanner, "X, B, W or D is missing behind the second DB");
}

static PsErr read_area(Scanner *scanner, PsS7Address *address) {
    if (strncasecmp(scanner->at, "DB", 2) == 0) {
        scanner->at += 2;
        return read_block(scanner, address);
    }
    for (size_t i = 0; i < PS_COUNT(areas); i++) {
        if (upper(*scanner->at) == areas[i].letter) {
            address->area = areas[i].area;
            address->dbnumber = areas[i].dbnumber;
            scanner->at++;
            return PS_OK;
        }
    }
    return fail(scanner, "it begins with DB, I (E), Q (A), M or V");
}

static void read_width(Scanner *scanner, PsS7Address *address) {
    for (size_t i = 0; i < PS_COUNT(widths); i++) {
        if (upper(*scanner->at) == widths[i].letter) {
            address->data_type = widths[i].data_type;
            scanner->at++;
            return;
        }
    }
}

static PsErr read_bit(Scanner *scanner, PsS7Address *address) {
    bool wide = address->data_type != PS_UNSET && address->data_type != PS_TYPE_BOOL;
    if (*scanner->at != '.') {
        return address->data_type != PS_TYPE_BOOL
                   ? PS_OK
                   : fail(scanner, "a point and the bit, 0 to 7, are missing");
    }
    if (wide) {
        return fail(scanner, "B, W and D have no bit");
    }
    scanner->at++;
    address->data_type = PS_TYPE_BOOL;
    return read_number(scanner, "the bit", BIT_MAX, &address->bit);
}

PsErr ps_s7_address_parse(const char *text, PsS7Address *ret_address, PsDiag *diag) {
    Scanner scanner = {.at = text, .text = text, .diag = diag};
    PsS7Address address = {.bit = PS_UNSET, .data_type = PS_UNSET};
    scanner.at += strspn(scanner.at, " \t");
    scanner.at += *scanner.at == '%' ? 1 : 0;
    PsErr err = read_area(&scanner, &address);
    if (err == PS_OK) {
        read_width(&scanner, &address);
        err = read_number(&scanner, "the number of the byte", PS_S7_BYTE_MAX, &address.byte);
    }
    err = err == PS_OK ? read_bit(&scanner, &address) : err;
    if (err != PS_OK) {
        return err;
    }
    scanner.at += strspn(scanner.at, " \t");
    if (*scanner.at != '\0') {
        return fail(&scanner, "there is something behind it");
    }
    *ret_address = address;
    return PS_OK;
}
