// What a group's snapshot holds.
#include "collect/uploader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static PsDevice devices[] = {{.name = "a", .timeout = 1}, {.name = "b", .timeout = 1}};
static PsGroup groups[] = {{.name = "g", .polling_interval = 1, .upload_interval = 1},
                           {.name = "empty", .polling_interval = 1, .upload_interval = 1}};
static PsVariable variables[] = {
    {.name = "real_b", .device = 1, .data_type = PS_TYPE_WORD},
    {.name = "real_a", .device = 0, .data_type = PS_TYPE_WORD},
    {.name = "change_b",
     .device = 1,
     .data_type = PS_TYPE_STRING,
     .size = 4,
     .mode = PS_MODE_ONCHANGE},
    {.name = "write_a", .device = 0, .data_type = PS_TYPE_WORD, .access = PS_ACCESS_WRITE},
};
static const PsConfig config = {.devices = devices,
                                .device_count = 2,
                                .groups = groups,
                                .group_count = 2,
                                .variables = variables,
                                .variable_count = 4};

typedef struct Fixture {
    PsTagTable *table;
    PsUploader *uploader;
    PsUpload upload;
    PsUploadItem room[4];
    PsMono now;
} Fixture;

static Fixture fixture;

static int set_up(void **state) {
    fixture = (Fixture){.table = ps_tag_table_new(&config),
                        .uploader = ps_uploader_new(&config, 0, 1),
                        .now = {1000 * PS_NS_PER_S}};
    *state = &fixture;
    return 0;
}

static int tear_down(void **state) {
    Fixture *f = *state;
    ps_uploader_free(f->uploader);
    ps_tag_table_free(f->table);
    return 0;
}

static void sample(Fixture *f, uint32_t variable, PsQuality quality, PsValue value) {
    PsSample one = {.variable = variable, .quality = (uint8_t)quality, .value = value};
    PsSampleBatch batch = {
        .samples = &one, .sample_count = 1, .read_mono = f->now, .read_wall = {5 * PS_NS_PER_S}};
    ps_tag_table_apply(f->table, &batch);
    ps_uploader_report(f->uploader, 0, &batch, true);
}

static bool build(Fixture *f) {
    return ps_uploader_build(f->uploader, f->table, f->now, (PsWall){9 * PS_NS_PER_S}, f->room,
                             &f->upload);
}

static void items_stand_by_device_without_write_only(void **state) {
    Fixture *f = *state;
    sample(f, 0, PS_QUALITY_GOOD, ps_value_int(7));
    sample(f, 2, PS_QUALITY_GOOD, ps_value_text("x", 1));
    assert_true(build(f));
    assert_int_equal(f->upload.item_count, 3);
    assert_int_equal(f->upload.items[0].variable, 1);
    assert_int_equal(f->upload.items[1].variable, 0);
    assert_int_equal(f->upload.items[2].variable, 2);
    assert_false(f->upload.items[0].good); // never read
    assert_int_equal(f->upload.items[0].value.kind, PS_VALUE_NONE);
    assert_true(ps_value_equal(f->upload.items[1].value, ps_value_int(7)));
    assert_int_equal(f->upload.collected.ns, 5 * PS_NS_PER_S);
}

static void onchange_is_sent_only_when_value_or_status_changed(void **state) {
    Fixture *f = *state;
    assert_true(build(f));
    assert_int_equal(f->upload.item_count, 2); // never good: nothing to tell
    sample(f, 2, PS_QUALITY_GOOD, ps_value_text("ab", 2));
    assert_true(build(f));
    assert_int_equal(f->upload.item_count, 3);
    assert_true(build(f));
    assert_int_equal(f->upload.item_count, 2);
    sample(f, 2, PS_QUALITY_GOOD, ps_value_text("abc", 3));
    build(f);
    assert_int_equal(f->upload.item_count, 3);
    sample(f, 2, PS_QUALITY_AWAY, ps_value_none());
    build(f);
    assert_int_equal(f->upload.item_count, 3);
    assert_false(f->upload.items[2].good);
    assert_int_equal(f->upload.items[2].value.kind, PS_VALUE_NONE);
    sample(f, 2, PS_QUALITY_GOOD, ps_value_text("abc", 3)); // the same value, but back
    build(f);
    assert_int_equal(f->upload.item_count, 3);
}

