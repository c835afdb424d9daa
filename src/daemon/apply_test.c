// Changes of the running configuration from order to switch, without a gateway: what runs is what
// the hook was given last. In a temporary folder each, on a loop of its own.
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/apply.h"
#include "revision/probation.h"

#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define S PS_NS_PER_S

typedef struct Rig {
    char root[40];
    char config[64];
    char state[64];
    uv_loop_t loop;
    PsStartConfig start;
    PsConfig *running; // as switched to
    int switches;
    json_t *health; // now
    PsApply *apply;
    // The newest answer.
    bool answered;
    PsErr result;
    PsDiag diag;
    json_t *answer;
} Rig;

// --- the rig ------------------------------------------------------------------------------------

static void write_config(const Rig *rig, int timeout) {
    char path[96];
    char text[256];
    snprintf(path, sizeof path, "%s/" PS_CONFIG_FILE, rig->config);
    int len = snprintf(text, sizeof text,
                       "{\"version\": 1, \"devices\": [{\"device_name\": \"D\", \"protocol\": "
                       "\"ModbusTCP\", \"ip\": \"127.0.0.1\", \"timeout\": %d}]}",
                       timeout);
    assert_int_equal(ps_file_write(path, text, (size_t)len, 0644, NULL), PS_OK);
}

static void switch_to(PsConfig *config, PsBuf *restarted, void *ctx) {
    Rig *rig = ctx;
    ps_config_free(rig->running);
    rig->running = config;
    rig->switches++;
    ps_buf_printf(restarted, "channel of 'D'\n");
}

static json_t *look_at_health(void *ctx) {
    Rig *rig = ctx;
    return json_incref(rig->health);
}

static json_t *health(bool cloud, const char *device, const char *held) {
    return json_pack("{s:b, s:[s], s:[s], s:[s*]}", "cloud", (int)cloud, "answering",
                     device == NULL ? "D" : "-", "away", device == NULL ? "-" : device, "held",
                     held);
}

static void start(Rig *rig) {
    rig->start = (PsStartConfig){0};
    assert_int_equal(ps_start_config(rig->config, rig->state, "/nowhere", NULL, &rig->start),
                     PS_OK);
    PsApplySetup setup = {.loop = &rig->loop,
                          .start = &rig->start,
                          .script_program = "/nowhere",
                          .switch_to = switch_to,
                          .health = look_at_health,
                          .grace_ms = 1,
                          .ctx = rig};
    rig->apply = ps_apply_new(&setup);
    rig->running = rig->start.config;
}

static void stop(Rig *rig) {
    ps_apply_close(rig->apply);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    ps_apply_free(rig->apply);
    ps_config_free(rig->running);
    rig->running = NULL;
}

static int make_rig(void **state) {
    Rig *rig = ps_alloc(sizeof *rig);
    snprintf(rig->root, sizeof rig->root, "/tmp/penstock-apply-XXXXXX");
    if (mkdtemp(rig->root) == NULL) {
        return -1;
    }
    snprintf(rig->config, sizeof rig->config, "%s/config", rig->root);
    snprintf(rig->state, sizeof rig->state, "%s/state", rig->root);
    ps_log_set_fd(-1);
    assert_int_equal(ps_dir_make(rig->config, 0755, NULL), PS_OK);
    write_config(rig, 1);
    uv_loop_init(&rig->loop);
    rig->health = health(true, NULL, NULL);
    start(rig);
    *state = rig;
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw) {
    return remove(path);
}

