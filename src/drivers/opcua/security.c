// The choice among the endpoints of a server. Weak policies (Basic128Rsa15, Basic256) are not in
// the table, so they are never taken. Pure.
#include "drivers/opcua/security.h"

#include "base/buf.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define POLICY "http://opcfoundation.org/UA/SecurityPolicy#"
#define BINARY "http://opcfoundation.org/UA-Profile/Transport/uatcp-uasc-uabinary"

// From weak to strong.
static const char *const suites[PS_OPCUA_SUITES] = {
    [PS_OPCUA_SUITE_NONE] = "None",
    [PS_OPCUA_SUITE_AES128] = "Aes128_Sha256_RsaOaep",
    [PS_OPCUA_SUITE_BASIC256SHA256] = "Basic256Sha256",
    [PS_OPCUA_SUITE_AES256] = "Aes256_Sha256_RsaPss",
};

static bool string_is(const UA_String *string, const char *text) {
    size_t len = strlen(text);
    return string->length == len && (len == 0 || memcmp(string->data, text, len) == 0);
}

// Without what all of them begin with; borrowed.
static UA_String policy_name(const UA_String *uri) {
    size_t skip = strlen(POLICY);
    bool known = uri->length > skip && memcmp(uri->data, POLICY, skip) == 0;
    return known ? (UA_String){uri->length - skip, uri->data + skip} : *uri;
}

PsOpcuaSuite ps_opcua_suite(const UA_String *uri) {
    if (uri->length == 0) {
        return PS_OPCUA_SUITE_NONE;
    }
    UA_String name = policy_name(uri);
    for (int i = 0; i < PS_OPCUA_SUITES; i++) {
        if (string_is(&name, suites[i])) {
            return (PsOpcuaSuite)i;
        }
    }
    return PS_OPCUA_SUITES;
}

static const char *mode_name(UA_MessageSecurityMode mode) {
    switch (mode) {
    case UA_MESSAGESECURITYMODE_NONE:
        return "None";
    case UA_MESSAGESECURITYMODE_SIGN:
        return "Sign";
    case UA_MESSAGESECURITYMODE_SIGNANDENCRYPT:
        return "SignAndEncrypt";
    default:
        return "unknown";
    }
}

static bool is_binary(const UA_EndpointDescription *endpoint) {
    // Some servers leave it out, and mean this one.
    return endpoint->transportProfileUri.length == 0 ||
           string_is(&endpoint->transportProfileUri, BINARY);
}

static bool is_sound(const UA_EndpointDescription *endpoint) {
    PsOpcuaSuite suite = ps_opcua_suite(&endpoint->securityPolicyUri);
    bool none = endpoint->securityMode == UA_MESSAGESECURITYMODE_NONE;
    bool known = none || endpoint->securityMode == UA_MESSAGESECURITYMODE_SIGN ||
                 endpoint->securityMode == UA_MESSAGESECURITYMODE_SIGNANDENCRYPT;
    return known && is_binary(endpoint) && suite < PS_OPCUA_SUITES &&
           none == (suite == PS_OPCUA_SUITE_NONE);
}

static bool fits_policy(int wanted, PsOpcuaSuite suite) {
    switch (wanted) {
    case PS_OPCUA_POLICY_NONE:
        return suite == PS_OPCUA_SUITE_NONE;
    case PS_OPCUA_POLICY_BASIC256SHA256:
        return suite == PS_OPCUA_SUITE_BASIC256SHA256;
    case PS_OPCUA_POLICY_AES128:
        return suite == PS_OPCUA_SUITE_AES128;
    default:
        return true;
    }
}

static bool fits_mode(int wanted, UA_MessageSecurityMode mode) {
    switch (wanted) {
    case PS_OPCUA_MODE_NONE:
        return mode == UA_MESSAGESECURITYMODE_NONE;
    case PS_OPCUA_MODE_SIGN:
        return mode == UA_MESSAGESECURITYMODE_SIGN;
    case PS_OPCUA_MODE_SIGN_ENCRYPT:
        return mode == UA_MESSAGESECURITYMODE_SIGNANDENCRYPT;
    default:
        return true;
    }
}

