//! Which certificate is attached to which thing. Inside ps_registry_begin/end.
#pragma once

#include "localcloud/registry/account.h"

/// `principal`: a certificate's ARN. `exclusive`: the certificate serves this thing and no other.
/// Twice is no fault; the last call says whether it is exclusive. PS_API_NOT_FOUND,
/// PS_API_INVALID_REQUEST (another thing has it, and one of the two is exclusive).
PsApiCode ps_principal_attach(PsRegistry *registry, const char *thing, const char *principal,
                              bool exclusive, PsApiFault *fault);
/// What is not attached is detached already.
PsApiCode ps_principal_detach(PsRegistry *registry, const char *thing, const char *principal,
                              PsApiFault *fault);

/// Items: ARNs; `as_objects`: {principal, thingPrincipalType}, of that type when not NULL.
PsApiCode ps_principal_list(PsRegistry *registry, const char *thing, bool as_objects,
                            const char *type, const PsPage *page, PsListed *ret_listed,
                            PsApiFault *fault);
/// Items: thing names, or {thingName, thingPrincipalType}.
PsApiCode ps_principal_things(PsRegistry *registry, const char *principal, bool as_objects,
                              const char *type, const PsPage *page, PsListed *ret_listed,
                              PsApiFault *fault);

/// The certificate id in an ARN of ours. PS_API_INVALID_REQUEST.
PsApiCode ps_principal_read(PsRegistry *registry, const char *principal, char *ret_id,
                            PsApiFault *fault);
