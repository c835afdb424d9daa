// Answers with whole numbers that the JSON library cannot hold.
#include "cli/wide_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void large_numbers_are_reals(void **state) {
    (void)state;
    const char *text = "{\"v\": 18446744073709551615, \"s\": \"18446744073709551615, \\\" 9\","
                       " \"i\": -9223372036854775808, \"f\": 0.12345678901234567890,"
                       " \"e\": 1e2, \"a\": [9223372036854775807, 9223372036854775808]}";
    json_t *json = cli_json_load(text, strlen(text));
    assert_non_null(json);
    assert_true(json_real_value(json_object_get(json, "v")) == 18446744073709551615.0);
    assert_string_equal(json_string_value(json_object_get(json, "s")),
                        "18446744073709551615, \" 9");
    assert_true(json_integer_value(json_object_get(json, "i")) == INT64_MIN);
    assert_true(json_real_value(json_object_get(json, "e")) == 100);
    const json_t *array = json_object_get(json, "a");
    assert_true(json_integer_value(json_array_get(array, 0)) == INT64_MAX);
    assert_true(json_is_real(json_array_get(array, 1)));
    json_decref(json);
}

static void what_is_no_json_stays_so(void **state) {
    (void)state;
    static const char *const wrong[] = {"",      "{",    "{\"a\": \"",
                                        "[1 2]", "\"\\", "1844674407370955161599"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        json_t *json = cli_json_load(wrong[i], strlen(wrong[i]));
        assert_null(json);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_numbers_are_reals),
        cmocka_unit_test(what_is_no_json_stays_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