static bool fits(const PsDevice *device, const UA_EndpointDescription *endpoint) {
    return is_sound(endpoint) &&
           fits_policy(device->security_policy, ps_opcua_suite(&endpoint->securityPolicyUri)) &&
           fits_mode(device->security_mode, endpoint->securityMode);
}

// SignAndEncrypt before Sign, then the stronger policy.
static int rank_of(const UA_EndpointDescription *endpoint) {
    return (int)endpoint->securityMode * PS_OPCUA_SUITES +
           (int)ps_opcua_suite(&endpoint->securityPolicyUri);
}

static UA_UserTokenType token_type(int auth) {
    switch (auth) {
    case PS_OPCUA_USER_NAME:
        return UA_USERTOKENTYPE_USERNAME;
    case PS_OPCUA_CERTIFICATE:
        return UA_USERTOKENTYPE_CERTIFICATE;
    default:
        return UA_USERTOKENTYPE_ANONYMOUS;
    }
}

// The policy that protects the user's secret on this endpoint.
static const UA_String *token_policy(const UA_EndpointDescription *endpoint,
                                     const UA_UserTokenPolicy *token) {
    return token->securityPolicyUri.length > 0 ? &token->securityPolicyUri
                                               : &endpoint->securityPolicyUri;
}

// The best of the endpoint's ways to show the user; PS_UNSET when it has none that can be used.
static int find_token(const PsDevice *device, const UA_EndpointDescription *endpoint) {
    int best = PS_UNSET;
    PsOpcuaSuite best_suite = PS_OPCUA_SUITE_NONE;
    for (size_t i = 0; i < endpoint->userIdentityTokensSize; i++) {
        const UA_UserTokenPolicy *token = &endpoint->userIdentityTokens[i];
        PsOpcuaSuite suite = ps_opcua_suite(token_policy(endpoint, token));
        if (token->tokenType != token_type(device->auth) || suite == PS_OPCUA_SUITES) {
            continue;
        }
        if (best == PS_UNSET || suite > best_suite) {
            best = (int)i;
            best_suite = suite;
        }
    }
    return best;
}

static void list_offers(const UA_EndpointDescription *endpoints, size_t count, PsBuf *out) {
    for (size_t i = 0; i < count && out->len < 160; i++) {
        UA_String name = policy_name(&endpoints[i].securityPolicyUri);
        ps_buf_printf(out, "%s%.*s/%s", i > 0 ? ", " : "", (int)name.length,
                      name.length > 0 ? (const char *)name.data : "",
                      mode_name(endpoints[i].securityMode));
    }
    ps_text_make_utf8((char *)out->data, out->len);
}

static PsErr fail_no_endpoint(const PsDevice *device, const UA_EndpointDescription *endpoints,
                              size_t count, PsDiag *diag) {
    PS_AUTO_BUF PsBuf offers = {0};
    list_offers(endpoints, count, &offers);
    const char *text = offers.len > 0 ? (const char *)offers.data : "nothing";
    bool automatic = device->security_policy == PS_OPCUA_POLICY_AUTO &&
                     device->security_mode == PS_OPCUA_MODE_AUTO;
    if (automatic) {
        return ps_fail(
            PS_ERR_REFUSED, diag, NULL, "security_policy",
            "the server offers no protection that the gateway has (it offers %s); switch "
            "Basic256Sha256 on in the server, or set security_policy to None to do "
            "without",
            text);
    }
    return ps_fail(PS_ERR_REFUSED, diag, NULL, "security_policy",
                   "the server does not offer security_policy %s with security_mode %s (it offers "
                   "%s); switch it on in the server, or choose one that is there",
                   ps_opcua_policy_name(device->security_policy),
                   ps_opcua_mode_name(device->security_mode), text);
}

