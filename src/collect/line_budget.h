//! What devices that do not answer may cost the others on their line: a twentieth of the time. Each
//! time they were waited for is paid from an account that fills with the time that passes, and
//! while it is overdrawn none of them is tried. Pure: time comes in. One owner per object.
#pragma once

#include "base/time.h"

#include <stdbool.h>

#define PS_LINE_BUDGET_SHARE 20 ///< one in so many

typedef struct PsLineBudget {
    int64_t balance_ns; ///< at `at`
    PsMono at;
} PsLineBudget;

/// Full again: one second, so that the first silences do not have to be saved for.
void ps_line_budget_fill(PsLineBudget *budget, PsMono now);

/// The line was held up for so long until `now`. Several at once are paid for as the dearest of
/// them: a power cut that takes half of the devices is no reason to leave them alone for minutes.
void ps_line_budget_pay(PsLineBudget *budget, PsMono now, int64_t cost_ns);

/// From when on there is something in the account.
PsMono ps_line_budget_free_at(const PsLineBudget *budget);
