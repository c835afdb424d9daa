//! The scripts of one configuration, run in their own processes: one worker for each publish and
//! subscribe entry, all forked from one warmed penstock-script.
//!
//! Everything here belongs to the thread of `loop` and never blocks. Order of calls: new, start,
//! then collect/receive/set_link as things happen, stop, (its done callback), free. The
//! process ignores SIGPIPE.
//!
//! What is bounded: PS_SCRIPT_QUEUE_INPUTS inputs and PS_SCRIPT_QUEUE_BYTES bytes wait per worker
//! (when full the oldest input is given up, and this is logged once per episode), one mqtt_publish
//! is open per worker (its script waits for it), PS_SCRIPT_SAMPLES_MAX samples and
//! PS_SCRIPT_QUEUE_BYTES bytes wait per worker and group with `every_sample`, PS_SCRIPT_WRITES_MAX
//! calls with a callback are open per worker (one more raises in the script).
#pragma once

#include "base/buf.h"
#include "base/log.h"
#include "model/config.h"
#include "model/config_map.h"
#include "tags/alarm_upload.h"
#include "tags/upload.h"

#include <uv.h>

#define PS_SCRIPT_QUEUE_INPUTS 64
#define PS_SCRIPT_SAMPLES_MAX 20000
#define PS_SCRIPT_QUEUE_BYTES ((size_t)8 * 1024 * 1024)
#define PS_SCRIPT_WRITES_MAX 256
/// Longest message a script may publish; longer is refused in the worker with an ERROR line.
#define PS_SCRIPT_PAYLOAD_MAX ((size_t)1024 * 1024)
/// So many ends in a row, without a minute of steady running in between, and a script is held.
#define PS_SCRIPT_HOLD_AFTER 5
/// Lines one call may log; the rest is counted, and the count is logged when the call ends.
#define PS_SCRIPT_CALL_LINES_MAX 1000
#define PS_SCRIPT_CALL_WARNINGS_MAX 50
/// Bytes of those lines.
#define PS_SCRIPT_CALL_LOG_BYTES_MAX ((size_t)1024 * 1024)
/// Frames one call may send: lines, publishes, writes; more ends the worker.
#define PS_SCRIPT_CALL_FRAMES_MAX 100000

typedef struct PsScriptHost PsScriptHost;

typedef enum PsScriptKind {
    PS_SCRIPT_PUBLISH,
    PS_SCRIPT_SUBSCRIBE,
} PsScriptKind;

/// "publish", "subscribe". Never NULL.
const char *ps_script_kind_name(PsScriptKind kind);

/// The number of a message among all of a configuration: publish entries first, then subscribe
/// entries. Workers are in this order, and so are the rows of the ledger.
static inline uint32_t ps_script_message_index(const PsConfig *config, PsScriptKind kind,
                                               uint32_t entry) {
    return kind == PS_SCRIPT_PUBLISH ? entry : config->publish_count + entry;
}

typedef enum PsWorkerState {
    PS_WORKER_STOPPED,  ///< never started, or ended by stop
    PS_WORKER_STARTING, ///< process and module are being made
    PS_WORKER_RUNNING,
    PS_WORKER_CRASHED, ///< ended by itself or killed; starts again after a growing delay
    PS_WORKER_HELD,    ///< cannot be built, or ended too often; waits for a person
    PS_WORKER_STOPPING,
} PsWorkerState;

/// "stopped", "starting", "running", "crashed", "held", "stopping". Never NULL.
const char *ps_worker_state_name(PsWorkerState state);

/// A message a script wants sent. Everything is borrowed until the callback returns.
typedef struct PsScriptPublish {
    PsScriptKind kind;
    uint32_t entry;    ///< index into PsConfig.publish or .subscribe, by `kind`
    const char *topic; ///< expanded when it is the entry's own; as given by the script otherwise
    int qos;           ///< 0, 1 or 2
    const uint8_t *payload;
    size_t payload_len;
    PsWall collected; ///< of the upload; in subscribe scripts when the message came; in callbacks
                      ///< the time of the call; of saving for save_data
    uint64_t replay;  ///< from the replay of this id; 0: from a live call
} PsScriptPublish;

/// A line a script logged. Borrowed until the callback returns.
typedef struct PsScriptLine {
    PsLogLevel level;
    const char *file;
    uint32_t line;
    const char *text;
    size_t len;
} PsScriptLine;

typedef struct PsScriptKept PsScriptKept;

/// An input that a script did not finish. Everything is borrowed until the callback returns.
typedef struct PsScriptDead {
    PsScriptKind kind;
    uint32_t entry; ///< index into PsConfig.publish or .subscribe, by `kind`
    const PsScriptKept *kept;
    const char *reason; ///< one line; then, below each other, a traceback or what is known
} PsScriptDead;

typedef enum PsScriptReplayEnd {
    PS_SCRIPT_REPLAYED,       ///< the call ended well
    PS_SCRIPT_REPLAY_FAILED,  ///< it raised, or its worker ended
    PS_SCRIPT_REPLAY_NOT_RUN, ///< the script was held or stopped before
} PsScriptReplayEnd;

