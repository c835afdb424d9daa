//! What a field protocol has to be able to do: one const table of functions per protocol.
//!
//! A session is one connection to one endpoint (a TCP host and port, or a serial port) with all
//! devices behind it. It belongs to one channel thread; only `interrupt` and `free` (after the
//! thread has ended) are called from elsewhere. Sessions do not log and do not retry: they say
//! what happened, the channel decides.
#pragma once

#include "base/arena.h"
#include "model/config.h"
#include "tags/sample_batch.h"

#define PS_ENDPOINT_KEY_SIZE 128
#define PS_SESSION_NOTE_SIZE 240

/// The variables of one device that one group polls together.
typedef struct PsPollSet {
    uint32_t device;
    uint32_t group;
    const uint32_t *variables; ///< indexes into config->variables, none of them write-only
    uint32_t variable_count;
} PsPollSet;

typedef struct PsLearned PsLearned;

/// Everything behind one connection. All of it is borrowed until the session's next `replan`, or
/// for its life.
typedef struct PsEndpoint {
    const PsConfig *config;
    const uint32_t *devices; ///< indexes into config->devices; their endpoint keys are equal
    uint32_t device_count;
    const PsPollSet *sets;
    uint32_t set_count;
    PsLearned *learned;       ///< what the devices have taught before, to be added to; may be NULL
    const char *state_folder; ///< where the driver may keep files of its own (certificates); may be
                              ///< NULL: nowhere
    bool only_reads;          ///< the folder is a gateway's that may be running: nothing is kept
} PsEndpoint;

/// Kept by the driver on the channel thread, read by the channel after each call.
typedef struct PsDriverCounters {
    uint64_t requests;     ///< sent, whatever came of them
    uint64_t errors;       ///< of these: refused, not answered, or answered wrongly
    uint64_t late;         ///< sound answers that came too late or to nobody, and were thrown away
    int64_t round_trip_ns; ///< of answered requests, smoothed over about eight; 0 before the first
} PsDriverCounters;

/// Most bytes of a value, and of a frame, that a look shows.
#define PS_PEEK_BYTES 64U
#define PS_PEEK_FRAME_BYTES 260U

/// Most places near a variable's that a look names as refused.
#define PS_PEEK_HOLES_MAX 16U

/// A place near the variable's that the device has refused before (learned.h).
typedef struct PsPeekHole {
    char first[40]; ///< as people write it: "40010"
    char last[40];  ///< the same as `first` when it is one item
    int code;
    uint32_t refusals;
    PsWall since;
    PsMono next_try;
    bool here; ///< it touches the variable's place
} PsPeekHole;

/// What a look at a variable's place brought. Refused is an outcome too: then `code` and `meaning`
/// are filled in beside the diagnosis.
typedef struct PsPeek {
    char
        request[160]; ///< what was asked, for people: "function 3 to slave 1: 2 registers from ..."
    uint8_t sent[PS_PEEK_FRAME_BYTES]; ///< the request as it went over the wire, as far as it fits;
                                       ///< of an encrypted connection what was encrypted
    uint32_t sent_len;
    uint8_t received[PS_PEEK_FRAME_BYTES]; ///< its answer, likewise
    uint32_t received_len;
    uint8_t bytes[PS_PEEK_BYTES]; ///< the value alone, undecoded, in the order of the wire
    uint32_t len;  ///< of `bytes`: at least 8 where there are as many and the type is a number, so
                   ///< that it can be read in other ways
    bool ordered;  ///< the protocol says what the bytes are, so there is one reading only
    char type[40]; ///< what the device says it is: "DINT", "Double[10]"; "" where it does not say
    int64_t code;  ///< with which the device refused, in the protocol's numbers; 0: it did not
    char meaning[320];                   ///< of the code, in words, and what to do about it
    PsPeekHole holes[PS_PEEK_HOLES_MAX]; ///< see drivers/peek.h
    uint32_t hole_count;
    uint32_t holes_elsewhere; ///< refused places of the device that are not among them
    uint32_t most_items;      ///< what it gives in one request at most; 0: as the protocol says
} PsPeek;

#define PS_BROWSE_NODES_MAX 500U

/// One thing found inside a device. Texts live in the answer's arena and are never NULL.
typedef struct PsBrowseNode {
    const char *name;
    const char *node;    ///< what `browse` takes to look inside
    const char *type;    ///< the device's own word: "DINT[10]", "Double"; "" for a folder
    const char *address; ///< what a variable's `symbol` or `identifier` takes; "" when it is none
    int data_type;       ///< PsDataType that fits; PS_UNSET when it is no variable, or none fits
    bool inside;         ///< there is something to look at inside
    bool readable;
    bool writable;
} PsBrowseNode;

/// A question about what a device has, and its answer.
typedef struct PsBrowse {
    const char *node;    ///< "": from the top
    const char *after;   ///< `next` of the answer before; "": from the beginning
    PsArena *arena;      ///< the caller's; for what follows
    PsBrowseNode *nodes; ///< room for PS_BROWSE_NODES_MAX, the caller's
    uint32_t count;
    const char *next; ///< where it goes on; "": that was all
} PsBrowse;

