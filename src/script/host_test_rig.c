// The test rig: see its header. One thread, one loop; waits by condition only.
#include "script/host_test_rig.h"

#include "base/file.h"
#include "base/mem.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void keep(RigMessage *kept, const PsScriptPublish *publish) {
    kept->kind = publish->kind;
    kept->entry = publish->entry;
    snprintf(kept->topic, sizeof kept->topic, "%s", publish->topic);
    kept->qos = publish->qos;
    kept->len = publish->payload_len;
    kept->payload = ps_alloc(kept->len + 1);
    memcpy(kept->payload, publish->payload, kept->len);
    kept->collected = publish->collected;
}

static bool on_publish(const PsScriptPublish *publish, void *ctx) {
    Rig *rig = ctx;
    if (rig->message_count < RIG_MESSAGES) {
        keep(&rig->messages[rig->message_count], publish);
    }
    rig->message_count++;
    if (rig->on_message != NULL) {
        rig->on_message(publish, rig->hook_ctx);
    }
    return !rig->refuse;
}

static bool on_settle(uint64_t ticket, void *ctx) {
    Rig *rig = ctx;
    rig->settle_count++;
    rig->settle_ticket = ticket;
    return rig->unsafe;
}

static const void *copy_of(const void *bytes, size_t len) {
    if (bytes == NULL) {
        return NULL;
    }
    void *copy = ps_alloc(len + 1);
    memcpy(copy, bytes, len);
    return copy;
}

static void on_dead(const PsScriptDead *dead, void *ctx) {
    Rig *rig = ctx;
    if (rig->dead_count < RIG_MESSAGES) {
        RigDead *kept = &rig->dead[rig->dead_count];
        *kept = (RigDead){.kind = dead->kind, .entry = dead->entry, .kept = *dead->kept};
        kept->kept.input = copy_of(dead->kept->input, dead->kept->input_len);
        kept->kept.schema = copy_of(dead->kept->schema, dead->kept->schema_len);
        snprintf(kept->reason, sizeof kept->reason, "%s", dead->reason);
    }
    rig->dead_count++;
    if (rig->on_dead != NULL) {
        rig->on_dead(dead, rig->hook_ctx);
    }
}

static void on_replayed(uint64_t id, PsScriptReplayEnd end, const char *reason, void *ctx) {
    Rig *rig = ctx;
    rig->replayed = id;
    rig->replay_end = end;
    snprintf(rig->replay_reason, sizeof rig->replay_reason, "%s", reason != NULL ? reason : "");
    rig->replayed_count++;
}

static bool on_publish_now(const PsScriptPublish *publish, uint64_t ticket, void *ctx) {
    Rig *rig = ctx;
    rig->now_count++;
    rig->now_ticket = ticket;
    if (rig->now_answer == 1 || rig->now_answer == 2) {
        ps_script_host_publish_now_done(rig->host, ticket, rig->now_answer == 1);
    }
    return rig->now_answer != 0;
}

static PsErr on_write(uint32_t variable, PsValue value, PsMono deadline, PsScriptWriteDone *done,
                      void *done_ctx, void *ctx, PsDiag *diag) {
    Rig *rig = ctx;
    assert_true(rig->write_count < PS_COUNT(rig->writes));
    RigWrite *write = &rig->writes[rig->write_count++];
    *write = (RigWrite){variable, value, "", done, done_ctx};
    if (value.kind == PS_VALUE_TEXT) {
        snprintf(write->text, sizeof write->text, "%.*s", (int)value.text_len, value.text);
    }
    if (!rig->hold_writes) {
        PsDiag reason = {.text = "The device said no."};
        done(rig->write_result, rig->write_result == PS_OK ? NULL : &reason, value, done_ctx);
    }
    return PS_OK;
}

static void on_recall(PsMono deadline, PsScriptRecallDone *done, void *done_ctx, void *ctx) {
    Rig *rig = ctx;
    assert_true(rig->recall_count < PS_COUNT(rig->recalls));
    rig->recalls[rig->recall_count++] = (RigRecall){done, done_ctx};
    if (rig->hold_recalls) {
        return;
    }
    if (rig->recall_result != PS_OK) {
        done(rig->recall_result, NULL, done_ctx);
        return;
    }
    PsUploadItem items[] = {{.variable = 0, .good = true, .value = ps_value_int(7)}};
    PsUpload all = {.group = 1,
                    .collected = {INT64_C(1597305662500000000)},
                    .item_count = PS_COUNT(items),
                    .items = items};
    done(PS_OK, &all, done_ctx);
}

