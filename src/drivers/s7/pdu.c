// Telegrams written and checked. All numbers are big-endian. Pure; any thread.
#include "drivers/s7/pdu.h"

#include "base/buf.h"
#include "drivers/s7/address.h"

#include <string.h>

#define TPKT_VERSION 3
#define COTP_CONNECT 0xE0
#define COTP_CONFIRM 0xD0
#define COTP_DISCONNECT 0x80
#define COTP_DATA 0xF0
#define COTP_LAST 0x80 // this is the end of the telegram
#define TPDU_1024 0x0A // longest COTP frame, as a power of two

#define S7_PROTOCOL 0x32
#define S7_JOB 1
#define S7_ACK 2
#define S7_ACK_DATA 3
#define S7_USER_DATA 7

#define FUNCTION_READ 4
#define FUNCTION_WRITE 5
#define FUNCTION_SETUP 0xF0

// Transport sizes of requests (what is asked for) and of data (how its length is told).
#define SIZE_BIT 1
#define SIZE_BYTE 2
#define DATA_BIT 3
#define DATA_BITS 4 // bytes, told in bits
#define DATA_INTEGER 5
#define DATA_OCTETS 9

static void put8(PsS7Frame *frame, unsigned value) {
    PS_ASSERT(frame->len < sizeof frame->bytes);
    frame->bytes[frame->len++] = (uint8_t)value;
}

static void put16(PsS7Frame *frame, unsigned value) {
    put8(frame, value >> 8);
    put8(frame, value & 0xFF);
}

static void put_bytes(PsS7Frame *frame, const uint8_t *bytes, size_t len) {
    PS_ASSERT(len <= sizeof frame->bytes - frame->len);
    memcpy(frame->bytes + frame->len, bytes, len);
    frame->len = (uint16_t)(frame->len + len);
}

static void begin_tpkt(PsS7Frame *frame) {
    frame->len = 0;
    put8(frame, TPKT_VERSION);
    put8(frame, 0);
    put16(frame, 0); // its length, when it is known
}

static void end_tpkt(PsS7Frame *frame) {
    frame->bytes[2] = (uint8_t)(frame->len >> 8);
    frame->bytes[3] = (uint8_t)frame->len;
}

static void begin(PsS7Frame *frame, unsigned kind, uint16_t reference, unsigned parameters,
                  unsigned data) {
    static const uint8_t cotp[] = {2, COTP_DATA, COTP_LAST};
    begin_tpkt(frame);
    put_bytes(frame, cotp, sizeof cotp);
    frame->reference = reference;
    put8(frame, S7_PROTOCOL);
    put8(frame, kind);
    put16(frame, 0);
    put16(frame, reference);
    put16(frame, parameters);
    put16(frame, data);
}

void ps_s7_pdu_connect(PsS7Frame *frame, uint16_t local_tsap, uint16_t remote_tsap) {
    begin_tpkt(frame);
    frame->reference = 0;
    put8(frame, 17); // bytes of COTP that follow
    put8(frame, COTP_CONNECT);
    put16(frame, 0);
    put16(frame, 1); // our reference: any but 0
    put8(frame, 0);  // class 0
    put8(frame, 0xC0);
    put8(frame, 1);
    put8(frame, TPDU_1024);
    put8(frame, 0xC1);
    put8(frame, 2);
    put16(frame, local_tsap);
    put8(frame, 0xC2);
    put8(frame, 2);
    put16(frame, remote_tsap);
    end_tpkt(frame);
}

void ps_s7_pdu_setup(PsS7Frame *frame, uint16_t reference, uint16_t pdu) {
    begin(frame, S7_JOB, reference, 8, 0);
    put8(frame, FUNCTION_SETUP);
    put8(frame, 0);
    put16(frame, 1); // jobs at a time, ours and theirs
    put16(frame, 1);
    put16(frame, pdu);
    end_tpkt(frame);
}

// The address of an item counts in bits.
static void put_item(PsS7Frame *frame, const PsS7Ask *ask) {
    uint32_t address = ask->first * 8 + (ask->is_bit ? ask->bit : 0);
    put8(frame, 0x12); // a variable
    put8(frame, 10);   // bytes that follow
    put8(frame, 0x10); // addressed by area and offset
    put8(frame, ask->is_bit ? SIZE_BIT : SIZE_BYTE);
    put16(frame, ask->is_bit ? 1 : ask->len);
    put16(frame, ask->area == PS_S7_DB ? ask->db : 0);
    put8(frame, ps_s7_area_code(ask->area));
    put8(frame, address >> 16 & 0xFF);
    put16(frame, address & 0xFFFF);
}

void ps_s7_pdu_read(PsS7Frame *frame, uint16_t reference, const PsS7Ask *asks, uint32_t count) {
    PS_ASSERT(count > 0 && count <= PS_S7_ITEMS_MAX);
    begin(frame, S7_JOB, reference, 2 + PS_S7_READ_ITEM * count, 0);
    put8(frame, FUNCTION_READ);
    put8(frame, count);
    for (uint32_t i = 0; i < count; i++) {
        put_item(frame, &asks[i]);
    }
    end_tpkt(frame);
}

