// What a batch does to the table.
#include "tags/tag_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static PsVariable variables[] = {
    {.name = "a", .data_type = PS_TYPE_WORD},
    {.name = "b", .data_type = PS_TYPE_STRING, .size = 4},
    {.name = "c", .data_type = PS_TYPE_STRING, .size = 2},
    {.name = "d", .data_type = PS_TYPE_WORD, .access = PS_ACCESS_WRITE},
};

static const PsConfig config = {.variables = variables, .variable_count = 4};

static void a_new_table_says_why_there_is_nothing(void **state) {
    (void)state;
    PsTagTable *table = ps_tag_table_new(&config);
    assert_int_equal(ps_tag_table_count(table), 4);
    assert_int_equal(ps_tag_table_get(table, 0)->quality, PS_QUALITY_NOT_READ);
    assert_int_equal(ps_tag_table_get(table, 3)->quality, PS_QUALITY_WRITE_ONLY);
    assert_int_equal(ps_tag_table_get(table, 0)->stamp.ns, 0);
    ps_tag_table_free(table);
}

static void good_samples_bring_value_and_stamp(void **state) {
    (void)state;
    PsTagTable *table = ps_tag_table_new(&config);
    PsSampleBatch *batch = ps_sample_batch_new(3, 6);
    batch->read_wall.ns = 100;
    batch->read_mono.ns = 7;
    ps_sample_batch_add(batch, 0, PS_QUALITY_GOOD, ps_value_int(5));
    ps_sample_batch_add(batch, 1, PS_QUALITY_GOOD, ps_value_text("wxyz", 4));
    ps_sample_batch_add(batch, 2, PS_QUALITY_GOOD, ps_value_text("uv", 2));
    ps_tag_table_apply(table, batch);
    memset(batch->text, '!', batch->text_capacity); // the table must have its own copy
    assert_true(ps_value_equal(ps_tag_table_get(table, 0)->value, ps_value_int(5)));
    assert_true(ps_value_equal(ps_tag_table_get(table, 1)->value, ps_value_text("wxyz", 4)));
    assert_true(ps_value_equal(ps_tag_table_get(table, 2)->value, ps_value_text("uv", 2)));
    assert_int_equal(ps_tag_table_get(table, 1)->stamp.ns, 100);
    assert_int_equal(ps_tag_table_get(table, 1)->read.ns, 7);
    ps_sample_batch_free(batch);
    ps_tag_table_free(table);
}

static void a_bad_sample_keeps_the_last_value_and_its_stamp(void **state) {
    (void)state;
    PsTagTable *table = ps_tag_table_new(&config);
    PsSampleBatch *batch = ps_sample_batch_new(1, 0);
    batch->read_wall.ns = 100;
    ps_sample_batch_add(batch, 0, PS_QUALITY_GOOD, ps_value_int(5));
    ps_tag_table_apply(table, batch);
    ps_sample_batch_clear(batch);
    batch->read_wall.ns = 200;
    ps_sample_batch_add(batch, 0, PS_QUALITY_AWAY, ps_value_none());
    ps_tag_table_apply(table, batch);
    const PsTag *tag = ps_tag_table_get(table, 0);
    assert_int_equal(tag->quality, PS_QUALITY_AWAY);
    assert_true(ps_value_equal(tag->value, ps_value_int(5)));
    assert_int_equal(tag->stamp.ns, 100);
    ps_sample_batch_free(batch);
    ps_tag_table_free(table);
}

static void a_changed_configuration_keeps_what_still_fits(void **state) {
    (void)state;
    PsTagTable *table = ps_tag_table_new(&config);
    PsSampleBatch *batch = ps_sample_batch_new(3, 6);
    batch->read_wall.ns = 100;
    ps_sample_batch_add(batch, 0, PS_QUALITY_GOOD, ps_value_int(5));
    ps_sample_batch_add(batch, 1, PS_QUALITY_GOOD, ps_value_text("wxyz", 4));
    ps_sample_batch_add(batch, 2, PS_QUALITY_GOOD, ps_value_text("uv", 2));
    ps_tag_table_apply(table, batch);
    ps_sample_batch_free(batch);
    PsVariable changed[] = {variables[2], variables[1], variables[3], variables[0], variables[0]};
    changed[1].size = 3; // too short for what is in it
    changed[3].data_type = PS_TYPE_INT;
    const PsConfig after = {.variables = changed, .variable_count = 5};
    uint32_t to_old[] = {2, 1, 3, 0, PS_NOT_THERE};
    PsConfigMap map = {.variables = {.new_count = 5, .to_old = to_old}};
    ps_tag_table_apply_config(table, &after, &map);
    assert_int_equal(ps_tag_table_count(table), 5);
    assert_true(ps_value_equal(ps_tag_table_get(table, 0)->value, ps_value_text("uv", 2)));
    assert_int_equal(ps_tag_table_get(table, 0)->stamp.ns, 100);
    assert_int_equal(ps_tag_table_get(table, 1)->quality, PS_QUALITY_NOT_READ);
    assert_int_equal(ps_tag_table_get(table, 2)->quality, PS_QUALITY_WRITE_ONLY);
    assert_int_equal(ps_tag_table_get(table, 3)->quality, PS_QUALITY_NOT_READ);
    assert_int_equal(ps_tag_table_get(table, 4)->quality, PS_QUALITY_NOT_READ);
    ps_tag_table_forget(table, 0);
    assert_int_equal(ps_tag_table_get(table, 0)->quality, PS_QUALITY_NOT_READ);
    ps_tag_table_free(table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_table_says_why_there_is_nothing),
        cmocka_unit_test(a_changed_configuration_keeps_what_still_fits),
        cmocka_unit_test(good_samples_bring_value_and_stamp),
        cmocka_unit_test(a_bad_sample_keeps_the_last_value_and_its_stamp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
