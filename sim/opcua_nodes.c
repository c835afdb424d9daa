// The table of OPC UA nodes and their values, taken from the plant and put into it item by item.
// Callbacks run on the server's thread; the lock is held for a copy only.
#include "sim/opcua_nodes.h"

#include "base/mem.h"

#include <string.h>

#define RECIPE_CHARACTERS 16
#define TYPE(name) &UA_TYPES[UA_TYPES_##name]

struct PsSimOpcuaSpec {
    const char *id; // "Folder.Name"
    const UA_DataType *type;
    const char *item; // first of the plant's; NULL: memory
    bool writable;
    uint32_t elements; // 0: a scalar
    double start;      // of memory
};

static const PsSimOpcuaSpec specs[] = {
    {"Plant.Temperature", TYPE(DOUBLE), "40002", false, 0, 0},
    {"Plant.Counter", TYPE(UINT32), "40004", false, 0, 0},
    {"Plant.Setpoint", TYPE(INT16), "40101", true, 0, 0},
    {"Plant.StirrerSetpoint", TYPE(FLOAT), "40102", true, 0, 0},
    {"Plant.Recipe", TYPE(STRING), "40104", true, 0, 0},
    {"Plant.Heater", TYPE(BOOLEAN), "1", true, 0, 0},
    {"Plant.Level", TYPE(UINT16), "30001", false, 0, 0},
    {"Plant.Speed", TYPE(FLOAT), "30002", false, 0, 0},
    {"Memory.Numbers", TYPE(INT32), NULL, true, 10, 0},
    {"Types.Boolean", TYPE(BOOLEAN), NULL, true, 0, 1},
    {"Types.SByte", TYPE(SBYTE), NULL, true, 0, -8},
    {"Types.Byte", TYPE(BYTE), NULL, true, 0, 8},
    {"Types.Int16", TYPE(INT16), NULL, true, 0, -16},
    {"Types.UInt16", TYPE(UINT16), NULL, true, 0, 16},
    {"Types.Int32", TYPE(INT32), NULL, true, 0, -32},
    {"Types.UInt32", TYPE(UINT32), NULL, true, 0, 32},
    {"Types.Int64", TYPE(INT64), NULL, true, 0, -64},
    {"Types.UInt64", TYPE(UINT64), NULL, true, 0, 64},
    {"Types.Float", TYPE(FLOAT), NULL, true, 0, 32.5},
    {"Types.Double", TYPE(DOUBLE), NULL, true, 0, 64.25},
    {"Types.String", TYPE(STRING), NULL, true, 0, 0},
    {"Types.DateTime", TYPE(DATETIME), NULL, true, 0, 1.3e17},
    {"Types.ByteString", TYPE(BYTESTRING), NULL, true, 0, 0},
};

static const char *const folders[] = {"Plant", "Memory", "Types"};

static PsSimAddress address_of(const PsSimOpcuaSpec *spec) {
    PsSimAddress address = {0};
    PsErr err = ps_sim_address_parse(spec->item, strlen(spec->item), &address);
    PS_ASSERT(err == PS_OK);
    return address;
}

static void get_items(const PsSimOpcuaNode *node, size_t count, uint16_t *ret_values) {
    const PsSimSideSetup *setup = &node->all->setup;
    setup->items(setup->plant, address_of(node->spec), count, ret_values);
}

static void put_items(const PsSimOpcuaNode *node, size_t count, const uint16_t *values) {
    const PsSimSideSetup *setup = &node->all->setup;
    setup->write_items(setup->plant, address_of(node->spec), count, values);
}

static uint16_t get_item(const PsSimOpcuaNode *node) {
    uint16_t value;
    get_items(node, 1, &value);
    return value;
}

static uint32_t get_pair(const PsSimOpcuaNode *node) {
    uint16_t pair[2];
    get_items(node, 2, pair);
    return (uint32_t)pair[0] << 16 | pair[1];
}

static float get_float(const PsSimOpcuaNode *node) {
    uint32_t image = get_pair(node);
    float value;
    memcpy(&value, &image, sizeof value);
    return value;
}

static size_t get_text(const PsSimOpcuaNode *node, char text[RECIPE_CHARACTERS]) {
    uint16_t pairs[RECIPE_CHARACTERS / 2];
    get_items(node, PS_COUNT(pairs), pairs);
    for (size_t i = 0; i < PS_COUNT(pairs); i++) {
        text[2 * i] = (char)(pairs[i] >> 8);
        text[2 * i + 1] = (char)pairs[i];
    }
    return strnlen(text, RECIPE_CHARACTERS);
}

