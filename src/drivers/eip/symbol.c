// A small parser by hand: one pass, and each complaint knows the place it is about. Pure.
#include "drivers/eip/symbol.h"

#include <stdio.h>
#include <string.h>

#define SEGMENT_SYMBOL 0x91U // ANSI extended symbol: CIP Volume 1, C-1.4.5.2
#define SEGMENT_ELEMENT_8 0x28U
#define SEGMENT_ELEMENT_16 0x29U
#define SEGMENT_ELEMENT_32 0x2AU

#define EXAMPLE "for example Speed, Motor.Speed, Levels[3], Program:Main.Count or Status.5"

typedef struct Parser {
    const char *text;
    const char *at;
    PsEipSymbol *symbol;
    PsDiag *diag;
} Parser;

static PsErr fail(const Parser *parser, const char *what) {
    long place = (long)(parser->at - parser->text) + 1;
    if (*parser->at == '\0') {
        return ps_fail(PS_ERR_INVALID, parser->diag, NULL, "symbol",
                       "'%.80s' ends too early: %s; " EXAMPLE, parser->text, what);
    }
    return ps_fail(PS_ERR_INVALID, parser->diag, NULL, "symbol",
                   "'%.80s', character %ld ('%.12s'): %s; " EXAMPLE, parser->text, place,
                   parser->at, what);
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

uint16_t ps_eip_element_put(uint8_t *out, uint32_t index) {
    if (index <= UINT8_MAX) {
        out[0] = SEGMENT_ELEMENT_8;
        out[1] = (uint8_t)index;
        return 2;
    }
    bool wide = index > UINT16_MAX;
    out[0] = wide ? SEGMENT_ELEMENT_32 : SEGMENT_ELEMENT_16;
    out[1] = 0;
    uint16_t len = wide ? 6 : 4;
    for (uint16_t i = 2; i < len; i++, index >>= 8) {
        out[i] = (uint8_t)index;
    }
    return len;
}

uint16_t ps_eip_name_put(uint8_t *out, const char *name, size_t len) {
    out[0] = SEGMENT_SYMBOL;
    out[1] = (uint8_t)len;
    memcpy(out + 2, name, len);
    out[2 + len] = 0; // the pad, when the length is odd
    return (uint16_t)(2 + len + len % 2);
}

static PsErr put_name(Parser *parser, const char *name, size_t len) {
    PsEipSymbol *symbol = parser->symbol;
    if (symbol->path_len + len + 3 > sizeof symbol->path) {
        return fail(parser, "the whole is too long for a request");
    }
    symbol->path_len =
        (uint16_t)(symbol->path_len + ps_eip_name_put(symbol->path + symbol->path_len, name, len));
    return PS_OK;
}

static PsErr put_element(Parser *parser, uint32_t index) {
    PsEipSymbol *symbol = parser->symbol;
    if (symbol->path_len + PS_EIP_ELEMENT_MAX > sizeof symbol->path) {
        return fail(parser, "the whole is too long for a request");
    }
    symbol->path_len =
        (uint16_t)(symbol->path_len + ps_eip_element_put(symbol->path + symbol->path_len, index));
    return PS_OK;
}

static PsErr parse_number(Parser *parser, uint64_t most, const char *wanted, uint32_t *ret_number) {
    uint64_t number = 0;
    const char *end = parser->at;
    for (; is_digit(*end) && number <= most; end++) {
        number = number * 10 + (uint64_t)(*end - '0');
    }
    if (end == parser->at || number > most) {
        return fail(parser, wanted);
    }
    parser->at = end;
    *ret_number = (uint32_t)number;
    return PS_OK;
}

// "Name", and in the first place also "Program:Main" or "Local:1:I".
static PsErr parse_name(Parser *parser, bool first) {
    const char *start = parser->at;
    if (!is_letter(*start)) {
        return fail(parser, first ? "a tag begins with a letter or _"
                                  : "expected a member's name or the number of a bit");
    }
    const char *part = start;
    while (is_letter(*parser->at) || is_digit(*parser->at) || (first && *parser->at == ':')) {
        if (*parser->at == ':') {
            if (parser->at == part) {
                return fail(parser, "there is nothing before the colon");
            }
            part = parser->at + 1;
        }
        parser->at++;
        if (parser->at - part > (long)PS_EIP_NAME_MAX) {
            return fail(parser, "a name has at most 40 characters");
        }
    }
    if (parser->at == part) {
        return fail(parser, "expected a name behind the colon");
    }
    return put_name(parser, start, (size_t)(parser->at - start));
}

// "[1,2,3]". A single index is kept back: the caller knows whether more follows.
static PsErr parse_indexes(Parser *parser) {
    uint32_t indexes[PS_EIP_DIMENSIONS_MAX];
    unsigned count = 0;
    do {
        parser->at++; // the bracket or comma
        if (count == PS_EIP_DIMENSIONS_MAX) {
            return fail(parser, "an array has at most three dimensions");
        }
        PsErr err = parse_number(parser, UINT32_MAX, "expected the number of an element, from 0",
                                 &indexes[count++]);
        if (err != PS_OK) {
            return err;
        }
    } while (*parser->at == ',');
    if (*parser->at != ']') {
        return fail(parser, "expected ] or a comma");
    }
    parser->at++;
    if (count == 1) {
        parser->symbol->indexed = true;
        parser->symbol->index = indexes[0];
        return PS_OK;
    }
    PsErr err = PS_OK;
    for (unsigned i = 0; err == PS_OK && i < count; i++) {
        err = put_element(parser, indexes[i]);
    }
    return err;
}

// A member follows: the index is one of the path.
static PsErr settle_index(Parser *parser) {
    if (!parser->symbol->indexed) {
        return PS_OK;
    }
    uint32_t index = parser->symbol->index;
    parser->symbol->indexed = false;
    parser->symbol->index = 0;
    return put_element(parser, index);
}

static PsErr parse_bit(Parser *parser) {
    uint32_t bit = 0;
    PsErr err = parse_number(parser, PS_EIP_BITS - 1, "a bit has a number from 0 to 63", &bit);
    if (err == PS_OK && *parser->at != '\0') {
        err = fail(parser, "nothing can follow the number of a bit");
    }
    parser->symbol->bit = (int8_t)bit;
    return err;
}

// One part between dots; `*ret_end` after the last.
static PsErr parse_part(Parser *parser, bool first) {
    if (!first && is_digit(*parser->at)) {
        return parse_bit(parser);
    }
    PsErr err = parse_name(parser, first);
    if (err == PS_OK && *parser->at == '[') {
        err = parse_indexes(parser);
    }
    return err;
}

PsErr ps_eip_symbol_parse(const char *text, PsEipSymbol *ret_symbol, PsDiag *diag) {
    PsEipSymbol symbol = {.bit = PS_EIP_NO_BIT};
    Parser parser = {.text = text, .at = text, .symbol = &symbol, .diag = diag};
    if (*text == '\0') {
        return ps_fail(PS_ERR_INVALID, diag, NULL, "symbol",
                       "is missing; add the tag's name, " EXAMPLE);
    }
    PsErr err = parse_part(&parser, true);
    while (err == PS_OK && *parser.at == '.') {
        parser.at++;
        err = is_digit(*parser.at) ? PS_OK : settle_index(&parser);
        err = err != PS_OK ? err : parse_part(&parser, false);
    }
    if (err == PS_OK && *parser.at != '\0') {
        err = fail(&parser, "expected a dot, [ or the end");
    }
    if (err == PS_OK && symbol.path_len + PS_EIP_ELEMENT_MAX > sizeof symbol.path) {
        err = fail(&parser, "the whole is too long for a request");
    }
    if (err == PS_OK && strncmp(text, "Program:", strlen("Program:")) == 0 &&
        strchr(text, '.') == NULL) {
        err = fail(&parser, "a program is no value; name one of its tags, Program:Main.Count");
    }
    if (err == PS_OK) {
        *ret_symbol = symbol;
    }
    return err;
}
