// Calls on which certificate is whose, and the endpoint. Main thread.
#include "localcloud/registry/principals.h"

#include "localcloud/rest/page.h"
#include "localcloud/rest/routes.h"

#include <string.h>

static const char *principal_of(const PsRestCall *call) {
    return call->header != NULL ? call->header(call->header_ctx, "x-amzn-principal") : NULL;
}

PS_REST_HANDLER(ps_do_attach_thing_principal) {
    const char *type = ps_rest_query(call, "thingPrincipalType");
    bool exclusive = type != NULL && strcmp(type, "EXCLUSIVE_THING") == 0;
    if (type != NULL && !exclusive && strcmp(type, "NON_EXCLUSIVE_THING") != 0) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "thingPrincipalType is EXCLUSIVE_THING or NON_EXCLUSIVE_THING");
    }
    answer->json = json_object();
    return ps_principal_attach(call->registry, call->parameters[0], principal_of(call), exclusive,
                               fault);
}

PS_REST_HANDLER(ps_do_detach_thing_principal) {
    answer->json = json_object();
    return ps_principal_detach(call->registry, call->parameters[0], principal_of(call), fault);
}

static PsApiCode list_of_thing(const PsRestCall *call, PsRestAnswer *answer, bool as_objects,
                               PsApiFault *fault) {
    PsPage page;
    PsListed listed = {0};
    PsApiCode code = ps_page_read(call, PS_PAGE_TOKEN, &page, fault);
    if (code == PS_API_OK) {
        code = ps_principal_list(call->registry, call->parameters[0], as_objects,
                                 as_objects ? ps_rest_query(call, "thingPrincipalType") : NULL,
                                 &page, &listed, fault);
    }
    if (code == PS_API_OK) {
        ps_page_answer(&listed, PS_PAGE_TOKEN, as_objects ? "thingPrincipalObjects" : "principals",
                       answer);
    }
    return code;
}

static PsApiCode list_of_principal(const PsRestCall *call, PsRestAnswer *answer, bool as_objects,
                                   PsApiFault *fault) {
    PsPage page;
    PsListed listed = {0};
    PsApiCode code = ps_page_read(call, PS_PAGE_TOKEN, &page, fault);
    if (code == PS_API_OK) {
        code = ps_principal_things(call->registry, principal_of(call), as_objects,
                                   as_objects ? ps_rest_query(call, "thingPrincipalType") : NULL,
                                   &page, &listed, fault);
    }
    if (code == PS_API_OK) {
        ps_page_answer(&listed, PS_PAGE_TOKEN, as_objects ? "principalThingObjects" : "things",
                       answer);
    }
    return code;
}

PS_REST_HANDLER(ps_do_list_thing_principals) {
    return list_of_thing(call, answer, false, fault);
}

PS_REST_HANDLER(ps_do_list_thing_principals_v2) {
    return list_of_thing(call, answer, true, fault);
}

PS_REST_HANDLER(ps_do_list_principal_things) {
    return list_of_principal(call, answer, false, fault);
}

PS_REST_HANDLER(ps_do_list_principal_things_v2) {
    return list_of_principal(call, answer, true, fault);
}

PS_REST_HANDLER(ps_do_describe_endpoint) {
    static const char *const types[] = {"iot:Data", "iot:Data-ATS", "iot:Data-Beta", "iot:Jobs"};
    const char *type = ps_rest_query(call, "endpointType");
    bool known = type == NULL;
    for (size_t i = 0; i < PS_COUNT(types) && !known; i++) {
        known = strcmp(type, types[i]) == 0;
    }
    if (!known) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "endpointType '%s' is not supported here: iot:Data-ATS, iot:Data, "
                           "iot:Data-Beta, iot:Jobs",
                           type);
    }
    answer->json = json_pack("{s:s}", "endpointAddress", ps_registry_endpoint(call->registry));
    return PS_API_OK;
}
