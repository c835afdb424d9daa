//! Things whose files this program makes itself (`run --thing`, `issue`, its own clients) enter the
//! account as a person would enter them by hand: thing, ACTIVE certificate, and a policy that
//! allows everything. Main thread; blocks for the local database.
#pragma once

#include "localcloud/registry/adopt.h"

/// The certificate is read from the file; what is there already stays as it is (an inactive
/// certificate stays inactive, a detached policy detached). `thing` NULL: only the certificate.
/// PS_ERR_IO, PS_ERR_INVALID.
PsErr ps_adopt(PsRegistry *registry, const char *thing, const char *certificate_path, PsDiag *diag);

/// All things of the folder whose certificate its device CA has signed: for a folder that has no
/// account yet because an earlier form of this program made it. A thing whose files do not belong
/// together is left out.
PsErr ps_adopt_folder(PsRegistry *registry, const char *dir, PsDiag *diag);
