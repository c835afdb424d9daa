// Calls on things and thing types. Main thread.
#include "localcloud/registry/things.h"

#include "base/cleanup.h"
#include "localcloud/rest/page.h"
#include "localcloud/rest/routes.h"

// The members that CreateThing and UpdateThing share.
static PsApiCode read_spec(const PsRestCall *call, json_t *body, PsThingSpec *spec,
                           PsApiFault *fault) {
    *spec = (PsThingSpec){.name = call->parameters[0], .expected_version = PS_ANY_VERSION};
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
    json_t *version = json_object_get(body, "expectedVersion");
    if (json_is_integer(version)) {
        spec->expected_version = json_integer_value(version);
    }
    return code;
}

PS_REST_HANDLER(ps_do_create_thing) {
    json_t *body = NULL;
    PsThingSpec spec;
    PsApiCode code = ps_rest_body(call, &body, fault);
    code = code == PS_API_OK ? read_spec(call, body, &spec, fault) : code;
    if (code == PS_API_OK) {
        code = ps_thing_create(call->registry, &spec, &answer->json, fault);
    }
    json_decref(body);
    return code;
}

PS_REST_HANDLER(ps_do_describe_thing) {
    return ps_thing_describe(call->registry, call->parameters[0], &answer->json, fault);
}

PS_REST_HANDLER(ps_do_update_thing) {
    json_t *body = NULL;
    PsThingSpec spec;
    PsApiCode code = ps_rest_body(call, &body, fault);
    code = code == PS_API_OK ? read_spec(call, body, &spec, fault) : code;
    if (code == PS_API_OK) {
        code = ps_thing_update(call->registry, &spec, fault);
    }
    json_decref(body);
    answer->json = json_object();
    return code;
}

PS_REST_HANDLER(ps_do_delete_thing) {
    long long version = PS_ANY_VERSION;
    PsApiCode code =
        ps_rest_query_int(call, "expectedVersion", 0, INT64_MAX, PS_ANY_VERSION, &version, fault);
    answer->json = json_object();
    return code == PS_API_OK ? ps_thing_delete(call->registry, call->parameters[0], version, fault)
                             : code;
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

PS_REST_HANDLER(ps_do_create_thing_type) {
    json_t *body = NULL;
    PsApiCode code = ps_rest_body(call, &body, fault);
    if (code == PS_API_OK) {
        code = ps_type_create(call->registry, call->parameters[0],
                              json_object_get(body, "thingTypeProperties"), &answer->json, fault);
    }
    json_decref(body);
    return code;
}

PS_REST_HANDLER(ps_do_describe_thing_type) {
    return ps_type_describe(call->registry, call->parameters[0], &answer->json, fault);
}

PS_REST_HANDLER(ps_do_deprecate_thing_type) {
    json_t *body = NULL;
    PsApiCode code = ps_rest_body(call, &body, fault);
    if (code == PS_API_OK) {
        code = ps_type_deprecate(call->registry, call->parameters[0],
                                 json_is_true(json_object_get(body, "undoDeprecate")), fault);
    }
    json_decref(body);
    answer->json = json_object();
    return code;
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
