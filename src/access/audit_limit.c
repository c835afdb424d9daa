// The measure of refusals. Pure.
#include "access/audit_limit.h"

#define AT_ONCE 100.0

bool ps_audit_limit_take(PsAuditLimit *limit, PsMono now) {
    limit->used -= (double)(now.ns - limit->last.ns) / (double)PS_NS_PER_S;
    limit->used = limit->used > 0 ? limit->used : 0;
    limit->last = now;
    if (limit->used + 1 > AT_ONCE) {
        limit->left_out++;
        return false;
    }
    limit->used += 1;
    return true;
}
