//! Where an OPC UA server is: from `url`, or from `ip` and `port`; and which devices share a
//! session. Pure; any thread.
#pragma once

#include "model/config.h"

#define PS_OPCUA_HOST 254
#define PS_OPCUA_URL 320

typedef struct PsOpcuaAddress {
    char host[PS_OPCUA_HOST]; ///< IPv6 addresses without brackets
    int port;
    char url[PS_OPCUA_URL]; ///< opc.tcp://host:port/path
} PsOpcuaAddress;

/// PS_ERR_INVALID; `diag` names the field and gives an example.
PsErr ps_opcua_address(const PsDevice *device, PsOpcuaAddress *ret_address, PsDiag *diag);

/// As PsDriver.endpoint_key: "10.5.16.82:4840", with what makes another session of it behind: the
/// user, the protection that is asked for.
void ps_opcua_endpoint_key(const PsConfig *config, const PsDevice *device, char *out, size_t size);
