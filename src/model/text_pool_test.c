// Tests of texts that are kept once.
#include "model/text_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_the_same_text_is_kept_once(void **state) {
    PsArena *arena = ps_arena_new();
    PsTextPool *pool = ps_text_pool_new(arena);
    char text[] = "pressure";
    const char *kept = ps_text_pool_keep(pool, text);
    assert_ptr_not_equal(kept, text);
    text[0] = 'P';
    assert_string_equal(kept, "pressure");
    const char *other = ps_text_pool_keep(pool, text);
    assert_string_equal(other, "Pressure");
    assert_ptr_equal(ps_text_pool_keep(pool, "pressure"), kept);
    assert_ptr_equal(ps_text_pool_keep(pool, "Pressure"), other);
    assert_string_equal(ps_text_pool_keep(pool, ""), "");
    ps_text_pool_free(pool);
    assert_string_equal(kept, "pressure");
    ps_arena_free(arena);
}

// More texts than it has places: each is still itself.
static void test_many_texts(void **state) {
    PsArena *arena = ps_arena_new();
    PsTextPool *pool = ps_text_pool_new(arena);
    for (int round = 0; round < 2; round++) {
        for (int n = 0; n < 50000; n++) {
            char text[32];
            snprintf(text, sizeof text, "value %d", n);
            assert_string_equal(ps_text_pool_keep(pool, text), text);
        }
    }
    ps_text_pool_free(pool);
    ps_arena_free(arena);
}

// A hundred devices with fifty variables each need the texts of one.
static void test_what_repeats_takes_no_room(void **state) {
    PsArena *arena = ps_arena_new();
    PsTextPool *pool = ps_text_pool_new(arena);
    size_t after_first = 0;
    for (int n = 0; n < 5000; n++) {
        char text[64];
        snprintf(text, sizeof text, "register %d", n % 50);
        (void)ps_text_pool_keep(pool, text);
        after_first = n == 49 ? ps_arena_used(arena) : after_first;
    }
    assert_true(after_first > 0);
    assert_int_equal(ps_arena_used(arena), after_first);
    ps_text_pool_free(pool);
    ps_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_text_is_kept_once),
        cmocka_unit_test(test_many_texts),
        cmocka_unit_test(test_what_repeats_takes_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
