//! The durable, ordered queue between the scripts and the link, and its ledger.
//!
//! A message that is accepted is handed out in order of its collection time among those of its
//! definition (alarms before values, and before the backlog where its rule says live_first), is
//! deleted only when acknowledged, and survives a restart. Main thread: every function and
//! callback. SQLite runs on the store thread; only open and close wait for the disk.
//!
//! Durability is one knob, `max_loss_s`. 0: a row is committed before ps_outbox_next hands it out.
//! 1 or 10: a row may be handed out at once; what is not acknowledged in time is committed before
//! it is that many seconds old, so a message acknowledged in time never touches the disk.
//!
//! Bounds: each class keeps about 1,000 rows or 8 MB in memory, the rest lives in the database
//! only. `catch_recording` and `warning_recording` bound the rows, `max_bytes` and the disk's free
//! space their size. What then goes is decided per definition (retention.c) and counted.
#pragma once

#include "base/err.h"
#include "base/time.h"
#include "outbox/disk_use.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

typedef struct PsOutbox PsOutbox;

/// Which limit a message counts against, as in Device Supervisor's parameter settings.
typedef enum PsOutboxClass {
    PS_OUTBOX_POINT, ///< catch_recording
    PS_OUTBOX_ALARM, ///< warning_recording
    PS_OUTBOX_CLASS_COUNT,
} PsOutboxClass;

/// Why a message was dropped: the keys of `dropped` in the ledger.
typedef enum PsDropReason {
    PS_DROP_RETENTION, ///< the class had its number of messages
    PS_DROP_TOO_LARGE, ///< payload above the cloud's limit, refused at the entrance
    PS_DROP_BAD_TOPIC, ///< topic the cloud does not take, refused at the entrance
    PS_DROP_STORAGE,   ///< the disk takes nothing and memory is used up, refused at the entrance
    PS_DROP_DEAD,      ///< a dead letter that went because there were too many
    PS_DROP_SIZE,      ///< the outbox had its size in bytes
    PS_DROP_SPACE,     ///< the disk had less free space than it shall keep
    PS_DROP_THINNED,   ///< one of two, so that a coarser record is left
    PS_DROP_CLEARED,   ///< a person cleared the queue
    PS_DROP_DAMAGED,   ///< its bytes in the database changed or could not be read any more
    PS_DROP_COUNT,
} PsDropReason;

/// "retention", "too_large", "bad_topic", "storage", "dead_retention", "size", "space", "thinned",
/// "cleared", "damaged". Never NULL.
const char *ps_drop_reason_name(PsDropReason reason);

/// One message definition. accepted == delivered + waiting + sum of dropped + dead, at any time
/// and across restarts. `accepted` counts everything handed in, also what was refused; a dead
/// letter that is run again with success leaves it, since what the call published is counted by
/// itself.
typedef struct PsLedger {
    const char *name;
    uint64_t accepted;
    uint64_t delivered;
    uint64_t waiting; ///< in memory, in the database, or in flight
    uint64_t dropped[PS_DROP_COUNT];
    uint64_t dead; ///< script inputs set aside: dead.h
} PsLedger;

bool ps_ledger_adds_up(const PsLedger *ledger);

/// What the cloud takes; the daemon takes them from ps_link_limits. 0 = no limit.
typedef struct PsOutboxLimits {
    size_t payload_bytes;
    size_t topic_bytes;
    size_t topic_slashes;
} PsOutboxLimits;

/// How one message definition is treated. Zeroed: a plain one of class POINT.
typedef struct PsOutboxRule {
    PsOutboxClass class;   ///< of what it carries
    bool live_first;       ///< while connected, new rows go before the backlog
    bool thin_out;         ///< room is made by taking every second row of the older half
    size_t pack_bytes;     ///< what waits goes as JSON lists of up to this size; 0: one by one
    const char *gap_topic; ///< where it is told what was dropped; NULL: nowhere
} PsOutboxRule;

