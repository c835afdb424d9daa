//! Things and thing types. Answers are JSON as the API shapes them, new references. Inside
//! ps_registry_begin/end; names are checked here.
#pragma once

#include "localcloud/registry/account.h"

/// Attributes of a thing without and with a type (AWS IoT quotas).
#define PS_THING_ATTRIBUTES 3
#define PS_TYPED_THING_ATTRIBUTES 50

typedef struct PsThingSpec {
    const char *name;
    const char *type;          ///< NULL: none, or (update) as it is
    const char *billing_group; ///< no such group exists here, so any is refused as missing
    json_t *attributes;        ///< borrowed; NULL: none, or (update) as they are
    bool merge;                ///< update: keep attributes that are not named; "" removes one
    bool remove_type;
    int64_t expected_version; ///< PS_ANY_VERSION
} PsThingSpec;

/// The same call again gives the same answer; other contents PS_API_ALREADY_EXISTS.
PsApiCode ps_thing_create(PsRegistry *registry, const PsThingSpec *spec, json_t **ret_answer,
                          PsApiFault *fault);
PsApiCode ps_thing_describe(PsRegistry *registry, const char *name, json_t **ret_answer,
                            PsApiFault *fault);
PsApiCode ps_thing_update(PsRegistry *registry, const PsThingSpec *spec, PsApiFault *fault);
/// An unknown thing is deleted already. PS_API_INVALID_REQUEST: it has principals.
PsApiCode ps_thing_delete(PsRegistry *registry, const char *name, int64_t expected_version,
                          PsApiFault *fault);

/// NULL members do not filter.
typedef struct PsThingFilter {
    const char *attribute_name;
    const char *attribute_value;
    bool value_is_prefix;
    const char *type;
} PsThingFilter;

PsListed ps_thing_list(PsRegistry *registry, const PsThingFilter *filter, const PsPage *page);

/// PS_API_NOT_FOUND.
PsApiCode ps_thing_check(PsRegistry *registry, const char *name, PsApiFault *fault);

/// `properties` (borrowed, may be NULL): {thingTypeDescription, searchableAttributes}.
PsApiCode ps_type_create(PsRegistry *registry, const char *name, json_t *properties,
                         json_t **ret_answer, PsApiFault *fault);
PsApiCode ps_type_describe(PsRegistry *registry, const char *name, json_t **ret_answer,
                           PsApiFault *fault);
PsApiCode ps_type_deprecate(PsRegistry *registry, const char *name, bool undo, PsApiFault *fault);
/// PS_API_INVALID_REQUEST: not deprecated for five minutes (setting type-wait-s), or in use.
PsApiCode ps_type_delete(PsRegistry *registry, const char *name, PsApiFault *fault);
/// `name` NULL: all.
PsListed ps_type_list(PsRegistry *registry, const char *name, const PsPage *page);
