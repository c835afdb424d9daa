// Calls on policies and on what they are attached to. Main thread.
#include "localcloud/registry/policies.h"

#include "localcloud/rest/page.h"
#include "localcloud/rest/routes.h"

#include <string.h>

// A text member of the body; the caller drops the body when done with the text.
static PsApiCode body_text(const PsRestCall *call, const char *member, json_t **ret_body,
                           const char **ret_text, PsApiFault *fault) {
    PsApiCode code = ps_rest_body(call, ret_body, fault);
    return code == PS_API_OK ? ps_rest_text(*ret_body, member, true, ret_text, fault) : code;
}

PS_REST_HANDLER(ps_do_create_policy) {
    json_t *body = NULL;
    const char *document = NULL;
    PsApiCode code = body_text(call, "policyDocument", &body, &document, fault);
    if (code == PS_API_OK) {
        code =
            ps_policy_create(call->registry, call->parameters[0], document, &answer->json, fault);
    }
    json_decref(body);
    return code;
}

PS_REST_HANDLER(ps_do_get_policy) {
    return ps_policy_get(call->registry, call->parameters[0], &answer->json, fault);
}

PS_REST_HANDLER(ps_do_delete_policy) {
    return ps_policy_delete(call->registry, call->parameters[0], fault);
}

PS_REST_HANDLER(ps_do_list_policies) {
    PsPage page;
    PsApiCode code = ps_page_read(call, PS_PAGE_MARKER, &page, fault);
    if (code == PS_API_OK) {
        PsListed listed = ps_policy_list(call->registry, &page);
        ps_page_answer(&listed, PS_PAGE_MARKER, "policies", answer);
    }
    return code;
}

PS_REST_HANDLER(ps_do_create_policy_version) {
    json_t *body = NULL;
    const char *document = NULL;
    bool as_default = false;
    PsApiCode code = ps_rest_query_bool(call, "setAsDefault", false, &as_default, fault);
    code = code == PS_API_OK ? body_text(call, "policyDocument", &body, &document, fault) : code;
    if (code == PS_API_OK) {
        code = ps_policy_version_create(call->registry, call->parameters[0], document, as_default,
                                        &answer->json, fault);
    }
    json_decref(body);
    return code;
}

PS_REST_HANDLER(ps_do_get_policy_version) {
    return ps_policy_version_get(call->registry, call->parameters[0], call->parameters[1],
                                 &answer->json, fault);
}

PS_REST_HANDLER(ps_do_list_policy_versions) {
    return ps_policy_version_list(call->registry, call->parameters[0], &answer->json, fault);
}

PS_REST_HANDLER(ps_do_delete_policy_version) {
    return ps_policy_version_delete(call->registry, call->parameters[0], call->parameters[1],
                                    fault);
}

PS_REST_HANDLER(ps_do_set_default_policy_version) {
    return ps_policy_version_default(call->registry, call->parameters[0], call->parameters[1],
                                     fault);
}

// ---- attachments

typedef PsApiCode (*AttachCall)(PsRegistry *registry, const char *name, const char *target,
                                PsApiFault *fault);

static PsApiCode change_target(const PsRestCall *call, AttachCall change, PsApiFault *fault) {
    json_t *body = NULL;
    const char *target = NULL;
    PsApiCode code = body_text(call, "target", &body, &target, fault);
    code = code == PS_API_OK ? change(call->registry, call->parameters[0], target, fault) : code;
    json_decref(body);
    return code;
}

PS_REST_HANDLER(ps_do_attach_policy) {
    return change_target(call, ps_policy_attach, fault);
}

PS_REST_HANDLER(ps_do_detach_policy) {
    return change_target(call, ps_policy_detach, fault);
}

static PsApiCode list_attached(const PsRestCall *call, PsRestAnswer *answer, const char *target,
                               PsApiFault *fault) {
    PsPage page;
    PsListed listed = {0};
    bool recursive = false;
    PsApiCode code = ps_page_read(call, PS_PAGE_MARKER, &page, fault);
    code =
        code == PS_API_OK ? ps_rest_query_bool(call, "recursive", false, &recursive, fault) : code;
    if (code == PS_API_OK) {
        code = ps_policy_list_attached(call->registry, target, recursive, &page, &listed, fault);
    }
    if (code == PS_API_OK) {
        ps_page_answer(&listed, PS_PAGE_MARKER, "policies", answer);
    }
    return code;
}

static PsApiCode list_targets(const PsRestCall *call, PsRestAnswer *answer, const char *name,
                              const char *member, PsApiFault *fault) {
    PsPage page;
    PsListed listed = {0};
    PsApiCode code = ps_page_read(call, PS_PAGE_MARKER, &page, fault);
    if (code == PS_API_OK) {
        code = ps_policy_list_targets(call->registry, name, &page, &listed, fault);
    }
    if (code == PS_API_OK) {
        ps_page_answer(&listed, PS_PAGE_MARKER, member, answer);
    }
    return code;
}

PS_REST_HANDLER(ps_do_list_attached_policies) {
    return list_attached(call, answer, call->parameters[0], fault);
}

PS_REST_HANDLER(ps_do_list_targets_for_policy) {
    return list_targets(call, answer, call->parameters[0], "targets", fault);
}

PS_REST_HANDLER(ps_do_get_effective_policies) {
    json_t *body = NULL;
    const char *principal = NULL;
    PsApiCode code = ps_rest_body(call, &body, fault);
    code = code == PS_API_OK ? ps_rest_text(body, "principal", false, &principal, fault) : code;
    if (code == PS_API_OK) {
        code = ps_policy_effective(call->registry, principal, ps_rest_query(call, "thingName"),
                                   &answer->json, fault);
    }
    json_decref(body);
    return code;
}

// ---- the older calls with a header, which the console of AWS and old tools still use

static const char *header(const PsRestCall *call, const char *name) {
    return call->header != NULL ? call->header(call->header_ctx, name) : NULL;
}

PS_REST_HANDLER(ps_do_attach_principal_policy) {
    return ps_policy_attach(call->registry, call->parameters[0],
                            header(call, "x-amzn-iot-principal"), fault);
}

PS_REST_HANDLER(ps_do_detach_principal_policy) {
    return ps_policy_detach(call->registry, call->parameters[0],
                            header(call, "x-amzn-iot-principal"), fault);
}

PS_REST_HANDLER(ps_do_list_principal_policies) {
    return list_attached(call, answer, header(call, "x-amzn-iot-principal"), fault);
}

PS_REST_HANDLER(ps_do_list_policy_principals) {
    return list_targets(call, answer, header(call, "x-amzn-iot-policy"), "principals", fault);
}
