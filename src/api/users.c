// Handlers of the users: for administrators. Main thread.
#include "api/handlers_access.h"

#include <stdio.h>

// What a change is about, for the audit log: "role=engineer, password, disabled".
static void note(PsApiCall *call, const char *object) {
    const json_t *arguments = ps_api_call_arguments(call);
    const json_t *disabled = json_object_get(arguments, "disabled");
    const char *role = ps_api_call_text(call, "role");
    char text[96];
    snprintf(text, sizeof text, "%s%s%s%s", role != NULL ? "role " : "", role != NULL ? role : "",
             ps_api_call_text(call, "password") != NULL ? ", password" : "",
             disabled == NULL         ? ""
             : json_is_true(disabled) ? ", disabled"
                                      : ", enabled");
    ps_api_call_note(call, object, text[0] == ',' ? text + 2 : text);
}

void ps_api_users(PsApiCall *call) {
    PsAccess *access = ps_api_access_read(call);
    if (access != NULL) {
        ps_api_call_reply(call, json_pack("{s:o}", "items", ps_access_users(access)));
    }
}

void ps_api_user_add(PsApiCall *call) {
    PsAccess *access = ps_api_access_of(call);
    if (access != NULL) {
        const char *name = ps_api_call_text(call, "name");
        note(call, name);
        ps_access_user_add(access, name, ps_role_of(ps_api_call_text(call, "role")),
                           ps_api_call_text(call, "password"), ps_api_access_done, call);
    }
}

void ps_api_user_change(PsApiCall *call) {
    PsAccess *access = ps_api_access_of(call);
    if (access == NULL) {
        return;
    }
    const char *name = ps_api_call_text(call, "user");
    const json_t *disabled = json_object_get(ps_api_call_arguments(call), "disabled");
    PsUserChange change = {
        .role = ps_role_of(ps_api_call_text(call, "role")),
        .password = ps_api_call_text(call, "password"),
        .disabled = disabled != NULL ? json_is_true(disabled) : -1,
    };
    note(call, name);
    ps_access_user_change(access, name, &change, ps_api_access_done, call);
}

void ps_api_user_remove(PsApiCall *call) {
    PsAccess *access = ps_api_access_of(call);
    if (access != NULL) {
        ps_access_user_remove(access, ps_api_call_text(call, "user"), ps_api_access_done, call);
    }
}