static UA_StatusCode plant_value(const PsSimOpcuaNode *node, UA_Variant *out) {
    const UA_DataType *type = node->spec->type;
    char text[RECIPE_CHARACTERS];
    union {
        UA_Boolean boolean;
        UA_Int16 int16;
        UA_UInt16 uint16;
        UA_UInt32 uint32;
        UA_Float real;
        UA_Double wide;
        UA_String text;
    } value;
    switch (type->typeKind) {
    case UA_DATATYPEKIND_BOOLEAN:
        value.boolean = get_item(node) != 0;
        break;
    case UA_DATATYPEKIND_UINT32:
        value.uint32 = get_pair(node);
        break;
    case UA_DATATYPEKIND_FLOAT:
        value.real = get_float(node);
        break;
    case UA_DATATYPEKIND_DOUBLE:
        value.wide = (double)get_float(node);
        break;
    case UA_DATATYPEKIND_STRING:
        value.text.data = (UA_Byte *)text;
        value.text.length = get_text(node, text);
        break;
    default:
        value.uint16 = get_item(node); // INT16 has the same bits
        break;
    }
    return UA_Variant_setScalarCopy(out, &value, type);
}

static void put_text(const PsSimOpcuaNode *node, UA_String text) {
    uint16_t pairs[RECIPE_CHARACTERS / 2];
    for (size_t i = 0; i < PS_COUNT(pairs); i++) {
        unsigned high = 2 * i < text.length ? text.data[2 * i] : 0;
        unsigned low = 2 * i + 1 < text.length ? text.data[2 * i + 1] : 0;
        pairs[i] = (uint16_t)(high << 8 | low);
    }
    put_items(node, PS_COUNT(pairs), pairs);
}

static UA_StatusCode put_plant_value(const PsSimOpcuaNode *node, const UA_Variant *value) {
    uint16_t items[2] = {0};
    switch (node->spec->type->typeKind) {
    case UA_DATATYPEKIND_BOOLEAN:
        items[0] = *(const UA_Boolean *)value->data;
        put_items(node, 1, items);
        return UA_STATUSCODE_GOOD;
    case UA_DATATYPEKIND_FLOAT: {
        uint32_t image;
        memcpy(&image, value->data, sizeof image);
        items[0] = (uint16_t)(image >> 16);
        items[1] = (uint16_t)image;
        put_items(node, 2, items);
        return UA_STATUSCODE_GOOD;
    }
    case UA_DATATYPEKIND_STRING: {
        UA_String text = *(const UA_String *)value->data;
        if (text.length > RECIPE_CHARACTERS) {
            return UA_STATUSCODE_BADOUTOFRANGE;
        }
        put_text(node, text);
        return UA_STATUSCODE_GOOD;
    }
    default:
        memcpy(items, value->data, sizeof items[0]);
        put_items(node, 1, items);
        return UA_STATUSCODE_GOOD;
    }
}

static UA_StatusCode read_value(UA_Server *server, const UA_NodeId *session, void *session_context,
                                const UA_NodeId *id, void *context, UA_Boolean stamp,
                                const UA_NumericRange *range, UA_DataValue *out) {
    (void)server, (void)session, (void)session_context, (void)id;
    PsSimOpcuaNode *node = context;
    pthread_mutex_lock(&node->all->lock);
    UA_StatusCode fault = node->all->adding ? UA_STATUSCODE_GOOD : node->status;
    UA_StatusCode status = UA_STATUSCODE_GOOD;
    if (node->spec->item == NULL) {
        status = range != NULL ? UA_Variant_copyRange(&node->memory, &out->value, *range)
                               : UA_Variant_copy(&node->memory, &out->value);
    }
    pthread_mutex_unlock(&node->all->lock);
    if (node->spec->item != NULL) {
        status = range != NULL ? UA_STATUSCODE_BADINDEXRANGENODATA : plant_value(node, &out->value);
    }
    if (status != UA_STATUSCODE_GOOD) {
        return status;
    }
    out->hasValue = true;
    out->hasStatus = fault != UA_STATUSCODE_GOOD;
    out->status = fault;
    out->hasSourceTimestamp = stamp;
    out->sourceTimestamp = UA_DateTime_now();
    return UA_STATUSCODE_GOOD;
}