static void old_values_are_never_passed_off_as_fresh(void **state) {
    Fixture *f = *state;
    sample(f, 1, PS_QUALITY_GOOD, ps_value_int(7));
    f->now = ps_mono_add_ns(f->now, 3 * PS_NS_PER_S); // two intervals and the timeout
    build(f);
    assert_true(f->upload.items[0].good);
    f->now = ps_mono_add_ns(f->now, 1);
    build(f);
    assert_false(f->upload.items[0].good);
    assert_int_equal(f->upload.items[0].value.kind, PS_VALUE_NONE);
}

static void a_group_without_variables_has_no_uploader(void **state) {
    (void)state;
    assert_null(ps_uploader_new(&config, 1, 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

// What was told is not told again, though every variable has another number.
static void what_was_sent_stays_sent_in_another_configuration(void **state) {
    Fixture *f = *state;
    sample(f, 0, PS_QUALITY_GOOD, ps_value_int(7));
    sample(f, 2, PS_QUALITY_GOOD, ps_value_text("wxyz", 4));
    assert_true(build(f));
    PsVariable changed[] = {variables[2], variables[0]};
    const PsConfig after = {.devices = devices,
                            .device_count = 2,
                            .groups = groups,
                            .group_count = 2,
                            .variables = changed,
                            .variable_count = 2};
    PsConfigMap *map = ps_config_map_new(&config, &after);
    PsUploader *uploader = ps_uploader_new(&after, 0, 1);
    ps_uploader_follow(uploader, f->uploader, map, f->now);
    ps_tag_table_apply_config(f->table, &after, map);
    ps_config_map_free(map);
    ps_uploader_free(f->uploader);
    f->uploader = uploader;
    assert_true(build(f));
    assert_int_equal(f->upload.item_count, 1);
    assert_int_equal(f->upload.items[0].variable, 1);
    sample(f, 0, PS_QUALITY_GOOD, ps_value_text("wx", 2));
    assert_true(build(f));
    assert_int_equal(f->upload.item_count, 2);
}

// Judged by the time of its reading, not by that of a main thread that is late; and what changed is
// in the sample in which it did.
static void a_sample_is_as_of_its_reading(void **state) {
    Fixture *f = *state;
    groups[0].every_sample = true;
    ps_uploader_free(f->uploader);
    f->uploader = ps_uploader_new(&config, 0, 1);
    groups[0].every_sample = false;
    ps_uploader_start(f->uploader, f->now, f->now);
    const PsSampling *sampling = ps_uploader_sampling(f->uploader);
    assert_false(ps_sampling_due(sampling, f->now));
    sample(f, 2, PS_QUALITY_GOOD, ps_value_text("x", 1));
    assert_true(ps_sampling_due(sampling, f->now));
    f->now = ps_mono_add_ns(f->now, 60 * PS_NS_PER_S);
    assert_true(build(f));
    assert_true(f->upload.item_count == 3 && f->upload.items[2].good);
    assert_int_equal(f->upload.collected.ns, 5 * PS_NS_PER_S);
    assert_false(ps_sampling_pending(sampling));
    sample(f, 2, PS_QUALITY_GOOD, ps_value_text("x", 1));
    assert_true(build(f));
    assert_int_equal(f->upload.item_count, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(items_stand_by_device_without_write_only),
        TEST(onchange_is_sent_only_when_value_or_status_changed),
        TEST(old_values_are_never_passed_off_as_fresh),
        TEST(a_group_without_variables_has_no_uploader),
        TEST(a_sample_is_as_of_its_reading),
        cmocka_unit_test_setup_teardown(what_was_sent_stays_sent_in_another_configuration, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
