// The rig of the tests of changes: a folder, a state, a loop, and what was switched to. Blocks.
#include "daemon/apply_test_rig.h"

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

void apply_rig_write(const Rig *rig, int timeout) {
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

json_t *apply_rig_health(bool cloud, const char *device, const char *held) {
    return json_pack("{s:b, s:[s], s:[s], s:[s*]}", "cloud", (int)cloud, "answering",
                     device == NULL ? "D" : "-", "away", device == NULL ? "-" : device, "held",
                     held);
}

void apply_rig_start(Rig *rig) {
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

void apply_rig_stop(Rig *rig) {
    ps_apply_close(rig->apply);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    ps_apply_free(rig->apply);
    ps_config_free(rig->running);
    rig->running = NULL;
}

int apply_rig_make(void **state) {
    Rig *rig = ps_alloc(sizeof *rig);
    snprintf(rig->root, sizeof rig->root, "/tmp/penstock-apply-XXXXXX");
    if (mkdtemp(rig->root) == NULL) {
        return -1;
    }
    snprintf(rig->config, sizeof rig->config, "%s/config", rig->root);
    snprintf(rig->state, sizeof rig->state, "%s/state", rig->root);
    ps_log_set_fd(-1);
    assert_int_equal(ps_dir_make(rig->config, 0755, NULL), PS_OK);
    apply_rig_write(rig, 1);
    uv_loop_init(&rig->loop);
    rig->health = apply_rig_health(true, NULL, NULL);
    apply_rig_start(rig);
    *state = rig;
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw) {
    return remove(path);
}

int apply_rig_remove(void **state) {
    Rig *rig = *state;
    apply_rig_stop(rig);
    json_decref(rig->answer);
    json_decref(rig->health);
    int failure = uv_loop_close(&rig->loop);
    failure += nftw(rig->root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(rig);
    return failure;
}

void apply_rig_done(PsErr result, const PsDiag *diag, json_t *answer, void *ctx) {
    Rig *rig = ctx;
    rig->answered = true;
    rig->result = result;
    rig->diag = *diag;
    json_decref(rig->answer);
    rig->answer = answer;
}

PsErr apply_rig_ask(Rig *rig, const PsApiChange *change) {
    const PsApiChanges *changes = ps_apply_changes(rig->apply);
    rig->answered = false;
    return changes->change(change, apply_rig_done, rig, changes->ctx, &rig->diag);
}

void apply_rig_wait(Rig *rig) {
    while (!rig->answered) {
        uv_run(&rig->loop, UV_RUN_ONCE);
    }
}

const char *apply_rig_does(Rig *rig, const PsApiChange *change) {
    PsErr err = apply_rig_ask(rig, change);
    assert_int_equal(err, PS_OK);
    apply_rig_wait(rig);
    assert_int_equal(rig->result, PS_OK);
    return json_string_value(json_object_get(rig->answer, "result"));
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

void apply_rig_assert_runs(const Rig *rig, int timeout) {
    assert_int_equal((int)rig->running->devices[0].timeout, timeout);
    assert_int_equal(folder_timeout(rig), timeout);
}

uint32_t apply_rig_number(const Rig *rig) {
    const PsApiChanges *changes = ps_apply_changes(rig->apply);
    json_t *json = changes->running(changes->ctx);
    uint32_t number = (uint32_t)json_integer_value(json_object_get(json, "number"));
    json_decref(json);
    return number;
}
