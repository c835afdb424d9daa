// Verdicts explained: each statement is asked as the evaluator asks it, and the first thing that
// does not fit is put into words, with what is usually meant where the mistake is a common one.
// Pure.
#include "localcloud/policy/reasons.h"

#include "base/text.h"
#include "localcloud/policy/document.h"

#include <string.h>

#define ARN_PARTS 6

/// One statement and the question.
typedef struct Question {
    const PsStatement *statement;
    const PsPolicyContext *context;
    PsPolicyAction action;
    PsPolicyText resource;
} Question;

#define say(reason, ...) ps_text_format((reason)->text, sizeof(reason)->text, __VA_ARGS__)

// The parts of an ARN between its first five colons; the last has the rest.
static bool split_arn(PsPolicyText arn, PsPolicyText parts[ARN_PARTS]) {
    const char *at = arn.bytes;
    const char *end = arn.bytes + arn.len;
    for (size_t i = 0; i + 1 < ARN_PARTS; i++) {
        const char *colon = memchr(at, ':', (size_t)(end - at));
        if (colon == NULL) {
            return false;
        }
        parts[i] = (PsPolicyText){at, (size_t)(colon - at)};
        at = colon + 1;
    }
    parts[ARN_PARTS - 1] = (PsPolicyText){at, (size_t)(end - at)};
    return true;
}

static bool same_text(PsPolicyText a, PsPolicyText b) {
    return a.len == b.len && memcmp(a.bytes, b.bytes, a.len) == 0;
}

static bool has_special(PsPolicyText text) {
    return memchr(text.bytes, '*', text.len) != NULL || memchr(text.bytes, '?', text.len) != NULL ||
           memchr(text.bytes, '$', text.len) != NULL;
}

static bool has_byte(PsPolicyText text, char byte) {
    return memchr(text.bytes, byte, text.len) != NULL;
}

// "topic" of "topic/a/b".
static PsPolicyText kind_of(PsPolicyText name) {
    const char *slash = memchr(name.bytes, '/', name.len);
    return (PsPolicyText){name.bytes, slash != NULL ? (size_t)(slash - name.bytes) : name.len};
}

// What is usually wrong with a resource that does not match.
static bool hint_at_resource(const Question *question, const PsPattern *pattern,
                             PsPolicyReason *reason) {
    static const char *const part_names[ARN_PARTS] = {NULL,     "partition", NULL,
                                                      "region", "account",   NULL};
    PsPolicyText named[ARN_PARTS];
    PsPolicyText asked[ARN_PARTS];
    PsPolicyText source = {pattern->source, strlen(pattern->source)};
    if (!split_arn(source, named) || !split_arn(question->resource, asked)) {
        return false;
    }
    for (size_t i = 0; i < ARN_PARTS; i++) {
        if (part_names[i] != NULL && !has_special(named[i]) && !same_text(named[i], asked[i])) {
            say(reason, "its resource is in the %s '%.*s', this one in '%.*s'", part_names[i],
                (int)named[i].len, named[i].bytes, (int)asked[i].len, asked[i].bytes);
            return true;
        }
    }
    PsPolicyText named_kind = kind_of(named[ARN_PARTS - 1]);
    PsPolicyText asked_kind = kind_of(asked[ARN_PARTS - 1]);
    if (!has_special(named_kind) && !same_text(named_kind, asked_kind)) {
        say(reason, "%s is checked against %.*s/…, and its resource is %.*s/…",
            ps_policy_action_name(question->action), (int)asked_kind.len, asked_kind.bytes,
            (int)named_kind.len, named_kind.bytes);
        return true;
    }
    if (has_byte(named[ARN_PARTS - 1], '#') || has_byte(named[ARN_PARTS - 1], '+')) {
        say(reason,
            "its resource %s does not match; + and # are ordinary characters in a policy, and * "
            "stands for any text",
            pattern->source);
        return true;
    }
    return false;
}

