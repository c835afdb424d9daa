// Changes of the running configuration from order to switch, without a gateway.
#include "base/file.h"
#include "daemon/apply_test_rig.h"
#include "revision/probation.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S PS_NS_PER_S

static const char *applies(Rig *rig) {
    return apply_rig_does(rig, &(PsApiChange){.who = "anna", .why = "pump"});
}

static void until_switched(Rig *rig) {
    int before = rig->switches;
    while (rig->switches == before) {
        uv_run(&rig->loop, UV_RUN_ONCE);
    }
}

// --- changes ------------------------------------------------------------------------------------

static void the_folder_is_applied_once(void **state) {
    Rig *rig = *state;
    assert_string_equal(applies(rig), "unchanged");
    apply_rig_write(rig, 5);
    assert_string_equal(
        apply_rig_does(rig, &(PsApiChange){.who = "anna", .why = "", .dry_run = true}), "dry_run");
    assert_int_equal(rig->switches, 0);
    const json_t *changes = json_object_get(json_object_get(rig->answer, "difference"), "changes");
    assert_string_equal(json_string_value(json_object_get(json_array_get(changes, 0), "text")),
                        "device 'D': timeout 1 -> 5");
    assert_string_equal(applies(rig), "applied");
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(rig->answer, "restarted"), 0)),
        "channel of 'D'");
    apply_rig_assert_runs(rig, 5);
    assert_int_equal(apply_rig_number(rig), 2);
    assert_string_equal(applies(rig), "unchanged");
    assert_int_equal(rig->switches, 1);
}

static void mistakes_change_nothing(void **state) {
    Rig *rig = *state;
    char path[96];
    snprintf(path, sizeof path, "%s/" PS_CONFIG_FILE, rig->config);
    assert_int_equal(ps_file_write(path, "{\"version\": 1,\n]", 16, 0644, NULL), PS_OK);
    assert_string_equal(applies(rig), "refused");
    const json_t *finding = json_array_get(json_object_get(rig->answer, "findings"), 0);
    assert_string_equal(json_string_value(json_object_get(finding, "object")), "line 2, column 1");
    assert_int_equal(rig->switches, 0);
    assert_int_equal(apply_rig_number(rig), 1);
}

static void an_upload_is_installed(void **state) {
    Rig *rig = *state;
    const PsApiChanges *changes = ps_apply_changes(rig->apply);
    const char *const pieces[] = {
        "{\"files\": {\"penstock.json\": \"{\\\"version\\\": 1, \\\"devices\\\": [",
        "{\\\"device_name\\\": \\\"D\\\", \\\"protocol\\\": \\\"ModbusTCP\\\", \\\"ip\\\": "
        "\\\"127.0.0.1\\\", \\\"timeout\\\": 7}]}\"}}"};
    uint64_t id = 0;
    for (size_t i = 0; i < PS_COUNT(pieces); i++) {
        assert_int_equal(changes->upload(id, "anna", pieces[i], strlen(pieces[i]), &id,
                                         changes->ctx, &rig->diag),
                         PS_OK);
    }
    assert_int_equal(apply_rig_ask(rig, &(PsApiChange){.who = "bert", .why = "", .upload = id}),
                     PS_ERR_NOT_FOUND);
    assert_string_equal(apply_rig_does(rig, &(PsApiChange){.who = "anna", .why = "", .upload = id}),
                        "applied");
    apply_rig_assert_runs(rig, 7);
    assert_int_equal(apply_rig_ask(rig, &(PsApiChange){.who = "anna", .why = "", .upload = id}),
                     PS_ERR_NOT_FOUND);
}

static void an_upload_stays_in_the_folder(void **state) {
    Rig *rig = *state;
    const PsApiChanges *changes = ps_apply_changes(rig->apply);
    const char *text = "{\"files\": {\"penstock.json\": \"{}\", \"scripts/../../x\": \"\"}}";
    uint64_t id = 0;
    assert_int_equal(changes->upload(0, "anna", text, strlen(text), &id, changes->ctx, &rig->diag),
                     PS_OK);
    assert_int_equal(apply_rig_ask(rig, &(PsApiChange){.who = "anna", .why = "", .upload = id}),
                     PS_OK);
    apply_rig_wait(rig);
    assert_int_equal(rig->result, PS_ERR_INVALID);
    assert_string_equal(rig->diag.field, "scripts/../../x");
}

