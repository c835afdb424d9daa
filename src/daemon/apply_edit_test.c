// Edits of what runs, from order to switch, without a gateway.
#include "base/buf.h"
#include "daemon/apply_test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static json_t *set_timeout(int timeout) {
    return json_pack("[{s:s, s:s, s:s, s:{s:i}}]", "op", "set", "block", "devices", "name", "D",
                     "value", "timeout", timeout);
}

static void edits_change_what_runs(void **state) {
    Rig *rig = *state;
    PsApiChange change = {.who = "anna", .why = "slow line", .base = 1, .edits = set_timeout(4)};
    assert_string_equal(apply_rig_does(rig, &change), "applied");
    apply_rig_assert_runs(rig, 4);
    assert_string_equal(
        apply_rig_does(rig, &(PsApiChange){.who = "a", .why = "", .edits = set_timeout(4)}),
        "unchanged");
    assert_string_equal(
        apply_rig_does(
            rig, &(PsApiChange){.who = "a", .why = "", .dry_run = true, .edits = set_timeout(5)}),
        "dry_run");
    apply_rig_assert_runs(rig, 4);
    assert_int_equal(apply_rig_number(rig), 2);
}

// What somebody is about to write into the folder is not what the edit is about.
static void edits_leave_out_what_was_not_applied(void **state) {
    Rig *rig = *state;
    apply_rig_write(rig, 9);
    json_t *edits = json_pack("[{s:s, s:s, s:s, s:{s:s}}]", "op", "set", "block", "devices", "name",
                              "D", "value", "ip", "127.0.0.2");
    assert_string_equal(
        apply_rig_does(rig, &(PsApiChange){.who = "anna", .why = "", .edits = edits}), "applied");
    apply_rig_assert_runs(rig, 1);
    assert_string_equal(rig->running->devices[0].ip, "127.0.0.2");
    char kept[128];
    snprintf(kept, sizeof kept, "%s/" PS_CONFIG_FILE ".edited-before-2", rig->config);
    assert_int_equal(access(kept, F_OK), 0);
}

static void edits_with_mistakes_change_nothing(void **state) {
    Rig *rig = *state;
    assert_string_equal(
        apply_rig_does(rig, &(PsApiChange){.who = "anna", .why = "", .edits = set_timeout(-1)}),
        "refused");
    const json_t *finding = json_array_get(json_object_get(rig->answer, "findings"), 0);
    assert_string_equal(json_string_value(json_object_get(finding, "object")), "device 'D'");
    assert_string_equal(json_string_value(json_object_get(finding, "field")), "timeout");
    json_t *edits =
        json_pack("[{s:s, s:s, s:s}]", "op", "delete", "block", "devices", "name", "Nobody");
    assert_int_equal(apply_rig_ask(rig, &(PsApiChange){.who = "anna", .why = "", .edits = edits}),
                     PS_OK);
    apply_rig_wait(rig);
    assert_int_equal(rig->result, PS_ERR_NOT_FOUND);
    assert_string_equal(rig->diag.object, "device 'Nobody'");
    assert_int_equal(rig->switches, 0);
    assert_int_equal(apply_rig_number(rig), 1);
}

static void edits_of_two_people_do_not_go_over_each_other(void **state) {
    Rig *rig = *state;
    const char *const writers[] = {"bert", "carla"};
    for (unsigned i = 0; i < PS_COUNT(writers); i++) {
        PsApiChange change = {
            .who = writers[i], .why = "", .base = i + 1, .edits = set_timeout((int)i + 2)};
        assert_string_equal(apply_rig_does(rig, &change), "applied");
    }
    PsApiChange late = {.who = "anna", .why = "", .base = 1, .edits = set_timeout(4)};
    assert_int_equal(apply_rig_ask(rig, &late), PS_OK);
    apply_rig_wait(rig);
    assert_int_equal(rig->result, PS_ERR_BUSY);
    assert_string_equal(rig->diag.field, "base");
    assert_non_null(strstr(rig->diag.text, "by carla (1 device changed); before it 2 by bert (1 "
                                           "device changed); look"));
    apply_rig_assert_runs(rig, 3);
}

static void only_who_may_changes_the_web_server(void **state) {
    Rig *rig = *state;
    for (int may = 0; may <= 1; may++) {
        json_t *edits =
            json_pack("[{s:s, s:s, s:{s:i}}]", "op", "set", "block", "web", "value", "port", 9444);
        PsApiChange change = {.who = "anna", .why = "", .edits = edits, .keep_web = may == 0};
        assert_int_equal(apply_rig_ask(rig, &change), PS_OK);
        apply_rig_wait(rig);
        assert_int_equal(rig->result, may == 0 ? PS_ERR_DENIED : PS_OK);
    }
    assert_int_equal(rig->running->web.port, 9444);
    PsApiChange back = {.who = "anna", .why = "", .revert = true, .keep_web = true};
    assert_int_equal(apply_rig_ask(rig, &back), PS_OK);
    apply_rig_wait(rig);
    assert_int_equal(rig->result, PS_ERR_DENIED);
    assert_string_equal(rig->diag.object, "web");
    PsApiChange other = {.who = "a", .why = "", .edits = set_timeout(3), .keep_web = true};
    assert_string_equal(apply_rig_does(rig, &other), "applied");
}

// Another timeout; 0 is refused.
static PsErr rewrite(const void *json, size_t len, PsBuf *out, PsFindings *findings, PsDiag *diag,
                     void *ctx) {
    const int *timeout = ctx;
    const char was[] = "\"timeout\": 1";
    if (*timeout == 0) {
        return ps_fail(PS_ERR_INVALID, diag, "rows", NULL, "are not taken");
    }
    const char *at = memmem(json, len, was, strlen(was));
    assert_non_null(at);
    size_t head = (size_t)(at - (const char *)json);
    ps_buf_put(out, json, head);
    ps_buf_printf(out, "\"timeout\": %d", *timeout);
    ps_buf_put(out, at + strlen(was), len - head - strlen(was));
    return PS_OK;
}

static void a_rewrite_is_a_change_like_any_other(void **state) {
    Rig *rig = *state;
    int timeout = 0;
    PsApiChange change = {.who = "anna", .why = "", .rewrite = rewrite, .rewrite_ctx = &timeout};
    assert_int_equal(apply_rig_ask(rig, &change), PS_OK);
    apply_rig_wait(rig);
    assert_int_equal(rig->result, PS_ERR_INVALID);
    assert_string_equal(rig->diag.object, "rows");
    timeout = 6;
    assert_string_equal(apply_rig_does(rig, &change), "applied");
    apply_rig_assert_runs(rig, 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        APPLY_TEST(edits_change_what_runs),
        APPLY_TEST(edits_leave_out_what_was_not_applied),
        APPLY_TEST(edits_with_mistakes_change_nothing),
        APPLY_TEST(edits_of_two_people_do_not_go_over_each_other),
        APPLY_TEST(only_who_may_changes_the_web_server),
        APPLY_TEST(a_rewrite_is_a_change_like_any_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
