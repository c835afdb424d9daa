//! A parsed policy document, as parser, evaluator and explanation see it.
#pragma once

#include "localcloud/policy/condition.h"

typedef struct PsStatement {
    const char *sid; ///< NULL: it has none
    bool deny;
    bool names_actions;         ///< Action, not NotAction
    const char *const *actions; ///< as written
    size_t action_count;
    uint32_t action_bits; ///< bit PsPolicyAction: the statement is about it; NotAction is in it
    bool not_resources;   ///< NotResource
    PsPattern *resources;
    size_t resource_count;
    PsCondition *conditions;
    size_t condition_count;
} PsStatement;

struct PsPolicyDocument {
    PsArena *arena;
    size_t references;
    bool has_variables; ///< Version 2012-10-17
    PsStatement *statements;
    size_t statement_count;
};

#define PS_RESOURCE_STYLE PS_PATTERN_WILD

/// Is the statement about the resource? `ret_missing` as in ps_pattern_match.
PsMatch ps_statement_match_resource(const PsStatement *statement, const PsPolicyContext *context,
                                    PsPolicyText resource, const PsVariable **ret_missing);

/// What is known of the connection when it does `action`: what belongs to the CONNECT is not there
/// later.
PsPolicyContext ps_policy_facts(const PsPolicyContext *context, PsPolicyAction action);
