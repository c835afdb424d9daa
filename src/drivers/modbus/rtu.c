// Framing and gaps. Pure; any thread.
#include "drivers/modbus/rtu.h"

#include "base/crc16.h"
#include "base/err.h"
#include "base/time.h"

#include <string.h>

#define UNIT_AT 6U // of an ADU: what comes before is not on a serial line
#define CRC_LEN 2U
#define SHORTEST (3U + CRC_LEN) // slave, function, exception code
#define WRITE_ANSWER (6U + CRC_LEN)
#define EXCEPTION_BIT 0x80U
#define FAST_BAUD 19200
#define FAST_GAP_NS (1750 * PS_NS_PER_MS / 1000)

size_t ps_modbus_rtu_encode(const PsModbusAdu *request, uint8_t ret_frame[PS_MODBUS_RTU_MAX]) {
    size_t len = request->len - UNIT_AT;
    PS_ASSERT(len + CRC_LEN <= PS_MODBUS_RTU_MAX);
    memcpy(ret_frame, request->bytes + UNIT_AT, len);
    uint16_t crc = ps_crc16(ret_frame, len);
    ret_frame[len] = (uint8_t)crc;
    ret_frame[len + 1] = (uint8_t)(crc >> 8);
    return len + CRC_LEN;
}

// The length of the answer that begins here, as its own function and count say; 0 when no answer
// begins like that, SIZE_MAX when more bytes have to come to know.
static size_t length_at(const uint8_t *bytes, size_t len) {
    if (len < 2) {
        return SIZE_MAX;
    }
    unsigned function = bytes[1];
    if (function >= 1 && function <= 4) {
        return len < 3 ? SIZE_MAX : 3U + bytes[2] + CRC_LEN;
    }
    if (function == 5 || function == 6 || function == 15 || function == 16) {
        return WRITE_ANSWER;
    }
    return (function & EXCEPTION_BIT) != 0 ? SHORTEST : 0;
}

static bool is_sound(const uint8_t *frame, size_t len) {
    uint16_t crc = ps_crc16(frame, len - CRC_LEN);
    return frame[len - 2] == (uint8_t)crc && frame[len - 1] == (uint8_t)(crc >> 8);
}

// The frame with the header of the request in place of what RTU lacks.
static size_t as_adu(const PsModbusAdu *request, const uint8_t *frame, size_t len, uint8_t *out) {
    size_t body = len - CRC_LEN;
    memcpy(out, request->bytes, UNIT_AT);
    out[4] = (uint8_t)(body >> 8);
    out[5] = (uint8_t)body;
    memcpy(out + UNIT_AT, frame, body);
    return UNIT_AT + body;
}

static bool answers(const PsModbusAdu *request, const uint8_t *frame, size_t len,
                    PsModbusRtuScan *scan) {
    int exception;
    if (frame[0] != request->bytes[UNIT_AT]) {
        return false;
    }
    scan->answer_len = as_adu(request, frame, len, scan->answer);
    return ps_modbus_adu_check(request, scan->answer, scan->answer_len, &exception) == NULL;
}

void ps_modbus_rtu_scan(const PsModbusAdu *request, const uint8_t *bytes, size_t len,
                        PsModbusRtuScan *ret_scan) {
    *ret_scan = (PsModbusRtuScan){0};
    for (size_t at = 0; at + SHORTEST <= len && !ret_scan->found;) {
        size_t frame = length_at(bytes + at, len - at);
        bool whole = frame >= SHORTEST && frame <= PS_MODBUS_RTU_MAX && frame <= len - at &&
                     is_sound(bytes + at, frame);
        if (!whole) {
            at++; // noise, or a frame that is not all there yet
            continue;
        }
        ret_scan->found = answers(request, bytes + at, frame, ret_scan);
        ret_scan->late += ret_scan->found ? 0 : 1;
        at += frame;
        ret_scan->used = at;
    }
}

size_t ps_modbus_rtu_answer_max(const PsModbusAdu *request) {
    unsigned function = request->bytes[UNIT_AT + 1];
    unsigned count = (unsigned)request->bytes[UNIT_AT + 4] << 8 | request->bytes[UNIT_AT + 5];
    if (function > 4) {
        return WRITE_ANSWER;
    }
    return 3U + (function <= 2 ? (count + 7U) / 8U : 2U * count) + CRC_LEN;
}

PsModbusTiming ps_modbus_timing(const PsSerial *serial) {
    int bits =
        1 + serial->data_bits + (serial->parity != PS_PARITY_NONE ? 1 : 0) + serial->stop_bits;
    PsModbusTiming timing = {.char_ns = bits * PS_NS_PER_S / serial->baud_rate};
    timing.gap_ns = serial->baud_rate > FAST_BAUD ? FAST_GAP_NS : timing.char_ns * 7 / 2;
    timing.gap_ns += serial->pause_ms * PS_NS_PER_MS;
    return timing;
}
