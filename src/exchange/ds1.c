// The files of Device Supervisor 1.x: device.csv, var.csv, group.csv, warn.csv. Constant data and
// the few rules that span several cells. Pure; any thread.
#include "exchange/ds_row.h"

#include <string.h>

// A word of penstock.json, for a protocol or -1.
static int find_protocol(const char *name) {
    for (int i = 0; i <= PS_PROTOCOL_SIMULATOR; i++) {
        if (strcasecmp(ps_protocol_name(i), name) == 0) {
            return i;
        }
    }
    return -1;
}

// The words for what stays out: with the protocol of its device, or none when that is taken.
static void refuse_protocol(PsDsRow *row, const PsDsColumn *column, const char *cell,
                            const char *what) {
    PS_AUTO_BUF PsBuf name = {0};
    ps_ds_word("protocol", cell, &name);
    int protocol = find_protocol((const char *)name.data);
    if (protocol < 0 && name.len > 0) {
        ps_ds_row_problem(row, column->header, "'%.60s' is no protocol that is known",
                          (const char *)name.data);
    } else if (protocol >= 0 && row->check_for != NULL && row->check_for(protocol) == NULL) {
        ps_ds_row_problem(row, column->header,
                          "%s is not available in this version; the %s cannot come over yet",
                          ps_protocol_name(protocol), what);
    }
}

static void take_device_protocol(PsDsRow *row, const PsDsColumn *column, const char *cell) {
    ps_ds_row_put_cell(row, column, cell);
    refuse_protocol(row, column, cell, "device");
}

// -1 when the row does not say it.
static int protocol_of(const PsDsRow *row) {
    PS_AUTO_BUF PsBuf protocol = {0};
    ps_ds_word("protocol", ps_ds_row_cell(row, "Protocol"), &protocol);
    return protocol.len > 0 ? find_protocol((const char *)protocol.data) : -1;
}

static bool is_rtu(const PsDsRow *row) {
    return protocol_of(row) == PS_PROTOCOL_MODBUS_RTU;
}

// One column for two keys: the name of a serial port never holds a point, a colon or a slash.
static void take_way(PsDsRow *row, const PsDsColumn *column, const char *cell) {
    bool serial = cell[0] != '\0' && is_rtu(row) && strpbrk(cell, ".:/") == NULL;
    ps_ds_row_put_cell(row, column, serial ? "" : cell);
    json_object_set_new(row->keys, "serial", serial ? json_string(cell) : json_null());
}

// Names of hosts that look like those of ports stay what they are.
static void finish_device(PsDsRow *row) {
    if (protocol_of(row) >= 0) {
        ps_ds_row_drop_foreign(row, protocol_of(row));
    }
    const char *serial = ps_ds_row_text(row, "serial");
    const char *ip = json_string_value(json_object_get(row->before, "ip"));
    if (ip != NULL && serial[0] != '\0' && strcmp(ip, serial) == 0) {
        json_object_set_new(row->keys, "ip", json_string(ip));
        json_object_set_new(row->keys, "serial", json_null());
    }
}

static const PsDsColumn device_columns[] = {
    {.header = "Device Name", .key = "device_name"},
    {.header = "Protocol", .key = "protocol", .take = take_device_protocol},
    {.header = "Ip/Serial", .also = "Ip", .key = "ip", .take = take_way},
    {.header = "Port", .key = "port"},
    {.header = "Rack", .key = "rack"},
    {.header = "Slot", .key = "slot"},
    {.header = "Mode", .key = "mode"},
    {.header = "Client Tsap", .also = "Local Tsap", .key = "client_tsap"},
    {.header = "Server Tsap", .also = "Remote Tsap", .key = "server_tsap"},
    {.header = "Slave", .key = "slave"},
    {.header = "Byte Order", .key = "byte_order"},
    {.header = "Timeout", .key = "timeout"}, // from here on columns of our own
    {.header = "Route", .key = "route"},
    {.header = "Connected", .key = "connected"},
    {.header = "Url", .key = "url"},
    {.header = "Auth", .key = "auth"},
    {.header = "Username", .key = "username"}, // what is secret is in no file
    {.header = "Security Policy", .key = "security_policy"},
    {.header = "Security Mode", .key = "security_mode"},
};
PS_DS_MARKS(device_marks, "Device Name", "Protocol");
const PsDsFile ps_ds1_devices = {
    .title = "devices (device.csv of Device Supervisor 1.x)",
    .marks = device_marks,
    .table = &ps_table_device,
    .object_size = sizeof(PsDevice),
    .columns = device_columns,
    .column_count = PS_COUNT(device_columns),
    .finish = finish_device,
};

// The protocol is the device's; here it only tells what this build refuses.
static void take_protocol(PsDsRow *row, const PsDsColumn *column, const char *cell) {
    refuse_protocol(row, column, cell, "variable");
}

// Files carry a 0 where a column has no meaning.
static void forget_unused_zero(PsDsRow *row, const char *key) {
    const json_t *value = json_object_get(row->keys, key);
    if (json_is_integer(value) && json_integer_value(value) == 0) {
        json_object_set_new(row->keys, key, json_null());
    }
}

static bool has_text(const PsDsRow *row, const char *key) {
    return ps_ds_row_text(row, key)[0] != '\0';
}

static bool is_one_of(const char *type, const char *words) {
    return type[0] == '\0' || ps_ds_cell_is(type, words);
}

// The protocol, as far as the row tells; warn.csv has no column for it.
static int place_protocol(const PsDsRow *row) {
    int protocol = protocol_of(row);
    if (protocol >= 0) {
        return protocol;
    }
    return has_text(row, "symbol")       ? PS_PROTOCOL_ETHERNET_IP
           : has_text(row, "identifier") ? PS_PROTOCOL_OPCUA
                                         : -1;
}