static void two_writers_are_told_of_each_other(void **state) {
    Rig *rig = *state;
    apply_rig_write(rig, 5);
    assert_int_equal(apply_rig_ask(rig, &(PsApiChange){.who = "anna", .why = ""}), PS_OK);
    PsDiag diag = {0};
    const PsApiChanges *changes = ps_apply_changes(rig->apply);
    json_t *progress = changes->progress(changes->ctx);
    assert_true(json_is_true(json_object_get(progress, "busy")));
    assert_string_equal(json_string_value(json_object_get(progress, "who")), "anna");
    json_decref(progress);
    assert_int_equal(changes->change(&(PsApiChange){.who = "bert", .why = ""}, apply_rig_done, rig,
                                     changes->ctx, &diag),
                     PS_ERR_BUSY);
    assert_non_null(strstr(diag.text, "anna is changing the configuration since"));
    apply_rig_wait(rig);
    apply_rig_write(rig, 6);
    assert_int_equal(apply_rig_ask(rig, &(PsApiChange){.who = "bert", .why = "", .base = 1}),
                     PS_OK);
    apply_rig_wait(rig);
    assert_int_equal(rig->result, PS_ERR_BUSY);
    assert_non_null(strstr(rig->diag.text, "starts from revision 1, but revision 2 runs since"));
    assert_non_null(strstr(rig->diag.text, "by anna (1 device changed)"));
    assert_string_equal(apply_rig_does(rig, &(PsApiChange){.who = "bert", .why = "", .base = 2}),
                        "applied");
}

static void reverting_brings_an_earlier_one_back(void **state) {
    Rig *rig = *state;
    const PsApiChange back = {.who = "bert", .why = "", .revert = true};
    assert_int_equal(apply_rig_ask(rig, &back), PS_ERR_NOT_FOUND);
    for (int timeout = 2; timeout <= 3; timeout++) {
        apply_rig_write(rig, timeout);
        assert_string_equal(applies(rig), "applied");
    }
    assert_string_equal(apply_rig_does(rig, &back), "applied");
    apply_rig_assert_runs(rig, 2);
    assert_string_equal(
        apply_rig_does(rig, &(PsApiChange){.who = "bert", .why = "", .revert = true, .of = 1}),
        "applied");
    apply_rig_assert_runs(rig, 1);
    const json_t *revision = json_object_get(rig->answer, "revision");
    assert_int_equal(json_integer_value(json_object_get(revision, "of")), 1);
    assert_string_equal(json_string_value(json_object_get(revision, "kind")), "revert");
    assert_int_equal(apply_rig_number(rig), 5);
    assert_int_equal(
        apply_rig_ask(rig, &(PsApiChange){.who = "b", .why = "", .revert = true, .of = 99}), PS_OK);
    apply_rig_wait(rig);
    assert_int_equal(rig->result, PS_ERR_NOT_FOUND);
}

static void a_hangup_applies_the_folder(void **state) {
    Rig *rig = *state;
    apply_rig_write(rig, 5);
    raise(SIGHUP);
    until_switched(rig);
    apply_rig_assert_runs(rig, 5);
}

static void a_kept_revision_says_what_it_changed(void **state) {
    Rig *rig = *state;
    apply_rig_write(rig, 5);
    assert_string_equal(applies(rig), "applied");
    const PsApiChanges *changes = ps_apply_changes(rig->apply);
    rig->answered = false;
    assert_int_equal(changes->revision(2, apply_rig_done, rig, changes->ctx, &rig->diag), PS_OK);
    apply_rig_wait(rig);
    assert_string_equal(json_string_value(json_object_get(rig->answer, "why")), "pump");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(rig->answer, "difference"), "summary")),
        "1 device changed");
    assert_int_equal(changes->revision(9, apply_rig_done, rig, changes->ctx, &rig->diag),
                     PS_ERR_NOT_FOUND);
}

// --- trying one out -----------------------------------------------------------------------------

static const char *tries(Rig *rig, bool healthy) {
    apply_rig_write(rig, 5);
    return apply_rig_does(rig, &(PsApiChange){.who = "anna",
                                              .why = "",
                                              .confirm_s = healthy ? 0 : 300,
                                              .healthy_s = healthy ? 300 : 0});
}

