// Writes the configuration for scripts. Ids are made from kind and names, so that they stay the
// same as long as the object keeps its name. Pure; loop thread.
#include "script/tag_config.h"

#include "model/option.h"
#include "model/place.h"

#include <inttypes.h>
#include <math.h>

// FNV-1a, 64 bit, with a basis of our choice; a zero byte ends each part.
static uint64_t hash_parts(uint64_t hash, const char *const *parts, size_t count) {
    for (size_t i = 0; i < count; i++) {
        for (const char *at = parts[i];; at++) {
            hash = (hash ^ (uint8_t)*at) * UINT64_C(0x100000001b3);
            if (*at == '\0') {
                break;
            }
        }
    }
    return hash;
}

// 32 hexadecimal digits. Two hashes of the same kind from different bases differ by a function of
// the length alone, so the second one is taken of the first one's digits as well.
static void put_digits(const char *kind, const char *scope, const char *name, PsBuf *out) {
    const char *parts[] = {kind, scope, name, NULL};
    uint64_t high = hash_parts(UINT64_C(0xcbf29ce484222325), parts, 3);
    char digits[17];
    for (int i = 0; i < 16; i++) {
        digits[i] = "0123456789abcdef"[high >> (60 - 4 * i) & 0xF];
    }
    digits[16] = '\0';
    const char *again[] = {digits, name, scope, kind};
    uint64_t low = hash_parts(UINT64_C(0x9ae16a3b2f90404f), again, 4);
    ps_buf_printf(out, "\"%s%016" PRIx64 "\"", digits, low);
}

static void put_id(const char *kind, const char *scope, const char *name, PsBuf *out) {
    ps_buf_printf(out, "\"id\": ");
    put_digits(kind, scope, name, out);
}

static void put_text(const char *key, const char *text, PsBuf *out) {
    ps_buf_printf(out, "\"%s\": ", key);
    ps_option_write_text(text != NULL ? text : "", out); // a trial's configuration has gaps
    ps_buf_printf(out, ", ");
}

static void put_int(const char *key, int number, PsBuf *out) {
    ps_buf_printf(out, "\"%s\": %d, ", key, number);
}

// Device Supervisor has whole seconds; fractions are ours.
static void put_seconds(const char *key, double seconds, PsBuf *out) {
    if (trunc(seconds) == seconds) {
        ps_buf_printf(out, "\"%s\": %.0f, ", key, seconds);
    } else {
        ps_buf_printf(out, "\"%s\": %.15g, ", key, seconds);
    }
}

// Parity as Device Supervisor has it: n, o, e.
static void put_serial(const PsSerial *serial, PsBuf *out) {
    char parity[] = {ps_parity_name(serial->parity)[0], '\0'};
    put_text("serial", serial->name, out);
    put_int("baudrate", serial->baud_rate, out);
    put_int("bytesize", serial->data_bits, out);
    put_text("parity", parity, out);
    put_int("stopbits", serial->stop_bits, out);
}

static void put_way(const PsConfig *config, const PsDevice *device, PsBuf *out) {
    if (ps_device_is_serial(device)) {
        put_serial(&config->serials[device->serial], out);
    } else if (device->url != NULL && device->url[0] != '\0') {
        put_text("url", device->url, out);
    } else if (device->protocol != PS_PROTOCOL_SIMULATOR) {
        put_text("ip", device->ip, out);
        put_int("port", device->port, out);
    }
}

static void put_s7(const PsDevice *device, PsBuf *out) {
    put_text("mode", ps_s7_mode_name(device->s7_mode), out);
    if (device->s7_mode == PS_S7_TSAP) {
        put_text("client_tsap", device->client_tsap, out);
        put_text("server_tsap", device->server_tsap, out);
    } else {
        put_int("rack", device->rack, out);
        put_int("slot", device->slot, out);
    }
}

static void put_device(const PsConfig *config, const PsDevice *device, PsBuf *out) {
    put_text("device_name", device->name, out);
    put_text("protocol", ps_protocol_name(device->protocol), out);
    put_way(config, device, out);
    switch (device->protocol) {
    case PS_PROTOCOL_ISO_ON_TCP:
        put_s7(device, out);
        break;
    case PS_PROTOCOL_MODBUS_TCP:
    case PS_PROTOCOL_MODBUS_RTU:
        put_int("slave", device->slave, out);
        put_text("byte_order", ps_byte_order_name(device->byte_order), out);
        break;
    default:
        break;
    }
    put_id("device", "", device->name, out);
}

static void put_group(const PsGroup *group, PsBuf *out) {
    put_text("group_name", group->name, out);
    put_text("group_type", ps_group_type_name(group->type), out);
    put_seconds("polling_interval", group->polling_interval, out);
    if (group->type == PS_GROUP_ALARM) {
        put_text("upload_interval", "", out);
    } else {
        put_seconds("upload_interval", group->upload_interval, out);
    }
    put_id("group", "", group->name, out);
}

// Empty where there is none.
static void put_optional(const char *key, int number, PsBuf *out) {
    if (number == PS_UNSET) {
        put_text(key, "", out);
    } else {
        put_int(key, number, out);
    }
}

