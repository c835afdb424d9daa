//! The gateway's own certificate for OPC UA, and that of a user: read, made, renewed. Blocks on the
//! disk; any thread. Free of the OPC UA library.
#pragma once

#include "base/buf.h"
#include "base/time.h"

#include <stdbool.h>

/// File names in the driver's folder; the certificate is what a server's trust list takes.
#define PS_OPCUA_OWN_CERTIFICATE "own-certificate.der"
#define PS_OPCUA_OWN_KEY "own-key.der"

typedef struct PsOpcuaIdentity {
    PsBuf certificate; ///< DER
    PsBuf key;         ///< DER, without a password; wiped when freed
    char uri[192];     ///< application URI in the certificate; "" in a user's
    int64_t not_after; ///< seconds since 1970
    bool made;         ///< just now: no server can know it yet
} PsOpcuaIdentity;

/// The certificate that is kept in `folder`, which is made; a new one where there is none, or where
/// it ends within 60 days. NULL: one that lives in memory only. PS_ERR_IO and others of the file.
PsErr ps_opcua_identity_own(const char *folder, PsOpcuaIdentity *ret_identity, PsDiag *diag);
/// The same without changing anything in `folder`: one that ends soon is used, and where there is
/// none it lives in memory only. PS_ERR_DENIED when this user may not read it.
PsErr ps_opcua_identity_borrow(const char *folder, PsOpcuaIdentity *ret_identity, PsDiag *diag);

/// From two files, PEM or DER. PS_ERR_INVALID when they are none or do not fit; the key's file must
/// be closed to others.
PsErr ps_opcua_identity_user(const char *cert, const char *key, PsOpcuaIdentity *ret_identity,
                             PsDiag *diag);
void ps_opcua_identity_deinit(PsOpcuaIdentity *identity);

/// The one line of a file that is closed to others, in `buf`, which the caller wipes whatever
/// comes. PS_ERR_DENIED when others may read it, PS_ERR_INVALID when there is more in it or
/// nothing.
PsErr ps_opcua_read_secret(const char *path, const char *field, PsBuf *buf, PsDiag *diag);
void ps_opcua_wipe(PsBuf *buf);
