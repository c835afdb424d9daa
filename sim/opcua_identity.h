//! The certificate that the simulated OPC UA server shows (Part 6, 6.2.2), made by itself.
#pragma once

#include "base/buf.h"
#include "base/err.h"

#define PS_SIM_OPCUA_APPLICATION_URI "urn:penstock:sim:server"

/// Appends certificate and private key as DER. With a folder they are kept there
/// (`opcua-server.der`, `opcua-server.key`, mode 0600) and are the same the next time; NULL: new
/// ones. `address` comes into the certificate beside localhost. Makes a key of 2,048 bits, which
/// takes some tenths of a second.
PsErr ps_sim_opcua_identity(const char *folder, const char *address, PsBuf *certificate, PsBuf *key,
                            PsDiag *diag);
