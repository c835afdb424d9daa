// Watches over a small plant: what is told first, what later, what after another configuration.
#include "live/watches.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT 4

typedef struct Plant {
    PsVariable variables[COUNT];
    PsCellReading readings[COUNT];
    PsConfig config;
    PsNameIndex *index;
} Plant;

static void init(Plant *plant, const char *const *names) {
    *plant = (Plant){0};
    for (uint32_t i = 0; i < COUNT; i++) {
        plant->variables[i] = (PsVariable){.device_name = i < 2 ? "A" : "B", .name = names[i]};
        plant->readings[i] = (PsCellReading){.value = ps_value_int(i), .time = {PS_NS_PER_S}};
    }
    plant->config = (PsConfig){.variables = plant->variables, .variable_count = COUNT};
    plant->index = ps_name_index_new(&plant->config);
}

static const char *const usual[COUNT] = {"x", "y", "x", "z"};

static PsCellReading read_plant(uint32_t variable, void *ctx) {
    return ((Plant *)ctx)->readings[variable];
}

static void set(Plant *plant, PsWatches *watches, uint32_t variable, int64_t value) {
    plant->readings[variable].value = ps_value_int(value);
    ps_cells_touch(ps_watches_cells(watches), variable);
    ps_cells_refresh(ps_watches_cells(watches), read_plant, plant);
}

static void expect(PsWatchView *view, size_t max, bool more, const char *text) {
    PS_AUTO_BUF PsBuf out = {0};
    assert_int_equal(ps_watch_view_put(view, max, &out), more);
    assert_string_equal(out.len > 0 ? (const char *)out.data : "", text);
}

static PsWatch *add(PsWatches *watches, const PsNameIndex *index, const char *owner) {
    const PsWatchName names[] = {{"A", "x"}, {"B", "z"}, {"B", "none"}};
    PsWatch *watch = NULL;
    PsErr err = ps_watches_add(watches, index, owner, names, 3, (PsMono){0}, &watch, NULL);
    assert_int_equal(err, PS_OK);
    return watch;
}

static void names_are_found(void **state) {
    (void)state;
    Plant plant;
    init(&plant, usual);
    assert_int_equal(ps_name_index_find(plant.index, "A", "x"), 0);
    assert_int_equal(ps_name_index_find(plant.index, "B", "x"), 2);
    assert_int_equal(ps_name_index_find(plant.index, "B", "y"), UINT32_MAX);
    assert_int_equal(ps_name_index_find(plant.index, "Ax", ""), UINT32_MAX);
    ps_name_index_free(plant.index);
}

static void first_all_then_what_changed(void **state) {
    (void)state;
    Plant plant;
    init(&plant, usual);
    PsWatches *watches = ps_watches_new(&plant.config, 255);
    PsWatch *watch = add(watches, plant.index, "anna");
    assert_string_equal(ps_watch_id(watch), "ff-1");
    assert_false(ps_watch_is_gone(watch, 0));
    assert_true(ps_watch_is_gone(watch, 2));
    PsWatchView *view = ps_watch_view_open(watches, watch);
    ps_cells_refresh(ps_watches_cells(watches), read_plant, &plant);
    expect(view, 1000, false,
           "{\"list\":1,\"v\":[[0,0,\"0\",\"good\",1.000],[1,3,\"3\",\"good\",1.000],"
           "[2,null,\"\",\"gone\",null]]}");
    expect(view, 1000, false, "");
    set(&plant, watches, 3, 9);
    expect(view, 1000, false, "{\"list\":1,\"v\":[[1,9,\"9\",\"good\",1.000]]}");
    set(&plant, watches, 1, 9); // nobody's
    set(&plant, watches, 3, 9); // the same
    expect(view, 1000, false, "");
    plant.readings[0].quality = PS_QUALITY_STALE; // without a sample
    ps_cells_look(ps_watches_cells(watches), read_plant, &plant);
    assert_true(ps_cells_touched(ps_watches_cells(watches)));
    ps_cells_refresh(ps_watches_cells(watches), read_plant, &plant);
    expect(view, 1000, false, "{\"list\":1,\"v\":[[0,0,\"0\",\"too old\",1.000]]}");
    ps_watch_view_close(view, (PsMono){0});
    ps_watches_free(watches);
    ps_name_index_free(plant.index);
}

