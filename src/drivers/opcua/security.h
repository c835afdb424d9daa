//! Which of a server's endpoints is taken, and how the user is shown to it. Pure; any thread.
#pragma once

#include "model/config.h"

#include <open62541/types_generated.h>

/// What is made of one of the server's endpoints.
typedef struct PsOpcuaChoice {
    size_t endpoint;        ///< number among those of the server
    size_t token;           ///< number among the endpoint's userIdentityTokens
    bool protects;          ///< messages are signed at least
    bool encrypts_secret;   ///< the password goes encrypted by itself
    UA_String token_policy; ///< borrowed from the endpoint; the None policy, or that which protects
                            ///< the user's secret
    char name[64];          ///< "Basic256Sha256, SignAndEncrypt", for people
} PsOpcuaChoice;

/// The strongest that fits the device's configuration. Never unprotected where the configuration
/// leaves the choice and the server offers protection. PS_ERR_REFUSED with a diagnosis that says
/// what the server offers, what was wanted and what to set.
PsErr ps_opcua_choose(const PsDevice *device, const UA_EndpointDescription *endpoints, size_t count,
                      PsOpcuaChoice *ret_choice, PsDiag *diag);

/// Security policies that the driver has.
typedef enum PsOpcuaSuite {
    PS_OPCUA_SUITE_NONE,
    PS_OPCUA_SUITE_AES128,
    PS_OPCUA_SUITE_BASIC256SHA256,
    PS_OPCUA_SUITE_AES256,
    PS_OPCUA_SUITES,
} PsOpcuaSuite;

/// By its URI; PS_OPCUA_SUITES for one that the driver does not have. An empty one is None.
PsOpcuaSuite ps_opcua_suite(const UA_String *uri);
