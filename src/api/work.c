// One job of a call on a thread of libuv's pool. Main thread.
#include "api/work.h"

#include "base/mem.h"

#include <stdlib.h>

typedef struct Job {
    uv_work_t request;
    PsApiCall *call;
    void (*work)(void *ctx);
    void (*done)(PsApiCall *call, void *ctx);
    void *ctx;
} Job;

static void run(uv_work_t *request) {
    Job *job = request->data;
    job->work(job->ctx);
}

static void on_run(uv_work_t *request, int status) {
    Job *job = request->data;
    job->done(job->call, job->ctx);
    free(job);
}

void ps_api_work(PsApiCall *call, void (*work)(void *ctx), void (*done)(PsApiCall *call, void *ctx),
                 void *ctx) {
    Job *job = ps_alloc(sizeof *job);
    *job = (Job){.call = call, .work = work, .done = done, .ctx = ctx};
    job->request.data = job;
    int failure = uv_queue_work(ps_api_call_sources(call)->loop, &job->request, run, on_run);
    PS_ASSERT(failure == 0); // it only fails without a function
}

PsApiHeld ps_api_hold(const PsApiCall *call) {
    const PsApiSources *sources = ps_api_call_sources(call);
    return (PsApiHeld){.config = sources->config,
                       .hold = sources->hold_config(sources->ctx),
                       .release = sources->release_config};
}

void ps_api_let_go(PsApiHeld *held) {
    if (held->release != NULL) {
        held->release(held->hold);
    }
    *held = (PsApiHeld){0};
}
