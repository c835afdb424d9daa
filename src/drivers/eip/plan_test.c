// How places become packets, and what is remembered of each.
#include "drivers/eip/plan.h"

#include "drivers/eip/cip.h"
#include "drivers/learned.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define VARIABLES 64

typedef struct Fixture {
    PsVariable variables[VARIABLES];
    char symbols[VARIABLES][24];
    uint32_t indexes[VARIABLES];
    PsConfig config;
    PsPollSet set;
    PsEipPlan plan;
} Fixture;

static const PsEipLimits wide = {.request = 4000, .answer = 4000, .multiple = true};

static void add(Fixture *f, const char *symbol) {
    uint32_t index = f->set.variable_count++;
    snprintf(f->symbols[index], sizeof f->symbols[index], "%s", symbol);
    f->indexes[index] = index;
    f->variables[index] = (PsVariable){
        .symbol = f->symbols[index], .data_type = PS_TYPE_AUTO, .float_repr = 2, .size = 1};
    f->config.variables = f->variables;
    f->set.variables = f->indexes;
}

static int set_up(void **state) {
    static Fixture fixture;
    memset(&fixture, 0, sizeof fixture);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state) {
    ps_eip_plan_deinit(&((Fixture *)*state)->plan);
    return 0;
}

static PsMono at(int64_t seconds) {
    return (PsMono){seconds * PS_NS_PER_S};
}

static void begin(Fixture *f, int64_t seconds) {
    ps_eip_plan_begin(&f->plan, &wide, at(seconds));
}

static void one_place_is_asked_once(void **state) {
    Fixture *f = *state;
    add(f, "Status.0");
    add(f, "Speed");
    add(f, "Status.15");
    add(f, "Status");
    add(f, "Flags[3]");
    add(f, "Flags[31]");
    ps_eip_plan_init(&f->plan, &f->config, &f->set);
    begin(f, 1);
    assert_int_equal(f->plan.item_count, 6);
    assert_int_equal(f->plan.entry_count, 3);
    assert_int_equal(f->plan.packet_count, 1);
    assert_int_equal(f->plan.packets[0].count, 3);
    assert_int_equal(f->plan.requests.data[0], PS_EIP_MULTIPLE);
}

// A single one has no packet around it: 1756-PM020F, "Read Tag Service", parts.
static void one_alone_is_plain(void **state) {
    Fixture *f = *state;
    add(f, "parts");
    ps_eip_plan_init(&f->plan, &f->config, &f->set);
    begin(f, 1);
    assert_int_equal(f->plan.requests.len, 12);
    assert_memory_equal(f->plan.requests.data, "\x4C\x04\x91\x05parts\x00\x01\x00", 12);
}

static void packets_keep_to_both_limits(void **state) {
    Fixture *f = *state;
    for (unsigned i = 0; i < VARIABLES; i++) {
        char name[24];
        snprintf(name, sizeof name, "T%02u", i);
        add(f, name);
    }
    ps_eip_plan_init(&f->plan, &f->config, &f->set);
    PsEipLimits limits = {.request = 128, .answer = 4000, .multiple = true};
    ps_eip_plan_begin(&f->plan, &limits, at(1));
    // 8 bytes of head; each 2 of offset, 2, 6 of path (odd name), 2: ten of them.
    assert_int_equal(f->plan.packets[0].count, 10);
    assert_true(f->plan.packets[0].len <= 128);
    for (uint32_t i = 0; i < f->plan.entry_count; i++) {
        ps_eip_entry_answered(&f->plan, &f->plan.entries[i], 10);
    }
    limits = (PsEipLimits){.request = 4000, .answer = 126, .multiple = true};
    ps_eip_plan_begin(&f->plan, &limits, at(2));
    assert_int_equal(f->plan.packets[0].count, 10); // 6 of head, each 2 of offset and 10
    limits.multiple = false;
    f->plan.unpacked = true;
    ps_eip_plan_begin(&f->plan, &limits, at(3));
    assert_int_equal(f->plan.packet_count, VARIABLES);
}

// Nothing is made anew while nothing changes.
static void packets_are_kept(void **state) {
    Fixture *f = *state;
    add(f, "A");
    add(f, "B");
    ps_eip_plan_init(&f->plan, &f->config, &f->set);
    begin(f, 1);
    ps_eip_entry_answered(&f->plan, &f->plan.entries[0], 10);
    ps_eip_entry_answered(&f->plan, &f->plan.entries[1], 10);
    begin(f, 2);
    f->plan.requests.data[0] = 0x77;
    ps_eip_entry_answered(&f->plan, &f->plan.entries[0], 10);
    ps_eip_entry_answered(&f->plan, &f->plan.entries[1], 8);
    begin(f, 3);
    assert_int_equal(f->plan.requests.data[0], 0x77);
    ps_eip_entry_answered(&f->plan, &f->plan.entries[1], 90);
    begin(f, 4);
    assert_int_equal(f->plan.requests.data[0], PS_EIP_MULTIPLE);
}

