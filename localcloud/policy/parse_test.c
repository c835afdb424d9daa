// What a policy document may not be, and where it says so; the limits of its length.
#include "localcloud/policy/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define DOCUMENT(statements) "{\"Version\":\"2012-10-17\",\"Statement\":[" statements "]}"
#define GOOD "{\"Effect\":\"Allow\",\"Action\":\"iot:*\",\"Resource\":\"*\"}"
#define WITH(rest) "{\"Effect\":\"Allow\"," rest "}"
#define ABOUT_ALL "\"Action\":\"iot:*\",\"Resource\":\"*\""
#define WHEN(condition) DOCUMENT(WITH(ABOUT_ALL ",\"Condition\":" condition))

typedef struct Refusal {
    const char *document;
    const char *object;
    const char *field;
    const char *text; // begins with it
} Refusal;

static const Refusal refusals[] = {
    {"", "policy document", "", "Invalid policy syntax"},
    {"./policy.json", "policy document", "", "Invalid policy syntax: line 1, column 1"},
    {"[]", "policy document", "", "Invalid policy syntax: must be an object"},
    {"{\"Version\":\"2012-10-17\"}", "policy document", "Statement",
     "Policy document must contain at least one statement"},
    {DOCUMENT(""), "policy document", "Statement",
     "Policy document must contain at least one statement"},
    {"{\"Version\":\"2012-10-18\",\"Statement\":" GOOD "}", "policy document", "Version",
     "must be \"2012-10-17\""},
    {"{\"Version\":2012,\"Statement\":" GOOD "}", "policy document", "Version",
     "must be \"2012-10-17\""},
    {"{\"version\":\"2012-10-17\",\"Statement\":" GOOD "}", "policy document", "version",
     "is not an element of a policy; is Version meant?"},
    {"{\"Version\":\"2012-10-17\",\"Version\":\"2012-10-17\",\"Statement\":" GOOD "}",
     "policy document", "", "Invalid policy syntax"},
    {DOCUMENT("7"), "statement 1", "", "must be an object"},
    {DOCUMENT(GOOD "," WITH("\"Resource\":\"*\"")), "statement 2", "Action",
     "Policy statement must contain actions"},
    {DOCUMENT("{\"Action\":\"iot:*\",\"Resource\":\"*\"}"), "statement 1", "Effect",
     "Invalid effect: none"},
    {DOCUMENT("{\"Effect\":\"allow\"," ABOUT_ALL "}"), "statement 1", "Effect",
     "Invalid effect: allow"},
    {DOCUMENT(WITH("\"Action\":[],\"Resource\":\"*\"")), "statement 1", "Action",
     "Policy statement must contain actions"},
    {DOCUMENT(WITH("\"Action\":\"Publish\",\"Resource\":\"*\"")), "statement 1", "Action",
     "The following actions are invalid : Publish"},
    {DOCUMENT(WITH("\"Action\":[\"iot:Publish\",7],\"Resource\":\"*\"")), "statement 1", "Action",
     "must be a text or a list of texts"},
    {DOCUMENT(WITH("\"NotAction\":\"iot:Publish\"," ABOUT_ALL)), "statement 1", "NotAction",
     "Action and NotAction exclude each other"},
    {DOCUMENT(WITH("\"Action\":\"iot:*\"")), "statement 1", "Resource",
     "Policy statement must contain resources"},
    {DOCUMENT(WITH("\"Action\":\"iot:*\",\"Resource\":\"\"")), "statement 1", "Resource",
     "must be a text or a list of texts, none of them empty"},
    {DOCUMENT(WITH("\"Action\":\"iot:*\",\"Resource\":\"awsiot/test\"")), "statement 1", "Resource",
     "The following resources are invalid : awsiot/test"},
    {DOCUMENT(WITH("\"Action\":\"iot:*\",\"Resource\":\"arn:aws:iot:topic/a\"")), "statement 1",
     "Resource", "The following resources are invalid"},
    {DOCUMENT(WITH("\"NotResource\":\"*\"," ABOUT_ALL)), "statement 1", "NotResource",
     "Resource and NotResource exclude each other"},
    {DOCUMENT(WITH("\"Action\":\"iot:*\",\"Resource\":\"arn:aws:iot:::topic/${iot:ClientId\"")),
     "statement 1", "Resource", "the variable in"},
    {DOCUMENT(WITH("\"Principal\":\"*\"," ABOUT_ALL)), "statement 1", "Principal",
     "Policy document should not specify a principal"},
    {DOCUMENT(WITH("\"Resources\":\"*\",\"Action\":\"*\"")), "statement 1", "Resources",
     "is not an element of a policy; is Resource meant?"},
    {DOCUMENT(WITH("\"Sid\":7," ABOUT_ALL)), "statement 1", "Sid", "must be a text"},
    {WHEN("[]"), "statement 1", "Condition", "must be an object of operators"},
    {WHEN("{\"StringEqual\":{\"iot:ClientId\":\"a\"}}"), "statement 1", "Condition",
     "Invalid Condition type : StringEqual (is StringEquals meant?)"},
    {WHEN("{\"ForSomeValue:StringEquals\":{\"iot:ClientId\":\"a\"}}"), "statement 1", "Condition",
     "Invalid Condition type"},
    {WHEN("{\"NullIfExists\":{\"iot:ClientId\":\"true\"}}"), "statement 1", "Condition",
     "Invalid Condition type"},
    {WHEN("{\"NumericLessThan\":{\"iot:ClientId\":\"7\"}}"), "statement 1", "Condition",
     "the operator NumericLessThan compares a kind of value"},
    {WHEN("{\"StringEquals\":\"a\"}"), "statement 1", "Condition",
     "StringEquals must be an object of keys"},
    {WHEN("{\"StringEquals\":{\"ClientId\":\"a\"}}"), "statement 1", "Condition",
     "StringEquals: 'ClientId' is no condition key"},
    {WHEN("{\"StringEquals\":{\"iot:ClientId\":{}}}"), "statement 1", "Condition",
     "StringEquals: iot:ClientId: must be a text or a list of texts"},
    {WHEN("{\"StringEquals\":{\"iot:ClientId\":\"${a\"}}"), "statement 1", "Condition",
     "StringEquals: iot:ClientId: the variable in '${a' has no closing }"},
    {WHEN("{\"Bool\":{\"iot:Connection.Thing.IsAttached\":\"yes\"}}"), "statement 1", "Condition",
     "Bool: iot:Connection.Thing.IsAttached: 'yes' is neither true nor false"},
    {WHEN("{\"IpAddress\":{\"aws:SourceIp\":\"10.0.0.0/33\"}}"), "statement 1", "Condition",
     "IpAddress: aws:SourceIp: '10.0.0.0/33' is not an address"},
    {WHEN("{\"IpAddress\":{\"aws:SourceIp\":\"localhost\"}}"), "statement 1", "Condition",
     "IpAddress: aws:SourceIp: 'localhost' is not an address"},
};

