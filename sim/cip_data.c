// Reads and writes of tags (Rockwell 1756-PM020, "CIP services supported by Logix controllers").
// The side's lock is held.
#include "sim/cip_service.h"

#include <string.h>

#define MORE_BEYOND_DATA 0x2104 // offset or count beyond the end of what was asked for
#define MORE_BEYOND_END 0x2105  // beyond the end of the tag
#define MORE_WRONG_TYPE 0x2107
#define MORE_KEY_SWITCH 0x2101
#define MASK_MOST 8

// The place that a request is about, or a refusal.
static bool find(PsSimCip *cip, PsSimCipAsk *ask, bool for_write, PsSimCipPlace *place,
                 PsBuf *out) {
    switch (ps_sim_cip_tags_find(cip->tags, &ask->path, place)) {
    case PS_SIM_CIP_FOUND:
        break;
    case PS_SIM_CIP_NO_SYMBOL:
        ps_sim_cip_fail_more(out, ask, PS_SIM_CIP_PATH_SEGMENT, 0);
        return false;
    case PS_SIM_CIP_NO_OBJECT:
        ps_sim_cip_fail_more(out, ask, PS_SIM_CIP_PATH_UNKNOWN, 0);
        return false;
    case PS_SIM_CIP_BEYOND_END:
        ps_sim_cip_fail_more(out, ask, PS_SIM_CIP_GENERAL, MORE_BEYOND_END);
        return false;
    }
    uint8_t fault = ps_sim_cip_fault_of(&cip->faults, place->text);
    if (cip->faults.structure_only && place->is_member) {
        fault = PS_SIM_CIP_PATH_SEGMENT;
    }
    if (fault == 0 && for_write && place->tag->read_only) {
        fault = PS_SIM_CIP_PRIVILEGE;
    }
    if (fault == 0 && for_write && cip->faults.locked) {
        ps_sim_cip_fail_more(out, ask, PS_SIM_CIP_STATE_CONFLICT, MORE_KEY_SWITCH);
        return false;
    }
    if (fault != 0) {
        ps_sim_cip_fail(out, ask, fault);
        return false;
    }
    ps_sim_cip_tags_refresh(cip->tags, place->tag);
    return true;
}

static void put_type(PsBuf *out, const PsSimCipPlace *place) {
    ps_buf_put_u16(out, place->code);
    if (place->layout != NULL) {
        ps_buf_put_u16(out, place->layout->handle);
    }
}

static void put_data(PsBuf *out, const PsSimCipPlace *place, size_t offset, size_t len) {
    const uint8_t *at = place->tag->image + place->offset + offset;
    if (place->is_bit) {
        ps_buf_put_u8(out, at[0] >> place->bit & 1U);
    } else {
        ps_buf_put(out, at, len);
    }
}

// `count` elements from byte `offset` of them on, as many as there is room for.
static void reply_with_data(PsSimCipAsk *ask, const PsSimCipPlace *place, uint32_t count,
                            uint32_t offset, PsBuf *out) {
    size_t head = PS_SIM_CIP_REPLY_BYTES + (place->layout != NULL ? 4U : 2U);
    size_t room = ask->room > head ? ask->room - head : 0;
    size_t left = (size_t)count * place->element_size - offset;
    size_t len = left;
    if (left > room) {
        // Numbers are never torn; structures at any four bytes.
        size_t unit = place->layout != NULL ? 4 : place->element_size;
        len = room / unit * unit;
    }
    if (len == 0) {
        ps_sim_cip_fail(out, ask, PS_SIM_CIP_REPLY_TOO_LARGE);
        return;
    }
    ps_sim_cip_reply(out, ask, len < left ? PS_SIM_CIP_PARTIAL : PS_SIM_CIP_OK);
    put_type(out, place);
    put_data(out, place, offset, len);
}

void ps_sim_cip_read(PsSimCip *cip, PsSimCipAsk *ask, PsBuf *out) {
    PsSimCipPlace place;
    uint16_t count = ps_reader_u16(&ask->data);
    if (ask->data.failed) {
        ps_sim_cip_fail(out, ask, PS_SIM_CIP_NOT_ENOUGH_DATA);
    } else if (find(cip, ask, false, &place, out)) {
        if (count == 0 || count > place.count) {
            ps_sim_cip_fail_more(out, ask, PS_SIM_CIP_GENERAL, MORE_BEYOND_END);
        } else {
            reply_with_data(ask, &place, count, 0, out);
        }
    }
}

void ps_sim_cip_read_fragment(PsSimCip *cip, PsSimCipAsk *ask, PsBuf *out) {
    PsSimCipPlace place;
    uint16_t count = ps_reader_u16(&ask->data);
    uint32_t offset = ps_reader_u32(&ask->data);
    if (ask->data.failed) {
        ps_sim_cip_fail(out, ask, PS_SIM_CIP_NOT_ENOUGH_DATA);
    } else if (find(cip, ask, false, &place, out)) {
        if (count == 0 || count > place.count) {
            ps_sim_cip_fail_more(out, ask, PS_SIM_CIP_GENERAL, MORE_BEYOND_END);
        } else if (offset >= (size_t)count * place.element_size) {
            ps_sim_cip_fail_more(out, ask, PS_SIM_CIP_GENERAL, MORE_BEYOND_DATA);
        } else {
            reply_with_data(ask, &place, count, offset, out);
        }
    }
}

