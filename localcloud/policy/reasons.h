//! Why a verdict is what it is, statement by statement, in words for a person. Pure; for people
//! who ask, not for the way of a message.
#pragma once

#include "localcloud/policy/policy.h"

/// How one statement stands to the question.
typedef struct PsPolicyReason {
    const char *policy;
    const char *version;
    size_t statement; ///< from 1
    const char *sid;  ///< NULL: none
    bool denies;
    bool applies;   ///< it is about this action on this resource by this connection
    char text[384]; ///< why it does not apply, or what it names
} PsPolicyReason;

/// Calls `tell` for every statement, in the order of the set.
void ps_policy_reasons(const PsPolicySet *set, const PsPolicyContext *context,
                       PsPolicyAction action, const char *resource, size_t resource_len,
                       void (*tell)(void *ctx, const PsPolicyReason *reason), void *ctx);
