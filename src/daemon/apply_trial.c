// The end of the time a revision is tried out: it stays, or the former one runs again. Main thread.
#include "base/log.h"
#include "base/text.h"
#include "daemon/apply_private.h"
#include "daemon/health.h"

#include <stdio.h>

#define AGAIN_MS 60000 // when going back did not work

int64_t ps_apply_left_ms(const PsApply *apply) {
    PsProbationClock now = ps_probation_now();
    return ps_probation_left_ns(&apply->probation, &now) / PS_NS_PER_MS;
}

void ps_apply_arm(PsApply *apply, uint32_t grace_ms) {
    apply->overdue = false;
    if (apply->closing) {
        return;
    }
    if (apply->probation.number == 0) {
        uv_timer_stop(&apply->timer);
        return;
    }
    int64_t left = ps_apply_left_ms(apply);
    if (apply->probation.healthy && left < grace_ms) {
        left = grace_ms; // the cloud is not even connected yet
    }
    uv_timer_start(&apply->timer, ps_apply_on_timer, (uint64_t)left, 0);
}

static void go_back(PsApply *apply, const char *why) {
    PsCandidate *candidate = ps_candidate_new();
    PsDiag diag = {0};
    candidate->revision = (PsRevision){
        .kind = PS_REVISION_AUTOMATIC_REVERT, .of = apply->probation.back, .who = "penstockd"};
    ps_text_format(candidate->revision.why, sizeof candidate->revision.why, "%s", why);
    if (!apply->failed_back) {
        PS_LOGW("REVISION-BACK", "%s; revision %u runs again", why, apply->probation.back);
    }
    uv_timer_start(&apply->timer, ps_apply_on_timer, AGAIN_MS, 0);
    PsErr err = ps_apply_begin(apply, candidate, "penstockd", NULL, NULL, &diag);
    PS_ASSERT(err == PS_OK); // nothing is under way
}

static bool is_worse(const PsApply *apply, PsBuf *what) {
    json_t *now = apply->setup.health(apply->setup.ctx);
    bool worse = ps_health_is_worse(apply->probation.health, now, what);
    json_decref(now);
    return worse;
}

void ps_apply_on_timer(uv_timer_t *timer) {
    PsApply *apply = timer->data;
    PS_AUTO_BUF PsBuf what = {0};
    apply->overdue = apply->job != NULL;
    if (apply->overdue || apply->probation.number == 0) {
        return;
    }
    if (!apply->probation.healthy) {
        ps_buf_printf(&what, "revision %u was not confirmed in time", apply->probation.number);
        go_back(apply, (const char *)what.data);
    } else if (is_worse(apply, &what)) {
        PS_AUTO_BUF PsBuf why = {0};
        ps_buf_printf(&why, "with revision %u %s", apply->probation.number,
                      (const char *)what.data);
        go_back(apply, (const char *)why.data);
    } else {
        PsDiag diag = {0};
        PS_LOGI("REVISION", "revision %u stays: nothing is worse than before it",
                apply->probation.number);
        PsErr err = ps_apply_begin(apply, NULL, "penstockd", NULL, NULL, &diag);
        PS_ASSERT(err == PS_OK); // nothing is under way
    }
}