/// Clocks other than the system's, for tests.
typedef struct PsOutboxClock {
    PsWall (*wall)(void *ctx);
    PsMono (*since_boot)(void *ctx);
    const char *boot_id;
    void *ctx;
} PsOutboxClock;

typedef struct PsOutboxSetup {
    uv_loop_t *loop;    ///< borrowed; outlives the outbox
    const char *folder; ///< made when missing (0700); holds outbox.db
    int max_loss_s;     ///< 0, 1 or 10
    uint64_t catch_recording;
    uint64_t warning_recording;
    uint64_t max_bytes;       ///< topics and payloads of all that wait; 0 = no limit
    uint64_t keep_free_bytes; ///< the outbox does not grow while the disk has less; 0 = it does
    uint64_t dead_max;        ///< dead letters: dead.h
    uint64_t dead_max_bytes;  ///< and their bytes
    PsOutboxLimits limits;
    const char *const *names; ///< message definitions; a message's index is its place here
    size_t name_count;
    const PsOutboxRule *rules;  ///< one per name, copied; NULL: all plain
    const PsOutboxClock *clock; ///< borrowed; NULL: the system's

    /// ps_outbox_next may have something that it did not have before. Never called from within an
    /// outbox function; call ps_outbox_next after ps_outbox_accept, too.
    void (*on_ready)(void *ctx);
    void *ctx;
} PsOutboxSetup;

/// Opens or makes the database; blocks for the integrity check. What can be read of a damaged file
/// is recovered into a fresh one, the file set aside under another name, both said in the log. A
/// disk that takes nothing (read-only, full, away) keeps nobody from working: the outbox runs in
/// memory, failing, and goes on with the database when there is one. Rows of definitions that no
/// longer exist are still delivered and have their ledger row. A diagnosis with PS_ERR_BUSY
/// (another process has it), PS_ERR_DENIED (owner or mode of the folder), PS_ERR_UNSUPPORTED
/// (written by a newer version), PS_ERR_IO (no folder can be made).
PsErr ps_outbox_open(const PsOutboxSetup *setup, PsOutbox **ret_outbox, PsDiag *diag);

/// Commits what is in memory and the ledger, then frees. Blocks until the disk has answered; what a
/// refusing disk did not take is said in the log. Accepts NULL. The loop must still run once
/// afterwards (libuv handles close).
void ps_outbox_close(PsOutbox *outbox);

/// A definition that is the same one under another name; under its own: nothing.
typedef struct PsOutboxRename {
    const char *from;
    const char *to;
} PsOutboxRename;

/// Takes over names, rules, limits, numbers and `max_loss_s` of `setup`; the rest of it is not
/// looked at and stays as it was opened. Nothing is lost, sent twice or reordered: what waits, is
/// in flight, was dropped or set aside stays with its definition. One that is no longer among the
/// names stays in the ledger, as after a restart, and is delivered; one that comes back finds its
/// row. A renamed one keeps its row, unless the ledger has another one of the new name: then that
/// one comes back and the former stays. Indexes of ledger rows are new ones afterwards. No disk;
/// what the database must know goes in one transaction with the first messages of the new
/// definitions. Call ps_outbox_next afterwards. Not within a callback of the outbox other than
/// on_ready.
void ps_outbox_apply(PsOutbox *outbox, const PsOutboxSetup *setup, const PsOutboxRename *renames,
                     size_t rename_count);

typedef struct PsOutboxMessage {
    size_t message;   ///< index into the setup's names
    PsWall collected; ///< order and stamp; corrected when the clock was set since
    const char *topic;
    int qos;
    const void *payload; ///< copied
    size_t len;
} PsOutboxMessage;

/// Takes a message over; microseconds, no disk. Refusals (counted, with a diagnosis):
/// PS_ERR_TOO_BIG and PS_ERR_INVALID at the entrance, PS_ERR_FULL when memory is used up because
/// the disk has failed or is slower than the messages come; each definition has its part of it.
PsErr ps_outbox_accept(PsOutbox *outbox, const PsOutboxMessage *message, PsDiag *diag);

