//! The outbox's parts, shared by outbox.c (the public calls), out.c (what goes out), flow.c
//! (traffic with the store), attach.c (with and without a database), retention.c (making room),
//! gap.c (gap records), damage.c (bytes that changed on the disk), dead.c (dead letters) and
//! apply.c (another configuration). Main thread.
#pragma once

#include "base/wake.h"
#include "outbox/dead.h"
#include "outbox/ledger.h"
#include "outbox/outbox.h"
#include "outbox/pack.h"
#include "outbox/pending.h"
#include "outbox/queue.h"
#include "outbox/store.h"

#define PS_OUTBOX_MEMORY_ROWS 1000 // of each class
#define PS_OUTBOX_MEMORY_BYTES ((size_t)8 * 1024 * 1024)

typedef struct PsDeadItem {
    uint64_t id;
    size_t message;
    PsWall collected;
    size_t reason_len;
    size_t input_len;
} PsDeadItem;

typedef struct PsDeadRequest PsDeadRequest;

/// The dead letters; their changes that the store does not know yet are in PsPending.
typedef struct PsDead {
    PsDeadItem *items; ///< by rising id, from `first` to before `end`
    size_t first;
    size_t end;
    size_t capacity;
    uint64_t bytes;
    uint64_t next_id;
    uint64_t dropping;       ///< letters dropped in this episode
    PsDeadSchema *schemas;   ///< of letters put since open: at most one for each group
    PsDeadRequest *requests; ///< oldest first; the first is with the store while `fetching`
    bool fetching;
} PsDead;

/// Rows that are to go although they are not in memory, or not all of them (retention.c).
typedef struct PsShedRequest {
    struct PsShedRequest *next;
    PsOutboxClass class;
    size_t message;
    PsShedKind kind;
    PsDropReason reason;
    uint64_t look; ///< rows looked at; planned when it begins
    uint64_t went;
    PsOutboxCleared *cleared; ///< or NULL
    void *ctx;
} PsShedRequest;

typedef struct PsGapSend PsGapSend;

/// The clock of this boot: era.c.
typedef struct PsEra {
    PsEraRecord record; ///< as in the database, or to be written there when `dirty`
    bool dirty;
    PsClockEra settled; ///< once the stamps are moved
    PsEraShift shift;   ///< to be done, when `wanted`
    PsEraShift last;    ///< done
    PsMono set_at;
    bool wanted;
} PsEra;

/// An episode of bytes that changed on the disk: damage.c.
typedef struct PsDamage {
    uint64_t count; ///< of messages and letters
    PsMono last;
} PsDamage;

/// Writing in portions to a disk that is full: flow.c.
typedef struct PsCramped {
    bool on;
    size_t deletes; ///< in one transaction
    size_t bytes;   ///< of rows in one transaction
} PsCramped;

struct PsOutbox {
    PsOutboxSetup setup; // `folder`, `names` and `rules` are not used after open
    PsOutboxRule *rules; // one per name of the setup
    uint64_t keep_rows[PS_OUTBOX_CLASS_COUNT];
    int64_t hold_ns; // age at which a fresh row is written
    char *path;
    PsWake wake;
    uv_timer_t timer;
    int open_handles;
    PsLedgers ledgers;
    PsQueue queues[PS_OUTBOX_CLASS_COUNT];
    PsPending pending;
    PsShare *shares; // of `pending`, one per message definition
    PsDead dead;
    PsStore *store;
    PsPack *packs;        // in flight
    PsGapSend *gap_sends; // in flight
    bool tells_gaps;      // some definition does
    PsMono gap_again;     // no gap record before
    PsShedRequest *sheds; // oldest first; the first may be part of `write`
    bool connected;       // live rows are possible
    bool low_space;       // the disk has less than it shall keep
    uint64_t space_bytes; // what the outbox may hold meanwhile
    PsEra era;
    PsDamage damage;
    PsStoreCommand *write; // under way
    PsMono write_since;
    bool slow;       // the disk takes its time: said in the log
    size_t commands; // under way, writes and fetches
    uint64_t next_id;
    uint64_t dropping[PS_OUTBOX_CLASS_COUNT]; // rows dropped in this episode of retention
    bool books_wrong;                         // said in the log
    bool unsendable_told;                     // the same
    PsMono check_at;                          // of the books
    bool failing;
    PsCramped cramped;
    PsMono fetch_at;    // not before, after one that failed
    bool detached;      // there is no database at the moment: attach.c
    bool damaged;       // and it was damaged when it was last seen
    bool attached_once; // the books in memory are those of the database
    int64_t attach_retry_ns;
    bool closing;
    PsMono retry_at;
    uint64_t transactions;
    uint64_t rows_stored;
    uint64_t disk_bytes;
    PsDiskUse disk;
};

/// Copies the rules and what follows from the setup; those before are the caller's.
void ps_outbox_take_setup(PsOutbox *outbox, const PsOutboxSetup *setup);

