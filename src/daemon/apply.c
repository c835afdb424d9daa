// One change after the other: who may begin, the worker thread, the switch, closing. Main thread,
// except `work`.
#include "daemon/apply.h"

#include "base/log.h"
#include "base/mem.h"
#include "daemon/apply_private.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// --- a job --------------------------------------------------------------------------------------

static void work(uv_work_t *request) {
    PsApplyJob *job = request->data;
    if (job->candidate != NULL) {
        ps_candidate_run(job->candidate, &job->apply->tools);
    } else {
        ps_probation_clear(ps_revision_store_folder(job->apply->tools.store));
    }
}

// A link whose files were replaced connects again without being told to.
static void say_reconnects(PsBuf *restarted) {
    if (restarted->len == 0 || strstr((const char *)restarted->data, PS_ANEW_CLOUD "\n") == NULL) {
        ps_buf_printf(restarted, PS_ANEW_CLOUD "\n");
        PS_LOGI("ANEW", "begins anew: " PS_ANEW_CLOUD);
    }
}

// What was decided on the worker thread, in the eyes of the main thread.
static void take_over(PsApply *apply, PsCandidate *candidate, PsBuf *restarted) {
    const PsRevision *revision = &candidate->revision;
    ps_probation_deinit(&apply->probation);
    if (candidate->probation.length_ns > 0) {
        apply->probation = candidate->probation;
        candidate->probation = (PsProbation){0};
    }
    apply->problem[0] = '\0'; // the folder holds what runs
    apply->failed_back = false;
    ps_apply_refresh(apply);
    ps_apply_arm(apply, 0);
    PS_LOGI("REVISION", "revision %u (%s by %s%s%s): %s", revision->number,
            ps_revision_kind_name(revision->kind), revision->who,
            revision->why[0] != '\0' ? ", " : "", revision->why, revision->summary);
    apply->tools.running = NULL;
    if (apply->setup.switch_to != NULL && !apply->closing) {
        PsConfig *config = candidate->config;
        candidate->config = NULL;
        apply->tools.running = config;
        apply->setup.switch_to(config, restarted, apply->setup.ctx);
        if (candidate->reconnects) {
            say_reconnects(restarted);
        }
    }
}

static void log_refusal(const PsCandidate *candidate, const char *who) {
    char text[sizeof candidate->diag];
    for (size_t i = 0; i < candidate->findings.count; i++) {
        const PsFinding *finding = &candidate->findings.items[i];
        char line[1024];
        ps_finding_format(finding, line, sizeof line);
        if (finding->is_error) {
            PS_LOGE("CONFIG", "%s", line);
        }
    }
    ps_diag_format(&candidate->diag, text, sizeof text);
    PS_LOGE("REVISION-REFUSED", "a change by %s is refused: %s", who, text);
}

static void answer(PsApply *apply, PsApplyJob *job, const char *restarted) {
    const PsCandidate *candidate = job->candidate;
    PsDiag none = {0};
    if (job->done == NULL) {
        return;
    }
    if (candidate == NULL) {
        job->done(PS_OK, &none,
                  json_pack("{s:s, s:I}", "result", "confirmed", "number",
                            (json_int_t)apply->running.number),
                  job->done_ctx);
    } else if (candidate->result != PS_OK && candidate->findings.errors == 0) {
        job->done(candidate->result, &candidate->diag, NULL, job->done_ctx);
    } else {
        job->done(PS_OK, &none, ps_apply_answer(apply, candidate, restarted), job->done_ctx);
    }
}

// Going back by itself did not work: the disk may have room later.
static void note_failed_back(PsApply *apply, const PsApplyJob *job) {
    const PsCandidate *candidate = job->candidate;
    if (candidate == NULL || candidate->result == PS_OK ||
        candidate->revision.kind != PS_REVISION_AUTOMATIC_REVERT) {
        return;
    }
    if (!apply->failed_back) {
        log_refusal(candidate, job->who);
        PS_LOGE("REVISION-BACK", "revision %u cannot be brought back; it is tried again",
                apply->probation.back);
    }
    apply->failed_back = true;
}

