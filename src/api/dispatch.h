//! From a request to the route and arguments of a call, or to the problem it is answered with:
//! path, guard, identity, role, CSRF, query, body, in this order. Pure: who is asking was found out
//! before. Inside src/api only. See tests/fuzz/fuzz_api_request.c.
#pragma once

#include "api/match.h"
#include "http/guard.h"

#include <jansson.h>

/// A request, borrowed.
typedef struct PsDispatchRequest {
    const char *method;
    const char *target;
    const char *(*header)(const char *name, void *ctx); ///< NULL when it has none
    void *ctx;
    bool local;                 ///< from the Unix socket: no guard
    const PsGuardRules *rules;  ///< unless local
    const PsIdentity *identity; ///< PS_ROLE_NONE for nobody
    bool head_only;             ///< the body is not there yet, or will not come
    const void *body;
    size_t body_len;
} PsDispatchRequest;

/// How it came out.
typedef struct PsDispatch {
    PsTarget target;
    PsApiMatch match;  ///< its route is NULL with most problems
    json_t *arguments; ///< NULL with a problem and when head_only
    json_t *body;      ///< likewise
    int status;        ///< of the problem; 0: none
    PsErr err;
    PsDiag diag;
} PsDispatch;

/// False: there is a problem.
bool ps_dispatch(const PsDispatchRequest *request, PsDispatch *ret_dispatch);
/// Gives arguments and body up.
void ps_dispatch_deinit(PsDispatch *dispatch);
/// Is the target one of the API's, not a page's?
bool ps_dispatch_is_api(const char *target);
