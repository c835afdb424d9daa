// Documents, sets of them, and the verdict. Deciding allocates nothing and reads no clock: it runs
// for every PUBLISH and every delivery. Pure.
#include "localcloud/policy/policy.h"

#include "base/mem.h"
#include "localcloud/policy/document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct ActionRow {
    const char *name;
    const char *resource; // what stands before the name in its ARN; NULL: "*"
} ActionRow;

static const ActionRow action_rows[PS_POLICY_ACTION_COUNT] = {
    [PS_POLICY_CONNECT] = {"iot:Connect", "client/"},
    [PS_POLICY_PUBLISH] = {"iot:Publish", "topic/"},
    [PS_POLICY_RETAIN_PUBLISH] = {"iot:RetainPublish", "topic/"},
    [PS_POLICY_SUBSCRIBE] = {"iot:Subscribe", "topicfilter/"},
    [PS_POLICY_RECEIVE] = {"iot:Receive", "topic/"},
    [PS_POLICY_GET_RETAINED_MESSAGE] = {"iot:GetRetainedMessage", "topic/"},
    [PS_POLICY_LIST_RETAINED_MESSAGES] = {"iot:ListRetainedMessages", NULL},
    [PS_POLICY_GET_THING_SHADOW] = {"iot:GetThingShadow", "thing/"},
    [PS_POLICY_UPDATE_THING_SHADOW] = {"iot:UpdateThingShadow", "thing/"},
    [PS_POLICY_DELETE_THING_SHADOW] = {"iot:DeleteThingShadow", "thing/"},
    [PS_POLICY_LIST_NAMED_SHADOWS] = {"iot:ListNamedShadowsForThing", "thing/"},
    [PS_POLICY_DESCRIBE_JOB_EXECUTION] = {"iot:DescribeJobExecution", "thing/"},
    [PS_POLICY_GET_PENDING_JOB_EXECUTIONS] = {"iot:GetPendingJobExecutions", "thing/"},
    [PS_POLICY_START_NEXT_PENDING_JOB] = {"iot:StartNextPendingJobExecution", "thing/"},
    [PS_POLICY_UPDATE_JOB_EXECUTION] = {"iot:UpdateJobExecution", "thing/"},
    [PS_POLICY_ASSUME_ROLE] = {"iot:AssumeRoleWithCertificate", "rolealias/"},
};

const char *ps_policy_action_name(PsPolicyAction action) {
    PS_ASSERT(action < PS_POLICY_ACTION_COUNT);
    return action_rows[action].name;
}

bool ps_policy_action_find(const char *name, PsPolicyAction *ret_action) {
    const char *bare = strncasecmp(name, "iot:", 4) == 0 ? name + 4 : name;
    for (int i = 0; i < PS_POLICY_ACTION_COUNT; i++) {
        if (strcasecmp(bare, action_rows[i].name + 4) == 0) {
            *ret_action = (PsPolicyAction)i;
            return true;
        }
    }
    return false;
}

void ps_policy_put_arn(PsBuf *out, const PsPolicyPlace *place, PsPolicyAction action,
                       const char *name, size_t name_len) {
    PS_ASSERT(action < PS_POLICY_ACTION_COUNT);
    const char *resource = action_rows[action].resource;
    const char *const parts[] = {"arn:", place->partition, ":iot:", place->region,
                                 ":",    place->account,   ":",     resource};
    if (resource == NULL) {
        ps_buf_put(out, "*", 1);
        return;
    }
    for (size_t i = 0; i < PS_COUNT(parts); i++) {
        ps_buf_put(out, parts[i], strlen(parts[i]));
    }
    ps_buf_put(out, name, name_len);
}

PsPolicyDocument *ps_policy_ref(PsPolicyDocument *document) {
    document->references++;
    return document;
}

void ps_policy_unref(PsPolicyDocument *document) {
    if (document != NULL && --document->references == 0) {
        ps_arena_free(document->arena);
        free(document);
    }
}

void ps_policy_set_put(PsPolicySet *set, const char *name, const char *version,
                       PsPolicyDocument *document) {
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->entries[i].name, name) == 0 &&
            strcmp(set->entries[i].version, version) == 0) {
            return;
        }
    }
    set->entries = ps_grow_array(set->entries, set->count + 1, sizeof *set->entries);
    set->entries[set->count++] =
        (PsPolicyEntry){ps_strdup(name), ps_strdup(version), ps_policy_ref(document)};
}

