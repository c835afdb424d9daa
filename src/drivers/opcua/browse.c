// Looking for variables inside a server: one level of its address space at a time, with what each
// node holds and whether it can be read and written. Runs on the channel's thread; blocks.
#include "base/mem.h"
#include "base/text.h"
#include "drivers/opcua/session.h"

#include <open62541/types_generated.h>
#include <open62541/types_generated_handling.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SKIP_MAX 1000000LL

// One question under way.
typedef struct Browsing {
    PsOpcuaSession *session;
    PsBrowse *browse;
    int64_t timeout_ns;
    uint32_t skip;         // references that were told before
    UA_NodeId *ids;        // of the answer's nodes
    UA_NodeId *types;      // their data types where these are not built in
    UA_NodeClass *classes; // likewise
    UA_ByteString point;   // where the server goes on
    bool more;
} Browsing;

static const char *keep_string(Browsing *browsing, const UA_String *text) {
    char *kept = ps_arena_strndup(browsing->browse->arena,
                                  text->length > 0 ? (const char *)text->data : "", text->length);
    ps_text_make_utf8(kept, strlen(kept));
    return kept;
}

static PsErr fail_node(const PsBrowse *browse, UA_StatusCode status, PsDiag *diag) {
    char words[240];
    ps_opcua_status_words(status, words, sizeof words);
    bool unknown =
        status == UA_STATUSCODE_BADNODEIDUNKNOWN || status == UA_STATUSCODE_BADNODEIDINVALID;
    return ps_fail(unknown ? PS_ERR_NOT_FOUND : PS_ERR_REFUSED, diag, NULL, "node",
                   "looking inside %.100s: %s", browse->node[0] != '\0' ? browse->node : "Objects",
                   words);
}

// With the namespace by its URI: its number may be another one some day. Those of the standard and
// of the server itself (0 and 1) keep theirs.
static const char *keep_address(Browsing *browsing, const UA_NodeId *id) {
    const PsOpcuaConnection *connection = &browsing->session->connection;
    char text[PS_OPCUA_NODE_TEXT];
    char bare[PS_OPCUA_NODE_TEXT];
    UA_NodeId local = *id;
    local.namespaceIndex = 0;
    ps_opcua_id_format(&local, bare, sizeof bare);
    ps_opcua_id_format(id, text, sizeof text);
    if (id->namespaceIndex > 1 && id->namespaceIndex < connection->namespace_count) {
        const UA_String *uri = &connection->namespaces[id->namespaceIndex];
        bool plain = uri->length > 0 && uri->length < 200 &&
                     memchr(uri->data, ';', uri->length) == NULL &&
                     memchr(uri->data, '%', uri->length) == NULL;
        if (plain) {
            ps_text_format(text, sizeof text, "nsu=%.*s;%s", (int)uri->length,
                           (const char *)uri->data, bare);
        }
    }
    return ps_arena_strdup(browsing->browse->arena, text);
}

static void add_reference(Browsing *browsing, UA_ReferenceDescription *reference) {
    PsBrowse *browse = browsing->browse;
    bool variable = reference->nodeClass == UA_NODECLASS_VARIABLE;
    if (browsing->skip > 0) {
        browsing->skip--;
        return;
    }
    if (browse->count == PS_BROWSE_NODES_MAX || reference->nodeId.serverIndex != 0) {
        browsing->more = browsing->more || browse->count == PS_BROWSE_NODES_MAX;
        return;
    }
    const UA_String *name = reference->displayName.text.length > 0 ? &reference->displayName.text
                                                                   : &reference->browseName.name;
    const char *address = keep_address(browsing, &reference->nodeId.nodeId);
    browse->nodes[browse->count] = (PsBrowseNode){
        .name = keep_string(browsing, name),
        .node = address,
        .type = "",
        .address = variable ? address : "",
        .data_type = PS_UNSET,
        .inside = !variable,
    };
    browsing->ids[browse->count] = reference->nodeId.nodeId;
    browsing->classes[browse->count] = reference->nodeClass;
    UA_NodeId_init(&reference->nodeId.nodeId); // taken
    browse->count++;
}

