// Policies and what they allow: every example and every pitfall that the service's documentation
// has, each with its reason.
#include "localcloud/policy/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static const PsPolicyPlace place = {"aws", "us-east-1", "000000000000"};

#define ARN "arn:aws:iot:us-east-1:000000000000:"
#define DOCUMENT(statements) "{\"Version\":\"2012-10-17\",\"Statement\":[" statements "]}"
#define STATEMENT(effect, action, resource)                                                        \
    "{\"Effect\":\"" effect "\",\"Action\":\"" action "\",\"Resource\":\"" resource "\"}"
#define ALLOW(action, resource) STATEMENT("Allow", action, resource)
#define DENY(action, resource) STATEMENT("Deny", action, resource)
#define WHEN(effect, action, resource, condition)                                                  \
    "{\"Effect\":\"" effect "\",\"Action\":\"" action "\",\"Resource\":\"" resource                \
    "\",\"Condition\":{" condition "}}"
#define CONNECT_IF(condition) DOCUMENT(WHEN("Allow", "iot:Connect", "*", condition))
#define PUBLISH_IF(condition) DOCUMENT(WHEN("Allow", "iot:Publish", "*", condition))

// The connection of a vector: what differs from "client gw, no thing, no certificate".
static const PsPolicyAttribute attributes[] = {{"line", "7"}, {"Line", "8"}, {"star", "a*"}};
static const PsPolicyThing boiler = {"gw", "boiler", attributes, 3};
static const PsPolicyThing plain = {.name = "gw"};

#define PLAIN .client_id = "gw", .source_ip = "203.0.113.9", .domain_name = "localhost"
static const PsPolicyContext client = {PLAIN};
static const PsPolicyContext plus = {.client_id = "+"};
static const PsPolicyContext hash = {.client_id = "#"};
static const PsPolicyContext star = {.client_id = "*"};
static const PsPolicyContext question = {.client_id = "?"};
static const PsPolicyContext attached = {PLAIN, .thing = &boiler, .is_attached = true};
static const PsPolicyContext typeless = {PLAIN, .thing = &plain, .is_attached = true};
static const PsPolicyContext known = {PLAIN, .certificate_id = "c0ffee"};
static const PsPolicyContext v6 = {.client_id = "gw", .source_ip = "2001:db8:1::9"};
static const PsPolicyContext lasting = {PLAIN, .persistent = true};
static const PsPolicyContext willing = {PLAIN, .last_will = true,
                                        .last_will_topic = ARN "topic/my/will"};
static const PsPolicyContext both = {PLAIN, .persistent = true, .last_will = true,
                                     .last_will_topic = ARN "topic/other"};

#define CONNECT PS_POLICY_CONNECT
#define PUBLISH PS_POLICY_PUBLISH
#define RETAIN PS_POLICY_RETAIN_PUBLISH
#define SUBSCRIBE PS_POLICY_SUBSCRIBE
#define RECEIVE PS_POLICY_RECEIVE
#define YES PS_POLICY_ALLOW
#define NO PS_POLICY_DENY_IMPLICIT
#define DENIED PS_POLICY_DENY_EXPLICIT

typedef struct Vector {
    const char *reason;
    const char *document;
    const PsPolicyContext *context;
    PsPolicyAction action;
    const char *name; // of the resource, without its ARN
    PsPolicyVerdict verdict;
} Vector;

