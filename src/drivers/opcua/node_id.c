// Node ids from text and back. Texts come from the configuration and from people who browse.
// Pure; any thread.
#include "drivers/opcua/node_id.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXAMPLE "for example ns=2;s=Tank.Level, nsu=urn:plant;i=1001 or i=2258"

typedef struct Text {
    const char *at;
    size_t len;
} Text;

static bool take_prefix(Text *text, const char *prefix) {
    size_t len = strlen(prefix);
    if (text->len < len || memcmp(text->at, prefix, len) != 0) {
        return false;
    }
    text->at += len;
    text->len -= len;
    return true;
}

// Up to the next ';', which is taken as well.
static bool take_part(Text *text, Text *ret_part) {
    const char *end = memchr(text->at, ';', text->len);
    if (end == NULL) {
        return false;
    }
    *ret_part = (Text){text->at, (size_t)(end - text->at)};
    text->len -= ret_part->len + 1;
    text->at = end + 1;
    return true;
}

// Digits only, as the standard writes numbers.
static bool to_number(Text text, uint64_t max, uint64_t *ret_number) {
    uint64_t number = 0;
    if (text.len == 0 || text.len > 10) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return false;
        }
        number = number * 10 + (uint64_t)(text.at[i] - '0');
    }
    *ret_number = number;
    return number <= max;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char low = (char)(c | 0x20);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

// 8-4-4-4-12 hexadecimal digits.
static bool to_guid(Text text, UA_Guid *ret_guid) {
    uint8_t bytes[16];
    size_t digits = 0;
    if (text.len != 36) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        int digit = hex_digit(text.at[i]);
        if (hyphen != (text.at[i] == '-') || (!hyphen && digit < 0)) {
            return false;
        }
        if (!hyphen) {
            uint8_t *byte = &bytes[digits / 2];
            *byte = (uint8_t)(digits % 2 == 0 ? digit << 4 : *byte | digit);
            digits++;
        }
    }
    ret_guid->data1 =
        (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    ret_guid->data2 = (uint16_t)(bytes[4] << 8 | bytes[5]);
    ret_guid->data3 = (uint16_t)(bytes[6] << 8 | bytes[7]);
    memcpy(ret_guid->data4, &bytes[8], sizeof ret_guid->data4);
    return true;
}

static int base64_digit(char c) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c != '\0' ? strchr(digits, c) : NULL;
    return found != NULL ? (int)(found - digits) : -1;
}

// `out` has room for three bytes of each four characters.
static bool from_base64(Text text, uint8_t *out, size_t *ret_len) {
    size_t len = 0;
    uint32_t bits = 0;
    unsigned count = 0;
    size_t end = text.len;
    while (end > 0 && text.len - end < 2 && text.at[end - 1] == '=') {
        end--;
    }
    if (text.len % 4 != 0 || text.len == 0) {
        return false;
    }
    for (size_t i = 0; i < end; i++) {
        int digit = base64_digit(text.at[i]);
        if (digit < 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t)digit;
        count += 6;
        if (count >= 8) {
            count -= 8;
            out[len++] = (uint8_t)(bits >> count);
        }
    }
    *ret_len = len;
    return true;
}

static UA_String borrow(Text text) {
    return (UA_String){text.len, (UA_Byte *)(uintptr_t)text.at}; // never written through
}

static PsErr parse_identifier(int type, Text text, PsOpcuaNode *node, PsDiag *diag) {
    uint64_t number;
    switch (type) {
    case PS_IDENTIFIER_NUMBER:
        if (!to_number(text, UINT32_MAX, &number)) {
            return ps_fail(PS_ERR_INVALID, diag, NULL, "identifier",
                           "'%.*s' is no number from 0 to 4294967295; a text needs "
                           "identifier_type String (s=)",
                           (int)(text.len < 60 ? text.len : 60), text.at);
        }
        node->id.identifierType = UA_NODEIDTYPE_NUMERIC;
        node->id.identifier.numeric = (uint32_t)number;
        return PS_OK;
    case PS_IDENTIFIER_GUID:
        if (!to_guid(text, &node->id.identifier.guid)) {
            return ps_fail(PS_ERR_INVALID, diag, NULL, "identifier",
                           "'%.*s' is no GUID; it has the form "
                           "09087e75-8e5e-499b-954f-f2a9603db28a",
                           (int)(text.len < 60 ? text.len : 60), text.at);
        }
        node->id.identifierType = UA_NODEIDTYPE_GUID;
        return PS_OK;
    case PS_IDENTIFIER_OPAQUE: {
        size_t len = 0;
        node->owned = ps_alloc(text.len + 1);
        if (!from_base64(text, node->owned, &len)) {
            ps_opcua_node_deinit(node);
            return ps_fail(PS_ERR_INVALID, diag, NULL, "identifier",
                           "'%.*s' is no base64, which an opaque identifier (b=) is written in",
                           (int)(text.len < 60 ? text.len : 60), text.at);
        }
        node->id.identifierType = UA_NODEIDTYPE_BYTESTRING;
        node->id.identifier.byteString = (UA_ByteString){len, node->owned};
        return PS_OK;
    }
    default:
        break;
    }
    if (text.len == 0) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, "identifier",
                       "the identifier of the node is missing; " EXAMPLE);
    }
    node->id.identifierType = UA_NODEIDTYPE_STRING;
    node->id.identifier.string = borrow(text);
    return PS_OK;
}

