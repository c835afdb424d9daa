//! Reads what a plan asks for and finds out, when a device refuses a request, why: a place that it
//! does not have, a border that no request may cross, or more items than it gives at a time. What
//! is there is read in the same call; what was found goes to the learned map, and the plan is
//! packed around it from the next call on. Pure but for what the asker does; one owner.
#pragma once

#include "drivers/modbus/plan.h"

/// How requests get out and answers in.
typedef struct PsModbusAsker {
    /// PS_OK: the values of its places have come. PS_ERR_REFUSED with the exception's code. `diag`
    /// names the request. A request wider than the device gives is asked in portions.
    PsErr (*ask)(void *ctx, const PsModbusRequest *request, int *ret_exception, PsDiag *diag);
    /// Takes the items of the request that was answered last.
    void (*answered)(void *ctx, const PsModbusRequest *request);
    void (*refused)(void *ctx, const PsModbusItem *item);
    /// What to tell people about a hole that is not asked for.
    void (*tell)(void *ctx, const PsLearnedHole *hole, PsDiag *diag);
    /// May a search go on that has taken so many requests?
    bool (*may_search)(void *ctx, uint32_t requests);
    void *ctx;
} PsModbusAsker;

typedef struct PsModbusReading {
    PsModbusPlan *plan;
    PsLearned *learned;
    uint32_t slave;
    PsMono now;
    PsWall wall;
    const PsModbusAsker *asker;
} PsModbusReading;

/// PS_OK: each item was given to `answered` or `refused` once, and the first refusal is in `diag`,
/// whose text is "" when there was none. Otherwise what the asker said: a device that is silent
/// teaches nothing. At most one hole that is due is tried again; more while they are answered.
PsErr ps_modbus_read_plan(const PsModbusReading *reading, PsDiag *diag);