static void add_result(Browsing *browsing, UA_BrowseResult *result) {
    for (size_t i = 0; i < result->referencesSize; i++) {
        add_reference(browsing, &result->references[i]);
    }
    UA_ByteString_clear(&browsing->point);
    browsing->point = result->continuationPoint;
    UA_ByteString_init(&result->continuationPoint);
}

static PsErr take_results(Browsing *browsing, UA_StatusCode status, UA_BrowseResult *results,
                          size_t count, PsDiag *diag) {
    if (status == UA_STATUSCODE_GOOD && count == 1) {
        status = results[0].statusCode;
    }
    if ((status & 0x80000000) != 0 || count != 1) {
        return fail_node(browsing->browse, status != 0 ? status : UA_STATUSCODE_BADUNKNOWNRESPONSE,
                         diag);
    }
    add_result(browsing, &results[0]);
    return PS_OK;
}

static UA_BrowseDescription description_of(const UA_NodeId *id, UA_UInt32 references,
                                           UA_UInt32 results) {
    return (UA_BrowseDescription){
        .nodeId = *id,
        .browseDirection = UA_BROWSEDIRECTION_FORWARD,
        .referenceTypeId = UA_NODEID_NUMERIC(0, references),
        .includeSubtypes = true,
        .nodeClassMask = UA_NODECLASS_OBJECT | UA_NODECLASS_VARIABLE,
        .resultMask = results,
    };
}

static PsErr ask_first(Browsing *browsing, const UA_NodeId *id, PsDiag *diag) {
    UA_BrowseDescription node =
        description_of(id, UA_NS0ID_HIERARCHICALREFERENCES, UA_BROWSERESULTMASK_ALL);
    UA_BrowseRequest request;
    UA_BrowseResponse response;
    UA_StatusCode status = UA_STATUSCODE_GOOD;
    UA_BrowseRequest_init(&request);
    request.requestedMaxReferencesPerNode = PS_BROWSE_NODES_MAX;
    request.nodesToBrowse = &node;
    request.nodesToBrowseSize = 1;
    PsOpcuaCall call = {"browsing",
                        &request,
                        &UA_TYPES[UA_TYPES_BROWSEREQUEST],
                        &response,
                        &UA_TYPES[UA_TYPES_BROWSERESPONSE],
                        browsing->timeout_ns};
    PsErr err = ps_opcua_call(&browsing->session->connection, &call, &status, diag);
    if (err == PS_OK) {
        err = take_results(browsing, status, response.results, response.resultsSize, diag);
        UA_BrowseResponse_clear(&response);
    }
    return err;
}

// The next part, or (release) no more of it.
static PsErr ask_next(Browsing *browsing, bool release, PsDiag *diag) {
    UA_BrowseNextRequest request;
    UA_BrowseNextResponse response;
    UA_StatusCode status = UA_STATUSCODE_GOOD;
    UA_BrowseNextRequest_init(&request);
    request.releaseContinuationPoints = release;
    request.continuationPoints = &browsing->point;
    request.continuationPointsSize = 1;
    PsOpcuaCall call = {"browsing on",
                        &request,
                        &UA_TYPES[UA_TYPES_BROWSENEXTREQUEST],
                        &response,
                        &UA_TYPES[UA_TYPES_BROWSENEXTRESPONSE],
                        browsing->timeout_ns};
    PsErr err = ps_opcua_call(&browsing->session->connection, &call, &status, diag);
    if (err != PS_OK) {
        return err;
    }
    if (!release) {
        err = take_results(browsing, status, response.results, response.resultsSize, diag);
    }
    UA_BrowseNextResponse_clear(&response);
    return err;
}

