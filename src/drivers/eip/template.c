// Definitions of structures and lists of tags, read with checked getters. Pure.
#include "drivers/eip/template.h"

#include "base/text.h"
#include "drivers/eip/symbol.h"
#include "drivers/eip/types.h"

#include <string.h>

#define TYPE_STRUCTURE 0x8000U
#define TYPE_SYSTEM 0x1000U
#define TYPE_DIMENSIONS 0x6000U
#define TYPE_ID 0x0FFFU
#define MEMBER_LEN 8U

// 1756-PM020, "Symbol type": bits 0 to 11 of a structure are its template, bits 0 to 7 otherwise a
// type; bits 13 and 14 count dimensions.
PsEipSymbolType ps_eip_symbol_type(uint16_t word) {
    bool structure = (word & TYPE_STRUCTURE) != 0;
    return (PsEipSymbolType){
        .structure = structure,
        .system = (word & TYPE_SYSTEM) != 0,
        .dimensions = (uint8_t)((word & TYPE_DIMENSIONS) >> 13),
        .template_id = structure ? word & TYPE_ID : 0,
        .code = structure ? PS_EIP_TYPE_STRUCTURE : word & 0x00FFU,
    };
}

// Attributes of the template object (1756-PM020, "Example of reading template attributes").
#define HEAD_HANDLE 1U
#define HEAD_MEMBERS 2U
#define HEAD_WORDS 4U
#define HEAD_SIZE 5U

void ps_eip_template_head_put(PsBuf *out, uint16_t template_id) {
    ps_eip_request_object(out, PS_EIP_GET_ATTRIBUTE_LIST, PS_EIP_CLASS_TEMPLATE, template_id);
    ps_buf_put_u16(out, 4);
    ps_buf_put_u16(out, HEAD_WORDS);
    ps_buf_put_u16(out, HEAD_SIZE);
    ps_buf_put_u16(out, HEAD_MEMBERS);
    ps_buf_put_u16(out, HEAD_HANDLE);
}

bool ps_eip_template_head_get(const PsEipReply *reply, PsEipTemplateHead *ret_head) {
    PsReader reader = ps_reader(reply->data, reply->len);
    PsEipTemplateHead head = {0};
    uint16_t count = ps_reader_u16(&reader);
    for (uint16_t i = 0; i < count && !reader.failed; i++) {
        uint16_t attribute = ps_reader_u16(&reader);
        if (ps_reader_u16(&reader) != 0) { // its status
            return false;
        }
        switch (attribute) {
        case HEAD_WORDS:
            head.words = ps_reader_u32(&reader);
            break;
        case HEAD_SIZE:
            head.size = ps_reader_u32(&reader);
            break;
        case HEAD_MEMBERS:
            head.members = ps_reader_u16(&reader);
            break;
        case HEAD_HANDLE:
            head.handle = ps_reader_u16(&reader);
            break;
        default:
            return false;
        }
    }
    if (reader.failed || head.words == 0 || head.words > PS_EIP_TEMPLATE_MAX / 4) {
        return false;
    }
    *ret_head = head;
    return true;
}

// The definition's size counts a head of 23 bytes that is not read (1756-PM020, "Step 3").
uint32_t ps_eip_template_len(const PsEipTemplateHead *head) {
    uint32_t whole = head->words * 4;
    return whole > 23 ? whole - 23 : 0;
}

void ps_eip_template_read_put(PsBuf *out, uint16_t template_id, uint32_t offset, uint16_t count) {
    ps_eip_request_object(out, PS_EIP_READ_TAG, PS_EIP_CLASS_TEMPLATE, template_id);
    ps_buf_put_u32(out, offset);
    ps_buf_put_u16(out, count);
}

// A name up to its NUL; the last one may lack it.
static char *take_name(PsReader *reader, PsArena *arena) {
    size_t left = ps_reader_left(reader);
    const char *at = (const char *)reader->data + reader->at;
    size_t len = strnlen(at, left);
    if (left == 0) {
        return ps_arena_strdup(arena, "");
    }
    char *name = ps_arena_strndup(arena, at, len);
    (void)ps_reader_raw(reader, len < left ? len + 1 : len);
    ps_text_make_utf8(name, len);
    return name;
}

