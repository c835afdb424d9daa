// The set-up code: made, compared, used up. Pure.
#include "access/setup_code.h"

#include "access/secret.h"

#include <ctype.h>
#include <string.h>

// Crockford's base 32: no I, L, O, U, so that nothing is misread. 128 bits are 26 letters.
static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
#define LETTERS 26
#define WRONG_MAX 10
#define LENGTH_NS (24 * INT64_C(3600) * PS_NS_PER_S)

// The letters alone, as they are made.
static void make_letters(const uint8_t random[PS_SETUP_CODE_BYTES], char out[LETTERS + 1]) {
    unsigned bits = 0;
    unsigned held = 0;
    size_t at = 0;
    for (size_t i = 0; i < LETTERS; i++) {
        if (held < 5) {
            bits = (bits << 8) | (at < PS_SETUP_CODE_BYTES ? random[at] : 0);
            at++;
            held += 8;
        }
        held -= 5;
        out[i] = letters[(bits >> held) & 31];
        bits &= (1U << held) - 1;
    }
    out[LETTERS] = '\0';
}

void ps_setup_code_make(PsSetupCode *code, const uint8_t random[PS_SETUP_CODE_BYTES], PsMono now) {
    // 26 = 5 + 5 + 5 + 5 + 6
    char plain[LETTERS + 1];
    make_letters(random, plain);
    *code = (PsSetupCode){.ends = ps_mono_add_ns(now, LENGTH_NS)};
    size_t len = 0;
    for (size_t i = 0; i < LETTERS; i++) {
        if (i > 0 && i % 5 == 0 && i < 25) {
            code->text[len++] = '-';
        }
        code->text[len++] = plain[i];
    }
    ps_secret_wipe(plain, sizeof plain);
}

bool ps_setup_code_is_over(const PsSetupCode *code, PsMono now) {
    return code->text[0] == '\0' || code->wrong >= WRONG_MAX || now.ns >= code->ends.ns;
}

// As make_letters writes it; false when it cannot be one.
static bool read_letters(const char *given, char out[LETTERS + 1]) {
    size_t len = 0;
    for (const char *at = given; *at != '\0'; at++) {
        int c = toupper((unsigned char)*at);
        if (c == '-' || c == ' ') {
            continue;
        }
        if (len == LETTERS) {
            return false;
        }
        out[len++] = (char)(c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c);
    }
    out[len] = '\0';
    return len == LETTERS;
}

bool ps_setup_code_try(PsSetupCode *code, const char *given, PsMono now) {
    char kept[LETTERS + 1];
    char tried[LETTERS + 1] = "";
    if (ps_setup_code_is_over(code, now)) {
        return false;
    }
    bool fits = read_letters(given, tried) && read_letters(code->text, kept) &&
                ps_secret_equal_text(kept, tried);
    ps_secret_wipe(kept, sizeof kept);
    code->wrong += !fits;
    return fits;
}

void ps_setup_code_wipe(PsSetupCode *code) {
    ps_secret_wipe(code, sizeof *code);
}
