// Learned holes and limits: the order of places, the pauses, what an answer and a smaller refusal
// do to a hole, and the same against a plain list with random places.
#include "drivers/learned.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define UNIT 3
#define AREA 2

static const PsMono any = {0};

static PsMono at_s(int64_t seconds) {
    return (PsMono){(1000 + seconds) * PS_NS_PER_S};
}

static void refuse(PsLearned *learned, uint32_t first, uint32_t count, int64_t seconds) {
    ps_learned_refused(learned, UNIT, AREA, first, count, 2, at_s(seconds), (PsWall){7});
}

static const PsLearnedHole *find(const PsLearned *learned, uint32_t first, uint32_t count) {
    return ps_learned_find(learned, UNIT, AREA, first, count, any);
}

static void test_null_knows_nothing(void **state) {
    (void)state;
    uint32_t count = 9;
    refuse(NULL, 1, 1, 0);
    ps_learned_set_max(NULL, UNIT, AREA, 60, at_s(0));
    ps_learned_retry(NULL, UNIT, at_s(0));
    assert_false(ps_learned_answered(NULL, UNIT, AREA, 1, 1));
    assert_int_equal(ps_learned_max(NULL, UNIT, AREA, 125), 125);
    assert_null(find(NULL, 0, 10));
    assert_null(ps_learned_due(NULL, UNIT, AREA, 0, 10, at_s(0), NULL));
    assert_null(ps_learned_holes(NULL, &count));
    assert_int_equal(count, 0);
    assert_int_equal(ps_learned_version(NULL), 0);
    ps_learned_free(NULL);
}

static void test_a_hole_is_found_inside_a_place_only(void **state) {
    (void)state;
    PsLearned *learned = ps_learned_new();
    refuse(learned, 10, 2, 0);
    assert_non_null(find(learned, 0, 100));
    assert_non_null(find(learned, 10, 2));
    assert_null(find(learned, 10, 1)); // may be there: only both together were refused
    assert_null(find(learned, 11, 50));
    assert_null(ps_learned_find(learned, UNIT + 1, AREA, 0, 100, any));
    assert_null(ps_learned_find(learned, UNIT, AREA + 1, 0, 100, any));
    ps_learned_free(learned);
}

static void test_pauses_double_up_to_an_hour(void **state) {
    (void)state;
    PsLearned *learned = ps_learned_new();
    int64_t pauses[] = {60, 120, 240, 480, 960, 1920, 3600, 3600};
    int64_t now = 0;
    for (size_t i = 0; i < sizeof pauses / sizeof pauses[0]; i++) {
        PsMono next = any;
        refuse(learned, 10, 1, now);
        assert_null(ps_learned_due(learned, UNIT, AREA, 0, 100, at_s(now + pauses[i] - 1), &next));
        assert_int_equal(next.ns, at_s(now + pauses[i]).ns);
        assert_non_null(ps_learned_find(learned, UNIT, AREA, 0, 100, at_s(now + pauses[i] - 1)));
        now += pauses[i];
        const PsLearnedHole *due = ps_learned_due(learned, UNIT, AREA, 0, 100, at_s(now), &next);
        assert_non_null(due);
        assert_int_equal(due->refusals, i + 1);
        assert_int_equal(due->since.ns, 7);
        assert_int_equal(next.ns, INT64_MAX);
        assert_null(ps_learned_find(learned, UNIT, AREA, 0, 100, at_s(now)));
    }
    ps_learned_free(learned);
}

static void test_the_one_that_has_waited_longest_is_due_first(void **state) {
    (void)state;
    PsLearned *learned = ps_learned_new();
    PsMono next;
    refuse(learned, 10, 1, 2);
    refuse(learned, 20, 1, 1);
    refuse(learned, 30, 1, 3);
    assert_int_equal(ps_learned_due(learned, UNIT, AREA, 0, 100, at_s(80), &next)->first, 20);
    assert_int_equal(next.ns, at_s(62).ns);
    assert_int_equal(ps_learned_due(learned, UNIT, AREA, 25, 100, at_s(80), &next)->first, 30);
    ps_learned_free(learned);
}

