// The library's client from our choice. Its defaults are not used: they log to stderr, accept every
// certificate and bring weak policies.
// Channel threads; reads small files.
#include "drivers/opcua/client_config.h"

#include "access/secret.h"
#include "base/mem.h"

#include <open62541/plugin/securitypolicy_default.h>
#include <open62541/types_generated_handling.h>
#include <stdlib.h>
#include <string.h>

#define CHANNEL_LIFE_MS (60 * 60 * 1000)
#define PUBLISHES 2 // requests for notifications that wait in the server
#define MESSAGE_BYTES (64U * 1024 * 1024)

typedef UA_StatusCode MakePolicy(UA_SecurityPolicy *policy, const UA_ByteString certificate,
                                 const UA_ByteString key, const UA_Logger *logger);

static UA_StatusCode make_none(UA_SecurityPolicy *policy, const UA_ByteString certificate,
                               const UA_ByteString key, const UA_Logger *logger) {
    return UA_SecurityPolicy_None(policy, certificate, logger);
}

static MakePolicy *const makers[PS_OPCUA_SUITES] = {
    [PS_OPCUA_SUITE_NONE] = make_none,
    [PS_OPCUA_SUITE_AES128] = UA_SecurityPolicy_Aes128Sha256RsaOaep,
    [PS_OPCUA_SUITE_BASIC256SHA256] = UA_SecurityPolicy_Basic256Sha256,
    [PS_OPCUA_SUITE_AES256] = UA_SecurityPolicy_Aes256Sha256RsaPss,
};

static UA_ByteString bytes_of(const PsBuf *buf) {
    return (UA_ByteString){buf->len, buf->data};
}

// Two lists: for the channel, and for what shows the user.
static PsErr add_policy(UA_SecurityPolicy **list, size_t *count, PsOpcuaSuite suite,
                        const PsOpcuaIdentity *identity, const UA_Logger *logger, PsDiag *diag) {
    if (*list == NULL) {
        *list = ps_alloc_array(PS_OPCUA_SUITES, sizeof **list);
    }
    UA_ByteString certificate =
        identity != NULL ? bytes_of(&identity->certificate) : UA_BYTESTRING_NULL;
    UA_ByteString key = identity != NULL ? bytes_of(&identity->key) : UA_BYTESTRING_NULL;
    UA_StatusCode status = makers[suite](&(*list)[*count], certificate, key, logger);
    if (status != UA_STATUSCODE_GOOD) {
        return ps_fail(PS_ERR_INTERNAL, diag, NULL, NULL,
                       "the security policy cannot be prepared (%s)", UA_StatusCode_name(status));
    }
    (*count)++;
    return PS_OK;
}

static bool has_policy(const UA_SecurityPolicy *list, size_t count, const UA_String *uri) {
    for (size_t i = 0; i < count; i++) {
        if (UA_String_equal(&list[i].policyUri, uri)) {
            return true;
        }
    }
    return false;
}

// The certificate that a person has trusted is compared before (trust.c), and the library itself
// holds the channel to the one of the endpoint; here is nothing left to accept or to refuse but
// that very one.
static UA_StatusCode verify_certificate(const UA_CertificateVerification *verification,
                                        const UA_ByteString *certificate) {
    const UA_ByteString *trusted = verification->context;
    // What comes may have its chain behind it.
    bool same = trusted != NULL && trusted->length > 0 && certificate->length >= trusted->length &&
                memcmp(trusted->data, certificate->data, trusted->length) == 0;
    return same ? UA_STATUSCODE_GOOD : UA_STATUSCODE_BADCERTIFICATEUNTRUSTED;
}

static UA_StatusCode verify_uri(const UA_CertificateVerification *verification,
                                const UA_ByteString *certificate, const UA_String *uri) {
    return UA_STATUSCODE_GOOD; // the certificate itself was compared, byte for byte
}

static void clear_verification(UA_CertificateVerification *verification) {
    UA_ByteString_delete(verification->context);
    verification->context = NULL;
}

static void set_verification(UA_ClientConfig *config, const UA_EndpointDescription *endpoint) {
    UA_ByteString *trusted = UA_ByteString_new();
    if (trusted != NULL && endpoint != NULL) {
        (void)UA_ByteString_copy(&endpoint->serverCertificate, trusted);
    }
    config->certificateVerification = (UA_CertificateVerification){
        .context = trusted,
        .verifyCertificate = verify_certificate,
        .verifyApplicationURI = verify_uri,
        .clear = clear_verification,
        .logging = config->logging,
    };
}

