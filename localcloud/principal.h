//! Who has connected, for policies: its certificate's and its thing's policies, and the variables
//! they may name. Main thread; making and refreshing one reads the local database.
#pragma once

#include "localcloud/front/world.h"
#include "localcloud/registry/registry.h"

typedef struct PsPrincipal PsPrincipal;

/// NULL: the registry could not be read. `certificate` may be NULL (no variables of it then).
PsPrincipal *ps_principal_new(PsRegistry *registry, const PsFrontPeer *peer,
                              const X509 *certificate, const PsFrontConnect *connect);
/// Accepts NULL.
void ps_principal_free(PsPrincipal *principal);
/// Reads thing and policies anew; what cannot be read stays.
void ps_principal_refresh(PsPrincipal *principal);
bool ps_principal_allows(PsPrincipal *principal, PsPolicyAction action, PsBytes name);
/// NULL: none. `exclusive`: only one it is attached to exclusively.
const char *ps_principal_thing(const PsPrincipal *principal, bool exclusive);