typedef struct PsDriver PsDriver;

/// First member of every driver's own session struct.
typedef struct PsSession {
    const PsDriver *driver;
    PsDriverCounters counters;
    char note[PS_SESSION_NOTE_SIZE]; ///< what people should know about the connection that was
                                     ///< made, or about who was met when none was; "" mostly
} PsSession;

/// How `connect`, `read`, `write`, `peek` and `browse` fail:
///   PS_ERR_TIMEOUT    the device is silent. The driver has made sure that a late answer is never
///                     taken for that of a later request, if need be by closing the connection.
///   PS_ERR_CLOSED, PS_ERR_IO, PS_ERR_PROTOCOL
///                     the connection is gone (closed by now) and with it all devices behind it
///   PS_ERR_REFUSED    write, peek and browse only: the device said no
///   PS_ERR_INVALID    write only: the value does not fit the type the device has; nothing was sent
///   PS_ERR_CANCELLED  after `interrupt`
///   PS_ERR_NOT_FOUND  connect only: the host name is not known
struct PsDriver {
    int protocol; ///< PsProtocol

    /// Can this variable exist on this device? Pure. Any thread.
    PsVariableCheck *check_variable;

    /// Devices with equal keys share a session. Also the channel's name for people
    /// ("10.5.16.82:502", "/dev/ttyS1"). `device` is one of `config`. Pure. Any thread.
    void (*endpoint_key)(const PsConfig *config, const PsDevice *device, char *out, size_t size);

    /// Appends what is sent to read `variable`, a member of `set`, for people: "function 3 to slave
    /// 1: ...". As the configuration says; what the device has taught since is not in it. May be
    /// NULL. Pure. Any thread.
    void (*describe)(const PsConfig *config, const PsPollSet *set, uint32_t variable, PsBuf *out);

    /// Compiles the read plans of all sets. No I/O. The caller owns the session. PS_ERR_INVALID
    /// with a diagnosis when a device or variable cannot be addressed.
    PsErr (*session_new)(const PsEndpoint *endpoint, PsSession **ret_session, PsDiag *diag);

    /// The configuration has changed: `endpoint`, with the same key, takes the place of the one
    /// before. The connection stays, and so does what was learned about sets that ask for the same
    /// as before. All of it has passed check_variable. False: the line has other settings now; the
    /// connection was closed and is to be made anew.
    bool (*replan)(PsSession *session, const PsEndpoint *endpoint);

    /// Blocks, at most the longest timeout of the endpoint's devices for each address of the host
    /// (and what the system's resolver takes for a name). `diag` names the step that failed.
    PsErr (*connect)(PsSession *session, PsDiag *diag);
    bool (*connected)(const PsSession *session);
    /// Closes at once. Harmless when not connected.
    void (*disconnect)(PsSession *session);

    /// Reads set number `set` of the endpoint. On PS_OK exactly one sample for each variable of
    /// the set was added, in any order; refused ones have PS_QUALITY_REFUSED and the first refusal
    /// is put into `diag`, whose text is "" otherwise. On failure nothing was added. Blocks, at
    /// most the device's timeout for each request.
    PsErr (*read)(PsSession *session, uint32_t set, PsSampleBatch *batch, PsDiag *diag);

    /// Writes a coerced value (tags/coerce.h), then reads it back; `ret_read_back` is none for a
    /// write-only variable, or when the device took the value but would not give it back. Text in
    /// it is borrowed until the next call. Blocks, at most the device's timeout per request.
    PsErr (*write)(PsSession *session, uint32_t variable, PsValue value, PsValue *ret_read_back,
                   PsDiag *diag);

    /// Asks for one variable alone and shows what goes over the wire. PS_ERR_UNSUPPORTED: there is
    /// nothing to see. Blocks, at most the device's timeout for each of two requests.
    PsErr (*peek)(PsSession *session, uint32_t variable, PsPeek *peek, PsDiag *diag);

    /// Looks for variables inside a device. NULL: the protocol cannot. PS_ERR_NOT_FOUND: there is
    /// no such node. Blocks, at most the device's timeout for each of a few requests.
    PsErr (*browse)(PsSession *session, uint32_t device, PsBrowse *browse, PsDiag *diag);

    /// From any thread: makes a blocked call, and every later one, return PS_ERR_CANCELLED soon.
    /// Only name resolution cannot be cut short.
    void (*interrupt)(PsSession *session);

    /// Disconnects and frees. Accepts NULL.
    void (*free)(PsSession *session);
};

/// The driver of a protocol (PsProtocol), or NULL when this build has none.
const PsDriver *ps_driver_find(int protocol);

/// The variable check of a protocol or NULL: pass this to ps_config_load.
PsVariableCheck *ps_driver_check_for(int protocol);