// Actions and their resources.
static const Vector actions[] = {
    {"the manual's policy allows all", DOCUMENT(ALLOW("iot:*", "*")), &client, CONNECT, "gw", YES},
    {"* as action too", DOCUMENT(ALLOW("*", "*")), &client, PUBLISH, "a/b", YES},
    {"Connect is about client/", DOCUMENT(ALLOW("iot:Connect", ARN "client/gw")), &client, CONNECT,
     "gw", YES},
    {"another client id", DOCUMENT(ALLOW("iot:Connect", ARN "client/gw")), &client, CONNECT, "gw2",
     NO},
    {"Publish is about topic/", DOCUMENT(ALLOW("iot:Publish", ARN "topic/a/b")), &client, PUBLISH,
     "a/b", YES},
    {"topics have upper and lower case", DOCUMENT(ALLOW("iot:Publish", ARN "topic/a/b")), &client,
     PUBLISH, "A/b", NO},
    {"actions have not", DOCUMENT(ALLOW("IOT:publish", ARN "topic/a/b")), &client, PUBLISH, "a/b",
     YES},
    {"a topic is no filter", DOCUMENT(ALLOW("iot:Subscribe", ARN "topic/a/b")), &client, SUBSCRIBE,
     "a/b", NO},
    {"Subscribe is about topicfilter/", DOCUMENT(ALLOW("iot:Subscribe", ARN "topicfilter/a/b")),
     &client, SUBSCRIBE, "a/b", YES},
    {"Receive is about topic/", DOCUMENT(ALLOW("iot:Receive", ARN "topic/a/b")), &client, RECEIVE,
     "a/b", YES},
    {"Subscribe does not bring Receive", DOCUMENT(ALLOW("iot:Subscribe", "*")), &client, RECEIVE,
     "a/b", NO},
    {"Publish does not bring RetainPublish", DOCUMENT(ALLOW("iot:Publish", "*")), &client, RETAIN,
     "a/b", NO},
    {"RetainPublish of its own", DOCUMENT(ALLOW("iot:RetainPublish", ARN "topic/a/b")), &client,
     RETAIN, "a/b", YES},
    {"a wildcard in the action", DOCUMENT(ALLOW("iot:*Publish", "*")), &client, RETAIN, "a", YES},
    {"? in the action", DOCUMENT(ALLOW("iot:Publis?", "*")), &client, PUBLISH, "a", YES},
    {"another service's action", DOCUMENT(ALLOW("greengrass:*", "*")), &client, PUBLISH, "a", NO},
    {"shadow over HTTPS is about thing/", DOCUMENT(ALLOW("iot:GetThingShadow", ARN "thing/gw")),
     &client, PS_POLICY_GET_THING_SHADOW, "gw", YES},
    {"lists are about *", DOCUMENT(ALLOW("iot:ListRetainedMessages", "*")), &client,
     PS_POLICY_LIST_RETAINED_MESSAGES, "", YES},
    {"another account",
     DOCUMENT(ALLOW("iot:Publish", "arn:aws:iot:us-east-1:123456789012:topic/a")), &client, PUBLISH,
     "a", NO},
    {"any account", DOCUMENT(ALLOW("iot:Publish", "arn:aws:iot:*:*:topic/a")), &client, PUBLISH,
     "a", YES},
    {"another region", DOCUMENT(ALLOW("iot:Publish", "arn:aws:iot:eu-west-1:000000000000:topic/a")),
     &client, PUBLISH, "a", NO},
    {"the statement may be one object",
     "{\"Version\":\"2012-10-17\",\"Statement\":" ALLOW("iot:Publish", "*") "}", &client, PUBLISH,
     "a", YES},
    {"lists of actions and resources",
     DOCUMENT("{\"Effect\":\"Allow\",\"Action\":[\"iot:Connect\",\"iot:Publish\"],\"Resource\":["
              "\"" ARN "client/gw\",\"" ARN "topic/a\"]}"),
     &client, PUBLISH, "a", YES},
    {"NotAction leaves out",
     DOCUMENT("{\"Effect\":\"Allow\",\"NotAction\":\"iot:Publish\","
              "\"Resource\":\"*\"}"),
     &client, PUBLISH, "a", NO},
    {"and has the rest",
     DOCUMENT("{\"Effect\":\"Allow\",\"NotAction\":\"iot:Publish\","
              "\"Resource\":\"*\"}"),
     &client, RECEIVE, "a", YES},
    {"NotResource leaves out",
     DOCUMENT("{\"Effect\":\"Allow\",\"Action\":\"*\",\"NotResource\":["
              "\"" ARN "topic/secret/*\",\"" ARN "topic/b\"]}"),
     &client, PUBLISH, "secret/a", NO},
    {"and has the rest",
     DOCUMENT("{\"Effect\":\"Allow\",\"Action\":\"*\",\"NotResource\":["
              "\"" ARN "topic/secret/*\",\"" ARN "topic/b\"]}"),
     &client, PUBLISH, "open/a", YES},
};

