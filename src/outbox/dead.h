//! Dead letters: inputs that a script was called with and failed on, kept in the outbox's database
//! until they are run again. Main thread; SQLite runs on the store thread.
//!
//! A letter is written as a message is: within `max_loss_s`. It goes in the same transaction as the
//! messages accepted before ps_outbox_dead_resolved, or later: what a replay has published is never
//! lost together with its input, whatever happens in between.
//!
//! Bounds: `dead_max` letters and `dead_max_bytes` bytes (inputs and reasons) in the setup; the
//! letter that was kept first goes first, counted as PS_DROP_DEAD, said in the log once per
//! episode. Memory holds a few words for each letter; its bytes live in the database.
#pragma once

#include "outbox/outbox.h"

/// Longer reasons are cut.
#define PS_DEAD_REASON_MAX ((size_t)8 * 1024)

/// The form of a message that was set aside (ps_outbox_quarantine): the topic, NUL, the payload.
/// Other numbers are the caller's.
#define PS_DEAD_FORM_MESSAGE 1000

typedef struct PsDeadLetter {
    uint64_t id;    ///< given by the outbox, never 0, rising
    size_t message; ///< index of its ledger row
    PsWall collected;
    PsWall died; ///< the newest failure
    int form;    ///< what `input` is: the caller's number
    int qos;
    const char *reason; ///< first line: the summary; then the traceback
    const void *input;
    size_t input_len;
    const void *schema; ///< what `input` refers to, stored once for all that share it; or NULL
    size_t schema_len;
} PsDeadLetter;

/// Copies the letter (its id is ignored). A refusal is counted: PS_ERR_FULL when the disk takes
/// nothing and memory is used up, PS_ERR_TOO_BIG when it alone is above the limit.
PsErr ps_outbox_dead_put(PsOutbox *outbox, const PsDeadLetter *letter);
/// True while the letter is kept.
bool ps_outbox_dead_is_kept(const PsOutbox *outbox, uint64_t id);
/// It was run again and failed again. Ids that are no longer kept are ignored, here and below.
void ps_outbox_dead_failed(PsOutbox *outbox, uint64_t id, const char *reason);
/// It was run again and the call ended well: the letter goes, and leaves the books; what the call
/// published stands there instead.
void ps_outbox_dead_resolved(PsOutbox *outbox, uint64_t id);
/// The id the next letter will get: all letters kept so far have a smaller one.
uint64_t ps_outbox_dead_next_id(const PsOutbox *outbox);

#define PS_DEAD_ANY SIZE_MAX
#define PS_DEAD_FETCH_MAX 1000

/// Which letters: in order of (collected, id), only those after the given key.
typedef struct PsDeadQuery {
    size_t message; ///< or PS_DEAD_ANY
    uint64_t id;    ///< only this one; 0: all
    PsWall after_collected;
    uint64_t after_id;
    size_t limit; ///< 1 to PS_DEAD_FETCH_MAX
    bool whole;   ///< with input and schema; otherwise only input_len and the reason's first line
} PsDeadQuery;

/// The answer; the letters are borrowed until it returns. Called once, from the loop; from within
/// ps_outbox_close with PS_ERR_CANCELLED. Fewer letters than `limit` may be all that fit into 4 MB;
/// none means that there are no more.
typedef void PsDeadFetched(PsErr result, const PsDeadLetter *letters, size_t count, void *ctx);
void ps_outbox_dead_fetch(PsOutbox *outbox, const PsDeadQuery *query, PsDeadFetched *fetched,
                          void *ctx);
