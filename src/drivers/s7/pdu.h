//! Telegrams of S7 communication as bytes: TPKT (RFC 1006, section 6), COTP class 0 (ISO 8073) and
//! in it the S7 protocol's jobs for connecting, reading and writing variables and asking for the
//! state of the CPU. Answers are foreign bytes and checked field by field. Pure.
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/// The longest S7 telegram asked for: what the largest CPUs offer (S7-1500: 960).
#define PS_S7_PDU_MAX 960U
/// The smallest that any CPU offers, and what is planned with before one has told.
#define PS_S7_PDU_MIN 240U
#define PS_S7_FRAME_HEAD 7U ///< TPKT and COTP before it
#define PS_S7_FRAME_MAX (PS_S7_FRAME_HEAD + PS_S7_PDU_MAX)

/// Items in one read: more are refused by some CPUs, whatever their telegrams hold.
#define PS_S7_ITEMS_MAX 20U
/// Bytes of a read request: header and parameters, then each item.
#define PS_S7_READ_HEAD 12U
#define PS_S7_READ_ITEM 12U
/// Bytes of its answer: header and parameters, then each item before its value.
#define PS_S7_ANSWER_HEAD 14U
#define PS_S7_ANSWER_ITEM 4U
/// Bytes of a write request besides the value.
#define PS_S7_WRITE_HEAD 28U

/// Every item's code when it is fine.
#define PS_S7_FINE 0xFFU

typedef struct PsS7Frame {
    uint16_t len;
    uint16_t reference; ///< of its PDU; an answer must bear it
    uint8_t bytes[PS_S7_FRAME_MAX];
} PsS7Frame;

/// A place that is read or written.
typedef struct PsS7Ask {
    uint8_t area; ///< PsS7Area
    bool is_bit;  ///< of a write: one bit of byte `first`
    uint8_t bit;
    uint16_t db;
    uint16_t len; ///< bytes
    uint32_t first;
} PsS7Ask;

/// What an answer says of one item: `code` PS_S7_FINE and its bytes, or a code and none.
typedef struct PsS7Got {
    uint8_t code;
    const uint8_t *bytes; ///< inside the answer
} PsS7Got;

/// What the CPU says of a job as a whole: 0, or error class and code.
typedef struct PsS7Verdict {
    uint16_t error;
    const char *wrong; ///< in words when the answer is not this job's; NULL: it is
} PsS7Verdict;

/// Connection request with the two TSAPs.
void ps_s7_pdu_connect(PsS7Frame *frame, uint16_t local_tsap, uint16_t remote_tsap);
/// "Setup communication": asks for telegrams of `pdu` bytes.
void ps_s7_pdu_setup(PsS7Frame *frame, uint16_t reference, uint16_t pdu);
/// At most PS_S7_ITEMS_MAX; they fit PS_S7_PDU_MIN as far as the request goes.
void ps_s7_pdu_read(PsS7Frame *frame, uint16_t reference, const PsS7Ask *asks, uint32_t count);
/// A bit has one byte, 0 or 1.
void ps_s7_pdu_write(PsS7Frame *frame, uint16_t reference, const PsS7Ask *ask,
                     const uint8_t *bytes);
/// A list of the CPU's state (System Software for S7-300/400, chapter on SZL).
void ps_s7_pdu_list(PsS7Frame *frame, uint16_t reference, uint16_t id, uint16_t index);

/// Length of the frame that begins with these bytes; 0: too few to tell; SIZE_MAX: this is no
/// frame of ours, or one that is longer than any telegram agreed on.
size_t ps_s7_frame_length(const uint8_t *bytes, size_t have);

/// The answer to a connection request: NULL, or what is wrong. `ret_refused`: the device said no.
const char *ps_s7_pdu_check_connect(const uint8_t *frame, size_t len, bool *ret_refused);
PsS7Verdict ps_s7_pdu_check_setup(const PsS7Frame *request, const uint8_t *frame, size_t len,
                                  uint16_t *ret_pdu);
PsS7Verdict ps_s7_pdu_check_read(const PsS7Frame *request, const PsS7Ask *asks, uint32_t count,
                                 const uint8_t *frame, size_t len, PsS7Got *ret_got);
PsS7Verdict ps_s7_pdu_check_write(const PsS7Frame *request, const uint8_t *frame, size_t len,
                                  uint8_t *ret_code);
/// The records of the list, of `ret_size` bytes each, `ret_count` of them (all are there).
PsS7Verdict ps_s7_pdu_check_list(const PsS7Frame *request, const uint8_t *frame, size_t len,
                                 const uint8_t **ret_records, uint32_t *ret_size,
                                 uint32_t *ret_count);