static void finish_variable(PsDsRow *row) {
    ps_ds_row_finish_register(row, "Register Addr");
    int protocol = place_protocol(row);
    if (protocol >= 0) {
        ps_ds_row_drop_foreign(row, protocol);
    }
    const char *type = ps_ds_row_text(row, "data_type");
    if (!is_one_of(type, "BOOL;BIT")) {
        forget_unused_zero(row, "register_bit");
    }
    if (!is_one_of(type, "STRING;S7STRING")) {
        forget_unused_zero(row, "size");
    }
}

static const PsDsColumn variable_columns[] = {
    {.header = "Var Name", .key = "var_name"},
    {.header = "Device", .key = "device"},
    {.header = "Protocol", .take = take_protocol},
    {.header = "Dbnumber", .key = "dbnumber"},
    {.header = "Register Type", .key = "register_type"},
    {.header = "Register Addr", .key = "register_addr", .take = ps_ds_take_register},
    {.header = "Register Bit", .key = "register_bit"},
    {.header = "Symbol", .key = "symbol"},
    {.header = "Namespace Index", .key = "namespace_index"},
    {.header = "Identifier", .key = "identifier"},
    {.header = "Identifier Type", .key = "identifier_type"},
    {.header = "Array Index", .key = "array_index"}, // a column of our own
    {.header = "Data Type", .key = "data_type"},
    {.header = "Read Write", .key = "read_write"},
    {.header = "Float Repr", .key = "float_repr"},
    {.header = "Mode", .key = "mode"},
    {.header = "Unit", .key = "unit"},
    {.header = "Size", .key = "size"},
    {.header = "Desc", .key = "desc"},
    {.header = "Group", .key = "group"},
};
PS_DS_MARKS(variable_marks, "Var Name", "Device");
const PsDsFile ps_ds1_variables = {
    .title = "variables (var.csv of Device Supervisor 1.x)",
    .marks = variable_marks,
    .table = &ps_table_variable,
    .object_size = sizeof(PsVariable),
    .scope_key = "device",
    .columns = variable_columns,
    .column_count = PS_COUNT(variable_columns),
    .finish = finish_variable,
};

// Alarm groups upload nothing: the cell is empty, or "--" as on the screen.
static void take_upload(PsDsRow *row, const PsDsColumn *column, const char *cell) {
    if (!ps_ds_cell_is(ps_ds_row_cell(row, "Group Type"), "alarm")) {
        ps_ds_row_put_cell(row, column, cell);
    }
}

static const PsDsColumn group_columns[] = {
    {.header = "Group Name", .key = "group_name"},
    {.header = "Polling Interval", .key = "polling_interval"},
    {.header = "Upload Interval",
     .also = "Uploading Interval",
     .key = "upload_interval",
     .take = take_upload},
    {.header = "Group Type", .key = "group_type"},
    {.header = "Every Sample", .key = "every_sample"},
};
PS_DS_MARKS(group_marks, "Group Name", "Polling Interval");
const PsDsFile ps_ds1_groups = {
    .title = "groups (group.csv of Device Supervisor 1.x)",
    .marks = group_marks,
    .table = &ps_table_group,
    .object_size = sizeof(PsGroup),
    .columns = group_columns,
    .column_count = PS_COUNT(group_columns),
};

// An alarm on a variable (quotes 1) has no address; files have defaults there.
static void finish_alarm(PsDsRow *row) {
    const json_t *quotes = json_object_get(row->keys, "quotes");
    quotes = quotes != NULL ? quotes : json_object_get(row->before, "quotes");
    finish_variable(row);
    if (json_integer_value(quotes) == 1) {
        ps_ds_row_drop_address(row);
    }
}

static const PsDsColumn alarm_columns[] = {
    {.header = "Warn Name", .key = "warn_name"},
    {.header = "Group", .key = "group"},
    {.header = "Quotes", .key = "quotes"},
    {.header = "Device", .key = "device"},
    {.header = "Var Name", .key = "var_name"},
    {.header = "Condition1", .key = "condition1"},
    {.header = "Operand1", .key = "operand1", .take = ps_ds_take_operand},
    {.header = "Combine Method", .key = "combine_method"},
    {.header = "Condition2", .key = "condition2"},
    {.header = "Operand2", .key = "operand2", .take = ps_ds_take_operand},
    {.header = "Alarm Content", .key = "alarm_content"},
    {.header = "Register Addr", .key = "register_addr", .take = ps_ds_take_register},
    {.header = "Dbnumber", .key = "dbnumber"},
    {.header = "Data Type", .key = "data_type"},
    {.header = "Symbol", .key = "symbol"},
    {.header = "Register Type", .key = "register_type"},
    {.header = "Register Bit", .key = "register_bit"},
    {.header = "Namespace Index", .key = "namespace_index"},
    {.header = "Identifier", .key = "identifier"},
    {.header = "Identifier Type", .key = "identifier_type"},
    {.header = "Float Repr", .key = "float_repr"},
    {.header = "Hysteresis", .key = "hysteresis"}, // from here on columns of our own
    {.header = "On Delay", .key = "on_delay"},
    {.header = "Off Delay", .key = "off_delay"},
    {.header = "Size", .key = "size"},
    {.header = "Unit", .key = "unit"},
    {.header = "Desc", .key = "desc"},
};
PS_DS_MARKS(alarm_marks, "Warn Name");
const PsDsFile ps_ds1_alarms = {
    .title = "alarms (warn.csv of Device Supervisor 1.x)",
    .marks = alarm_marks,
    .table = &ps_table_alarm,
    .object_size = sizeof(PsAlarm),
    .columns = alarm_columns,
    .column_count = PS_COUNT(alarm_columns),
    .finish = finish_alarm,
};
