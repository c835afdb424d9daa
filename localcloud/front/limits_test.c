// The tables of limits and reactions, and the meters.
#include "localcloud/front/bucket.h"
#include "localcloud/front/limits.h"
#include "localcloud/front/reactions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void test_limits_are_awss(void **state) {
    (void)state;
    PsLimits limits;
    ps_limits_init(&limits);
    assert_int_equal(limits.payload_bytes, 131072);
    assert_int_equal(limits.topic_bytes, 256);
    assert_int_equal(limits.topic_slashes, 7);
    assert_int_equal(limits.filters_per_subscribe, 8);
    assert_int_equal(limits.subscriptions, 50);
    assert_int_equal(limits.publishes_per_s, 100);
    assert_int_equal(limits.bytes_per_s, 524288);
    assert_int_equal(limits.keep_alive_min_s, 30);
    assert_int_equal(limits.keep_alive_max_s, 1200);
    assert_int_equal(limits.replay_per_s, 10);
    assert_int_equal(limits.unacked_out_s, 3600);
    assert_int_equal(limits.resend_out_s, 30);
    assert_int_equal(limits.shadow_bytes, 8192);
    assert_int_equal(limits.shadow_depth, 8);
    assert_int_equal(limits.shadow_requests_per_s, 20);
    assert_int_equal(limits.shadow_in_flight, 10);
    assert_int_equal(limits.job_document_bytes, 32768);
}

static void test_every_limit_can_be_set(void **state) {
    (void)state;
    size_t count = 0;
    const PsLimitOption *options = ps_limit_options(&count);
    assert_int_equal(count, sizeof(PsLimits) / sizeof(uint32_t));
    for (size_t i = 0; i < count; i++) {
        PsLimits limits;
        ps_limits_init(&limits);
        assert_in_range(options[i].initial, options[i].min, options[i].max);
        assert_int_equal(ps_limits_set(&limits, options[i].name, options[i].max, NULL), PS_OK);
        assert_int_equal(ps_limits_value(&limits, &options[i]), options[i].max);
        long long above = (long long)options[i].max + 1;
        assert_int_equal(ps_limits_set(&limits, options[i].name, above, NULL), PS_ERR_RANGE);
    }
}

static void test_limit_texts(void **state) {
    (void)state;
    PsLimits limits;
    PsDiag diag = {0};
    ps_limits_init(&limits);
    assert_int_equal(ps_limits_set_text(&limits, "subscriptions=2", &diag), PS_OK);
    assert_int_equal(limits.subscriptions, 2);
    assert_int_equal(ps_limits_set_text(&limits, "subscription=2", &diag), PS_ERR_NOT_FOUND);
    assert_non_null(strstr(diag.text, "'subscriptions'"));
    assert_int_equal(ps_limits_set_text(&limits, "subscriptions", &diag), PS_ERR_INVALID);
    assert_int_equal(ps_limits_set_text(&limits, "subscriptions=x", &diag), PS_ERR_INVALID);
}

static void test_reactions(void **state) {
    (void)state;
    PsReactions reactions;
    PsDiag diag = {0};
    ps_reactions_init(&reactions);
    assert_int_equal(reactions.of[PS_REACTION_QOS2], PS_REACT_SILENCE);
    assert_int_equal(reactions.of[PS_REACTION_SUBSCRIBE_DENIED], PS_REACT_ACK);
    assert_int_equal(reactions.of[PS_REACTION_UNKNOWN_RULE], PS_REACT_ACK);
    const PsReactionOption *options = ps_reaction_options();
    for (size_t i = 0; i < PS_REACTION_COUNT; i++) {
        assert_non_null(options[i].name);
        assert_true(options[i].value_count >= 2);
        for (size_t value = 0; value < options[i].value_count; value++) {
            const char *name = ps_react_name(options[i].values[value]);
            assert_int_equal(ps_reactions_set(&reactions, options[i].name, name, NULL), PS_OK);
            assert_int_equal(reactions.of[i], options[i].values[value]);
        }
    }
    assert_int_equal(ps_reactions_set_text(&reactions, "qos2=wait", &diag), PS_ERR_INVALID);
    assert_non_null(strstr(diag.text, "silence, close"));
    assert_int_equal(ps_reactions_set_text(&reactions, "qos_2=close", &diag), PS_ERR_NOT_FOUND);
    assert_int_equal(ps_reactions_set_text(&reactions, "qos2", &diag), PS_ERR_INVALID);
}

static PsMono at_ms(int64_t ms) {
    return (PsMono){(1000 + ms) * PS_NS_PER_MS};
}

static void test_meter_discards(void **state) {
    (void)state;
    PsBucket meter = {0};
    unsigned taken = 0;
    for (unsigned i = 0; i < 150; i++) {
        taken += ps_bucket_take(&meter, 100, 1, at_ms(0)) ? 1 : 0;
    }
    assert_int_equal(taken, 100);
    assert_false(ps_bucket_take(&meter, 100, 1, at_ms(9)));
    assert_true(ps_bucket_take(&meter, 100, 1, at_ms(10)));
    assert_false(ps_bucket_take(&meter, 100, 1, at_ms(10)));
    for (unsigned i = 0; i < 100; i++) {
        assert_true(ps_bucket_take(&meter, 100, 1, at_ms(2000)));
    }
    assert_true(ps_bucket_take(&meter, 0, 1, at_ms(2000))); // no limit
}

static void test_meter_delays(void **state) {
    (void)state;
    PsBucket meter = {0};
    assert_int_equal(ps_bucket_spend(&meter, 1000, 1000, at_ms(0)).ns, at_ms(0).ns);
    assert_int_equal(ps_bucket_spend(&meter, 1000, 500, at_ms(0)).ns, at_ms(500).ns);
    assert_int_equal(ps_bucket_spend(&meter, 1000, 500, at_ms(500)).ns, at_ms(1000).ns);
    assert_int_equal(ps_bucket_spend(&meter, 1000, 1, at_ms(5000)).ns, at_ms(5000).ns);
    assert_int_equal(ps_bucket_spend(&meter, 0, 100000, at_ms(0)).ns, at_ms(0).ns);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits_are_awss), cmocka_unit_test(test_every_limit_can_be_set),
        cmocka_unit_test(test_limit_texts),     cmocka_unit_test(test_reactions),
        cmocka_unit_test(test_meter_discards),  cmocka_unit_test(test_meter_delays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