static int remove_rig(void **state) {
    Rig *rig = *state;
    stop(rig);
    json_decref(rig->answer);
    json_decref(rig->health);
    int failure = uv_loop_close(&rig->loop);
    failure += nftw(rig->root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(rig);
    return failure;
}

static void on_done(PsErr result, const PsDiag *diag, json_t *answer, void *ctx) {
    Rig *rig = ctx;
    rig->answered = true;
    rig->result = result;
    rig->diag = *diag;
    json_decref(rig->answer);
    rig->answer = answer;
}

static PsErr ask(Rig *rig, const PsApiChange *change) {
    const PsApiChanges *changes = ps_apply_changes(rig->apply);
    rig->answered = false;
    return changes->change(change, on_done, rig, changes->ctx, &rig->diag);
}

static void wait_answer(Rig *rig) {
    while (!rig->answered) {
        uv_run(&rig->loop, UV_RUN_ONCE);
    }
}

static const char *does(Rig *rig, const PsApiChange *change) {
    PsErr err = ask(rig, change);
    assert_int_equal(err, PS_OK);
    wait_answer(rig);
    assert_int_equal(rig->result, PS_OK);
    return json_string_value(json_object_get(rig->answer, "result"));
}

static const char *applies(Rig *rig) {
    return does(rig, &(PsApiChange){.who = "anna", .why = "pump"});
}

static int folder_timeout(const Rig *rig) {
    PsFindings findings = {0};
    PsConfig *config = NULL;
    assert_int_equal(ps_config_load(rig->config, NULL, &findings, &config), PS_OK);
    int timeout = (int)config->devices[0].timeout;
    ps_config_free(config);
    ps_findings_deinit(&findings);
    return timeout;
}

static void assert_runs(const Rig *rig, int timeout) {
    assert_int_equal((int)rig->running->devices[0].timeout, timeout);
    assert_int_equal(folder_timeout(rig), timeout);
}

static uint32_t running_number(const Rig *rig) {
    const PsApiChanges *changes = ps_apply_changes(rig->apply);
    json_t *json = changes->running(changes->ctx);
    uint32_t number = (uint32_t)json_integer_value(json_object_get(json, "number"));
    json_decref(json);
    return number;
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
    write_config(rig, 5);
    assert_string_equal(does(rig, &(PsApiChange){.who = "anna", .why = "", .dry_run = true}),
                        "dry_run");
    assert_int_equal(rig->switches, 0);
    const json_t *changes = json_object_get(json_object_get(rig->answer, "difference"), "changes");
    assert_string_equal(json_string_value(json_object_get(json_array_get(changes, 0), "text")),
                        "device 'D': timeout 1 -> 5");
    assert_string_equal(applies(rig), "applied");
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(rig->answer, "restarted"), 0)),
        "channel of 'D'");
    assert_runs(rig, 5);
    assert_int_equal(running_number(rig), 2);
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
    assert_int_equal(running_number(rig), 1);
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
    assert_int_equal(ask(rig, &(PsApiChange){.who = "bert", .why = "", .upload = id}),
                     PS_ERR_NOT_FOUND);
    assert_string_equal(does(rig, &(PsApiChange){.who = "anna", .why = "", .upload = id}),
                        "applied");
    assert_runs(rig, 7);
    assert_int_equal(ask(rig, &(PsApiChange){.who = "anna", .why = "", .upload = id}),
                     PS_ERR_NOT_FOUND);
}

static void an_upload_stays_in_the_folder(void **state) {
    Rig *rig = *state;
    const PsApiChanges *changes = ps_apply_changes(rig->apply);
    const char *text = "{\"files\": {\"penstock.json\": \"{}\", \"scripts/../../x\": \"\"}}";
    uint64_t id = 0;
    assert_int_equal(changes->upload(0, "anna", text, strlen(text), &id, changes->ctx, &rig->diag),
                     PS_OK);
    assert_int_equal(ask(rig, &(PsApiChange){.who = "anna", .why = "", .upload = id}), PS_OK);
    wait_answer(rig);
    assert_int_equal(rig->result, PS_ERR_INVALID);
    assert_string_equal(rig->diag.field, "scripts/../../x");
}

static void two_writers_are_told_of_each_other(void **state) {
    Rig *rig = *state;
    write_config(rig, 5);
    assert_int_equal(ask(rig, &(PsApiChange){.who = "anna", .why = ""}), PS_OK);
    PsDiag diag = {0};
    const PsApiChanges *changes = ps_apply_changes(rig->apply);
    json_t *progress = changes->progress(changes->ctx);
    assert_true(json_is_true(json_object_get(progress, "busy")));
    assert_string_equal(json_string_value(json_object_get(progress, "who")), "anna");
    json_decref(progress);
    assert_int_equal(changes->change(&(PsApiChange){.who = "bert", .why = ""}, on_done, rig,
                                     changes->ctx, &diag),
                     PS_ERR_BUSY);
    assert_non_null(strstr(diag.text, "anna is changing the configuration since"));
    wait_answer(rig);
    write_config(rig, 6);
    assert_int_equal(ask(rig, &(PsApiChange){.who = "bert", .why = "", .base = 1}), PS_OK);
    wait_answer(rig);
    assert_int_equal(rig->result, PS_ERR_BUSY);
    assert_non_null(strstr(rig->diag.text, "starts from revision 1, but revision 2 runs since"));
    assert_non_null(strstr(rig->diag.text, "by anna (1 device changed)"));
    assert_string_equal(does(rig, &(PsApiChange){.who = "bert", .why = "", .base = 2}), "applied");
}

