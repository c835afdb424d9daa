// The message that ends connections is found; none is blamed that was acknowledged.
#include "daemon/suspects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void two_in_a_row_is_one_too_many(void **state) {
    PsSuspects suspects = {0};
    assert_false(ps_suspects_one_by_one(&suspects));
    assert_true(ps_suspects_cut(&suspects, 1, 7) == 0);
    assert_true(ps_suspects_one_by_one(&suspects));
    assert_true(ps_suspects_cut(&suspects, 1, 7) == 7);
    assert_false(ps_suspects_one_by_one(&suspects));
    assert_true(ps_suspects_cut(&suspects, 1, 7) == 0); // counts from the beginning
}

static void among_many_it_is_found_one_by_one(void **state) {
    PsSuspects suspects = {0};
    assert_true(ps_suspects_cut(&suspects, 20, 0) == 0);
    for (uint64_t id = 1; id <= 9; id++) {
        assert_true(ps_suspects_one_by_one(&suspects));
        ps_suspects_acknowledged(&suspects, id);
    }
    assert_true(ps_suspects_cut(&suspects, 1, 10) == 0);
    assert_true(ps_suspects_one_by_one(&suspects));
    assert_true(ps_suspects_cut(&suspects, 1, 10) == 10);
    for (uint64_t id = 11; id <= 20; id++) {
        assert_true(ps_suspects_one_by_one(&suspects));
        ps_suspects_acknowledged(&suspects, id);
    }
    assert_false(ps_suspects_one_by_one(&suspects));
}

static void an_acknowledged_message_is_not_blamed(void **state) {
    PsSuspects suspects = {0};
    assert_true(ps_suspects_cut(&suspects, 1, 7) == 0);
    ps_suspects_acknowledged(&suspects, 7);
    assert_false(ps_suspects_one_by_one(&suspects));
    assert_true(ps_suspects_cut(&suspects, 1, 8) == 0);
    assert_true(ps_suspects_cut(&suspects, 1, 9) == 0); // another each time: the server is ill
    assert_true(ps_suspects_cut(&suspects, 1, 8) == 0);
}

static void an_idle_end_blames_nobody(void **state) {
    PsSuspects suspects = {0};
    for (int i = 0; i < 5; i++) {
        assert_true(ps_suspects_cut(&suspects, 0, 0) == 0);
    }
    assert_false(ps_suspects_one_by_one(&suspects));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_in_a_row_is_one_too_many),
        cmocka_unit_test(among_many_it_is_found_one_by_one),
        cmocka_unit_test(an_acknowledged_message_is_not_blamed),
        cmocka_unit_test(an_idle_end_blames_nobody),
    };
    return cmocka_run_group_tests_name("suspects", tests, NULL, NULL);
}