// What does not fit comes next, and of what changed meanwhile only the newest.
static void slow_readers_get_the_newest(void **state) {
    (void)state;
    Plant plant;
    init(&plant, usual);
    PsWatches *watches = ps_watches_new(&plant.config, 1);
    PsWatch *watch = add(watches, plant.index, "anna");
    PsWatchView *quick = ps_watch_view_open(watches, watch);
    PsWatchView *slow = ps_watch_view_open(watches, watch);
    ps_cells_refresh(ps_watches_cells(watches), read_plant, &plant);
    expect(slow, 1, true, "{\"list\":1,\"v\":[[0,0,\"0\",\"good\",1.000]]}");
    for (int64_t value = 10; value < 20; value++) {
        set(&plant, watches, 0, value);
        PS_AUTO_BUF PsBuf out = {0};
        (void)ps_watch_view_put(quick, 1000, &out);
        assert_true(out.len > 0);
    }
    expect(slow, 1, true, "{\"list\":1,\"v\":[[1,3,\"3\",\"good\",1.000]]}");
    expect(slow, 1, true, "{\"list\":1,\"v\":[[2,null,\"\",\"gone\",null]]}");
    expect(slow, 1, true, "{\"list\":1,\"v\":[[0,19,\"19\",\"good\",1.000]]}");
    expect(slow, 1, false, "");
    expect(quick, 1000, false, "");
    ps_watch_view_close(quick, (PsMono){0});
    ps_watch_view_close(slow, (PsMono){0});
    ps_watches_free(watches);
    ps_name_index_free(plant.index);
}

static void belongs_to_its_owner_and_ends_alone(void **state) {
    (void)state;
    Plant plant;
    init(&plant, usual);
    PsWatches *watches = ps_watches_new(&plant.config, 1);
    PsWatch *watch = add(watches, plant.index, "anna");
    char id[PS_WATCH_ID_SIZE];
    snprintf(id, sizeof id, "%s", ps_watch_id(watch));
    assert_ptr_equal(ps_watches_find(watches, id, "anna"), watch);
    assert_null(ps_watches_find(watches, id, "bert"));
    assert_null(ps_watches_find(watches, "1-2", "anna"));
    PsWatchView *view = ps_watch_view_open(watches, watch);
    ps_watches_expire(watches, (PsMono){INT64_MAX / 2}); // somebody reads it
    assert_int_equal(ps_watches_count(watches), 1);
    ps_watch_view_close(view, (PsMono){100 * PS_NS_PER_S});
    ps_watches_expire(watches, (PsMono){159 * PS_NS_PER_S});
    assert_int_equal(ps_watches_count(watches), 1);
    ps_watches_expire(watches, (PsMono){160 * PS_NS_PER_S});
    assert_int_equal(ps_watches_count(watches), 0);
    assert_int_equal(ps_cells_count(ps_watches_cells(watches)), 0);
    ps_watches_free(watches);
    ps_name_index_free(plant.index);
}

static void removed_under_its_reader(void **state) {
    (void)state;
    Plant plant;
    init(&plant, usual);
    PsWatches *watches = ps_watches_new(&plant.config, 1);
    PsWatch *watch = add(watches, plant.index, "anna");
    PsWatchView *view = ps_watch_view_open(watches, watch);
    ps_watches_remove(watches, watch);
    assert_true(ps_watch_view_over(view));
    expect(view, 1000, false, "");
    ps_watch_view_close(view, (PsMono){0});
    ps_watches_free(watches);
    ps_name_index_free(plant.index);
}

