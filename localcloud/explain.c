// penstock-cloud explain: may this client do that, and which statement of which policy says so.
// Nothing needs to run; the question is asked of the files, or of the cloud's registry.
#include "localcloud/command.h"

#include "base/file.h"
#include "localcloud/explain_case.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Exit status when the answer is no.
#define EXIT_DENIED 3

enum Letters {
    OPTION_CERTIFICATE = 'c',
    OPTION_ACTION = 'a',
    OPTION_RESOURCE = 'r',
    OPTION_CLIENT_ID = 'i',
    OPTION_POLICY = 'p',
    OPTION_THING = 't',
    OPTION_THING_TYPE = 'y',
    OPTION_ATTRIBUTE = 'b',
    OPTION_SOURCE_IP = 's',
    OPTION_DOMAIN = 'd',
    OPTION_PERSISTENT = 'P',
    OPTION_WILL = 'w',
    OPTION_JSON = 'j',
};

static const struct option long_options[] = {
    {"certificate", required_argument, NULL, OPTION_CERTIFICATE},
    {"action", required_argument, NULL, OPTION_ACTION},
    {"resource", required_argument, NULL, OPTION_RESOURCE},
    {"client-id", required_argument, NULL, OPTION_CLIENT_ID},
    {"policy", required_argument, NULL, OPTION_POLICY},
    {"thing", required_argument, NULL, OPTION_THING},
    {"thing-type", required_argument, NULL, OPTION_THING_TYPE},
    {"attribute", required_argument, NULL, OPTION_ATTRIBUTE},
    {"source-ip", required_argument, NULL, OPTION_SOURCE_IP},
    {"domain", required_argument, NULL, OPTION_DOMAIN},
    {"persistent", no_argument, NULL, OPTION_PERSISTENT},
    {"will", required_argument, NULL, OPTION_WILL},
    {"json", no_argument, NULL, OPTION_JSON},
    {0},
};

static int take_attribute(PsExplainOrder *order, char *text) {
    char *equals = strchr(text, '=');
    if (equals == NULL || equals == text) {
        return ps_command_wrong("--attribute is NAME=VALUE, not '%s'", text);
    }
    if (order->attribute_count == PS_EXPLAIN_ATTRIBUTES) {
        return ps_command_wrong("at most %d attributes", PS_EXPLAIN_ATTRIBUTES);
    }
    *equals = '\0';
    order->attributes[order->attribute_count++] = (PsPolicyAttribute){text, equals + 1};
    return 0;
}

static int take_policy(PsExplainOrder *order, const char *path) {
    if (order->policy_count == PS_EXPLAIN_POLICIES) {
        return ps_command_wrong("at most %d policies", PS_EXPLAIN_POLICIES);
    }
    order->policies[order->policy_count++] = path;
    return 0;
}

static int take_option(PsExplainOrder *order, bool *json, int letter, char *text) {
    const char **const texts[] = {
        [OPTION_CERTIFICATE] = &order->certificate, [OPTION_RESOURCE] = &order->resource,
        [OPTION_CLIENT_ID] = &order->client_id,     [OPTION_THING] = &order->thing,
        [OPTION_THING_TYPE] = &order->thing_type,   [OPTION_SOURCE_IP] = &order->source_ip,
        [OPTION_DOMAIN] = &order->domain,           [OPTION_WILL] = &order->will,
    };
    switch (letter) {
    case OPTION_ACTION:
        order->action_given = ps_policy_action_find(text, &order->action);
        return order->action_given ? 0 : ps_command_wrong("there is no action '%s'", text);
    case OPTION_POLICY:
        return take_policy(order, text);
    case OPTION_ATTRIBUTE:
        return take_attribute(order, text);
    case OPTION_PERSISTENT:
        order->persistent = true;
        return 0;
    case OPTION_JSON:
        *json = true;
        return 0;
    default:
        break;
    }
    if (letter < 0 || (size_t)letter >= PS_COUNT(texts) || texts[letter] == NULL) {
        return PS_EXIT_USAGE; // getopt has said what is wrong
    }
    *texts[letter] = text;
    return 0;
}