static PsErr fail_memory(PsDiag *diag) {
    return ps_fail(PS_ERR_NO_MEMORY, diag, NULL, NULL, "there is no memory for the connection");
}

static UA_String text_of(const char *text) {
    return (UA_String){strlen(text), (UA_Byte *)(uintptr_t)text}; // copied where it is kept
}

static PsErr set_token(UA_ClientConfig *config, void *token, size_t type, PsDiag *diag) {
    if (token == NULL) {
        return fail_memory(diag);
    }
    UA_ExtensionObject_setValue(&config->userIdentityToken, token, &UA_TYPES[type]);
    return PS_OK;
}

static PsErr set_user_name(UA_ClientConfig *config, const PsDevice *device, PsDiag *diag) {
    PsBuf password = {0};
    PsErr err = ps_opcua_read_secret(device->password_file, "password_file", &password, diag);
    if (err == PS_OK) {
        UA_UserNameIdentityToken *token = UA_UserNameIdentityToken_new();
        err = set_token(config, token, UA_TYPES_USERNAMEIDENTITYTOKEN, diag);
        UA_String user = text_of(device->username);
        UA_ByteString secret = bytes_of(&password);
        if (err == PS_OK && (UA_String_copy(&user, &token->userName) != UA_STATUSCODE_GOOD ||
                             UA_ByteString_copy(&secret, &token->password) != UA_STATUSCODE_GOOD)) {
            err = fail_memory(diag);
        }
    }
    ps_opcua_wipe(&password);
    return err;
}

static PsErr set_user_certificate(UA_ClientConfig *config, const PsOpcuaClientSetup *setup,
                                  PsOpcuaSuite suite, PsDiag *diag) {
    PsOpcuaIdentity user = {0};
    PsErr err = ps_opcua_identity_user(setup->device->cert, setup->device->key, &user, diag);
    if (err != PS_OK) {
        return err;
    }
    UA_X509IdentityToken *token = UA_X509IdentityToken_new();
    err = set_token(config, token, UA_TYPES_X509IDENTITYTOKEN, diag);
    UA_ByteString certificate = bytes_of(&user.certificate);
    if (err == PS_OK &&
        UA_ByteString_copy(&certificate, &token->certificateData) != UA_STATUSCODE_GOOD) {
        err = fail_memory(diag);
    }
    if (err == PS_OK) {
        err = add_policy(&config->authSecurityPolicies, &config->authSecurityPoliciesSize, suite,
                         &user, setup->logger, diag);
    }
    ps_opcua_identity_deinit(&user);
    return err;
}

// The user, and the policy that protects what shows it.
static PsErr set_user(UA_ClientConfig *config, const PsOpcuaClientSetup *setup, PsDiag *diag) {
    PsOpcuaSuite suite = ps_opcua_suite(&setup->choice->token_policy);
    if (setup->device->auth == PS_OPCUA_CERTIFICATE) {
        return set_user_certificate(config, setup, suite, diag);
    }
    PsErr err = add_policy(&config->authSecurityPolicies, &config->authSecurityPoliciesSize, suite,
                           setup->identity, setup->logger, diag);
    if (err == PS_OK && setup->device->auth == PS_OPCUA_USER_NAME) {
        err = set_user_name(config, setup->device, diag);
    }
    return err;
}

// The endpoint with one way to show the user: that which was chosen.
static PsErr set_endpoint(UA_ClientConfig *config, const PsOpcuaClientSetup *setup, PsDiag *diag) {
    const UA_UserTokenPolicy *token = &setup->endpoint->userIdentityTokens[setup->choice->token];
    UA_EndpointDescription *endpoint = &config->endpoint;
    if (UA_EndpointDescription_copy(setup->endpoint, endpoint) != UA_STATUSCODE_GOOD ||
        UA_UserTokenPolicy_copy(token, &config->userTokenPolicy) != UA_STATUSCODE_GOOD) {
        return fail_memory(diag);
    }
    UA_String url = text_of(setup->url);
    UA_String_clear(&endpoint->endpointUrl);
    if (UA_String_copy(&url, &endpoint->endpointUrl) != UA_STATUSCODE_GOOD) {
        return fail_memory(diag);
    }
    config->securityMode = setup->endpoint->securityMode;
    return UA_String_copy(&setup->endpoint->securityPolicyUri, &config->securityPolicyUri) ==
                   UA_STATUSCODE_GOOD
               ? PS_OK
               : fail_memory(diag);
}