// As if the five minutes were over but for a moment, and the gateway had been started anew.
static void let_time_pass(Rig *rig) {
    char folder[96];
    snprintf(folder, sizeof folder, "%s/revisions", rig->state);
    apply_rig_stop(rig);
    PsProbation probation;
    ps_probation_load(folder, &probation);
    assert_int_equal(probation.number, 2);
    probation.begun.boot.ns = ps_boot_now().ns - 300 * S + S;
    assert_int_equal(ps_probation_save(folder, &probation, NULL), PS_OK);
    ps_probation_deinit(&probation);
    apply_rig_start(rig);
}

static void what_nobody_confirms_goes(void **state) {
    Rig *rig = *state;
    assert_string_equal(tries(rig, false), "applied");
    apply_rig_assert_runs(rig, 5);
    apply_rig_write(rig, 6);
    assert_int_equal(apply_rig_ask(rig, &(PsApiChange){.who = "bert", .why = ""}), PS_ERR_BUSY);
    assert_non_null(strstr(rig->diag.text, "revision 2 by anna is being tried out"));
    apply_rig_write(rig, 5);
    let_time_pass(rig);
    until_switched(rig);
    apply_rig_assert_runs(rig, 1);
    const PsApiChanges *changes = ps_apply_changes(rig->apply);
    json_t *json = changes->running(changes->ctx);
    assert_string_equal(json_string_value(json_object_get(json, "kind")), "automatic revert");
    assert_string_equal(json_string_value(json_object_get(json, "why")),
                        "revision 2 was not confirmed in time");
    assert_true(json_is_null(json_object_get(json, "probation")));
    json_decref(json);
}

static void what_is_confirmed_stays(void **state) {
    Rig *rig = *state;
    const PsApiChanges *changes = ps_apply_changes(rig->apply);
    assert_int_equal(changes->confirm("anna", apply_rig_done, rig, changes->ctx, &rig->diag),
                     PS_ERR_NOT_FOUND);
    assert_string_equal(tries(rig, false), "applied");
    rig->answered = false;
    assert_int_equal(changes->confirm("bert", apply_rig_done, rig, changes->ctx, &rig->diag),
                     PS_OK);
    apply_rig_wait(rig);
    assert_string_equal(json_string_value(json_object_get(rig->answer, "result")), "confirmed");
    apply_rig_stop(rig);
    apply_rig_start(rig);
    apply_rig_assert_runs(rig, 5);
    assert_int_equal(apply_rig_number(rig), 2);
}

static void reverting_ends_the_trial(void **state) {
    Rig *rig = *state;
    assert_string_equal(tries(rig, false), "applied");
    assert_string_equal(
        apply_rig_does(rig, &(PsApiChange){.who = "bert", .why = "", .revert = true}), "applied");
    apply_rig_assert_runs(rig, 1);
    apply_rig_write(rig, 8);
    assert_string_equal(applies(rig), "applied");
}

static void what_is_over_while_the_gateway_stands_still_goes_at_the_start(void **state) {
    Rig *rig = *state;
    char folder[96];
    snprintf(folder, sizeof folder, "%s/revisions", rig->state);
    assert_string_equal(tries(rig, false), "applied");
    apply_rig_stop(rig);
    PsProbation probation;
    ps_probation_load(folder, &probation);
    probation.begun.boot.ns = ps_boot_now().ns - 301 * S;
    assert_int_equal(ps_probation_save(folder, &probation, NULL), PS_OK);
    ps_probation_deinit(&probation);
    apply_rig_start(rig);
    apply_rig_assert_runs(rig, 1);
    assert_int_equal(apply_rig_number(rig), 3);
}

static void several_starts_end_the_trial(void **state) {
    Rig *rig = *state;
    assert_string_equal(tries(rig, true), "applied");
    for (int i = 1; i < PS_PROBATION_STARTS_MAX; i++) {
        apply_rig_stop(rig);
        apply_rig_start(rig);
        apply_rig_assert_runs(rig, 5);
    }
    apply_rig_stop(rig);
    apply_rig_start(rig);
    apply_rig_assert_runs(rig, 1);
}

