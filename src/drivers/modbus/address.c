// Address forms as a table of ranges, data types as a table of widths. Pure; any thread.
#include "drivers/modbus/address.h"

#include <stdio.h>

typedef struct Range {
    int first;
    int last;
    PsModbusTable table;
} Range;

// The first address of a range is item 1 of the table, offset 0.
static const Range ranges[] = {
    {1, 10000, PS_MODBUS_COILS},
    {10001, 20000, PS_MODBUS_DISCRETE_INPUTS},
    {30001, 40000, PS_MODBUS_INPUT_REGISTERS},
    {40001, 50000, PS_MODBUS_HOLDING_REGISTERS},
    {100001, 165535, PS_MODBUS_DISCRETE_INPUTS},
    {300001, 365535, PS_MODBUS_INPUT_REGISTERS},
    {400001, 465535, PS_MODBUS_HOLDING_REGISTERS},
};

static const struct {
    const char *name;
    bool bits;
    bool writable;
} tables[] = {
    [PS_MODBUS_COILS] = {"coils", true, true},
    [PS_MODBUS_DISCRETE_INPUTS] = {"discrete inputs", true, false},
    [PS_MODBUS_INPUT_REGISTERS] = {"input registers", false, false},
    [PS_MODBUS_HOLDING_REGISTERS] = {"holding registers", false, true},
};

// Registers of each type; STRING depends on its size. Types left out have no Modbus form.
static const uint8_t registers[] = {
    [PS_TYPE_BOOL] = 1,  [PS_TYPE_BIT] = 1,   [PS_TYPE_WORD] = 1,  [PS_TYPE_INT] = 1,
    [PS_TYPE_DWORD] = 2, [PS_TYPE_DINT] = 2,  [PS_TYPE_FLOAT] = 2, [PS_TYPE_DOUBLE] = 4,
    [PS_TYPE_BCD] = 1,   [PS_TYPE_BCD32] = 2, [PS_TYPE_LONG] = 4,  [PS_TYPE_ULONG] = 4,
};

static bool is_bit_type(int data_type) {
    return data_type == PS_TYPE_BOOL || data_type == PS_TYPE_BIT;
}

const char *ps_modbus_table_name(PsModbusTable table) {
    return tables[table].name;
}

bool ps_modbus_table_has_bits(PsModbusTable table) {
    return tables[table].bits;
}

PsErr ps_modbus_address_parse(int written, PsModbusAddress *ret_address, PsDiag *diag) {
    for (size_t i = 0; i < PS_COUNT(ranges); i++) {
        const Range *range = &ranges[i];
        if (written >= range->first && written <= range->last) {
            *ret_address = (PsModbusAddress){
                .table = range->table,
                .offset = (uint16_t)(written - range->first),
            };
            return PS_OK;
        }
    }
    return ps_fail(PS_ERR_RANGE, diag, NULL, "register_addr",
                   "%d is in no Modbus table; use 1-10000 (coils), 10001-20000 or 110001-165535 "
                   "(discrete inputs), 30001-40000 or 310001-365535 (input registers), "
                   "40001-50000 or 410001-465535 (holding registers)",
                   written);
}

void ps_modbus_address_name(uint32_t table, uint32_t offset, char *out, size_t size) {
    for (size_t i = 0; i < PS_COUNT(ranges); i++) {
        const Range *range = &ranges[i];
        if (range->table == table && offset <= (uint32_t)(range->last - range->first)) {
            snprintf(out, size, "%u", (unsigned)range->first + offset);
            return;
        }
    }
    snprintf(out, size, "offset %u", offset); // a coil behind the written addresses
}

uint32_t ps_modbus_width(PsModbusTable table, int data_type, int size) {
    if (tables[table].bits) {
        return is_bit_type(data_type) ? 1 : 0;
    }
    if (data_type == PS_TYPE_STRING) {
        return size > 0 ? ((uint32_t)size + 1) / 2 : 0;
    }
    return data_type >= 0 && (size_t)data_type < PS_COUNT(registers) ? registers[data_type] : 0;
}

