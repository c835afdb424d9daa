// Replaced configurations: freed from the loop, not before the last holder has let go.
#include "daemon/retired.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static PsConfig *new_config(void) {
    static const char text[] = "{\"version\": 1}";
    PsFindings findings = {0};
    PsConfig *config = NULL;
    assert_int_equal(ps_config_parse("/tmp", text, sizeof text - 1, NULL, &findings, &config),
                     PS_OK);
    ps_findings_deinit(&findings);
    return config;
}

// The sanitizer tells when one is freed too early, twice or never.
static void is_freed_when_nobody_holds_it(void **state) {
    uv_loop_t loop;
    uv_loop_init(&loop);
    PsRetired *retired = ps_retired_new(&loop);
    PsConfig *first = new_config();
    PsConfig *second = new_config();
    PsConfigHold *trial = ps_retired_hold(retired, first);
    PsConfigHold *canary = ps_retired_hold(retired, first);
    assert_ptr_equal(trial, canary);
    ps_retired_put(retired, first);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_string_equal(first->folder, "/tmp");
    ps_retired_release(trial);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_string_equal(first->folder, "/tmp");
    ps_retired_release(canary);
    assert_string_equal(first->folder, "/tmp"); // until the loop has its turn
    uv_run(&loop, UV_RUN_DEFAULT);
    PsConfigHold *last = ps_retired_hold(retired, second);
    ps_retired_release(ps_retired_hold(retired, second)); // the present one: not ours to free
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_string_equal(second->folder, "/tmp");
    ps_retired_put(retired, second);
    ps_retired_close(retired);
    ps_retired_release(last); // a call may end after the loop's last handle
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    ps_retired_free(retired);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_freed_when_nobody_holds_it),
    };
    return cmocka_run_group_tests_name("retired", tests, NULL, NULL);
}