static UA_StatusCode put_memory(PsSimOpcuaNode *node, const UA_NumericRange *range,
                                const UA_Variant *value) {
    if (range != NULL) {
        size_t count = UA_Variant_isScalar(value) ? 1 : value->arrayLength;
        return UA_Variant_setRangeCopy(&node->memory, value->data, count, *range);
    }
    if (UA_Variant_isScalar(value) != (node->spec->elements == 0) ||
        (node->spec->elements > 0 && value->arrayLength != node->spec->elements)) {
        return UA_STATUSCODE_BADTYPEMISMATCH;
    }
    UA_Variant copy;
    UA_StatusCode status = UA_Variant_copy(value, &copy);
    if (status == UA_STATUSCODE_GOOD) {
        UA_Variant_clear(&node->memory);
        node->memory = copy;
    }
    return status;
}

static UA_StatusCode write_value(UA_Server *server, const UA_NodeId *session, void *session_context,
                                 const UA_NodeId *id, void *context, const UA_NumericRange *range,
                                 const UA_DataValue *value) {
    (void)server, (void)session, (void)session_context, (void)id;
    PsSimOpcuaNode *node = context;
    if (!value->hasValue || value->value.data == NULL || value->value.type != node->spec->type) {
        return UA_STATUSCODE_BADTYPEMISMATCH;
    }
    if (node->spec->item != NULL) {
        return range != NULL || !UA_Variant_isScalar(&value->value)
                   ? UA_STATUSCODE_BADTYPEMISMATCH
                   : put_plant_value(node, &value->value);
    }
    pthread_mutex_lock(&node->all->lock);
    UA_StatusCode status = put_memory(node, range, &value->value);
    pthread_mutex_unlock(&node->all->lock);
    return status;
}

// The type's own width: every number of the table fits its type.
static void put_start(const PsSimOpcuaSpec *spec, void *out) {
    int64_t whole = (int64_t)spec->start;
    float narrow = (float)spec->start;
    switch (spec->type->typeKind) {
    case UA_DATATYPEKIND_FLOAT:
        memcpy(out, &narrow, sizeof narrow);
        break;
    case UA_DATATYPEKIND_DOUBLE:
        memcpy(out, &spec->start, sizeof spec->start);
        break;
    case UA_DATATYPEKIND_STRING:
        *(UA_String *)out = UA_STRING_ALLOC("text");
        break;
    case UA_DATATYPEKIND_BYTESTRING:
        *(UA_ByteString *)out = UA_BYTESTRING_ALLOC("\x01\x02\x03");
        break;
    default:
        memcpy(out, &whole, spec->type->memSize); // low bytes come first here
        break;
    }
}

static void put_memory_start(PsSimOpcuaNode *node) {
    const PsSimOpcuaSpec *spec = node->spec;
    if (spec->elements > 0) {
        void *array = UA_Array_new(spec->elements, spec->type);
        PS_ASSERT(array != NULL);
        UA_Variant_setArray(&node->memory, array, spec->elements, spec->type);
        return;
    }
    void *scalar = UA_new(spec->type);
    PS_ASSERT(scalar != NULL);
    put_start(spec, scalar);
    UA_Variant_setScalar(&node->memory, scalar, spec->type);
}

void ps_sim_opcua_nodes_init(PsSimOpcuaNodes *nodes, const PsSimSideSetup *setup) {
    _Static_assert(PS_COUNT(specs) <= PS_SIM_OPCUA_NODES, "room for every node");
    *nodes = (PsSimOpcuaNodes){.setup = *setup, .count = PS_COUNT(specs)};
    pthread_mutex_init(&nodes->lock, NULL);
    for (uint32_t i = 0; i < nodes->count; i++) {
        nodes->nodes[i] = (PsSimOpcuaNode){.spec = &specs[i], .all = nodes};
        if (specs[i].item == NULL) {
            put_memory_start(&nodes->nodes[i]);
        }
    }
}

void ps_sim_opcua_nodes_deinit(PsSimOpcuaNodes *nodes) {
    for (uint32_t i = 0; i < nodes->count; i++) {
        UA_Variant_clear(&nodes->nodes[i].memory);
    }
    pthread_mutex_destroy(&nodes->lock);
}

static UA_NodeId id_of(const PsSimOpcuaNodes *nodes, const char *text) {
    // The library takes a text it does not change without const.
    return (UA_NodeId){.namespaceIndex = nodes->space,
                       .identifierType = UA_NODEIDTYPE_STRING,
                       .identifier.string = {strlen(text), (UA_Byte *)(uintptr_t)text}};
}

static UA_QualifiedName name_of(const PsSimOpcuaNodes *nodes, const char *text) {
    return (UA_QualifiedName){nodes->space, {strlen(text), (UA_Byte *)(uintptr_t)text}};
}

static UA_LocalizedText shown(const char *text) {
    return (UA_LocalizedText){UA_STRING_NULL, {strlen(text), (UA_Byte *)(uintptr_t)text}};
}

