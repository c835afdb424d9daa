// Values of OPC UA and of the gateway, both ways. The library has taken the wire apart; here every
// type becomes one of the gateway's few. Pure; any thread.
#include "drivers/opcua/value.h"

#include "base/text.h"
#include "drivers/opcua/node_id.h"

#include <math.h>
#include <open62541/types_generated.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What the built-in types are to the gateway.
typedef enum Family {
    FAMILY_NONE,
    FAMILY_BOOL,
    FAMILY_INT,
    FAMILY_FLOAT,
    FAMILY_TEXT,
} Family;

typedef struct TypeRow {
    const char *name;
    Family family;
    int data_type; // PsDataType that holds all of it
    int64_t min;   // of FAMILY_INT
    uint64_t max;
} TypeRow;

static const TypeRow types[] = {
    [UA_TYPES_BOOLEAN] = {"Boolean", FAMILY_BOOL, PS_TYPE_BOOL, 0, 1},
    [UA_TYPES_SBYTE] = {"SByte", FAMILY_INT, PS_TYPE_SINT, INT8_MIN, INT8_MAX},
    [UA_TYPES_BYTE] = {"Byte", FAMILY_INT, PS_TYPE_BYTE, 0, UINT8_MAX},
    [UA_TYPES_INT16] = {"Int16", FAMILY_INT, PS_TYPE_INT, INT16_MIN, INT16_MAX},
    [UA_TYPES_UINT16] = {"UInt16", FAMILY_INT, PS_TYPE_WORD, 0, UINT16_MAX},
    [UA_TYPES_INT32] = {"Int32", FAMILY_INT, PS_TYPE_DINT, INT32_MIN, INT32_MAX},
    [UA_TYPES_UINT32] = {"UInt32", FAMILY_INT, PS_TYPE_DWORD, 0, UINT32_MAX},
    [UA_TYPES_INT64] = {"Int64", FAMILY_INT, PS_TYPE_LONG, INT64_MIN, INT64_MAX},
    [UA_TYPES_UINT64] = {"UInt64", FAMILY_INT, PS_TYPE_ULONG, 0, UINT64_MAX},
    [UA_TYPES_FLOAT] = {"Float", FAMILY_FLOAT, PS_TYPE_FLOAT, 0, 0},
    [UA_TYPES_DOUBLE] = {"Double", FAMILY_FLOAT, PS_TYPE_DOUBLE, 0, 0},
    [UA_TYPES_STRING] = {"String", FAMILY_TEXT, PS_TYPE_STRING, 0, 0},
    [UA_TYPES_DATETIME] = {"DateTime", FAMILY_TEXT, PS_TYPE_STRING, 0, 0},
    [UA_TYPES_GUID] = {"Guid", FAMILY_TEXT, PS_TYPE_STRING, 0, 0},
    [UA_TYPES_BYTESTRING] = {"ByteString", FAMILY_TEXT, PS_TYPE_STRING, 0, 0},
    [UA_TYPES_XMLELEMENT] = {"XmlElement", FAMILY_TEXT, PS_TYPE_STRING, 0, 0},
    [UA_TYPES_NODEID] = {"NodeId", FAMILY_TEXT, PS_TYPE_STRING, 0, 0},
    [UA_TYPES_EXPANDEDNODEID] = {"ExpandedNodeId", FAMILY_TEXT, PS_TYPE_STRING, 0, 0},
    [UA_TYPES_STATUSCODE] = {"StatusCode", FAMILY_INT, PS_TYPE_DWORD, 0, UINT32_MAX},
    [UA_TYPES_QUALIFIEDNAME] = {"QualifiedName", FAMILY_TEXT, PS_TYPE_STRING, 0, 0},
    [UA_TYPES_LOCALIZEDTEXT] = {"LocalizedText", FAMILY_TEXT, PS_TYPE_STRING, 0, 0},
};

static const TypeRow *row_of(const UA_DataType *type) {
    size_t number = type != NULL ? (size_t)(type - UA_TYPES) : PS_COUNT(types);
    // A type that is not of the table is a structure, which the library has put elsewhere.
    bool known = type >= UA_TYPES && number < PS_COUNT(types) && types[number].name != NULL;
    return known ? &types[number] : NULL;
}

