//! The Condition element: operators over the keys of a connection. Pure.
#pragma once

#include "localcloud/policy/pattern.h"

/// IAM's set operators, written before the operator with a colon.
typedef enum PsQuantifier {
    PS_QUANTIFIER_NONE,
    PS_QUANTIFIER_ANY, ///< ForAnyValue: one value of the key is enough
    PS_QUANTIFIER_ALL, ///< ForAllValues: every value of the key, also of none
} PsQuantifier;

typedef struct PsOperator PsOperator; // a row of the table of operators

typedef struct PsConditionValue {
    PsPattern pattern;
    // IpAddress and NotIpAddress: the network, both families in the form ::ffff:a.b.c.d
    uint8_t network[16];
    uint8_t prefix_bits;
} PsConditionValue;

/// One operator with one key; all conditions of a statement must hold.
typedef struct PsCondition {
    const PsOperator *relation;
    PsQuantifier quantifier;
    bool if_exists;
    const char *operator_name; ///< as written
    PsVariable key;
    PsConditionValue *values; ///< one of them must match; of a negated operator none may
    size_t value_count;
} PsCondition;

/// Takes "ForAnyValue:StringEqualsIfExists" apart. PS_ERR_INVALID, PS_ERR_UNSUPPORTED (an operator
/// of IAM for kinds of values that no key here has); `diag` has the text only.
PsErr ps_condition_operator(const char *name, PsCondition *condition, PsDiag *diag);

/// Reads one value of the condition. `variables`: ${…} is substituted. PS_ERR_INVALID as above.
PsErr ps_condition_value(const PsCondition *condition, PsArena *arena, const char *text, size_t len,
                         bool variables, PsConditionValue *ret_value, PsDiag *diag);

/// Does the condition hold? PS_MATCH_UNRESOLVED as in ps_pattern_match.
PsMatch ps_condition_match(const PsCondition *condition, const PsPolicyContext *context,
                           const PsVariable **ret_missing);
