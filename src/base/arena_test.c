// Tests of the arena: alignment, zeroing, large requests between small ones.
#include "base/arena.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_memory_is_zeroed_and_aligned(void **state) {
    PsArena *arena = ps_arena_new();
    for (size_t size = 0; size < 300; size++) {
        uint8_t *memory = ps_arena_take(arena, size);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++) {
            assert_int_equal(memory[i], 0);
        }
        memset(memory, 0xAA, size); // would show in the next one if they overlapped
    }
    ps_arena_free(arena);
}

static void test_large_request_leaves_the_half_used_block_in_use(void **state) {
    PsArena *arena = ps_arena_new();
    char *first = ps_arena_take(arena, 16);
    char *large = ps_arena_take(arena, 100 * 1024);
    memset(large, 1, 100 * 1024);
    char *second = ps_arena_take(arena, 16);
    assert_ptr_equal(second, first + 16);
    assert_int_equal(ps_arena_used(arena), 16 + 100 * 1024 + 16);
    ps_arena_free(arena);
}

static void test_large_request_first(void **state) {
    PsArena *arena = ps_arena_new();
    char *large = ps_arena_take(arena, 64 * 1024);
    char *small = ps_arena_take(arena, 1);
    memset(large, 1, 64 * 1024);
    assert_int_equal(*small, 0);
    ps_arena_free(arena);
}

static void test_strings_are_copied_and_terminated(void **state) {
    PsArena *arena = ps_arena_new();
    char text[] = "Boiler";
    char *copy = ps_arena_strdup(arena, text);
    char *part = ps_arena_strndup(arena, text, 3);
    text[0] = 'x';
    assert_string_equal(copy, "Boiler");
    assert_string_equal(part, "Boi");
    assert_string_equal(ps_arena_strndup(arena, "", 0), "");
    ps_arena_free(arena);
}

static void test_texts_are_packed_and_touch_nothing_else(void **state) {
    PsArena *arena = ps_arena_new();
    char *texts[2000];
    uint8_t *blocks[2000];
    for (size_t i = 0; i < 2000; i++) {
        texts[i] = ps_arena_strndup(arena, "0123456789", i % 11);
        blocks[i] = ps_arena_take(arena, 24);
        memset(blocks[i], 0xAA, 24);
    }
    assert_true(ps_arena_used(arena) < 2000 * (32 + 10)); // six bytes a text, not sixteen
    for (size_t i = 0; i < 2000; i++) {
        assert_int_equal(strlen(texts[i]), i % 11);
        assert_memory_equal(texts[i], "0123456789", i % 11);
        assert_int_equal((uintptr_t)blocks[i] % alignof(max_align_t), 0);
        assert_int_equal(blocks[i][23], 0xAA);
    }
    ps_arena_free(arena);
}

static void test_free_accepts_null(void **state) {
    ps_arena_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_zeroed_and_aligned),
        cmocka_unit_test(test_large_request_leaves_the_half_used_block_in_use),
        cmocka_unit_test(test_large_request_first),
        cmocka_unit_test(test_strings_are_copied_and_terminated),
        cmocka_unit_test(test_texts_are_packed_and_touch_nothing_else),
        cmocka_unit_test(test_free_accepts_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
