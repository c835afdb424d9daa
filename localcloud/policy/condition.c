// Conditions: a table of operators, each of which compares one value of a key with one value of
// the policy; what sets of values, negation and missing keys mean is the same for all of them
// (IAM, "Conditions with multiple context keys or values"). Pure; nothing is allocated when it is
// decided.
#include "localcloud/policy/condition.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define MAPPED_BITS 96 // ::ffff:0:0/96 is all of IPv4
#define ADDRESS_BITS 128

typedef enum Kind {
    KIND_TEXT,
    KIND_ADDRESS,
    KIND_BOOL,
    KIND_NULL,
} Kind;

struct PsOperator {
    const char *name;
    Kind kind;
    unsigned style; // of its patterns, without PS_PATTERN_VARIABLES
    bool negated;
};

static const PsOperator operators[] = {
    {"StringEquals", KIND_TEXT, 0, false},
    {"StringNotEquals", KIND_TEXT, 0, true},
    {"StringEqualsIgnoreCase", KIND_TEXT, PS_PATTERN_ANY_CASE, false},
    {"StringNotEqualsIgnoreCase", KIND_TEXT, PS_PATTERN_ANY_CASE, true},
    {"StringLike", KIND_TEXT, PS_PATTERN_WILD, false},
    {"StringNotLike", KIND_TEXT, PS_PATTERN_WILD, true},
    {"ArnEquals", KIND_TEXT, PS_PATTERN_WILD | PS_PATTERN_ARN, false},
    {"ArnNotEquals", KIND_TEXT, PS_PATTERN_WILD | PS_PATTERN_ARN, true},
    {"ArnLike", KIND_TEXT, PS_PATTERN_WILD | PS_PATTERN_ARN, false},
    {"ArnNotLike", KIND_TEXT, PS_PATTERN_WILD | PS_PATTERN_ARN, true},
    {"Bool", KIND_BOOL, PS_PATTERN_ANY_CASE, false},
    {"IpAddress", KIND_ADDRESS, 0, false},
    {"NotIpAddress", KIND_ADDRESS, 0, true},
    {"Null", KIND_NULL, PS_PATTERN_ANY_CASE, false},
};

// Good in IAM, but no key of a device's connection is a number, a date or binary.
static const char *const foreign[] = {"Numeric", "Date", "Binary"};

static bool take_beginning(const char **text, const char *beginning) {
    size_t len = strlen(beginning);
    bool has = strncmp(*text, beginning, len) == 0;
    *text += has ? len : 0;
    return has;
}

static PsErr refuse_operator(const char *name, PsDiag *diag) {
    const char *known[PS_COUNT(operators)];
    for (size_t i = 0; i < PS_COUNT(operators); i++) {
        known[i] = operators[i].name;
    }
    for (size_t i = 0; i < PS_COUNT(foreign); i++) {
        if (strncmp(name, foreign[i], strlen(foreign[i])) == 0) {
            return ps_fail(PS_ERR_UNSUPPORTED, diag, NULL, NULL,
                           "the operator %s compares a kind of value that no key of a device "
                           "connection has",
                           name);
        }
    }
    const char *nearest = ps_text_nearest(name, known, PS_COUNT(operators));
    return ps_fail(PS_ERR_INVALID, diag, NULL, NULL, "Invalid Condition type : %s%s%s%s", name,
                   nearest != NULL ? " (is " : "", nearest != NULL ? nearest : "",
                   nearest != NULL ? " meant?)" : "");
}

PsErr ps_condition_operator(const char *name, PsCondition *condition, PsDiag *diag) {
    static const char if_exists[] = "IfExists";
    const char *rest = name;
    PsQuantifier quantifier = PS_QUANTIFIER_NONE;
    if (take_beginning(&rest, "ForAnyValue:")) {
        quantifier = PS_QUANTIFIER_ANY;
    } else if (take_beginning(&rest, "ForAllValues:")) {
        quantifier = PS_QUANTIFIER_ALL;
    }
    for (size_t i = 0; i < PS_COUNT(operators); i++) {
        const char *suffix = rest;
        if (take_beginning(&suffix, operators[i].name) &&
            (*suffix == '\0' ||
             (strcmp(suffix, if_exists) == 0 && operators[i].kind != KIND_NULL))) {
            condition->relation = &operators[i];
            condition->quantifier = quantifier;
            condition->if_exists = *suffix != '\0';
            return PS_OK;
        }
    }
    return refuse_operator(rest, diag);
}

// An address of either family, as 16 bytes.
static bool read_address(const char *text, uint8_t *ret_address, bool *ret_v4) {
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    struct in_addr v4;
    *ret_v4 = inet_pton(AF_INET, text, &v4) == 1;
    if (*ret_v4) {
        memcpy(ret_address, mapped, sizeof mapped);
        memcpy(ret_address + sizeof mapped, &v4, sizeof v4);
    }
    return *ret_v4 || inet_pton(AF_INET6, text, ret_address) == 1;
}

