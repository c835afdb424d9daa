//! One message script as penstockd sees it: its worker process with a named state, its queue, the
//! call in flight and its time limit, its restarts. Loop thread; never blocks.
#pragma once

#include "script/groups.h"
#include "script/inputs.h"
#include "script/kept.h"
#include "script/limits.h"
#include "script/proc_usage.h"
#include "script/requests.h"
#include "script/samples.h"
#include "script/spawner.h"
#include "script/streams.h"
#include "script/writes.h"

/// Where the numbers of a message stand that was removed or has another name now, should its name
/// come back: a receiver that has seen some of them with this `boot` is not to see them again.
typedef struct PsScriptNumbers {
    PsScriptKind kind;
    char *name;
    uint64_t sequence;
} PsScriptNumbers;

/// What all entries of a host share.
typedef struct PsScriptShared {
    PsScriptHostSetup setup;
    PsScriptSpawner spawner;
    PsScriptWrites writes;
    PsScriptRequests requests;
    PsScriptGroups groups;
    PsWall last_saved;              ///< collection time of the newest save_data
    struct PsScriptEntry **entries; ///< publish entries first, as configured
    uint32_t entry_count;
    struct PsScriptEntry **leaving; ///< of removed messages, until their processes have ended
    uint32_t leaving_count;
    PsScriptNumbers *numbers; ///< of former messages, each name once
    uint32_t number_count;
    uint32_t next_slot;          ///< never given twice, so that late news finds nobody
    struct PsScriptEntry *draft; ///< the trial under way, or NULL: draft.h
    char boot[17];               ///< sixteen hexadecimal digits, of this host: see sequence()
    bool link;                   ///< the cloud link is up
    bool started;
    bool stopping;
    uint32_t handles;                               ///< entries' handles and streams on the loop
    void (*on_idle)(struct PsScriptShared *shared); ///< an entry ended, or a handle went
} PsScriptShared;

typedef struct PsScriptDraft PsScriptDraft;

/// What the entry's one timer is for at the moment.
typedef enum PsEntryTimer {
    PS_ENTRY_TIMER_NONE,
    PS_ENTRY_TIMER_BUILD, ///< process and module must be there by then
    PS_ENTRY_TIMER_CALL,
    PS_ENTRY_TIMER_DUMP,  ///< Python has been asked where it is; then the process is killed
    PS_ENTRY_TIMER_DRAIN, ///< the process has ended; its last words may still be under way
    PS_ENTRY_TIMER_QUIT,  ///< the process has been asked to end
    PS_ENTRY_TIMER_RESTART,
} PsEntryTimer;

/// An answer to write_plc_values, get_tag_config or recall_data that waits to be handed to the
/// script.
typedef struct PsScriptReply {
    struct PsScriptReply *next;
    PsBuf frame;
    PsScriptNames *names; ///< as in PsScriptInput
} PsScriptReply;

typedef struct PsScriptEntry {
    PsScriptShared *shared;
    PsScriptKind kind;
    uint32_t index; ///< into PsConfig.publish or .subscribe
    uint32_t slot;  ///< number of this entry in the host, for as long as it lives
    char *name;
    double timeout_s;
    int qos;
    char *topic;         ///< expanded
    char *main_function; ///< from here on: what its next process is made from
    PsBuf source;
    PsScriptLimits limits;
    int group_type;
    PsBuf waiting;     ///< a newer script, not yet tried
    bool has_waiting;  ///< it is tried with what the configuration says then
    bool reconfigured; ///< it is the configuration's, not a file that was saved
    bool pauses;       ///< inputs wait for the outcome of that
    bool leaving;      ///< its message is no more; it ends with the call in flight

    PsWorkerState state;
    uint32_t generation; ///< counts the processes of this entry
    int pid;
    bool aws;                 ///< the present process has awsiot_publish
    bool settings_sent;       ///< it knows the present name and parameters
    PsScriptStreams *streams; ///< of the present process, or NULL
    bool exited;              ///< the present process is known to have ended
    bool ended;               ///< its streams are at their end
    int wait_status;          ///< PS_STATUS_UNKNOWN when nobody saw it
    bool finishes;            ///< it is being stopped and handles what waits before
    bool rebuild;             ///< start anew as soon as the present process has ended
    bool doomed;              ///< it is being killed; what it sends no longer counts
    char doom[200];           ///< why, "" when it ends by itself
    unsigned dump_line;       ///< line of the script in Python's own dump, 0 when none
    uv_timer_t timer;
    PsEntryTimer timer_use;
    uint64_t paused_ms;   ///< of PS_ENTRY_TIMER_CALL, when `asks` began; 0: it runs, or none does
    uint32_t handles;     ///< on the loop: the timer, and the streams of processes
    uint32_t crashes;     ///< in a row, for the delay and PS_SCRIPT_HOLD_AFTER
    char held[240];       ///< why it is not to be started again, "" when it is
    PsScriptDraft *draft; ///< this is no message of the configuration but a trial; else NULL
    PsMono started;

    PsScriptInputs inputs;
    PsScriptSamples samples; ///< go when none of `inputs` waits
    PsScriptReply *replies;  ///< oldest first; they go before inputs
    uint32_t open_writes;    ///< of the present process: results and answers not yet handed over
    uint32_t silent_writes;  ///< of the present process: open writes that want no result
    PsScriptTold told;       ///< the names that the present process has
    PsScriptInput current;   ///< the input of the call in flight
    PsBuf words;             ///< what the process has written to standard error during it
    PsScriptInput replay;    ///< a dead letter that waits to be run again, while `has_replay`
    bool has_replay;
    bool in_call;
    bool given_up;        ///< the input of the present call is, and what comes of it is not taken
    bool returned;        ///< the present call has published its return value
    bool acted;           ///< it has published or written something
    bool asks;            ///< an mqtt_publish or save_data waits for its answer
    bool published;       ///< something was accepted since the newest on_settle
    bool settling;        ///< on_settle was true; a save_data waits for it, or the next call does
    bool saving;          ///< it is a save_data
    char call_error[200]; ///< what the calls since the last rest raised first
    PsScriptLines lines;  ///< since the present call began
    uint32_t frames;      ///< it sent since the present call began
    bool dropping;        ///< the queue overflowed and has not been empty since

    uint64_t sequence;      ///< number of the next call that uses it and ends well
    uint64_t sequence_sent; ///< what the present process was told, 0: nothing yet
    uint64_t calls;
    uint64_t errors;
    uint64_t restarts;
    uint64_t dropped;
    char last_error[200];
} PsScriptEntry;

