// Which refused places are shown beside a variable's.
#include "drivers/peek.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void name_item(uint32_t area, uint32_t item, char *out, size_t size) {
    snprintf(out, size, "%u/%u", area, item);
}

static void refuse(PsLearned *learned, uint32_t unit, uint32_t area, uint32_t first,
                   uint32_t count) {
    ps_learned_refused(learned, unit, area, first, count, 2, (PsMono){1}, (PsWall){1});
}

static void without_anything_learned_there_is_nothing(void **state) {
    (void)state;
    PsPeek peek = {.hole_count = 7};
    ps_peek_learned(&peek, NULL, &(PsLearnedHole){.count = 1}, name_item);
    assert_int_equal(peek.hole_count, 0);
    assert_int_equal(peek.most_items, 0);
}

static void the_hole_at_the_place_and_its_neighbours(void **state) {
    (void)state;
    PsLearned *learned = ps_learned_new();
    refuse(learned, 1, 3, 10, 2);
    refuse(learned, 1, 3, 20, 1);
    refuse(learned, 1, 4, 10, 1);
    refuse(learned, 2, 3, 10, 1);
    ps_learned_set_max(learned, 1, 3, 60, (PsMono){1});
    PsPeek peek = {0};
    PsLearnedHole place = {.unit = 1, .area = 3, .first = 11, .count = 4};
    ps_peek_learned(&peek, learned, &place, name_item);
    assert_int_equal(peek.hole_count, 2);
    assert_true(peek.holes[0].here);
    assert_string_equal(peek.holes[0].first, "3/10");
    assert_string_equal(peek.holes[0].last, "3/11");
    assert_int_equal(peek.holes[0].code, 2);
    assert_false(peek.holes[1].here);
    assert_int_equal(peek.holes_elsewhere, 1);
    assert_int_equal(peek.most_items, 60);
    ps_learned_free(learned);
}

static void of_many_the_nearest(void **state) {
    (void)state;
    PsLearned *learned = ps_learned_new();
    for (uint32_t i = 0; i < 100; i++) {
        refuse(learned, 0, 0, 10 * i, 1);
    }
    PsPeek peek = {0};
    PsLearnedHole place = {.first = 500, .count = 1};
    ps_peek_learned(&peek, learned, &place, name_item);
    assert_int_equal(peek.hole_count, PS_PEEK_HOLES_MAX);
    assert_int_equal(peek.holes_elsewhere, 100 - PS_PEEK_HOLES_MAX);
    uint32_t here = 0;
    for (uint32_t i = 0; i < peek.hole_count; i++) {
        here += peek.holes[i].here ? 1 : 0;
    }
    assert_int_equal(here, 1);
    ps_learned_free(learned);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_anything_learned_there_is_nothing),
        cmocka_unit_test(the_hole_at_the_place_and_its_neighbours),
        cmocka_unit_test(of_many_the_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