// What is missing, and what goes without saying.
static int complete(PsExplainOrder *order) {
    if (order->dir == NULL && order->policy_count == 0) {
        return ps_command_wrong("explain needs a folder, or --policy FILE");
    }
    if (order->dir != NULL && order->policy_count == 0 && order->certificate == NULL) {
        return ps_command_wrong("explain needs --certificate ID or FILE");
    }
    if (!order->action_given) {
        return ps_command_wrong("explain needs --action, such as iot:Publish");
    }
    if (order->client_id == NULL) {
        order->client_id = order->thing;
    }
    if (order->client_id == NULL && order->action == PS_POLICY_CONNECT) {
        order->client_id = order->resource;
    }
    if (order->resource == NULL && order->action == PS_POLICY_CONNECT) {
        order->resource = order->client_id;
    }
    if (order->resource == NULL && order->action == PS_POLICY_LIST_RETAINED_MESSAGES) {
        order->resource = "*";
    }
    return order->resource != NULL ? 0
                                   : ps_command_wrong("explain needs --resource, a topic or ARN");
}

static void print_reason(void *ctx, const PsPolicyReason *reason) {
    (void)ctx;
    printf("  %s version %s, statement %zu%s%s%s (%s) %s: %s\n", reason->policy, reason->version,
           reason->statement, reason->sid != NULL ? " '" : "",
           reason->sid != NULL ? reason->sid : "", reason->sid != NULL ? "'" : "",
           reason->denies ? "Deny" : "Allow", reason->applies ? "applies" : "does not apply",
           reason->text);
}

static void print_case(const PsExplainCase *question, PsPolicyVerdict verdict,
                       const PsPolicyWhy *why) {
    printf("%s: %s on %s\n%s\n", verdict == PS_POLICY_ALLOW ? "allowed" : "denied",
           ps_policy_action_name(question->action), question->resource, why->text);
    ps_policy_reasons(&question->set, &question->context, question->action, question->resource,
                      strlen(question->resource), print_reason, NULL);
}

static void put_reason(void *ctx, const PsPolicyReason *reason) {
    json_array_append_new(ctx, json_pack("{s:s, s:s, s:I, s:s*, s:s, s:b, s:s}", "policy",
                                         reason->policy, "version", reason->version, "statement",
                                         (json_int_t)reason->statement, "sid", reason->sid,
                                         "effect", reason->denies ? "Deny" : "Allow", "applies",
                                         reason->applies, "reason", reason->text));
}

static void print_json(const PsExplainCase *question, PsPolicyVerdict verdict,
                       const PsPolicyWhy *why) {
    static const char *const verdicts[] = {[PS_POLICY_ALLOW] = "allowed",
                                           [PS_POLICY_DENY_IMPLICIT] = "denied",
                                           [PS_POLICY_DENY_EXPLICIT] = "denied explicitly"};
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:s*, s:s*, s:s*, s:b, s:[]}", "verdict", verdicts[verdict],
                  "action", ps_policy_action_name(question->action), "resource", question->resource,
                  "reason", why->text, "policy", why->policy, "version", why->version, "thing",
                  question->context.thing != NULL ? question->context.thing->name : NULL,
                  "attached", question->context.is_attached, "statements");
    if (why->statement > 0) {
        json_object_set_new(json, "statement", json_integer((json_int_t)why->statement));
    }
    ps_policy_reasons(&question->set, &question->context, question->action, question->resource,
                      strlen(question->resource), put_reason, json_object_get(json, "statements"));
    json_dumpf(json, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(json);
}

int ps_command_explain(int argc, char **argv) {
    PsExplainOrder order = {0};
    bool json = false;
    int letter = 0;
    while ((letter = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        int wrong = take_option(&order, &json, letter, optarg);
        if (wrong != 0) {
            return wrong;
        }
    }
    if (optind + 1 < argc) {
        return ps_command_wrong("explain takes one folder");
    }
    order.dir = argv[optind];
    int wrong = complete(&order);
    if (wrong != 0) {
        return wrong;
    }
    PsExplainCase question = {0};
    PsDiag diag = {0};
    PsErr err = ps_explain_case_init(&order, &question, &diag);
    if (err != PS_OK) {
        ps_explain_case_deinit(&question);
        return ps_command_failed(&diag);
    }
    PsPolicyWhy why;
    PsPolicyVerdict verdict = ps_policy_decide(&question.set, &question.context, question.action,
                                               question.resource, strlen(question.resource), &why);
    (json ? print_json : print_case)(&question, verdict, &why);
    ps_explain_case_deinit(&question);
    return verdict == PS_POLICY_ALLOW ? EXIT_SUCCESS : EXIT_DENIED;
}