/// Stands for everything accepted so far.
uint64_t ps_outbox_mark(const PsOutbox *outbox);
/// With max_loss_s 0: everything up to the mark is on the disk, or gone for good; SIGKILL costs
/// none of it. True at once with max_loss_s above 0, and while the disk refuses writes. When it
/// becomes true, on_ready is called.
bool ps_outbox_is_settled(const PsOutbox *outbox, uint64_t mark);

/// A message on its way out. Borrowed from the outbox until ps_outbox_acknowledged with its id, or
/// ps_outbox_link_lost.
typedef struct PsOutboxRow {
    uint64_t id; ///< unique among all rows that wait
    size_t message;
    PsWall collected;
    const char *topic;
    int qos;
    PsOutboxClass class;
    const void *payload;
    size_t len;
    size_t packed; ///< messages in it, 1 when it goes by itself
} PsOutboxRow;

/// What is to be published next, now marked in flight; NULL when there is none at the moment: a gap
/// record, else the oldest alarm, else a live row, else the oldest row, with those behind it that
/// are packed with it. `one_by_one`: without packing. What the link refuses after all goes back
/// with ps_outbox_put_back.
const PsOutboxRow *ps_outbox_next(PsOutbox *outbox, bool one_by_one);
/// Undoes the ps_outbox_next that gave `id`.
void ps_outbox_put_back(PsOutbox *outbox, uint64_t id);

/// The broker has it: the row and its place in the database go. Unknown ids are ignored (an
/// acknowledgement that crossed with ps_outbox_link_lost).
void ps_outbox_acknowledged(PsOutbox *outbox, uint64_t id);

/// The connection is up: definitions that want it send live rows first.
void ps_outbox_link_up(PsOutbox *outbox);
/// The connection ended: everything in flight waits again, in order.
void ps_outbox_link_lost(PsOutbox *outbox);

/// Sets a message aside that the server ends connections for: it becomes a dead letter of form
/// PS_DEAD_FORM_MESSAGE (dead.h). False when there is no such row, or no room.
bool ps_outbox_quarantine(PsOutbox *outbox, uint64_t id, const char *reason);

/// How many messages went. PS_ERR_CANCELLED when the outbox was closed before all were gone.
typedef void PsOutboxCleared(PsErr result, uint64_t count, void *ctx);
/// Drops everything of a ledger row that waits and is not in flight, counted as PS_DROP_CLEARED.
/// Answers when the database has done so, too.
void ps_outbox_clear(PsOutbox *outbox, size_t message, PsOutboxCleared *cleared, void *ctx);

/// Ledger rows: first the setup's names in their order, then names only the database knows.
size_t ps_outbox_ledger_count(const PsOutbox *outbox);
/// Do the books add up, each definition's and all together against what waits? Otherwise the log
/// has said so, once. Cheap; called now and then in production, too.
bool ps_outbox_check(PsOutbox *outbox);
/// Borrowed until the next call of any outbox function.
const PsLedger *ps_outbox_ledger(const PsOutbox *outbox, size_t index);

typedef struct PsOutboxStats {
    uint64_t waiting;       ///< rows not acknowledged, all classes
    uint64_t waiting_bytes; ///< their topics and payloads
    uint64_t in_flight;     ///< of them handed out
    uint64_t memory_rows;   ///< of them held in memory
    uint64_t memory_bytes;  ///< payload and topic bytes held in memory
    uint64_t transactions;  ///< committed since open
    uint64_t rows_stored;   ///< rows written since open
    uint64_t disk_bytes;    ///< written to the database and its log since open
    PsDiskUse disk;         ///< the same by days and over restarts
    bool store_failing;     ///< the disk refuses writes at the moment
    bool low_space;         ///< it has less free space than it shall keep
} PsOutboxStats;

PsOutboxStats ps_outbox_stats(const PsOutbox *outbox);