void ps_s7_pdu_write(PsS7Frame *frame, uint16_t reference, const PsS7Ask *ask,
                     const uint8_t *bytes) {
    uint16_t len = ask->is_bit ? 1 : ask->len;
    begin(frame, S7_JOB, reference, 2 + PS_S7_READ_ITEM, 4U + len);
    put8(frame, FUNCTION_WRITE);
    put8(frame, 1);
    put_item(frame, ask);
    put8(frame, 0);
    put8(frame, ask->is_bit ? DATA_BIT : DATA_BITS);
    put16(frame, ask->is_bit ? 1 : len * 8U);
    put_bytes(frame, bytes, len);
    end_tpkt(frame);
}

void ps_s7_pdu_list(PsS7Frame *frame, uint16_t reference, uint16_t id, uint16_t index) {
    static const uint8_t parameters[] = {0x00, 0x01, 0x12, 4, 0x11, 0x44, 0x01, 0x00};
    begin(frame, S7_USER_DATA, reference, sizeof parameters, 8);
    put_bytes(frame, parameters, sizeof parameters);
    put8(frame, PS_S7_FINE);
    put8(frame, DATA_OCTETS);
    put16(frame, 4);
    put16(frame, id);
    put16(frame, index);
    end_tpkt(frame);
}

size_t ps_s7_frame_length(const uint8_t *bytes, size_t have) {
    if ((have > 0 && bytes[0] != TPKT_VERSION) || (have > 1 && bytes[1] != 0)) {
        return SIZE_MAX;
    }
    if (have < 4) {
        return 0;
    }
    size_t len = (size_t)bytes[2] << 8 | bytes[3];
    return len >= PS_S7_FRAME_HEAD && len <= PS_S7_FRAME_MAX ? len : SIZE_MAX;
}

static unsigned get16(PsReader *reader) {
    unsigned high = ps_reader_u8(reader);
    return high << 8 | ps_reader_u8(reader);
}

const char *ps_s7_pdu_check_connect(const uint8_t *frame, size_t len, bool *ret_refused) {
    *ret_refused = false;
    if (len < PS_S7_FRAME_HEAD || ps_s7_frame_length(frame, len) != len) {
        return "it is no TPKT frame";
    }
    unsigned header = frame[4];
    if (header + 5 > len) {
        return "its COTP header is longer than the frame";
    }
    if (frame[5] == COTP_DISCONNECT) {
        *ret_refused = true;
        return "the device refuses the connection";
    }
    return frame[5] == COTP_CONFIRM ? NULL : "it confirms no connection";
}

static PsS7Verdict wrong(const char *words) {
    return (PsS7Verdict){.wrong = words};
}

// An answer of S7 as far as all have the same form. `parameters` and `data` are what is in it.
typedef struct Answer {
    PsReader parameters;
    PsReader data;
    PsS7Verdict verdict;
} Answer;

static Answer open_answer(const PsS7Frame *request, unsigned kind, const uint8_t *frame,
                          size_t len) {
    Answer answer = {0};
    PsReader reader = ps_reader(frame, len);
    const uint8_t *head = ps_reader_raw(&reader, PS_S7_FRAME_HEAD);
    if (head == NULL || ps_s7_frame_length(frame, len) != len) {
        answer.verdict = wrong("it is no TPKT frame");
        return answer;
    }
    if (head[4] != 2 || head[5] != COTP_DATA || (head[6] & COTP_LAST) == 0) {
        answer.verdict = wrong("it is no COTP data in one piece");
        return answer;
    }
    bool is_s7 = ps_reader_u8(&reader) == S7_PROTOCOL;
    unsigned got_kind = ps_reader_u8(&reader);
    (void)get16(&reader);
    unsigned reference = get16(&reader);
    unsigned parameters = get16(&reader);
    unsigned data = get16(&reader);
    bool has_error = got_kind == S7_ACK || got_kind == S7_ACK_DATA;
    answer.verdict.error = has_error ? (uint16_t)get16(&reader) : 0;
    if (reader.failed || !is_s7) {
        answer.verdict = wrong("it is no S7 telegram");
    } else if (reference != request->reference) {
        answer.verdict = wrong("it answers another request");
    } else if (got_kind != kind && answer.verdict.error == 0) {
        answer.verdict = wrong("it is no answer");
    }
    const uint8_t *first = ps_reader_raw(&reader, parameters);
    const uint8_t *second = ps_reader_raw(&reader, data);
    if (answer.verdict.wrong == NULL && reader.failed) {
        answer.verdict = wrong("it is shorter than it says");
    }
    if (answer.verdict.wrong == NULL) {
        answer.parameters = ps_reader(first, parameters);
        answer.data = ps_reader(second, data);
    }
    return answer;
}

static bool is_done(const Answer *answer) {
    return answer->verdict.wrong != NULL || answer->verdict.error != 0;
}

