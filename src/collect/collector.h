//! Collection: polls the devices of a configuration on one thread per endpoint, keeps the tag
//! table current, hands out group uploads, carries writes to the devices and results back.
//!
//! All functions here and all callbacks run on the thread of the loop given at set-up. A callback
//! may call ps_collector_write and the row functions, not stop or free.
//! Order: new, start, ..., stop, wait for `stopped`, free. Config (the one given last) and tag
//! table outlive it.
#pragma once

#include "base/buf.h"
#include "drivers/driver.h"
#include "drivers/learned.h"
#include "model/config.h"
#include "model/config_map.h"
#include "tags/sample_batch.h"
#include "tags/tag_table.h"
#include "tags/upload.h"

#include <uv.h>

typedef struct PsCollector PsCollector;

typedef struct PsCollectorSetup {
    uv_loop_t *loop;
    const PsConfig *config;
    PsTagTable *table;
    /// The gateway's state folder, for what devices have taught and what drivers keep; NULL:
    /// nothing is kept.
    const char *state_folder;
    /// For trying a configuration: what drivers keep there is used, nothing is kept or changed.
    bool only_reads;
    /// Asked once for each collect group: does anyone take its snapshots? Without, none are built.
    /// NULL means yes.
    bool (*wants_uploads)(uint32_t group, void *ctx);
    /// The snapshot of a wanted group is due and has something to send. With `every_sample`: each
    /// sample when it is complete; all but the last one of an upload interval `wait`. Of an alarm
    /// group: all that its alarms watch, after each polling cycle.
    void (*on_upload)(const PsUpload *upload, void *ctx);
    /// The upload interval of a group with `every_sample` has ended and there is no new snapshot
    /// with it: those that `wait` need not any more. With one, that one does not wait. May be NULL.
    void (*on_flush)(uint32_t group, void *ctx);
    /// After a batch was applied to the table (poll or read-back of a write); may be NULL.
    void (*on_samples)(const PsSampleBatch *batch, void *ctx);
    void *ctx;
} PsCollectorSetup;

/// Compiles everything, connects nowhere. PS_ERR_UNSUPPORTED (no driver for a protocol),
/// PS_ERR_INVALID; `diag` names the device.
PsErr ps_collector_new(const PsCollectorSetup *setup, PsCollector **ret_collector, PsDiag *diag);

/// Starts the channel threads; cycle 0 of every group is due now. PS_ERR_IO when the system gives
/// no thread: then stop and free as usual.
PsErr ps_collector_start(PsCollector *collector, PsDiag *diag);

/// Another configuration takes the place of the present one, which is not needed afterwards. The
/// tag table has become the new one's before (ps_tag_table_apply_config). Endpoints whose devices
/// and variables are the same notice nothing; others keep their connection and go on with the new
/// ones; only new endpoints are connected. Cycles keep their places in time. What was read of a
/// variable that now stands elsewhere is forgotten. Writes that wait go on, or end with
/// PS_ERR_CANCELLED when their variable is another or gone; a recall under way goes on. Not after
/// stop. Appends to `anew` (may be NULL) a line for each device that was there before and is asked
/// over another connection from now on.
void ps_collector_apply(PsCollector *collector, const PsConfig *config, const PsConfigMap *map,
                        PsBuf *anew);

/// Interrupts and joins the threads without holding up the loop, cancels waiting writes (their
/// `done` is called with PS_ERR_CANCELLED), then calls `stopped` (may be NULL). No upload and no
/// samples callback once this was called. Also right before start. Call once.
void ps_collector_stop(PsCollector *collector, void (*stopped)(void *ctx), void *ctx);

/// Only after `stopped`, and not from inside it when the loop still has to close handles: it is
/// called when they are closed, so freeing there is allowed. Accepts NULL.
void ps_collector_free(PsCollector *collector);

/// Exactly once per accepted write. `read_back` is none when nothing was read back; its text is
/// borrowed for the call. `diag` is never NULL; its text is "" on PS_OK.
typedef void PsWriteDone(PsErr result, const PsDiag *diag, PsValue read_back, void *ctx);

/// Most writes that may wait on one channel; more are refused with PS_ERR_FULL.
#define PS_WRITES_WAITING_MAX 1024

/// Coerces the value, checks the access, queues the write at the variable's channel, ahead of the
/// next poll. Text is copied. A write not begun by `deadline` ends with PS_ERR_TIMEOUT; one whose
/// device is away ends at once with PS_ERR_CLOSED. On an error here `done` is never called:
/// PS_ERR_NOT_FOUND (no such index), PS_ERR_DENIED (read-only), PS_ERR_INVALID, PS_ERR_RANGE,
/// PS_ERR_TOO_BIG (see ps_coerce), PS_ERR_FULL, PS_ERR_CANCELLED (stopping).
PsErr ps_collector_write(PsCollector *collector, uint32_t variable, PsValue value, PsMono deadline,
                         PsWriteDone *done, void *ctx, PsDiag *diag);

/// Most looks that may wait on one channel; more are refused with PS_ERR_FULL.
#define PS_LOOKS_WAITING_MAX 8

/// Exactly once per accepted look, with what came of it: of a failed one as well (what was sent,
/// what the device answered), as far as it came. Borrowed for the call. `diag` is never NULL.
typedef void PsPeekDone(PsErr result, const PsDiag *diag, const PsPeek *peek, void *ctx);