static PsErr collect(Browsing *browsing, const UA_NodeId *id, PsDiag *diag) {
    PsErr err = ask_first(browsing, id, diag);
    while (err == PS_OK && browsing->point.length > 0 && !browsing->more &&
           browsing->browse->count < PS_BROWSE_NODES_MAX) {
        err = ask_next(browsing, false, diag);
    }
    if (err == PS_OK && browsing->point.length > 0) {
        browsing->more = true;
        err = ask_next(browsing, true, diag);
    }
    return err;
}

// ---- what the variables are

static const UA_UInt32 attributes[] = {UA_ATTRIBUTEID_DATATYPE, UA_ATTRIBUTEID_VALUERANK,
                                       UA_ATTRIBUTEID_ARRAYDIMENSIONS,
                                       UA_ATTRIBUTEID_USERACCESSLEVEL};

// "[10]", "[]", or "" of no array.
static void put_shape(const UA_Variant *rank, const UA_Variant *dimensions, char *out,
                      size_t size) {
    bool array = UA_Variant_hasScalarType(rank, &UA_TYPES[UA_TYPES_INT32]) &&
                 *(const UA_Int32 *)rank->data >= 0;
    bool sized = UA_Variant_hasArrayType(dimensions, &UA_TYPES[UA_TYPES_UINT32]) &&
                 dimensions->arrayLength == 1 && *(const UA_UInt32 *)dimensions->data > 0;
    out[0] = '\0';
    if (array && sized) {
        snprintf(out, size, "[%u]", *(const UA_UInt32 *)dimensions->data);
    } else if (array) {
        snprintf(out, size, "[]");
    }
}

// A type of the server's own is named later; until then its shape stands there.
static void put_type(Browsing *browsing, uint32_t at, const UA_DataValue *values) {
    PsBrowseNode *node = &browsing->browse->nodes[at];
    const UA_Variant *type = &values[0].value;
    char shape[32];
    char text[120];
    if (!UA_Variant_hasScalarType(type, &UA_TYPES[UA_TYPES_NODEID])) {
        return;
    }
    int number = ps_opcua_type_of(type->data);
    bool enumeration = number == UA_TYPES_INT32 &&
                       ((const UA_NodeId *)type->data)->identifier.numeric == UA_NS0ID_ENUMERATION;
    put_shape(&values[1].value, &values[2].value, shape, sizeof shape);
    if (number == PS_UNSET) {
        (void)UA_NodeId_copy(type->data, &browsing->types[at]);
        snprintf(text, sizeof text, "%s", shape);
    } else {
        snprintf(text, sizeof text, "%s%s",
                 enumeration ? "Enumeration" : ps_opcua_type_word(number), shape);
    }
    node->type = ps_arena_strdup(browsing->browse->arena, text);
    node->data_type = shape[0] != '\0' ? PS_UNSET : ps_opcua_data_type(number);
}

static void put_type_name(Browsing *browsing, uint32_t at, const UA_DataValue *value) {
    PsBrowseNode *node = &browsing->browse->nodes[at];
    char name[100];
    char text[140];
    ps_opcua_id_format(&browsing->types[at], name, sizeof name);
    if (UA_Variant_hasScalarType(&value->value, &UA_TYPES[UA_TYPES_QUALIFIEDNAME])) {
        const UA_String *said = &((const UA_QualifiedName *)value->value.data)->name;
        ps_text_format(name, sizeof name, "%.*s", (int)said->length,
                       said->length > 0 ? (const char *)said->data : "");
    }
    snprintf(text, sizeof text, "%s%s", name, node->type);
    node->type = ps_arena_strdup(browsing->browse->arena, text);
}

static void put_access(PsBrowseNode *node, const UA_DataValue *value) {
    if (UA_Variant_hasScalarType(&value->value, &UA_TYPES[UA_TYPES_BYTE])) {
        UA_Byte level = *(const UA_Byte *)value->value.data;
        node->readable = (level & UA_ACCESSLEVELMASK_READ) != 0;
        node->writable = (level & UA_ACCESSLEVELMASK_WRITE) != 0;
    }
}

