//! The objects of the configuration as resources: which path segment is which block. Inside src/api
//! only. Main thread.
#pragma once

#include "api/call.h"
#include "model/option.h"

typedef struct PsApiResource {
    const char *segment; ///< of the path: "strategies"
    const PsOptionTable *table;
    size_t offset;      ///< in PsConfig: of the struct, or of the pointer to the list
    size_t object_size; ///< of one of a list
    uint32_t (*count)(const PsConfig *config); ///< NULL: there is only one
    const char *scope_key;                     ///< of names that are unique within something
} PsApiResource;

/// What the last plain segment of the route's path says; never NULL.
const PsApiResource *ps_api_resource(const PsApiCall *call);
/// The object of a list at an index, or, 0, the only one.
const void *ps_api_resource_at(const PsApiResource *resource, const PsConfig *config,
                               uint32_t index);
/// The object by name; NULL when there is none.
const void *ps_api_resource_find(const PsApiResource *resource, const PsConfig *config,
                                 const char *scope, const char *name);
/// All its keys, and what else there is to say: the state of a device, custom parameters without
/// secrets. The caller owns it.
json_t *ps_api_resource_json(const PsApiResource *resource, const PsApiSources *sources,
                             const void *object);
