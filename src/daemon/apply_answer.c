// What people and programs are told about changes. Main thread; the difference of an old revision
// is read on a worker thread.
#include "base/mem.h"
#include "daemon/apply_private.h"

#include <stdlib.h>
#include <string.h>

static json_t *lines_json(const char *text) {
    json_t *list = json_array();
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        json_array_append_new(list, json_stringn(text, len));
        text += len + (text[len] == '\n');
    }
    return list;
}

json_t *ps_apply_probation_json(const PsApply *apply) {
    const PsProbation *probation = &apply->probation;
    if (probation->number == 0) {
        return json_null();
    }
    return json_pack("{s:I, s:I, s:s, s:s, s:f}", "number", (json_int_t)probation->number, "back",
                     (json_int_t)probation->back, "stays_if",
                     probation->healthy ? "healthy" : "confirmed", "who", probation->who, "left_s",
                     (double)ps_apply_left_ms(apply) / 1000);
}

json_t *ps_apply_answer(const PsApply *apply, const PsCandidate *candidate, const char *restarted) {
    const json_t *changes = json_object_get(candidate->difference, "changes");
    bool refused = candidate->result != PS_OK;
    bool made = !refused && candidate->revision.number != 0;
    const char *result = refused                         ? "refused"
                         : json_array_size(changes) == 0 ? "unchanged"
                         : made                          ? "applied"
                                                         : "dry_run";
    json_t *json = json_pack(
        "{s:s, s:s, s:o, s:I, s:I}", "result", result, "text", candidate->diag.text, "findings",
        ps_findings_json(&candidate->findings), "findings_not_listed",
        (json_int_t)candidate->findings.dropped, "running", (json_int_t)apply->running.number);
    json_object_set(json, "difference", candidate->difference);
    if (made) {
        json_object_set_new(json, "revision", ps_revision_json(&candidate->revision));
        json_object_set_new(json, "restarted", lines_json(restarted));
        json_object_set_new(json, "switched", json_boolean(apply->setup.switch_to != NULL));
        json_object_set_new(json, "probation", ps_apply_probation_json(apply));
    }
    return json;
}

json_t *ps_apply_running(void *ctx) {
    const PsApply *apply = ctx;
    json_t *json = apply->running.number > 0 ? ps_revision_json(&apply->running) : json_object();
    json_object_set_new(json, "problem", json_string(apply->problem));
    json_object_set_new(json, "probation", ps_apply_probation_json(apply));
    return json;
}

json_t *ps_apply_progress(void *ctx) {
    const PsApply *apply = ctx;
    const PsApplyJob *job = apply->job;
    if (job == NULL) {
        return json_pack("{s:b, s:o}", "busy", 0, "probation", ps_apply_probation_json(apply));
    }
    const char *step = job->candidate != NULL
                           ? ps_candidate_step_name(atomic_load(&job->candidate->step))
                           : "confirming";
    return json_pack("{s:b, s:s, s:f, s:s, s:o}", "busy", 1, "who", job->who, "since",
                     ps_wall_seconds(job->begun), "step", step, "probation",
                     ps_apply_probation_json(apply));
}

json_t *ps_apply_revisions(void *ctx) {
    const PsApply *apply = ctx;
    return json_pack("{s:O, s:I, s:s, s:o}", "revisions", apply->list, "running",
                     (json_int_t)apply->running.number, "problem", apply->problem, "progress",
                     ps_apply_progress(ctx));
}

// --- one of them --------------------------------------------------------------------------------

typedef struct Reading {
    PsApply *apply;
    uv_work_t work;
    uint32_t number;
    json_t *revision;
    json_t *difference;
    PsApiChangeDone *done;
    void *done_ctx;
} Reading;

static void read_difference(uv_work_t *work) {
    Reading *reading = work->data;
    reading->difference = ps_revision_difference(
        ps_revision_store_folder(reading->apply->tools.store), reading->number);
}

static void on_read(uv_work_t *work, int status) {
    Reading *reading = work->data;
    PsDiag none = {0};
    json_object_set_new(reading->revision, "difference",
                        reading->difference != NULL ? reading->difference : json_null());
    reading->done(PS_OK, &none, reading->revision, reading->done_ctx);
    free(reading);
}

static json_t *find_kept(const PsApply *apply, uint32_t number) {
    size_t index;
    json_t *row;
    json_array_foreach(apply->list, index, row) {
        if (json_integer_value(json_object_get(row, "number")) == number) {
            return row;
        }
    }
    return NULL;
}

PsErr ps_apply_revision(uint32_t number, PsApiChangeDone *done, void *done_ctx, void *ctx,
                        PsDiag *diag) {
    PsApply *apply = ctx;
    json_t *row = find_kept(apply, number);
    if (row == NULL || apply->closing) {
        return ps_fail(PS_ERR_NOT_FOUND, diag, "revision", NULL,
                       "%u is not kept; 'penstock revisions' lists those that are", number);
    }
    Reading *reading = ps_alloc(sizeof *reading);
    *reading = (Reading){.apply = apply,
                         .number = number,
                         .revision = json_copy(row),
                         .done = done,
                         .done_ctx = done_ctx};
    reading->work.data = reading;
    int failure = uv_queue_work(apply->setup.loop, &reading->work, read_difference, on_read);
    PS_ASSERT(failure == 0); // it only fails without a function
    return PS_OK;
}
