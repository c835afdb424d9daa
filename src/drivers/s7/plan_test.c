// Merging, packing, cutting; what was learned; what is followed.
#include "drivers/s7/plan.h"

#include "drivers/s7/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MOST 2000

static PsVariable variables[MOST];
static uint32_t indexes[MOST];
static PsConfig config;

static void begin(void) {
    memset(variables, 0, sizeof variables);
    config = (PsConfig){.variables = variables};
}

static void add(int area, int db, int byte, int type, int size) {
    uint32_t index = config.variable_count++;
    indexes[index] = index;
    variables[index] = (PsVariable){.register_type = (int8_t)area,
                                    .dbnumber = (uint16_t)db,
                                    .register_addr = byte,
                                    .register_bit = type == PS_TYPE_BOOL ? 0 : PS_UNSET,
                                    .data_type = (int8_t)type,
                                    .size = (int16_t)size};
}

static PsS7Plan make(uint16_t pdu) {
    PsS7Plan plan;
    PsPollSet set = {.variables = indexes, .variable_count = config.variable_count};
    ps_s7_plan_init(&plan, &config, &set);
    ps_s7_plan_merge(&plan, pdu, NULL, (PsMono){0});
    return plan;
}

// Whatever was planned: each variable is in one range and one request, whole; each request fits.
static void assert_sound(const PsS7Plan *plan) {
    uint32_t items = 0;
    uint32_t ranges = 0;
    for (uint32_t r = 0; r < plan->request_count; r++) {
        const PsS7Request *request = &plan->requests[r];
        uint32_t bytes = PS_S7_ANSWER_HEAD;
        assert_true(request->range_count > 0);
        assert_true(PS_S7_READ_HEAD + PS_S7_READ_ITEM * request->range_count <= plan->pdu);
        assert_true(request->range_count <= PS_S7_ITEMS_MAX);
        for (uint32_t i = 0; i < request->range_count; i++) {
            const PsS7Range *range = &plan->ranges[plan->order[request->first + i]];
            bool last = i + 1 == request->range_count;
            bytes += PS_S7_ANSWER_ITEM + range->len + (last ? 0 : range->len % 2);
            ranges++;
            for (uint32_t k = 0; k < range->item_count; k++) {
                const PsS7Item *item = &plan->items[range->first_item + k];
                assert_int_equal(item->area, range->area);
                assert_int_equal(item->db, range->db);
                assert_true(item->first >= range->first);
                assert_true(item->first + item->len <= range->first + range->len);
                items++;
            }
        }
        if (!request->pieces) {
            assert_true(bytes <= plan->pdu);
        }
    }
    for (uint32_t i = 0; i < plan->range_count; i++) {
        items += plan->ranges[i].state == PS_S7_REFUSED ? plan->ranges[i].item_count : 0;
        ranges += plan->ranges[i].state == PS_S7_REFUSED;
    }
    assert_int_equal(items, plan->item_count);
    assert_int_equal(ranges, plan->range_count);
}

static void neighbours_are_one_range(void **state) {
    (void)state;
    begin();
    add(PS_S7_DB, 6, 18, PS_TYPE_FLOAT, 1);
    add(PS_S7_DB, 6, 14, PS_TYPE_DINT, 1);
    add(PS_S7_DB, 6, 20, PS_TYPE_BOOL, 1); // inside another
    add(PS_S7_DB, 6, 30, PS_TYPE_WORD, 1); // behind a small gap
    add(PS_S7_DB, 7, 32, PS_TYPE_WORD, 1); // another block
    add(PS_S7_FLAGS, 0, 32, PS_TYPE_WORD, 1);
    PsS7Plan plan = make(240);
    assert_sound(&plan);
    assert_int_equal(plan.request_count, 1);
    assert_int_equal(plan.range_count, 3);
    assert_int_equal(plan.ranges[1].first, 14);
    assert_int_equal(plan.ranges[1].len, 18);
    assert_int_equal(plan.ranges[1].item_count, 4);
    ps_s7_plan_deinit(&plan);
}

