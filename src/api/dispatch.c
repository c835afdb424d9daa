// The steps between a request and its handler. Pure.
#include "api/dispatch.h"

#include "api/arguments.h"

#include <stdio.h>
#include <string.h>

#define METRICS "/metrics" // where Prometheus looks

static bool problem(PsDispatch *dispatch, int status, PsErr err) {
    dispatch->status = status;
    dispatch->err = err;
    return false;
}

bool ps_dispatch_is_api(const char *target) {
    size_t len = strcspn(target, "?");
    return strncmp(target, "/api/", 5) == 0 || (len == 4 && strncmp(target, "/api", 4) == 0) ||
           (len == sizeof METRICS - 1 && strncmp(target, METRICS, len) == 0);
}

static bool read_target(const PsDispatchRequest *request, PsDispatch *dispatch) {
    char alias[PS_TARGET_MAX + 1];
    const char *target = request->target;
    size_t len = strcspn(target, "?");
    if (len == sizeof METRICS - 1 && strncmp(target, METRICS, len) == 0 &&
        strlen(target) + sizeof PS_API_PREFIX <= sizeof alias) {
        snprintf(alias, sizeof alias, "%s%s", PS_API_PREFIX, target);
        target = alias;
    }
    PsErr err = ps_target_read(target, &dispatch->target);
    if (err != PS_OK) {
        return problem(dispatch, err == PS_ERR_TOO_BIG ? 414 : 400,
                       ps_fail(err, &dispatch->diag, "request", "path",
                               err == PS_ERR_TOO_BIG ? "is too long"
                                                     : "is not correctly percent-encoded UTF-8"));
    }
    return true;
}

static bool find_route(const PsDispatchRequest *request, PsDispatch *dispatch) {
    if (!ps_api_match(&dispatch->target, request->method, request->local, &dispatch->match)) {
        return problem(dispatch, 404,
                       ps_fail(PS_ERR_NOT_FOUND, &dispatch->diag, "request", "path",
                               "is not one of this API; %s/reference lists them", PS_API_PREFIX));
    }
    if (dispatch->match.route == NULL) {
        return problem(dispatch, 405,
                       ps_fail(PS_ERR_INVALID, &dispatch->diag, "request", "method",
                               "%.16s is not possible here; use %s", request->method,
                               dispatch->match.allow));
    }
    return true;
}

static bool check_guard(const PsDispatchRequest *request, PsDispatch *dispatch) {
    if (request->local) {
        return true;
    }
    PsGuardFacts facts = {.method = request->method,
                          .host = request->header("Host", request->ctx),
                          .origin = request->header("Origin", request->ctx),
                          .fetch_site = request->header("Sec-Fetch-Site", request->ctx)};
    const char *why = ps_guard_objects(request->rules, &facts);
    return why == NULL ||
           problem(dispatch, 403,
                   ps_fail(PS_ERR_DENIED, &dispatch->diag, "request", NULL, "%s", why));
}

static bool is_safe(const char *method) {
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static bool check_identity(const PsDispatchRequest *request, PsDispatch *dispatch) {
    const PsIdentity *identity = request->identity;
    const PsApiRoute *route = dispatch->match.route;
    if ((route->flags & PS_API_PUBLIC) != 0) {
        return true;
    }
    if (identity->role == PS_ROLE_NONE) {
        return problem(dispatch, 401,
                       ps_fail(PS_ERR_DENIED, &dispatch->diag, "request", "Authorization",
                               "log in first, or give an API token"));
    }
    if (identity->role < route->role) {
        return problem(dispatch, 403,
                       ps_fail(PS_ERR_DENIED, &dispatch->diag, identity->name, "role",
                               "this needs the role %s; ask an administrator",
                               ps_role_name(route->role)));
    }
    bool session = strcmp(identity->by, "session") == 0;
    if (session && !is_safe(request->method) &&
        !ps_access_csrf_fits(identity, request->header("X-CSRF-Token", request->ctx))) {
        return problem(dispatch, 403,
                       ps_fail(PS_ERR_DENIED, &dispatch->diag, "request", "X-CSRF-Token",
                               "must be the `csrf` of the session; load the page anew"));
    }
    return true;
}

static bool read_arguments(const PsDispatchRequest *request, PsDispatch *dispatch) {
    int status = 0;
    PsErr err = ps_arguments_of_target(&dispatch->match, &dispatch->target, &dispatch->arguments,
                                       &status, &dispatch->diag);
    if (err != PS_OK) {
        return problem(dispatch, status, err);
    }
    if (request->head_only) {
        return true;
    }
    err = ps_arguments_of_body(dispatch->match.route, request->header("Content-Type", request->ctx),
                               request->body, request->body_len, &dispatch->body, &status,
                               &dispatch->diag);
    if (err != PS_OK) {
        return problem(dispatch, status, err);
    }
    if (json_is_object(dispatch->body)) {
        json_object_update_missing(dispatch->arguments, dispatch->body);
    }
    return true;
}

bool ps_dispatch(const PsDispatchRequest *request, PsDispatch *ret_dispatch) {
    memset(ret_dispatch, 0, sizeof *ret_dispatch);
    bool good = read_target(request, ret_dispatch) && find_route(request, ret_dispatch) &&
                check_guard(request, ret_dispatch) && check_identity(request, ret_dispatch) &&
                read_arguments(request, ret_dispatch);
    if (!good) {
        ps_dispatch_deinit(ret_dispatch);
    }
    return good;
}

void ps_dispatch_deinit(PsDispatch *dispatch) {
    json_decref(dispatch->arguments);
    json_decref(dispatch->body);
    dispatch->arguments = NULL;
    dispatch->body = NULL;
}
