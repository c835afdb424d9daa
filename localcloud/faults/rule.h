//! One fault rule: read from its line, and asked about an event. Pure.
#pragma once

#include "localcloud/faults/faults.h"
#include "localcloud/policy/pattern.h"

typedef struct PsFaultRule {
    uint32_t id;
    PsArena *arena;
    const char *line; ///< as given, without blanks around it

    PsFaultEvent event;
    uint32_t first;          ///< the events it is due at: from this one
    uint32_t last;           ///< to this one
    uint32_t every;          ///< each n-th of them
    uint32_t connection;     ///< only on the n-th connection of its clients; 0: on all
    uint32_t times;          ///< 0: without end
    const PsPattern *client; ///< NULL: all
    const PsPattern *topic;
    PsFault fault;

    // What has happened since it was set.
    uint32_t connects;      ///< of its clients
    uint64_t on_connection; ///< the one that `connection` means, once it is there
    uint32_t matched;       ///< events it was about
    uint32_t done;          ///< times it acted
} PsFaultRule;

/// PS_ERR_INVALID; `diag` has the rule as object, its part as field.
PsErr ps_fault_rule_read(const char *line, size_t len, PsFaultRule *ret_rule, PsDiag *diag);
void ps_fault_rule_deinit(PsFaultRule *rule);

/// An event, as the rules see it.
typedef struct PsFaultMoment {
    PsFaultEvent event;
    uint64_t connection;
    uint32_t ordinal; ///< of its kind on the connection, from 1
    const char *client_id;
    PsPolicyText topic;
    bool has_topic;
} PsFaultMoment;

/// Counts the event; true: the rule is due.
bool ps_fault_rule_see(PsFaultRule *rule, const PsFaultMoment *moment);

/// For faults_json.c: the rules in order, and taking back those from `count` on without telling.
const PsFaultRule *ps_faults_at(const PsFaults *faults, size_t index);
void ps_faults_shrink(PsFaults *faults, size_t count);