// Ranges of the integer data types a configuration can name.
static bool range_of(int data_type, int64_t *ret_min, uint64_t *ret_max) {
    switch (data_type) {
    case PS_TYPE_SINT:
        *ret_min = INT8_MIN;
        *ret_max = INT8_MAX;
        return true;
    case PS_TYPE_BYTE:
        *ret_min = 0;
        *ret_max = UINT8_MAX;
        return true;
    case PS_TYPE_INT:
        *ret_min = INT16_MIN;
        *ret_max = INT16_MAX;
        return true;
    case PS_TYPE_WORD:
        *ret_min = 0;
        *ret_max = UINT16_MAX;
        return true;
    case PS_TYPE_DINT:
        *ret_min = INT32_MIN;
        *ret_max = INT32_MAX;
        return true;
    case PS_TYPE_DWORD:
        *ret_min = 0;
        *ret_max = UINT32_MAX;
        return true;
    case PS_TYPE_LONG:
        *ret_min = INT64_MIN;
        *ret_max = INT64_MAX;
        return true;
    case PS_TYPE_ULONG:
        *ret_min = 0;
        *ret_max = UINT64_MAX;
        return true;
    case PS_TYPE_BOOL:
    case PS_TYPE_BIT:
        *ret_min = 0;
        *ret_max = 1;
        return true;
    default:
        return false;
    }
}

static PsValue integer_of(uint64_t number) {
    return number > INT64_MAX ? ps_value_uint(number) : ps_value_int((int64_t)number);
}

static PsValue take_number(const UA_DataType *type, const void *data) {
    switch ((int)(type - UA_TYPES)) {
    case UA_TYPES_BOOLEAN:
        return ps_value_bool(*(const UA_Boolean *)data);
    case UA_TYPES_SBYTE:
        return ps_value_int(*(const UA_SByte *)data);
    case UA_TYPES_BYTE:
        return ps_value_int(*(const UA_Byte *)data);
    case UA_TYPES_INT16:
        return ps_value_int(*(const UA_Int16 *)data);
    case UA_TYPES_UINT16:
        return ps_value_int(*(const UA_UInt16 *)data);
    case UA_TYPES_INT32:
        return ps_value_int(*(const UA_Int32 *)data);
    case UA_TYPES_UINT32:
    case UA_TYPES_STATUSCODE:
        return ps_value_int(*(const UA_UInt32 *)data);
    case UA_TYPES_INT64:
        return ps_value_int(*(const UA_Int64 *)data);
    case UA_TYPES_UINT64:
        return integer_of(*(const UA_UInt64 *)data);
    case UA_TYPES_FLOAT:
        return ps_value_float((double)*(const UA_Float *)data);
    case UA_TYPES_DOUBLE:
        return ps_value_float(*(const UA_Double *)data);
    default:
        return ps_value_none();
    }
}

static PsValue text_of(const UA_String *text) {
    size_t len = text->length < UINT32_MAX ? text->length : UINT32_MAX;
    return ps_value_text(len > 0 ? (const char *)text->data : "", (uint32_t)len);
}

static PsValue keep(const char *text) {
    return ps_value_text(text, (uint32_t)strlen(text));
}

// 2026-01-31T12:00:00.123Z; a server counts from 1601 and may send what no calendar has.
static PsValue take_date(UA_DateTime date, char *text) {
    UA_DateTimeStruct when = UA_DateTime_toStruct(date);
    snprintf(text, PS_OPCUA_TEXT_MAX, "%04d-%02u-%02uT%02u:%02u:%02u.%03uZ", when.year, when.month,
             when.day, when.hour, when.min, when.sec, when.milliSec);
    return keep(text);
}

static PsValue take_bytes(const UA_ByteString *bytes, char *text) {
    size_t count =
        bytes->length < PS_OPCUA_TEXT_MAX / 2 ? bytes->length : PS_OPCUA_TEXT_MAX / 2 - 1;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        snprintf(text + 2 * i, 3, "%02x", bytes->data[i]);
    }
    return keep(text);
}

static PsValue take_id(const UA_NodeId *id, char *text) {
    ps_opcua_id_format(id, text, PS_OPCUA_TEXT_MAX);
    return keep(text);
}

static PsValue take_text(const UA_DataType *type, const void *data, char *text) {
    switch ((int)(type - UA_TYPES)) {
    case UA_TYPES_DATETIME:
        return take_date(*(const UA_DateTime *)data, text);
    case UA_TYPES_GUID: {
        UA_NodeId id = UA_NODEID_GUID(0, *(const UA_Guid *)data);
        ps_opcua_id_format(&id, text, PS_OPCUA_TEXT_MAX);
        return keep(text + 2); // without "g="
    }
    case UA_TYPES_BYTESTRING:
        return take_bytes(data, text);
    case UA_TYPES_NODEID:
        return take_id(data, text);
    case UA_TYPES_EXPANDEDNODEID:
        return take_id(&((const UA_ExpandedNodeId *)data)->nodeId, text);
    case UA_TYPES_QUALIFIEDNAME:
        return text_of(&((const UA_QualifiedName *)data)->name);
    case UA_TYPES_LOCALIZEDTEXT:
        return text_of(&((const UA_LocalizedText *)data)->text);
    default:
        return text_of(data); // String, XmlElement
    }
}

