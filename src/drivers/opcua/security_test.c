// The choice among a server's endpoints.
#include "drivers/opcua/security.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

// The library's own drops a const.
#define TEXT(chars) {sizeof(chars) - 1, (UA_Byte *)(uintptr_t)(chars)}

#define P "http://opcfoundation.org/UA/SecurityPolicy#"

static UA_UserTokenPolicy anonymous = {.tokenType = UA_USERTOKENTYPE_ANONYMOUS};
static UA_UserTokenPolicy plain_user = {.tokenType = UA_USERTOKENTYPE_USERNAME,
                                        .securityPolicyUri = TEXT(P "None")};
static UA_UserTokenPolicy users[] = {
    {.tokenType = UA_USERTOKENTYPE_USERNAME, .securityPolicyUri = TEXT(P "None")},
    {.tokenType = UA_USERTOKENTYPE_USERNAME, .securityPolicyUri = TEXT(P "Basic256Sha256")},
};

static UA_EndpointDescription offer(const char *policy, UA_MessageSecurityMode mode) {
    return (UA_EndpointDescription){
        .securityPolicyUri = {strlen(policy), (UA_Byte *)(uintptr_t)policy},
        .securityMode = mode,
        .userIdentityTokens = &anonymous,
        .userIdentityTokensSize = 1,
    };
}

static PsErr choose(const PsDevice *device, const UA_EndpointDescription *offers, size_t count,
                    PsOpcuaChoice *choice, PsDiag *diag) {
    *diag = (PsDiag){0};
    return ps_opcua_choose(device, offers, count, choice, diag);
}

static void test_the_strongest_is_taken(void **state) {
    const UA_EndpointDescription offers[] = {
        offer(P "None", UA_MESSAGESECURITYMODE_NONE),
        offer(P "Basic128Rsa15", UA_MESSAGESECURITYMODE_SIGNANDENCRYPT),
        offer(P "Basic256Sha256", UA_MESSAGESECURITYMODE_SIGN),
        offer(P "Aes128_Sha256_RsaOaep", UA_MESSAGESECURITYMODE_SIGNANDENCRYPT),
        offer(P "Basic256Sha256", UA_MESSAGESECURITYMODE_SIGNANDENCRYPT),
        offer(P "Basic256", UA_MESSAGESECURITYMODE_SIGNANDENCRYPT),
    };
    PsOpcuaChoice choice;
    PsDiag diag;
    PsDevice device = {0};
    assert_int_equal(choose(&device, offers, PS_COUNT(offers), &choice, &diag), PS_OK);
    assert_int_equal(choice.endpoint, 4);
    assert_true(choice.protects);
    assert_string_equal(choice.name, "Basic256Sha256, SignAndEncrypt");
    device.security_mode = PS_OPCUA_MODE_SIGN;
    assert_int_equal(choose(&device, offers, PS_COUNT(offers), &choice, &diag), PS_OK);
    assert_int_equal(choice.endpoint, 2);
    device = (PsDevice){.security_policy = PS_OPCUA_POLICY_AES128};
    assert_int_equal(choose(&device, offers, PS_COUNT(offers), &choice, &diag), PS_OK);
    assert_int_equal(choice.endpoint, 3);
    device = (PsDevice){.security_policy = PS_OPCUA_POLICY_NONE};
    assert_int_equal(choose(&device, offers, PS_COUNT(offers), &choice, &diag), PS_OK);
    assert_int_equal(choice.endpoint, 0);
    assert_false(choice.protects);
}

static void test_never_down_to_nothing(void **state) {
    // The server protects, but with what we do not have.
    const UA_EndpointDescription weak[] = {
        offer(P "None", UA_MESSAGESECURITYMODE_NONE),
        offer(P "Basic256", UA_MESSAGESECURITYMODE_SIGNANDENCRYPT),
    };
    const UA_EndpointDescription nothing[] = {offer(P "None", UA_MESSAGESECURITYMODE_NONE)};
    PsOpcuaChoice choice;
    PsDiag diag;
    PsDevice device = {0};
    assert_int_equal(choose(&device, weak, 2, &choice, &diag), PS_ERR_REFUSED);
    assert_non_null(strstr(diag.text, "it offers None/None, Basic256/SignAndEncrypt"));
    assert_int_equal(choose(&device, nothing, 1, &choice, &diag), PS_OK);
    assert_false(choice.protects);
    device.security_policy = PS_OPCUA_POLICY_BASIC256SHA256;
    assert_int_equal(choose(&device, nothing, 1, &choice, &diag), PS_ERR_REFUSED);
}

static void test_passwords_go_encrypted_only(void **state) {
    UA_EndpointDescription none = offer(P "None", UA_MESSAGESECURITYMODE_NONE);
    PsDevice device = {.auth = PS_OPCUA_USER_NAME};
    PsOpcuaChoice choice;
    PsDiag diag;
    assert_int_equal(choose(&device, &none, 1, &choice, &diag), PS_ERR_REFUSED);
    assert_non_null(strstr(diag.text, "does not offer auth Username/Password"));
    none.userIdentityTokens = &plain_user;
    assert_int_equal(choose(&device, &none, 1, &choice, &diag), PS_ERR_REFUSED);
    assert_non_null(strstr(diag.text, "the password was not sent"));
    none.userIdentityTokens = users;
    none.userIdentityTokensSize = 2;
    assert_int_equal(choose(&device, &none, 1, &choice, &diag), PS_OK);
    assert_int_equal(choice.token, 1);
    assert_true(choice.encrypts_secret);
    UA_EndpointDescription encrypted =
        offer(P "Basic256Sha256", UA_MESSAGESECURITYMODE_SIGNANDENCRYPT);
    encrypted.userIdentityTokens = &plain_user; // all of the channel is encrypted
    assert_int_equal(choose(&device, &encrypted, 1, &choice, &diag), PS_OK);
    UA_EndpointDescription signing = offer(P "Basic256Sha256", UA_MESSAGESECURITYMODE_SIGN);
    signing.userIdentityTokens = &plain_user;
    assert_int_equal(choose(&device, &signing, 1, &choice, &diag), PS_ERR_REFUSED);
}

static void test_other_transports_are_skipped(void **state) {
    UA_EndpointDescription web = offer(P "None", UA_MESSAGESECURITYMODE_NONE);
    static char https[] = "http://opcfoundation.org/UA-Profile/Transport/https-uabinary";
    web.transportProfileUri = UA_STRING(https);
    PsOpcuaChoice choice;
    PsDiag diag;
    assert_int_equal(choose(&(PsDevice){0}, &web, 1, &choice, &diag), PS_ERR_REFUSED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_strongest_is_taken),
        cmocka_unit_test(test_never_down_to_nothing),
        cmocka_unit_test(test_passwords_go_encrypted_only),
        cmocka_unit_test(test_other_transports_are_skipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
