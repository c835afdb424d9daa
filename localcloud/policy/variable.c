// Policy variables by name, and their values for a connection. Pure; nothing is allocated.
#include "localcloud/policy/variable.h"

#include "localcloud/policy/certificate.h"

#include <stdlib.h>
#include <string.h>

typedef struct Known {
    const char *name;
    PsVariableId id;
} Known;

static const Known known[] = {
    {"iot:ClientId", PS_VARIABLE_CLIENT_ID},
    {"aws:SourceIp", PS_VARIABLE_SOURCE_IP},
    {"iot:DomainName", PS_VARIABLE_DOMAIN_NAME},
    {"iot:Connection.Thing.ThingName", PS_VARIABLE_THING_NAME},
    {"iot:Connection.Thing.ThingTypeName", PS_VARIABLE_THING_TYPE},
    {"iot:Connection.Thing.IsAttached", PS_VARIABLE_IS_ATTACHED},
    {"iot:CertificateId", PS_VARIABLE_CERTIFICATE_ID},
    {"iot:Certificate.AvailableKeys", PS_VARIABLE_AVAILABLE_KEYS},
    {"iot:ConnectAttributes", PS_VARIABLE_CONNECT_ATTRIBUTES},
    {"iot:LastWillTopic", PS_VARIABLE_LAST_WILL_TOPIC},
};

#define ATTRIBUTE_BEGIN "iot:Connection.Thing.Attributes["
#define CERTIFICATE_BEGIN "iot:Certificate."
#define VENDOR_LEN (sizeof "iot:" - 1)

static bool begins_with(const char *text, const char *beginning) {
    return strncasecmp(text, beginning, strlen(beginning)) == 0;
}

// "Certificate.Subject.Country", ".1" for the second value, ".List" for all.
static PsVariable find_field(const char *name) {
    PsVariable variable = {.id = PS_VARIABLE_UNKNOWN, .name = name};
    const char *field = name + VENDOR_LEN;
    size_t len = strlen(field);
    const char *dot = strrchr(field, '.');
    const char *suffix = dot != NULL ? dot + 1 : "";
    if (strcasecmp(suffix, "List") == 0) {
        variable.index = PS_VARIABLE_ALL;
        len = (size_t)(dot - field);
    } else if (suffix[0] >= '0' && suffix[0] <= '9' && suffix[1] == '\0') {
        variable.index = (uint8_t)(suffix[0] - '0');
        len = (size_t)(dot - field);
    }
    variable.field = ps_certificate_field(field, len);
    if (variable.field != PS_CERTIFICATE_NONE) {
        variable.id = PS_VARIABLE_CERTIFICATE_FIELD;
    }
    return variable;
}

PsVariable ps_variable_find(const char *name) {
    for (size_t i = 0; i < PS_COUNT(known); i++) {
        if (strcasecmp(name, known[i].name) == 0) {
            return (PsVariable){.id = known[i].id, .name = name};
        }
    }
    size_t len = strlen(name);
    size_t begin = sizeof ATTRIBUTE_BEGIN - 1;
    if (begins_with(name, ATTRIBUTE_BEGIN) && len > begin + 1 && name[len - 1] == ']') {
        return (PsVariable){.id = PS_VARIABLE_THING_ATTRIBUTE,
                            .name = name,
                            .attribute = {name + begin, len - begin - 1}};
    }
    if (begins_with(name, CERTIFICATE_BEGIN)) {
        return find_field(name);
    }
    return (PsVariable){.id = PS_VARIABLE_UNKNOWN, .name = name};
}

static bool give(const char *text, PsPolicyText *ret_value) {
    if (text == NULL) {
        return false;
    }
    *ret_value = (PsPolicyText){text, strlen(text)};
    return true;
}

static bool give_attribute(const PsPolicyThing *thing, PsPolicyText name, PsPolicyText *ret_value) {
    for (size_t i = 0; thing != NULL && i < thing->attribute_count; i++) {
        const PsPolicyAttribute *attribute = &thing->attributes[i];
        if (strlen(attribute->name) == name.len &&
            memcmp(attribute->name, name.bytes, name.len) == 0) {
            return give(attribute->value, ret_value);
        }
    }
    return false;
}