#define PS_STATUS_UNKNOWN (-1)
/// An order to kill that has no effect in this time (never seen) is repeated.
#define PS_ENTRY_KILL_AGAIN_S 2.0
#define PS_ENTRY_WAS_STOPPED "the script was not called: the gateway was stopped"

/// With a slot of its own; what it is comes from the configuration, by `kind` and `index`.
PsScriptEntry *ps_script_entry_new(PsScriptShared *shared, PsScriptKind kind, uint32_t index);
void ps_script_entry_free(PsScriptEntry *entry);
/// Puts the entry's timer on the loop.
void ps_script_entry_open(PsScriptEntry *entry);
/// Takes it off; counted in shared->handles.
void ps_script_entry_close(PsScriptEntry *entry);
/// penstock-script is ready: have the worker made.
void ps_script_entry_launch(PsScriptEntry *entry);
/// News of the entry's present process.
void ps_script_entry_forked(PsScriptEntry *entry, int pid);
void ps_script_entry_fork_failed(PsScriptEntry *entry, int error);
/// `wait_status` may be PS_STATUS_UNKNOWN: penstock-script died and took the worker along.
void ps_script_entry_exited(PsScriptEntry *entry, int wait_status);
/// penstock-script saw it pass a limit.
void ps_script_entry_over_limit(PsScriptEntry *entry, PsWireLimit limit);
/// Queues an input (moved from) and calls the script when it is free.
PsErr ps_script_entry_put(PsScriptEntry *entry, PsScriptInput *input);
/// Must the input be given up at once, because the script is not called any more? Then it was.
bool ps_script_entry_refuses(PsScriptEntry *entry, const PsScriptInput *input);
/// A write_plc_values of process `generation` has ended; `frame` (moved from) may be NULL.
void ps_script_entry_write_ended(PsScriptEntry *entry, uint32_t generation, PsBuf *frame);
/// Hands the REPLY to get_tag_config or recall_data over; `frame` is moved from, `names`, which may
/// be NULL, are shared.
void ps_script_entry_answered(PsScriptEntry *entry, uint32_t generation, PsBuf *frame,
                              PsScriptNames *names);
/// Answers the open mqtt_publish of process `generation`.
void ps_script_entry_sent(PsScriptEntry *entry, uint32_t generation, bool sent);
/// What process `generation` has published is safe now.
void ps_script_entry_settled(PsScriptEntry *entry, uint32_t generation);
/// Lets a call in flight finish, then ends the process; PS_WORKER_STOPPED is the end. When the host
/// stops, and inputs are not to be lost (on_dead), those that wait are handled before.
void ps_script_entry_stop(PsScriptEntry *entry);
/// Starts a held, crashed or stopped entry now, with nothing held against it.
void ps_script_entry_restart(PsScriptEntry *entry);
/// From now on its processes are made from what the draft's was (moved from). A call in flight may
/// finish with the old one.
void ps_script_entry_replace(PsScriptEntry *entry, PsScriptEntry *draft);
/// Runs a dead letter again, when no live input waits: on_replayed tells how it went, unless this
/// fails. PS_ERR_CLOSED: it is held or stopping; PS_ERR_INVALID and what ps_kept_input gives: this
/// letter can never be run; PS_ERR_BUSY: one at a time. Each with a diagnosis.
PsErr ps_script_entry_put_replay(PsScriptEntry *entry, const PsScriptKept *kept, uint64_t id,
                                 PsDiag *diag);

/// Takes it back unless it is being run: on_replayed tells.
void ps_script_entry_cancel_replay(PsScriptEntry *entry, const char *reason);