static PsErr read_some(Browsing *browsing, const uint32_t *nodes, uint32_t count, PsDiag *diag) {
    size_t ask_count = count * PS_COUNT(attributes);
    UA_ReadValueId *asks = ps_alloc_array(ask_count, sizeof *asks);
    for (size_t i = 0; i < ask_count; i++) {
        asks[i].nodeId = browsing->ids[nodes[i / PS_COUNT(attributes)]];
        asks[i].attributeId = attributes[i % PS_COUNT(attributes)];
    }
    UA_ReadResponse response;
    UA_StatusCode status = UA_STATUSCODE_GOOD;
    UA_ReadResponse_init(&response);
    PsErr err = ps_opcua_read_nodes(browsing->session, asks, ask_count, browsing->timeout_ns,
                                    &response, &status, diag);
    free(asks);
    if (err != PS_OK) {
        return err;
    }
    for (uint32_t i = 0; status == UA_STATUSCODE_GOOD && i < count; i++) {
        const UA_DataValue *values = &response.results[i * PS_COUNT(attributes)];
        PsBrowseNode *node = &browsing->browse->nodes[nodes[i]];
        put_type(browsing, nodes[i], values);
        put_access(node, &values[3]);
    }
    UA_ReadResponse_clear(&response);
    return PS_OK;
}

// Types of the server's own: enumerations, structures, Counter and other kinds of numbers.
static PsErr name_types(Browsing *browsing, const uint32_t *nodes, uint32_t count, PsDiag *diag) {
    UA_ReadValueId *asks = ps_alloc_array(count, sizeof *asks);
    uint32_t *asked = ps_alloc_array(count, sizeof *asked);
    UA_ReadResponse response;
    UA_StatusCode status = UA_STATUSCODE_GOOD;
    uint32_t used = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!UA_NodeId_isNull(&browsing->types[nodes[i]])) {
            asks[used].nodeId = browsing->types[nodes[i]];
            asks[used].attributeId = UA_ATTRIBUTEID_BROWSENAME;
            asked[used++] = nodes[i];
        }
    }
    UA_ReadResponse_init(&response);
    PsErr err = used > 0 ? ps_opcua_read_nodes(browsing->session, asks, used, browsing->timeout_ns,
                                               &response, &status, diag)
                         : PS_OK;
    for (size_t i = 0; err == PS_OK && i < response.resultsSize; i++) {
        put_type_name(browsing, asked[i], &response.results[i]);
    }
    if (err == PS_OK) {
        UA_ReadResponse_clear(&response);
    }
    free(asks);
    free(asked);
    return err;
}

// Does a variable have something below it? Its properties (units, limits) do not count.
static PsErr look_inside(Browsing *browsing, const uint32_t *nodes, uint32_t count, PsDiag *diag) {
    UA_BrowseDescription *descriptions = ps_alloc_array(count, sizeof *descriptions);
    for (uint32_t i = 0; i < count; i++) {
        descriptions[i] = description_of(&browsing->ids[nodes[i]], UA_NS0ID_HASCOMPONENT, 0);
    }
    UA_BrowseRequest request;
    UA_BrowseResponse response;
    UA_StatusCode status = UA_STATUSCODE_GOOD;
    UA_BrowseRequest_init(&request);
    request.nodesToBrowse = descriptions;
    request.nodesToBrowseSize = count;
    PsOpcuaCall call = {"browsing",
                        &request,
                        &UA_TYPES[UA_TYPES_BROWSEREQUEST],
                        &response,
                        &UA_TYPES[UA_TYPES_BROWSERESPONSE],
                        browsing->timeout_ns};
    PsErr err = ps_opcua_call(&browsing->session->connection, &call, &status, diag);
    free(descriptions);
    if (err != PS_OK) {
        return err;
    }
    for (uint32_t i = 0; i < count && i < response.resultsSize; i++) {
        browsing->browse->nodes[nodes[i]].inside = response.results[i].referencesSize > 0;
    }
    UA_BrowseResponse_clear(&response);
    return PS_OK;
}

