// Calls on things and thing types. Main thread.
#include "localcloud/registry/things.h"

#include "localcloud/rest/page.h"
#include "localcloud/rest/routes.h"
#include "localcloud/rest/versioned.h"

// The members that CreateThing and UpdateThing share.
static PsApiCode read_spec(const PsRestCall *call, json_t *body, PsThingSpec *spec,
                           PsApiFault *fault) {
    *spec =
        (PsThingSpec){.name = call->parameters[0], .expected_version = ps_versioned_expected(body)};
    PsApiCode code = ps_rest_text(body, "thingTypeName", false, &spec->type, fault);
    if (code == PS_API_OK) {
        code = ps_rest_text(body, "billingGroupName", false, &spec->billing_group, fault);
    }
    json_t *payload = json_object_get(body, "attributePayload");
    if (code == PS_API_OK && payload != NULL && !json_is_null(payload) &&
        !json_is_object(payload)) {
        code = ps_api_fail(PS_API_INVALID_REQUEST, fault, "'attributePayload' must be an object");
    }
    json_t *attributes = json_object_get(payload, "attributes");
    spec->attributes = json_is_null(attributes) ? NULL : attributes;
    spec->merge = json_is_true(json_object_get(payload, "merge"));
    spec->remove_type = json_is_true(json_object_get(body, "removeThingType"));
    return code;
}

static PsApiCode create_thing(const PsRestCall *call, json_t *body, PsRestAnswer *answer,
                              PsApiFault *fault) {
    PsThingSpec spec;
    PsApiCode code = read_spec(call, body, &spec, fault);
    return code == PS_API_OK ? ps_thing_create(call->registry, &spec, &answer->json, fault) : code;
}

PS_REST_HANDLER(ps_do_create_thing) {
    return ps_rest_with_body(call, answer, create_thing, fault);
}

PS_REST_HANDLER(ps_do_describe_thing) {
    return ps_thing_describe(call->registry, call->parameters[0], &answer->json, fault);
}

static PsApiCode update_thing(const PsRestCall *call, json_t *body, PsRestAnswer *answer,
                              PsApiFault *fault) {
    PsThingSpec spec;
    answer->json = json_object();
    PsApiCode code = read_spec(call, body, &spec, fault);
    return code == PS_API_OK ? ps_thing_update(call->registry, &spec, fault) : code;
}

PS_REST_HANDLER(ps_do_update_thing) {
    return ps_rest_with_body(call, answer, update_thing, fault);
}

PS_REST_HANDLER(ps_do_delete_thing) {
    return ps_versioned_delete(call, answer, ps_thing_delete, fault);
}

PS_REST_HANDLER(ps_do_list_things) {
    PsPage page;
    PsThingFilter filter = {.attribute_name = ps_rest_query(call, "attributeName"),
                            .attribute_value = ps_rest_query(call, "attributeValue"),
                            .type = ps_rest_query(call, "thingTypeName")};
    PsApiCode code = ps_page_read(call, PS_PAGE_TOKEN, &page, fault);
    if (code == PS_API_OK) {
        code = ps_rest_query_bool(call, "usePrefixAttributeValue", false, &filter.value_is_prefix,
                                  fault);
    }
    if (code == PS_API_OK && filter.attribute_value != NULL && filter.attribute_name == NULL) {
        code = ps_api_fail(PS_API_INVALID_REQUEST, fault, "attributeValue needs attributeName");
    }
    if (code == PS_API_OK) {
        PsListed listed = ps_thing_list(call->registry, &filter, &page);
        ps_page_answer(&listed, PS_PAGE_TOKEN, "things", answer);
    }
    return code;
}

// ---- types

static PsApiCode create_type(const PsRestCall *call, json_t *body, PsRestAnswer *answer,
                             PsApiFault *fault) {
    return ps_type_create(call->registry, call->parameters[0],
                          json_object_get(body, "thingTypeProperties"), &answer->json, fault);
}

PS_REST_HANDLER(ps_do_create_thing_type) {
    return ps_rest_with_body(call, answer, create_type, fault);
}

PS_REST_HANDLER(ps_do_describe_thing_type) {
    return ps_type_describe(call->registry, call->parameters[0], &answer->json, fault);
}

static PsApiCode deprecate_type(const PsRestCall *call, json_t *body, PsRestAnswer *answer,
                                PsApiFault *fault) {
    answer->json = json_object();
    return ps_type_deprecate(call->registry, call->parameters[0],
                             json_is_true(json_object_get(body, "undoDeprecate")), fault);
}

PS_REST_HANDLER(ps_do_deprecate_thing_type) {
    return ps_rest_with_body(call, answer, deprecate_type, fault);
}

PS_REST_HANDLER(ps_do_delete_thing_type) {
    answer->json = json_object();
    return ps_type_delete(call->registry, call->parameters[0], fault);
}

PS_REST_HANDLER(ps_do_list_thing_types) {
    PsPage page;
    PsApiCode code = ps_page_read(call, PS_PAGE_TOKEN, &page, fault);
    if (code == PS_API_OK) {
        PsListed listed = ps_type_list(call->registry, ps_rest_query(call, "thingTypeName"), &page);
        ps_page_answer(&listed, PS_PAGE_TOKEN, "thingTypes", answer);
    }
    return code;
}