static void a_wide_gap_is_not_read(void **state) {
    (void)state;
    begin();
    add(PS_S7_DB, 1, 0, PS_TYPE_WORD, 1);
    add(PS_S7_DB, 1, 60, PS_TYPE_WORD, 1);
    PsS7Plan plan = make(240);
    assert_int_equal(plan.range_count, 2);
    assert_int_equal(plan.request_count, 1);
    ps_s7_plan_deinit(&plan);
}

static void a_full_block_takes_as_few_telegrams_as_its_bytes(void **state) {
    (void)state;
    begin();
    for (int i = 0; i < 1000; i++) {
        add(PS_S7_DB, 1, 2 * i, PS_TYPE_WORD, 1);
    }
    PsS7Plan plan = make(240);
    assert_sound(&plan);
    assert_int_equal(plan.request_count, 10); // 2000 bytes, 222 at a time
    ps_s7_plan_merge(&plan, 960, NULL, (PsMono){0});
    assert_sound(&plan);
    assert_int_equal(plan.request_count, 3);
    ps_s7_plan_deinit(&plan);
}

static void scattered_ones_fill_telegrams(void **state) {
    (void)state;
    begin();
    for (int i = 0; i < 1000; i++) {
        add(PS_S7_DB, 1, 64 * i, PS_TYPE_FLOAT, 1);
    }
    PsS7Plan plan = make(240);
    assert_sound(&plan);
    assert_int_equal(plan.request_count, 53); // 19 at a time
    ps_s7_plan_merge(&plan, 480, NULL, (PsMono){0});
    assert_sound(&plan);
    assert_int_equal(plan.request_count, 50); // 20 at a time
    ps_s7_plan_deinit(&plan);
}

static void a_long_text_is_read_in_pieces(void **state) {
    (void)state;
    begin();
    add(PS_S7_DB, 1, 0, PS_TYPE_S7STRING, 250);
    add(PS_S7_DB, 1, 252, PS_TYPE_WORD, 1);
    PsS7Plan plan = make(240);
    assert_sound(&plan);
    assert_int_equal(plan.request_count, 2);
    assert_true(plan.requests[0].pieces);
    ps_s7_plan_merge(&plan, 480, NULL, (PsMono){0});
    assert_sound(&plan);
    assert_int_equal(plan.request_count, 1);
    assert_false(plan.requests[0].pieces);
    ps_s7_plan_deinit(&plan);
}

static void random_sets_are_planned_soundly(void **state) {
    (void)state;
    static const uint16_t pdus[] = {64, 112, 240, 480, 960};
    unsigned seed = 7;
    for (int round = 0; round < 300; round++) {
        begin();
        int count = 1 + rand_r(&seed) % 200;
        for (int i = 0; i < count; i++) {
            add(rand_r(&seed) % 4, 1 + rand_r(&seed) % 3, rand_r(&seed) % 1500,
                rand_r(&seed) % PS_TYPE_AUTO, 1 + rand_r(&seed) % 250);
        }
        PsS7Plan plan = make(pdus[round % 5]);
        assert_sound(&plan);
        for (int i = 0; i < 20; i++) {
            uint32_t range = (uint32_t)rand_r(&seed) % plan.range_count;
            uint32_t before = plan.range_count;
            bool cut = ps_s7_plan_split(&plan, range);
            assert_int_equal(plan.range_count, before + cut);
            ps_s7_plan_pack(&plan);
            assert_sound(&plan);
        }
        ps_s7_plan_deinit(&plan);
    }
}