// Deny wins, wildcards, characters.
static const Vector evaluation[] = {
    {"nothing matches: denied", DOCUMENT(ALLOW("iot:Publish", ARN "topic/a")), &client, PUBLISH,
     "b", NO},
    {"an explicit Deny wins", DOCUMENT(ALLOW("iot:*", "*") "," DENY("iot:Publish", ARN "topic/a")),
     &client, PUBLISH, "a", DENIED},
    {"also when it comes first",
     DOCUMENT(DENY("iot:Publish", ARN "topic/a") "," ALLOW("iot:*", "*")), &client, PUBLISH, "a",
     DENIED},
    {"and leaves the rest", DOCUMENT(DENY("iot:Publish", ARN "topic/a") "," ALLOW("iot:*", "*")),
     &client, PUBLISH, "b", YES},
    {"* also takes /", DOCUMENT(ALLOW("iot:Publish", ARN "topic/a/*")), &client, PUBLISH, "a/b/c/d",
     YES},
    {"* takes nothing as well", DOCUMENT(ALLOW("iot:Publish", ARN "topic/a*")), &client, PUBLISH,
     "a", YES},
    {"a/* does not take a", DOCUMENT(ALLOW("iot:Publish", ARN "topic/a/*")), &client, PUBLISH, "a",
     NO},
    {"* in the middle", DOCUMENT(ALLOW("iot:Publish", ARN "topic/a/*/state")), &client, PUBLISH,
     "a/b/c/state", YES},
    {"what follows the * must end the topic", DOCUMENT(ALLOW("iot:Publish", ARN "topic/a/*/state")),
     &client, PUBLISH, "a/b/state/x", NO},
    {"? takes one character", DOCUMENT(ALLOW("iot:Publish", ARN "topic/line?")), &client, PUBLISH,
     "line7", YES},
    {"not none", DOCUMENT(ALLOW("iot:Publish", ARN "topic/line?")), &client, PUBLISH, "line", NO},
    {"not two", DOCUMENT(ALLOW("iot:Publish", ARN "topic/line?")), &client, PUBLISH, "line77", NO},
    {"also one of several bytes", DOCUMENT(ALLOW("iot:Publish", ARN "topic/line?")), &client,
     PUBLISH, "line\303\251", YES},
    {"# is a plain character: only the filter a/# itself",
     DOCUMENT(ALLOW("iot:Subscribe", ARN "topicfilter/a/#")), &client, SUBSCRIBE, "a/#", YES},
    {"and no narrower filter", DOCUMENT(ALLOW("iot:Subscribe", ARN "topicfilter/a/#")), &client,
     SUBSCRIBE, "a/b", NO},
    {"nor topics in Receive", DOCUMENT(ALLOW("iot:Receive", ARN "topic/a/#")), &client, RECEIVE,
     "a/b", NO},
    {"+ is a plain character too", DOCUMENT(ALLOW("iot:Subscribe", ARN "topicfilter/+/b")), &client,
     SUBSCRIBE, "a/b", NO},
    {"* takes filters with wildcards", DOCUMENT(ALLOW("iot:Subscribe", ARN "topicfilter/a/*")),
     &client, SUBSCRIBE, "a/+/#", YES},
    {"a Deny below does not stop the filter above it",
     DOCUMENT(ALLOW("iot:*", "*") "," DENY("iot:Subscribe", ARN "topicfilter/a/restricted/*")),
     &client, SUBSCRIBE, "a/#", YES},
    {"the deliveries are stopped by a Deny of Receive",
     DOCUMENT(ALLOW("iot:*", "*") "," DENY("iot:Receive", ARN "topic/a/restricted/*")), &client,
     RECEIVE, "a/restricted/x", DENIED},
    {"${*} is a star", DOCUMENT(ALLOW("iot:Subscribe", ARN "topicfilter/a/${*}")), &client,
     SUBSCRIBE, "a/*", YES},
    {"and nothing else", DOCUMENT(ALLOW("iot:Subscribe", ARN "topicfilter/a/${*}")), &client,
     SUBSCRIBE, "a/b", NO},
    {"${?} is a question mark", DOCUMENT(ALLOW("iot:Publish", ARN "topic/a${?}")), &client, PUBLISH,
     "a?", YES},
    {"${$} is a dollar sign", DOCUMENT(ALLOW("iot:Publish", ARN "topic/${$}{iot:ClientId}")),
     &client, PUBLISH, "${iot:ClientId}", YES},
    {"$aws is plain text", DOCUMENT(ALLOW("iot:Publish", ARN "topic/$aws/things/gw/shadow/update")),
     &client, PUBLISH, "$aws/things/gw/shadow/update", YES},
    {"* takes reserved topics as well", DOCUMENT(ALLOW("iot:Publish", ARN "topic/*")), &client,
     PUBLISH, "$aws/things/gw/shadow/update", YES},
};