static PsErr parse_namespace(Text *text, PsOpcuaNode *node, PsDiag *diag) {
    Text part;
    uint64_t number;
    if (take_prefix(text, "nsu=")) {
        if (!take_part(text, &part) || part.len == 0) {
            return ps_fail(
                PS_ERR_INVALID, diag, NULL, "identifier",
                "nsu= needs the URI of the namespace, a semicolon and the identifier; " EXAMPLE);
        }
        node->uri = part.at;
        node->uri_len = (uint32_t)part.len;
        return PS_OK;
    }
    if (take_prefix(text, "ns=")) {
        if (!take_part(text, &part) || !to_number(part, UINT16_MAX, &number)) {
            return ps_fail(
                PS_ERR_INVALID, diag, NULL, "identifier",
                "ns= needs a number from 0 to 65535, a semicolon and the identifier; " EXAMPLE);
        }
        node->id.namespaceIndex = (uint16_t)number;
    }
    return PS_OK;
}

// The kind by its letter, taken; PS_UNSET when there is none.
static int take_kind(Text *text) {
    static const char *const kinds[] = {
        [PS_IDENTIFIER_STRING] = "s=",
        [PS_IDENTIFIER_NUMBER] = "i=",
        [PS_IDENTIFIER_GUID] = "g=",
        [PS_IDENTIFIER_OPAQUE] = "b=",
    };
    for (size_t i = 0; i < PS_COUNT(kinds); i++) {
        if (take_prefix(text, kinds[i])) {
            return (int)i;
        }
    }
    return PS_UNSET;
}

PsErr ps_opcua_node_parse(const char *whole, size_t len, PsOpcuaNode *ret_node, PsDiag *diag) {
    PsOpcuaNode node = {0};
    Text text = {whole, len};
    PsErr err = parse_namespace(&text, &node, diag);
    if (err != PS_OK) {
        return err;
    }
    int kind = take_kind(&text);
    if (kind == PS_UNSET) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, "identifier",
                       "'%.*s' is no node id: it needs s= (text), i= (number), g= (GUID) or b= "
                       "(base64) before the identifier; " EXAMPLE,
                       (int)(len < 60 ? len : 60), whole);
    }
    err = parse_identifier(kind, text, &node, diag);
    if (err == PS_OK) {
        *ret_node = node;
    }
    return err;
}

// A plain identifier may have '=' in it; a whole id begins with its namespace or its kind.
static bool is_whole(const char *text) {
    bool kind = text[0] != '\0' && strchr("sigb", text[0]) != NULL && text[1] == '=';
    return kind || strncmp(text, "ns=", 3) == 0 || strncmp(text, "nsu=", 4) == 0;
}

PsErr ps_opcua_node_of(const PsVariable *variable, PsOpcuaNode *ret_node, PsDiag *diag) {
    const char *text = variable->identifier != NULL ? variable->identifier : "";
    bool alone =
        variable->identifier_type == PS_IDENTIFIER_STRING && variable->namespace_index == 0;
    if (alone && is_whole(text)) {
        return ps_opcua_node_parse(text, strlen(text), ret_node, diag);
    }
    PsOpcuaNode node = {.id.namespaceIndex = variable->namespace_index};
    PsErr err =
        parse_identifier(variable->identifier_type, (Text){text, strlen(text)}, &node, diag);
    if (err == PS_OK) {
        *ret_node = node;
    }
    return err;
}

void ps_opcua_node_deinit(PsOpcuaNode *node) {
    free(node->owned);
    *node = (PsOpcuaNode){0};
}