static void reverting_brings_an_earlier_one_back(void **state) {
    Rig *rig = *state;
    const PsApiChange back = {.who = "bert", .why = "", .revert = true};
    assert_int_equal(ask(rig, &back), PS_ERR_NOT_FOUND);
    for (int timeout = 2; timeout <= 3; timeout++) {
        write_config(rig, timeout);
        assert_string_equal(applies(rig), "applied");
    }
    assert_string_equal(does(rig, &back), "applied");
    assert_runs(rig, 2);
    assert_string_equal(
        does(rig, &(PsApiChange){.who = "bert", .why = "", .revert = true, .of = 1}), "applied");
    assert_runs(rig, 1);
    const json_t *revision = json_object_get(rig->answer, "revision");
    assert_int_equal(json_integer_value(json_object_get(revision, "of")), 1);
    assert_string_equal(json_string_value(json_object_get(revision, "kind")), "revert");
    assert_int_equal(running_number(rig), 5);
    assert_int_equal(ask(rig, &(PsApiChange){.who = "b", .why = "", .revert = true, .of = 99}),
                     PS_OK);
    wait_answer(rig);
    assert_int_equal(rig->result, PS_ERR_NOT_FOUND);
}

static void a_hangup_applies_the_folder(void **state) {
    Rig *rig = *state;
    write_config(rig, 5);
    raise(SIGHUP);
    until_switched(rig);
    assert_runs(rig, 5);
}

static void a_kept_revision_says_what_it_changed(void **state) {
    Rig *rig = *state;
    write_config(rig, 5);
    assert_string_equal(applies(rig), "applied");
    const PsApiChanges *changes = ps_apply_changes(rig->apply);
    rig->answered = false;
    assert_int_equal(changes->revision(2, on_done, rig, changes->ctx, &rig->diag), PS_OK);
    wait_answer(rig);
    assert_string_equal(json_string_value(json_object_get(rig->answer, "why")), "pump");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(rig->answer, "difference"), "summary")),
        "1 device changed");
    assert_int_equal(changes->revision(9, on_done, rig, changes->ctx, &rig->diag),
                     PS_ERR_NOT_FOUND);
}

// --- edits --------------------------------------------------------------------------------------

static json_t *set_timeout(int timeout) {
    return json_pack("[{s:s, s:s, s:s, s:{s:i}}]", "op", "set", "block", "devices", "name", "D",
                     "value", "timeout", timeout);
}

static void edits_change_what_runs(void **state) {
    Rig *rig = *state;
    PsApiChange change = {.who = "anna", .why = "slow line", .base = 1, .edits = set_timeout(4)};
    assert_string_equal(does(rig, &change), "applied");
    assert_runs(rig, 4);
    assert_string_equal(does(rig, &(PsApiChange){.who = "a", .why = "", .edits = set_timeout(4)}),
                        "unchanged");
    assert_string_equal(
        does(rig, &(PsApiChange){.who = "a", .why = "", .dry_run = true, .edits = set_timeout(5)}),
        "dry_run");
    assert_runs(rig, 4);
    assert_int_equal(running_number(rig), 2);
}

// What somebody is about to write into the folder is not what the edit is about.
static void edits_leave_out_what_was_not_applied(void **state) {
    Rig *rig = *state;
    write_config(rig, 9);
    json_t *edits = json_pack("[{s:s, s:s, s:s, s:{s:s}}]", "op", "set", "block", "devices", "name",
                              "D", "value", "ip", "127.0.0.2");
    assert_string_equal(does(rig, &(PsApiChange){.who = "anna", .why = "", .edits = edits}),
                        "applied");
    assert_runs(rig, 1);
    assert_string_equal(rig->running->devices[0].ip, "127.0.0.2");
    char kept[128];
    snprintf(kept, sizeof kept, "%s/" PS_CONFIG_FILE ".edited-before-2", rig->config);
    assert_int_equal(access(kept, F_OK), 0);
}