static PsErr check_type(const PsVariable *variable, PsModbusTable table, PsDiag *diag) {
    const char *type = ps_data_type_name(variable->data_type);
    if (variable->data_type == PS_TYPE_STRING && !tables[table].bits) {
        uint32_t most = variable->access == PS_ACCESS_READ ? PS_MODBUS_READ_REGISTERS_MAX
                                                           : PS_MODBUS_WRITE_REGISTERS_MAX;
        if (variable->size >= 1 && (uint32_t)variable->size <= 2 * most) {
            return PS_OK;
        }
        return ps_fail(PS_ERR_RANGE, diag, NULL, "size",
                       "%d: a STRING must fit one request, so it has 1 to %u characters%s",
                       variable->size, 2 * most,
                       variable->access == PS_ACCESS_READ ? "" : " when it is written");
    }
    if (ps_modbus_width(table, variable->data_type, variable->size) > 0) {
        return PS_OK;
    }
    if (tables[table].bits) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, "data_type",
                       "%s does not fit address %d: %s hold single bits; use BOOL or BIT", type,
                       variable->register_addr, tables[table].name);
    }
    return ps_fail(PS_ERR_INVALID, diag, NULL, "data_type",
                   "%s has no Modbus form, a register has 16 bits; use WORD or INT", type);
}

static PsErr check_bit(const PsVariable *variable, PsModbusTable table, PsDiag *diag) {
    if (is_bit_type(variable->data_type) && !tables[table].bits) {
        if (variable->register_bit >= 0 && variable->register_bit <= 15) {
            return PS_OK;
        }
        return ps_fail(PS_ERR_INVALID, diag, NULL, "register_bit",
                       "must be 0 to 15: %s at %d is one bit of a register",
                       ps_data_type_name(variable->data_type), variable->register_addr);
    }
    // Device Supervisor files carry a 0 where the bit has no meaning.
    if (variable->register_bit == PS_UNSET || variable->register_bit == 0) {
        return PS_OK;
    }
    return ps_fail(PS_ERR_INVALID, diag, NULL, "register_bit",
                   "is only for BOOL and BIT in registers; remove it");
}

static PsErr check_device(const PsDevice *device, PsDiag *diag) {
    bool valid = (device->slave >= 0 && device->slave <= 247) || device->slave == 255;
    return valid ? PS_OK
                 : ps_fail(PS_ERR_RANGE, diag, NULL, "device",
                           "slave %d of device '%s' is reserved by Modbus; use 0 to 247 or 255",
                           device->slave, device->name);
}

static PsErr check_given(const PsVariable *variable, PsDiag *diag) {
    if (variable->register_addr == PS_UNSET) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, "register_addr",
                       "is missing; add it, for example 40001");
    }
    if (variable->data_type == PS_TYPE_AUTO) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, "data_type",
                       "is missing; add it, for example WORD: Modbus does not say what a register "
                       "holds");
    }
    return PS_OK;
}

PsErr ps_modbus_check_variable(const PsDevice *device, const PsVariable *variable, PsDiag *diag) {
    PsModbusAddress address;
    PsErr err = check_given(variable, diag);
    err = err != PS_OK ? err : ps_modbus_address_parse(variable->register_addr, &address, diag);
    err = err != PS_OK ? err : check_type(variable, address.table, diag);
    err = err != PS_OK ? err : check_bit(variable, address.table, diag);
    err = err != PS_OK ? err : check_device(device, diag);
    if (err != PS_OK) {
        return err;
    }
    if (variable->access != PS_ACCESS_READ && !tables[address.table].writable) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, "read_write",
                       "%s cannot be written (address %d); use read", tables[address.table].name,
                       variable->register_addr);
    }
    uint32_t width = ps_modbus_width(address.table, variable->data_type, variable->size);
    if (address.offset + width > PS_MODBUS_TABLE_SIZE) {
        return ps_fail(PS_ERR_RANGE, diag, NULL, "register_addr",
                       "%d: its %u registers run past the end of the %s", variable->register_addr,
                       width, tables[address.table].name);
    }
    return PS_OK;
}

PsErr ps_modbus_rtu_check_variable(const PsDevice *device, const PsVariable *variable,
                                   PsDiag *diag) {
    if (device->slave < 1 || device->slave > 247) {
        return ps_fail(PS_ERR_RANGE, diag, NULL, "device",
                       "slave %d of device '%s' is no slave on a line of ModbusRTU; use 1 to 247",
                       device->slave, device->name);
    }
    return ps_modbus_check_variable(device, variable, diag);
}