// Variables in resources.
static const Vector variables[] = {
    {"the client's own topic", DOCUMENT(ALLOW("iot:Publish", ARN "topic/${iot:ClientId}/x")),
     &client, PUBLISH, "gw/x", YES},
    {"not another's", DOCUMENT(ALLOW("iot:Publish", ARN "topic/${iot:ClientId}/x")), &client,
     PUBLISH, "gw2/x", NO},
    {"names of variables have no case",
     DOCUMENT(ALLOW("iot:Publish", ARN "topic/${IOT:clientid}/x")), &client, PUBLISH, "gw/x", YES},
    {"a client that calls itself + widens its filter: restrict Connect",
     DOCUMENT(ALLOW("iot:Subscribe", ARN "topicfilter/${iot:ClientId}/x")), &plus, SUBSCRIBE, "+/x",
     YES},
    {"so does #", DOCUMENT(ALLOW("iot:Subscribe", ARN "topicfilter/${iot:ClientId}")), &hash,
     SUBSCRIBE, "#", YES},
    {"but * in a value is a plain character",
     DOCUMENT(ALLOW("iot:Publish", ARN "topic/${iot:ClientId}/x")), &star, PUBLISH, "gw/x", NO},
    {"and so is ?", DOCUMENT(ALLOW("iot:Publish", ARN "topic/${iot:ClientId}")), &question, PUBLISH,
     "g", NO},
    {"the thing's name needs an attached thing",
     DOCUMENT(ALLOW("iot:Connect", ARN "client/${iot:Connection.Thing.ThingName}")), &client,
     CONNECT, "gw", NO},
    {"with it", DOCUMENT(ALLOW("iot:Connect", ARN "client/${iot:Connection.Thing.ThingName}")),
     &attached, CONNECT, "gw", YES},
    {"without a value not even its own text matches",
     DOCUMENT(ALLOW("iot:Publish", ARN "topic/${iot:Connection.Thing.ThingName}")), &client,
     PUBLISH, "${iot:Connection.Thing.ThingName}", NO},
    {"nor does a star beside it",
     DOCUMENT(ALLOW("iot:Publish", ARN "topic/*${iot:Connection.Thing.ThingName}")), &client,
     PUBLISH, "a", NO},
    {"the other resources of the statement hold",
     DOCUMENT("{\"Effect\":\"Allow\",\"Action\":\"iot:Publish\",\"Resource\":[\"" ARN
              "topic/${iot:Connection.Thing.ThingName}\",\"" ARN "topic/a\"]}"),
     &client, PUBLISH, "a", YES},
    {"a Deny without a value denies nothing",
     DOCUMENT(ALLOW("iot:*", "*") "," DENY("iot:Publish",
                                           ARN "topic/${iot:Connection.Thing.ThingName}")),
     &client, PUBLISH, "gw", YES},
    {"in NotResource the statement is about nothing",
     DOCUMENT("{\"Effect\":\"Allow\",\"Action\":\"*\",\"NotResource\":\"" ARN
              "topic/${iot:Connection.Thing.ThingName}\"}"),
     &client, PUBLISH, "a", NO},
    {"the thing's type",
     DOCUMENT(ALLOW("iot:Publish", ARN "topic/${iot:Connection.Thing.ThingTypeName}/x")), &attached,
     PUBLISH, "boiler/x", YES},
    {"a thing without a type",
     DOCUMENT(ALLOW("iot:Publish", ARN "topic/${iot:Connection.Thing.ThingTypeName}/x")), &typeless,
     PUBLISH, "boiler/x", NO},
    {"an attribute",
     DOCUMENT(ALLOW("iot:Publish", ARN "topic/line/${iot:Connection.Thing.Attributes[line]}")),
     &attached, PUBLISH, "line/7", YES},
    {"names of attributes have case",
     DOCUMENT(ALLOW("iot:Publish", ARN "topic/line/${iot:Connection.Thing.Attributes[Line]}")),
     &attached, PUBLISH, "line/7", NO},
    {"an attribute that is not there",
     DOCUMENT(ALLOW("iot:Publish", ARN "topic/${iot:Connection.Thing.Attributes[none]}")),
     &attached, PUBLISH, "x", NO},
    {"a star in an attribute is a plain character",
     DOCUMENT(ALLOW("iot:Publish", ARN "topic/${iot:Connection.Thing.Attributes[star]}")),
     &attached, PUBLISH, "abc", NO},
    {"the certificate's id", DOCUMENT(ALLOW("iot:Publish", ARN "topic/${iot:CertificateId}")),
     &known, PUBLISH, "c0ffee", YES},
    {"a name that nobody knows", DOCUMENT(ALLOW("iot:Publish", ARN "topic/${iot:Clientid2}")),
     &client, PUBLISH, "gw", NO},
    {"two variables", DOCUMENT(ALLOW("iot:Publish", ARN "topic/${iot:ClientId}/${aws:SourceIp}")),
     &client, PUBLISH, "gw/203.0.113.9", YES},
    {"a set of values cannot stand in a topic",
     DOCUMENT(ALLOW("iot:Connect", ARN "client/${iot:ConnectAttributes}")), &lasting, CONNECT,
     "PersistentConnect", NO},
    {"without Version 2012-10-17 there are no variables",
     "{\"Statement\":[" ALLOW("iot:Publish", ARN "topic/${iot:ClientId}") "]}", &client, PUBLISH,
     "gw", NO},
    {"the text stays as it is",
     "{\"Version\":\"2008-10-17\",\"Statement\":[" ALLOW("iot:Publish",
                                                         ARN "topic/${iot:ClientId}") "]}",
     &client, PUBLISH, "${iot:ClientId}", YES},
};