static void refused_places_rest_longer_and_longer(void **state) {
    Fixture *f = *state;
    add(f, "A");
    add(f, "B");
    ps_eip_plan_init(&f->plan, &f->config, &f->set);
    begin(f, 0);
    int64_t now = 0;
    int64_t pause = PS_LEARNED_PAUSE_S;
    for (int i = 0; i < 10; i++) {
        ps_eip_entry_refused(&f->plan, &f->plan.entries[0], 0x05, 0, at(now));
        begin(f, now + pause - 1);
        assert_int_equal(f->plan.packets[0].count, 1);
        begin(f, now + pause);
        assert_int_equal(f->plan.packets[0].count, 2);
        now += pause;
        pause = pause * 2 < PS_LEARNED_PAUSE_MAX_S ? pause * 2 : PS_LEARNED_PAUSE_MAX_S;
    }
    ps_eip_entry_refused(&f->plan, &f->plan.entries[0], 0x05, 0, at(now));
    begin(f, now + 1);
    assert_int_equal(f->plan.packets[0].count, 1);
    ps_eip_plan_forgive(&f->plan);
    begin(f, now + 2);
    assert_int_equal(f->plan.packets[0].count, 2);
}

static void an_index_counts_what_the_type_says(void **state) {
    Fixture *f = *state;
    add(f, "Numbers[40]");
    add(f, "Flags[40]");
    ps_eip_plan_init(&f->plan, &f->config, &f->set);
    begin(f, 1);
    // Both ask for the word that would hold the bit.
    PsEipItem *flags = &f->plan.items[0];
    PsEipItem *numbers = &f->plan.items[1];
    assert_int_equal(ps_eip_entry_index(&f->plan, &f->plan.entries[0]), 1);
    assert_true(ps_eip_item_settle(&f->plan, flags, 0xD3));
    assert_int_equal(ps_eip_item_field(flags).bit, 8);
    assert_false(ps_eip_item_settle(&f->plan, numbers, 0xC4));
    flags->cycle = f->plan.cycle;
    assert_true(ps_eip_plan_again(&f->plan, &wide, at(1)));
    assert_int_equal(f->plan.packet_count, 1);
    assert_int_equal(f->plan.packets[0].count, 1); // the other has its sample
    numbers = &f->plan.items[1];
    assert_int_equal(numbers->variable, 0);
    assert_int_equal(ps_eip_entry_index(&f->plan, &f->plan.entries[1]), 40);
    assert_true(ps_eip_item_settle(&f->plan, numbers, 0xC4));
    assert_int_equal(ps_eip_item_field(numbers).bit, -1);
    begin(f, 2);
    assert_int_equal(f->plan.packets[0].count, 2);
}

static void settle_all(Fixture *f, uint16_t type, uint32_t size) {
    for (uint32_t i = 0; i < f->plan.entry_count; i++) {
        ps_eip_entry_answered(&f->plan, &f->plan.entries[i], 6 + size);
        ps_eip_entry_sized(&f->plan, &f->plan.entries[i], size);
        for (uint32_t j = 0; j < f->plan.entries[i].item_count; j++) {
            (void)ps_eip_item_settle(&f->plan, &f->plan.items[f->plan.entries[i].first_item + j],
                                     type);
        }
    }
}

static void neighbours_in_an_array_are_read_together(void **state) {
    Fixture *f = *state;
    for (unsigned i = 0; i < 40; i++) {
        char name[24];
        snprintf(name, sizeof name, "Numbers[%u]", 290 - 2 * i); // 212, 214 ... 290
        add(f, name);
    }
    add(f, "Numbers[400].3"); // too far away
    add(f, "Numbers[290].3");
    ps_eip_plan_init(&f->plan, &f->config, &f->set);
    for (int64_t cycle = 1; cycle < 4; cycle++) {
        begin(f, cycle);
        settle_all(f, 0xC4, 4);
    }
    begin(f, 4);
    assert_int_equal(f->plan.span_count, 2);
    assert_int_equal(f->plan.spans[0].entries, 40);
    assert_int_equal(f->plan.spans[0].elements, 79);
    assert_int_equal(f->plan.packet_count, 1);
    // No more than an answer holds: 6 + 8 of heads and 4 for each element.
    PsEipLimits limits = {.request = 4000, .answer = 14 + 40 * 4, .multiple = true};
    f->plan.unpacked = true;
    ps_eip_plan_begin(&f->plan, &limits, at(5));
    assert_int_equal(f->plan.span_count, 3);
    assert_int_equal(f->plan.spans[0].elements, 39);
    // What has gone wrong together is asked for apart.
    ps_eip_entry_apart(&f->plan, &f->plan.entries[3]);
    begin(f, 6);
    assert_int_equal(f->plan.span_count, 4);
}

static void knowledge_follows_the_place(void **state) {
    Fixture *f = *state;
    add(f, "A");
    add(f, "C");
    ps_eip_plan_init(&f->plan, &f->config, &f->set);
    begin(f, 1);
    ps_eip_entry_refused(&f->plan, &f->plan.entries[1], 0x0F, 0, at(1));
    ps_eip_entry_answered(&f->plan, &f->plan.entries[0], 96);
    PsEipPlan other;
    add(f, "B");
    ps_eip_plan_init(&other, &f->config, &f->set);
    ps_eip_plan_follow(&other, &f->plan);
    assert_int_equal(other.entry_count, 3);
    assert_int_equal(other.entries[0].answer_len, 96);
    assert_int_equal(other.entries[1].status, 0);
    assert_int_equal(other.entries[2].status, 0x0F);
    assert_true(other.entries[2].resting);
    ps_eip_plan_deinit(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(one_place_is_asked_once),
        TEST(one_alone_is_plain),
        TEST(packets_keep_to_both_limits),
        TEST(packets_are_kept),
        TEST(refused_places_rest_longer_and_longer),
        TEST(an_index_counts_what_the_type_says),
        TEST(neighbours_in_an_array_are_read_together),
        TEST(knowledge_follows_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