// Samples that wait for the upload of their group: entry_samples.c.

/// Queues a sample (moved from) of a group behind those that wait of it.
PsErr ps_script_entry_put_sample(PsScriptEntry *entry, uint32_t group, PsScriptInput *input);
/// The script is called with all samples of the group that wait.
void ps_script_entry_flush(PsScriptEntry *entry, uint32_t group);
/// Groups have the numbers of the present configuration from now on. What waits of groups that are
/// no more, or whose samples do not wait any more, goes to the script next.
void ps_script_entry_follow_groups(PsScriptEntry *entry, const PsIndexMap *groups);
/// Inputs of all kinds that wait.
uint32_t ps_script_entry_waiting(const PsScriptEntry *entry);

// What an entry has of the configuration: entry_config.c.

/// Has the message with this number another name than the entry?
bool ps_script_entry_is_renamed(const PsScriptEntry *entry, uint32_t index);
/// Takes over what needs no new process: number, name, topic, qos, timeout.
void ps_script_entry_configure(PsScriptEntry *entry, uint32_t index);
/// Takes over what a process is made from, for the next one.
void ps_script_entry_adopt(PsScriptEntry *entry);
/// Is its process, or the next one, made from what the configuration says, with this script?
bool ps_script_entry_is_current(const PsScriptEntry *entry);
/// The script that the configuration has for it, borrowed.
const PsBuf *ps_script_entry_configured_source(const PsScriptEntry *entry);
void ps_script_entry_put_build(PsScriptEntry *entry, PsBuf *out);
void ps_script_entry_put_settings(PsScriptEntry *entry, PsBuf *out);

// Between the files that make up the host and an entry.

PsScriptShared *ps_script_host_shared(PsScriptHost *host);
/// The entry with this slot, also a leaving one or the draft, or NULL.
PsScriptEntry *ps_script_host_find(const PsScriptShared *shared, uint32_t slot);
/// Forgets the numbers of former messages.
void ps_script_host_forget_numbers(PsScriptShared *shared);
/// The last of a leaving entry: it is freed when nothing of it is on the loop any more.
void ps_script_entry_left(PsScriptEntry *entry);

/// The input will not be processed; `reason` is its first line, then more for a person.
void ps_script_entry_give_up(PsScriptEntry *entry, const PsScriptInput *input, const char *reason);
/// The same for all that wait, also a dead letter that was to be run again.
void ps_script_entry_give_up_waiting(PsScriptEntry *entry, const char *reason);
/// The same for the oldest, as many as must go for `input`.
void ps_script_entry_make_room(PsScriptEntry *entry, const PsScriptInput *input);
/// The call with `current` has ended: well (NULL), or with a reason. May begin the next replay.
void ps_script_entry_end_input(PsScriptEntry *entry, const char *reason);
/// The process has ended during the call with `current`.
void ps_script_entry_lose_input(PsScriptEntry *entry, const char *reason);
/// A line of the process' standard error.
void ps_script_entry_note_words(PsScriptEntry *entry, const char *line, size_t len);
/// Makes the dead letter that waits the `current` input. False when there is none.
bool ps_script_entry_take_replay(PsScriptEntry *entry);

/// A frame of the worker arrived.
void ps_script_entry_take_frame(PsScriptEntry *entry, const PsWireFrame *frame);
/// Starts the next call when the worker is free and something waits.
void ps_script_entry_next(PsScriptEntry *entry);
/// Tells who wants to know that the worker has nothing to do, or is no more. The caller's last
/// deed.
void ps_script_entry_rest(PsScriptEntry *entry, const char *error);
/// Kills the worker; `why` is for the log. With `dump` Python first says where it is.
void ps_script_entry_doom(PsScriptEntry *entry, bool dump, const char *fmt, ...) PS_PRINTF(3, 4);
void ps_script_entry_set_timer(PsScriptEntry *entry, PsEntryTimer use, double seconds);
/// The call's time limit stands still while the gateway makes the script wait.
void ps_script_entry_pause_call(PsScriptEntry *entry);
/// It goes on; nothing when the call has ended meanwhile.
void ps_script_entry_resume_call(PsScriptEntry *entry);
/// Keeps a text for the status row.
void ps_script_entry_note_error(PsScriptEntry *entry, const char *text, size_t len);
/// The worker's module has been built, or cannot be: then the entry is held.
void ps_script_entry_built(PsScriptEntry *entry, bool ok, PsWireText error);
/// Ends the process and does not start it again; `why` is for a person.
void ps_script_entry_hold(PsScriptEntry *entry, const char *fmt, ...) PS_PRINTF(2, 3);
/// Asks the process to end, and sees to it that it does.
void ps_script_entry_quit(PsScriptEntry *entry);
/// The process is no more: draws the conclusions.
void ps_script_entry_bury(PsScriptEntry *entry);
/// Says how many lines of the call were not logged, if any, and forgets them.
void ps_script_entry_tell_hidden_lines(PsScriptEntry *entry);
void ps_script_entry_clear_replies(PsScriptEntry *entry);