// Conditions.
static const Vector conditions[] = {
    {"an attached thing", CONNECT_IF("\"Bool\":{\"iot:Connection.Thing.IsAttached\":[\"true\"]}"),
     &attached, CONNECT, "gw", YES},
    {"none", CONNECT_IF("\"Bool\":{\"iot:Connection.Thing.IsAttached\":\"true\"}"), &client,
     CONNECT, "gw", NO},
    {"a JSON true is a true", CONNECT_IF("\"Bool\":{\"iot:Connection.Thing.IsAttached\":true}"),
     &attached, CONNECT, "gw", YES},
    {"StringEquals", PUBLISH_IF("\"StringEquals\":{\"iot:ClientId\":\"gw\"}"), &client, PUBLISH,
     "a", YES},
    {"StringEquals has no wildcards", PUBLISH_IF("\"StringEquals\":{\"iot:ClientId\":\"g*\"}"),
     &client, PUBLISH, "a", NO},
    {"StringLike has", PUBLISH_IF("\"StringLike\":{\"iot:ClientId\":\"g*\"}"), &client, PUBLISH,
     "a", YES},
    {"StringNotLike", PUBLISH_IF("\"StringNotLike\":{\"iot:ClientId\":\"g*\"}"), &client, PUBLISH,
     "a", NO},
    {"StringNotEquals", PUBLISH_IF("\"StringNotEquals\":{\"iot:ClientId\":\"other\"}"), &client,
     PUBLISH, "a", YES},
    {"none of several", PUBLISH_IF("\"StringNotEquals\":{\"iot:ClientId\":[\"other\",\"gw\"]}"),
     &client, PUBLISH, "a", NO},
    {"one of several", PUBLISH_IF("\"StringEquals\":{\"iot:ClientId\":[\"other\",\"gw\"]}"),
     &client, PUBLISH, "a", YES},
    {"StringEquals minds the case", PUBLISH_IF("\"StringEquals\":{\"iot:ClientId\":\"GW\"}"),
     &client, PUBLISH, "a", NO},
    {"StringEqualsIgnoreCase does not",
     PUBLISH_IF("\"StringEqualsIgnoreCase\":{\"iot:ClientId\":\"GW\"}"), &client, PUBLISH, "a",
     YES},
    {"all operators must hold",
     PUBLISH_IF("\"StringEquals\":{\"iot:ClientId\":\"gw\"},"
                "\"StringLike\":{\"iot:DomainName\":\"*.example\"}"),
     &client, PUBLISH, "a", NO},
    {"all keys must hold",
     PUBLISH_IF("\"StringEquals\":{\"iot:ClientId\":\"gw\","
                "\"iot:DomainName\":\"localhost\"}"),
     &client, PUBLISH, "a", YES},
    {"thing type and attribute",
     PUBLISH_IF("\"StringEquals\":{\"iot:Connection.Thing.Attributes[line]\":\"7\","
                "\"iot:Connection.Thing.ThingTypeName\":\"boiler\"}"),
     &attached, PUBLISH, "a", YES},
    {"a key without a value equals nothing",
     PUBLISH_IF("\"StringEquals\":{\"iot:Connection.Thing.ThingTypeName\":\"boiler\"}"), &client,
     PUBLISH, "a", NO},
    {"and is unequal to everything",
     PUBLISH_IF("\"StringNotEquals\":{\"iot:Connection.Thing.ThingTypeName\":\"boiler\"}"), &client,
     PUBLISH, "a", YES},
    {"IfExists lets it pass",
     PUBLISH_IF("\"StringEqualsIfExists\":{\"iot:Connection.Thing.ThingTypeName\":\"boiler\"}"),
     &client, PUBLISH, "a", YES},
    {"but not a wrong one",
     PUBLISH_IF("\"StringEqualsIfExists\":{\"iot:Connection.Thing.ThingTypeName\":\"pump\"}"),
     &attached, PUBLISH, "a", NO},
    {"Null asks whether there is one",
     PUBLISH_IF("\"Null\":{\"iot:Connection.Thing.ThingName\":\"false\"}"), &attached, PUBLISH, "a",
     YES},
    {"or none", PUBLISH_IF("\"Null\":{\"iot:Connection.Thing.ThingName\":\"false\"}"), &client,
     PUBLISH, "a", NO},
    {"a variable as value",
     CONNECT_IF("\"StringEquals\":{\"iot:ClientId\":\"${iot:Connection.Thing.ThingName}\"}"),
     &attached, CONNECT, "gw", YES},
    {"without a value the statement is about nothing",
     CONNECT_IF("\"StringNotEquals\":{\"iot:ClientId\":\"${iot:Connection.Thing.ThingName}\"}"),
     &client, CONNECT, "gw", NO},
    {"a key that nobody knows", CONNECT_IF("\"StringEquals\":{\"aws:username\":\"me\"}"), &client,
     CONNECT, "gw", NO},
    {"in the network", CONNECT_IF("\"IpAddress\":{\"aws:SourceIp\":\"203.0.113.0/24\"}"), &client,
     CONNECT, "gw", YES},
    {"not in it", CONNECT_IF("\"IpAddress\":{\"aws:SourceIp\":\"203.0.113.128/25\"}"), &client,
     CONNECT, "gw", NO},
    {"odd widths", CONNECT_IF("\"IpAddress\":{\"aws:SourceIp\":\"203.0.113.8/30\"}"), &client,
     CONNECT, "gw", YES},
    {"one address", CONNECT_IF("\"IpAddress\":{\"aws:SourceIp\":[\"10.0.0.1\",\"203.0.113.9\"]}"),
     &client, CONNECT, "gw", YES},
    {"NotIpAddress", CONNECT_IF("\"NotIpAddress\":{\"aws:SourceIp\":\"203.0.113.0/24\"}"), &client,
     CONNECT, "gw", NO},
    {"IPv6", CONNECT_IF("\"IpAddress\":{\"aws:SourceIp\":\"2001:db8::/32\"}"), &v6, CONNECT, "gw",
     YES},
    {"all of IPv4 has no IPv6", CONNECT_IF("\"IpAddress\":{\"aws:SourceIp\":\"0.0.0.0/0\"}"), &v6,
     CONNECT, "gw", NO},
    {"the server's name", CONNECT_IF("\"StringEquals\":{\"iot:DomainName\":\"localhost\"}"),
     &client, CONNECT, "gw", YES},
};

