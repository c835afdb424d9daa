// Paths of CIP requests: what is one, and what it says.
#include "sim/cip_path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define LONGEST 40

typedef struct Good {
    const char *name;
    uint8_t bytes[LONGEST];
    size_t words;
    size_t count;             // of segments
    PsSimCipSegmentKind kind; // of the last one
    uint32_t value;
} Good;

static const Good good[] = {
    {"nothing", {0}, 0, 0, PS_SIM_CIP_CLASS, 0},
    {"class and instance", {0x20, 6, 0x24, 1}, 2, 2, PS_SIM_CIP_INSTANCE, 1},
    {"16 bits", {0x21, 0, 0x34, 0x12}, 2, 1, PS_SIM_CIP_CLASS, 0x1234},
    {"32 bits", {0x2A, 0, 1, 2, 3, 4}, 3, 1, PS_SIM_CIP_ELEMENT, 0x04030201},
    {"attribute", {0x20, 1, 0x24, 1, 0x30, 7}, 3, 3, PS_SIM_CIP_ATTRIBUTE, 7},
    {"port", {1, 3}, 1, 1, PS_SIM_CIP_PORT, 1},
    {"port with an address",
     {0x12, 9, '1', '0', '.', '0', '.', '0', '.', '1', '1', 0},
     6,
     1,
     PS_SIM_CIP_PORT,
     2},
    {"high port", {0x0F, 0x20, 1, 5}, 2, 1, PS_SIM_CIP_PORT, 0x120},
    {"key, then class", {0x34, 4, 1, 2, 3, 4, 5, 6, 7, 8, 0x20, 2}, 6, 1, PS_SIM_CIP_CLASS, 2},
    {"name", {0x91, 4, 'N', 'a', 'm', 'e'}, 3, 1, PS_SIM_CIP_SYMBOL, 0},
    {"odd name and index", {0x91, 3, 'O', 'd', 'd', 0, 0x28, 9}, 4, 2, PS_SIM_CIP_ELEMENT, 9},
};

static void test_good_ones(void **state) {
    (void)state;
    for (size_t i = 0; i < PS_COUNT(good); i++) {
        PsSimCipPath path;
        PsReader reader = ps_reader(good[i].bytes, LONGEST);
        if (!ps_sim_cip_path_decode(&reader, good[i].words, &path) || path.count != good[i].count ||
            reader.at != 2 * good[i].words) {
            fail_msg("%s: %zu segments", good[i].name, path.count);
        }
        if (path.count > 0) {
            assert_true(ps_sim_cip_path_is(&path, path.count - 1, good[i].kind));
            assert_int_equal(path.segments[path.count - 1].value, good[i].value);
        }
        assert_false(ps_sim_cip_path_is(&path, path.count, good[i].kind));
    }
}

static void test_links(void **state) {
    (void)state;
    const uint8_t number[] = {1, 3};
    const uint8_t text[] = {0x12, 2, '1', '2'};
    PsSimCipPath path;
    PsReader reader = ps_reader(number, sizeof number);
    assert_true(ps_sim_cip_path_decode(&reader, 1, &path));
    assert_int_equal(path.segments[0].link, 3);
    reader = ps_reader(text, sizeof text);
    assert_true(ps_sim_cip_path_decode(&reader, 2, &path));
    assert_int_equal(path.segments[0].link, UINT32_MAX);
}

typedef struct Bad {
    const char *name;
    uint8_t bytes[LONGEST];
    size_t words;
    size_t have;
} Bad;

static const Bad bad[] = {
    {"longer than what came", {0x20, 6}, 2, 2},
    {"name longer than the path", {0x91, 9, 'N', 'a'}, 2, 4},
    {"name of nothing", {0x91, 0}, 1, 2},
    {"number cut off", {0x26, 0, 1, 2}, 2, 4},
    {"reserved width", {0x23, 0}, 1, 2},
    {"connection point", {0x2C, 1}, 1, 2},
    {"data segment", {0x80, 1, 2, 3}, 2, 4},
    {"key cut off", {0x34, 4}, 1, 2},
    {"port cut off", {0x1F, 200}, 1, 2},
    {"too many", {0}, 17, 34},
};

static void test_bad_ones(void **state) {
    (void)state;
    for (size_t i = 0; i < PS_COUNT(bad); i++) {
        uint8_t bytes[LONGEST];
        memcpy(bytes, bad[i].bytes, sizeof bytes);
        for (size_t k = 0; bad[i].words > PS_SIM_CIP_SEGMENTS && k < 2 * bad[i].words; k++) {
            bytes[k] = k % 2 == 0 ? 0x28 : 0;
        }
        PsSimCipPath path;
        PsReader reader = ps_reader(bytes, bad[i].have);
        if (ps_sim_cip_path_decode(&reader, bad[i].words, &path)) {
            fail_msg("%s: taken", bad[i].name);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_ones),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_bad_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