static PsQuality undecodable(PsValue *ret_value, PsOpcuaWhy *why, const char *text) {
    *ret_value = ps_value_none();
    if (why != NULL) {
        snprintf(why->text, sizeof why->text, "%s", text);
    }
    return PS_QUALITY_UNDECODABLE;
}

static PsQuality unfit(const PsVariable *variable, const TypeRow *row, PsValue *ret_value,
                       PsOpcuaWhy *why) {
    char text[160];
    snprintf(text, sizeof text, "the server's %s does not fit data_type %s; set data_type to AUTO",
             row->name, ps_data_type_name(variable->data_type));
    return undecodable(ret_value, why, text);
}

static PsQuality give_float(const PsVariable *variable, double number, PsValue *ret_value,
                            PsOpcuaWhy *why) {
    if (!isfinite(number)) {
        return undecodable(ret_value, why, "the server's value is no number (NaN or infinite)");
    }
    *ret_value = ps_value_float(ps_round_decimals(number, (unsigned)(uint8_t)variable->float_repr));
    return PS_QUALITY_GOOD;
}

static PsQuality give_text(const PsVariable *variable, PsValue value, PsValue *ret_value) {
    uint32_t room = ps_variable_text_size(variable);
    if (value.text_len > room) {
        // Not in the middle of a character.
        while (room > 0 && ((uint8_t)value.text[room] & 0xC0) == 0x80) {
            room--;
        }
        value.text_len = room;
    }
    *ret_value = value;
    return PS_QUALITY_GOOD;
}

static double to_double(PsValue value) {
    switch (value.kind) {
    case PS_VALUE_BOOL:
        return value.boolean ? 1 : 0;
    case PS_VALUE_UINT:
        return (double)value.unsigned_integer;
    case PS_VALUE_FLOAT:
        return value.number;
    default:
        return (double)value.integer;
    }
}

static bool in_range(PsValue value, int64_t min, uint64_t max) {
    if (value.kind == PS_VALUE_UINT) {
        return value.unsigned_integer <= max;
    }
    return value.integer >= min && (value.integer < 0 || (uint64_t)value.integer <= max);
}

// `value` is a bool or whole number of the server, `type` one that the configuration names.
static PsQuality give_whole(const PsVariable *variable, const TypeRow *row, PsValue value,
                            PsValue *ret_value, PsOpcuaWhy *why) {
    int type = (uint8_t)variable->data_type;
    int64_t min;
    uint64_t max;
    if (type == PS_TYPE_FLOAT || type == PS_TYPE_DOUBLE) {
        return give_float(variable, to_double(value), ret_value, why);
    }
    if (!range_of(type, &min, &max)) {
        return unfit(variable, row, ret_value, why);
    }
    if (value.kind == PS_VALUE_BOOL) {
        value = ps_value_int(value.boolean ? 1 : 0);
    }
    if (!in_range(value, min, max)) {
        char text[160];
        char number[32];
        ps_value_format(value, number, sizeof number);
        snprintf(text, sizeof text, "the server's value %s is outside the range of data_type %s",
                 number, ps_data_type_name(type));
        return undecodable(ret_value, why, text);
    }
    *ret_value = type == PS_TYPE_BOOL ? ps_value_bool(value.integer != 0) : value;
    return PS_QUALITY_GOOD;
}

static PsQuality convert(const PsVariable *variable, const UA_DataType *type, const void *data,
                         char *text, PsValue *ret_value, PsOpcuaWhy *why) {
    const TypeRow *row = row_of(type);
    int wanted = (uint8_t)variable->data_type;
    if (row == NULL) {
        return undecodable(ret_value, why,
                           "the value is a structure; read its members, which most servers have "
                           "as variables below it (see penstock browse)");
    }
    if (row->family == FAMILY_TEXT) {
        if (wanted != PS_TYPE_AUTO && wanted != PS_TYPE_STRING) {
            return unfit(variable, row, ret_value, why);
        }
        return give_text(variable, take_text(type, data, text), ret_value);
    }
    PsValue value = take_number(type, data);
    if (row->family == FAMILY_FLOAT) {
        if (wanted != PS_TYPE_AUTO && wanted != PS_TYPE_FLOAT && wanted != PS_TYPE_DOUBLE) {
            return unfit(variable, row, ret_value, why);
        }
        return give_float(variable, value.number, ret_value, why);
    }
    if (wanted == PS_TYPE_AUTO) {
        *ret_value = value;
        return PS_QUALITY_GOOD;
    }
    return give_whole(variable, row, value, ret_value, why);
}