#define ATTRIBUTES(quantifier, list)                                                               \
    "\"" quantifier ":StringEquals\":{\"iot:ConnectAttributes\":[" list "]}"
#define ONLY(list) CONNECT_IF(ATTRIBUTES("ForAllValues", list))
#define WITHOUT_LASTING                                                                            \
    DOCUMENT(ALLOW("iot:Connect", "*") "," WHEN(                                                   \
        "Deny", "iot:Connect", "*", ATTRIBUTES("ForAnyValue", "\"PersistentConnect\"")))
#define WILL_ONLY CONNECT_IF("\"ArnEquals\":{\"iot:LastWillTopic\":\"" ARN "topic/my/*\"}")

// What a CONNECT brings.
static const Vector connects[] = {
    {"without a condition every attribute is given", DOCUMENT(ALLOW("iot:Connect", "*")), &both,
     CONNECT, "gw", YES},
    {"PersistentConnect allowed", ONLY("\"PersistentConnect\""), &lasting, CONNECT, "gw", YES},
    {"also without it", ONLY("\"PersistentConnect\""), &client, CONNECT, "gw", YES},
    {"no other attribute", ONLY("\"PersistentConnect\""), &willing, CONNECT, "gw", NO},
    {"not even beside it", ONLY("\"PersistentConnect\""), &both, CONNECT, "gw", NO},
    {"both", ONLY("\"PersistentConnect\",\"LastWill\""), &both, CONNECT, "gw", YES},
    {"LastWill only", ONLY("\"LastWill\""), &lasting, CONNECT, "gw", NO},
    {"an empty list allows none", ONLY(""), &willing, CONNECT, "gw", NO},
    {"and what brings none", ONLY(""), &client, CONNECT, "gw", YES},
    {"PersistentConnect required", CONNECT_IF(ATTRIBUTES("ForAnyValue", "\"PersistentConnect\"")),
     &client, CONNECT, "gw", NO},
    {"and there", CONNECT_IF(ATTRIBUTES("ForAnyValue", "\"PersistentConnect\"")), &both, CONNECT,
     "gw", YES},
    {"PersistentConnect kept out, by negation",
     CONNECT_IF("\"ForAllValues:StringNotEquals\":{\"iot:ConnectAttributes\":"
                "[\"PersistentConnect\"]}"),
     &both, CONNECT, "gw", NO},
    {"others pass",
     CONNECT_IF("\"ForAllValues:StringNotEquals\":{\"iot:ConnectAttributes\":"
                "[\"PersistentConnect\"]}"),
     &willing, CONNECT, "gw", YES},
    {"PersistentConnect kept out, by Deny", WITHOUT_LASTING, &lasting, CONNECT, "gw", DENIED},
    {"others pass", WITHOUT_LASTING, &willing, CONNECT, "gw", YES},
    {"the will's topic", WILL_ONLY, &willing, CONNECT, "gw", YES},
    {"another will", WILL_ONLY, &both, CONNECT, "gw", NO},
    {"no will", WILL_ONLY, &client, CONNECT, "gw", NO},
    {"wildcards of an ARN end at its colons",
     CONNECT_IF("\"ArnLike\":{\"iot:LastWillTopic\":\"arn:aws:iot:*:topic/my/will\"}"), &willing,
     CONNECT, "gw", NO},
    {"each part has its own",
     CONNECT_IF("\"ArnLike\":{\"iot:LastWillTopic\":\"arn:aws:iot:*:*:topic/my/will\"}"), &willing,
     CONNECT, "gw", YES},
    {"they count for the CONNECT only",
     PUBLISH_IF(ATTRIBUTES("ForAnyValue", "\"PersistentConnect\"")), &both, PUBLISH, "a", NO},
};

