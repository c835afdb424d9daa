// Page tokens of lists come back as they were given, and foreign ones are refused.
#include "localcloud/rest/page.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_page_tokens_come_back(void **state) {
    (void)state;
    static const int64_t numbers[] = {1, 9, 10, 123456, INT64_MAX};
    for (size_t i = 0; i < PS_COUNT(numbers); i++) {
        char token[PS_PAGE_TOKEN_SIZE];
        int64_t number = 0;
        ps_page_token_put(numbers[i], token);
        assert_true(ps_page_token_read(token, &number));
        assert_int_equal(number, numbers[i]);
    }
    static const char *const foreign[] = {"", "x", "cDA=", "cC0x", "eDE=", "cDF4", "====", "c DE="};
    for (size_t i = 0; i < PS_COUNT(foreign); i++) {
        int64_t number = 0;
        assert_false(ps_page_token_read(foreign[i], &number));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page_tokens_come_back),
    };
    return cmocka_run_group_tests_name("rest page", tests, NULL, NULL);
}
