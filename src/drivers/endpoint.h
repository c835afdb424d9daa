//! What every driver asks of its endpoint. Pure; any thread.
#pragma once

#include "drivers/driver.h"

/// Can all variables that are polled exist? The first that cannot is in `diag`.
PsErr ps_endpoint_check(const PsEndpoint *endpoint, PsVariableCheck *check, PsDiag *diag);

/// The longest time limit of its devices, 0 when it has none.
int64_t ps_endpoint_timeout_ns(const PsEndpoint *endpoint);