static void hang_up(PsApply *apply);

static void on_worked(uv_work_t *request, int status) {
    PsApplyJob *job = request->data;
    PsApply *apply = job->apply;
    PsCandidate *candidate = job->candidate;
    PS_AUTO_BUF PsBuf restarted = {0};
    apply->job = NULL;
    if (candidate == NULL) {
        PS_LOGI("REVISION", "revision %u is confirmed by %s", apply->running.number, job->who);
        ps_probation_deinit(&apply->probation);
        ps_apply_arm(apply, 0);
    } else if (candidate->config != NULL) {
        take_over(apply, candidate, &restarted);
    } else if (candidate->result != PS_OK && !candidate->dry_run &&
               candidate->revision.kind != PS_REVISION_AUTOMATIC_REVERT) {
        log_refusal(candidate, job->who);
    }
    note_failed_back(apply, job);
    answer(apply, job, restarted.len > 0 ? (const char *)restarted.data : "");
    ps_candidate_free(candidate);
    free(job);
    ps_mem_trim(); // two configurations and their texts were there at once
    if (apply->overdue && !apply->closing) {
        ps_apply_on_timer(&apply->timer);
    }
    if (apply->hung_up) {
        hang_up(apply);
    }
}

PsErr ps_apply_begin(PsApply *apply, PsCandidate *candidate, const char *who, PsApiChangeDone *done,
                     void *done_ctx, PsDiag *diag) {
    if (apply->job != NULL || apply->closing) {
        char when[PS_STAMP_SIZE] = "";
        if (apply->job != NULL) {
            ps_wall_format(apply->job->begun, when, sizeof when);
        }
        return apply->closing
                   ? ps_fail(PS_ERR_CLOSED, diag, "apply", NULL, "the gateway stops")
                   : ps_fail(PS_ERR_BUSY, diag, "apply", NULL,
                             "%s is changing the configuration since %s; try again in a moment",
                             apply->job->who, when);
    }
    PsApplyJob *job = ps_alloc(sizeof *job);
    *job = (PsApplyJob){.apply = apply,
                        .candidate = candidate,
                        .done = done,
                        .done_ctx = done_ctx,
                        .begun = ps_wall_now()};
    snprintf(job->who, sizeof job->who, "%s", who);
    job->work.data = job;
    int failure = uv_queue_work(apply->setup.loop, &job->work, work, on_worked);
    PS_ASSERT(failure == 0); // it only fails without a function
    apply->job = job;
    return PS_OK;
}

// --- what is asked for --------------------------------------------------------------------------

PsErr ps_apply_check_store(const PsApply *apply, PsDiag *diag) {
    return apply->tools.store != NULL
               ? PS_OK
               : ps_fail(PS_ERR_UNSUPPORTED, diag, "apply", NULL,
                         "revisions cannot be kept (the log says why), so a change takes a restart "
                         "of penstockd");
}

static PsErr check_seconds(const PsApiChange *change, PsDiag *diag) {
    double seconds = change->confirm_s > 0 ? change->confirm_s : change->healthy_s;
    if (change->confirm_s > 0 && change->healthy_s > 0) {
        return ps_fail(PS_ERR_INVALID, diag, "apply", NULL, "confirm or healthy, not both");
    }
    bool fits = seconds == 0 || (seconds >= PS_PROBATION_S_MIN && seconds <= PS_PROBATION_S_MAX);
    return fits ? PS_OK
                : ps_fail(PS_ERR_RANGE, diag, "apply", NULL,
                          "a revision can be tried out for %d seconds to %d hours",
                          PS_PROBATION_S_MIN, PS_PROBATION_S_MAX / 3600);
}

