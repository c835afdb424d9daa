//! Frames between penstockd, penstock-script and its workers: one list of types, one decoder.
//! Pure; both sides use it.
//!
//! A frame is u32 body length (little endian), u8 type, body. Numbers are little endian, text is
//! u32 length and bytes (PsReader/PsBuf). Both ends are of one build, so there is no version;
//! what a worker sends is still treated as hostile, since the user's script lives there.
#pragma once

#include "base/buf.h"
#include "tags/value.h"

#define PS_WIRE_HEAD_BYTES ((size_t)5)
/// The largest body of any type; each type has its own smaller limit.
#define PS_WIRE_BODY_MAX ((size_t)16 * 1024 * 1024)

typedef enum PsWireType {
    PS_WIRE_NONE,

    // penstockd -> penstock-script (control socket, one packet a frame)
    PS_WIRE_FORK, ///< PsWireFork; socket and stderr by SCM_RIGHTS
    PS_WIRE_KILL, ///< u32 slot, u32 generation, u8 signal

    // penstock-script -> penstockd
    PS_WIRE_READY,       ///< PsWireHolds: the interpreter is warm
    PS_WIRE_FORKED,      ///< u32 slot, u32 generation, u32 pid
    PS_WIRE_FORK_FAILED, ///< u32 slot, u32 generation, u32 errno
    PS_WIRE_EXITED,      ///< u32 slot, u32 generation, u32 wait status

    // penstockd -> worker
    PS_WIRE_BUILD,   ///< PsWireBuild
    PS_WIRE_SCHEMA,  ///< names of one group: snapshot.h
    PS_WIRE_DATA,    ///< one call of a publish entry: snapshot.h
    PS_WIRE_MESSAGE, ///< one call of a subscribe entry: u8 link, text topic, bytes payload
    PS_WIRE_REPLY,   ///< u8 link, u32 ticket, u8 error (PS_WIRE_REPLY_OK, ...), then
                     ///< to WRITE: u32 count, then u8 ok, texts device, variable, error;
                     ///< to REQUEST: bytes of JSON, or what DATA has behind its link
    PS_WIRE_SENT,    ///< u8 sent: answer to PUBLISH_NOW, SAVE and SAVE_GROUP
    PS_WIRE_QUIT,    ///< empty: end after this

    // worker -> penstockd
    PS_WIRE_BUILT,       ///< PsWireBuilt
    PS_WIRE_LOG,         ///< PsWireLog
    PS_WIRE_RETURN,      ///< the rest is the payload of a returned message
    PS_WIRE_PUBLISH,     ///< PsWirePublish: awsiot_publish
    PS_WIRE_PUBLISH_NOW, ///< PsWirePublish: mqtt_publish, answered by SENT
    PS_WIRE_WRITE,       ///< PsWireWrite, answered by REPLY when it wants a result
    PS_WIRE_DONE,        ///< u8 bits (1 ok, 2 sequence used), text error: the call has ended
    PS_WIRE_SAVE,        ///< PsWirePublish: save_data(dict), answered by SENT
    PS_WIRE_SAVE_GROUP,  ///< PsWirePublish with the group's name for a topic, answered by SENT
    PS_WIRE_REQUEST,     ///< PsWireRequest, answered by REPLY

    PS_WIRE_OVER_LIMIT, ///< penstock-script -> penstockd: u32 slot, u32 generation, u32 PsWireLimit

    // penstockd -> worker, as SCHEMA and DATA
    PS_WIRE_ALARM_NAMES, ///< names of one alarm group: alarm_frame.h
    PS_WIRE_ALARMS,      ///< one call of a publish entry of alarms: alarm_frame.h
    PS_WIRE_SEQUENCE,    ///< u64: the number of calls from now on, see sequence() of wizard_api
    PS_WIRE_SETTINGS,    ///< PsWireSettings: what BUILD said of the gateway has changed

    PS_WIRE_TYPE_COUNT,
} PsWireType;

