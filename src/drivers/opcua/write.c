// Writing with read-back. The server takes only the very type its node has, so the type comes from
// the node's own value. Runs on the channel's thread; blocks.
#include "drivers/opcua/session.h"

#include "drivers/tcp_connect.h"

#include <open62541/types_generated.h>
#include <open62541/types_generated_handling.h>
#include <string.h>

// One write under way.
typedef struct Write {
    PsOpcuaSession *session;
    PsOpcuaItem item;
    UA_NodeId id;
    int64_t timeout_ns;
} Write;

static PsErr fail_status(const Write *write, UA_StatusCode status, const char *verb, PsDiag *diag) {
    char words[240];
    char node[PS_OPCUA_NODE_TEXT];
    ps_opcua_status_words(status, words, sizeof words);
    ps_opcua_node_format(&write->item.node, node, sizeof node);
    return ps_fail(PS_ERR_REFUSED, diag, NULL, NULL, "%s %.100s: %s", verb, node, words);
}

static PsErr read_one(const Write *write, UA_UInt32 attribute, UA_ReadResponse *ret_response,
                      PsDiag *diag) {
    UA_ReadValueId ask = ps_opcua_item_ask(&write->item, &write->id);
    UA_StatusCode status = UA_STATUSCODE_GOOD;
    if (attribute != UA_ATTRIBUTEID_VALUE) {
        ask.attributeId = attribute;
        ask.indexRange = UA_STRING_NULL;
    }
    PsErr err = ps_opcua_read_nodes(write->session, &ask, 1, write->timeout_ns, ret_response,
                                    &status, diag);
    if (err == PS_OK && status != UA_STATUSCODE_GOOD) {
        UA_ReadResponse_clear(ret_response);
        return fail_status(write, status, "reading the type of", diag);
    }
    return err;
}

// Of a node that cannot be read, or has no value yet.
static PsErr declared_type(Write *write, PsDiag *diag) {
    UA_ReadResponse response;
    PsErr err = read_one(write, UA_ATTRIBUTEID_DATATYPE, &response, diag);
    if (err != PS_OK) {
        return err;
    }
    const UA_DataValue *data = &response.results[0];
    bool bad = data->hasStatus && (data->status & 0x80000000) != 0;
    bool id = data->hasValue && UA_Variant_hasScalarType(&data->value, &UA_TYPES[UA_TYPES_NODEID]);
    int type = id ? ps_opcua_type_of(data->value.data) : PS_UNSET;
    if (bad) {
        err = fail_status(write, data->status, "reading the type of", diag);
    } else if (type == PS_UNSET) {
        err = ps_fail(PS_ERR_REFUSED, diag, NULL, NULL,
                      "the node has no value yet and a type of its own, so that its type cannot be "
                      "told; have the server give it a value first");
    } else {
        write->item.type = (uint8_t)type;
    }
    UA_ReadResponse_clear(&response);
    return err;
}

static PsErr find_type(Write *write, PsDiag *diag) {
    UA_ReadResponse response;
    PsErr err = read_one(write, UA_ATTRIBUTEID_VALUE, &response, diag);
    if (err != PS_OK) {
        return err;
    }
    const UA_DataValue *data = &response.results[0];
    UA_StatusCode status = data->hasStatus ? data->status : UA_STATUSCODE_GOOD;
    bool present = data->hasValue && data->value.type != NULL;
    bool whole_array = present && !write->item.array && !UA_Variant_isScalar(&data->value);
    if (present) {
        write->item.type = (uint8_t)ps_opcua_type_number(&data->value);
    }
    UA_ReadResponse_clear(&response);
    if (whole_array) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, NULL,
                       "the node is a whole array; choose an element with array_index");
    }
    if (present) {
        return PS_OK;
    }
    if (status == UA_STATUSCODE_BADNODEIDUNKNOWN || status == UA_STATUSCODE_BADINDEXRANGENODATA ||
        status == UA_STATUSCODE_BADINDEXRANGEINVALID) {
        return fail_status(write, status, "writing", diag);
    }
    return declared_type(write, diag);
}

// What reading has seen of it.
static uint8_t known_type(const PsOpcuaSession *session, uint32_t variable) {
    for (uint32_t s = 0; s < session->endpoint->set_count; s++) {
        for (uint32_t i = 0; i < session->plans[s].item_count; i++) {
            if (session->plans[s].items[i].variable == variable) {
                return session->plans[s].items[i].type;
            }
        }
    }
    return PS_OPCUA_TYPE_UNKNOWN;
}