bool ps_opcua_node_equal(const PsOpcuaNode *a, const PsOpcuaNode *b) {
    if ((a->uri == NULL) != (b->uri == NULL) || a->uri_len != b->uri_len) {
        return false;
    }
    if (a->uri == NULL) {
        return UA_NodeId_equal(&a->id, &b->id);
    }
    UA_NodeId left = a->id;
    UA_NodeId right = b->id;
    left.namespaceIndex = 0; // found out later, of either
    right.namespaceIndex = 0;
    return memcmp(a->uri, b->uri, a->uri_len) == 0 && UA_NodeId_equal(&left, &right);
}

bool ps_opcua_node_has_uri(const PsOpcuaNode *node, const UA_String *uri) {
    size_t at = 0;
    for (uint32_t i = 0; i < node->uri_len; i++) {
        char c = node->uri[i];
        if (c == '%' && node->uri_len - i > 2 && hex_digit(node->uri[i + 1]) >= 0 &&
            hex_digit(node->uri[i + 2]) >= 0) {
            c = (char)(hex_digit(node->uri[i + 1]) << 4 | hex_digit(node->uri[i + 2]));
            i += 2;
        }
        if (at >= uri->length || uri->data[at] != (uint8_t)c) {
            return false;
        }
        at++;
    }
    return at == uri->length;
}

bool ps_opcua_node_resolve(const PsOpcuaNode *node, const UA_String *namespaces, size_t count,
                           UA_NodeId *ret_id) {
    UA_NodeId id = node->id;
    bool found = node->uri == NULL;
    for (size_t i = 0; !found && i < count && i <= UINT16_MAX; i++) {
        found = ps_opcua_node_has_uri(node, &namespaces[i]);
        id.namespaceIndex = (UA_UInt16)i;
    }
    *ret_id = id;
    return found;
}

static void put_base64(const UA_ByteString *bytes, char *out, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = 0;
    for (size_t i = 0; i < bytes->length && len + 5 <= size; i += 3) {
        size_t left = bytes->length - i;
        uint32_t bits = (uint32_t)bytes->data[i] << 16;
        bits |= left > 1 ? (uint32_t)bytes->data[i + 1] << 8 : 0;
        bits |= left > 2 ? bytes->data[i + 2] : 0;
        out[len++] = digits[bits >> 18];
        out[len++] = digits[bits >> 12 & 63];
        out[len++] = left > 1 ? digits[bits >> 6 & 63] : '=';
        out[len++] = left > 2 ? digits[bits & 63] : '=';
    }
    out[len] = '\0';
}

static void put_identifier(const UA_NodeId *id, char *out, size_t size) {
    const UA_Guid *guid = &id->identifier.guid;
    switch (id->identifierType) {
    case UA_NODEIDTYPE_NUMERIC:
        snprintf(out, size, "i=%u", id->identifier.numeric);
        return;
    case UA_NODEIDTYPE_STRING:
        ps_text_format(out, size, "s=%.*s", (int)id->identifier.string.length,
                       id->identifier.string.length > 0 ? (const char *)id->identifier.string.data
                                                        : "");
        return;
    case UA_NODEIDTYPE_GUID:
        snprintf(out, size, "g=%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", guid->data1,
                 guid->data2, guid->data3, guid->data4[0], guid->data4[1], guid->data4[2],
                 guid->data4[3], guid->data4[4], guid->data4[5], guid->data4[6], guid->data4[7]);
        return;
    case UA_NODEIDTYPE_BYTESTRING:
        if (size > 3) {
            memcpy(out, "b=", 3);
            put_base64(&id->identifier.byteString, out + 2, size - 2);
        }
        return;
    default:
        return;
    }
}

void ps_opcua_id_format(const UA_NodeId *id, char *out, size_t size) {
    PS_ASSERT(size >= 16);
    out[0] = '\0';
    size_t len = 0;
    if (id->namespaceIndex != 0) {
        len = (size_t)snprintf(out, size, "ns=%u;", id->namespaceIndex);
    }
    put_identifier(id, out + len, size - len);
}

void ps_opcua_node_format(const PsOpcuaNode *node, char *out, size_t size) {
    if (node->uri == NULL) {
        ps_opcua_id_format(&node->id, out, size);
        return;
    }
    PS_ASSERT(size >= 16);
    ps_text_format(out, size, "nsu=%.*s;", (int)node->uri_len, node->uri);
    size_t len = strlen(out);
    put_identifier(&node->id, out + len, size - len);
}