static bool is_text(const PsEipTemplate *found) {
    if (found->count != 2) {
        return false;
    }
    const PsEipMember *len = &found->members[0];
    const PsEipMember *data = &found->members[1];
    return strcmp(len->name, "LEN") == 0 && len->type.code == PS_EIP_TYPE_DINT &&
           strcmp(data->name, "DATA") == 0 && data->type.code == PS_EIP_TYPE_SINT &&
           data->elements > 0;
}

bool ps_eip_template_parse(const uint8_t *bytes, size_t len, uint16_t members, PsArena *arena,
                           PsEipTemplate *ret_template) {
    PsReader reader = ps_reader(bytes, len);
    if (members > PS_EIP_MEMBERS_MAX || len < (size_t)members * MEMBER_LEN) {
        return false;
    }
    PsEipTemplate found = {.count = members};
    found.members = ps_arena_take(arena, (members > 0 ? members : 1U) * sizeof *found.members);
    for (uint16_t i = 0; i < members; i++) {
        uint16_t info = ps_reader_u16(&reader);
        PsEipSymbolType type = ps_eip_symbol_type(ps_reader_u16(&reader));
        (void)ps_reader_u32(&reader); // where it lies
        found.members[i] = (PsEipMember){.type = type, .elements = type.dimensions > 0 ? info : 0};
    }
    // The structure's name has more behind a semicolon.
    char *name = take_name(&reader, arena);
    name[strcspn(name, ";")] = '\0';
    found.name = name;
    for (uint16_t i = 0; i < members; i++) {
        found.members[i].name = take_name(&reader, arena);
    }
    if (reader.failed) {
        return false;
    }
    found.text = is_text(&found);
    *ret_template = found;
    return true;
}

// --- lists of tags

#define ATTRIBUTE_NAME 1U
#define ATTRIBUTE_TYPE 2U
#define ATTRIBUTE_DIMENSIONS 8U
#define ATTRIBUTE_ACCESS 10U

void ps_eip_list_put(PsBuf *out, const char *scope, uint32_t instance, PsEipListing listing) {
    uint8_t path[PS_EIP_PATH_MAX];
    size_t scope_len = strlen(scope);
    PS_ASSERT(scope_len <= UINT8_MAX);
    uint16_t len = scope_len > 0 ? ps_eip_name_put(path, scope, scope_len) : 0;
    len = (uint16_t)(len + ps_eip_object_put(path + len, PS_EIP_CLASS_SYMBOL, instance));
    ps_eip_request_put(out, PS_EIP_LIST_INSTANCES, path, len);
    ps_buf_put_u16(out, listing == PS_EIP_LIST_PLAIN         ? 2
                        : listing == PS_EIP_LIST_WITH_ACCESS ? 4
                                                             : 3);
    ps_buf_put_u16(out, ATTRIBUTE_NAME);
    ps_buf_put_u16(out, ATTRIBUTE_TYPE);
    if (listing != PS_EIP_LIST_PLAIN) {
        ps_buf_put_u16(out, ATTRIBUTE_DIMENSIONS);
    }
    if (listing == PS_EIP_LIST_WITH_ACCESS) {
        ps_buf_put_u16(out, ATTRIBUTE_ACCESS);
    }
}

bool ps_eip_list_next(PsReader *reader, PsEipListing listing, PsEipTag *ret_tag) {
    if (ps_reader_left(reader) == 0) {
        return false;
    }
    PsEipTag tag = {.instance = ps_reader_u32(reader)};
    tag.name_len = ps_reader_u16(reader);
    tag.name = ps_reader_raw(reader, tag.name_len);
    tag.type = ps_reader_u16(reader);
    if (listing != PS_EIP_LIST_PLAIN) {
        for (int i = 0; i < 3; i++) {
            tag.dimensions[i] = ps_reader_u32(reader);
        }
    }
    if (listing == PS_EIP_LIST_WITH_ACCESS) {
        tag.access = ps_reader_u8(reader) & 0x03U;
    }
    if (reader->failed) {
        return false;
    }
    *ret_tag = tag;
    return true;
}
