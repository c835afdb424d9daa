//! Policy variables and condition keys: which there are, and what they are for a connection. Pure.
//! The names are those of the AWS IoT Core developer guide; as in IAM, upper and lower case are
//! alike, except in the name of a thing's attribute.
#pragma once

#include "localcloud/policy/policy.h"

/// Bytes with a length; borrowed, not necessarily terminated.
typedef struct PsPolicyText {
    const char *bytes;
    size_t len;
} PsPolicyText;

typedef enum PsVariableId {
    PS_VARIABLE_UNKNOWN, ///< no such name here: never has a value
    PS_VARIABLE_CLIENT_ID,
    PS_VARIABLE_SOURCE_IP,
    PS_VARIABLE_DOMAIN_NAME,
    PS_VARIABLE_THING_NAME,
    PS_VARIABLE_THING_TYPE,
    PS_VARIABLE_THING_ATTRIBUTE,
    PS_VARIABLE_IS_ATTACHED,
    PS_VARIABLE_CERTIFICATE_ID,
    PS_VARIABLE_CERTIFICATE_FIELD,
    PS_VARIABLE_AVAILABLE_KEYS,
    PS_VARIABLE_CONNECT_ATTRIBUTES,
    PS_VARIABLE_LAST_WILL_TOPIC,
} PsVariableId;

#define PS_VARIABLE_ALL UINT8_MAX // as `index`: every value (".List")

typedef struct PsVariable {
    PsVariableId id;
    uint8_t field;          ///< PS_VARIABLE_CERTIFICATE_FIELD: its number in certificate.h's table
    uint8_t index;          ///< which of its values, from 0, or PS_VARIABLE_ALL
    const char *name;       ///< as written, terminated
    PsPolicyText attribute; ///< PS_VARIABLE_THING_ATTRIBUTE: inside `name`
} PsVariable;

/// `name` is kept by the result and must outlive it.
PsVariable ps_variable_find(const char *name);

/// The n-th value, from 0, of a key in a condition; false when there are no more. Keys with one
/// value have only the first.
bool ps_variable_value(const PsVariable *variable, const PsPolicyContext *context, size_t n,
                       PsPolicyText *ret_value);

/// What stands in the place of ${…}; false: nothing does (no value, or a set of values).
bool ps_variable_substitute(const PsVariable *variable, const PsPolicyContext *context,
                            PsPolicyText *ret_value);

/// Why it has no value, for a person: "no thing named like the client id is attached …".
const char *ps_variable_absence(const PsVariable *variable, const PsPolicyContext *context);
