//! Dead letters in the database, and what is to be done to them there. Blocks on the disk; one
//! thread at a time (the opener, then the store thread).
#pragma once

#include "outbox/db.h"
#include "outbox/dead.h"

/// The names that letters of one group refer to, held once in memory as well as in the database.
typedef struct PsDeadSchema {
    struct PsDeadSchema *next;
    int64_t hash; ///< its key; never 0
    size_t len;
    uint8_t bytes[];
} PsDeadSchema;

typedef enum PsDeadOpKind {
    PS_DEAD_PUT,
    PS_DEAD_FAILED, ///< new reason and time of `letter.id`
    PS_DEAD_REMOVE, ///< only `letter.id` counts
} PsDeadOpKind;

/// One change, in the order in which they happened. Owned by the list it is in.
typedef struct PsDeadOp {
    struct PsDeadOp *next;
    PsDeadOpKind kind;
    PsMono since;
    int64_t number; ///< of the message's name in the database
    const PsDeadSchema *schema;
    PsDeadLetter letter;
    size_t bytes; ///< held by this op
    bool damaged; ///< of one that was fetched: it is not as it was stored
    char data[];  ///< reason, NUL, input
} PsDeadOp;

typedef struct PsDeadOps {
    PsDeadOp *first;
    PsDeadOp *last;
    size_t count;
    size_t bytes;
} PsDeadOps;

void ps_dead_ops_put(PsDeadOps *ops, PsDeadOp *op);
/// Moves those at or before `until` to the end of `taken`.
void ps_dead_ops_take(PsDeadOps *ops, PsMono until, PsDeadOps *taken);
/// Moves all of `before` to the front.
void ps_dead_ops_put_back(PsDeadOps *ops, PsDeadOps *before);
void ps_dead_ops_clear(PsDeadOps *ops);

/// Inside the transaction of a batch.
PsErr ps_dead_db_apply(PsDb *db, const PsDeadOp *first);

/// A letter as it was found when the database was opened.
typedef struct PsDeadStored {
    uint64_t id;
    int64_t number; ///< of its name
    PsWall collected;
    size_t reason_len;
    size_t input_len;
    bool damaged; ///< its bytes have changed
} PsDeadStored;

typedef void PsDeadLoaded(const PsDeadStored *letter, void *ctx);
/// Every letter, by rising id; schemas that nobody refers to are removed.
PsErr ps_dead_db_load(PsDb *db, PsDeadLoaded *loaded, void *ctx);

/// Found letters, each an op of kind PUT, and the schemas they refer to.
typedef struct PsDeadFound {
    PsDeadOps letters;
    PsDeadSchema *schemas; ///< owned
} PsDeadFound;

/// Letters as PsDeadQuery says, with `number` set and `letter.message` left. `name` is the number
/// of query->message, 0 for any.
PsErr ps_dead_db_fetch(PsDb *db, const PsDeadQuery *query, int64_t name, PsDeadFound *ret_found);
void ps_dead_found_deinit(PsDeadFound *found);
/// All schemas of a list.
void ps_dead_schemas_free(PsDeadSchema *first);

/// The key of a schema. The bytes are names from the configuration, so nobody aims at a collision.
int64_t ps_dead_schema_hash(const void *bytes, size_t len);
/// Bytes a letter counts with against the limit.
size_t ps_dead_bytes(size_t reason_len, size_t input_len);
/// A new op with copies of the letter's reason and input.
PsDeadOp *ps_dead_op_new(PsDeadOpKind kind, const PsDeadLetter *letter);
