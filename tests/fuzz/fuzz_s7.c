// Fuzz target: answers of an S7 controller. The first three bytes choose the request, the rest is
// what came. Whatever it is, an answer that is taken has exactly what was asked for, within what
// came; and its bytes decode to something or nothing in every type.
#include "drivers/s7/codec.h"
#include "drivers/s7/pdu.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HEAD 3
#define REFERENCE 0x1234

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
    if (!holds) {
        abort();
    }
}

static void decode_all(const uint8_t *bytes, uint16_t len) {
    for (int type = 0; type < PS_TYPE_AUTO; type++) {
        PsVariable variable = {
            .data_type = (int8_t)type, .float_repr = 2, .size = len > 2 ? (int16_t)(len - 2) : 1};
        PsS7Field field = ps_s7_field(&variable);
        if (field.len > len || field.len > PS_S7_VALUE_MAX) {
            continue;
        }
        uint8_t copy[PS_S7_VALUE_MAX];
        memcpy(copy, bytes, field.len);
        PsValue value;
        PsQuality quality = ps_s7_decode(&field, copy, &value);
        must(quality == PS_QUALITY_GOOD || value.kind == PS_VALUE_NONE);
        must(value.kind != PS_VALUE_TEXT || value.text_len <= field.len);
    }
}

static void check_read(const uint8_t *head, const uint8_t *frame, size_t len) {
    PsS7Ask asks[PS_S7_ITEMS_MAX];
    PsS7Got got[PS_S7_ITEMS_MAX];
    uint32_t count = head[1] % 5 + 1;
    for (uint32_t i = 0; i < count; i++) {
        asks[i] = (PsS7Ask){.area = PS_S7_DB, .db = 1, .len = (uint16_t)(head[2] % 20 + i + 1)};
    }
    PsS7Frame request;
    ps_s7_pdu_read(&request, REFERENCE, asks, count);
    PsS7Verdict verdict = ps_s7_pdu_check_read(&request, asks, count, frame, len, got);
    for (uint32_t i = 0; verdict.wrong == NULL && verdict.error == 0 && i < count; i++) {
        if (got[i].code == PS_S7_FINE) {
            must(got[i].bytes >= frame && got[i].bytes + asks[i].len <= frame + len);
            decode_all(got[i].bytes, asks[i].len);
        }
    }
}

static void check_others(const uint8_t *frame, size_t len) {
    PsS7Frame request;
    uint16_t pdu = 0;
    ps_s7_pdu_setup(&request, REFERENCE, PS_S7_PDU_MAX);
    PsS7Verdict verdict = ps_s7_pdu_check_setup(&request, frame, len, &pdu);
    must(verdict.wrong != NULL || verdict.error != 0 || (pdu >= 60 && pdu <= PS_S7_PDU_MAX));
    uint8_t code = 0;
    PsS7Ask ask = {.area = PS_S7_DB, .db = 1, .len = 1};
    ps_s7_pdu_write(&request, REFERENCE, &ask, &code);
    (void)ps_s7_pdu_check_write(&request, frame, len, &code);
    const uint8_t *records = NULL;
    uint32_t record_size = 0;
    uint32_t count = 0;
    ps_s7_pdu_list(&request, REFERENCE, 0x0011, 0);
    verdict = ps_s7_pdu_check_list(&request, frame, len, &records, &record_size, &count);
    if (verdict.wrong == NULL && verdict.error == 0) {
        must(records >= frame && records + (size_t)record_size * count <= frame + len);
    }
    bool refused = false;
    (void)ps_s7_pdu_check_connect(frame, len, &refused);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < HEAD) {
        return 0;
    }
    // A copy of its own, so that a byte behind its end is noticed.
    size_t len = size - HEAD;
    uint8_t *frame = malloc(len > 0 ? len : 1);
    must(frame != NULL);
    memcpy(frame, data + HEAD, len);
    size_t told = ps_s7_frame_length(frame, len);
    must(told == SIZE_MAX || told <= PS_S7_FRAME_MAX);
    if (data[0] % 2 == 0) {
        check_read(data, frame, len);
    } else {
        check_others(frame, len);
    }
    free(frame);
    return 0;
}
