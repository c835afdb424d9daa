// Writes devices, variables, groups and alarms as CSV. Pure; any thread.
#include "exchange/export.h"

#include "exchange/csv.h"
#include "model/tables.h"

#include <string.h>

#define COLUMNS_MAX 32

typedef struct Export Export;

/// A column of a file: its cell from an object.
typedef struct Column {
    const char *header;
    const char *key;                                                    // of penstock.json
    void (*put)(const Export *export, const void *object, PsBuf *cell); // NULL: the key's value
    bool (*there)(const Export *export);                                // NULL: always
    bool ours; // Device Supervisor does not have it: there only where it says something
    bool some; // of some protocols only: there where a device of these is
} Column;

struct Export {
    const PsConfig *config;
    const char *kind;
    const PsOptionTable *table;
    const Column *columns;
    size_t column_count;
    const void *objects;
    size_t object_size;
    uint32_t object_count;
    const char *device_key; // that says which device an object is of; NULL: none does
    const char *device;     // only of this one; NULL: of all
};

static void put_text(const char *text, PsBuf *cell) {
    ps_buf_put(cell, text, strlen(text));
}

static void put_protocol(const Export *export, const void *object, PsBuf *cell) {
    const PsVariable *variable = object;
    put_text(ps_protocol_name(export->config->devices[variable->device].protocol), cell);
}

static bool is_bit(const PsVariable *variable) {
    return variable->data_type == PS_TYPE_BOOL || variable->data_type == PS_TYPE_BIT;
}

// Device Supervisor writes defaults where a column has no meaning. Without a bit, a BOOL stands in
// a table of single bits; the cell stays empty so that it comes back like that.
static void put_bit(const Export *export, const void *object, PsBuf *cell) {
    const PsVariable *variable = object;
    const PsDevice *device = &export->config->devices[variable->device];
    bool has_bits =
        ps_option_is_for(ps_option_find(&ps_table_variable, "register_bit"), device->protocol);
    if (variable->register_bit != PS_UNSET) {
        ps_buf_printf(cell, "%d", variable->register_bit);
    } else if (has_bits && !is_bit(variable)) {
        ps_buf_put_u8(cell, '0');
    }
}

static void put_upload(const Export *export, const void *object, PsBuf *cell) {
    const PsGroup *group = object;
    if (group->type == PS_GROUP_COLLECT) {
        ps_option_write_plain(ps_option_find(&ps_table_group, "upload_interval"), group, "", cell);
    }
}

static bool has_serial(const Export *export) {
    for (uint32_t i = 0; i < export->config->device_count; i++) {
        if (ps_device_is_serial(&export->config->devices[i])) {
            return true;
        }
    }
    return false;
}

static bool has_no_serial(const Export *export) {
    return !has_serial(export);
}

static void put_way(const Export *export, const void *object, PsBuf *cell) {
    const PsDevice *device = object;
    put_text(ps_device_is_serial(device) ? device->serial_name : device->ip, cell);
}

static void put_port(const Export *export, const void *object, PsBuf *cell) {
    const PsDevice *device = object;
    bool idle = ps_device_is_serial(device) || device->url[0] != '\0' ||
                device->protocol == PS_PROTOCOL_SIMULATOR;
    if (!idle || !ps_option_is_default(ps_option_find(&ps_table_device, "port"), device)) {
        ps_buf_printf(cell, "%d", device->port);
    }
}

static const Column device_columns[] = {
    {"Device Name", "device_name"},
    {"Protocol", "protocol"},
    {"Ip", "ip", .there = has_no_serial},
    {"Ip/Serial", .put = put_way, .there = has_serial},
    {"Port", .put = put_port},
    {"Rack", "rack", .some = true},
    {"Slot", "slot", .some = true},
    {"Mode", "mode", .some = true},
    {"Client Tsap", "client_tsap", .ours = true},
    {"Server Tsap", "server_tsap", .ours = true},
    {"Slave", "slave"},
    {"Byte Order", "byte_order"},
    {"Timeout", "timeout", .ours = true},
    {"Route", "route", .ours = true},
    {"Connected", "connected", .ours = true},
    {"Url", "url", .ours = true},
    {"Auth", "auth", .ours = true},
    {"Username", "username", .ours = true},
    {"Security Policy", "security_policy", .ours = true},
    {"Security Mode", "security_mode", .ours = true},
};

static const Column variable_columns[] = {
    {"Var Name", "var_name"},
    {"Device", "device"},
    {"Protocol", .put = put_protocol},
    {"Dbnumber", "dbnumber", .some = true},
    {"Register Type", "register_type", .some = true},
    {"Register Addr", "register_addr"},
    {"Register Bit", .put = put_bit},
    {"Symbol", "symbol", .some = true},
    {"Namespace Index", "namespace_index", .some = true},
    {"Identifier", "identifier", .some = true},
    {"Identifier Type", "identifier_type", .some = true},
    {"Array Index", "array_index", .ours = true},
    {"Data Type", "data_type"},
    {"Read Write", "read_write"},
    {"Float Repr", "float_repr"},
    {"Mode", "mode"},
    {"Unit", "unit"},
    {"Size", "size"},
    {"Desc", "desc"},
    {"Group", "group"},
};