/// How a REPLY went: errno numbers of Linux, because that is what scripts see (negative).
typedef enum PsWireReplyError {
    PS_WIRE_REPLY_OK = 0,
    PS_WIRE_REPLY_TOO_BIG = 90,    ///< EMSGSIZE
    PS_WIRE_REPLY_TIMEOUT = 110,   ///< ETIMEDOUT
    PS_WIRE_REPLY_CANCELLED = 125, ///< ECANCELED: the gateway stops
} PsWireReplyError;

/// Who may send a type.
typedef enum PsWireSender {
    PS_WIRE_FROM_HOST = 1,
    PS_WIRE_FROM_STARTER = 2,
    PS_WIRE_FROM_WORKER = 4,
} PsWireSender;

/// "fork", "data", ... Never NULL.
const char *ps_wire_type_name(PsWireType type);
/// Largest body of a type when sent by `sender`; false when the type does not exist or the
/// sender may not send it.
bool ps_wire_allowed(uint8_t type, PsWireSender sender, size_t *ret_body_max);

typedef struct PsWireFrame {
    PsWireType type;
    const uint8_t *body; ///< borrowed from the decoder until its next call
    size_t len;
} PsWireFrame;

/// Cuts a byte stream into frames. Zero-initialised except `sender`.
typedef struct PsWireDecoder {
    PsWireSender sender; ///< whose frames these are
    PsBuf bytes;
    size_t at; ///< first byte not yet handed out
} PsWireDecoder;

void ps_wire_decoder_init(PsWireDecoder *decoder, PsWireSender sender);
void ps_wire_decoder_deinit(PsWireDecoder *decoder);
/// Where the next bytes may be written: at least 4 KiB, or what the frame at hand still lacks.
/// Ends the life of frames handed out.
void *ps_wire_decoder_room(PsWireDecoder *decoder, size_t *ret_size);
/// `len` bytes were written into the room.
void ps_wire_decoder_added(PsWireDecoder *decoder, size_t len);
/// Gives the memory back while no bytes wait for more, and ends the life of frames handed out: of
/// many peers most are silent most of the time.
void ps_wire_decoder_rest(PsWireDecoder *decoder);
/// The next whole frame. PS_ERR_BUSY: more bytes are needed. PS_ERR_PROTOCOL (unknown type, wrong
/// sender) or PS_ERR_TOO_BIG: the stream is worthless from here on; give the peer up.
PsErr ps_wire_decoder_next(PsWireDecoder *decoder, PsWireFrame *ret_frame);

/// Appends a frame's head and returns its place for ps_wire_end; the body is put in between.
size_t ps_wire_begin(PsBuf *out, PsWireType type);
/// Fills in the length. Asserts that the body is within PS_WIRE_BODY_MAX.
void ps_wire_end(PsBuf *out, size_t begin);
/// A whole frame with ready bytes.
void ps_wire_put(PsBuf *out, PsWireType type, const void *body, size_t len);

/// State of an alarm in one byte: bit 0 on, above it the level; 0 there, as kept by versions
/// without levels, means 1.
static inline uint8_t ps_wire_alarm_state(int level, bool on) {
    return (uint8_t)(level << 1 | on);
}

static inline int ps_wire_alarm_level(uint8_t state) {
    return state >> 1 != 0 ? state >> 1 : 1;
}

static inline bool ps_wire_alarm_on(uint8_t state) {
    return (state & 1) != 0;
}

/// Appends kind and content. Text of more than PS_WIRE_TEXT_MAX bytes is the caller's error.
void ps_wire_put_value(PsBuf *out, PsValue value);
/// Text is borrowed from the reader's bytes. An unknown kind fails the reader.
PsValue ps_wire_get_value(PsReader *reader);
#define PS_WIRE_TEXT_MAX ((uint32_t)1024 * 1024)
