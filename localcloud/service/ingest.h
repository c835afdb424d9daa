//! Basic Ingest: messages to $aws/rules/<rule>/... become lines of DIR/rules/<rule>.jsonl, and the
//! rules that exist. A file that has reached its size is kept once, as .1.
#pragma once

#include "localcloud/service/service.h"

#include <jansson.h>

typedef struct PsIngest PsIngest;

PsErr ps_ingest_new(sqlite3 *db, const char *folder, bool by_use, size_t bytes,
                    PsIngest **ret_ingest, PsDiag *diag);
void ps_ingest_free(PsIngest *ingest);
void ps_ingest_set_by_use(PsIngest *ingest, bool by_use);
void ps_ingest_set_bytes(PsIngest *ingest, size_t bytes);
sqlite3 *ps_ingest_db(PsIngest *ingest);

/// `topic` is $aws/rules/<rule>[/<rest>]. Writes a line, or logs that there is no such rule.
void ps_ingest_take(PsIngest *ingest, const PsServiceCall *call);
/// The line of one message, without newline. Pure.
json_t *ps_ingest_line(const PsServiceCall *call, const char *rest);

typedef struct PsRuleRow {
    char name[129];
    char *payload; ///< topicRulePayload as it was given, JSON text
    bool disabled;
    int64_t created_ms;
} PsRuleRow;

void ps_rule_row_deinit(PsRuleRow *row);
/// PS_ERR_EXISTS, PS_ERR_FULL: a thousand rules.
PsErr ps_rule_insert(sqlite3 *db, const PsRuleRow *row);
PsErr ps_rule_save(sqlite3 *db, const PsRuleRow *row);
PsErr ps_rule_find(sqlite3 *db, const char *name, PsRuleRow *ret_row);
PsErr ps_rule_drop(sqlite3 *db, const char *name);
/// The first by name behind `after` (NULL: the first of all). PS_ERR_NOT_FOUND.
PsErr ps_rule_next(sqlite3 *db, const char *after, PsRuleRow *ret_row);
