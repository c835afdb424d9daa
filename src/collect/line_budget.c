// Arithmetic of the account. Pure; any thread, one owner per object.
#include "collect/line_budget.h"

#define MOST_NS PS_NS_PER_S

void ps_line_budget_fill(PsLineBudget *budget, PsMono now) {
    *budget = (PsLineBudget){.balance_ns = MOST_NS, .at = now};
}

static int64_t balance_at(const PsLineBudget *budget, PsMono now) {
    int64_t balance = budget->balance_ns + ps_mono_diff_ns(now, budget->at) / PS_LINE_BUDGET_SHARE;
    return balance < MOST_NS ? balance : MOST_NS;
}

void ps_line_budget_pay(PsLineBudget *budget, PsMono now, int64_t cost_ns) {
    int64_t before = balance_at(budget, now);
    int64_t after = before - cost_ns;
    int64_t least = before < -cost_ns ? before : -cost_ns;
    budget->balance_ns = after > least ? after : least;
    budget->at = now;
}

PsMono ps_line_budget_free_at(const PsLineBudget *budget) {
    int64_t missing = budget->balance_ns < 0 ? -budget->balance_ns : 0;
    return ps_mono_add_ns(budget->at, missing * PS_LINE_BUDGET_SHARE);
}
