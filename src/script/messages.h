//! The bodies of the frames that carry more than a number or two, as structs. Pure; both sides.
//! Every decoder checks all lengths, refuses left-over bytes and leaves its result untouched on
//! failure (PS_ERR_PROTOCOL). Decoded texts are borrowed from the frame and not NUL-terminated.
#pragma once

#include "script/wire.h"

typedef struct PsWireText {
    const char *data;
    uint32_t len;
} PsWireText;

/// A NUL-terminated text, borrowed.
PsWireText ps_wire_text(const char *text);

/// Which worker process is meant: `slot` is the worker's number, `generation` counts its lives.
typedef struct PsWireChild {
    uint32_t slot;
    uint32_t generation;
    uint32_t number; ///< pid, errno, wait status, signal or PsWireLimit, by type
} PsWireChild;

void ps_wire_put_child(PsBuf *out, PsWireType type, PsWireChild child);
PsErr ps_wire_get_child(const PsWireFrame *frame, PsWireChild *ret_child);

/// A new worker and what it is held to.
typedef struct PsWireFork {
    uint32_t slot;
    uint32_t generation;
    uint64_t memory_limit;  ///< bytes it may map beyond the warm interpreter
    uint64_t scratch_limit; ///< bytes of its scratch folder, and of each file
    uint32_t cpu_percent;   ///< of one processor, over ten seconds
    uint32_t threads_max;
    uint8_t network; ///< it may connect out
} PsWireFork;

void ps_wire_put_fork(PsBuf *out, PsWireFork fork);
PsErr ps_wire_get_fork(const PsWireFrame *frame, PsWireFork *ret_fork);

/// What holds workers on this system.
typedef struct PsWireHolds {
    uint8_t landlock;    ///< version, 0: none
    uint8_t call_filter; ///< seccomp
} PsWireHolds;

void ps_wire_put_ready(PsBuf *out, PsWireHolds holds);
PsErr ps_wire_get_ready(const PsWireFrame *frame, PsWireHolds *ret_holds);

/// A limit that penstock-script watches.
typedef enum PsWireLimit {
    PS_LIMIT_NONE,
    PS_LIMIT_CPU,
    PS_LIMIT_THREADS,
    PS_LIMIT_SCRATCH,
} PsWireLimit;

/// What a worker is to run. Global parameters follow as name/value pairs, read one by one.
typedef struct PsWireBuild {
    uint8_t kind;    ///< PsScriptKind
    uint8_t aws;     ///< awsiot_publish exists
    PsWireText boot; ///< of sequence()
    PsWireText name;
    PsWireText main_function;
    PsWireText source;
    uint32_t parameter_count;
} PsWireBuild;

/// `parameter_count` pairs must be put with ps_wire_put_parameter before ps_wire_end.
size_t ps_wire_begin_build(PsBuf *out, const PsWireBuild *build);
void ps_wire_put_parameter(PsBuf *out, const char *name, PsValue value);
/// `ret_parameters` is left standing at the first pair.
PsErr ps_wire_get_build(const PsWireFrame *frame, PsWireBuild *ret_build, PsReader *ret_parameters);
PsErr ps_wire_get_parameter(PsReader *parameters, PsWireText *ret_name, PsValue *ret_value);

/// What may change while a worker lives. Global parameters follow as in PsWireBuild.
typedef struct PsWireSettings {
    PsWireText name;
    uint32_t parameter_count;
} PsWireSettings;

size_t ps_wire_begin_settings(PsBuf *out, const PsWireSettings *settings);
PsErr ps_wire_get_settings(const PsWireFrame *frame, PsWireSettings *ret_settings,
                           PsReader *ret_parameters);

typedef struct PsWireBuilt {
    uint8_t ok;
    PsWireText error; ///< for a person, with the line; empty when ok
} PsWireBuilt;

void ps_wire_put_built(PsBuf *out, PsWireBuilt built);
PsErr ps_wire_get_built(const PsWireFrame *frame, PsWireBuilt *ret_built);

typedef struct PsWireLog {
    uint8_t level;  ///< PsLogLevel
    uint8_t always; ///< shown whatever the level
    uint32_t line;
    PsWireText file;
    PsWireText text;
} PsWireLog;

void ps_wire_put_log(PsBuf *out, PsWireLog log);
PsErr ps_wire_get_log(const PsWireFrame *frame, PsWireLog *ret_log);

typedef struct PsWirePublish {
    uint8_t qos; ///< 0-2
    PsWireText topic;
    PsWireText payload;
} PsWirePublish;

/// Head and all but the payload's bytes, which the caller sends right behind: no copy.
void ps_wire_put_publish_head(PsBuf *out, PsWireType type, PsWirePublish publish);
PsErr ps_wire_get_publish(const PsWireFrame *frame, PsWirePublish *ret_publish);

/// write_plc_values. Items follow and are read one by one.
typedef struct PsWireWrite {
    uint32_t ticket;
    uint8_t wants_result;
    double timeout_s; ///< 0 < timeout_s <= 86400, never NaN once decoded
    uint32_t item_count;
} PsWireWrite;

typedef struct PsWireWriteItem {
    uint8_t has_device; ///< false: the variable's name alone must do
    PsWireText device;
    PsWireText variable;
    PsValue value; ///< none: of a Python type no variable can take
} PsWireWriteItem;

#define PS_WIRE_WRITE_ITEMS_MAX 10000

size_t ps_wire_begin_write(PsBuf *out, const PsWireWrite *write);
void ps_wire_put_write_item(PsBuf *out, const PsWireWriteItem *item);
/// `ret_items` is left standing at the first item.
PsErr ps_wire_get_write(const PsWireFrame *frame, PsWireWrite *ret_write, PsReader *ret_items);
PsErr ps_wire_get_write_item(PsReader *items, PsWireWriteItem *ret_item);

/// What get_tag_config and recall_data ask for.
typedef enum PsWireAsked {
    PS_WIRE_ASK_TAG_CONFIG,
    PS_WIRE_ASK_RECALL,
} PsWireAsked;

typedef struct PsWireRequest {
    uint32_t ticket;
    uint8_t asked;    ///< PsWireAsked
    double timeout_s; ///< as in PsWireWrite
} PsWireRequest;

void ps_wire_put_request(PsBuf *out, PsWireRequest request);
PsErr ps_wire_get_request(const PsWireFrame *frame, PsWireRequest *ret_request);

/// Begins a REPLY with link down; ps_wire_end when its content has been put.
size_t ps_wire_begin_reply(PsBuf *out, uint32_t ticket, PsWireReplyError error);

typedef struct PsWireDone {
    uint8_t ok;
    uint8_t used_sequence; ///< the call has taken its number
    PsWireText error;      ///< one line for the status; empty when ok
} PsWireDone;

void ps_wire_put_done(PsBuf *out, PsWireDone done);
PsErr ps_wire_get_done(const PsWireFrame *frame, PsWireDone *ret_done);