static UA_StatusCode add_node(PsSimOpcuaNode *node, UA_Server *server) {
    const PsSimOpcuaSpec *spec = node->spec;
    const char *dot = strchr(spec->id, '.');
    char folder[32] = "";
    PS_ASSERT(dot != NULL && (size_t)(dot - spec->id) < sizeof folder);
    memcpy(folder, spec->id, (size_t)(dot - spec->id));
    UA_UInt32 dimension = spec->elements;
    UA_VariableAttributes attributes = UA_VariableAttributes_default;
    attributes.displayName = shown(dot + 1);
    attributes.dataType = spec->type->typeId;
    attributes.valueRank = spec->elements > 0 ? UA_VALUERANK_ONE_DIMENSION : UA_VALUERANK_SCALAR;
    attributes.arrayDimensions = &dimension;
    attributes.arrayDimensionsSize = spec->elements > 0 ? 1 : 0;
    attributes.accessLevel =
        (UA_Byte)(UA_ACCESSLEVELMASK_READ | (spec->writable ? UA_ACCESSLEVELMASK_WRITE : 0));
    UA_DataSource source = {read_value, write_value};
    return UA_Server_addDataSourceVariableNode(
        server, id_of(node->all, spec->id), id_of(node->all, folder),
        UA_NODEID_NUMERIC(0, UA_NS0ID_HASCOMPONENT), name_of(node->all, dot + 1),
        UA_NODEID_NUMERIC(0, UA_NS0ID_BASEDATAVARIABLETYPE), attributes, source, node, NULL);
}

UA_StatusCode ps_sim_opcua_nodes_add(PsSimOpcuaNodes *nodes, UA_Server *server, UA_UInt16 space) {
    nodes->space = space;
    for (size_t i = 0; i < PS_COUNT(folders); i++) {
        UA_ObjectAttributes attributes = UA_ObjectAttributes_default;
        attributes.displayName = shown(folders[i]);
        UA_StatusCode status = UA_Server_addObjectNode(
            server, id_of(nodes, folders[i]), UA_NODEID_NUMERIC(0, UA_NS0ID_OBJECTSFOLDER),
            UA_NODEID_NUMERIC(0, UA_NS0ID_ORGANIZES), name_of(nodes, folders[i]),
            UA_NODEID_NUMERIC(0, UA_NS0ID_FOLDERTYPE), attributes, NULL, NULL);
        if (status != UA_STATUSCODE_GOOD) {
            return status;
        }
    }
    UA_StatusCode status = UA_STATUSCODE_GOOD;
    nodes->adding = true;
    for (uint32_t i = 0; status == UA_STATUSCODE_GOOD && i < nodes->count; i++) {
        status = nodes->nodes[i].missing ? status : add_node(&nodes->nodes[i], server);
    }
    nodes->adding = false;
    return status;
}

PsSimOpcuaNode *ps_sim_opcua_node_find(PsSimOpcuaNodes *nodes, const char *id) {
    for (uint32_t i = 0; i < nodes->count; i++) {
        if (strcmp(nodes->nodes[i].spec->id, id) == 0) {
            return &nodes->nodes[i];
        }
    }
    return NULL;
}

UA_StatusCode ps_sim_opcua_node_set_missing(PsSimOpcuaNode *node, UA_Server *server, bool missing) {
    if (node->missing == missing) {
        return UA_STATUSCODE_GOOD;
    }
    node->missing = missing;
    return missing ? UA_Server_deleteNode(server, id_of(node->all, node->spec->id), true)
                   : add_node(node, server);
}

void ps_sim_opcua_node_set_denied(PsSimOpcuaNode *node, bool denied) {
    pthread_mutex_lock(&node->all->lock);
    node->denied = denied;
    pthread_mutex_unlock(&node->all->lock);
}

void ps_sim_opcua_node_set_status(PsSimOpcuaNode *node, UA_StatusCode status) {
    pthread_mutex_lock(&node->all->lock);
    node->status = status;
    pthread_mutex_unlock(&node->all->lock);
}

PsSimOpcuaNode *ps_sim_opcua_node_of(PsSimOpcuaNodes *nodes, const UA_NodeId *id, void *context) {
    bool ours = id->namespaceIndex == nodes->space && id->identifierType == UA_NODEIDTYPE_STRING;
    return ours ? context : NULL; // the folders have none
}

bool ps_sim_opcua_node_is_denied(PsSimOpcuaNode *node) {
    pthread_mutex_lock(&node->all->lock);
    bool denied = node->denied;
    pthread_mutex_unlock(&node->all->lock);
    return denied;
}