static void another_list(void **state) {
    (void)state;
    Plant plant;
    init(&plant, usual);
    PsWatches *watches = ps_watches_new(&plant.config, 1);
    PsWatch *watch = add(watches, plant.index, "anna");
    PsWatchView *view = ps_watch_view_open(watches, watch);
    ps_cells_refresh(ps_watches_cells(watches), read_plant, &plant);
    PS_AUTO_BUF PsBuf out = {0};
    (void)ps_watch_view_put(view, 1000, &out);
    const PsWatchName longer[] = {{"A", "x"}, {"B", "z"}, {"A", "y"}};
    assert_int_equal(ps_watches_set(watches, watch, plant.index, longer, 3, NULL), PS_OK);
    ps_cells_refresh(ps_watches_cells(watches), read_plant, &plant);
    expect(view, 1000, false, "{\"list\":2,\"v\":[[2,1,\"1\",\"good\",1.000]]}");
    const PsWatchName names[] = {{"B", "z"}};
    assert_int_equal(ps_watches_set(watches, watch, plant.index, names, 1, NULL), PS_OK);
    expect(view, 1000, false, "{\"list\":3,\"v\":[[0,3,\"3\",\"good\",1.000]]}");
    assert_int_equal(ps_cells_count(ps_watches_cells(watches)), 1);
    static PsWatchName many[PS_WATCH_VARIABLES_MAX + 1];
    PsDiag diag = {0};
    assert_int_equal(ps_watches_set(watches, watch, plant.index, many, PS_COUNT(many), &diag),
                     PS_ERR_RANGE);
    assert_non_null(strstr(diag.text, "2001"));
    ps_watch_view_close(view, (PsMono){0});
    ps_watches_free(watches);
    ps_name_index_free(plant.index);
}

// Numbers are others, names count; what is gone comes back with a configuration that has it.
static void another_configuration(void **state) {
    (void)state;
    static const char *const others[COUNT] = {"none", "x", "none", "q"};
    Plant plant;
    Plant next;
    init(&plant, usual);
    init(&next, others);
    PsWatches *watches = ps_watches_new(&plant.config, 1);
    PsWatch *watch = add(watches, plant.index, "anna");
    PsWatchView *view = ps_watch_view_open(watches, watch);
    ps_cells_refresh(ps_watches_cells(watches), read_plant, &plant);
    PS_AUTO_BUF PsBuf out = {0};
    (void)ps_watch_view_put(view, 1000, &out);
    ps_watches_apply(watches, &next.config, next.index);
    ps_cells_refresh(ps_watches_cells(watches), read_plant, &next);
    expect(view, 1000, false,
           "{\"list\":1,\"v\":[[0,1,\"1\",\"good\",1.000],[1,null,\"\",\"gone\",null],"
           "[2,2,\"2\",\"good\",1.000]]}");
    ps_watches_apply(watches, &plant.config, plant.index);
    ps_cells_refresh(ps_watches_cells(watches), read_plant, &plant);
    expect(view, 10, true, "{\"list\":1,\"v\":[[0,0,\"0\",\"good\",1.000]]}");
    expect(view, 1000, false,
           "{\"list\":1,\"v\":[[1,3,\"3\",\"good\",1.000],[2,null,\"\",\"gone\",null]]}");
    ps_watch_view_close(view, (PsMono){0});
    ps_watches_free(watches);
    ps_name_index_free(plant.index);
    ps_name_index_free(next.index);
}

// Whoever makes many loses his own; those that are read stay.
static void bounded(void **state) {
    (void)state;
    static PsWatchView *views[PS_WATCHES_MAX];
    Plant plant;
    init(&plant, usual);
    PsWatches *watches = ps_watches_new(&plant.config, 1);
    views[0] = ps_watch_view_open(watches, add(watches, plant.index, "anna"));
    for (int i = 1; i < 2 * PS_WATCHES_MAX; i++) {
        (void)add(watches, plant.index, "bert");
    }
    assert_int_equal(ps_watches_count(watches), PS_WATCHES_MAX);
    assert_non_null(ps_watches_find(watches, "1-1", "anna"));
    for (int i = 1; i < PS_WATCHES_MAX; i++) {
        views[i] = ps_watch_view_open(watches, add(watches, plant.index, "bert"));
    }
    PsWatch *watch = NULL;
    PsDiag diag = {0};
    assert_int_equal(
        ps_watches_add(watches, plant.index, "anna", NULL, 0, (PsMono){0}, &watch, &diag),
        PS_ERR_FULL);
    for (int i = 0; i < PS_WATCHES_MAX; i++) {
        ps_watch_view_close(views[i], (PsMono){0});
    }
    ps_watches_free(watches);
    ps_name_index_free(plant.index);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found),
        cmocka_unit_test(first_all_then_what_changed),
        cmocka_unit_test(slow_readers_get_the_newest),
        cmocka_unit_test(belongs_to_its_owner_and_ends_alone),
        cmocka_unit_test(removed_under_its_reader),
        cmocka_unit_test(another_list),
        cmocka_unit_test(another_configuration),
        cmocka_unit_test(bounded),
    };
    return cmocka_run_group_tests_name("live/watches", tests, NULL, NULL);
}