static PsErr set_session(UA_ClientConfig *config, const PsOpcuaClientSetup *setup, PsDiag *diag) {
    const UA_String *uris[] = {&setup->endpoint->securityPolicyUri, &setup->choice->token_policy};
    PsErr err = PS_OK;
    for (size_t i = 0; err == PS_OK && i < PS_COUNT(uris); i++) {
        PsOpcuaSuite suite = ps_opcua_suite(uris[i]);
        if (suite != PS_OPCUA_SUITE_NONE &&
            !has_policy(config->securityPolicies, config->securityPoliciesSize, uris[i])) {
            err = add_policy(&config->securityPolicies, &config->securityPoliciesSize, suite,
                             setup->identity, setup->logger, diag);
        }
    }
    err = err != PS_OK ? err : set_endpoint(config, setup, diag);
    return err != PS_OK ? err : set_user(config, setup, diag);
}

static PsErr fill(UA_ClientConfig *config, const PsOpcuaClientSetup *setup, PsDiag *diag) {
    config->clientContext = setup->context;
    config->logging = setup->logger;
    config->eventLoop = setup->loop;
    config->timeout = (UA_UInt32)(setup->timeout_ns / PS_NS_PER_MS);
    config->secureChannelLifeTime = CHANNEL_LIFE_MS;
    config->requestedSessionTimeout = (UA_UInt32)setup->session_timeout_ms;
    config->localConnectionConfig = (UA_ConnectionConfig){.protocolVersion = 0,
                                                          .recvBufferSize = 65535,
                                                          .sendBufferSize = 65535,
                                                          .localMaxMessageSize = MESSAGE_BYTES,
                                                          .localMaxChunkCount = 0,
                                                          .remoteMaxMessageSize = MESSAGE_BYTES,
                                                          .remoteMaxChunkCount = 0};
    config->outStandingPublishRequests = PUBLISHES;
    config->stateCallback = setup->changed;
    config->subscriptionInactivityCallback = setup->subscription_silent;
    config->noSession = setup->device == NULL;
    config->noNewSession = true;
    config->clientDescription.applicationType = UA_APPLICATIONTYPE_CLIENT;
    config->clientDescription.applicationUri =
        UA_STRING_ALLOC(setup->identity != NULL ? setup->identity->uri : "urn:penstock:gateway");
    config->clientDescription.productUri = UA_STRING_ALLOC("urn:penstock");
    config->clientDescription.applicationName = UA_LOCALIZEDTEXT_ALLOC("en", "Penstock");
    config->sessionName = UA_STRING_ALLOC("Penstock");
    config->endpointUrl = UA_STRING_ALLOC(setup->url);
    set_verification(config, setup->endpoint);
    PsErr err = add_policy(&config->securityPolicies, &config->securityPoliciesSize,
                           PS_OPCUA_SUITE_NONE, setup->identity, setup->logger, diag);
    return err == PS_OK && setup->device != NULL ? set_session(config, setup, diag) : err;
}

static void wipe_token(UA_ClientConfig *config) {
    UA_ExtensionObject *token = &config->userIdentityToken;
    if (token->encoding == UA_EXTENSIONOBJECT_DECODED &&
        token->content.decoded.type == &UA_TYPES[UA_TYPES_USERNAMEIDENTITYTOKEN]) {
        UA_UserNameIdentityToken *user = token->content.decoded.data;
        if (user->password.length > 0) {
            ps_secret_wipe(user->password.data, user->password.length);
        }
    }
}

PsErr ps_opcua_client_new(const PsOpcuaClientSetup *setup, UA_Client **ret_client, PsDiag *diag) {
    UA_ClientConfig config = {0};
    PsErr err = fill(&config, setup, diag);
    UA_Client *client = err == PS_OK ? UA_Client_newWithConfig(&config) : NULL;
    if (client == NULL) {
        wipe_token(&config);
        UA_ClientConfig_clear(&config); // the loop as well
        return err != PS_OK ? err : fail_memory(diag);
    }
    *ret_client = client;
    return PS_OK;
}

void ps_opcua_client_forget_secret(UA_Client *client) {
    wipe_token(UA_Client_getConfig(client));
}
