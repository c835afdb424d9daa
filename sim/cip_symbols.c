// What a client may ask about tags: the list of symbols and the layout of structures (Rockwell
// 1756-PM020, "Logix data structures"). The side's lock is held.
#include "sim/cip_service.h"

#include <string.h>

#define SYMBOL_STRUCTURE 0x8000U
#define SYMBOL_DIMENSIONS 13 // bits from here on
#define ATTRIBUTES_MOST 16
#define DEFINITION_EXTRA 23 // bytes by which PM020's arithmetic is longer than the definition

static uint16_t symbol_type(const PsSimCipTag *tag) {
    unsigned type = tag->layout != NULL ? SYMBOL_STRUCTURE | tag->layout->instance : tag->code;
    return (uint16_t)(type | (unsigned)tag->dimension_count << SYMBOL_DIMENSIONS);
}

// False: there is no such attribute.
static bool put_attribute(PsBuf *out, const PsSimCipTag *tag, uint16_t attribute) {
    switch (attribute) {
    case 1: // name
        ps_buf_put_u16(out, (uint16_t)strlen(tag->name));
        ps_buf_put(out, tag->name, strlen(tag->name));
        return true;
    case 2:
        ps_buf_put_u16(out, symbol_type(tag));
        return true;
    case 3: // addresses: any that differ
    case 5:
        ps_buf_put_u32(out, 0x10000U + tag->instance * 16U);
        return true;
    case 6: // software control
        ps_buf_put_u32(out, 0);
        return true;
    case 7: // bytes of an element
        ps_buf_put_u16(out, (uint16_t)(tag->layout != NULL ? tag->layout->size
                                                           : ps_sim_cip_type_size(tag->code)));
        return true;
    case 8:
        for (size_t i = 0; i < PS_SIM_CIP_DIMENSIONS; i++) {
            ps_buf_put_u32(out, tag->dimensions[i]);
        }
        return true;
    case 10: // external access
        ps_buf_put_u8(out, tag->read_only ? 2 : 0);
        return true;
    default:
        return false;
    }
}

typedef struct AttributeList {
    uint16_t ids[ATTRIBUTES_MOST];
    size_t count;
} AttributeList;

static bool take_attributes(PsReader *reader, AttributeList *list) {
    list->count = ps_reader_u16(reader);
    for (size_t i = 0; i < list->count && i < ATTRIBUTES_MOST; i++) {
        list->ids[i] = ps_reader_u16(reader);
    }
    return !reader->failed && list->count > 0 && list->count <= ATTRIBUTES_MOST;
}

static bool put_symbol(PsBuf *out, const PsSimCipTag *tag, const AttributeList *list) {
    ps_buf_put_u32(out, tag->instance);
    for (size_t i = 0; i < list->count; i++) {
        if (!put_attribute(out, tag, list->ids[i])) {
            return false;
        }
    }
    return true;
}

void ps_sim_cip_list_symbols(PsSimCip *cip, PsSimCipAsk *ask, PsBuf *out) {
    AttributeList list;
    const char *program = ps_sim_cip_tags_program(&ask->path);
    uint32_t first = ask->path.segments[ask->path.count - 1].value;
    if (!take_attributes(&ask->data, &list)) {
        ps_sim_cip_fail(out, ask, PS_SIM_CIP_NOT_ENOUGH_DATA);
        return;
    }
    size_t start = out->len;
    ps_sim_cip_reply(out, ask, PS_SIM_CIP_OK);
    for (size_t i = 0; i < ps_sim_cip_tags_count(cip->tags); i++) {
        const PsSimCipTag *tag = ps_sim_cip_tags_at(cip->tags, i);
        if (tag->program != program || tag->instance < first ||
            ps_sim_cip_fault_of(&cip->faults, tag->name) == PS_SIM_CIP_PATH_SEGMENT) {
            continue;
        }
        size_t before = out->len;
        if (!put_symbol(out, tag, &list)) {
            out->len = start;
            ps_sim_cip_fail(out, ask, PS_SIM_CIP_ATTRIBUTE_LIST);
            return;
        }
        if (out->len - start > ask->room) {
            out->len = before;
            out->data[start + 2] = PS_SIM_CIP_PARTIAL;
            return;
        }
    }
}

static void put_member(PsBuf *out, const PsSimCipMember *member) {
    bool is_bit = member->code == PS_SIM_CIP_BOOL;
    ps_buf_put_u16(out, is_bit ? member->bit : member->count);
    unsigned type =
        member->layout != NULL ? SYMBOL_STRUCTURE | member->layout->instance : member->code;
    ps_buf_put_u16(out, (uint16_t)(type | (member->count > 0 ? 1U << SYMBOL_DIMENSIONS : 0U)));
    ps_buf_put_u32(out, member->offset);
}

