// Calls on thing groups. Main thread.
#include "localcloud/registry/groups.h"

#include "localcloud/registry/things.h"
#include "localcloud/rest/page.h"
#include "localcloud/rest/routes.h"
#include "localcloud/rest/versioned.h"

static PsApiCode read_spec(const PsRestCall *call, json_t *body, PsGroupSpec *spec,
                           PsApiFault *fault) {
    *spec = (PsGroupSpec){.name = call->parameters[0],
                          .properties = json_object_get(body, "thingGroupProperties"),
                          .expected_version = ps_versioned_expected(body)};
    return ps_rest_text(body, "parentGroupName", false, &spec->parent, fault);
}

static PsApiCode create_group(const PsRestCall *call, json_t *body, PsRestAnswer *answer,
                              PsApiFault *fault) {
    PsGroupSpec spec;
    PsApiCode code = read_spec(call, body, &spec, fault);
    return code == PS_API_OK ? ps_group_create(call->registry, &spec, &answer->json, fault) : code;
}

PS_REST_HANDLER(ps_do_create_thing_group) {
    return ps_rest_with_body(call, answer, create_group, fault);
}

PS_REST_HANDLER(ps_do_describe_thing_group) {
    return ps_group_describe(call->registry, call->parameters[0], &answer->json, fault);
}

static PsApiCode update_group(const PsRestCall *call, json_t *body, PsRestAnswer *answer,
                              PsApiFault *fault) {
    PsGroupSpec spec;
    PsApiCode code = read_spec(call, body, &spec, fault);
    return code == PS_API_OK ? ps_group_update(call->registry, &spec, &answer->json, fault) : code;
}

PS_REST_HANDLER(ps_do_update_thing_group) {
    return ps_rest_with_body(call, answer, update_group, fault);
}

PS_REST_HANDLER(ps_do_delete_thing_group) {
    return ps_versioned_delete(call, answer, ps_group_delete, fault);
}

PS_REST_HANDLER(ps_do_list_thing_groups) {
    PsPage page;
    PsGroupFilter filter = {.parent = ps_rest_query(call, "parentGroup"),
                            .prefix = ps_rest_query(call, "namePrefixFilter")};
    PsApiCode code = ps_page_read(call, PS_PAGE_TOKEN, &page, fault);
    if (code == PS_API_OK) {
        code =
            ps_rest_query_bool(call, "recursive", filter.parent == NULL, &filter.recursive, fault);
    }
    if (code == PS_API_OK && filter.parent != NULL) {
        code = ps_group_check(call->registry, filter.parent, fault);
    }
    if (code == PS_API_OK) {
        PsListed listed = ps_group_list(call->registry, &filter, &page);
        ps_page_answer(&listed, PS_PAGE_TOKEN, "thingGroups", answer);
    }
    return code;
}

// ---- members

// A name, given as such or as the end of an ARN of its kind.
static PsApiCode read_name(const PsRestCall *call, json_t *body, const char *name_member,
                           const char *arn_member, PsArnKind kind, const char **ret_name,
                           PsApiFault *fault) {
    const char *arn = NULL;
    PsApiCode code = ps_rest_text(body, name_member, false, ret_name, fault);
    code = code == PS_API_OK ? ps_rest_text(body, arn_member, false, &arn, fault) : code;
    if (code != PS_API_OK || *ret_name != NULL) {
        return code;
    }
    PsArnKind found = kind;
    if (arn == NULL || !ps_arn_read(arn, ps_registry_region(call->registry), &found, ret_name) ||
        found != kind) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "give %s, or an ARN of this account in %s", name_member, arn_member);
    }
    return PS_API_OK;
}

typedef PsApiCode (*MemberCall)(PsRegistry *registry, const char *group, const char *thing,
                                PsApiFault *fault);

static PsApiCode change_member(const PsRestCall *call, PsRestAnswer *answer, MemberCall change,
                               PsApiFault *fault) {
    json_t *body = NULL;
    const char *group = NULL;
    const char *thing = NULL;
    PsApiCode code = ps_rest_body(call, &body, fault);
    if (code == PS_API_OK) {
        code =
            read_name(call, body, "thingGroupName", "thingGroupArn", PS_ARN_GROUP, &group, fault);
    }
    if (code == PS_API_OK) {
        code = read_name(call, body, "thingName", "thingArn", PS_ARN_THING, &thing, fault);
    }
    code = code == PS_API_OK ? change(call->registry, group, thing, fault) : code;
    json_decref(body);
    answer->json = json_object();
    return code;
}

PS_REST_HANDLER(ps_do_add_thing_to_group) {
    return change_member(call, answer, ps_group_add, fault);
}

PS_REST_HANDLER(ps_do_remove_thing_from_group) {
    return change_member(call, answer, ps_group_remove, fault);
}

PS_REST_HANDLER(ps_do_list_things_in_group) {
    PsPage page;
    bool recursive = false;
    PsApiCode code = ps_page_read(call, PS_PAGE_TOKEN, &page, fault);
    code =
        code == PS_API_OK ? ps_rest_query_bool(call, "recursive", false, &recursive, fault) : code;
    code = code == PS_API_OK ? ps_group_check(call->registry, call->parameters[0], fault) : code;
    if (code == PS_API_OK) {
        PsListed listed = ps_group_things(call->registry, call->parameters[0], recursive, &page);
        ps_page_answer(&listed, PS_PAGE_TOKEN, "things", answer);
    }
    return code;
}

PS_REST_HANDLER(ps_do_list_groups_for_thing) {
    PsPage page;
    PsApiCode code = ps_page_read(call, PS_PAGE_TOKEN, &page, fault);
    code = code == PS_API_OK ? ps_thing_check(call->registry, call->parameters[0], fault) : code;
    if (code == PS_API_OK) {
        PsListed listed = ps_group_of_thing(call->registry, call->parameters[0], &page);
        ps_page_answer(&listed, PS_PAGE_TOKEN, "thingGroups", answer);
    }
    return code;
}
