// The draft lives in a host of its own with one entry. An upload opens a pair; what either side
// sends with that collection time is added to it; a pair is judged when PAIRS newer uploads have
// come, which leaves a slow script time to answer.
#include "script/canary.h"

#include "base/arena.h"
#include "base/mem.h"
#include "base/text.h"
#include "model/option.h"
#include "model/tables.h"
#include "script/proc_usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAIRS 8
#define OUTPUT_BYTES_MAX ((size_t)1024 * 1024)
#define FORGOTTEN_NS (30 * PS_NS_PER_S)

// What both sides made of one upload: topics and payloads, one behind the other.
typedef struct Pair {
    bool used;
    PsWall collected;
    PsBuf live;
    PsBuf draft;
    bool failed;
} Pair;

struct PsCanary {
    uv_loop_t *loop;
    const PsConfig *config;
    const PsScriptHost *live;
    const char *program;
    const char *scratch;
    PsArena *arena; // of the draft's texts
    PsConfig
        own[2]; // the gateway's, with the draft as its only message: the present and the former
    uint32_t present;
    PsPublish entry; // the draft
    PsScriptHost *host;
    uint32_t publish; // index of the message it stands beside
    Pair pairs[PAIRS];
    uint32_t newest;
    bool built;
    bool stopping;
    PsMono asked;
    PsCanaryReport report;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

PsCanary *ps_canary_new(uv_loop_t *loop, const PsConfig *config, const PsScriptHost *live,
                        const char *program, const char *scratch) {
    PsCanary *canary = ps_alloc(sizeof *canary);
    *canary = (PsCanary){
        .loop = loop, .config = config, .live = live, .program = program, .scratch = scratch};
    return canary;
}

static void forget_entry(PsCanary *canary) {
    ps_buf_deinit(&canary->entry.source);
    ps_arena_free(canary->arena);
    canary->arena = NULL;
}

void ps_canary_free(PsCanary *canary) {
    if (canary == NULL) {
        return;
    }
    PS_ASSERT(canary->host == NULL);
    for (size_t i = 0; i < PAIRS; i++) {
        ps_buf_deinit(&canary->pairs[i].live);
        ps_buf_deinit(&canary->pairs[i].draft);
    }
    forget_entry(canary);
    free(canary);
}

// --- comparing ----------------------------------------------------------------------------------

static void show(const PsBuf *output, char *out) {
    if (output->len == 0) {
        out[0] = '\0';
        return;
    }
    int len = output->len < PS_CANARY_SHOWN - 1 ? (int)output->len : PS_CANARY_SHOWN - 1;
    memcpy(out, output->data, (size_t)len);
    out[len] = '\0';
    ps_text_make_utf8(out, (size_t)len); // it may be cut inside a character, or be no text at all
}

static void judge(PsCanary *canary, Pair *pair) {
    PsCanaryReport *report = &canary->report;
    if (!pair->used) {
        return;
    }
    pair->used = false;
    bool same =
        !pair->failed && pair->live.len == pair->draft.len &&
        (pair->live.len == 0 || memcmp(pair->live.data, pair->draft.data, pair->live.len) == 0);
    report->calls++;
    report->same += same;
    report->failed += pair->failed;
    if (!same && report->different++ == 0) {
        show(&pair->live, report->live);
        show(&pair->draft, report->draft);
    }
}

static Pair *find_pair(PsCanary *canary, PsWall collected) {
    for (size_t i = 0; i < PAIRS; i++) {
        if (canary->pairs[i].used && canary->pairs[i].collected.ns == collected.ns) {
            return &canary->pairs[i];
        }
    }
    return NULL;
}

static void add_output(PsBuf *output, const PsScriptPublish *publish) {
    if (output->len + publish->payload_len < OUTPUT_BYTES_MAX) {
        ps_buf_printf(output, "%s: ", publish->topic);
        ps_buf_put(output, publish->payload, publish->payload_len);
        ps_buf_put(output, "\n", 1);
    }
}

// --- the draft's host ---------------------------------------------------------------------------

static bool on_publish(const PsScriptPublish *publish, void *ctx) {
    Pair *pair = find_pair(ctx, publish->collected);
    if (pair != NULL) {
        add_output(&pair->draft, publish);
    }
    return true;
}

static bool on_publish_now(const PsScriptPublish *publish, uint64_t ticket, void *ctx) {
    PsCanary *canary = ctx;
    (void)on_publish(publish, canary); // recorded or not, the script hears the same
    ps_script_host_publish_now_done(canary->host, ticket, true);
    return true;
}

static PsErr on_write(uint32_t variable, PsValue value, PsMono deadline, PsScriptWriteDone *done,
                      void *done_ctx, void *ctx, PsDiag *diag) {
    done(PS_OK, diag, value, done_ctx);
    return PS_OK;
}

// No device is read for a draft: its callback hears of a timeout.
static void on_recall(PsMono deadline, PsScriptRecallDone *done, void *done_ctx, void *ctx) {
    done(PS_ERR_TIMEOUT, NULL, done_ctx);
}

static void on_line(const PsScriptLine *line, void *ctx) {
}

static void on_stopped(void *ctx) {
    PsCanary *canary = ctx;
    ps_script_host_free(canary->host);
    canary->host = NULL;
    canary->stopping = false;
    canary->report.state = PS_CANARY_FINISHED;
    forget_entry(canary);
    if (canary->closed != NULL) {
        canary->closed(canary->closed_ctx);
    }
}

static void measure(PsCanary *canary) {
    PsScriptWorkerStatus status;
    ps_script_host_worker_status(canary->host, 0, &status);
    // A process that has just ended leaves the figure at 0.
    int64_t cpu_ns = 0;
    if (ps_proc_usage_cpu(status.pid, &cpu_ns) == PS_OK) {
        canary->report.cpu_s = (double)cpu_ns / 1e9;
    }
}

static void stop(PsCanary *canary, const char *error) {
    if (canary->host == NULL || canary->stopping) {
        return;
    }
    canary->stopping = true;
    measure(canary);
    snprintf(canary->report.error, sizeof canary->report.error, "%s", error);
    ps_script_host_stop(canary->host, on_stopped, canary);
}

// A call that raised is a difference; a draft that has no process is the end of the comparison.
static void on_rest(PsScriptKind kind, uint32_t entry, const char *error, void *ctx) {
    PsCanary *canary = ctx;
    PsScriptWorkerStatus status;
    ps_script_host_worker_status(canary->host, 0, &status);
    if (status.state != PS_WORKER_RUNNING) {
        stop(canary, error);
        return;
    }
    canary->built = true;
    Pair *pair = &canary->pairs[canary->newest];
    pair->failed |= error[0] != '\0' && pair->used;
}

static const PsPublish *find_message(const PsConfig *config, const char *name,
                                     uint32_t *ret_index) {
    for (uint32_t i = 0; i < config->publish_count; i++) {
        if (strcmp(config->publish[i].name, name) == 0) {
            *ret_index = i;
            return &config->publish[i];
        }
    }
    return NULL;
}

// With texts of its own, so that it outlives the message.
static void make_entry(PsCanary *canary, const PsPublish *message, PsBuf *source) {
    PsArena *arena = ps_arena_new();
    PsPublish *entry = &canary->entry;
    canary->arena = arena;
    *entry = *message;
    entry->name = ps_arena_strdup(arena, message->name);
    entry->topic = ps_arena_strdup(arena, message->topic);
    entry->main_function = ps_arena_strdup(arena, message->main_function);
    entry->script = ps_arena_strdup(arena, message->script);
    entry->delivery.gap_topic = ps_arena_strdup(arena, message->delivery.gap_topic);
    const PsTextList *names = &message->group_names;
    const char **items = ps_arena_take(arena, (names->count + 1) * sizeof *items);
    for (uint32_t i = 0; i < names->count; i++) {
        items[i] = ps_arena_strdup(arena, names->items[i]);
    }
    entry->group_names.items = items;
    entry->groups = NULL; // who calls the draft knows them
    entry->source = *source;
    *source = (PsBuf){0};
}

// What the draft's host is given of the present configuration.
static const PsConfig *next_config(PsCanary *canary) {
    canary->present = 1 - canary->present;
    PsConfig *own = &canary->own[canary->present];
    *own = *canary->config;
    own->publish = &canary->entry;
    own->publish_count = 1;
    own->subscribe_count = 0;
    return own;
}

static void reset(PsCanary *canary) {
    for (size_t i = 0; i < PAIRS; i++) {
        canary->pairs[i].used = false;
    }
    canary->built = false;
    canary->asked = ps_mono_now();
    canary->report = (PsCanaryReport){.state = PS_CANARY_RUNNING};
}

PsErr ps_canary_start(PsCanary *canary, const char *name, PsBuf *source, uint64_t calls,
                      PsDiag *diag) {
    if (canary->host != NULL || canary->closed != NULL) {
        return ps_fail(PS_ERR_BUSY, diag, name, NULL,
                       "another canary is under way; try again when it has ended");
    }
    const PsPublish *message = find_message(canary->config, name, &canary->publish);
    if (message == NULL) {
        return ps_fail(PS_ERR_NOT_FOUND, diag, name, NULL,
                       "there is no publish message of this name; 'penstock status' lists them");
    }
    make_entry(canary, message, source);
    reset(canary);
    canary->report.wanted = calls;
    PsScriptHostSetup setup = {
        .loop = canary->loop,
        .config = next_config(canary),
        .program = canary->program,
        .boot = ps_script_host_boot(canary->live),
        .scratch = canary->scratch,
        .ctx = canary,
        .on_publish = on_publish,
        .on_publish_now = on_publish_now,
        .on_write = on_write,
        .on_recall = on_recall,
        .on_line = on_line,
        .on_rest = on_rest,
    };
    PsErr err = ps_script_host_new(&setup, &canary->host, diag);
    err = err == PS_OK ? ps_script_host_start(canary->host, diag) : err;
    if (err != PS_OK) {
        ps_script_host_free(canary->host);
        canary->host = NULL;
        forget_entry(canary);
        canary->report.state = PS_CANARY_IDLE;
    }
    return err;
}

static bool is_unchanged(const PsPublish *before, const PsPublish *after) {
    const PsBuf *a = &before->source;
    const PsBuf *b = &after->source;
    return ps_option_all_equal(&ps_table_publish, before, after) && a->len == b->len &&
           (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

void ps_canary_apply(PsCanary *canary, const PsConfig *config, const PsConfigMap *map) {
    const PsConfig *former = canary->config;
    canary->config = config;
    if (canary->host == NULL) {
        return;
    }
    uint32_t zero = 0; // the draft goes on, whatever becomes of its message
    PsConfigMap own = {.publish = {1, 1, &zero, &zero}};
    ps_script_host_apply(canary->host, next_config(canary), &own, NULL);
    uint32_t before = canary->publish;
    canary->publish = ps_index_to_new(&map->publish, before);
    if (before == PS_NOT_THERE || canary->stopping) {
        return;
    }
    if (canary->publish == PS_NOT_THERE) {
        stop(canary, "its message was removed from the configuration");
    } else if (former->cloud.type != config->cloud.type ||
               !is_unchanged(&former->publish[before], &config->publish[canary->publish])) {
        stop(canary, "the configuration of its message was changed");
    }
}

void ps_canary_stop(PsCanary *canary) {
    stop(canary, "stopped");
}

const PsCanaryReport *ps_canary_report(PsCanary *canary) {
    canary->asked = ps_mono_now();
    return &canary->report;
}

void ps_canary_close(PsCanary *canary, void (*closed)(void *ctx), void *ctx) {
    canary->closed = closed;
    canary->closed_ctx = ctx;
    if (canary->host == NULL) {
        closed(ctx);
        return;
    }
    stop(canary, "the gateway stops");
}

// --- what happens in the gateway ----------------------------------------------------------------

// Opens the pair of an upload; false when none is to be compared.
static bool open_pair(PsCanary *canary, uint32_t publish, PsWall collected) {
    if (canary->host == NULL || canary->stopping || !canary->built || publish != canary->publish) {
        return false;
    }
    if (ps_mono_diff_ns(ps_mono_now(), canary->asked) > FORGOTTEN_NS) {
        stop(canary, "nobody has looked at it for 30 s");
        return false;
    }
    canary->newest = (canary->newest + 1) % PAIRS;
    Pair *pair = &canary->pairs[canary->newest];
    judge(canary, pair);
    if (canary->report.calls >= canary->report.wanted) {
        stop(canary, "");
        return false;
    }
    pair->used = true;
    pair->failed = false;
    pair->collected = collected;
    ps_buf_clear(&pair->live);
    ps_buf_clear(&pair->draft);
    ps_script_host_follow_sequence(canary->host, canary->live, publish);
    return true;
}

void ps_canary_upload(PsCanary *canary, uint32_t publish, const PsUpload *upload) {
    if (open_pair(canary, publish, upload->collected)) {
        (void)ps_script_host_collect(canary->host, 0, upload); // too large shows as a difference
    }
}

void ps_canary_alarms(PsCanary *canary, uint32_t publish, const PsAlarmUpload *upload) {
    if (open_pair(canary, publish, upload->collected)) {
        (void)ps_script_host_alarms(canary->host, 0, upload); // as above
    }
}

void ps_canary_live(PsCanary *canary, const PsScriptPublish *publish) {
    if (canary->host == NULL || publish->kind != PS_SCRIPT_PUBLISH ||
        publish->entry != canary->publish) {
        return;
    }
    Pair *pair = find_pair(canary, publish->collected);
    if (pair != NULL) {
        add_output(&pair->live, publish);
    }
}
