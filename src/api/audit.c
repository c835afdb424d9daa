// Handler of the audit log. Main thread; the files are read on a worker thread.
#include "api/handlers_access.h"

void ps_api_audit(PsApiCall *call) {
    PsAccess *access = ps_api_access_of(call);
    if (access == NULL) {
        return;
    }
    PsAuditQuery query = {
        .before = ps_api_call_integer(call, "before", 0),
        .after = ps_api_call_integer(call, "after", -1),
        .limit = (int)ps_api_call_integer(call, "limit", 50),
        .who = ps_api_call_text(call, "who"),
        .what = ps_api_call_text(call, "what"),
        .search = ps_api_call_text(call, "search"),
    };
    ps_access_audit_find(access, &query, ps_api_access_done, call);
}