static void test_an_answer_takes_holes_away(void **state) {
    (void)state;
    PsLearned *learned = ps_learned_new();
    refuse(learned, 10, 1, 0);
    refuse(learned, 12, 2, 0);
    refuse(learned, 20, 1, 0);
    uint64_t version = ps_learned_version(learned);
    assert_false(ps_learned_answered(learned, UNIT, AREA, 11, 2)); // half of the second
    assert_int_equal(ps_learned_version(learned), version);
    assert_true(ps_learned_answered(learned, UNIT, AREA, 9, 6));
    assert_true(ps_learned_version(learned) > version);
    uint32_t count;
    assert_int_equal(ps_learned_holes(learned, &count)[0].first, 20);
    assert_int_equal(count, 1);
    ps_learned_free(learned);
}

static void test_the_smaller_hole_is_the_reason(void **state) {
    (void)state;
    PsLearned *learned = ps_learned_new();
    refuse(learned, 10, 4, 0);
    refuse(learned, 10, 2, 0); // same beginning
    refuse(learned, 11, 1, 0); // inside
    uint32_t count;
    assert_int_equal(ps_learned_holes(learned, &count)[0].first, 11);
    assert_int_equal(count, 1);
    refuse(learned, 8, 10, 0); // nothing new
    (void)ps_learned_holes(learned, &count);
    assert_int_equal(count, 1);
    ps_learned_free(learned);
}

static void test_limits(void **state) {
    (void)state;
    PsLearned *learned = ps_learned_new();
    assert_int_equal(ps_learned_max(learned, UNIT, AREA, 125), 125);
    ps_learned_set_max(learned, UNIT, AREA, 60, at_s(0));
    ps_learned_set_max(learned, 1, AREA, 100, at_s(0));
    ps_learned_set_max(learned, UNIT, AREA, 80, at_s(0)); // only ever smaller
    assert_int_equal(ps_learned_max(learned, UNIT, AREA, 125), 60);
    assert_int_equal(ps_learned_max(learned, UNIT, AREA, 50), 50);
    assert_int_equal(ps_learned_max(learned, 1, AREA, 125), 100);
    assert_int_equal(ps_learned_max(learned, 2, AREA, 125), 125);
    assert_false(ps_learned_max_is_due(learned, UNIT, AREA, at_s(86399)));
    assert_true(ps_learned_max_is_due(learned, UNIT, AREA, at_s(86400)));
    ps_learned_forget_max(learned, UNIT, AREA);
    assert_int_equal(ps_learned_max(learned, UNIT, AREA, 125), 125);
    uint32_t count;
    assert_int_equal(ps_learned_limits(learned, &count)[0].unit, 1);
    assert_int_equal(count, 1);
    ps_learned_free(learned);
}

static void test_retry_and_copies(void **state) {
    (void)state;
    PsLearned *learned = ps_learned_new();
    refuse(learned, 10, 1, 0);
    ps_learned_refused(learned, UNIT + 1, AREA, 10, 1, 2, at_s(0), (PsWall){7});
    ps_learned_set_max(learned, UNIT, AREA, 60, at_s(0));
    PsLearned *copy = ps_learned_dup(learned);
    ps_learned_retry(learned, UNIT, at_s(1));
    assert_non_null(ps_learned_due(learned, UNIT, AREA, 0, 100, at_s(1), NULL));
    assert_null(ps_learned_due(learned, UNIT + 1, AREA, 0, 100, at_s(1), NULL));
    ps_learned_free(learned);
    assert_null(ps_learned_due(copy, UNIT, AREA, 0, 100, at_s(1), NULL));
    assert_int_equal(ps_learned_max(copy, UNIT, AREA, 125), 60);
    refuse(copy, 20, 1, 0);
    assert_non_null(find(copy, 20, 1));
    ps_learned_free(copy);
}

