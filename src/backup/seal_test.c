// Sealing: what goes in comes out for the right passphrase, and for no other. That a foreign
// program opens it is tested end to end, with the openssl command.
#include "backup/seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SECRET "-----BEGIN PRIVATE KEY----- of the boiler"
#define ROUNDS 70000 // three bytes, as the real number, but faster
#define PASSPHRASE "correct horse battery"

static void seal(PsBuf *sealed) {
    PsDiag diag = {0};
    if (ps_seal(SECRET, strlen(SECRET), PASSPHRASE, ROUNDS, sealed, &diag) != PS_OK) {
        fail_msg("%s", diag.text);
    }
}

static void only_the_passphrase_opens_it(void **state) {
    PS_AUTO_BUF PsBuf sealed = {0};
    PS_AUTO_BUF PsBuf plain = {0};
    PsDiag diag = {0};
    seal(&sealed);
    assert_null(memmem(sealed.data, sealed.len, "PRIVATE KEY", 11));
    assert_int_equal(ps_seal_check(sealed.data, sealed.len, &diag), PS_OK);
    assert_int_equal(ps_unseal(sealed.data, sealed.len, "correct horse batterz", &plain, &diag),
                     PS_ERR_DENIED);
    assert_non_null(strstr(diag.text, "passphrase is wrong"));
    assert_int_equal(plain.len, 0);
    assert_int_equal(ps_unseal(sealed.data, sealed.len, PASSPHRASE, &plain, &diag), PS_OK);
    assert_int_equal(plain.len, strlen(SECRET));
    assert_memory_equal(plain.data, SECRET, plain.len);
}

static void two_seals_of_the_same_differ(void **state) {
    PS_AUTO_BUF PsBuf a = {0};
    PS_AUTO_BUF PsBuf b = {0};
    seal(&a);
    seal(&b);
    assert_true(a.len != b.len || memcmp(a.data, b.data, a.len) != 0);
}

static void a_changed_cipher_text_is_refused(void **state) {
    PS_AUTO_BUF PsBuf sealed = {0};
    seal(&sealed);
    // The tag of 16 bytes with its two bytes of DER is last, the text before it.
    const size_t places[] = {sealed.len - 1, sealed.len - 16, sealed.len - 19,
                             sealed.len - 18 - strlen(SECRET)};
    for (size_t i = 0; i < PS_COUNT(places); i++) {
        PS_AUTO_BUF PsBuf plain = {0};
        PsDiag diag = {0};
        sealed.data[places[i]] ^= 0x10;
        assert_int_equal(ps_unseal(sealed.data, sealed.len, PASSPHRASE, &plain, &diag),
                         PS_ERR_DENIED);
        assert_int_equal(plain.len, 0);
        sealed.data[places[i]] ^= 0x10;
    }
}

static void what_is_not_sealed_is_refused(void **state) {
    PS_AUTO_BUF PsBuf sealed = {0};
    PsDiag diag = {0};
    seal(&sealed);
    for (size_t len = 0; len < sealed.len; len++) {
        assert_int_equal(ps_seal_check(sealed.data, len, &diag), PS_ERR_CORRUPT);
    }
    ps_buf_put_u8(&sealed, 0);
    assert_int_equal(ps_seal_check(sealed.data, sealed.len, &diag), PS_ERR_CORRUPT);
}

static void too_many_rounds_are_refused_at_once(void **state) {
    static const uint8_t written[] = {0x02, 0x03, 0x01, 0x11, 0x70}; // INTEGER 70,000
    PS_AUTO_BUF PsBuf sealed = {0};
    PS_AUTO_BUF PsBuf plain = {0};
    PsDiag diag = {0};
    seal(&sealed);
    uint8_t *rounds = memmem(sealed.data, sealed.len, written, sizeof written);
    assert_non_null(rounds);
    rounds[2] = 0x7f;
    rounds[3] = 0xff;
    rounds[4] = 0xff;
    assert_int_equal(ps_unseal(sealed.data, sealed.len, PASSPHRASE, &plain, &diag), PS_ERR_CORRUPT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_passphrase_opens_it),
        cmocka_unit_test(two_seals_of_the_same_differ),
        cmocka_unit_test(a_changed_cipher_text_is_refused),
        cmocka_unit_test(what_is_not_sealed_is_refused),
        cmocka_unit_test(too_many_rounds_are_refused_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