PsS7Verdict ps_s7_pdu_check_setup(const PsS7Frame *request, const uint8_t *frame, size_t len,
                                  uint16_t *ret_pdu) {
    Answer answer = open_answer(request, S7_ACK_DATA, frame, len);
    if (is_done(&answer)) {
        return answer.verdict;
    }
    bool is_setup = ps_reader_u8(&answer.parameters) == FUNCTION_SETUP;
    (void)ps_reader_raw(&answer.parameters, 5);
    unsigned pdu = get16(&answer.parameters);
    if (answer.parameters.failed || !is_setup) {
        return wrong("it agrees on no telegram length");
    }
    if (pdu < PS_S7_PDU_MIN / 4) {
        return wrong("it agrees on telegrams too short for any value");
    }
    *ret_pdu = (uint16_t)(pdu < PS_S7_PDU_MAX ? pdu : PS_S7_PDU_MAX);
    return answer.verdict;
}

// One item of an answer: its code, and its value when there is one.
static const char *take_item(PsReader *data, const PsS7Ask *ask, bool last, PsS7Got *got) {
    *got = (PsS7Got){.code = ps_reader_u8(data)};
    unsigned transport = ps_reader_u8(data);
    unsigned len = get16(data);
    if (data->failed) {
        return "an item is missing";
    }
    if (got->code != PS_S7_FINE) {
        return NULL;
    }
    bool in_bits = transport == DATA_BITS || transport == DATA_INTEGER;
    len = in_bits ? (len + 7) / 8 : len;
    if (len != ask->len) {
        return "an item is longer or shorter than was asked for";
    }
    got->bytes = ps_reader_raw(data, len);
    if (got->bytes == NULL) {
        return "it ends in the middle of an item";
    }
    if (!last && len % 2 == 1) {
        (void)ps_reader_u8(data); // items begin at even places
    }
    return NULL;
}

PsS7Verdict ps_s7_pdu_check_read(const PsS7Frame *request, const PsS7Ask *asks, uint32_t count,
                                 const uint8_t *frame, size_t len, PsS7Got *ret_got) {
    Answer answer = open_answer(request, S7_ACK_DATA, frame, len);
    if (is_done(&answer)) {
        return answer.verdict;
    }
    bool is_read = ps_reader_u8(&answer.parameters) == FUNCTION_READ;
    uint32_t items = ps_reader_u8(&answer.parameters);
    if (answer.parameters.failed || !is_read || items != count) {
        return wrong("it does not have the items that were asked for");
    }
    for (uint32_t i = 0; i < count; i++) {
        const char *words = take_item(&answer.data, &asks[i], i + 1 == count, &ret_got[i]);
        if (words != NULL) {
            return wrong(words);
        }
    }
    return answer.verdict;
}

PsS7Verdict ps_s7_pdu_check_write(const PsS7Frame *request, const uint8_t *frame, size_t len,
                                  uint8_t *ret_code) {
    Answer answer = open_answer(request, S7_ACK_DATA, frame, len);
    if (is_done(&answer)) {
        return answer.verdict;
    }
    bool is_write = ps_reader_u8(&answer.parameters) == FUNCTION_WRITE;
    uint32_t items = ps_reader_u8(&answer.parameters);
    uint8_t code = ps_reader_u8(&answer.data);
    if (answer.parameters.failed || answer.data.failed || !is_write || items != 1) {
        return wrong("it does not say what became of the value");
    }
    *ret_code = code;
    return answer.verdict;
}

PsS7Verdict ps_s7_pdu_check_list(const PsS7Frame *request, const uint8_t *frame, size_t len,
                                 const uint8_t **ret_records, uint32_t *ret_size,
                                 uint32_t *ret_count) {
    Answer answer = open_answer(request, S7_USER_DATA, frame, len);
    if (is_done(&answer)) {
        return answer.verdict;
    }
    (void)ps_reader_raw(&answer.parameters, 10);
    unsigned error = get16(&answer.parameters);
    unsigned code = ps_reader_u8(&answer.data);
    (void)ps_reader_raw(&answer.data, 7); // transport, length, list, index
    uint32_t size = get16(&answer.data);
    uint32_t count = get16(&answer.data);
    if (answer.parameters.failed) {
        return wrong("it has no list in it");
    }
    if (error != 0 || (code != 0 && code != PS_S7_FINE)) {
        answer.verdict.error = (uint16_t)(error != 0 ? error : code);
        return answer.verdict;
    }
    const uint8_t *records = NULL;
    if (!answer.data.failed && size > 0 && size <= PS_S7_PDU_MAX) {
        // A list that goes on in further telegrams is cut at the end of this one.
        uint32_t whole = (uint32_t)(ps_reader_left(&answer.data) / size);
        count = count < whole ? count : whole;
        records = ps_reader_raw(&answer.data, (size_t)size * count);
    }
    if (code != PS_S7_FINE || records == NULL || count == 0) {
        return wrong("it has no list in it");
    }
    *ret_records = records;
    *ret_size = size;
    *ret_count = count;
    return answer.verdict;
}