static void check(const Vector *vectors, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const Vector *vector = &vectors[i];
        PsPolicyDocument *document = NULL;
        PsDiag diag = {0};
        if (ps_policy_parse(vector->document, strlen(vector->document), &document, &diag) !=
            PS_OK) {
            fail_msg("%s: refused: %s: %s: %s", vector->reason, diag.object, diag.field, diag.text);
        }
        PS_AUTO_POLICY_SET PsPolicySet set = {0};
        ps_policy_set_put(&set, "tested", "1", document);
        ps_policy_unref(document);
        PS_AUTO_BUF PsBuf arn = {0};
        ps_policy_put_arn(&arn, &place, vector->action, vector->name, strlen(vector->name));
        PsPolicyWhy why;
        PsPolicyVerdict verdict = ps_policy_decide(&set, vector->context, vector->action,
                                                   (const char *)arn.data, arn.len, &why);
        if (verdict != vector->verdict) {
            fail_msg("%s: %s gives %d: %s", vector->reason, vector->document, (int)verdict,
                     why.text);
        }
        PsPolicyCache cache = {0};
        for (int again = 0; again < 2; again++) {
            assert_int_equal(ps_policy_cache_decide(&cache, &set, vector->context, vector->action,
                                                    (const char *)arn.data, arn.len),
                             vector->verdict);
        }
    }
}

static void test_actions(void **state) {
    (void)state;
    check(actions, PS_COUNT(actions));
}

static void test_evaluation(void **state) {
    (void)state;
    check(evaluation, PS_COUNT(evaluation));
}

static void test_variables(void **state) {
    (void)state;
    check(variables, PS_COUNT(variables));
}

static void test_conditions(void **state) {
    (void)state;
    check(conditions, PS_COUNT(conditions));
}

static void test_connects(void **state) {
    (void)state;
    check(connects, PS_COUNT(connects));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_actions),   cmocka_unit_test(test_evaluation),
        cmocka_unit_test(test_variables), cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_connects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