Rig *rig_new(void) {
    Rig *rig = ps_alloc(sizeof *rig);
    uv_loop_init(&rig->loop);
    snprintf(rig->log_path, sizeof rig->log_path, "/tmp/penstock-script-test-XXXXXX");
    rig->log_fd = mkstemp(rig->log_path);
    assert_true(rig->log_fd >= 0);
    ps_log_set_fd(rig->log_fd);
    ps_log_set_level(PS_LOG_INFO);
    rig->devices[0] = (PsDevice){.name = "Temperature_Sensor", .ip = "127.0.0.1"};
    rig->devices[1] = (PsDevice){.name = "Second", .ip = "127.0.0.1"};
    rig->groups[0] = (PsGroup){.name = "default", .type = PS_GROUP_COLLECT};
    rig->custom[0] = (PsCustom){"device_id", "1"};
    rig->config = (PsConfig){
        .devices = rig->devices,
        .device_count = 2,
        .groups = rig->groups,
        .group_count = 1,
        .publish = rig->publish,
        .subscribe = rig->subscribe,
        .cloud.type = PS_CLOUD_AWS_IOT,
        .parameters = {.log_level = PS_LOG_INFO,
                       .catch_recording = 100000,
                       .warning_recording = 2000,
                       .gateway_sn = "GL1",
                       .custom = rig->custom,
                       .custom_count = 1},
    };
    rig_variables(rig, 1);
    return rig;
}

static void put_source(PsBuf *buf, const char *source) {
    ps_buf_put(buf, source, strlen(source));
}

void rig_publish(Rig *rig, const char *name, const char *main_function, const char *source,
                 double timeout_s) {
    assert_true(rig->config.publish_count < RIG_ENTRIES);
    PsPublish *publish = &rig->publish[rig->config.publish_count++];
    *publish = (PsPublish){.name = name,
                           .topic = "plant/${device_id}",
                           .qos = 1,
                           .main_function = main_function,
                           .timeout = timeout_s > 0 ? timeout_s : 30};
    put_source(&publish->source, source);
}

void rig_subscribe(Rig *rig, const char *name, const char *main_function, const char *source) {
    assert_true(rig->config.subscribe_count < RIG_ENTRIES);
    PsSubscribe *subscribe = &rig->subscribe[rig->config.subscribe_count++];
    *subscribe = (PsSubscribe){.name = name,
                               .topic = "awsiot/send",
                               .qos = 1,
                               .main_function = main_function,
                               .timeout = 30};
    put_source(&subscribe->source, source);
}

static void free_borrowed(const void *pointer) {
    union {
        const void *in;
        void *out;
    } memory = {.in = pointer};
    free(memory.out);
}

static void free_variables(Rig *rig) {
    for (uint32_t i = 0; i < rig->config.variable_count; i++) {
        free_borrowed(rig->variables[i].name);
    }
    free(rig->variables);
}

void rig_variables(Rig *rig, uint32_t count) {
    free_variables(rig);
    rig->variables = ps_alloc_array(count, sizeof *rig->variables);
    for (uint32_t i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, count == 1 ? "Test" : "v%u", i);
        rig->variables[i] = (PsVariable){.name = ps_strdup(name),
                                         .device_name = rig->devices[0].name,
                                         .group_name = rig->groups[0].name,
                                         .access = PS_ACCESS_READ_WRITE};
    }
    rig->config.variables = rig->variables;
    rig->config.variable_count = count;
}

void rig_start(Rig *rig) {
    rig_start_with(rig, &rig->config);
}