/// Looks at what goes over the wire for a variable, whatever it says as a value of its type. It
/// waits as a write does. A device that is away is asked as well, once, within its timeout; only
/// where others answer behind the same connection no more often than they can afford
/// (PS_ERR_CLOSED). On an error here `done` is never called: PS_ERR_NOT_FOUND (no such index),
/// PS_ERR_DENIED (write-only), PS_ERR_UNSUPPORTED (the protocol shows nothing), PS_ERR_FULL,
/// PS_ERR_CLOSED (not served), PS_ERR_CANCELLED.
PsErr ps_collector_peek(PsCollector *collector, uint32_t variable, PsMono deadline,
                        PsPeekDone *done, void *ctx, PsDiag *diag);

/// Devices without variables that can be looked into at the same time.
#define PS_GUESTS_MAX 4

/// As PsPeekDone. PS_ERR_NOT_FOUND also means that there is no such node.
typedef void PsBrowseDone(PsErr result, const PsDiag *diag, const PsBrowse *browse, void *ctx);

/// Looks for variables inside a device (PsDriver.browse): inside `node`, behind `after`; both may
/// be "". Waits as a look does. A device that has no variables yet gets a connection of its own
/// for this, which is kept for a minute. On an error here `done` is never called: as
/// ps_collector_peek; PS_ERR_NOT_FOUND: there is no such device.
PsErr ps_collector_browse(PsCollector *collector, uint32_t device, const char *node,
                          const char *after, PsMono deadline, PsBrowseDone *done, void *ctx,
                          PsDiag *diag);

/// Exactly once per recall. On PS_OK `all` holds every readable variable, in the order of the
/// configuration, borrowed for the call, with PsConfig.group_count for its group: good is what was
/// read after the call of ps_collector_recall. Otherwise (PS_ERR_TIMEOUT, PS_ERR_CANCELLED) NULL.
typedef void PsRecallDone(PsErr result, const PsUpload *all, void *ctx);

/// Has every readable variable read now, whatever its group or mode. `done` comes when all channels
/// have read, or at `deadline`; it may come before this returns. Devices that are away stay away.
void ps_collector_recall(PsCollector *collector, PsMono deadline, PsRecallDone *done, void *ctx);

/// The quality of a variable right now: the table's, except that a good value which is older than
/// two polling intervals and the device's timeout is PS_QUALITY_STALE. Uploads go by this.
PsQuality ps_collector_quality(const PsCollector *collector, uint32_t variable, PsMono now);

/// One endpoint, for status. Texts are copies.
typedef struct PsChannelRow {
    char name[128];    ///< "127.0.0.1:502"
    const char *state; ///< "stopped", "connecting", "connected", "away"; static
    uint64_t requests;
    uint64_t errors;
    uint64_t late;        ///< answers that came too late or to nobody, and were thrown away
    double round_trip_ms; ///< smoothed; 0 before the first answer
    uint32_t devices;
    uint32_t devices_away;
    double cycle_ms;       ///< reading everything once, smoothed; 0: not known yet
    double cycle_requests; ///< requests of that
    double load;           ///< the part of the time that reading takes: above 1 cycles are left out
    char most_group[256];  ///< of that, the group that takes most; "" before a cycle was measured
    double most_cycle_ms;  ///< a cycle of it
    double most_interval_s;
    char load_warning[384];          ///< what to do, when it is too much; "" mostly
    char last_error[384];            ///< "" when there was none
    char note[PS_SESSION_NOTE_SIZE]; ///< what people should know about the connection; "" mostly
} PsChannelRow;

uint32_t ps_collector_channel_count(const PsCollector *collector);
void ps_collector_channel_row(PsCollector *collector, uint32_t index, PsChannelRow *ret_row);

/// Whether a device answers, as far as its polls and writes say.
typedef enum PsContact {
    PS_CONTACT_NONE, ///< not asked yet, or not since the connection came back; or nothing is read
    PS_CONTACT_ANSWERS,
    PS_CONTACT_SILENT,
} PsContact;

/// One device, for status and for explaining a bad value.
typedef struct PsDeviceRow {
    uint32_t channel; ///< UINT32_MAX when the device has no variables and so no channel
    bool away;        ///< it did not answer the last time
    PsContact contact;
    const char *breaker;  ///< "closed": asked in each cycle; "open": left alone until `next_try`;
                          ///< "probing": away, and asked once to find out; static
    PsMono next_try;      ///< when it is asked again, while it is away; it may be past
    char last_error[384]; ///< newest failure or refusal, "" when there was none
    bool unwelcome;       ///< no connection is made to it, for a reason that last_error names, with
                          ///< what to do: whether it is switched on is not the question
} PsDeviceRow;

/// `device` indexes PsConfig.devices.
void ps_collector_device_row(PsCollector *collector, uint32_t device, PsDeviceRow *ret_row);

/// What the device's endpoint has taught, all of its units; NULL when nothing is known. Borrowed
/// until the loop turns.
const PsLearned *ps_collector_learned(const PsCollector *collector, uint32_t device);

/// One group, for status.
typedef struct PsGroupRow {
    const char *name; ///< borrowed from the configuration
    uint64_t due;     ///< cycles due since start, over all channels that poll the group
    uint64_t late;    ///< of these: skipped, because an earlier one took too long
    uint64_t uploads; ///< times on_upload was called
} PsGroupRow;

/// `group` indexes PsConfig.groups; groups without readable variables have zero counts.
void ps_collector_group_row(const PsCollector *collector, uint32_t group, PsGroupRow *ret_row);