// The type that the client writes is the place's.
static bool takes_type(PsSimCipAsk *ask, const PsSimCipPlace *place) {
    uint16_t code = ps_reader_u16(&ask->data);
    uint16_t handle = code == PS_SIM_CIP_STRUCTURE ? ps_reader_u16(&ask->data) : 0;
    return code == place->code && (place->layout == NULL || handle == place->layout->handle);
}

static void store(PsSimCip *cip, const PsSimCipPlace *place, uint32_t offset, const uint8_t *bytes,
                  size_t len) {
    uint32_t start = place->offset + offset;
    uint8_t *at = place->tag->image + start;
    if (place->is_bit) {
        unsigned mask = 1U << place->bit;
        at[0] = (uint8_t)(bytes[0] != 0 ? at[0] | mask : at[0] & ~mask);
    } else if (place->code == PS_SIM_CIP_BOOL) {
        for (size_t i = 0; i < len; i++) {
            at[i] = bytes[i] != 0;
        }
    } else {
        memcpy(at, bytes, len);
    }
    ps_sim_cip_tags_written(cip->tags, place->tag, start, len);
}

// `left`: bytes from the offset to the end of what the request is about.
static void take_data(PsSimCip *cip, PsSimCipAsk *ask, const PsSimCipPlace *place, uint32_t offset,
                      size_t wanted, size_t left, PsBuf *out) {
    size_t len = ps_reader_left(&ask->data);
    const uint8_t *bytes = ps_reader_raw(&ask->data, len);
    if (len < wanted || len == 0) {
        ps_sim_cip_fail(out, ask, PS_SIM_CIP_NOT_ENOUGH_DATA);
    } else if (len > left) {
        ps_sim_cip_fail(out, ask, PS_SIM_CIP_TOO_MUCH_DATA);
    } else {
        store(cip, place, offset, bytes, len);
        ps_sim_cip_reply(out, ask, PS_SIM_CIP_OK);
    }
}

void ps_sim_cip_write(PsSimCip *cip, PsSimCipAsk *ask, PsBuf *out) {
    PsSimCipPlace place;
    if (!find(cip, ask, true, &place, out)) {
        return;
    }
    bool same_type = takes_type(ask, &place);
    uint16_t count = ps_reader_u16(&ask->data);
    size_t len = (size_t)count * place.element_size;
    if (ask->data.failed) {
        ps_sim_cip_fail(out, ask, PS_SIM_CIP_NOT_ENOUGH_DATA);
    } else if (!same_type) {
        ps_sim_cip_fail_more(out, ask, PS_SIM_CIP_GENERAL, MORE_WRONG_TYPE);
    } else if (count == 0 || count > place.count) {
        ps_sim_cip_fail_more(out, ask, PS_SIM_CIP_GENERAL, MORE_BEYOND_END);
    } else {
        take_data(cip, ask, &place, 0, len, len, out);
    }
}

void ps_sim_cip_write_fragment(PsSimCip *cip, PsSimCipAsk *ask, PsBuf *out) {
    PsSimCipPlace place;
    if (!find(cip, ask, true, &place, out)) {
        return;
    }
    bool same_type = takes_type(ask, &place);
    uint16_t count = ps_reader_u16(&ask->data);
    uint32_t offset = ps_reader_u32(&ask->data);
    size_t len = (size_t)count * place.element_size;
    if (ask->data.failed) {
        ps_sim_cip_fail(out, ask, PS_SIM_CIP_NOT_ENOUGH_DATA);
    } else if (!same_type) {
        ps_sim_cip_fail_more(out, ask, PS_SIM_CIP_GENERAL, MORE_WRONG_TYPE);
    } else if (count == 0 || count > place.count) {
        ps_sim_cip_fail_more(out, ask, PS_SIM_CIP_GENERAL, MORE_BEYOND_END);
    } else if (offset >= len) {
        ps_sim_cip_fail_more(out, ask, PS_SIM_CIP_GENERAL, MORE_BEYOND_DATA);
    } else {
        take_data(cip, ask, &place, offset, 1, len - offset, out);
    }
}

// Integers and bit strings can be masked, nothing else.
static bool has_bits(const PsSimCipPlace *place) {
    return place->layout == NULL && !place->is_bit && place->code != PS_SIM_CIP_BOOL &&
           place->code != PS_SIM_CIP_REAL && place->code != PS_SIM_CIP_LREAL;
}

void ps_sim_cip_modify(PsSimCip *cip, PsSimCipAsk *ask, PsBuf *out) {
    PsSimCipPlace place;
    if (!find(cip, ask, true, &place, out)) {
        return;
    }
    uint16_t size = ps_reader_u16(&ask->data);
    const uint8_t *set = ps_reader_raw(&ask->data, size);
    const uint8_t *keep = ps_reader_raw(&ask->data, size);
    if (!ps_reader_done(&ask->data) || set == NULL || keep == NULL) {
        ps_sim_cip_fail(out, ask, PS_SIM_CIP_NOT_ENOUGH_DATA);
    } else if (!has_bits(&place)) {
        ps_sim_cip_fail_more(out, ask, PS_SIM_CIP_GENERAL, MORE_WRONG_TYPE);
    } else if (size != place.element_size) {
        ps_sim_cip_fail(out, ask, PS_SIM_CIP_BAD_PARAMETER);
    } else {
        uint8_t changed[MASK_MOST];
        const uint8_t *at = place.tag->image + place.offset;
        for (size_t i = 0; i < size && i < sizeof changed; i++) {
            changed[i] = (uint8_t)((at[i] | set[i]) & keep[i]);
        }
        store(cip, &place, 0, changed, size);
        ps_sim_cip_reply(out, ask, PS_SIM_CIP_OK);
    }
}
