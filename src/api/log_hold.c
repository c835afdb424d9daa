// Sets the log level and takes it back. Main thread; never blocks.
#include "api/log_hold.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

struct PsLogHold {
    uv_timer_t timer;
    PsWall until; // 0: not for a time
    PsLogLevel then;
};

PsLogHold *ps_log_hold_new(uv_loop_t *loop) {
    PsLogHold *hold = ps_alloc(sizeof *hold);
    uv_timer_init(loop, &hold->timer);
    hold->timer.data = hold;
    return hold;
}

static void on_closed(uv_handle_t *handle) {
    free(handle->data);
}

void ps_log_hold_close(PsLogHold *hold) {
    if (hold != NULL) {
        uv_close((uv_handle_t *)&hold->timer, on_closed);
    }
}

// Said while the more talkative level of the two holds, so that it is seen.
static void change(PsLogLevel level, const char *why) {
    PsLogLevel before = ps_log_level();
    ps_log_set_level(level < before ? level : before);
    PS_LOGI("LOG-LEVEL", "log level %s -> %s %s", ps_log_level_name(before),
            ps_log_level_name(level), why);
    ps_log_set_level(level);
}

static void on_timer(uv_timer_t *timer) {
    PsLogHold *hold = timer->data;
    hold->until = (PsWall){0};
    change(hold->then, "again: the time it was changed for is over");
}

PsErr ps_log_hold_set(PsLogHold *hold, PsLogLevel level, int64_t seconds, const char *who,
                      PsDiag *diag) {
    if (seconds < 0 || seconds > PS_LOG_HOLD_MAX_S) {
        return ps_fail(PS_ERR_RANGE, diag, "log level", "seconds",
                       "can be changed for 1 second to %d days, or without a time until the "
                       "restart",
                       PS_LOG_HOLD_MAX_S / 86400);
    }
    char why[256];
    char stamp[PS_STAMP_SIZE];
    if (seconds == 0) {
        hold->until = (PsWall){0};
        uv_timer_stop(&hold->timer);
        snprintf(why, sizeof why, "until the restart, by %s", who);
    } else {
        hold->then = hold->until.ns == 0 ? ps_log_level() : hold->then;
        hold->until.ns = ps_wall_now().ns + seconds * PS_NS_PER_S;
        ps_wall_format(hold->until, stamp, sizeof stamp);
        uv_update_time(hold->timer.loop);
        uv_timer_start(&hold->timer, on_timer, (uint64_t)seconds * 1000, 0);
        snprintf(why, sizeof why, "until %s, by %s", stamp, who);
    }
    change(level, why);
    return PS_OK;
}

void ps_log_hold_configure(PsLogHold *hold, PsLogLevel level) {
    if (hold->until.ns != 0) {
        hold->then = level;
    } else {
        ps_log_set_level(level);
    }
}

bool ps_log_hold_ends(const PsLogHold *hold, PsWall *ret_until, PsLogLevel *ret_then) {
    if (hold->until.ns == 0) {
        return false;
    }
    *ret_until = hold->until;
    *ret_then = hold->then;
    return true;
}
