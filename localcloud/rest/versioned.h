//! Calls on what has a version (things, groups): the caller may say which one it expects. Pure.
#pragma once

#include "localcloud/rest/rest.h"

/// `expectedVersion` of a body; PS_ANY_VERSION when absent.
int64_t ps_versioned_expected(const json_t *body);

typedef PsApiCode (*PsVersionedDelete)(PsRegistry *registry, const char *name,
                                       int64_t expected_version, PsApiFault *fault);
/// DELETE with `expectedVersion` in the query; the path's first parameter is the name.
PsApiCode ps_versioned_delete(const PsRestCall *call, PsRestAnswer *answer,
                              PsVersionedDelete remove, PsApiFault *fault);