static void a_cut_is_made_at_the_widest_gap(void **state) {
    (void)state;
    begin();
    add(PS_S7_DB, 1, 0, PS_TYPE_WORD, 1);
    add(PS_S7_DB, 1, 2, PS_TYPE_WORD, 1);
    add(PS_S7_DB, 1, 9, PS_TYPE_WORD, 1);
    add(PS_S7_DB, 1, 12, PS_TYPE_WORD, 1);
    PsS7Plan plan = make(240);
    assert_int_equal(plan.range_count, 1);
    assert_true(ps_s7_plan_split(&plan, 0));
    assert_int_equal(plan.ranges[0].len, 4);
    assert_int_equal(plan.ranges[1].first, 9);
    assert_true(ps_s7_plan_split(&plan, 0));
    assert_false(ps_s7_plan_split(&plan, 0));
    ps_s7_plan_deinit(&plan);
}

static void what_was_learned_is_not_asked_for(void **state) {
    (void)state;
    begin();
    for (int i = 0; i < 10; i++) {
        add(PS_S7_DB, 1, 2 * i, PS_TYPE_WORD, 1);
    }
    add(PS_S7_DB, 1, 8, PS_TYPE_DINT, 1);
    add(PS_S7_DB, 5, 0, PS_TYPE_WORD, 1);
    add(PS_S7_DB, 5, 2, PS_TYPE_WORD, 1);
    PsMono now = {PS_NS_PER_S};
    PsLearned *learned = ps_learned_new();
    ps_learned_refused(learned, 0, ps_s7_learned_area(PS_S7_DB, 1), 8, 2, 5, now, (PsWall){0});
    ps_learned_refused(learned, 0, ps_s7_learned_area(PS_S7_DB, 5), 0, PS_S7_AREA_BYTES, 10, now,
                       (PsWall){0});
    PsS7Plan plan = make(240);
    ps_s7_plan_merge(&plan, 240, learned, now);
    assert_sound(&plan);
    assert_true(plan.any_refused);
    uint32_t refused = 0;
    for (uint32_t i = 0; i < plan.range_count; i++) {
        const PsS7Range *range = &plan.ranges[i];
        if (range->state == PS_S7_REFUSED) {
            refused += range->item_count;
        } else {
            assert_int_equal(range->db, 1);
            assert_true(range->first + range->len <= 8 || range->first >= 10);
        }
    }
    assert_int_equal(refused, 4); // the word, the number over it, and the block that is missing
    PsMono later = ps_mono_add_ns(now, PS_LEARNED_PAUSE_S * PS_NS_PER_S);
    ps_s7_plan_retry(&plan, now);
    assert_true(plan.any_refused);
    ps_s7_plan_retry(&plan, later);
    assert_false(plan.any_refused);
    assert_sound(&plan);
    ps_s7_plan_deinit(&plan);
    ps_learned_free(learned);
}

static void an_equal_plan_follows(void **state) {
    (void)state;
    begin();
    add(PS_S7_DB, 1, 0, PS_TYPE_WORD, 1);
    add(PS_S7_DB, 1, 2, PS_TYPE_WORD, 1);
    PsS7Plan before = make(480);
    assert_true(ps_s7_plan_split(&before, 0));
    PsS7Plan after = make(240);
    assert_true(ps_s7_plan_follow(&after, &before));
    assert_int_equal(after.range_count, 2);
    assert_int_equal(after.pdu, 480);
    variables[1].register_addr = 4;
    PsS7Plan other = make(240);
    assert_false(ps_s7_plan_follow(&other, &before));
    ps_s7_plan_deinit(&before);
    ps_s7_plan_deinit(&after);
    ps_s7_plan_deinit(&other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_are_one_range),
        cmocka_unit_test(a_wide_gap_is_not_read),
        cmocka_unit_test(a_full_block_takes_as_few_telegrams_as_its_bytes),
        cmocka_unit_test(scattered_ones_fill_telegrams),
        cmocka_unit_test(a_long_text_is_read_in_pieces),
        cmocka_unit_test(random_sets_are_planned_soundly),
        cmocka_unit_test(a_cut_is_made_at_the_widest_gap),
        cmocka_unit_test(what_was_learned_is_not_asked_for),
        cmocka_unit_test(an_equal_plan_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