static const Column alarm_columns[] = {
    {"Warn Name", "warn_name"},
    {"Group", "group"},
    {"Quotes", "quotes"},
    {"Device", "device"},
    {"Var Name", "var_name"},
    {"Condition1", "condition1"},
    {"Operand1", "operand1"},
    {"Combine Method", "combine_method"},
    {"Condition2", "condition2"},
    {"Operand2", "operand2"},
    {"Alarm Content", "alarm_content"},
    {"Register Addr", "register_addr"},
    {"Dbnumber", "dbnumber", .some = true},
    {"Data Type", "data_type"},
    {"Symbol", "symbol", .some = true},
    {"Register Type", "register_type", .some = true},
    {"Register Bit", "register_bit"},
    {"Namespace Index", "namespace_index", .some = true},
    {"Identifier", "identifier", .some = true},
    {"Identifier Type", "identifier_type", .some = true},
    {"Float Repr", "float_repr"},
    {"Hysteresis", "hysteresis", .ours = true},
    {"On Delay", "on_delay", .ours = true},
    {"Off Delay", "off_delay", .ours = true},
    {"Size", "size", .ours = true},
    {"Unit", "unit", .ours = true},
    {"Desc", "desc", .ours = true},
};

static const Column group_columns[] = {
    {"Group Name", "group_name"},
    {"Polling Interval", "polling_interval"},
    {"Upload Interval", .put = put_upload},
    {"Group Type", "group_type"},
    {"Every Sample", "every_sample", .ours = true},
};

// PsProtocol of the device that an object is or belongs to; PS_UNSET: it belongs to none.
static int protocol_of(const Export *export, const void *object) {
    const PsDevice *devices = export->config->devices;
    if (export->table == &ps_table_device) {
        return ((const PsDevice *)object)->protocol;
    }
    if (export->table == &ps_table_variable) {
        return devices[((const PsVariable *)object)->device].protocol;
    }
    return export->table == &ps_table_alarm ? devices[((const PsAlarm *)object)->device].protocol
                                            : PS_UNSET;
}

// An empty cell where the protocol has no use for it, as long as nothing is lost.
static void put_value(const Export *export, const Column *column, const void *object, PsBuf *cell) {
    const PsOption *option = ps_option_find(export->table, column->key);
    bool idle = option->protocols != 0 && !ps_option_is_for(option, protocol_of(export, object)) &&
                ps_option_is_default(option, object);
    if (!idle) {
        ps_option_write_plain(option, object, "", cell);
    }
}

// The header without an object.
static void write_row(const Export *export, const bool *there, const void *object, PsBuf *out) {
    PsBuf cells[COLUMNS_MAX] = {0};
    const char *fields[COLUMNS_MAX] = {0};
    size_t count = 0;
    for (size_t i = 0; i < export->column_count; i++) {
        const Column *column = &export->columns[i];
        PsBuf *cell = &cells[count];
        if (!there[i]) {
            continue;
        }
        if (object == NULL) {
            put_text(column->header, cell);
        } else if (column->put != NULL) {
            column->put(export, object, cell);
        } else {
            put_value(export, column, object, cell);
        }
        fields[count++] = cell->len > 0 ? (const char *)cell->data : "";
    }
    ps_csv_write_row(fields, count, out);
    for (size_t i = 0; i < count; i++) {
        ps_buf_deinit(&cells[i]);
    }
}

static const void *object_at(const Export *export, uint32_t index) {
    return (const char *)export->objects + index * export->object_size;
}

static bool is_wanted(const Export *export, const void *object) {
    if (export->device == NULL || export->device_key == NULL) {
        return true;
    }
    const PsOption *option = ps_option_find(export->table, export->device_key);
    return strcmp(ps_option_text(option, object), export->device) == 0;
}

static bool says_something(const Export *export, const Column *column) {
    const PsOption *option = ps_option_find(export->table, column->key);
    for (uint32_t i = 0; i < export->object_count; i++) {
        const void *object = object_at(export, i);
        if (is_wanted(export, object) && !ps_option_is_default(option, object)) {
            return true;
        }
    }
    return false;
}

static bool has_use(const Export *export, const Column *column) {
    const PsOption *option = ps_option_find(export->table, column->key);
    for (uint32_t i = 0; i < export->object_count; i++) {
        const void *object = object_at(export, i);
        if (is_wanted(export, object) && ps_option_is_for(option, protocol_of(export, object))) {
            return true;
        }
    }
    return says_something(export, column);
}

static void write_file(const Export *export, PsBuf *out) {
    bool there[COLUMNS_MAX] = {0};
    for (size_t i = 0; i < export->column_count; i++) {
        const Column *column = &export->columns[i];
        there[i] = (!column->ours || says_something(export, column)) &&
                   (!column->some || has_use(export, column)) &&
                   (column->there == NULL || column->there(export));
    }
    ps_csv_write_mark(out);
    write_row(export, there, NULL, out);
    for (uint32_t r = 0; r < export->object_count; r++) {
        if (is_wanted(export, object_at(export, r))) {
            write_row(export, there, object_at(export, r), out);
        }
    }
}

PsErr ps_export(const PsConfig *config, const char *kind, const char *device, PsBuf *out) {
    const Export exports[] = {
        {config, "devices", &ps_table_device, device_columns, PS_COUNT(device_columns),
         config->devices, sizeof(PsDevice), config->device_count, NULL, device},
        {config, "variables", &ps_table_variable, variable_columns, PS_COUNT(variable_columns),
         config->variables, sizeof(PsVariable), config->variable_count, "device", device},
        {config, "groups", &ps_table_group, group_columns, PS_COUNT(group_columns), config->groups,
         sizeof(PsGroup), config->group_count, NULL, device},
        {config, "alarms", &ps_table_alarm, alarm_columns, PS_COUNT(alarm_columns), config->alarms,
         sizeof(PsAlarm), ps_config_warning_count(config), "device", device},
    };
    for (size_t i = 0; i < PS_COUNT(exports); i++) {
        if (strcmp(exports[i].kind, kind) == 0) {
            write_file(&exports[i], out);
            return PS_OK;
        }
    }
    return PS_ERR_NOT_FOUND;
}
