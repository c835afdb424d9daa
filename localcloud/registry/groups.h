//! Thing groups: a tree by their parents, and the things in them. A thing's groups and all groups
//! above them give it policies. Inside ps_registry_begin/end; names are checked here.
#pragma once

#include "localcloud/registry/account.h"

typedef struct PsGroupSpec {
    const char *name;
    const char *parent;       ///< NULL: a root group
    json_t *properties;       ///< borrowed: {thingGroupDescription, attributePayload}; NULL: none
    int64_t expected_version; ///< update: PS_ANY_VERSION
} PsGroupSpec;

/// Attributes of a group (AWS IoT quotas).
#define PS_GROUP_ATTRIBUTES 50

PsApiCode ps_group_create(PsRegistry *registry, const PsGroupSpec *spec, json_t **ret_answer,
                          PsApiFault *fault);
PsApiCode ps_group_describe(PsRegistry *registry, const char *name, json_t **ret_answer,
                            PsApiFault *fault);
PsApiCode ps_group_update(PsRegistry *registry, const PsGroupSpec *spec, json_t **ret_answer,
                          PsApiFault *fault);
/// An unknown group is deleted already. PS_API_INVALID_REQUEST: it has child groups. Its things and
/// its policies are only taken out.
PsApiCode ps_group_delete(PsRegistry *registry, const char *name, int64_t expected_version,
                          PsApiFault *fault);
PsApiCode ps_group_check(PsRegistry *registry, const char *name, PsApiFault *fault);

typedef struct PsGroupFilter {
    const char *parent; ///< NULL: of every parent
    const char *prefix; ///< NULL: every name
    bool recursive;     ///< also what is below the parent's children (without parent: everything)
} PsGroupFilter;

PsListed ps_group_list(PsRegistry *registry, const PsGroupFilter *filter, const PsPage *page);

/// Adding twice and removing what is not in it are no faults.
PsApiCode ps_group_add(PsRegistry *registry, const char *group, const char *thing,
                       PsApiFault *fault);
PsApiCode ps_group_remove(PsRegistry *registry, const char *group, const char *thing,
                          PsApiFault *fault);
PsListed ps_group_things(PsRegistry *registry, const char *group, bool recursive,
                         const PsPage *page);
PsListed ps_group_of_thing(PsRegistry *registry, const char *thing, const PsPage *page);