static PsErr describe_variables(Browsing *browsing, PsDiag *diag) {
    const PsOpcuaLimits *limits = &browsing->session->connection.limits;
    uint32_t by_read = limits->read / (uint32_t)PS_COUNT(attributes);
    uint32_t most = by_read < limits->browse ? by_read : limits->browse;
    uint32_t some[PS_BROWSE_NODES_MAX];
    uint32_t count = 0;
    most = most == 0 ? 1 : most < PS_BROWSE_NODES_MAX ? most : PS_BROWSE_NODES_MAX;
    PsErr err = PS_OK;
    for (uint32_t i = 0; err == PS_OK && i < browsing->browse->count; i++) {
        if (browsing->classes[i] == UA_NODECLASS_VARIABLE) {
            some[count++] = i;
        }
        bool last = i + 1 == browsing->browse->count;
        if (count > 0 && (count == most || last)) {
            err = read_some(browsing, some, count, diag);
            err = err != PS_OK ? err : name_types(browsing, some, count, diag);
            err = err != PS_OK ? err : look_inside(browsing, some, count, diag);
            count = 0;
        }
    }
    return err;
}

static PsErr run(Browsing *browsing, PsDiag *diag) {
    PsBrowse *browse = browsing->browse;
    const PsOpcuaConnection *connection = &browsing->session->connection;
    PsOpcuaNode node = {.id = UA_NODEID_NUMERIC(0, UA_NS0ID_OBJECTSFOLDER)};
    UA_NodeId id;
    PsErr err = PS_OK;
    if (browse->node[0] != '\0') {
        err = ps_opcua_node_parse(browse->node, strlen(browse->node), &node, diag);
        err = err == PS_ERR_INVALID ? PS_ERR_NOT_FOUND : err;
    }
    if (err == PS_OK &&
        !ps_opcua_node_resolve(&node, connection->namespaces, connection->namespace_count, &id)) {
        err = ps_fail(PS_ERR_NOT_FOUND, diag, NULL, "node",
                      "the server has no namespace with the URI in %.120s", browse->node);
    }
    uint32_t told = browsing->skip;
    err = err != PS_OK ? err : collect(browsing, &id, diag);
    err = err != PS_OK ? err : describe_variables(browsing, diag);
    ps_opcua_node_deinit(&node);
    if (err == PS_OK && browsing->more) {
        char next[24];
        snprintf(next, sizeof next, "%u", told + browse->count);
        browse->next = ps_arena_strdup(browse->arena, next);
    }
    return err;
}

PsErr ps_opcua_browse(PsSession *base, uint32_t device, PsBrowse *browse, PsDiag *diag) {
    PsOpcuaSession *session = ps_opcua_session(base);
    Browsing browsing = {
        .session = session,
        .browse = browse,
        .timeout_ns = ps_opcua_timeout_ns(session, device),
        .ids = ps_alloc_array(PS_BROWSE_NODES_MAX, sizeof *browsing.ids),
        .types = ps_alloc_array(PS_BROWSE_NODES_MAX, sizeof *browsing.types),
        .classes = ps_alloc_array(PS_BROWSE_NODES_MAX, sizeof *browsing.classes),
    };
    long long skip = 0;
    browse->count = 0;
    browse->next = "";
    if (browse->after[0] != '\0' && !ps_text_to_int(browse->after, 0, SKIP_MAX, &skip)) {
        skip = 0;
    }
    browsing.skip = (uint32_t)skip;
    PsErr err = run(&browsing, diag);
    for (uint32_t i = 0; i < PS_BROWSE_NODES_MAX; i++) {
        UA_NodeId_clear(&browsing.ids[i]);
        UA_NodeId_clear(&browsing.types[i]);
    }
    UA_ByteString_clear(&browsing.point);
    free(browsing.ids);
    free(browsing.types);
    free(browsing.classes);
    return err;
}
