// Handlers of the first administrator: is one needed, the code, making him. Main thread.
#include "api/handlers_access.h"
#include "api/values.h"

void ps_api_setup(PsApiCall *call) {
    PsAccess *access = ps_api_access_of(call);
    if (access == NULL) {
        return;
    }
    PsDiag diag = {0};
    bool broken = ps_access_problem(access, &diag) != PS_OK;
    bool done = ps_access_is_set_up(access);
    json_t *result = json_pack("{s:b, s:b}", "needed", !done && !broken, "loopback_only", !done);
    if (broken) { // whoever may read more finds it in the log
        json_object_set_new(result, "problem",
                            json_string("the accounts cannot be read; the log says what to do"));
    }
    ps_api_call_reply(call, result);
}

void ps_api_setup_code(PsApiCall *call) {
    PsAccess *access = ps_api_access_of(call);
    if (access == NULL) {
        return;
    }
    char code[PS_SETUP_CODE_SIZE];
    char who[2 * PS_ACCOUNT_NAME_MAX + 16];
    PsWall expires;
    PsDiag diag = {0};
    PsErr err = ps_access_setup_code(access, code, sizeof code, &expires, &diag);
    if (err != PS_OK) {
        ps_api_call_fail(call, err, &diag);
        return;
    }
    ps_api_call_user(call, who, sizeof who);
    ps_access_audit(access, who, ps_api_call_peer_address(call), "getSetupCode", "", "ok", NULL);
    ps_api_call_reply(call, json_pack("{s:s, s:o}", "code", code, "expires", ps_api_time(expires)));
}

static void on_set_up(const PsAccessAnswer *answer, void *ctx) {
    PsApiCall *call = ctx;
    ps_api_session_audit(call, answer, ps_api_call_text(call, "name"));
    if (answer->err == PS_OK) {
        ps_api_session_begun(call, answer);
    } else {
        ps_api_access_fail(call, answer);
    }
}

void ps_api_set_up(PsApiCall *call) {
    PsAccess *access = ps_api_access_of(call);
    if (access == NULL) {
        return;
    }
    if (!ps_api_call_is_loopback(call)) {
        PsDiag diag = {0};
        ps_diag_set(&diag, "set-up", NULL, "is possible on the gateway itself only (loopback)");
        ps_api_call_fail(call, PS_ERR_DENIED, &diag);
        return;
    }
    ps_access_set_up(access, ps_api_call_text(call, "code"), ps_api_call_text(call, "name"),
                     ps_api_call_text(call, "password"), ps_api_call_peer_address(call), on_set_up,
                     call);
}
