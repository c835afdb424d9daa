// The files of Device Supervisor 2.x: measure.csv, group.csv, alarm.csv. What they ask for and
// Penstock does not have is noted, or refused where a wrong value would come of it. Pure; any
// thread.
#include "exchange/ds_address.h"
#include "exchange/ds_row.h"

#include <string.h>

#define OFF "0;false;none;no"

static void take_upload_type(PsDsRow *row, const PsDsColumn *column, const char *cell) {
    if (ps_ds_cell_is(cell, "never")) {
        ps_ds_row_problem(row, column->header,
                          "'never' has no equal: every variable of a group goes to its scripts; "
                          "write periodic, and a group that no message names");
        return;
    }
    ps_ds_row_put_cell(row, column, cell);
}

static void take_address(PsDsRow *row, const PsDsColumn *column, const char *cell) {
    int address = 0;
    int bit = -1;
    PsDiag diag = {0};
    cell += strspn(cell, " ");
    if (*cell == '%' || (*cell >= 'A' && *cell <= 'Z') || (*cell >= 'a' && *cell <= 'z')) {
        return; // S7: when all columns are known
    }
    char text[32] = "";
    size_t len = strcspn(cell, " ");
    if (len == 0 || len >= sizeof text) {
        ps_ds_row_problem(row, column->header,
                          "'%.30s' is no Modbus address; write one like 4X0001 or 40001", cell);
        return;
    }
    memcpy(text, cell, len);
    if (ps_ds_address_parse(text, &address, &bit, &diag) != PS_OK) {
        ps_ds_row_problem(row, column->header, "%s", diag.text);
        return;
    }
    json_object_set_new(row->keys, "register_addr", json_integer(address));
    json_object_set_new(row->keys, "register_bit", bit >= 0 ? json_integer(bit) : json_null());
}

// One bit of an integer is a BIT of its own here, as long as the integer is one register.
static void take_bit_of_integer(PsDsRow *row) {
    const char *type = ps_ds_row_text(row, "data_type");
    if (strcasecmp(type, "WORD") != 0 && strcasecmp(type, "INT") != 0) {
        ps_ds_row_problem(row, "EnableBit",
                          "a single bit of %.20s cannot come over; name the register that holds it "
                          "and make it WORD",
                          type[0] != '\0' ? type : "this type");
        return;
    }
    static const PsDsColumn bit = {.header = "BitIndex", .key = "register_bit"};
    ps_ds_row_put_cell(row, &bit, ps_ds_row_cell(row, "BitIndex"));
    json_object_set_new(row->keys, "data_type", json_string("BIT"));
}

static void finish_measure(PsDsRow *row) {
    ps_ds_row_finish_register(row, "Address");
    if (!ps_ds_cell_is(ps_ds_row_cell(row, "EnableBit"), ";" OFF)) {
        take_bit_of_integer(row);
    }
    bool is_bit = ps_ds_cell_is(ps_ds_row_text(row, "data_type"), "BIT");
    if (is_bit && ps_ds_cell_is(ps_ds_row_cell(row, "bitMap"), "1;true")) {
        json_object_set_new(row->keys, "data_type", json_string("BOOL")); // false and true again
    }
    if (!ps_ds_cell_is(ps_ds_row_text(row, "data_type"), "STRING") &&
        ps_ds_cell_is(ps_ds_row_cell(row, "Len"), "0")) {
        json_object_set_new(row->keys, "size", json_null());
    }
}

