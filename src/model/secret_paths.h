//! Which files of secrets a change would have the gateway read. Whoever sets up the cloud or a
//! device decides whom a password is sent to, so a file outside the configuration folder, which the
//! gateway may be able to read for another reason, is not for everybody to name. Pure; any thread.
#pragma once

#include "model/config.h"

/// PS_ERR_DENIED: the cloud or a device of `after` names a file of a secret outside the folder that
/// the one of that name in `before` does not. `before` NULL: nothing is named there.
PsErr ps_secret_paths_check(const PsConfig *before, const PsConfig *after, PsDiag *diag);