static void edits_with_mistakes_change_nothing(void **state) {
    Rig *rig = *state;
    assert_string_equal(
        does(rig, &(PsApiChange){.who = "anna", .why = "", .edits = set_timeout(-1)}), "refused");
    const json_t *finding = json_array_get(json_object_get(rig->answer, "findings"), 0);
    assert_string_equal(json_string_value(json_object_get(finding, "object")), "device 'D'");
    assert_string_equal(json_string_value(json_object_get(finding, "field")), "timeout");
    json_t *edits =
        json_pack("[{s:s, s:s, s:s}]", "op", "delete", "block", "devices", "name", "Nobody");
    assert_int_equal(ask(rig, &(PsApiChange){.who = "anna", .why = "", .edits = edits}), PS_OK);
    wait_answer(rig);
    assert_int_equal(rig->result, PS_ERR_NOT_FOUND);
    assert_string_equal(rig->diag.object, "device 'Nobody'");
    assert_int_equal(rig->switches, 0);
    assert_int_equal(running_number(rig), 1);
}

static void edits_of_two_people_do_not_go_over_each_other(void **state) {
    Rig *rig = *state;
    const char *const writers[] = {"bert", "carla"};
    for (unsigned i = 0; i < PS_COUNT(writers); i++) {
        PsApiChange change = {
            .who = writers[i], .why = "", .base = i + 1, .edits = set_timeout((int)i + 2)};
        assert_string_equal(does(rig, &change), "applied");
    }
    PsApiChange late = {.who = "anna", .why = "", .base = 1, .edits = set_timeout(4)};
    assert_int_equal(ask(rig, &late), PS_OK);
    wait_answer(rig);
    assert_int_equal(rig->result, PS_ERR_BUSY);
    assert_string_equal(rig->diag.field, "base");
    assert_non_null(strstr(rig->diag.text, "by carla (1 device changed); before it 2 by bert (1 "
                                           "device changed); look"));
    assert_runs(rig, 3);
}

static void only_who_may_changes_the_web_server(void **state) {
    Rig *rig = *state;
    for (int may = 0; may <= 1; may++) {
        json_t *edits =
            json_pack("[{s:s, s:s, s:{s:i}}]", "op", "set", "block", "web", "value", "port", 9444);
        PsApiChange change = {.who = "anna", .why = "", .edits = edits, .keep_web = may == 0};
        assert_int_equal(ask(rig, &change), PS_OK);
        wait_answer(rig);
        assert_int_equal(rig->result, may == 0 ? PS_ERR_DENIED : PS_OK);
    }
    assert_int_equal(rig->running->web.port, 9444);
    PsApiChange back = {.who = "anna", .why = "", .revert = true, .keep_web = true};
    assert_int_equal(ask(rig, &back), PS_OK);
    wait_answer(rig);
    assert_int_equal(rig->result, PS_ERR_DENIED);
    assert_string_equal(rig->diag.object, "web");
    PsApiChange other = {.who = "a", .why = "", .edits = set_timeout(3), .keep_web = true};
    assert_string_equal(does(rig, &other), "applied");
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
    assert_int_equal(ask(rig, &change), PS_OK);
    wait_answer(rig);
    assert_int_equal(rig->result, PS_ERR_INVALID);
    assert_string_equal(rig->diag.object, "rows");
    timeout = 6;
    assert_string_equal(does(rig, &change), "applied");
    assert_runs(rig, 6);
}

// --- trying one out -----------------------------------------------------------------------------

static const char *tries(Rig *rig, bool healthy) {
    write_config(rig, 5);
    return does(rig, &(PsApiChange){.who = "anna",
                                    .why = "",
                                    .confirm_s = healthy ? 0 : 300,
                                    .healthy_s = healthy ? 300 : 0});
}

// As if the five minutes were over but for a moment, and the gateway had been started anew.
static void let_time_pass(Rig *rig) {
    char folder[96];
    snprintf(folder, sizeof folder, "%s/revisions", rig->state);
    stop(rig);
    PsProbation probation;
    ps_probation_load(folder, &probation);
    assert_int_equal(probation.number, 2);
    probation.begun.boot.ns = ps_boot_now().ns - 300 * S + S;
    assert_int_equal(ps_probation_save(folder, &probation, NULL), PS_OK);
    ps_probation_deinit(&probation);
    start(rig);
}

