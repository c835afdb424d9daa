// The name map: one- and two-part keys, refusal of doubles, growth. Pure.
#include "base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void finds_what_was_put(void **state) {
    PS_AUTO_MAP PsMap map = {0};
    assert_int_equal(ps_map_find(&map, NULL, "a"), PS_MAP_NONE);
    assert_true(ps_map_put(&map, NULL, "a", 7));
    assert_false(ps_map_put(&map, NULL, "a", 8));
    assert_int_equal(ps_map_find(&map, NULL, "a"), 7);
    assert_int_equal(ps_map_find(&map, NULL, "b"), PS_MAP_NONE);
}

static void keeps_the_parts_of_a_key_apart(void **state) {
    PS_AUTO_MAP PsMap map = {0};
    assert_true(ps_map_put(&map, "ab", "c", 1));
    assert_true(ps_map_put(&map, "a", "bc", 2));
    assert_true(ps_map_put(&map, NULL, "abc", 3));
    assert_int_equal(ps_map_find(&map, "ab", "c"), 1);
    assert_int_equal(ps_map_find(&map, "a", "bc"), 2);
    assert_int_equal(ps_map_find(&map, NULL, "abc"), 3);
}

static void grows(void **state) {
    enum {
        COUNT = 5000
    };
    char(*keys)[16] = calloc(COUNT, sizeof *keys);
    PS_AUTO_MAP PsMap map = {0};
    for (uint32_t i = 0; i < COUNT; i++) {
        snprintf(keys[i], sizeof keys[i], "var%u", i);
        assert_true(ps_map_put(&map, "dev", keys[i], i));
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_int_equal(ps_map_find(&map, "dev", keys[i]), i);
    }
    free(keys);
}

static void what_was_reserved_does_not_grow(void **state) {
    enum {
        COUNT = 100
    };
    char keys[COUNT][16];
    PS_AUTO_MAP PsMap map = {0};
    ps_map_reserve(&map, COUNT);
    size_t capacity = map.capacity;
    for (uint32_t i = 0; i < COUNT; i++) {
        snprintf(keys[i], sizeof keys[i], "var%u", i);
        assert_true(ps_map_put(&map, NULL, keys[i], i));
    }
    assert_int_equal(map.capacity, capacity);
    assert_int_equal(ps_map_find(&map, NULL, "var99"), 99);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_put),
        cmocka_unit_test(keeps_the_parts_of_a_key_apart),
        cmocka_unit_test(grows),
        cmocka_unit_test(what_was_reserved_does_not_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
