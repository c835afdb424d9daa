// The calls that describe the API, and say who is asking. Main thread.
#include "api/handlers_system.h"
#include "api/openapi.h"

void ps_api_openapi(PsApiCall *call) {
    ps_api_call_reply(call, ps_openapi_document());
}

void ps_api_reference(PsApiCall *call) {
    PS_AUTO_BUF PsBuf page = {0};
    ps_openapi_page(&page);
    ps_api_call_put_header(call, "Content-Security-Policy",
                           "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
                           "form-action 'none'; frame-ancestors 'none'");
    ps_api_call_reply_bytes(call, "text/html; charset=utf-8", page.data, page.len);
}

void ps_api_whoami(PsApiCall *call) {
    const PsIdentity *identity = ps_api_call_identity(call);
    char name[PS_ACCOUNT_NAME_MAX + 1];
    ps_api_call_user(call, name, sizeof name);
    ps_api_call_reply(call, json_pack("{s:s, s:s, s:s}", "name", name, "role",
                                      ps_role_name(identity->role), "by", identity->by));
}
