// One variable alone, with everything the server says about it. Runs on the channel's thread;
// blocks.
#include "drivers/opcua/session.h"

#include <open62541/types_generated.h>
#include <open62541/types_generated_handling.h>
#include <stdio.h>
#include <string.h>

// The message's own content, without the session's token, which is nobody's business.
static void keep_body(const void *message, const UA_DataType *type, uint8_t *out,
                      uint32_t *ret_len) {
    UA_ByteString bytes = UA_BYTESTRING_NULL;
    *ret_len = 0;
    if (UA_encodeBinary(message, type, &bytes) == UA_STATUSCODE_GOOD) {
        *ret_len =
            (uint32_t)(bytes.length < PS_PEEK_FRAME_BYTES ? bytes.length : PS_PEEK_FRAME_BYTES);
        memcpy(out, bytes.data, *ret_len);
    }
    UA_ByteString_clear(&bytes);
}

// The value alone as it is on the wire, little endian.
static void keep_value(const UA_Variant *value, PsPeek *peek) {
    UA_ByteString bytes = UA_BYTESTRING_NULL;
    if (value->type != NULL && value->data > UA_EMPTY_ARRAY_SENTINEL &&
        UA_encodeBinary(value->data, value->type, &bytes) == UA_STATUSCODE_GOOD) {
        peek->len = (uint32_t)(bytes.length < PS_PEEK_BYTES ? bytes.length : PS_PEEK_BYTES);
        memcpy(peek->bytes, bytes.data, peek->len);
    }
    UA_ByteString_clear(&bytes);
}

static void describe_answer(const PsVariable *variable, const UA_DataValue *data, char *text,
                            PsPeek *peek) {
    UA_StatusCode status = data->hasStatus ? data->status : UA_STATUSCODE_GOOD;
    PsOpcuaWhy why;
    PsValue value;
    (void)ps_opcua_decode(variable, data, text, &value, &why);
    if (data->hasValue) {
        ps_opcua_type_name(&data->value, peek->type, sizeof peek->type);
        keep_value(&data->value, peek);
    }
    if ((status & 0x80000000) != 0) {
        peek->code = status;
        ps_opcua_status_words(status, peek->meaning, sizeof peek->meaning);
    } else if (why.text[0] != '\0') {
        snprintf(peek->meaning, sizeof peek->meaning, "%.199s", why.text);
    } else if (status != UA_STATUSCODE_GOOD) {
        ps_opcua_status_words(status, peek->meaning, sizeof peek->meaning);
    }
}

static PsErr ask(PsOpcuaSession *session, const PsOpcuaItem *item, const UA_NodeId *id,
                 PsPeek *peek, PsDiag *diag) {
    const PsConfig *config = session->endpoint->config;
    const PsVariable *variable = &config->variables[item->variable];
    UA_ReadValueId node = ps_opcua_item_ask(item, id);
    UA_ReadRequest request;
    UA_ReadResponse response;
    UA_StatusCode status = UA_STATUSCODE_GOOD;
    UA_ReadRequest_init(&request);
    request.timestampsToReturn = UA_TIMESTAMPSTORETURN_NEITHER;
    request.nodesToRead = &node;
    request.nodesToReadSize = 1;
    keep_body(&request, &UA_TYPES[UA_TYPES_READREQUEST], peek->sent, &peek->sent_len);
    PsErr err =
        ps_opcua_read_nodes(session, &node, 1, ps_opcua_timeout_ns(session, variable->device),
                            &response, &status, diag);
    if (err != PS_OK) {
        return err;
    }
    keep_body(&response, &UA_TYPES[UA_TYPES_READRESPONSE], peek->received, &peek->received_len);
    if (status != UA_STATUSCODE_GOOD) {
        peek->code = status;
        ps_opcua_status_words(status, peek->meaning, sizeof peek->meaning);
    } else {
        describe_answer(variable, &response.results[0], session->text, peek);
    }
    UA_ReadResponse_clear(&response);
    if (peek->code != 0) {
        ps_opcua_tell(session, item, peek->meaning, diag);
        return PS_ERR_REFUSED;
    }
    return PS_OK;
}

PsErr ps_opcua_peek(PsSession *base, uint32_t index, PsPeek *peek, PsDiag *diag) {
    PsOpcuaSession *session = ps_opcua_session(base);
    PsOpcuaItem item;
    UA_NodeId id;
    PsErr err = ps_opcua_ready(session, diag);
    err = err != PS_OK ? err : ps_opcua_item_init(&item, session->endpoint->config, index, diag);
    if (err != PS_OK) {
        return err;
    }
    char node[PS_OPCUA_NODE_TEXT];
    ps_opcua_node_format(&item.node, node, sizeof node);
    snprintf(peek->request, sizeof peek->request, "Read: the Value of %.110s%s%s%s", node,
             item.array ? ", element " : "", item.element, "");
    peek->ordered = true;
    if (!ps_opcua_node_resolve(&item.node, session->connection.namespaces,
                               session->connection.namespace_count, &id)) {
        peek->code = UA_STATUSCODE_BADNODEIDUNKNOWN;
        snprintf(peek->meaning, sizeof peek->meaning,
                 "the server has no namespace with this URI; nothing was asked");
        ps_opcua_tell(session, &item, peek->meaning, diag);
        err = PS_ERR_REFUSED;
    } else {
        err = ask(session, &item, &id, peek, diag);
    }
    ps_opcua_item_deinit(&item);
    return err;
}
