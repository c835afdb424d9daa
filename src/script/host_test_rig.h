//! A host with a real penstock-script on a loop of its own, for tests: scripts given as text, and
//! everything the host says collected.
#pragma once

#include "script/host.h"
#include "script/kept.h"

#define RIG_ENTRIES 4
#define RIG_MESSAGES 64
#define RIG_PATIENCE_S 30

typedef struct RigMessage {
    PsScriptKind kind;
    uint32_t entry;
    char topic[128];
    int qos;
    char *payload;
    size_t len;
    PsWall collected;
} RigMessage;

typedef struct RigDead {
    PsScriptKind kind;
    uint32_t entry;
    PsScriptKept kept; ///< with copies
    char reason[400];
} RigDead;

typedef struct RigWrite {
    uint32_t variable;
    PsValue value;
    char text[64];
    PsScriptWriteDone *done;
    void *done_ctx;
} RigWrite;

typedef struct RigRecall {
    PsScriptRecallDone *done;
    void *done_ctx;
} RigRecall;

typedef struct Rig {
    uv_loop_t loop;
    PsConfig config;
    PsDevice devices[2];
    PsGroup groups[1];
    PsVariable *variables;
    PsPublish publish[RIG_ENTRIES];
    PsSubscribe subscribe[RIG_ENTRIES];
    PsCustom custom[1];
    PsScriptHost *host;
    RigMessage messages[RIG_MESSAGES];
    size_t message_count;
    RigDead dead[RIG_MESSAGES];
    size_t dead_count;
    uint64_t replayed; ///< the newest, with how it went
    PsScriptReplayEnd replay_end;
    char replay_reason[400];
    size_t replayed_count;
    int now_answer; ///< mqtt_publish: 0 refused at once, 1 sent, 2 sent but failed later, 3 silent
    size_t now_count;
    uint64_t now_ticket;
    bool hold_writes; ///< writes are kept in `writes` and finished by the test
    RigWrite writes[16];
    size_t write_count;
    PsErr write_result;
    bool refuse; ///< on_publish answers false
    bool unsafe; ///< on_settle answers true; the test tells the host
    size_t settle_count;
    uint64_t settle_ticket;
    bool hold_recalls; ///< recalls are kept in `recalls` and answered by the test
    RigRecall recalls[PS_SCRIPT_WRITES_MAX];
    size_t recall_count;
    PsErr recall_result; ///< PS_OK: the first variable with value 7
    bool stopping;
    bool stopped;
    void (*on_message)(const PsScriptPublish *publish, void *ctx); ///< NULL, or is told of each
    void (*on_dead)(const PsScriptDead *dead, void *ctx);          ///< likewise
    void *hook_ctx;
    char log_path[64];
    int log_fd;
    PsBuf anew; ///< what the newest config_rig_apply said
} Rig;

/// On the heap, so that what a failed test leaves on its loop does not spoil the next.
Rig *rig_new(void);
/// Entries are numbered in order of adding. `timeout_s` of 0 is 30.
void rig_publish(Rig *rig, const char *name, const char *main_function, const char *source,
                 double timeout_s);
void rig_subscribe(Rig *rig, const char *name, const char *main_function, const char *source);
/// `count` WORD variables v0... on the first device; call before rig_start.
void rig_variables(Rig *rig, uint32_t count);
void rig_start(Rig *rig);
/// The host stops while the loop goes on; rig_stop is the end of it.
void rig_begin_stop(Rig *rig);
/// With this configuration instead of the one made here.
void rig_start_with(Rig *rig, const PsConfig *config);
/// Stops the host; what it has said stays.
void rig_stop(Rig *rig);
/// Stops and frees everything.
void rig_free(Rig *rig);

/// One upload of all variables of the group with values 0, 1, ...
void rig_upload(Rig *rig, uint32_t publish);
void rig_upload_values(Rig *rig, uint32_t publish, const PsValue *values, const bool *good);
/// Ends recall `index`, which was held, with a failure.
void rig_answer_recall(Rig *rig, size_t index, PsErr result);
/// Runs the loop until `condition`; fails the test after RIG_PATIENCE_S.
void rig_wait(Rig *rig, bool (*condition)(Rig *rig, const void *ctx), const void *ctx,
              const char *what);
void rig_wait_messages(Rig *rig, size_t count);
/// Until mqtt_publish was called once.
void rig_wait_asked(Rig *rig);
void rig_wait_log(Rig *rig, const char *text);
void rig_wait_dead(Rig *rig, size_t count);
void rig_wait_replayed(Rig *rig, size_t count);
void rig_wait_calls(Rig *rig, uint32_t worker, uint64_t calls);
void rig_wait_state(Rig *rig, uint32_t worker, PsWorkerState state);
/// penstock-script dies while the first worker runs.
void rig_kill_starter(Rig *rig);
bool rig_logged(Rig *rig, const char *text);
size_t rig_log_count(Rig *rig, const char *text);
PsScriptWorkerStatus rig_status(Rig *rig, uint32_t worker);
/// The payload of message `index` as text, compared.
void rig_expect(Rig *rig, size_t index, const char *payload);