static PsQuality of_variant(const PsVariable *variable, const UA_Variant *value, char *text,
                            PsValue *ret_value, PsOpcuaWhy *why) {
    if (UA_Variant_isEmpty(value)) {
        return undecodable(ret_value, why, "the server has no value (null)");
    }
    bool scalar = UA_Variant_isScalar(value);
    if (scalar && variable->array_index != PS_UNSET) {
        return undecodable(ret_value, why, "the value is no array; leave array_index out");
    }
    if (!scalar && variable->array_index == PS_UNSET) {
        char shape[64];
        char words[160];
        ps_opcua_type_name(value, shape, sizeof shape);
        snprintf(words, sizeof words,
                 "the value is a whole array (%s); choose an element with array_index", shape);
        return undecodable(ret_value, why, words);
    }
    if (!scalar && value->arrayLength != 1) {
        return undecodable(ret_value, why, "the server did not answer with one element");
    }
    return convert(variable, value->type, value->data, text, ret_value, why);
}

// The value is an old one that the server keeps while it cannot get a new one.
static bool is_old(UA_StatusCode status) {
    UA_StatusCode code = status & 0xFFFF0000;
    return code == UA_STATUSCODE_UNCERTAINLASTUSABLEVALUE ||
           code == UA_STATUSCODE_UNCERTAINNOCOMMUNICATIONLASTUSABLEVALUE;
}

static PsQuality quality_of(UA_StatusCode status) {
    switch (status & 0xFFFF0000) {
    case UA_STATUSCODE_BADNOTCONNECTED:
    case UA_STATUSCODE_BADNOCOMMUNICATION:
    case UA_STATUSCODE_BADCOMMUNICATIONERROR:
    case UA_STATUSCODE_BADDEVICEFAILURE:
    case UA_STATUSCODE_BADSENSORFAILURE:
    case UA_STATUSCODE_BADOUTOFSERVICE:
    case UA_STATUSCODE_BADTIMEOUT:
        return PS_QUALITY_AWAY;
    case UA_STATUSCODE_BADWAITINGFORINITIALDATA:
        return PS_QUALITY_NOT_READ;
    default:
        return PS_QUALITY_REFUSED;
    }
}

PsQuality ps_opcua_decode(const PsVariable *variable, const UA_DataValue *data, char *text,
                          PsValue *ret_value, PsOpcuaWhy *why) {
    UA_StatusCode status = data->hasStatus ? data->status : UA_STATUSCODE_GOOD;
    if (why != NULL) {
        *why = (PsOpcuaWhy){0};
    }
    bool bad = (status & 0x80000000) != 0;
    if (bad || is_old(status)) {
        *ret_value = ps_value_none();
        if (why != NULL) {
            why->status = status;
            ps_opcua_status_words(status, why->text, sizeof why->text);
        }
        return bad ? quality_of(status) : PS_QUALITY_STALE;
    }
    if (!data->hasValue) {
        return undecodable(ret_value, why, "the server answered without a value");
    }
    return of_variant(variable, &data->value, text, ret_value, why);
}

int ps_opcua_type_of(const UA_NodeId *id) {
    // Built-in types have the same numbers in namespace 0 as in the library's table, plus one.
    bool built_in = id->namespaceIndex == 0 && id->identifierType == UA_NODEIDTYPE_NUMERIC &&
                    id->identifier.numeric >= 1 && id->identifier.numeric <= PS_COUNT(types);
    if (built_in) {
        return (int)id->identifier.numeric - 1;
    }
    bool zero = id->namespaceIndex == 0 && id->identifierType == UA_NODEIDTYPE_NUMERIC;
    switch (zero ? id->identifier.numeric : 0) {
    case 29: // Enumeration
        return UA_TYPES_INT32;
    case 290: // Duration
        return UA_TYPES_DOUBLE;
    case 294: // UtcTime
        return UA_TYPES_DATETIME;
    case 295: // LocaleId
        return UA_TYPES_STRING;
    default:
        return PS_UNSET;
    }
}

unsigned ps_opcua_type_number(const UA_Variant *value) {
    return row_of(value->type) != NULL ? (unsigned)(value->type - UA_TYPES) : 255;
}

const char *ps_opcua_type_word(int type) {
    bool known = type >= 0 && (size_t)type < PS_COUNT(types) && types[type].name != NULL;
    return known ? types[type].name : "structure";
}

int ps_opcua_data_type(int type) {
    bool known = type >= 0 && (size_t)type < PS_COUNT(types) && types[type].name != NULL;
    return known ? types[type].data_type : PS_UNSET;
}

void ps_opcua_type_name(const UA_Variant *value, char *out, size_t size) {
    const TypeRow *row = row_of(value->type);
    const char *name = row != NULL ? row->name : value->type != NULL ? "structure" : "nothing";
    if (value->type == NULL || UA_Variant_isScalar(value)) {
        snprintf(out, size, "%s", name);
    } else {
        snprintf(out, size, "%s[%zu]", name, value->arrayLength);
    }
}
