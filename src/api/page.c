// The web interface's files. Loop thread; a file is read at its first use.
#include "api/page.h"

#include "api/answer.h"
#include "api/call_private.h"
#include "api/problem.h"

#include <string.h>

// Ant Design makes its styles while it runs; scripts come from here alone.
#define POLICY                                                                                     \
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' "     \
    "data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "            \
    "frame-ancestors 'none'"
#define KEPT_MAX ((size_t)8 * 1024 * 1024)

PsHttpFiles *ps_api_page_files(const char *folder) {
    return ps_http_files_new(folder, POLICY, KEPT_MAX);
}

static void refuse(PsHttpRequest *request, int status, const char *field, const char *text) {
    PsDiag diag = {0};
    PsErr err = status == 404 ? PS_ERR_NOT_FOUND : status == 403 ? PS_ERR_DENIED : PS_ERR_INVALID;
    PsHttpHeader allow = {"Allow", "GET, HEAD"};
    ps_diag_set(&diag, "request", field, "%s", text);
    ps_api_answer_json(request, status, &allow, status == 405 ? 1 : 0, PS_PROBLEM_TYPE,
                       ps_problem_json(status, err, &diag, NULL));
}

void ps_api_page(const PsApi *api, PsHttpRequest *request, const PsHttpPeer *peer) {
    const char *method = ps_http_method(request);
    PsGuardFacts facts = {.method = method, .host = ps_http_header(request, "Host")};
    const char *objection = peer->local ? NULL : ps_guard_objects(ps_web_guard(api->web), &facts);
    PsTarget target;
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        refuse(request, 405, "method", "a page can only be read; the API is below " PS_API_PREFIX);
    } else if (objection != NULL) {
        refuse(request, 403, "Host", objection);
    } else if (ps_target_read(ps_http_target(request), &target) != PS_OK) {
        refuse(request, 400, "path", "is not correctly percent-encoded UTF-8");
    } else if (api->pages == NULL) {
        refuse(request, 404, "path",
               "the pages are not installed; the API is below " PS_API_PREFIX);
    } else {
        ps_http_files_answer(api->pages, request, &target, 0);
    }
}
