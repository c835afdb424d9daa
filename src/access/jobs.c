// The queue of log-ins and changes, and the way of each: begin, worker, judge, disk, finish. Thread
// of the loop, except `work_out` and `work_write`.
#include "access/access_private.h"

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

PsAccessJob *ps_access_job_new(PsAccess *access, const PsAccessJobKind *kind, PsAccessDone *done,
                               void *ctx) {
    PsAccessJob *job = ps_alloc(sizeof *job);
    job->access = access;
    job->kind = kind;
    job->done = done;
    job->ctx = ctx;
    return job;
}

static void free_job(PsAccessJob *job) {
    ps_secret_free(job->password);
    ps_secret_free(job->fresh);
    ps_secret_free(job->text);
    free(job->draft);
    json_decref(job->answer.json);
    ps_secret_wipe(job, sizeof *job);
    free(job);
}

static void answer(PsAccessJob *job) {
    if (job->done != NULL) {
        job->done(&job->answer, job->ctx);
    }
    free_job(job);
}

void ps_access_job_refuse(PsAccessJob *job, PsErr err) {
    job->answer.err = err;
    answer(job);
}

size_t ps_access_jobs_from(const PsAccess *access, const char *from) {
    size_t count = access->running != NULL && access->running->kind->anonymous &&
                   strcmp(access->running->from, from) == 0;
    for (const PsAccessJob *job = access->first; job != NULL; job = job->next) {
        count += job->kind->anonymous && strcmp(job->from, from) == 0;
    }
    return count;
}

PsAccounts *ps_access_draft(PsAccessJob *job) {
    job->draft = ps_alloc(sizeof *job->draft);
    *job->draft = *job->access->accounts;
    return job->draft;
}

// ---- the way of a job

static void next_job(PsAccess *access);

static void end_job(PsAccess *access, PsAccessJob *job, PsErr err) {
    access->running = NULL;
    job->answer.err = err;
    answer(job);
    next_job(access);
}

static void work_write(uv_work_t *request) {
    PsAccess *access = request->data;
    PsAccessJob *job = access->running;
    job->written =
        ps_file_write(access->path, job->text, strlen(job->text), 0600, &job->answer.diag);
}

static void on_written(uv_work_t *request, int status) {
    PsAccess *access = request->data;
    PsAccessJob *job = access->running;
    if (job->written != PS_OK) {
        char text[sizeof job->answer.diag];
        ps_diag_format(&job->answer.diag, text, sizeof text);
        PS_LOGE("ACCESS", "%s; nothing about users and tokens is changed", text);
        end_job(access, job, job->written);
        return;
    }
    bool before = ps_access_is_set_up(access);
    ps_accounts_take_times(job->draft, access->accounts); // noted meanwhile
    PsAccounts *former = access->accounts;
    access->accounts = job->draft;
    job->draft = NULL;
    free(former);
    if (job->kind->finish != NULL) {
        job->kind->finish(job);
    }
    ps_access_say_set_up(access, before);
    end_job(access, job, PS_OK);
}

static void work_out(uv_work_t *request) {
    PsAccess *access = request->data;
    PsAccessJob *job = access->running;
    if (job->compare) {
        job->fits = ps_password_fits(job->password, job->hash[0] != '\0' ? job->hash : NULL);
    }
    if (job->make) {
        job->made_result = ps_password_hash(job->fresh, job->made);
    }
}

static void judge(PsAccess *access, PsAccessJob *job) {
    PsErr err = job->made_result;
    if (err != PS_OK) {
        ps_diag_set(&job->answer.diag, "user", "password",
                    "the system's crypt library makes no yescrypt hash");
    } else if (job->kind->judge != NULL) {
        err = job->kind->judge(job);
    }
    if (err != PS_OK || job->draft == NULL) {
        end_job(access, job, err);
        return;
    }
    job->text = ps_accounts_write(job->draft);
    PS_ASSERT(uv_queue_work(access->loop, &access->request, work_write, on_written) == 0);
}

static void on_worked_out(uv_work_t *request, int status) {
    PsAccess *access = request->data;
    judge(access, access->running);
}

static void next_job(PsAccess *access) {
    PsAccessJob *job = access->first;
    if (access->running != NULL) {
        return;
    }
    if (job == NULL) {
        if (access->closing) {
            ps_access_end(access);
        }
        return;
    }
    access->first = job->next;
    access->job_count--;
    access->running = job;
    if (job->kind->begin != NULL) {
        job->kind->begin(job);
    }
    PS_ASSERT(uv_queue_work(access->loop, &access->request, work_out, on_worked_out) == 0);
}

static size_t anonymous_count(const PsAccess *access) {
    size_t count = 0;
    for (const PsAccessJob *job = access->first; job != NULL; job = job->next) {
        count += job->kind->anonymous;
    }
    return count;
}

void ps_access_job_put(PsAccessJob *job) {
    PsAccess *access = job->access;
    if (access->closing) {
        ps_diag_set(&job->answer.diag, "gateway", NULL, "is stopping; ask again later");
        ps_access_job_refuse(job, PS_ERR_CANCELLED);
        return;
    }
    if (access->problem != PS_OK) {
        job->answer.diag = access->problem_diag;
        ps_access_job_refuse(job, access->problem);
        return;
    }
    if (access->job_count >= PS_ACCESS_JOBS_MAX ||
        (job->kind->anonymous && anonymous_count(access) >= PS_ACCESS_JOBS_MAX / 2)) {
        ps_diag_set(&job->answer.diag, "gateway", NULL,
                    "has many log-ins and changes of users to work on; try again in a moment");
        job->answer.retry_after_s = 2;
        if (job->counted) {
            ps_throttle_take_back(&access->throttle, job->name, job->from);
        }
        ps_access_job_refuse(job, PS_ERR_BUSY);
        return;
    }
    PsAccessJob **place = &access->first;
    while (*place != NULL) {
        place = &(*place)->next;
    }
    *place = job;
    access->job_count++;
    next_job(access);
}