void rig_start_with(Rig *rig, const PsConfig *config) {
    PsScriptHostSetup setup = {
        .loop = &rig->loop,
        .config = config,
        .program = getenv("PENSTOCK_SCRIPT"),
        .ctx = rig,
        .on_publish = on_publish,
        .on_settle = on_settle,
        .on_publish_now = on_publish_now,
        .on_write = on_write,
        .on_recall = on_recall,
        .on_dead = on_dead,
        .on_replayed = on_replayed,
        .restart_min_ms = 20,
    };
    assert_non_null(setup.program);
    PsDiag diag;
    assert_int_equal(ps_script_host_new(&setup, &rig->host, &diag), PS_OK);
    assert_int_equal(ps_script_host_start(rig->host, &diag), PS_OK);
}

static void on_stopped(void *ctx) {
    Rig *rig = ctx;
    rig->stopped = true;
}

static bool is_stopped(Rig *rig, const void *ctx) {
    return rig->stopped;
}

void rig_begin_stop(Rig *rig) {
    rig->stopping = true;
    ps_script_host_stop(rig->host, on_stopped, rig);
}

void rig_stop(Rig *rig) {
    if (!rig->stopping) {
        rig_begin_stop(rig);
    }
    rig_wait(rig, is_stopped, NULL, "the host to stop");
    ps_script_host_free(rig->host);
    rig->host = NULL;
}

void rig_free(Rig *rig) {
    if (rig->host != NULL) {
        rig_stop(rig);
    }
    assert_int_equal(uv_loop_close(&rig->loop), 0);  // nothing was left on it
    assert_false(rig_logged(rig, "runtime error:")); // a worker's UndefinedBehaviorSanitizer
    ps_buf_deinit(&rig->anew);
    for (size_t i = 0; i < RIG_ENTRIES; i++) {
        ps_buf_deinit(&rig->publish[i].source);
        ps_buf_deinit(&rig->subscribe[i].source);
    }
    for (size_t i = 0; i < rig->message_count && i < RIG_MESSAGES; i++) {
        free(rig->messages[i].payload);
    }
    for (size_t i = 0; i < rig->dead_count && i < RIG_MESSAGES; i++) {
        free_borrowed(rig->dead[i].kept.input);
        free_borrowed(rig->dead[i].kept.schema);
    }
    free_variables(rig);
    ps_log_set_fd(STDERR_FILENO);
    close(rig->log_fd);
    unlink(rig->log_path);
    free(rig);
}

void rig_upload_values(Rig *rig, uint32_t publish, const PsValue *values, const bool *good) {
    uint32_t count = rig->config.variable_count;
    PsUploadItem *items = ps_alloc_array(count, sizeof *items);
    for (uint32_t i = 0; i < count; i++) {
        items[i] = (PsUploadItem){.variable = i, .good = good == NULL || good[i]};
        items[i].value = items[i].good ? values[i] : ps_value_none();
    }
    PsUpload upload = {
        .collected = {INT64_C(1597305662211609000)}, .item_count = count, .items = items};
    assert_int_equal(ps_script_host_collect(rig->host, publish, &upload), PS_OK);
    free(items);
}

void rig_upload(Rig *rig, uint32_t publish) {
    uint32_t count = rig->config.variable_count;
    PsValue *values = ps_alloc_array(count, sizeof *values);
    for (uint32_t i = 0; i < count; i++) {
        values[i] = ps_value_int(count == 1 ? 2 : (int64_t)i);
    }
    rig_upload_values(rig, publish, values, NULL);
    free(values);
}

void rig_answer_recall(Rig *rig, size_t index, PsErr result) {
    assert_true(result != PS_OK && index < rig->recall_count);
    rig->recalls[index].done(result, NULL, rig->recalls[index].done_ctx);
}

static void wake(uv_timer_t *timer) {
}

void rig_wait(Rig *rig, bool (*condition)(Rig *rig, const void *ctx), const void *ctx,
              const char *what) {
    uv_timer_t tick; // some conditions change without an event of the loop
    uv_timer_init(&rig->loop, &tick);
    uv_timer_start(&tick, wake, 5, 5);
    PsMono limit = ps_mono_add_ns(ps_mono_now(), RIG_PATIENCE_S * PS_NS_PER_S);
    bool met = condition(rig, ctx);
    while (!met && ps_mono_diff_ns(limit, ps_mono_now()) > 0) {
        uv_run(&rig->loop, UV_RUN_ONCE);
        met = condition(rig, ctx);
    }
    uv_close((uv_handle_t *)&tick, NULL);
    uv_run(&rig->loop, UV_RUN_NOWAIT);
    if (!met) {
        PS_AUTO_BUF PsBuf log = {0};
        if (ps_file_read(rig->log_path, SIZE_MAX, &log, NULL) == PS_OK) {
            print_message("%s", (const char *)log.data);
        }
        fail_msg("waited %d s for %s", RIG_PATIENCE_S, what);
    }
}