static void put_definition(PsBuf *out, const PsSimCipTemplate *layout) {
    for (size_t i = 0; i < layout->member_count; i++) {
        put_member(out, &layout->members[i]);
    }
    ps_buf_printf(out, "%s;n", layout->name);
    ps_buf_put_u8(out, 0);
    for (size_t i = 0; i < layout->member_count; i++) {
        ps_buf_put(out, layout->members[i].name, strlen(layout->members[i].name) + 1);
    }
}

// In 32-bit words; a client reads four times as many bytes less DEFINITION_EXTRA.
static uint32_t definition_words(const PsSimCipTemplate *layout) {
    PS_AUTO_BUF PsBuf definition = {0};
    put_definition(&definition, layout);
    return (uint32_t)((definition.len + DEFINITION_EXTRA + 3) / 4);
}

static const PsSimCipTemplate *find_template(PsSimCipAsk *ask, PsBuf *out) {
    const PsSimCipTemplate *layout = ps_sim_cip_template_find(ask->path.segments[1].value);
    if (layout == NULL) {
        ps_sim_cip_fail(out, ask, PS_SIM_CIP_PATH_UNKNOWN);
    }
    return layout;
}

static bool put_template_attribute(PsBuf *out, const PsSimCipTemplate *layout, uint16_t id) {
    bool known = id == 1 || id == 2 || id == 4 || id == 5;
    ps_buf_put_u16(out, id);
    ps_buf_put_u16(out, known ? 0 : PS_SIM_CIP_NO_ATTRIBUTE);
    switch (id) {
    case 1:
        ps_buf_put_u16(out, layout->handle);
        break;
    case 2:
        ps_buf_put_u16(out, (uint16_t)layout->member_count);
        break;
    case 4:
        ps_buf_put_u32(out, definition_words(layout));
        break;
    case 5:
        ps_buf_put_u32(out, layout->size);
        break;
    default:
        break;
    }
    return known;
}

void ps_sim_cip_template_attributes(PsSimCip *cip, PsSimCipAsk *ask, PsBuf *out) {
    (void)cip;
    AttributeList list;
    const PsSimCipTemplate *layout = find_template(ask, out);
    if (layout == NULL) {
        return;
    }
    if (!take_attributes(&ask->data, &list)) {
        ps_sim_cip_fail(out, ask, PS_SIM_CIP_NOT_ENOUGH_DATA);
        return;
    }
    size_t start = out->len;
    bool all_known = true;
    ps_sim_cip_reply(out, ask, PS_SIM_CIP_OK);
    ps_buf_put_u16(out, (uint16_t)list.count);
    for (size_t i = 0; i < list.count; i++) {
        all_known = put_template_attribute(out, layout, list.ids[i]) && all_known;
    }
    out->data[start + 2] = all_known ? PS_SIM_CIP_OK : PS_SIM_CIP_ATTRIBUTE_LIST;
}

void ps_sim_cip_template_read(PsSimCip *cip, PsSimCipAsk *ask, PsBuf *out) {
    (void)cip;
    const PsSimCipTemplate *layout = find_template(ask, out);
    if (layout == NULL) {
        return;
    }
    uint32_t offset = ps_reader_u32(&ask->data);
    uint16_t wanted = ps_reader_u16(&ask->data);
    PS_AUTO_BUF PsBuf definition = {0};
    put_definition(&definition, layout);
    while (definition.len < (size_t)definition_words(layout) * 4) {
        ps_buf_put_u8(&definition, 0);
    }
    if (ask->data.failed) {
        ps_sim_cip_fail(out, ask, PS_SIM_CIP_NOT_ENOUGH_DATA);
    } else if (offset >= definition.len || wanted > definition.len - offset) {
        ps_sim_cip_fail_more(out, ask, PS_SIM_CIP_GENERAL, 0x2105);
    } else {
        size_t room = ask->room > PS_SIM_CIP_REPLY_BYTES ? ask->room - PS_SIM_CIP_REPLY_BYTES : 0;
        size_t len = wanted < room ? wanted : room;
        ps_sim_cip_reply(out, ask, len < wanted ? PS_SIM_CIP_PARTIAL : PS_SIM_CIP_OK);
        ps_buf_put(out, definition.data + offset, len);
    }
}
