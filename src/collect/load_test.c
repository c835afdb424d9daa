// Loads of endpoints and the words about them.
#include "collect/load.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void loads_add_up(void **state) {
    PsCycleCost cycles[] = {{"slow", 10000, 500}, {"fast", 100, 20}};
    assert_true(ps_load_of(cycles, 2) > 0.249 && ps_load_of(cycles, 2) < 0.251);
    assert_true(ps_load_of(cycles, 0) == 0);
    char text[256] = "";
    assert_false(ps_load_words(cycles, 2, text, sizeof text));
    assert_false(ps_load_words(cycles, 0, text, sizeof text));
    assert_string_equal(text, "");
}

static void too_much_names_the_group_that_takes_most(void **state) {
    PsCycleCost cycles[] = {{"slow", 1000, 400}, {"fast", 100, 90}, {"rare", 60000, 800}};
    char text[256];
    assert_true(ps_load_words(cycles, 3, text, sizeof text));
    assert_non_null(strstr(text, "more than the line gives"));
    assert_non_null(strstr(text, "131 %"));
    assert_non_null(strstr(text, "'fast' (90.0 ms every 0.1 s)"));
}

static void little_room_is_said_too(void **state) {
    PsCycleCost cycle = {"g", 1000, 900};
    char text[256];
    assert_true(ps_load_words(&cycle, 1, text, sizeof text));
    assert_non_null(strstr(text, "little room"));
}

static void cycles_are_smoothed_from_the_second_on(void **state) {
    (void)state;
    PsScheduleEntry entry = {.interval_ns = PS_NS_PER_S};
    ps_load_measure(&entry, PS_NS_PER_S, 500); // cold
    ps_load_measure(&entry, PS_NS_PER_S / 10, 8);
    assert_int_equal(entry.cycle_ns, PS_NS_PER_S / 10);
    assert_true(ps_load_of_entries(&entry, 1) > 0.09 && ps_load_of_entries(&entry, 1) < 0.11);
    for (int i = 0; i < 200; i++) {
        ps_load_measure(&entry, PS_NS_PER_S / 2, 10);
    }
    assert_true(ps_load_of_entries(&entry, 1) > 0.49 && ps_load_of_entries(&entry, 1) < 0.51);
    assert_true(entry.cycle_requests > 9.9 && entry.cycle_requests < 10.1);
}

static void the_busiest_group_of_a_channel_is_named(void **state) {
    (void)state;
    PsGroup groups[] = {{.name = "slow"}, {.name = "fast"}};
    PsConfig config = {.groups = groups, .group_count = 2};
    PsScheduleEntry entries[] = {
        {.group = 0, .interval_ns = 10 * PS_NS_PER_S, .cycle_ns = PS_NS_PER_S, .measured = 5},
        {.group = 1, .interval_ns = PS_NS_PER_S, .cycle_ns = PS_NS_PER_S, .measured = 1},
    };
    char words[384] = "";
    assert_false(
        ps_load_words_of_entries(&config, entries, 2, words, sizeof words)); // not sure yet
    entries[1].measured = PS_LOAD_SURE;
    assert_true(ps_load_words_of_entries(&config, entries, 2, words, sizeof words));
    assert_non_null(strstr(words, "110 %"));
    assert_non_null(strstr(words, "group 'fast' (1000.0 ms every 1 s)"));
    assert_false(ps_load_words_of_entries(&config, entries, 1, words, sizeof words));
    assert_ptr_equal(ps_load_most_of_entries(entries, 2), &entries[1]);
    entries[1].measured = 0;
    assert_ptr_equal(ps_load_most_of_entries(entries, 2), &entries[0]);
    assert_null(ps_load_most_of_entries(&entries[1], 1)); // not measured yet
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_add_up),
        cmocka_unit_test(too_much_names_the_group_that_takes_most),
        cmocka_unit_test(little_room_is_said_too),
        cmocka_unit_test(cycles_are_smoothed_from_the_second_on),
        cmocka_unit_test(the_busiest_group_of_a_channel_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
