// Keys beside the loop: it turns meanwhile, so many at once and no more, and an end that tells
// everybody.
#include "localcloud/keymaker.h"

#include "base/mem.h"
#include "localcloud/pki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef struct Made {
    unsigned good;
    unsigned closed;
    unsigned turns; // of the loop
    unsigned turns_at_last;
    unsigned without_turn; // keys between which the loop did not turn
    PsKeymaker *again;     // orders one more there
} Made;

static void on_turn(uv_idle_t *idle) {
    Made *made = idle->data;
    made->turns++;
}

static void on_made(void *ctx, PsErr err, EVP_PKEY *key, const PsDiag *diag) {
    Made *made = ctx;
    if (err == PS_ERR_CLOSED) {
        assert_null(key);
        made->closed++;
        if (made->again != NULL) {
            assert_int_equal(ps_keymaker_order(made->again, on_made, made), PS_ERR_CLOSED);
        }
        return;
    }
    assert_int_equal(err, PS_OK);
    assert_int_equal(EVP_PKEY_get_bits(key), 2048);
    made->good++;
    made->without_turn += made->turns == made->turns_at_last ? 1 : 0;
    made->turns_at_last = made->turns;
}

static void test_the_loop_turns_meanwhile(void **state) {
    (void)state;
    uv_loop_t loop;
    uv_idle_t idle;
    Made made = {0};
    uv_loop_init(&loop);
    uv_idle_init(&loop, &idle);
    idle.data = &made;
    uv_idle_start(&idle, on_turn);
    PsKeymaker *keymaker = ps_keymaker_new(&loop);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(ps_keymaker_order(keymaker, on_made, &made), PS_OK);
    }
    assert_int_equal(made.good, 0); // nothing was made while it was ordered
    while (made.good < 6) {
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    // Both threads may end in one turn; more cannot.
    assert_true(made.without_turn <= 3);
    ps_keymaker_free(keymaker);
    uv_close((uv_handle_t *)&idle, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_orders_are_bounded_and_told_of_the_end(void **state) {
    (void)state;
    uv_loop_t loop;
    Made made = {0};
    uv_loop_init(&loop);
    PsKeymaker *keymaker = ps_keymaker_new(&loop);
    made.again = keymaker;
    unsigned taken = 0;
    while (ps_keymaker_order(keymaker, on_made, &made) == PS_OK) {
        taken++;
    }
    assert_int_equal(taken, PS_KEYS_AT_ONCE + PS_KEYS_WAITING_MAX);
    assert_int_equal(ps_keymaker_order(keymaker, on_made, &made), PS_ERR_FULL);
    ps_keymaker_stop(keymaker);
    assert_int_equal(made.closed, taken);
    ps_keymaker_free(keymaker); // waits for two threads, tells nobody again
    assert_int_equal(made.closed, taken);
    assert_int_equal(made.good, 0);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_loop_turns_meanwhile),
        cmocka_unit_test(test_orders_are_bounded_and_told_of_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