static void test_refusals(void **state) {
    (void)state;
    for (size_t i = 0; i < PS_COUNT(refusals); i++) {
        const Refusal *refusal = &refusals[i];
        PsPolicyDocument *document = NULL;
        PsDiag diag = {0};
        PsErr err = ps_policy_parse(refusal->document, strlen(refusal->document), &document, &diag);
        if (err != PS_ERR_INVALID || document != NULL) {
            fail_msg("taken: %s", refusal->document);
        }
        if (strcmp(diag.object, refusal->object) != 0 || strcmp(diag.field, refusal->field) != 0 ||
            strncmp(diag.text, refusal->text, strlen(refusal->text)) != 0) {
            fail_msg("%s: %s: %s: %s", refusal->document, diag.object, diag.field, diag.text);
        }
        // Nobody has to ask why.
        assert_int_equal(
            ps_policy_parse(refusal->document, strlen(refusal->document), &document, NULL),
            PS_ERR_INVALID);
    }
}

static const char *const accepted[] = {
    DOCUMENT(GOOD),
    DOCUMENT(GOOD "," GOOD),
    "{\"Version\":\"2012-10-17\",\"Id\":\"x\",\"Statement\":" GOOD "}",
    "{\"Version\":\"2008-10-17\",\"Statement\":" GOOD "}",
    "{\"Statement\":" GOOD "}",
    DOCUMENT(WITH("\"Sid\":\"All\"," ABOUT_ALL)),
    DOCUMENT(WITH("\"Action\":\"greengrass:Discover\",\"Resource\":\"*\"")),
    DOCUMENT(WITH("\"Action\":\"iot:*\",\"Resource\":\"arn:aws:iot:*\"")),
    DOCUMENT(WITH("\"Action\":\"iot:*\",\"Resource\":\"arn:aws:iot:::topic/${iot:Nothing}\"")),
    WHEN("{}"),
    WHEN("{\"ForAllValues:StringEquals\":{\"iot:ConnectAttributes\":[]}}"),
    WHEN("{\"BoolIfExists\":{\"aws:SecureTransport\":\"true\"}}"),
    WHEN("{\"StringEquals\":{\"iot:ClientId\":7}}"),
};

static void test_accepted(void **state) {
    (void)state;
    for (size_t i = 0; i < PS_COUNT(accepted); i++) {
        PsPolicyDocument *document = NULL;
        PsDiag diag = {0};
        if (ps_policy_parse(accepted[i], strlen(accepted[i]), &document, &diag) != PS_OK) {
            fail_msg("%s: %s: %s: %s", accepted[i], diag.object, diag.field, diag.text);
        }
        ps_policy_unref(ps_policy_ref(document));
        ps_policy_unref(document);
    }
}

// A document of so many characters that count, with as much white space again.
static void put_document(PsBuf *out, size_t characters) {
    static const char begin[] = "{ \"Statement\" : [ { \"Effect\":\"Allow\",\"Action\":\"*\",\n"
                                "\"Resource\":\"*\",\"Sid\":\"";
    static const char end[] = "\"}]}";
    size_t white = 6;
    size_t fill = characters - (sizeof begin - 1 - white) - (sizeof end - 1);
    ps_buf_put(out, begin, sizeof begin - 1);
    for (size_t i = 0; i < fill; i++) {
        ps_buf_put(out, "\303\251", 2); // one character of two bytes
    }
    ps_buf_put(out, end, sizeof end - 1);
    for (size_t i = 0; i < characters; i++) {
        ps_buf_put(out, " ", 1);
    }
}

static void test_length(void **state) {
    (void)state;
    static const struct {
        size_t characters;
        PsErr err;
    } cases[] = {{2048, PS_OK}, {2049, PS_ERR_TOO_BIG}, {404600, PS_ERR_TOO_BIG}};
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PS_AUTO_BUF PsBuf text = {0};
        put_document(&text, cases[i].characters);
        PsPolicyDocument *document = NULL;
        PsDiag diag = {0};
        assert_int_equal(ps_policy_parse((const char *)text.data, text.len, &document, &diag),
                         cases[i].err);
        assert_int_equal(diag.text[0] != '\0', cases[i].err != PS_OK);
        ps_policy_unref(document);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
