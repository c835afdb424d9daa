// The call `whoami`. Main thread.
#include "api/handlers_system.h"

void ps_api_whoami(PsApiCall *call) {
    const PsIdentity *identity = ps_api_call_identity(call);
    char name[PS_ACCOUNT_NAME_MAX + 1];
    ps_api_call_user(call, name, sizeof name);
    ps_api_call_reply(call, json_pack("{s:s, s:s, s:s}", "name", name, "role",
                                      ps_role_name(identity->role), "by", identity->by));
}