static void what_is_well_stays(void **state) {
    Rig *rig = *state;
    const PsApiChanges *changes = ps_apply_changes(rig->apply);
    assert_string_equal(tries(rig, true), "applied");
    let_time_pass(rig);
    changes = ps_apply_changes(rig->apply);
    for (bool over = false; !over;) {
        uv_run(&rig->loop, UV_RUN_ONCE);
        json_t *json = changes->running(changes->ctx);
        over = json_is_null(json_object_get(json, "probation"));
        json_decref(json);
    }
    apply_rig_assert_runs(rig, 5);
    assert_int_equal(apply_rig_number(rig), 2);
}

static void what_is_worse_goes(void **state) {
    Rig *rig = *state;
    assert_string_equal(tries(rig, true), "applied");
    json_decref(rig->health);
    rig->health = apply_rig_health(false, "D", "upload");
    let_time_pass(rig);
    until_switched(rig);
    apply_rig_assert_runs(rig, 1);
    const PsApiChanges *changes = ps_apply_changes(rig->apply);
    json_t *json = changes->running(changes->ctx);
    assert_string_equal(json_string_value(json_object_get(json, "why")),
                        "with revision 2 the cloud connection is gone, device 'D' does not answer "
                        "any more, the script of 'upload' is held");
    json_decref(json);
}

// --- starting -----------------------------------------------------------------------------------

static void a_broken_folder_starts_with_the_last_good_one(void **state) {
    Rig *rig = *state;
    char path[96];
    snprintf(path, sizeof path, "%s/" PS_CONFIG_FILE, rig->config);
    apply_rig_stop(rig);
    assert_int_equal(ps_file_write(path, "{\"version\": 1,\n]", 16, 0644, NULL), PS_OK);
    apply_rig_start(rig);
    assert_int_equal((int)rig->running->devices[0].timeout, 1);
    const PsApiChanges *changes = ps_apply_changes(rig->apply);
    json_t *json = changes->running(changes->ctx);
    const char *problem = json_string_value(json_object_get(json, "problem"));
    assert_non_null(strstr(problem, "revision 1 runs, not what"));
    assert_non_null(strstr(problem, "line 2, column 1"));
    json_decref(json);
    PS_AUTO_BUF PsBuf bytes = {0};
    assert_int_equal(ps_file_read(path, 100, &bytes, NULL), PS_OK);
    assert_string_equal((const char *)bytes.data, "{\"version\": 1,\n]"); // untouched
    apply_rig_write(rig, 5);
    assert_string_equal(applies(rig), "applied");
    json = changes->running(changes->ctx);
    assert_string_equal(json_string_value(json_object_get(json, "problem")), "");
    json_decref(json);
}

static void what_was_edited_meanwhile_is_a_revision(void **state) {
    Rig *rig = *state;
    apply_rig_stop(rig);
    apply_rig_start(rig);
    assert_int_equal(apply_rig_number(rig), 1); // nothing changed
    apply_rig_stop(rig);
    apply_rig_write(rig, 5);
    apply_rig_start(rig);
    apply_rig_assert_runs(rig, 5);
    const PsApiChanges *changes = ps_apply_changes(rig->apply);
    json_t *json = changes->running(changes->ctx);
    assert_int_equal(json_integer_value(json_object_get(json, "number")), 2);
    assert_string_equal(json_string_value(json_object_get(json, "kind")), "start");
    assert_string_equal(json_string_value(json_object_get(json, "summary")), "1 device changed");
    json_decref(json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        APPLY_TEST(the_folder_is_applied_once),
        APPLY_TEST(mistakes_change_nothing),
        APPLY_TEST(an_upload_is_installed),
        APPLY_TEST(an_upload_stays_in_the_folder),
        APPLY_TEST(two_writers_are_told_of_each_other),
        APPLY_TEST(reverting_brings_an_earlier_one_back),
        APPLY_TEST(a_hangup_applies_the_folder),
        APPLY_TEST(a_kept_revision_says_what_it_changed),
        APPLY_TEST(what_nobody_confirms_goes),
        APPLY_TEST(what_is_confirmed_stays),
        APPLY_TEST(reverting_ends_the_trial),
        APPLY_TEST(what_is_over_while_the_gateway_stands_still_goes_at_the_start),
        APPLY_TEST(several_starts_end_the_trial),
        APPLY_TEST(what_is_well_stays),
        APPLY_TEST(what_is_worse_goes),
        APPLY_TEST(a_broken_folder_starts_with_the_last_good_one),
        APPLY_TEST(what_was_edited_meanwhile_is_a_revision),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
