// Decodes EPATHs. Pure; any thread.
#include "sim/cip_path.h"

#include <string.h>

#define TYPE_MASK 0xE0
#define TYPE_PORT 0x00
#define TYPE_LOGICAL 0x20
#define SYMBOL_EXTENDED 0x91 // of the data segments
#define ELECTRONIC_KEY 0x34
#define KEY_REST 9 // format, and the key of format 4
#define PORT_LONG_LINK 0x10
#define PORT_EXTENDED 0x0F

// Of logical segments: type in bits 2 to 4, format in bits 0 and 1.
static const struct {
    uint8_t type;
    PsSimCipSegmentKind kind;
} logical_types[] = {
    {0x00, PS_SIM_CIP_CLASS},
    {0x04, PS_SIM_CIP_INSTANCE},
    {0x08, PS_SIM_CIP_ELEMENT},
    {0x10, PS_SIM_CIP_ATTRIBUTE},
};

static bool decode_logical(PsReader *reader, uint8_t head, PsSimCipSegment *segment) {
    bool known = false;
    for (size_t i = 0; i < PS_COUNT(logical_types); i++) {
        if ((head & 0x1C) == logical_types[i].type) {
            segment->kind = logical_types[i].kind;
            known = true;
        }
    }
    switch (head & 0x03) {
    case 0:
        segment->value = ps_reader_u8(reader);
        return known;
    case 1:
        ps_reader_u8(reader); // pad
        segment->value = ps_reader_u16(reader);
        return known;
    case 2:
        ps_reader_u8(reader);
        segment->value = ps_reader_u32(reader);
        return known;
    default:
        return false;
    }
}

static bool decode_symbol(PsReader *reader, PsSimCipSegment *segment) {
    segment->kind = PS_SIM_CIP_SYMBOL;
    segment->len = ps_reader_u8(reader);
    segment->name = (const char *)ps_reader_raw(reader, segment->len);
    if (segment->len % 2 != 0) {
        ps_reader_u8(reader);
    }
    return segment->len > 0 && segment->name != NULL;
}

static bool decode_port(PsReader *reader, uint8_t head, PsSimCipSegment *segment) {
    segment->kind = PS_SIM_CIP_PORT;
    segment->value = head & 0x0F;
    size_t link_len = (head & PORT_LONG_LINK) != 0 ? ps_reader_u8(reader) : 1;
    if (segment->value == PORT_EXTENDED) {
        segment->value = ps_reader_u16(reader);
    }
    const uint8_t *link = ps_reader_raw(reader, link_len);
    segment->link = link_len == 1 && link != NULL ? link[0] : UINT32_MAX;
    if ((head & PORT_LONG_LINK) != 0 && link_len % 2 != 0) {
        ps_reader_u8(reader);
    }
    return link != NULL;
}

static bool decode_one(PsReader *reader, PsSimCipPath *path) {
    uint8_t head = ps_reader_u8(reader);
    if (head == ELECTRONIC_KEY) {
        return ps_reader_raw(reader, KEY_REST) != NULL; // any key fits
    }
    if (path->count == PS_SIM_CIP_SEGMENTS) {
        return false;
    }
    PsSimCipSegment *segment = &path->segments[path->count++];
    if (head == SYMBOL_EXTENDED) {
        return decode_symbol(reader, segment);
    }
    switch (head & TYPE_MASK) {
    case TYPE_LOGICAL:
        return decode_logical(reader, head, segment);
    case TYPE_PORT:
        return decode_port(reader, head, segment);
    default:
        return false;
    }
}

bool ps_sim_cip_path_decode(PsReader *reader, size_t words, PsSimCipPath *ret_path) {
    const uint8_t *bytes = ps_reader_raw(reader, 2 * words);
    *ret_path = (PsSimCipPath){0};
    if (bytes == NULL) {
        return false;
    }
    PsReader inner = ps_reader(bytes, 2 * words);
    while (ps_reader_left(&inner) > 0) {
        if (!decode_one(&inner, ret_path) || inner.failed) {
            return false;
        }
    }
    return true;
}

bool ps_sim_cip_path_is(const PsSimCipPath *path, size_t index, PsSimCipSegmentKind kind) {
    return index < path->count && path->segments[index].kind == kind;
}

bool ps_sim_cip_path_leads_to(const PsSimCipPath *path, uint32_t class_id, uint32_t instance) {
    return ps_sim_cip_path_is(path, 0, PS_SIM_CIP_CLASS) && path->segments[0].value == class_id &&
           ps_sim_cip_path_is(path, 1, PS_SIM_CIP_INSTANCE) && path->segments[1].value == instance;
}