static bool give_connect_attribute(const PsPolicyContext *context, size_t n,
                                   PsPolicyText *ret_value) {
    if (context->persistent && n == 0) {
        return give("PersistentConnect", ret_value);
    }
    return context->last_will && n == (context->persistent ? 1 : 0) && give("LastWill", ret_value);
}

static bool give_field(const PsVariable *variable, const PsPolicyContext *context, size_t n,
                       PsPolicyText *ret_value) {
    if (variable->index != PS_VARIABLE_ALL) {
        return n == 0 && ps_certificate_value(context->certificate, variable->field,
                                              variable->index, ret_value);
    }
    for (size_t i = 0; i < PS_CERTIFICATE_VALUES; i++) { // unusable values are passed over
        if (ps_certificate_value(context->certificate, variable->field, i, ret_value) && n-- == 0) {
            return true;
        }
    }
    return false;
}

static bool give_only(const PsVariable *variable, const PsPolicyContext *context,
                      PsPolicyText *ret_value) {
    const PsPolicyThing *thing = context->thing;
    switch (variable->id) {
    case PS_VARIABLE_CLIENT_ID:
        return give(context->client_id, ret_value);
    case PS_VARIABLE_SOURCE_IP:
        return give(context->source_ip, ret_value);
    case PS_VARIABLE_DOMAIN_NAME:
        return give(context->domain_name, ret_value);
    case PS_VARIABLE_THING_NAME:
        return give(thing != NULL ? thing->name : NULL, ret_value);
    case PS_VARIABLE_THING_TYPE:
        return give(thing != NULL ? thing->type : NULL, ret_value);
    case PS_VARIABLE_THING_ATTRIBUTE:
        return give_attribute(thing, variable->attribute, ret_value);
    case PS_VARIABLE_IS_ATTACHED:
        return give(context->is_attached ? "true" : "false", ret_value);
    case PS_VARIABLE_CERTIFICATE_ID:
        return give(context->certificate_id, ret_value);
    case PS_VARIABLE_LAST_WILL_TOPIC:
        return give(context->last_will_topic, ret_value);
    default:
        return false;
    }
}

bool ps_variable_value(const PsVariable *variable, const PsPolicyContext *context, size_t n,
                       PsPolicyText *ret_value) {
    PsPolicyText value = {0};
    bool has = false;
    if (variable->id == PS_VARIABLE_CERTIFICATE_FIELD) {
        has = give_field(variable, context, n, &value);
    } else if (variable->id == PS_VARIABLE_AVAILABLE_KEYS) {
        has = ps_certificate_key(context->certificate, n, &value);
    } else if (variable->id == PS_VARIABLE_CONNECT_ATTRIBUTES) {
        has = give_connect_attribute(context, n, &value);
    } else {
        has = n == 0 && give_only(variable, context, &value);
    }
    if (has) {
        *ret_value = value;
    }
    return has;
}

static bool is_set(const PsVariable *variable) {
    return variable->id == PS_VARIABLE_AVAILABLE_KEYS ||
           variable->id == PS_VARIABLE_CONNECT_ATTRIBUTES ||
           (variable->id == PS_VARIABLE_CERTIFICATE_FIELD && variable->index == PS_VARIABLE_ALL);
}

bool ps_variable_substitute(const PsVariable *variable, const PsPolicyContext *context,
                            PsPolicyText *ret_value) {
    return !is_set(variable) && ps_variable_value(variable, context, 0, ret_value);
}

const char *ps_variable_absence(const PsVariable *variable, const PsPolicyContext *context) {
    if (is_set(variable)) {
        return "it stands for a set of values, which only a Condition can use";
    }
    switch (variable->id) {
    case PS_VARIABLE_UNKNOWN:
        return "there is no policy variable of that name";
    case PS_VARIABLE_THING_NAME:
        return "no thing named like the client id is attached to the certificate";
    case PS_VARIABLE_THING_TYPE:
    case PS_VARIABLE_THING_ATTRIBUTE:
        return context->thing == NULL
                   ? "no thing named like the client id is attached to the certificate"
                   : "the thing has no such type or attribute";
    case PS_VARIABLE_CERTIFICATE_FIELD:
        return "the certificate has no such value, or one with * $ + ? # or of more than 1024 "
               "bytes, which is not substituted";
    case PS_VARIABLE_LAST_WILL_TOPIC:
        return "the CONNECT has no last will";
    default:
        return "it is not known for this connection";
    }
}
