// What a person is told about each statement.
#include "localcloud/policy/reasons.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static const PsPolicyPlace place = {"aws", "us-east-1", "000000000000"};

#define ARN "arn:aws:iot:us-east-1:000000000000:"
#define ONE(rest) "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\"," rest "}}"
#define ABOUT(action, resource) ONE("\"Action\":\"" action "\",\"Resource\":\"" resource "\"")

typedef struct Case {
    const char *document;
    PsPolicyAction action;
    const char *name;
    bool applies;
    const char *text; // has this in it
} Case;

static const Case cases[] = {
    {ABOUT("iot:*", "*"), PS_POLICY_PUBLISH, "a", true, "it allows iot:* on *"},
    {ABOUT("iot:Publish", "*"), PS_POLICY_SUBSCRIBE, "a", false,
     "it is about iot:Publish, not about iot:Subscribe"},
    {ONE("\"NotAction\":\"iot:Publish\",\"Resource\":\"*\""), PS_POLICY_PUBLISH, "a", false,
     "NotAction leaves iot:Publish out"},
    {ABOUT("iot:Subscribe", ARN "topic/a"), PS_POLICY_SUBSCRIBE, "a", false,
     "iot:Subscribe is checked against topicfilter/…, and its resource is topic/…"},
    {ABOUT("iot:Publish", ARN "topicfilter/a"), PS_POLICY_PUBLISH, "a", false,
     "is checked against topic/…"},
    {ABOUT("iot:Publish", "arn:aws:iot:us-east-1:123456789012:topic/a"), PS_POLICY_PUBLISH, "a",
     false, "in the account '123456789012', this one in '000000000000'"},
    {ABOUT("iot:Publish", "arn:aws:iot:eu-west-1:000000000000:topic/a"), PS_POLICY_PUBLISH, "a",
     false, "in the region 'eu-west-1'"},
    {ABOUT("iot:Publish", "arn:aws-cn:iot:us-east-1:000000000000:topic/a"), PS_POLICY_PUBLISH, "a",
     false, "in the partition 'aws-cn'"},
    {ABOUT("iot:Receive", ARN "topic/a/#"), PS_POLICY_RECEIVE, "a/b", false,
     "+ and # are ordinary characters in a policy"},
    {ABOUT("iot:Publish", ARN "topic/a"), PS_POLICY_PUBLISH, "b", false,
     "its resource " ARN "topic/a does not match"},
    {ABOUT("iot:Publish", ARN "topic/${iot:Connection.Thing.ThingName}"), PS_POLICY_PUBLISH, "gw",
     false, "${iot:Connection.Thing.ThingName} has no value: no thing named like the client id"},
    {ABOUT("iot:Publish", ARN "topic/${iot:ClientID2}"), PS_POLICY_PUBLISH, "gw", false,
     "there is no policy variable of that name"},
    {ONE("\"Action\":\"*\",\"NotResource\":\"" ARN "topic/a\""), PS_POLICY_PUBLISH, "a", false,
     "NotResource leaves this resource out"},
    {ONE("\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"StringEquals\":{\"iot:ClientId\":"
         "\"other\"}}"),
     PS_POLICY_PUBLISH, "a", false,
     "its condition StringEquals of iot:ClientId does not hold: the value is 'gw', the policy has "
     "other"},
    {ONE("\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"StringEquals\":{"
         "\"iot:Connection.Thing.ThingName\":\"x\"}}"),
     PS_POLICY_PUBLISH, "a", false, "the key has no value: no thing named"},
    {ONE("\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"StringEquals\":{"
         "\"iot:ClientId\":\"${iot:Connection.Thing.ThingName}\"}}"),
     PS_POLICY_PUBLISH, "a", false, "in its condition has no value"},
};

static void keep(void *ctx, const PsPolicyReason *reason) {
    *(PsPolicyReason *)ctx = *reason;
}

static void test_reasons(void **state) {
    (void)state;
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        const Case *one = &cases[i];
        PsPolicyDocument *document = NULL;
        PsDiag diag = {0};
        if (ps_policy_parse(one->document, strlen(one->document), &document, &diag) != PS_OK) {
            fail_msg("%s: %s", one->document, diag.text);
        }
        PS_AUTO_POLICY_SET PsPolicySet set = {0};
        ps_policy_set_put(&set, "tested", "3", document);
        ps_policy_set_put(&set, "tested", "3", document); // again, by a group: counts once
        ps_policy_unref(document);
        assert_int_equal(set.count, 1);
        PS_AUTO_BUF PsBuf arn = {0};
        ps_policy_put_arn(&arn, &place, one->action, one->name, strlen(one->name));
        PsPolicyContext context = {.client_id = "gw"};
        PsPolicyReason reason = {0};
        ps_policy_reasons(&set, &context, one->action, (const char *)arn.data, arn.len, keep,
                          &reason);
        assert_string_equal(reason.policy, "tested");
        assert_string_equal(reason.version, "3");
        assert_int_equal(reason.statement, 1);
        assert_int_equal(reason.applies, one->applies);
        if (strstr(reason.text, one->text) == NULL) {
            fail_msg("%s: %s", one->document, reason.text);
        }
        PsPolicyWhy why;
        PsPolicyVerdict verdict =
            ps_policy_decide(&set, &context, one->action, (const char *)arn.data, arn.len, &why);
        assert_int_equal(verdict == PS_POLICY_ALLOW, one->applies);
        assert_int_equal(why.statement, one->applies ? 1 : 0);
        assert_non_null(strstr(why.text, ps_policy_action_name(one->action)));
    }
}

static void test_nothing_attached(void **state) {
    (void)state;
    PsPolicySet set = {0};
    PsPolicyContext context = {.client_id = "gw"};
    PsPolicyWhy why;
    assert_int_equal(ps_policy_decide(&set, &context, PS_POLICY_CONNECT, "*", 1, &why),
                     PS_POLICY_DENY_IMPLICIT);
    assert_string_equal(why.text, "no policy is attached, so nothing is allowed");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_nothing_attached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
