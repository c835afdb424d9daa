// Fuzz target: what a controller may answer. The first byte chooses the decoder, the rest is the
// answer. Whatever it is, what is found lies within what came.
#include "drivers/eip/codec.h"
#include "drivers/eip/encap.h"
#include "drivers/eip/symbol.h"
#include "drivers/eip/template.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
    if (!holds) {
        abort();
    }
}

static bool is_within(const uint8_t *inner, size_t inner_len, const uint8_t *outer, size_t len) {
    return inner >= outer && inner_len <= len && inner + inner_len <= outer + len;
}

static void decode_value(const PsEipReply *reply) {
    PsEipData value;
    if (!ps_eip_data_get(reply->data, reply->len, &value)) {
        return;
    }
    must(is_within(value.bytes, value.len, reply->data, reply->len));
    for (int bit = PS_EIP_NO_BIT; bit < 64; bit += 13) {
        PsEipField field = {
            .data_type = PS_TYPE_AUTO, .decimals = 2, .bit = (int8_t)bit, .room = 82};
        PsValue found;
        PsDiag diag;
        PsQuality quality = ps_eip_decode(&field, &value, bit < 0, &found, &diag);
        must((quality == PS_QUALITY_GOOD) == (found.kind != PS_VALUE_NONE));
        if (found.kind == PS_VALUE_TEXT) {
            must(found.text_len <= field.room);
            must(is_within((const uint8_t *)found.text, found.text_len, value.bytes, value.len));
        }
    }
}

static void decode_reply(const uint8_t *bytes, size_t len) {
    PsEipReply reply;
    if (!ps_eip_reply_get(bytes, len, &reply)) {
        return;
    }
    must(is_within(reply.data, reply.len, bytes, len));
    decode_value(&reply);
    uint16_t count = ps_eip_multiple_count(&reply);
    for (uint32_t i = 0; i < count; i++) {
        PsEipReply one;
        if (ps_eip_multiple_get(&reply, (uint16_t)i, &one)) {
            must(is_within(one.data, one.len, reply.data, reply.len));
            decode_value(&one);
        }
    }
    PsEipForwardOpen open = {.to_us = 0x11223344, .serial = 0x5566, .originator = 0x778899AA};
    uint32_t id;
    PsEipIdentity identity;
    PsEipTemplateHead head;
    (void)ps_eip_forward_open_get(&reply, &open, &id);
    if (ps_eip_identity_get(&reply, &identity)) {
        must(strlen(identity.product) < sizeof identity.product);
    }
    if (ps_eip_template_head_get(&reply, &head)) {
        must(ps_eip_template_len(&head) <= PS_EIP_TEMPLATE_MAX);
    }
}

static void decode_frame(const uint8_t *bytes, size_t len) {
    PsEipHeader header;
    PsEipPayload payload;
    if (!ps_eip_header_get(bytes, len, &header)) {
        return;
    }
    size_t body = len - PS_EIP_HEADER_LEN;
    body = body < header.len ? body : header.len;
    if (ps_eip_payload_get(bytes + PS_EIP_HEADER_LEN, body, &payload)) {
        must(is_within(payload.message, payload.len, bytes, len));
        decode_reply(payload.message, payload.len);
    }
}

static void decode_list(const uint8_t *bytes, size_t len, PsEipListing listing) {
    PsReader reader = ps_reader(bytes, len);
    PsEipTag tag;
    while (ps_eip_list_next(&reader, listing, &tag)) {
        must(is_within(tag.name, tag.name_len, bytes, len));
    }
}

static void decode_template(const uint8_t *bytes, size_t len) {
    if (len < 2) {
        return;
    }
    PsArena *arena = ps_arena_new();
    PsEipTemplate found;
    uint16_t members = (uint16_t)(bytes[0] | bytes[1] << 8);
    if (ps_eip_template_parse(bytes + 2, len - 2, members, arena, &found)) {
        for (uint32_t i = 0; i < found.count; i++) {
            must(strlen(found.members[i].name) < len);
        }
    }
    ps_arena_free(arena);
}

static void parse_symbol(const uint8_t *bytes, size_t len) {
    char text[256];
    PsEipSymbol symbol;
    PsDiag diag;
    size_t kept = len < sizeof text - 1 ? len : sizeof text - 1;
    memcpy(text, bytes, kept);
    text[kept] = '\0';
    if (ps_eip_symbol_parse(text, &symbol, &diag) == PS_OK) {
        must(symbol.path_len % 2 == 0 && symbol.path_len + PS_EIP_ELEMENT_MAX <= PS_EIP_PATH_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    const uint8_t *bytes = data + 1;
    size_t len = size - 1;
    switch (data[0] % 7) {
    case 0:
        decode_frame(bytes, len);
        break;
    case 1:
        decode_reply(bytes, len);
        break;
    case 2:
    case 3:
    case 4:
        decode_list(bytes, len, (PsEipListing)(data[0] % 7 - 2));
        break;
    case 5:
        decode_template(bytes, len);
        break;
    default:
        parse_symbol(bytes, len);
        break;
    }
    return 0;
}
