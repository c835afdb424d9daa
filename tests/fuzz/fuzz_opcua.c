// Fuzz target: OPC UA node ids from text, and values as a server may send them. The first byte
// chooses: a text; or a data value in binary encoding, for a variable of a data type that the
// second byte names. What a text gives can be written and read again; a value is good and fits, or
// is none.
#include "drivers/opcua/node_id.h"
#include "drivers/opcua/trust.h"
#include "drivers/opcua/value.h"

#include <open62541/types_generated.h>
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

static void parse(const char *text, size_t len) {
    PsOpcuaNode node;
    PsDiag diag = {0};
    char written[PS_OPCUA_NODE_TEXT];
    if (ps_opcua_node_parse(text, len, &node, &diag) != PS_OK) {
        must(diag.text[0] != '\0');
        return;
    }
    ps_opcua_node_format(&node, written, sizeof written);
    must(strlen(written) < sizeof written);
    UA_NodeId id;
    static char word[] = "urn:x";
    UA_String uri = UA_STRING(word);
    (void)ps_opcua_node_resolve(&node, &uri, 1, &id);
    ps_opcua_node_deinit(&node);
}

static void decode(int type, const uint8_t *bytes, size_t len) {
    PsVariable variable = {.data_type = (int8_t)(type % (PS_TYPE_AUTO + 1)),
                           .array_index = type & 0x80 ? 0 : PS_UNSET,
                           .float_repr = 2,
                           .size = 10};
    UA_ByteString encoded = {len, (UA_Byte *)(uintptr_t)bytes};
    UA_DataValue value;
    char text[PS_OPCUA_TEXT_MAX];
    PsValue decoded;
    PsOpcuaWhy why;
    if (UA_decodeBinary(&encoded, &value, &UA_TYPES[UA_TYPES_DATAVALUE], NULL) !=
        UA_STATUSCODE_GOOD) {
        return;
    }
    PsQuality quality = ps_opcua_decode(&variable, &value, text, &decoded, &why);
    must((quality == PS_QUALITY_GOOD) == (decoded.kind != PS_VALUE_NONE));
    must((quality == PS_QUALITY_GOOD) == (why.text[0] == '\0'));
    if (decoded.kind == PS_VALUE_TEXT) {
        must(decoded.text_len <= ps_variable_text_size(&variable));
    }
    char name[64];
    ps_opcua_type_name(&value.value, name, sizeof name);
    UA_DataValue_clear(&value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    PsTrustEntry entry;
    if (size < 2) {
        return 0;
    }
    switch (data[0] % 3) {
    case 0:
        parse((const char *)data + 1, size - 1);
        break;
    case 1:
        decode(data[1], data + 2, size - 2);
        break;
    default:
        (void)ps_opcua_trust_describe(data + 1, size - 1, &entry, NULL);
        break;
    }
    return 0;
}
