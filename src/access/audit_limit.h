//! How many refusals the audit log takes: a hundred at once, one a second in the long run. Those
//! left out are counted. Pure: times come in.
#pragma once

#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct PsAuditLimit {
    double used; ///< of the hundred
    PsMono last;
    uint64_t left_out;
} PsAuditLimit;

/// May one more be written? Else it is counted as left out.
bool ps_audit_limit_take(PsAuditLimit *limit, PsMono now);