static PsErr send(const Write *write, UA_WriteValue *value, UA_StatusCode *ret_status,
                  PsDiag *diag) {
    UA_WriteRequest request;
    UA_WriteResponse response;
    UA_StatusCode status = UA_STATUSCODE_GOOD;
    UA_WriteRequest_init(&request);
    request.nodesToWrite = value;
    request.nodesToWriteSize = 1;
    PsOpcuaCall call = {"writing",
                        &request,
                        &UA_TYPES[UA_TYPES_WRITEREQUEST],
                        &response,
                        &UA_TYPES[UA_TYPES_WRITERESPONSE],
                        write->timeout_ns};
    PsErr err = ps_opcua_call(&write->session->connection, &call, &status, diag);
    if (err != PS_OK) {
        return err;
    }
    if (status == UA_STATUSCODE_GOOD) {
        status = response.resultsSize == 1 ? response.results[0] : UA_STATUSCODE_BADUNKNOWNRESPONSE;
    }
    UA_WriteResponse_clear(&response);
    *ret_status = status;
    return PS_OK;
}

static PsErr write_value(Write *write, PsValue value, UA_StatusCode *ret_status, PsDiag *diag) {
    UA_ReadValueId place = ps_opcua_item_ask(&write->item, &write->id);
    UA_WriteValue request = {.nodeId = place.nodeId,
                             .attributeId = place.attributeId,
                             .indexRange = place.indexRange,
                             .value = {.hasValue = true}}; // some servers refuse more
    PsErr err =
        ps_opcua_encode(value, write->item.type, write->item.array, &request.value.value, diag);
    if (err == PS_ERR_UNSUPPORTED) {
        return PS_ERR_INVALID;
    }
    err = err != PS_OK ? err : send(write, &request, ret_status, diag);
    UA_Variant_clear(&request.value.value);
    return err;
}

static PsValue read_back(const Write *write) {
    PsOpcuaSession *session = write->session;
    const PsVariable *variable = &session->endpoint->config->variables[write->item.variable];
    UA_ReadResponse response;
    PsValue value = ps_value_none();
    if (read_one(write, UA_ATTRIBUTEID_VALUE, &response, NULL) != PS_OK) {
        return value;
    }
    (void)ps_opcua_decode(variable, &response.results[0], session->text, &value, NULL);
    if (value.kind == PS_VALUE_TEXT) {
        // What it points to goes with the response.
        memmove(session->text, value.text,
                value.text_len < sizeof session->text ? value.text_len : sizeof session->text);
        value.text = session->text;
    }
    UA_ReadResponse_clear(&response);
    return value;
}

static PsErr run(Write *write, PsValue value, PsDiag *diag) {
    UA_StatusCode status = UA_STATUSCODE_GOOD;
    bool guessed = write->item.type != PS_OPCUA_TYPE_UNKNOWN;
    PsErr err = guessed ? PS_OK : find_type(write, diag);
    err = err != PS_OK ? err : write_value(write, value, &status, diag);
    if (err == PS_OK && status == UA_STATUSCODE_BADTYPEMISMATCH && guessed) {
        // The server's program was changed since.
        err = find_type(write, diag);
        err = err != PS_OK ? err : write_value(write, value, &status, diag);
    }
    if (err == PS_OK && (status & 0x80000000) != 0) {
        return fail_status(write, status, "writing", diag);
    }
    return err;
}

PsErr ps_opcua_write(PsSession *base, uint32_t index, PsValue value, PsValue *ret_read_back,
                     PsDiag *diag) {
    PsOpcuaSession *session = ps_opcua_session(base);
    const PsConfig *config = session->endpoint->config;
    const PsVariable *variable = &config->variables[index];
    Write write = {.session = session,
                   .timeout_ns = ps_opcua_timeout_ns(session, variable->device)};
    PsErr err = ps_opcua_ready(session, diag);
    err = err != PS_OK ? err : ps_opcua_item_init(&write.item, config, index, diag);
    if (err != PS_OK) {
        return err;
    }
    write.item.type = known_type(session, index);
    if (!ps_opcua_node_resolve(&write.item.node, session->connection.namespaces,
                               session->connection.namespace_count, &write.id)) {
        err = ps_fail(PS_ERR_REFUSED, diag, NULL, NULL,
                      "the server has no namespace with the URI of the node");
    }
    err = err != PS_OK ? err : run(&write, value, diag);
    if (err == PS_OK) {
        // The server has acknowledged: from here on the write is done, whatever the read-back
        // brings.
        *ret_read_back = variable->access == PS_ACCESS_WRITE ? ps_value_none() : read_back(&write);
    }
    ps_opcua_item_deinit(&write.item);
    return err;
}
