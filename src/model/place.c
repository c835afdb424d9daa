// Where a variable lies inside its device, in the notation of the device's makers. Pure.
#include "model/place.h"

#include <stdio.h>
#include <string.h>

// Variables that were not loaded may have no texts at all.
static const char *text_of(const char *text) {
    return text != NULL ? text : "";
}

static bool same_text(const char *a, const char *b) {
    return strcmp(text_of(a), text_of(b)) == 0;
}

bool ps_variable_same_place(const PsVariable *a, const PsVariable *b) {
    return a->data_type == b->data_type && a->register_addr == b->register_addr &&
           a->register_bit == b->register_bit && a->register_type == b->register_type &&
           a->dbnumber == b->dbnumber && a->size == b->size && same_text(a->symbol, b->symbol) &&
           same_text(a->identifier, b->identifier) && a->identifier_type == b->identifier_type &&
           a->namespace_index == b->namespace_index && a->array_index == b->array_index;
}

static void put_s7(const PsVariable *variable, char *out, size_t size) {
    char db[16] = "";
    if (variable->register_type == PS_S7_DB) {
        snprintf(db, sizeof db, "%u.", variable->dbnumber);
    }
    int len = snprintf(out, size, "%s%s%d", ps_s7_area_name(variable->register_type), db,
                       variable->register_addr);
    if (variable->register_bit != PS_UNSET && len > 0 && (size_t)len < size) {
        snprintf(out + len, size - (size_t)len, ".%d", variable->register_bit);
    }
}

static void put_node(const PsVariable *variable, char *out, size_t size) {
    const char *identifier = text_of(variable->identifier);
    static const char letters[] = {'s', 'i', 'g', 'b'};
    bool whole = strchr(identifier, '=') != NULL && strchr("nsigb", identifier[0]) != NULL;
    size_t type = variable->identifier_type > 0 ? (size_t)variable->identifier_type : 0;
    int len = 0;
    if (whole && variable->namespace_index == 0 && type == PS_IDENTIFIER_STRING) {
        len = snprintf(out, size, "%s", identifier);
    } else {
        len = snprintf(out, size, "ns=%u;%c=%s", variable->namespace_index,
                       letters[type < PS_COUNT(letters) ? type : 0], identifier);
    }
    if (variable->array_index != PS_UNSET && len > 0 && (size_t)len < size) {
        snprintf(out + len, size - (size_t)len, "[%d]", variable->array_index);
    }
}

void ps_variable_address(int protocol, const PsVariable *variable, char *out, size_t size) {
    switch (protocol) {
    case PS_PROTOCOL_ISO_ON_TCP:
        put_s7(variable, out, size);
        return;
    case PS_PROTOCOL_OPCUA:
        put_node(variable, out, size);
        return;
    case PS_PROTOCOL_ETHERNET_IP:
    case PS_PROTOCOL_SIMULATOR:
        snprintf(out, size, "%s", text_of(variable->symbol));
        return;
    default:
        break;
    }
    if (variable->register_bit != PS_UNSET) {
        snprintf(out, size, "%05d.%d", variable->register_addr, variable->register_bit);
    } else {
        snprintf(out, size, "%05d", variable->register_addr);
    }
}