// While a revision is tried out nothing else may be, or nobody would know what to go back to.
static PsErr check_probation(const PsApply *apply, const PsApiChange *change, PsDiag *diag) {
    if (apply->probation.number == 0 || change->revert || change->dry_run) {
        return PS_OK;
    }
    return ps_fail(PS_ERR_BUSY, diag, "apply", NULL,
                   "revision %u by %s is being tried out for %lld s more; first run penstock "
                   "confirm, or penstock revert",
                   apply->probation.number, apply->probation.who,
                   (long long)(ps_apply_left_ms(apply) / 1000));
}

static PsErr choose_revision(const PsApply *apply, const PsApiChange *change, uint32_t *ret_of,
                             PsDiag *diag) {
    *ret_of = 0;
    if (!change->revert) {
        return PS_OK;
    }
    *ret_of = change->of != 0 ? change->of : apply->probation.back;
    if (*ret_of == 0 && json_array_size(apply->list) > 1) {
        const json_t *before = json_array_get(apply->list, 1);
        *ret_of = (uint32_t)json_integer_value(json_object_get(before, "number"));
    }
    return *ret_of != 0 ? PS_OK
                        : ps_fail(PS_ERR_NOT_FOUND, diag, "revert", NULL,
                                  "there is no revision before this one");
}

static void fill_in(const PsApply *apply, const PsApiChange *change, uint32_t of,
                    PsCandidate *candidate) {
    double seconds = change->confirm_s > 0 ? change->confirm_s : change->healthy_s;
    candidate->revision =
        (PsRevision){.kind = change->revert ? PS_REVISION_REVERT : PS_REVISION_APPLY, .of = of};
    snprintf(candidate->revision.who, sizeof candidate->revision.who, "%s", change->who);
    snprintf(candidate->revision.why, sizeof candidate->revision.why, "%s", change->why);
    candidate->base = change->base;
    candidate->dry_run = change->dry_run;
    candidate->keep_web = change->keep_web;
    if (seconds > 0 && !change->dry_run) {
        candidate->probation.length_ns = ps_seconds_to_ns(seconds);
        candidate->probation.healthy = change->healthy_s > 0;
        candidate->probation.health =
            change->healthy_s > 0 ? apply->setup.health(apply->setup.ctx) : NULL;
    }
}

static PsErr change_it(const PsApiChange *change, PsApiChangeDone *done, void *done_ctx, void *ctx,
                       PsDiag *diag) {
    PsApply *apply = ctx;
    uint32_t of = 0;
    PsErr err = ps_apply_check_store(apply, diag);
    err = err == PS_OK ? check_seconds(change, diag) : err;
    err = err == PS_OK ? check_probation(apply, change, diag) : err;
    err = err == PS_OK ? choose_revision(apply, change, &of, diag) : err;
    if (err != PS_OK) {
        json_decref(change->edits);
        return err;
    }
    PsCandidate *candidate = ps_candidate_new();
    candidate->edits = change->edits;
    candidate->rewrite = change->rewrite;
    candidate->rewrite_ctx = change->rewrite_ctx;
    if (change->upload != 0) {
        err =
            ps_uploads_take(&apply->uploads, change->upload, change->who, &candidate->upload, diag);
    }
    if (err == PS_OK) {
        fill_in(apply, change, of, candidate);
        err = ps_apply_begin(apply, candidate, change->who, done, done_ctx, diag);
    }
    if (err != PS_OK) {
        ps_candidate_free(candidate);
    }
    return err;
}

static PsErr upload(uint64_t id, const char *who, const char *text, size_t len, uint64_t *ret_id,
                    void *ctx, PsDiag *diag) {
    PsApply *apply = ctx;
    return ps_uploads_add(&apply->uploads, id, who, text, len, ps_mono_now(), ret_id, diag);
}

static PsErr confirm(const char *who, PsApiChangeDone *done, void *done_ctx, void *ctx,
                     PsDiag *diag) {
    PsApply *apply = ctx;
    if (apply->probation.number == 0) {
        return ps_fail(PS_ERR_NOT_FOUND, diag, "confirm", NULL,
                       "no revision is being tried out; there is nothing to confirm");
    }
    return ps_apply_begin(apply, NULL, who, done, done_ctx, diag);
}