/// Writes what is due, fetches where memory runs low, arms the timer. Call after every change.
void ps_outbox_work(PsOutbox *outbox);
/// The cheap part of it: writes early when very much is fresh, else only arms the timer.
void ps_outbox_accepted(PsOutbox *outbox);
void ps_outbox_fetch(PsOutbox *outbox);
/// What is to be written next, when everything is due; NULL when nothing is.
PsStoreCommand *ps_outbox_next_batch(PsOutbox *outbox, PsMono until, bool books_alone);
void ps_outbox_put_write(PsOutbox *outbox, PsStoreCommand *command);
/// Books an answer of the store and frees it.
void ps_outbox_take_answer(PsOutbox *outbox, PsStoreCommand *command);
/// Takes a row out for good: list, fresh list, database.
void ps_outbox_forget(PsOutbox *outbox, PsRow *row);
/// Can a row that was read from the database be sent? One that cannot would stand before all others
/// for ever: it is set aside, or dropped.
bool ps_outbox_take_stored(PsOutbox *outbox, const PsRow *row, PsMono now);
/// Makes room while the outbox holds more than it may.
void ps_outbox_enforce(PsOutbox *outbox);
void ps_outbox_drop_row(PsOutbox *outbox, PsRow *row, PsDropReason reason);
const PsOutboxRule *ps_outbox_rule(const PsOutbox *outbox, size_t message);

/// The disk after a write.
void ps_outbox_note_space(PsOutbox *outbox, PsRoom room);
/// Runs the oldest request, when nothing else is being written.
void ps_retention_begin(PsOutbox *outbox);
/// The write that a request was part of is committed.
void ps_retention_end(PsOutbox *outbox, const PsStoreCommand *command);
/// Is the database being changed below a fetch of this class?
bool ps_retention_blocks(const PsOutbox *outbox, PsOutboxClass class);
void ps_retention_cancel(PsOutbox *outbox);

/// A gap record to send now, or NULL.
const PsOutboxRow *ps_gap_next(PsOutbox *outbox, PsMono now);
/// These say whether `id` is a gap record in flight: it was not sent after all; the receiver has
/// it; the server ends connections because of it.
bool ps_gap_take_back(PsOutbox *outbox, uint64_t id);
bool ps_gap_told(PsOutbox *outbox, uint64_t id);
bool ps_gap_refused(PsOutbox *outbox, uint64_t id);
void ps_gap_link_lost(PsOutbox *outbox);
/// Ledger rows have other places: `to_new` by the old ones.
void ps_gap_apply(PsOutbox *outbox, const size_t *to_new);

/// `what` ("message" or "dead letter") has changed on the disk and goes: logged once in an episode.
void ps_damage_note(PsOutbox *outbox, const char *what, size_t message, PsWall collected);
/// Has the episode ended?
void ps_damage_look(PsOutbox *outbox, PsMono now);
/// Those that were found when the database was opened, and those of a fetch.
void ps_damage_attach(PsOutbox *outbox, const PsContents *contents, const size_t *indexes);
void ps_damage_fetched(PsOutbox *outbox, const PsStoreCommand *command, PsMono now);

/// Keeps a message that waits as a letter, so that both changes are in one batch. The books are the
/// caller's.
PsErr ps_dead_put_message(PsOutbox *outbox, const PsOutboxRow *row, const char *reason);

/// Goes on without a database until the store could open it, recovering it first when `damaged`.
void ps_outbox_detach(PsOutbox *outbox, bool damaged);
/// Asks the store to open it, when nothing else is under way and it is time. True when it was
/// asked.
bool ps_outbox_attach_begin(PsOutbox *outbox, PsMono now);
void ps_outbox_attach_end(PsOutbox *outbox, PsStoreCommand *command, PsMono now);
/// Takes over what the database holds.
void ps_outbox_attach(PsOutbox *outbox, const PsContents *contents);

/// Starts the era, when ids are known; takes over the one the database has of this boot.
void ps_era_begin(PsOutbox *outbox);
void ps_era_attach(PsOutbox *outbox, const PsContents *contents);
/// Has the clock been set?
void ps_era_look(PsOutbox *outbox);
/// The stamp of a message that comes only now.
PsWall ps_era_correct(const PsOutbox *outbox, PsWall collected);
/// True while nothing new is to be asked of the store, so that stamps can be moved.
bool ps_era_blocks(const PsOutbox *outbox);
/// Asks the store to move them, when nothing else is under way. True when it was asked.
bool ps_era_shift_begin(PsOutbox *outbox);
void ps_era_shift_end(PsOutbox *outbox, const PsStoreCommand *command);

/// The part of it for letters; `indexes` of the contents' names in the ledgers.
void ps_dead_attach(PsOutbox *outbox, const PsContents *contents, const size_t *indexes);
void ps_dead_deinit(PsDead *dead);
/// Ledger rows have other places, limits may have changed.
void ps_dead_apply(PsOutbox *outbox, const size_t *to_new);
/// Does somebody wait for letters that the store could look for now?
bool ps_dead_wants_fetch(const PsDead *dead);
void ps_dead_fetch_begin(PsOutbox *outbox);
void ps_dead_fetch_end(PsOutbox *outbox, PsStoreCommand *command);
void ps_dead_cancel(PsOutbox *outbox);