/// Outcome of one write: exactly once, on the loop's thread, also from inside on_write.
typedef void PsScriptWriteDone(PsErr result, const PsDiag *diag, PsValue read_back, void *ctx);

/// Outcome of a recall: on PS_OK `all` has every readable variable, borrowed for the call, with
/// PsConfig.group_count for a group; otherwise it is NULL.
typedef void PsScriptRecallDone(PsErr result, const PsUpload *all, void *ctx);

typedef struct PsScriptHostSetup {
    uv_loop_t *loop;
    const PsConfig *config; ///< borrowed, outlives the host
    const char *program;    ///< path of penstock-script; copied
    void *ctx;              ///< handed to the callbacks
    /// A returned message, awsiot_publish or save_data: to be kept until delivered. False when it
    /// was refused, which the callee has logged.
    bool (*on_publish)(const PsScriptPublish *publish, void *ctx);
    /// May be NULL: never. Is something that on_publish took not yet safe from a sudden end of this
    /// process? True: ps_script_host_settled(ticket) follows. Until then a save_data waits for its
    /// answer, and the next call of the script waits too.
    bool (*on_settle)(uint64_t ticket, void *ctx);
    /// mqtt_publish: send now or not at all. True: the answer comes later through
    /// ps_script_host_publish_now_done(ticket); false: not sent, and no answer follows.
    bool (*on_publish_now)(const PsScriptPublish *publish, uint64_t ticket, void *ctx);
    /// Write one variable. On PS_OK `done` is called once (with the result, or PS_ERR_CANCELLED,
    /// at the latest some time after `deadline`); otherwise never, and `diag` says why. The text
    /// of `value` is borrowed until this returns. `done` may come after the host was freed.
    PsErr (*on_write)(uint32_t variable, PsValue value, PsMono deadline, PsScriptWriteDone *done,
                      void *done_ctx, void *ctx, PsDiag *diag);
    /// Read all readable variables now. `done` is called once, at the latest some time after
    /// `deadline`, also from inside; it may come after the host was freed.
    void (*on_recall)(PsMono deadline, PsScriptRecallDone *done, void *done_ctx, void *ctx);
    /// May be NULL: takes the scripts' lines instead of the gateway's log.
    void (*on_line)(const PsScriptLine *line, void *ctx);
    /// May be NULL. The worker has nothing to do: its module is built, or a call and the callbacks
    /// of its writes have ended. `error` is "" when all that went well; otherwise it says what a
    /// call raised, or why there is no process, which is then not logged. May stop the host.
    void (*on_rest)(PsScriptKind kind, uint32_t entry, const char *error, void *ctx);
    /// An input is given up: its call failed, or there will be none. NULL: only counted.
    void (*on_dead)(const PsScriptDead *dead, void *ctx);
    /// How ps_script_host_replay of `id` went; `reason` as in PsScriptDead, NULL when it went well.
    /// The next may be put from within.
    void (*on_replayed)(uint64_t id, PsScriptReplayEnd end, const char *reason, void *ctx);
    const char *boot;        ///< of sequence(), 16 hexadecimal digits, copied; NULL: a new one
    const char *scratch;     ///< folder for the workers' scratch folders; copied; NULL: none
    uint32_t restart_min_ms; ///< first delay after a crash, doubled up to 60 s; 0 = 1000
} PsScriptHostSetup;

/// PS_ERR_INVALID with `diag` when the setup cannot work (program missing or not executable).
PsErr ps_script_host_new(const PsScriptHostSetup *setup, PsScriptHost **ret_host, PsDiag *diag);
/// Starts penstock-script and then the workers; the rest happens on the loop. A failure to start
/// is retried with growing delay and logged; PS_ERR_IO only when the loop itself fails.
PsErr ps_script_host_start(PsScriptHost *host, PsDiag *diag);

/// Queues one call of a publish entry with the snapshot, which is copied. PS_ERR_CLOSED when the
/// entry is held or the host is stopping. A full queue is PS_OK: the oldest
/// input went. One that `waits` is queued until the next one of its group that does not, or a
/// flush; the script is then called once for each, in order of collection, when no other input
/// waits for it.
PsErr ps_script_host_collect(PsScriptHost *host, uint32_t publish, const PsUpload *upload);
/// The interval of the group has ended with no new snapshot: those that wait need not any more.
void ps_script_host_flush(PsScriptHost *host, uint32_t publish, uint32_t group);
/// The same as collect for a publish entry of alarms.
PsErr ps_script_host_alarms(PsScriptHost *host, uint32_t publish, const PsAlarmUpload *upload);
/// Queues one call of a subscribe entry. `qos` is that of the delivery.
PsErr ps_script_host_receive(PsScriptHost *host, uint32_t subscribe, const char *topic,
                             const void *payload, size_t len, int qos);