static void put_address(const PsVariable *variable, int protocol, PsBuf *out) {
    char address[PS_ADDRESS_SIZE];
    bool is_s7 = protocol == PS_PROTOCOL_ISO_ON_TCP;
    bool typed = is_s7 && variable->register_type != PS_UNSET;
    put_text("register_type", typed ? ps_s7_area_name(variable->register_type) : "", out);
    put_optional("register_addr", variable->register_addr, out);
    put_int("dbnumber", is_s7 ? variable->dbnumber : 0, out);
    put_optional("register_bit", variable->register_bit, out);
    if (protocol == PS_PROTOCOL_ETHERNET_IP || protocol == PS_PROTOCOL_SIMULATOR) {
        put_text("symbol", variable->symbol, out);
    } else if (protocol == PS_PROTOCOL_OPCUA) {
        put_int("namespace_index", variable->namespace_index, out);
        put_text("identifier", variable->identifier, out);
        put_text("identifier_type", ps_identifier_type_name(variable->identifier_type), out);
    }
    ps_variable_address(protocol, variable, address, sizeof address);
    put_text("address", address, out);
}

static void put_variable(const PsConfig *config, const PsVariable *variable, PsBuf *out) {
    put_text("var_name", variable->name, out);
    put_text("device", variable->device_name, out);
    put_text("protocol", ps_protocol_name(config->devices[variable->device].protocol), out);
    put_text("group", variable->group_name, out);
    put_text("data_type", ps_data_type_name(variable->data_type), out);
    put_address(variable, config->devices[variable->device].protocol, out);
    put_text("read_write", ps_access_name(variable->access), out);
    put_text("mode", ps_mode_name(variable->mode), out);
    put_int("float_repr", variable->float_repr, out);
    put_int("size", variable->size, out);
    put_text("unit", variable->unit, out);
    put_text("desc", variable->desc, out);
    put_id("var", variable->device_name, variable->name, out);
}

static void put_conditions(const PsAlarm *alarm, PsBuf *out) {
    put_text("condition1", ps_compare_name(alarm->conditions[0].compare), out);
    put_text("operand1", alarm->conditions[0].operand, out);
    put_text("combine_method", ps_combine_name(alarm->combine), out);
    put_text("condition2", ps_compare_name(alarm->conditions[1].compare), out);
    put_text("operand2", alarm->conditions[1].operand, out);
}

static void put_alarm(const PsConfig *config, const PsAlarm *alarm, PsBuf *out) {
    bool named = alarm->quotes == 1;
    const PsVariable *watched = &config->variables[named ? alarm->variable : alarm->watched];
    put_text("warn_name", alarm->name, out);
    put_text("group", alarm->group_name, out);
    put_int("quotes", alarm->quotes, out);
    put_text("device", alarm->device_name, out);
    put_text("alarm_content", alarm->content, out);
    put_conditions(alarm, out);
    put_text("var_name", alarm->variable_name, out);
    ps_buf_printf(out, "\"var_id\": ");
    if (named) {
        put_digits("var", watched->device_name, watched->name, out);
        ps_buf_printf(out, ", ");
    } else {
        ps_buf_printf(out, "\"\", ");
    }
    put_int("size", watched->size, out);
    put_int("float_repr", watched->float_repr, out);
    put_text("protocol", ps_protocol_name(config->devices[watched->device].protocol), out);
    put_text("data_type", ps_data_type_name(watched->data_type), out);
    put_address(watched, config->devices[watched->device].protocol, out);
    put_text("read_write", ps_access_name(watched->access), out);
    put_text("mode", ps_mode_name(watched->mode), out);
    put_text("unit", watched->unit, out);
    put_text("desc", watched->desc, out);
    put_id("warning", "", alarm->name, out);
}

void ps_tag_config_put(const PsConfig *config, PsBuf *out) {
    ps_buf_printf(out, "{\"devices\": [");
    for (uint32_t i = 0; i < config->device_count; i++) {
        ps_buf_printf(out, i > 0 ? "}, {" : "{");
        put_device(config, &config->devices[i], out);
    }
    ps_buf_printf(out, config->device_count > 0 ? "}], \"groups\": [" : "], \"groups\": [");
    for (uint32_t i = 0; i < config->group_count; i++) {
        ps_buf_printf(out, i > 0 ? "}, {" : "{");
        put_group(&config->groups[i], out);
    }
    ps_buf_printf(out, config->group_count > 0 ? "}], \"warning\": [" : "], \"warning\": [");
    uint32_t alarm_count = ps_config_warning_count(config); // others have no place in its layout
    for (uint32_t i = 0; i < alarm_count; i++) {
        ps_buf_printf(out, i > 0 ? "}, {" : "{");
        put_alarm(config, &config->alarms[i], out);
    }
    ps_buf_printf(out, alarm_count > 0 ? "}], \"vars\": [" : "], \"vars\": [");
    for (uint32_t i = 0; i < config->variable_count; i++) {
        ps_buf_printf(out, i > 0 ? "}, {" : "{");
        put_variable(config, &config->variables[i], out);
    }
    ps_buf_printf(out, config->variable_count > 0 ? "}]}" : "]}");
}