static void what_nobody_confirms_goes(void **state) {
    Rig *rig = *state;
    assert_string_equal(tries(rig, false), "applied");
    assert_runs(rig, 5);
    write_config(rig, 6);
    assert_int_equal(ask(rig, &(PsApiChange){.who = "bert", .why = ""}), PS_ERR_BUSY);
    assert_non_null(strstr(rig->diag.text, "revision 2 by anna is being tried out"));
    write_config(rig, 5);
    let_time_pass(rig);
    until_switched(rig);
    assert_runs(rig, 1);
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
    assert_int_equal(changes->confirm("anna", on_done, rig, changes->ctx, &rig->diag),
                     PS_ERR_NOT_FOUND);
    assert_string_equal(tries(rig, false), "applied");
    rig->answered = false;
    assert_int_equal(changes->confirm("bert", on_done, rig, changes->ctx, &rig->diag), PS_OK);
    wait_answer(rig);
    assert_string_equal(json_string_value(json_object_get(rig->answer, "result")), "confirmed");
    stop(rig);
    start(rig);
    assert_runs(rig, 5);
    assert_int_equal(running_number(rig), 2);
}

static void reverting_ends_the_trial(void **state) {
    Rig *rig = *state;
    assert_string_equal(tries(rig, false), "applied");
    assert_string_equal(does(rig, &(PsApiChange){.who = "bert", .why = "", .revert = true}),
                        "applied");
    assert_runs(rig, 1);
    write_config(rig, 8);
    assert_string_equal(applies(rig), "applied");
}

static void what_is_over_while_the_gateway_stands_still_goes_at_the_start(void **state) {
    Rig *rig = *state;
    char folder[96];
    snprintf(folder, sizeof folder, "%s/revisions", rig->state);
    assert_string_equal(tries(rig, false), "applied");
    stop(rig);
    PsProbation probation;
    ps_probation_load(folder, &probation);
    probation.begun.boot.ns = ps_boot_now().ns - 301 * S;
    assert_int_equal(ps_probation_save(folder, &probation, NULL), PS_OK);
    ps_probation_deinit(&probation);
    start(rig);
    assert_runs(rig, 1);
    assert_int_equal(running_number(rig), 3);
}

static void several_starts_end_the_trial(void **state) {
    Rig *rig = *state;
    assert_string_equal(tries(rig, true), "applied");
    for (int i = 1; i < PS_PROBATION_STARTS_MAX; i++) {
        stop(rig);
        start(rig);
        assert_runs(rig, 5);
    }
    stop(rig);
    start(rig);
    assert_runs(rig, 1);
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
    assert_runs(rig, 5);
    assert_int_equal(running_number(rig), 2);
}

static void what_is_worse_goes(void **state) {
    Rig *rig = *state;
    assert_string_equal(tries(rig, true), "applied");
    json_decref(rig->health);
    rig->health = health(false, "D", "upload");
    let_time_pass(rig);
    until_switched(rig);
    assert_runs(rig, 1);
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
    stop(rig);
    assert_int_equal(ps_file_write(path, "{\"version\": 1,\n]", 16, 0644, NULL), PS_OK);
    start(rig);
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
    write_config(rig, 5);
    assert_string_equal(applies(rig), "applied");
    json = changes->running(changes->ctx);
    assert_string_equal(json_string_value(json_object_get(json, "problem")), "");
    json_decref(json);
}

static void what_was_edited_meanwhile_is_a_revision(void **state) {
    Rig *rig = *state;
    stop(rig);
    start(rig);
    assert_int_equal(running_number(rig), 1); // nothing changed
    stop(rig);
    write_config(rig, 5);
    start(rig);
    assert_runs(rig, 5);
    const PsApiChanges *changes = ps_apply_changes(rig->apply);
    json_t *json = changes->running(changes->ctx);
    assert_int_equal(json_integer_value(json_object_get(json, "number")), 2);
    assert_string_equal(json_string_value(json_object_get(json, "kind")), "start");
    assert_string_equal(json_string_value(json_object_get(json, "summary")), "1 device changed");
    json_decref(json);
}

#define APPLY_TEST(function) cmocka_unit_test_setup_teardown(function, make_rig, remove_rig)

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
        APPLY_TEST(edits_change_what_runs),
        APPLY_TEST(edits_leave_out_what_was_not_applied),
        APPLY_TEST(edits_with_mistakes_change_nothing),
        APPLY_TEST(edits_of_two_people_do_not_go_over_each_other),
        APPLY_TEST(only_who_may_changes_the_web_server),
        APPLY_TEST(a_rewrite_is_a_change_like_any_other),
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
