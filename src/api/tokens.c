// Handlers of API tokens: one's own, for administrators everybody's. Main thread.
#include "api/handlers_access.h"

#include <stdio.h>
#include <string.h>

// Tokens that the command line makes belong to nobody's account.
static const char *owner_of(const PsApiCall *call) {
    return ps_api_call_is_local(call) ? "" : ps_api_call_identity(call)->name;
}

static bool sees_all(const PsApiCall *call) {
    return ps_api_call_role(call) == PS_ROLE_ADMINISTRATOR;
}

void ps_api_tokens(PsApiCall *call) {
    PsAccess *access = ps_api_access_read(call);
    if (access != NULL) {
        const char *owner = sees_all(call) ? NULL : owner_of(call);
        ps_api_call_reply(call, json_pack("{s:o}", "items", ps_access_tokens(access, owner)));
    }
}

void ps_api_token_add(PsApiCall *call) {
    PsAccess *access = ps_api_access_of(call);
    if (access == NULL) {
        return;
    }
    const char *name = ps_api_call_text(call, "name");
    const char *role = ps_api_call_text(call, "role");
    int64_t days = ps_api_call_integer(call, "days", 0);
    PsDiag diag = {0};
    // Otherwise a token could outlive its end, and a stolen one its removal.
    if (strcmp(ps_api_call_identity(call)->by, "token") == 0) {
        ps_diag_set(&diag, "token", NULL, "cannot make another token; log in to make one");
        ps_api_call_fail(call, PS_ERR_DENIED, &diag);
        return;
    }
    if (ps_role_of(role) > ps_api_call_role(call)) {
        ps_diag_set(&diag, "token", "role", "must not be more than your own role (%s)",
                    ps_role_name(ps_api_call_role(call)));
        ps_api_call_fail(call, PS_ERR_DENIED, &diag);
        return;
    }
    char detail[64];
    snprintf(detail, sizeof detail, "role %s, %d days", role, (int)days);
    ps_api_call_note(call, name, detail);
    ps_access_token_add(access, owner_of(call), name, ps_role_of(role), (int)days,
                        ps_api_access_done, call);
}

void ps_api_token_remove(PsApiCall *call) {
    PsAccess *access = ps_api_access_of(call);
    if (access != NULL) {
        ps_access_token_remove(access, sees_all(call) ? NULL : owner_of(call),
                               ps_api_call_text(call, "id"), ps_api_access_done, call);
    }
}