static bool has_messages(Rig *rig, const void *ctx) {
    return rig->message_count >= *(const size_t *)ctx;
}

void rig_wait_messages(Rig *rig, size_t count) {
    rig_wait(rig, has_messages, &count, "messages");
}

static bool has_dead(Rig *rig, const void *ctx) {
    return rig->dead_count >= *(const size_t *)ctx;
}

void rig_wait_dead(Rig *rig, size_t count) {
    rig_wait(rig, has_dead, &count, "dead letters");
}

static bool has_replayed(Rig *rig, const void *ctx) {
    return rig->replayed_count >= *(const size_t *)ctx;
}

void rig_wait_replayed(Rig *rig, size_t count) {
    rig_wait(rig, has_replayed, &count, "replays");
}

static bool was_asked(Rig *rig, const void *ctx) {
    return rig->now_count > 0;
}

void rig_wait_asked(Rig *rig) {
    rig_wait(rig, was_asked, NULL, "mqtt_publish");
}

size_t rig_log_count(Rig *rig, const char *text) {
    struct stat info;
    assert_int_equal(fstat(rig->log_fd, &info), 0);
    char *all = ps_alloc((size_t)info.st_size + 1);
    ssize_t got = pread(rig->log_fd, all, (size_t)info.st_size, 0);
    assert_true(got == info.st_size);
    size_t count = 0;
    for (const char *at = strstr(all, text); at != NULL; at = strstr(at + 1, text)) {
        count++;
    }
    free(all);
    return count;
}

bool rig_logged(Rig *rig, const char *text) {
    return rig_log_count(rig, text) > 0;
}

static bool has_log(Rig *rig, const void *ctx) {
    return rig_logged(rig, ctx);
}

void rig_wait_log(Rig *rig, const char *text) {
    rig_wait(rig, has_log, text, text);
}

PsScriptWorkerStatus rig_status(Rig *rig, uint32_t worker) {
    PsScriptWorkerStatus status;
    ps_script_host_worker_status(rig->host, worker, &status);
    return status;
}

typedef struct Expected {
    uint32_t worker;
    uint64_t calls;
    PsWorkerState state;
} Expected;

static bool has_calls(Rig *rig, const void *ctx) {
    const Expected *expected = ctx;
    return rig_status(rig, expected->worker).calls >= expected->calls;
}

void rig_wait_calls(Rig *rig, uint32_t worker, uint64_t calls) {
    rig_wait(rig, has_calls, &(Expected){.worker = worker, .calls = calls}, "calls to end");
}

static bool has_state(Rig *rig, const void *ctx) {
    const Expected *expected = ctx;
    return rig_status(rig, expected->worker).state == expected->state;
}

void rig_wait_state(Rig *rig, uint32_t worker, PsWorkerState state) {
    rig_wait(rig, has_state, &(Expected){.worker = worker, .state = state},
             ps_worker_state_name(state));
}

void rig_expect(Rig *rig, size_t index, const char *payload) {
    rig_wait_messages(rig, index + 1);
    assert_string_equal(rig->messages[index].payload, payload);
}

static int parent_of(int pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    int parent = 0;
    if (file == NULL) {
        fail_msg("no %s", path);
        return 0;
    }
    assert_int_equal(fscanf(file, "%*d (%*[^)]) %*c %d", &parent), 1);
    fclose(file);
    return parent;
}

void rig_kill_starter(Rig *rig) {
    rig_wait_state(rig, 0, PS_WORKER_RUNNING);
    assert_int_equal(kill(parent_of(rig_status(rig, 0).pid), SIGKILL), 0);
    rig_wait_log(rig, "SCRIPT-LOST: penstock-script was ended by signal 9");
}
