// Elements of JSON arrays, and texts that are none.
#include "outbox/json_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void expect(const char *payload, const char *elements) {
    PsJsonList list;
    PsJsonList element;
    char found[256] = "";
    size_t len = 0;
    assert_true(ps_json_list_of(payload, strlen(payload), &list));
    while (ps_json_list_next(&list, &element)) {
        assert_true(element.len > 0);
        len += (size_t)snprintf(found + len, sizeof found - len, "%.*s|", (int)element.len,
                                element.text);
    }
    assert_string_equal(found, elements);
}

static void finds_the_elements(void **state) {
    expect("[]", "");
    expect(" [ ] ", "");
    expect("[1]", "1|");
    expect("[1,2, 3 ]\n", "1|2|3|");
    expect("[{\"a\": [1, 2]}, [3, {\"b\": 4}]]", "{\"a\": [1, 2]}|[3, {\"b\": 4}]|");
    expect("[\"a,b\", \"]\", \"\\\"\", \"\\\\\", \"\\\\\\\",\"]",
           "\"a,b\"|\"]\"|\"\\\"\"|\"\\\\\"|\"\\\\\\\",\"|");
    expect("[123456789012345678901234567890, 1.5e300, \"\\u0000\"]",
           "123456789012345678901234567890|1.5e300|\"\\u0000\"|");
}

static void a_value_is_its_own_element(void **state) {
    expect(" {\"a\": [1, 2]} ", "{\"a\": [1, 2]}|");
    expect("12", "12|");
    expect("\"a, b\"", "\"a, b\"|");
    expect("null", "null|");
}

static void other_texts_are_no_lists(void **state) {
    static const char *const texts[] = {
        "",     " ",   "[",    "[1,]", "[1 2]",    "[1]]",       "a",      "1,2",    "{\"a\"}",
        "[\"]", "\"a", "[1],", "\xff", "\"\xff\"", "[\"\x01\"]", "[1][2]", "b'[1]'", "NaN"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        PsJsonList list = {.text = "untouched"};
        assert_false(ps_json_list_of(texts[i], strlen(texts[i]), &list));
        assert_string_equal(list.text, "untouched");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_elements),
        cmocka_unit_test(a_value_is_its_own_element),
        cmocka_unit_test(other_texts_are_no_lists),
    };
    return cmocka_run_group_tests_name("json_list", tests, NULL, NULL);
}