// One that comes while something else is being done is obeyed after it: the folder may have changed
// since it was read.
static void hang_up(PsApply *apply) {
    PsApiChange change = {.who = "SIGHUP", .why = ""};
    PsDiag diag = {0};
    apply->hung_up = apply->job != NULL;
    if (apply->hung_up || apply->closing) {
        return;
    }
    PS_LOGI("REVISION", "SIGHUP: the configuration folder is applied");
    if (change_it(&change, NULL, NULL, apply, &diag) != PS_OK) {
        char text[sizeof diag];
        ps_diag_format(&diag, text, sizeof text);
        PS_LOGE("REVISION-REFUSED", "a change by SIGHUP is refused: %s", text);
    }
}

static void on_hangup(uv_signal_t *handle, int number) {
    hang_up(handle->data);
}

// --- life ---------------------------------------------------------------------------------------

void ps_apply_refresh(PsApply *apply) {
    const PsRevisionStore *store = apply->tools.store;
    json_decref(apply->list);
    apply->list = json_array();
    apply->running = (PsRevision){0};
    for (size_t i = store != NULL ? ps_revision_store_count(store) : 0; i > 0; i--) {
        json_array_append_new(apply->list, ps_revision_json(ps_revision_store_at(store, i - 1)));
    }
    if (store != NULL && ps_revision_store_newest(store) != NULL) {
        apply->running = *ps_revision_store_newest(store);
    }
}

static void load_probation(PsApply *apply) {
    if (apply->tools.store == NULL) {
        return;
    }
    ps_probation_load(ps_revision_store_folder(apply->tools.store), &apply->probation);
    if (apply->probation.number != apply->running.number) {
        ps_probation_deinit(&apply->probation); // of a revision that is not the newest any more
    }
}

PsApply *ps_apply_new(const PsApplySetup *setup) {
    PsApply *apply = ps_alloc(sizeof *apply);
    apply->setup = *setup;
    apply->folder = ps_strdup(setup->start->config->folder);
    snprintf(apply->problem, sizeof apply->problem, "%s", setup->start->problem);
    apply->setup.start = NULL; // looked at here only
    apply->tools = (PsCandidateTools){
        .store = setup->start->store,
        .folder = apply->folder,
        .script_program = setup->script_program,
        .check_for = setup->check_for,
        // What stands in for a broken folder may be an older one.
        .running = setup->start->problem[0] == '\0' ? setup->start->config : NULL};
    apply->changes = (PsApiChanges){.ctx = apply,
                                    .change = change_it,
                                    .upload = upload,
                                    .confirm = confirm,
                                    .revision = ps_apply_revision,
                                    .revisions = ps_apply_revisions,
                                    .progress = ps_apply_progress,
                                    .running = ps_apply_running};
    uv_signal_init(setup->loop, &apply->hangup);
    uv_timer_init(setup->loop, &apply->timer);
    apply->hangup.data = apply->timer.data = apply;
    uv_signal_start(&apply->hangup, on_hangup, SIGHUP);
    ps_apply_refresh(apply);
    load_probation(apply);
    ps_apply_arm(apply, setup->grace_ms > 0 ? setup->grace_ms : PS_APPLY_GRACE_MS);
    return apply;
}

const PsApiChanges *ps_apply_changes(PsApply *apply) {
    return &apply->changes;
}

void ps_apply_close(PsApply *apply) {
    if (apply != NULL) {
        apply->closing = true;
        uv_close((uv_handle_t *)&apply->hangup, NULL);
        uv_close((uv_handle_t *)&apply->timer, NULL);
    }
}

void ps_apply_free(PsApply *apply) {
    if (apply == NULL) {
        return;
    }
    ps_revision_store_close(apply->tools.store);
    ps_uploads_deinit(&apply->uploads);
    ps_probation_deinit(&apply->probation);
    json_decref(apply->list);
    free(apply->folder);
    free(apply);
}
