//! Values of OPC UA and of the gateway, both ways, and what status codes mean. Pure; any thread.
#pragma once

#include "model/config.h"
#include "tags/value.h"

#include <open62541/types.h>

/// Room for any value as text before it is cut to the variable's.
#define PS_OPCUA_TEXT_MAX 256U

/// Why a value is not good, for people.
typedef struct PsOpcuaWhy {
    UA_StatusCode status; ///< with which the server refused it; 0: it did not
    char text[240];       ///< "" when the value is good
} PsOpcuaWhy;

/// What the server has answered for a variable. `text` takes PS_OPCUA_TEXT_MAX bytes, and the
/// value's text is in it or in `data`. `why` may be NULL.
///
/// A bad status: REFUSED, or AWAY where the server has no connection to what is behind it, or
/// NOT_READ while it has no value yet. Uncertain statuses count as good, but for those that say
/// that the value is an old one, which are STALE. A whole array, a structure, a number that is none
/// (NaN) and a value that does not fit the variable's data_type: UNDECODABLE.
PsQuality ps_opcua_decode(const PsVariable *variable, const UA_DataValue *data, char *text,
                          PsValue *ret_value, PsOpcuaWhy *why);

/// A value as type number `type` of UA_TYPES (the built-in ones), in `ret_variant`, which is
/// cleared by the caller. `array`: the request writes one element, so that it is an array of one.
/// PS_ERR_INVALID with a diagnosis that names the type and its range, PS_ERR_UNSUPPORTED.
PsErr ps_opcua_encode(PsValue value, size_t type, bool array, UA_Variant *ret_variant,
                      PsDiag *diag);

/// Of a built-in type: its number in UA_TYPES, or PS_UNSET. `id` is a DataType attribute.
int ps_opcua_type_of(const UA_NodeId *id);
/// The PsDataType that fits the type number, or PS_UNSET.
int ps_opcua_data_type(int type);
/// Number in UA_TYPES of what is in it, 255 when it is none of the built-in types.
unsigned ps_opcua_type_number(const UA_Variant *value);
/// "Double"; "structure" for what is not built in.
const char *ps_opcua_type_word(int type);
/// "Double", "Int32[10]", "structure".
void ps_opcua_type_name(const UA_Variant *value, char *out, size_t size);

/// In words, with what to do about it: "there is no such node (BadNodeIdUnknown); check ...".
void ps_opcua_status_words(UA_StatusCode status, char *out, size_t size);
/// The session or the connection is gone with it.
bool ps_opcua_status_is_lost(UA_StatusCode status);
/// The request was too large; a smaller one may be answered.
bool ps_opcua_status_is_too_much(UA_StatusCode status);
