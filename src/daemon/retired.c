// Owns replaced configurations until their last holder has let go. Main thread; never blocks.
#include "daemon/retired.h"

#include "base/mem.h"

#include <stdlib.h>

struct PsConfigHold {
    PsConfigHold *next;
    PsRetired *retired;
    const PsConfig *present; // what is held
    PsConfig *owned;         // the same, once it was put
    size_t holders;
};

struct PsRetired {
    PsConfigHold *holds;
    uv_timer_t timer;
    bool settled; // it was trimmed once since the last change
    bool closed;
};

PsRetired *ps_retired_new(uv_loop_t *loop) {
    PsRetired *retired = ps_alloc(sizeof *retired);
    uv_timer_init(loop, &retired->timer);
    retired->timer.data = retired;
    return retired;
}

// What served the former configuration is given up in the moments after it, here and there.
#define TRIM_AFTER_MS 3000
// Scripts begin and are told their names at their own pace.
#define TRIM_AGAIN_MS 20000

static void sweep(PsRetired *retired, bool all) {
    for (PsConfigHold **at = &retired->holds; *at != NULL;) {
        PsConfigHold *hold = *at;
        if (hold->holders > 0 && !all) {
            at = &hold->next;
            continue;
        }
        *at = hold->next;
        ps_config_free(hold->owned);
        free(hold);
    }
}

static void on_trim(uv_timer_t *timer) {
    PsRetired *retired = timer->data;
    sweep(retired, false);
    ps_mem_trim();
    if (!retired->settled) {
        retired->settled = true;
        uv_timer_start(timer, on_trim, TRIM_AGAIN_MS, 0);
    }
}

static void on_timer(uv_timer_t *timer) {
    PsRetired *retired = timer->data;
    sweep(retired, false);
    retired->settled = false;
    uv_timer_start(timer, on_trim, TRIM_AFTER_MS, 0);
}

// From the loop, since whoever lets go is often about to free more that refers to it.
static void sweep_soon(PsRetired *retired) {
    if (!retired->closed) {
        uv_timer_start(&retired->timer, on_timer, 0, 0);
    }
}

void ps_retired_settle(PsRetired *retired) {
    sweep_soon(retired);
}

void ps_retired_close(PsRetired *retired) {
    retired->closed = true;
    uv_close((uv_handle_t *)&retired->timer, NULL);
}

void ps_retired_free(PsRetired *retired) {
    if (retired != NULL) {
        sweep(retired, true);
        free(retired);
    }
}

PsConfigHold *ps_retired_hold(PsRetired *retired, const PsConfig *config) {
    PsConfigHold *hold = retired->holds;
    while (hold != NULL && hold->present != config) {
        hold = hold->next;
    }
    if (hold == NULL) {
        hold = ps_alloc(sizeof *hold);
        *hold = (PsConfigHold){.next = retired->holds, .retired = retired, .present = config};
        retired->holds = hold;
    }
    hold->holders++;
    return hold;
}

void ps_retired_release(PsConfigHold *hold) {
    PS_ASSERT(hold->holders > 0);
    hold->holders--;
    sweep_soon(hold->retired);
}

void ps_retired_put(PsRetired *retired, PsConfig *config) {
    PsConfigHold *hold = ps_retired_hold(retired, config);
    hold->owned = config;
    ps_retired_release(hold);
}