/// Tells scripts whether the cloud link is up: what awsiot_publish returns. Down at start.
void ps_script_host_set_link(PsScriptHost *host, bool connected);
/// Answers an on_publish_now that returned true. Tickets of workers that ended are ignored.
void ps_script_host_publish_now_done(PsScriptHost *host, uint64_t ticket, bool sent);
/// Answers an on_settle that returned true. Not from within it. Tickets of workers that ended are
/// ignored.
void ps_script_host_settled(PsScriptHost *host, uint64_t ticket);

/// From now on the scripts are those of `config`, which replaces the present one and outlives the
/// host or the next call; the present one and `map` are not used any more once this returns.
/// Scripts whose message and text did not change go on with their process, globals, inputs and
/// calls; so they do when only name, topic, qos, timeout, groups or delivery changed, or what
/// groups hold: inputs that wait keep the names they were collected with, new ones have the new
/// names. Another script, main function, limits or kind of input are tried and take over as in
/// ps_script_host_replace; inputs wait for that when the message itself changed. What waits for
/// scripts of messages that are no more is given up, and so is the input of a call in flight, which
/// may finish within two seconds; what that still publishes is refused, what it writes is written.
/// Callbacks from within this (on_dead, on_replayed) have the numbers of the present configuration,
/// later ones those of `config`. Tickets stay valid. Uploads and other indexes that the host is
/// given from then on are of `config`, also as outcomes of recalls that are open. While it is
/// stopping the messages must be as many as before. Appends to `anew` (may be NULL) a line for each
/// message that was there before and whose script begins anew.
void ps_script_host_apply(PsScriptHost *host, const PsConfig *config, const PsConfigMap *map,
                          PsBuf *anew);

/// A script was saved: `source` (moved from) is tried in a process of its own; when its module can
/// be built it takes the place of the present one after the call in flight, alone, and its globals
/// begin anew. Otherwise the log says why and the present one goes on. Of several that come while
/// one is tried the newest counts.
void ps_script_host_replace(PsScriptHost *host, PsScriptKind kind, uint32_t index, PsBuf *source);
/// Lets a held script try again. PS_ERR_NOT_FOUND without such a message, PS_ERR_INVALID when it is
/// not held, each with a diagnosis.
PsErr ps_script_host_release(PsScriptHost *host, const char *name, PsDiag *diag);

/// Runs an input again that on_dead gave away, when no live input waits for the script: its result
/// has the old collection time. One at a time for each entry; `id` is the caller's, not 0.
/// on_replayed follows, unless this fails: PS_ERR_CLOSED when the script is held or stopping,
/// otherwise the input can never be run.
PsErr ps_script_host_replay(PsScriptHost *host, PsScriptKind kind, uint32_t index,
                            const PsScriptKept *kept, uint64_t id, PsDiag *diag);

/// Takes back an input put by ps_script_host_replay that has not been begun: on_replayed comes from
/// within, with PS_SCRIPT_REPLAY_NOT_RUN. One that is being run goes on.
void ps_script_host_cancel_replay(PsScriptHost *host, PsScriptKind kind, uint32_t index);

/// For a draft beside the live script: what `sequence()` calls the start of the gateway, and the
/// number that the input put last will have if all before it use one. `draft` has one publish
/// entry; it is told only while it is idle.
const char *ps_script_host_boot(const PsScriptHost *host);
void ps_script_host_follow_sequence(PsScriptHost *draft, const PsScriptHost *live,
                                    uint32_t publish);

typedef struct PsScriptWorkerStatus {
    const char *name; ///< borrowed from the host until it takes over another configuration
    PsScriptKind kind;
    PsWorkerState state;
    int pid; ///< 0 when there is no process
    uint64_t calls;
    uint64_t errors; ///< calls that raised, timed out or crashed
    uint64_t restarts;
    uint64_t dropped; ///< inputs given up, see on_dead
    uint32_t queued;
    double cpu_s;         ///< of the present process
    uint64_t rss_kib;     ///< of the present process; 0 when there is none
    char last_error[200]; ///< newest error of this worker, "" when none
} PsScriptWorkerStatus;

uint32_t ps_script_host_worker_count(const PsScriptHost *host);
/// Row `index` (publish entries first, in configuration order). Reads /proc.
void ps_script_host_worker_status(const PsScriptHost *host, uint32_t index,
                                  PsScriptWorkerStatus *ret_status);

/// Snapshots of a group that wait, and those that were given up because too many did, together for
/// all messages.
void ps_script_host_samples(const PsScriptHost *host, uint32_t group, uint64_t *ret_waiting,
                            uint64_t *ret_set_aside);

typedef void PsScriptHostStopped(void *ctx);
/// Asynchronous: a call in flight may finish within two seconds, then everything is killed.
/// Waiting inputs are given up; open writes answer nobody. `done` is called once, from the loop, or
/// before this returns when the host was never started; it may free the host. Afterwards no
/// callback of the setup is called again.
void ps_script_host_stop(PsScriptHost *host, PsScriptHostStopped *done, void *ctx);
/// After `done`, or for a host that was never started. Accepts NULL.
void ps_script_host_free(PsScriptHost *host);