// "203.0.113.0/24", "2001:db8::/32", or one address.
static bool read_network(const char *text, PsConditionValue *value) {
    char address[INET6_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
    if (len >= sizeof address) {
        return false;
    }
    memcpy(address, text, len);
    address[len] = '\0';
    bool v4 = false;
    if (!read_address(address, value->network, &v4)) {
        return false;
    }
    long long bits = v4 ? ADDRESS_BITS - MAPPED_BITS : ADDRESS_BITS;
    if (slash != NULL && !ps_text_to_int(slash + 1, 0, bits, &bits)) {
        return false;
    }
    value->prefix_bits = (uint8_t)(bits + (v4 ? MAPPED_BITS : 0));
    return true;
}

PsErr ps_condition_value(const PsCondition *condition, PsArena *arena, const char *text, size_t len,
                         bool variables, PsConditionValue *ret_value, PsDiag *diag) {
    const PsOperator *relation = condition->relation;
    PsConditionValue value = {0};
    bool bit = relation->kind == KIND_BOOL || relation->kind == KIND_NULL;
    unsigned style = relation->style | (variables ? PS_PATTERN_VARIABLES : 0);
    if (ps_pattern_compile(arena, text, len, style, &value.pattern) != PS_OK) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, NULL, "the variable in '%s' has no closing }",
                       text);
    }
    bool plain = value.pattern.count == 0 ||
                 (value.pattern.count == 1 && value.pattern.pieces[0].kind == PS_PIECE_TEXT);
    if (relation->kind == KIND_ADDRESS && !read_network(value.pattern.source, &value)) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, NULL,
                       "'%s' is not an address or a network like 203.0.113.0/24", text);
    }
    if (bit && plain && strcasecmp(text, "true") != 0 && strcasecmp(text, "false") != 0) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, NULL, "'%s' is neither true nor false", text);
    }
    *ret_value = value;
    return PS_OK;
}

static bool in_network(const PsConditionValue *value, PsPolicyText text) {
    char copy[INET6_ADDRSTRLEN];
    uint8_t address[16];
    bool v4 = false;
    if (text.len >= sizeof copy) {
        return false;
    }
    memcpy(copy, text.bytes, text.len);
    copy[text.len] = '\0';
    if (!read_address(copy, address, &v4)) {
        return false;
    }
    size_t whole = value->prefix_bits / 8;
    unsigned mask = 0xFF00U >> (value->prefix_bits % 8) & 0xFF;
    return memcmp(address, value->network, whole) == 0 &&
           (mask == 0 || ((address[whole] ^ value->network[whole]) & mask) == 0);
}

// Does one value of the key match one of the policy's? Without negation.
static PsMatch match_value(const PsCondition *condition, const PsPolicyContext *context,
                           PsPolicyText text, const PsVariable **ret_missing) {
    for (size_t i = 0; i < condition->value_count; i++) {
        const PsConditionValue *value = &condition->values[i];
        PsMatch match = PS_MATCH_NO;
        if (condition->relation->kind == KIND_ADDRESS) {
            match = in_network(value, text) ? PS_MATCH_YES : PS_MATCH_NO;
        } else {
            match = ps_pattern_match(&value->pattern, condition->relation->style, context, text,
                                     ret_missing);
        }
        if (match != PS_MATCH_NO) {
            return match;
        }
    }
    return PS_MATCH_NO;
}

// {"Null": {key: "true"}}: the key has no value.
static PsMatch match_null(const PsCondition *condition, const PsPolicyContext *context,
                          const PsVariable **ret_missing) {
    PsPolicyText value;
    bool absent = !ps_variable_value(&condition->key, context, 0, &value);
    const char *word = absent ? "true" : "false";
    return match_value(condition, context, (PsPolicyText){word, strlen(word)}, ret_missing);
}

// A key without a value meets what asks for nothing: IfExists, ForAllValues, a negation.
static PsMatch match_absent(const PsCondition *condition) {
    bool meets = condition->if_exists || condition->quantifier == PS_QUANTIFIER_ALL ||
                 (condition->quantifier == PS_QUANTIFIER_NONE && condition->relation->negated);
    return meets ? PS_MATCH_YES : PS_MATCH_NO;
}

PsMatch ps_condition_match(const PsCondition *condition, const PsPolicyContext *context,
                           const PsVariable **ret_missing) {
    if (condition->relation->kind == KIND_NULL) {
        return match_null(condition, context, ret_missing);
    }
    bool negated = condition->relation->negated;
    bool every = condition->quantifier == PS_QUANTIFIER_ALL ||
                 (condition->quantifier == PS_QUANTIFIER_NONE && negated);
    PsPolicyText value;
    size_t n = 0;
    for (; ps_variable_value(&condition->key, context, n, &value); n++) {
        PsMatch match = match_value(condition, context, value, ret_missing);
        if (match == PS_MATCH_UNRESOLVED) {
            return match;
        }
        bool holds = (match == PS_MATCH_YES) != negated;
        if (holds != every) {
            return holds ? PS_MATCH_YES : PS_MATCH_NO;
        }
    }
    if (n == 0) {
        return match_absent(condition);
    }
    return every ? PS_MATCH_YES : PS_MATCH_NO;
}
