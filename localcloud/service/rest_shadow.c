// Shadows over HTTP: the document is the body, a refusal is the status. Main thread.
#include "localcloud/service/service_routes.h"

#include <string.h>

#define NAMES_DEFAULT 25
#define NAMES_MOST 100 // API model iot-data

static PsApiCode code_of(int status) {
    switch (status) {
    case 404:
        return PS_API_NOT_FOUND;
    case 409:
        return PS_API_CONFLICT;
    case 413:
        return PS_API_TOO_LARGE;
    case 415:
        return PS_API_UNSUPPORTED_ENCODING;
    case 429:
        return PS_API_THROTTLING;
    case 500:
        return PS_API_INTERNAL;
    default:
        return PS_API_INVALID_REQUEST;
    }
}

static PsApiCode ask(const PsRestCall *call, PsShadowVerb verb, PsRestAnswer *answer,
                     PsApiFault *fault) {
    const char *name = ps_rest_query(call, "name");
    PsApiCode code = ps_service_check_name(ps_name_is_thing(call->parameters[0]), "thingName",
                                           "1 to 128 of [a-zA-Z0-9:_-]", fault);
    if (code == PS_API_OK && name != NULL) {
        code = ps_service_check_name(ps_name_is_shadow(name), "shadowName",
                                     "1 to 64 of [a-zA-Z0-9:_-]", fault);
    }
    if (code != PS_API_OK) {
        return code;
    }
    PsShadowRequest request = {
        .thing = call->parameters[0],
        .name = name != NULL ? name : "",
        .verb = verb,
        .payload = call->body,
        .len = call->body_len,
        .over_http = true,
        .now = ps_wall_now(),
    };
    PsShadowResult result = {0};
    ps_shadows_ask(ps_services_of(call)->shadows, &request, ps_service_out_of(call), &result);
    if (result.code == 200) {
        ps_shadow_text(&result, result.accepted, &answer->bytes);
    } else {
        code = ps_api_fail(code_of(result.code), fault, "%s", result.message);
    }
    ps_shadow_result_deinit(&result);
    return code;
}

PS_SERVICE_HANDLER(ps_service_get_shadow) {
    return ask(call, PS_SHADOW_GET, answer, fault);
}

PS_SERVICE_HANDLER(ps_service_update_shadow) {
    return ask(call, PS_SHADOW_UPDATE, answer, fault);
}

PS_SERVICE_HANDLER(ps_service_delete_shadow) {
    return ask(call, PS_SHADOW_DELETE, answer, fault);
}

// The token is the last name of the page before.
PS_SERVICE_HANDLER(ps_service_list_shadows) {
    const char *after = ps_rest_query(call, "nextToken");
    long long size = NAMES_DEFAULT;
    PsApiCode code = ps_service_check_name(ps_name_is_thing(call->parameters[0]), "thingName",
                                           "1 to 128 of [a-zA-Z0-9:_-]", fault);
    if (code == PS_API_OK && after != NULL) {
        code =
            ps_service_check_name(ps_name_is_shadow(after), "nextToken", "as it was given", fault);
    }
    if (code == PS_API_OK) {
        code = ps_rest_query_int(call, "pageSize", 1, NAMES_MOST, NAMES_DEFAULT, &size, fault);
    }
    if (code != PS_API_OK) {
        return code;
    }
    bool more = false;
    json_t *names = ps_shadows_names(ps_services_of(call)->shadows, call->parameters[0], after,
                                     (size_t)size, &more);
    if (names == NULL) {
        return ps_service_failed(fault);
    }
    answer->json = json_object();
    json_object_set_new(answer->json, "results", names);
    if (more) {
        json_object_set(answer->json, "nextToken",
                        json_array_get(names, json_array_size(names) - 1));
    }
    json_object_set_new(answer->json, "timestamp", json_integer(ps_wall_now().ns / PS_NS_PER_S));
    return PS_API_OK;
}
