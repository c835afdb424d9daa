//! Whether a certificate is for the server that has shown it: the host that was asked, the
//! application that answers. Only names, so a reason to look, never to refuse. Pure; any thread.
#pragma once

#include "drivers/opcua/trust.h"

/// Fills entry->warning: both names of what does not match, "" when all does, or where the
/// certificate or the server names nothing to compare.
void ps_opcua_names_compare(PsTrustEntry *entry);
