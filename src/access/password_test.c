// Passwords: what is refused, yescrypt there and back, the same time for nobody; and the set-up
// code.
#include "access/password.h"
#include "access/setup_code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HOUR (3600 * PS_NS_PER_S)

static void weak_ones_are_refused(void **state) {
    static const char *const weak[] = {
        "",
        "short",
        "123456789",
        "aaaaaaaaaaaa",
        "Password123!",
        "penstock2026",
        "changeme..",
        "anna.berger1",
        "Anna.Berger2026",
        "administrator",
        "1234567890",
    };
    for (size_t i = 0; i < PS_COUNT(weak); i++) {
        PsDiag diag = {0};
        assert_int_equal(ps_password_check(weak[i], "anna.berger", &diag), PS_ERR_INVALID);
        assert_string_equal(diag.field, "password");
        assert_true(weak[i][0] == '\0' || strstr(diag.text, weak[i]) == NULL); // never repeated
    }
    char longest[PS_PASSWORD_MOST + 2];
    for (size_t i = 0; i < sizeof longest - 1; i++) {
        longest[i] = (char)('a' + i % 26);
    }
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(ps_password_check(longest, "anna", NULL), PS_ERR_INVALID);
    longest[PS_PASSWORD_MOST] = '\0';
    assert_int_equal(ps_password_check(longest, "anna", NULL), PS_OK);
    assert_int_equal(ps_password_check("vier kurze Wörter", "anna", NULL), PS_OK);
    assert_int_equal(ps_password_check("passwordless entry", "anna", NULL), PS_OK);
}

static void hashes_are_salted_yescrypt(void **state) {
    char one[PS_PASSWORD_HASH_SIZE];
    char two[PS_PASSWORD_HASH_SIZE];
    assert_int_equal(ps_password_hash("correct horse", one), PS_OK);
    assert_int_equal(ps_password_hash("correct horse", two), PS_OK);
    assert_int_equal(strncmp(one, "$y$", 3), 0);
    assert_string_not_equal(one, two);
    assert_true(ps_password_fits("correct horse", one));
    assert_true(ps_password_fits("correct horse", two));
    assert_false(ps_password_fits("correct horsf", one));
    assert_false(ps_password_fits("", one));
    assert_false(ps_password_fits("correct horse", "$y$broken"));
    assert_false(ps_password_fits("correct horse", NULL));
}

// By the processor time of this thread's work, so that a busy machine does not matter much.
static double cost_ms(const char *hash) {
    struct timespec begin;
    struct timespec end;
    double least = 1e9;
    for (int i = 0; i < 5; i++) {
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
        assert_false(ps_password_fits("wrong password", hash));
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
        double ms =
            (double)(end.tv_sec - begin.tv_sec) * 1e3 + (double)(end.tv_nsec - begin.tv_nsec) / 1e6;
        least = ms < least ? ms : least;
    }
    return least;
}

static void nobody_takes_as_long_as_somebody(void **state) {
    char hash[PS_PASSWORD_HASH_SIZE];
    assert_int_equal(ps_password_hash("correct horse", hash), PS_OK);
    double somebody = cost_ms(hash);
    double nobody = cost_ms(NULL);
    assert_true(nobody > somebody / 1.5 && nobody < somebody * 1.5);
}

// ---- the set-up code

static const uint8_t bytes[PS_SETUP_CODE_BYTES] = {0xff, 1, 2,  3,  4,  5,  6,  7,
                                                   8,    9, 10, 11, 12, 13, 14, 0xff};

static void the_code_is_read_as_people_type_it(void **state) {
    PsSetupCode code;
    ps_setup_code_make(&code, bytes, (PsMono){0});
    assert_int_equal(strlen(code.text), 30);
    assert_int_equal(code.text[5], '-');
    char typed[64];
    snprintf(typed, sizeof typed, " %s ", code.text);
    assert_true(ps_setup_code_try(&code, typed, (PsMono){HOUR}));
    for (char *at = typed; *at != '\0'; at++) {
        *at = (char)(*at >= 'A' && *at <= 'Z' ? *at + 32
                     : *at == '-'             ? ' '
                     : *at == '0'             ? 'o'
                     : *at == '1'             ? 'l'
                                              : *at);
    }
    assert_true(ps_setup_code_try(&code, typed, (PsMono){HOUR}));
    assert_int_equal(code.wrong, 0);
    typed[1] = typed[1] == '7' ? '8' : '7';
    assert_false(ps_setup_code_try(&code, typed, (PsMono){HOUR}));
    assert_int_equal(code.wrong, 1);
}

static void every_bit_counts(void **state) {
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        PsSetupCode one;
        PsSetupCode other;
        uint8_t changed[PS_SETUP_CODE_BYTES];
        memcpy(changed, bytes, sizeof bytes);
        changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ps_setup_code_make(&one, bytes, (PsMono){0});
        ps_setup_code_make(&other, changed, (PsMono){0});
        assert_string_not_equal(one.text, other.text);
    }
}

static void the_code_ends(void **state) {
    PsSetupCode code = {0};
    assert_true(ps_setup_code_is_over(&code, (PsMono){0}));
    assert_false(ps_setup_code_try(&code, "", (PsMono){0}));
    ps_setup_code_make(&code, bytes, (PsMono){0});
    assert_false(ps_setup_code_is_over(&code, (PsMono){24 * HOUR - 1}));
    assert_true(ps_setup_code_is_over(&code, (PsMono){24 * HOUR}));
    assert_false(ps_setup_code_try(&code, code.text, (PsMono){24 * HOUR}));
    for (int i = 0; i < 9; i++) {
        assert_false(ps_setup_code_try(&code, "wrong", (PsMono){HOUR}));
    }
    assert_true(ps_setup_code_try(&code, code.text, (PsMono){HOUR}));
    assert_false(ps_setup_code_try(&code, "", (PsMono){HOUR}));
    assert_true(ps_setup_code_is_over(&code, (PsMono){HOUR}));
    assert_false(ps_setup_code_try(&code, code.text, (PsMono){HOUR}));
    ps_setup_code_wipe(&code);
    assert_string_equal(code.text, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weak_ones_are_refused),
        cmocka_unit_test(hashes_are_salted_yescrypt),
        cmocka_unit_test(nobody_takes_as_long_as_somebody),
        cmocka_unit_test(the_code_is_read_as_people_type_it),
        cmocka_unit_test(every_bit_counts),
        cmocka_unit_test(the_code_ends),
    };
    return cmocka_run_group_tests_name("access/password", tests, NULL, NULL);
}
