//! Who the local cloud says to be: chains for its endpoint, sound or wrong on purpose. They are
//! made anew and never written: their roots are what clients keep.
#pragma once

#include "localcloud/folder.h"
#include "localcloud/transport/tls.h"

/// Further names in the server's certificate, besides localhost, 127.0.0.1 and ::1.
#define PS_IDENTITY_HOSTS 8

typedef struct PsFlawName {
    const char *name; ///< as options and faults call it: "wrong-host"
    PsFlaw flaw;
} PsFlawName;

/// NULL when there is none of that name. "good", "expired", "not-yet", "wrong-host", "foreign-ca".
const PsFlawName *ps_identity_flaw(const char *name);

/// An RSA and an ECC chain, each through an issuing CA from the folder's root of its kind
/// (PS_FLAW_FOREIGN_CA: from a root made for it). Takes some tenths of a second.
PsErr ps_identity_make(const char *dir, PsFlaw flaw, const char *const *hosts, size_t host_count,
                       PsTlsIdentity *ret_identity, PsDiag *diag);
