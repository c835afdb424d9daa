// How long a revision is tried out, over restarts of the gateway and of the system. Times are made
// up; files are in a temporary folder.
#include "base/file.h"
#include "revision/probation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define S PS_NS_PER_S

static PsProbation five_minutes(void) {
    return (PsProbation){.number = 13,
                         .back = 12,
                         .length_ns = 300 * S,
                         .begun = {.boot_id = "a", .boot = {1000 * S}, .wall = {5000 * S}}};
}

static int64_t left_s(const PsProbation *probation, const char *boot_id, int64_t boot_s,
                      int64_t wall_s) {
    PsProbationClock now = {.boot = {boot_s * S}, .wall = {wall_s * S}};
    snprintf(now.boot_id, sizeof now.boot_id, "%s", boot_id);
    return ps_probation_left_ns(probation, &now) / S;
}

static void a_clock_that_is_set_changes_nothing(void **state) {
    PsProbation probation = five_minutes();
    assert_int_equal(left_s(&probation, "a", 1100, 5100), 200);
    assert_int_equal(left_s(&probation, "a", 1100, 900000), 200);
    assert_int_equal(left_s(&probation, "a", 1300, 0), 0);
}

static void over_a_restart_of_the_system_the_wall_clock_counts(void **state) {
    PsProbation probation = five_minutes();
    assert_int_equal(left_s(&probation, "b", 20, 5100), 200);
    assert_int_equal(left_s(&probation, "b", 20, 6000), 0);
    assert_int_equal(left_s(&probation, "b", 20, 10), 300); // not set yet
    probation.begun.boot_id[0] = '\0';
    assert_int_equal(left_s(&probation, "", 20, 5100), 200);
}

static void starts_in_a_row_end_it(void **state) {
    PsProbation probation = five_minutes();
    probation.starts = PS_PROBATION_STARTS_MAX - 1;
    assert_int_equal(left_s(&probation, "a", 1001, 5001), 299);
    probation.starts++;
    assert_int_equal(left_s(&probation, "a", 1001, 5001), 0);
}

static void it_is_kept_on_the_disk(void **state) {
    char folder[] = "/tmp/penstock-probation-XXXXXX";
    char path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/probation.json", folder);
    PsProbation probation = five_minutes();
    PsProbation read;
    ps_probation_load(folder, &read);
    assert_int_equal(read.number, 0);
    probation.healthy = true;
    probation.health = json_pack("{s:b}", "cloud", 1);
    snprintf(probation.who, sizeof probation.who, "anna");
    assert_int_equal(ps_probation_save(folder, &probation, NULL), PS_OK);
    ps_probation_load(folder, &read);
    assert_int_equal(read.number, 13);
    assert_int_equal(read.back, 12);
    assert_true(read.healthy);
    assert_string_equal(read.who, "anna");
    assert_true(json_equal(read.health, probation.health));
    assert_int_equal(left_s(&read, "a", 1100, 5100), 200);
    ps_probation_deinit(&read);
    ps_probation_deinit(&probation);
    assert_int_equal(ps_file_write(path, "{\"number\": 13}", 14, 0600, NULL), PS_OK);
    ps_probation_load(folder, &read);
    assert_int_equal(read.number, 0);
    ps_probation_clear(folder);
    assert_int_equal(rmdir(folder), 0);
}

static void the_clock_has_an_identity(void **state) {
    PsProbationClock a = ps_probation_now();
    PsProbationClock b = ps_probation_now();
    assert_string_equal(a.boot_id, b.boot_id);
    assert_true(b.boot.ns >= a.boot.ns);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_is_set_changes_nothing),
        cmocka_unit_test(over_a_restart_of_the_system_the_wall_clock_counts),
        cmocka_unit_test(starts_in_a_row_end_it),
        cmocka_unit_test(it_is_kept_on_the_disk),
        cmocka_unit_test(the_clock_has_an_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