static PsErr fail_no_token(const PsDevice *device, PsDiag *diag) {
    return ps_fail(PS_ERR_REFUSED, diag, NULL, "auth",
                   "the server does not offer auth %s%s; switch it on in the server, or set auth "
                   "to what the server has",
                   ps_opcua_auth_name(device->auth),
                   device->security_policy != PS_OPCUA_POLICY_AUTO ||
                           device->security_mode != PS_OPCUA_MODE_AUTO
                       ? " with this security_policy and security_mode"
                       : "");
}

static void take(const UA_EndpointDescription *endpoints, size_t at, size_t token,
                 PsOpcuaChoice *choice) {
    const UA_EndpointDescription *endpoint = &endpoints[at];
    UA_String name = policy_name(&endpoint->securityPolicyUri);
    choice->endpoint = at;
    choice->token = token;
    choice->token_policy = *token_policy(endpoint, &endpoint->userIdentityTokens[token]);
    choice->protects = endpoint->securityMode != UA_MESSAGESECURITYMODE_NONE;
    choice->encrypts_secret = ps_opcua_suite(&choice->token_policy) != PS_OPCUA_SUITE_NONE;
    snprintf(choice->name, sizeof choice->name, "%.*s, %s", (int)name.length,
             name.length > 0 ? (const char *)name.data : "", mode_name(endpoint->securityMode));
}

// A password must not be readable on the way, and a certificate shows nothing where nothing is
// signed.
static PsErr check_secret(const PsDevice *device, const UA_EndpointDescription *endpoint,
                          const PsOpcuaChoice *choice, PsDiag *diag) {
    bool encrypted = endpoint->securityMode == UA_MESSAGESECURITYMODE_SIGNANDENCRYPT;
    if (device->auth == PS_OPCUA_USER_NAME && !encrypted && !choice->encrypts_secret) {
        return ps_fail(PS_ERR_REFUSED, diag, NULL, "auth",
                       "the password was not sent: the connection is not encrypted and the server "
                       "does not encrypt the password by itself; choose security_mode "
                       "SignAndEncrypt, or have the server protect its user name tokens");
    }
    if (device->auth == PS_OPCUA_CERTIFICATE && !choice->encrypts_secret) {
        return ps_fail(PS_ERR_REFUSED, diag, NULL, "auth",
                       "auth Certificate needs a security policy; set security_policy to Automatic "
                       "detection");
    }
    return PS_OK;
}

static bool offers_protection(const UA_EndpointDescription *endpoints, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (endpoints[i].securityMode != UA_MESSAGESECURITYMODE_NONE && is_binary(&endpoints[i])) {
            return true;
        }
    }
    return false;
}

PsErr ps_opcua_choose(const PsDevice *device, const UA_EndpointDescription *endpoints, size_t count,
                      PsOpcuaChoice *ret_choice, PsDiag *diag) {
    bool unprotected_is_wanted = device->security_policy == PS_OPCUA_POLICY_NONE ||
                                 device->security_mode == PS_OPCUA_MODE_NONE;
    bool protects = offers_protection(endpoints, count) && !unprotected_is_wanted;
    int best = PS_UNSET;
    int best_token = PS_UNSET;
    bool seen = false;
    for (size_t i = 0; i < count; i++) {
        bool none = endpoints[i].securityMode == UA_MESSAGESECURITYMODE_NONE;
        if (!fits(device, &endpoints[i]) || (none && protects)) {
            continue;
        }
        seen = true;
        int token = find_token(device, &endpoints[i]);
        if (token != PS_UNSET &&
            (best == PS_UNSET || rank_of(&endpoints[i]) > rank_of(&endpoints[best]))) {
            best = (int)i;
            best_token = token;
        }
    }
    if (best == PS_UNSET) {
        return seen ? fail_no_token(device, diag)
                    : fail_no_endpoint(device, endpoints, count, diag);
    }
    PsOpcuaChoice choice = {0};
    take(endpoints, (size_t)best, (size_t)best_token, &choice);
    PsErr err = check_secret(device, &endpoints[best], &choice, diag);
    if (err == PS_OK) {
        *ret_choice = choice;
    }
    return err;
}
