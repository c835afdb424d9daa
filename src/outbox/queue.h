//! The rows of one class that wait: which are in memory, which are in flight, which live only in
//! the database. Pure: no clock, no disk. Main thread (rows are also read by the store thread).
//!
//! Order is (collection time, id). Memory holds the oldest rows; every row that is only in the
//! database has a key at or above `boundary`, so the head in memory is the oldest of all.
//! Rows of a definition that sends live values first stand beside that order while they are few and
//! the connection holds: they go before everything that waits.
//! A row that comes in at or above the boundary is *spilling*: it stays in memory until it is
//! stored, then only its count remains. While a fetch is under way such rows stand in *limbo*,
//! because the fetch decides where the boundary will be.
#pragma once

#include "base/time.h"
#include "outbox/outbox.h"

#include <stdatomic.h>

typedef struct PsRowKey {
    int64_t collected_ns;
    uint64_t id;
} PsRowKey;

typedef enum PsRowState {
    PS_ROW_FRESH,   ///< in memory only
    PS_ROW_STORING, ///< in a batch that is not committed yet
    PS_ROW_STORED,
} PsRowState;

typedef enum PsRowPlace {
    PS_PLACE_NONE, ///< in no list: acknowledged, dropped, or its count only
    PS_PLACE_WAITING,
    PS_PLACE_LIVE, ///< before those that wait
    PS_PLACE_IN_FLIGHT,
    PS_PLACE_SPILLING,
    PS_PLACE_LIMBO,
    PS_PLACE_COUNT,
} PsRowPlace;

/// Counted: one reference for being in a list, one while a batch holds it. The bytes and `pub`,
/// but for its message (which the store does not look at), never change after ps_row_new; the rest
/// belongs to the main thread.
typedef struct PsRow {
    PsOutboxRow pub;
    atomic_int refs;
    size_t bytes; ///< topic and payload
    PsRowState state;
    PsRowPlace place;
    PsMono accepted;
    struct PsRow *previous; ///< of its place
    struct PsRow *next;
    struct PsRow *fresh_previous; ///< of the fresh list, while PS_ROW_FRESH
    struct PsRow *fresh_next;
    char data[]; ///< topic, NUL, payload
} PsRow;

/// Copies topic and payload; one reference, the caller's. NULL when there is no memory.
PsRow *ps_row_new(const PsOutboxRow *content);
PsRow *ps_row_ref(PsRow *row);
void ps_row_unref(PsRow *row);
PsRowKey ps_row_key(const PsRow *row);
/// <0, 0, >0 as a is before, equal to, after b.
int ps_row_key_compare(PsRowKey a, PsRowKey b);

typedef struct PsRowList {
    PsRow *first;
    PsRow *last;
    size_t count;
    size_t bytes;
} PsRowList;

typedef struct PsQueue {
    PsRowList lists[PS_PLACE_COUNT]; ///< indexed by place
    uint64_t disk_only;
    uint64_t disk_bytes; ///< topics and payloads of those
    PsRowKey boundary;   ///< meaningful while `has_boundary`
    bool has_boundary;
    bool fetching;
} PsQueue;

/// Rows the database holds at start, and their bytes.
void ps_queue_init(PsQueue *queue, uint64_t stored_rows, uint64_t stored_bytes);
/// The database is there again, with `stored_rows` that memory does not hold, older and newer ones.
/// No row in memory counts as stored; no fetch is under way.
void ps_queue_attach(PsQueue *queue, uint64_t stored_rows, uint64_t stored_bytes);
/// Keys of rows in memory and in the database have changed; no fetch is under way.
void ps_queue_sort(PsQueue *queue);
/// Unreferences what is in memory.
void ps_queue_deinit(PsQueue *queue);

/// Takes over the caller's reference.
void ps_queue_put(PsQueue *queue, PsRow *row);
/// Takes over the caller's reference; the row goes before all that wait.
void ps_queue_put_live(PsQueue *queue, PsRow *row);
/// The row to go next, or NULL: the oldest live one, else the oldest waiting in memory. Borrowed.
PsRow *ps_queue_head(const PsQueue *queue);
void ps_queue_mark_in_flight(PsQueue *queue, PsRow *row);
/// The row in flight with this id, or NULL.
PsRow *ps_queue_find_in_flight(const PsQueue *queue, uint64_t id);
/// The row with this id that is in memory, wherever it stands, or NULL.
PsRow *ps_queue_find(const PsQueue *queue, uint64_t id);
/// Back among the waiting, in order.
void ps_queue_put_back(PsQueue *queue, PsRow *row);
void ps_queue_link_lost(PsQueue *queue);
/// Out of its list; the reference becomes the caller's.
void ps_queue_take(PsQueue *queue, PsRow *row);

/// The row is committed now; a spilling one leaves memory.
void ps_queue_stored(PsQueue *queue, PsRow *row);
/// Moves the newest waiting rows out while more than `rows` or `bytes` wait in memory. True when
/// some of them must be stored first.
bool ps_queue_trim(PsQueue *queue, size_t rows, size_t bytes);

/// Should a fetch be started? (Few rows in memory, more in the database.)
bool ps_queue_wants_fetch(const PsQueue *queue, size_t low_rows);
/// A fetch of the rows at or above the returned key begins. All fresh rows and deletions must have
/// been handed to the store before it.
PsRowKey ps_queue_fetch_begin(PsQueue *queue);
/// Its result: `rows` in order (references taken over), `complete` when the database holds no more
/// above them. `failed`: nothing was read, try again.
void ps_queue_fetch_end(PsQueue *queue, PsRow **rows, size_t count, bool complete, bool failed);

/// Takes spilling rows back when the database holds nothing: while the disk fails, what memory
/// holds must still be able to go out.
void ps_queue_unspill(PsQueue *queue);

/// `rows` rows went from the database without having been in memory.
void ps_queue_forget_stored(PsQueue *queue, uint64_t rows, uint64_t bytes);

/// Everything not acknowledged.
uint64_t ps_queue_total(const PsQueue *queue);
uint64_t ps_queue_total_bytes(const PsQueue *queue);
size_t ps_queue_memory_rows(const PsQueue *queue);
size_t ps_queue_memory_bytes(const PsQueue *queue);