static void test_no_more_than_there_is_room_for(void **state) {
    (void)state;
    PsLearned *learned = ps_learned_new();
    for (uint32_t i = 0; i < PS_LEARNED_HOLES_MAX + 10; i++) {
        refuse(learned, 2 * i, 1, i == 5 ? 0 : 1 + i);
    }
    uint32_t count;
    (void)ps_learned_holes(learned, &count);
    assert_int_equal(count, PS_LEARNED_HOLES_MAX);
    assert_null(find(learned, 10, 1)); // the oldest went first
    assert_null(find(learned, 0, 1));
    assert_non_null(find(learned, 2 * PS_LEARNED_HOLES_MAX, 1));
    PsLearnedHole nothing = {.first = 1};
    PsLearnedHole beyond = {.first = UINT32_MAX, .count = 2};
    assert_false(ps_learned_put_hole(learned, &nothing));
    assert_false(ps_learned_put_hole(learned, &beyond));
    ps_learned_free(learned);
}

// A plain list that is looked through as the header says.
typedef struct Plain {
    uint32_t first[600];
    uint32_t count[600];
    unsigned used;
} Plain;

static bool inside(uint32_t first, uint32_t count, uint32_t of_first, uint32_t of_count) {
    return first >= of_first && first + count <= of_first + of_count;
}

static bool plain_has_inside(const Plain *plain, uint32_t first, uint32_t count) {
    for (unsigned i = 0; i < plain->used; i++) {
        if (inside(plain->first[i], plain->count[i], first, count)) {
            return true;
        }
    }
    return false;
}

static void plain_drop(Plain *plain, uint32_t first, uint32_t count, bool around) {
    unsigned kept = 0;
    for (unsigned i = 0; i < plain->used; i++) {
        bool drop = around ? inside(first, count, plain->first[i], plain->count[i])
                           : inside(plain->first[i], plain->count[i], first, count);
        plain->first[kept] = plain->first[i];
        plain->count[kept] = plain->count[i];
        kept += drop ? 0 : 1;
    }
    plain->used = kept;
}

static void test_random_places_against_a_plain_list(void **state) {
    (void)state;
    PsLearned *learned = ps_learned_new();
    Plain plain = {0};
    srand(20);
    for (int round = 0; round < 20000; round++) {
        uint32_t first = (uint32_t)rand() % 400;
        uint32_t count = 1 + (uint32_t)rand() % 6;
        if (rand() % 3 == 0) {
            count *= 4;
            assert_int_equal(ps_learned_answered(learned, UNIT, AREA, first, count),
                             plain_has_inside(&plain, first, count));
            plain_drop(&plain, first, count, false);
        } else {
            refuse(learned, first, count, round);
            if (!plain_has_inside(&plain, first, count)) {
                plain_drop(&plain, first, count, true);
                plain.first[plain.used] = first;
                plain.count[plain.used++] = count;
            }
        }
        first = (uint32_t)rand() % 400;
        count = 1 + (uint32_t)rand() % 40;
        assert_int_equal(find(learned, first, count) != NULL,
                         plain_has_inside(&plain, first, count));
        uint32_t known;
        (void)ps_learned_holes(learned, &known);
        assert_int_equal(known, plain.used);
    }
    ps_learned_free(learned);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null_knows_nothing),
        cmocka_unit_test(test_a_hole_is_found_inside_a_place_only),
        cmocka_unit_test(test_pauses_double_up_to_an_hour),
        cmocka_unit_test(test_the_one_that_has_waited_longest_is_due_first),
        cmocka_unit_test(test_an_answer_takes_holes_away),
        cmocka_unit_test(test_the_smaller_hole_is_the_reason),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_retry_and_copies),
        cmocka_unit_test(test_no_more_than_there_is_room_for),
        cmocka_unit_test(test_random_places_against_a_plain_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