void ps_policy_set_deinit(PsPolicySet *set) {
    for (size_t i = 0; i < set->count; i++) {
        free(set->entries[i].name);
        free(set->entries[i].version);
        ps_policy_unref(set->entries[i].document);
    }
    free(set->entries);
    *set = (PsPolicySet){0};
}

// One of several resources without a value for its variable leaves the others; in NotResource
// nobody could say what it leaves out, so the statement is about nothing.
PsMatch ps_statement_match_resource(const PsStatement *statement, const PsPolicyContext *context,
                                    PsPolicyText resource, const PsVariable **ret_missing) {
    PsMatch any = PS_MATCH_NO;
    for (size_t i = 0; i < statement->resource_count; i++) {
        PsMatch match = ps_pattern_match(&statement->resources[i], PS_RESOURCE_STYLE, context,
                                         resource, ret_missing);
        if (match == PS_MATCH_YES) {
            return statement->not_resources ? PS_MATCH_NO : PS_MATCH_YES;
        }
        any = match == PS_MATCH_UNRESOLVED ? match : any;
    }
    return statement->not_resources && any == PS_MATCH_NO ? PS_MATCH_YES : any;
}

PsPolicyContext ps_policy_facts(const PsPolicyContext *context, PsPolicyAction action) {
    PsPolicyContext facts = *context;
    if (action != PS_POLICY_CONNECT) {
        facts.persistent = false;
        facts.last_will = false;
        facts.last_will_topic = NULL;
    }
    return facts;
}

static bool applies(const PsStatement *statement, const PsPolicyContext *context,
                    PsPolicyAction action, PsPolicyText resource) {
    if (!(statement->action_bits & 1U << action) ||
        ps_statement_match_resource(statement, context, resource, NULL) != PS_MATCH_YES) {
        return false;
    }
    for (size_t i = 0; i < statement->condition_count; i++) {
        if (ps_condition_match(&statement->conditions[i], context, NULL) != PS_MATCH_YES) {
            return false;
        }
    }
    return true;
}

static void say_why(PsPolicyWhy *why, const PsPolicySet *set, const PsPolicyEntry *entry,
                    size_t statement, PsPolicyAction action, PsPolicyText resource) {
    const char *name = action_rows[action].name;
    *why = (PsPolicyWhy){0};
    if (entry == NULL) {
        snprintf(why->text, sizeof why->text,
                 set->count == 0 ? "no policy is attached, so nothing is allowed"
                                 : "no statement of the attached policies allows %s on %.*s",
                 name, (int)resource.len, resource.bytes);
        return;
    }
    why->policy = entry->name;
    why->version = entry->version;
    why->statement = statement + 1;
    snprintf(why->text, sizeof why->text, "statement %zu of policy %s (version %s) %s %s",
             why->statement, entry->name, entry->version,
             entry->document->statements[statement].deny ? "denies" : "allows", name);
}

PsPolicyVerdict ps_policy_decide(const PsPolicySet *set, const PsPolicyContext *context,
                                 PsPolicyAction action, const char *resource, size_t resource_len,
                                 PsPolicyWhy *ret_why) {
    PS_ASSERT(action < PS_POLICY_ACTION_COUNT);
    PsPolicyText text = {resource, resource_len};
    PsPolicyContext facts = ps_policy_facts(context, action);
    const PsPolicyEntry *decider = NULL;
    size_t decisive = 0;
    PsPolicyVerdict verdict = PS_POLICY_DENY_IMPLICIT;
    for (size_t i = 0; i < set->count && verdict != PS_POLICY_DENY_EXPLICIT; i++) {
        const PsPolicyDocument *document = set->entries[i].document;
        for (size_t n = 0; n < document->statement_count; n++) {
            const PsStatement *statement = &document->statements[n];
            bool could_decide = statement->deny || verdict == PS_POLICY_DENY_IMPLICIT;
            if (could_decide && applies(statement, &facts, action, text)) {
                verdict = statement->deny ? PS_POLICY_DENY_EXPLICIT : PS_POLICY_ALLOW;
                decider = &set->entries[i];
                decisive = n;
            }
            if (verdict == PS_POLICY_DENY_EXPLICIT) {
                break;
            }
        }
    }
    if (ret_why != NULL) {
        say_why(ret_why, set, decider, decisive, action, text);
    }
    return verdict;
}
