// From a request to its handler and back to an answer, inside one transaction. Main thread.
#include "localcloud/rest/routes.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "http/target.h"
#include "localcloud/registry/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Match {
    const PsRestRoute *route; ///< NULL: none
    void *ctx;
    bool path_known; ///< with another method
} Match;

// Room for one request's texts.
typedef struct Work {
    PsTarget target;
    char joined[PS_TARGET_MAX + 1];
    PsRestCall call;
} Work;

static bool look_through(const PsRestRoutes *table, const char *method, Work *work, Match *match) {
    for (size_t i = 0; i < table->count; i++) {
        const PsRestRoute *route = &table->routes[i];
        const char *parameters[PS_REST_PARAMETERS] = {0};
        if (!ps_target_fits(&work->target, route->path, parameters, PS_REST_PARAMETERS,
                            work->joined)) {
            continue;
        }
        match->path_known = true;
        if (strcmp(route->method, method) == 0) {
            match->route = route;
            match->ctx = table->ctx;
            memcpy(work->call.parameters, parameters, sizeof parameters);
            return true;
        }
    }
    return false;
}

static Match find_route(const PsRestSetup *setup, const char *method, Work *work) {
    Match match = {0};
    for (size_t i = 0; i < setup->service_count; i++) {
        if (look_through(&setup->services[i], method, work, &match)) {
            return match;
        }
    }
    look_through(&ps_rest_routes, method, work, &match);
    return match;
}

static void fill_call(const PsRestSetup *setup, const PsRestRequest *request, Work *work,
                      void *ctx) {
    PsRestCall *call = &work->call;
    call->method = request->method;
    call->query_count = work->target.query_count;
    for (size_t i = 0; i < call->query_count; i++) {
        call->query[i] = (PsRestPair){work->target.query[i].name, work->target.query[i].value};
    }
    call->header = request->header;
    call->header_ctx = request->header_ctx;
    call->body = request->body;
    call->body_len = request->body_len;
    call->key = request->key;
    call->registry = setup->registry;
    call->cloud = setup->cloud;
    call->ctx = ctx;
}

bool ps_rest_needs_key(const PsRestSetup *setup, const PsRestRequest *request) {
    PS_AUTO_FREE Work *work = ps_alloc(sizeof *work);
    Match match = {0};
    if (ps_target_read(request->target, &work->target) == PS_OK) {
        match = find_route(setup, request->method, work);
    }
    return match.route != NULL && match.route->needs_key;
}

static PsApiCode handle(const PsRestSetup *setup, const PsRestRequest *request, Work *work,
                        PsRestAnswer *answer, PsApiFault *fault, PsApiPlane *ret_plane) {
    PsErr err = ps_target_read(request->target, &work->target);
    if (err != PS_OK) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault, "The request target %s",
                           err == PS_ERR_TOO_BIG ? "is too long" : "is not percent-encoded UTF-8");
    }
    Match match = find_route(setup, request->method, work);
    if (match.route == NULL) {
        return match.path_known
                   ? ps_api_fail(PS_API_METHOD_NOT_ALLOWED, fault, "%s cannot be used here",
                                 request->method)
                   : ps_api_fail(PS_API_NOT_FOUND, fault, "There is no such call here: %s %.200s",
                                 request->method, request->target);
    }
    *ret_plane = match.route->plane;
    fill_call(setup, request, work, match.ctx);
    ps_registry_begin(setup->registry);
    PsApiCode code = match.route->handle(&work->call, answer, fault);
    return ps_registry_end(setup->registry, code, fault);
}

void ps_rest_refuse(PsApiCode code, PsApiPlane plane, const PsApiFault *fault, PsRestAnswer *answer,
                    const char **ret_error_type) {
    ps_rest_answer_deinit(answer);
    answer->status = ps_api_status(code, plane);
    answer->json = json_pack("{s:s}", "message", fault->message);
    if (code == PS_API_ALREADY_EXISTS && fault->resource_arn[0] != '\0') {
        json_object_set_new(answer->json, "resourceId", json_string(fault->resource_id));
        json_object_set_new(answer->json, "resourceArn", json_string(fault->resource_arn));
    }
    *ret_error_type = ps_api_error_type(code);
}

void ps_rest_dispatch(const PsRestSetup *setup, const PsRestRequest *request, PsRestAnswer *answer,
                      const char **ret_error_type) {
    PsApiFault fault = {0};
    PsApiPlane plane = PS_API_CONTROL;
    *answer = (PsRestAnswer){0};
    *ret_error_type = NULL;
    Work *work = ps_alloc(sizeof *work);
    PsApiCode code = handle(setup, request, work, answer, &fault, &plane);
    free(work);
    if (code != PS_API_OK) {
        ps_rest_refuse(code, plane, &fault, answer, ret_error_type);
    } else if (answer->status == 0) {
        answer->status = 200;
    }
}