static void explain_resource(const Question *question, const PsVariable *missing,
                             PsPolicyReason *reason) {
    const PsStatement *statement = question->statement;
    if (missing != NULL) {
        say(reason, "${%s} has no value: %s", missing->name,
            ps_variable_absence(missing, question->context));
        return;
    }
    if (statement->not_resources) {
        say(reason, "NotResource leaves this resource out");
        return;
    }
    for (size_t i = 0; i < statement->resource_count; i++) {
        if (hint_at_resource(question, &statement->resources[i], reason)) {
            return;
        }
    }
    say(reason, "its resource %s%s not match", statement->resources[0].source,
        statement->resource_count > 1 ? " and the others do" : " does");
}

static void explain_condition(const Question *question, const PsCondition *condition,
                              const PsVariable *missing, PsPolicyReason *reason) {
    PsPolicyText value;
    if (missing != NULL) {
        say(reason, "${%s} in its condition has no value: %s", missing->name,
            ps_variable_absence(missing, question->context));
    } else if (!ps_variable_value(&condition->key, question->context, 0, &value)) {
        say(reason, "its condition %s of %s does not hold: the key has no value: %s",
            condition->operator_name, condition->key.name,
            ps_variable_absence(&condition->key, question->context));
    } else {
        say(reason,
            "its condition %s of %s does not hold: the value is '%.*s'%s, the policy has %s%s",
            condition->operator_name, condition->key.name, (int)value.len, value.bytes,
            ps_variable_value(&condition->key, question->context, 1, &value) ? " and others" : "",
            condition->value_count > 0 ? condition->values[0].pattern.source : "an empty list",
            condition->value_count > 1 ? " and others" : "");
    }
}

static void explain_action(const Question *question, PsPolicyReason *reason) {
    const PsStatement *statement = question->statement;
    if (!statement->names_actions) {
        say(reason, "NotAction leaves %s out", ps_policy_action_name(question->action));
        return;
    }
    say(reason, "it is about %s%s, not about %s", statement->actions[0],
        statement->action_count > 1 ? " and others" : "", ps_policy_action_name(question->action));
}

static bool explain_conditions(const Question *question, PsPolicyReason *reason) {
    const PsStatement *statement = question->statement;
    for (size_t i = 0; i < statement->condition_count; i++) {
        const PsVariable *missing = NULL;
        if (ps_condition_match(&statement->conditions[i], question->context, &missing) !=
            PS_MATCH_YES) {
            explain_condition(question, &statement->conditions[i], missing, reason);
            return false;
        }
    }
    return true;
}

static void explain(const Question *question, PsPolicyReason *reason) {
    const PsStatement *statement = question->statement;
    const PsVariable *missing = NULL;
    if (!(statement->action_bits & 1U << question->action)) {
        explain_action(question, reason);
    } else if (ps_statement_match_resource(statement, question->context, question->resource,
                                           &missing) != PS_MATCH_YES) {
        explain_resource(question, missing, reason);
    } else if (explain_conditions(question, reason)) {
        reason->applies = true;
        say(reason, "it %s %s on %s%s%s", statement->deny ? "denies" : "allows",
            statement->actions[0], statement->not_resources ? "all but " : "",
            statement->resources[0].source,
            statement->action_count + statement->resource_count > 2 ? " among others" : "");
    }
}

void ps_policy_reasons(const PsPolicySet *set, const PsPolicyContext *context,
                       PsPolicyAction action, const char *resource, size_t resource_len,
                       void (*tell)(void *ctx, const PsPolicyReason *reason), void *ctx) {
    PsPolicyContext facts = ps_policy_facts(context, action);
    for (size_t i = 0; i < set->count; i++) {
        const PsPolicyEntry *entry = &set->entries[i];
        for (size_t n = 0; n < entry->document->statement_count; n++) {
            const PsStatement *statement = &entry->document->statements[n];
            Question question = {statement, &facts, action, {resource, resource_len}};
            PsPolicyReason reason = {.policy = entry->name,
                                     .version = entry->version,
                                     .statement = n + 1,
                                     .sid = statement->sid,
                                     .denies = statement->deny};
            explain(&question, &reason);
            tell(ctx, &reason);
        }
    }
}
