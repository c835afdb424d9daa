// The web interface's files. Main thread; never blocks.
#include "api/page.h"

#include "api/answer.h"
#include "api/problem.h"

void ps_api_page(const PsApi *api, PsHttpRequest *request, const PsHttpPeer *peer) {
    (void)api;
    (void)peer;
    PsDiag diag = {0};
    PsErr err = ps_fail(PS_ERR_NOT_FOUND, &diag, "request", "path",
                        "there is no such page; the API is below " PS_API_PREFIX);
    ps_api_answer_json(request, 404, NULL, 0, PS_PROBLEM_TYPE,
                       ps_problem_json(404, err, &diag, NULL));
}