static const PsDsColumn measure_columns[] = {
    {.header = "MeasuringPointName", .key = "var_name"},
    {.header = "ControllerName", .key = "device"},
    {.header = "GroupName", .key = "group"},
    {.header = "UploadType", .key = "mode", .take = take_upload_type},
    {.header = "DeadZonePercent",
     .note = "dead zones are not available; every change is uploaded",
     .idle = "0;0.0;0,0"},
    {.header = "DeadZoneType"},
    {.header = "DataType", .key = "data_type"},
    {.header = "ArrayIndex", .note = "arrays are not available", .idle = "0;-1"},
    {.header = "EnableBit"},
    {.header = "BitIndex"},
    {.header = "reverseBit",
     .note = "bits are not inverted; the value comes as the device has it",
     .idle = OFF},
    {.header = "Address", .key = "register_addr", .take = take_address},
    {.header = "Decimal", .key = "float_repr"},
    {.header = "Len", .key = "size"},
    {.header = "CodeType",
     .note = "texts are read as single bytes; decode this encoding in the script",
     .idle = "ASCII;UTF-8"},
    {.header = "ReadWrite", .key = "read_write"},
    {.header = "Unit", .key = "unit"},
    {.header = "Description", .key = "desc"},
    {.header = "Transform Type",
     .note = "calculations are not available; the raw value comes, calculate in the script",
     .idle = OFF},
    {.header = "MaxValue"},
    {.header = "MinValue"},
    {.header = "MaxScale"},
    {.header = "MinScale"},
    {.header = "Gain"},
    {.header = "Offset"},
    {.header = "startBit"},
    {.header = "endBit"},
    {.header = "Pt"},
    {.header = "Ct"},
    {.header = "TransDecimal"},
    {.header = "Mapping_table",
     .note = "value mapping is not available; map values in the script",
     .idle = OFF ";[];{}"},
    {.header = "bitMap"},
    {.header = "msecSample",
     .note = "packets of fast samples are not available; give the group a short interval",
     .idle = OFF},
    {.header = "storageLwTSDB", .note = "there is no local history", .idle = OFF},
    {.header = "pollCycle",
     .note = "a second polling period is not available; the group says how often it is read",
     .idle = OFF},
    {.header = "byteOrder", .note = "the byte order is that of the device, for all its variables"},
    {.header = "DataEndianReverse",
     .note = "the byte order is that of the device, for all its variables",
     .idle = OFF},
};
PS_DS_MARKS(measure_marks, "MeasuringPointName", "ControllerName", "Address");
const PsDsFile ps_ds2_measures = {
    .title = "variables (measure.csv of Device Supervisor 2.x)",
    .marks = measure_marks,
    .table = &ps_table_variable,
    .object_size = sizeof(PsVariable),
    .scope_key = "device",
    .columns = measure_columns,
    .column_count = PS_COUNT(measure_columns),
    .finish = finish_measure,
};

// In 2.x the controller polls and the group only uploads; a group that is new here polls as often
// as it uploads.
static void finish_group(PsDsRow *row) {
    json_t *upload = json_object_get(row->keys, "upload_interval");
    if (row->before == NULL && json_is_number(upload)) {
        json_object_set(row->keys, "polling_interval", upload);
        ps_ds_row_note(row, "UploadInterval",
                       "is taken as the polling interval, too: in 2.x that belongs to the "
                       "controller, which is in no file");
    }
}

static const PsDsColumn group_columns[] = {
    {.header = "GroupName", .key = "group_name"},
    {.header = "UploadInterval", .key = "upload_interval"},
    {.header = "EnablePerOnchange",
     .note = "unchanged onchange variables are not uploaded now and then",
     .idle = OFF},
    {.header = "OnchangePeriod"},
    {.header = "LwTSDBSize", .note = "there is no local history", .idle = OFF},
    {.header = "strategy"},
    {.header = "storagePeriod"},
    {.header = "historyDataMode"},
    {.header = "historyDataPath"},
};
PS_DS_MARKS(group_marks, "GroupName", "UploadInterval");
const PsDsFile ps_ds2_groups = {
    .title = "groups (group.csv of Device Supervisor 2.x)",
    .marks = group_marks,
    .table = &ps_table_group,
    .object_size = sizeof(PsGroup),
    .columns = group_columns,
    .column_count = PS_COUNT(group_columns),
    .finish = finish_group,
};

// Labels sort alarms for publishing, as alarm groups do here.
static void take_tag(PsDsRow *row, const PsDsColumn *column, const char *cell) {
    ps_ds_row_put_cell(row, column, ps_ds_cell_is(cell, "default") ? "" : cell);
}

// In 2.x an alarm always watches a variable.
static void finish_alarm(PsDsRow *row) {
    json_object_set_new(row->keys, "quotes", json_integer(1));
    ps_ds_row_drop_address(row);
}

static const PsDsColumn alarm_columns[] = {
    {.header = "AlarmName", .key = "warn_name"},
    {.header = "ControllerName", .key = "device"},
    {.header = "MeasuringPointName", .key = "var_name"},
    {.header = "AlarmLevel", .note = "alarms have no levels", .idle = "1"},
    {.header = "Condition1", .key = "condition1"},
    {.header = "Operand1", .key = "operand1", .take = ps_ds_take_operand},
    {.header = "CombineMethod", .key = "combine_method"},
    {.header = "Condition2", .key = "condition2"},
    {.header = "Operand2", .key = "operand2", .take = ps_ds_take_operand},
    {.header = "AlarmContent", .key = "alarm_content"},
    {.header = "AlarmTag", .key = "group", .take = take_tag},
};
PS_DS_MARKS(alarm_marks, "AlarmName", "MeasuringPointName");
const PsDsFile ps_ds2_alarms = {
    .title = "alarms (alarm.csv of Device Supervisor 2.x)",
    .marks = alarm_marks,
    .table = &ps_table_alarm,
    .object_size = sizeof(PsAlarm),
    .columns = alarm_columns,
    .column_count = PS_COUNT(alarm_columns),
    .finish = finish_alarm,
};
