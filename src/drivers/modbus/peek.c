// Asks for one variable alone. More registers than its type has are asked for where there are as
// many, so that the bytes can be read as wider types too. Channel thread; blocks in the exchange.
#include "drivers/modbus/peek.h"

#include "base/text.h"
#include "drivers/modbus/describe.h"
#include "drivers/modbus/exception.h"
#include "drivers/peek.h"

#include <stdio.h>

#define NUMBER_REGISTERS 4U // the widest number
#define MOST_REGISTERS (PS_PEEK_BYTES / 2)

typedef struct Look {
    PsModbusConnection *connection;
    PsModbusUnit unit;
    PsModbusAddress address;
    PsPeek *peek;
} Look;

static PsErr ask(const Look *look, uint32_t count, PsDiag *diag) {
    PsPeek *peek = look->peek;
    PsModbusTable table = look->address.table;
    uint16_t offset = look->address.offset;
    PS_AUTO_BUF PsBuf text = {0};
    ps_modbus_describe_request(look->unit.slave, table, offset, count, &text);
    ps_text_format(peek->request, sizeof peek->request, "%s", (const char *)text.data);
    uint16_t registers[MOST_REGISTERS] = {0};
    look->connection->peek = peek;
    PsErr err =
        ps_modbus_table_has_bits(table)
            ? ps_modbus_read_bits(look->connection, look->unit, table, offset, 1, peek->bytes, diag)
            : ps_modbus_read_registers(look->connection, look->unit, table, offset, (uint16_t)count,
                                       registers, diag);
    look->connection->peek = NULL;
    peek->code = look->connection->exception;
    if (peek->code != 0) {
        snprintf(peek->meaning, sizeof peek->meaning, "%s; %s",
                 ps_modbus_exception_words((int)peek->code),
                 ps_modbus_exception_cure((int)peek->code));
    }
    if (err != PS_OK) {
        return err;
    }
    if (ps_modbus_table_has_bits(table)) {
        peek->len = 1;
        peek->ordered = true;
        return PS_OK;
    }
    for (uint32_t i = 0; i < count; i++) {
        peek->bytes[2 * i] = (uint8_t)(registers[i] >> 8);
        peek->bytes[2 * i + 1] = (uint8_t)registers[i];
    }
    peek->len = 2 * count;
    return PS_OK;
}

PsErr ps_modbus_peek(PsModbusConnection *connection, const PsEndpoint *endpoint,
                     const PsLearned *learned, uint32_t index, PsPeek *peek, PsDiag *diag) {
    const PsVariable *variable = &endpoint->config->variables[index];
    const PsDevice *device = &endpoint->config->devices[variable->device];
    Look look = {.connection = connection,
                 .unit = {.slave = device->slave, .timeout_ns = ps_seconds_to_ns(device->timeout)},
                 .peek = peek};
    PsErr err = ps_modbus_address_parse(variable->register_addr, &look.address, diag);
    if (err != PS_OK) {
        return err;
    }
    bool bits = ps_modbus_table_has_bits(look.address.table);
    uint32_t least =
        bits ? 1 : ps_modbus_width(look.address.table, variable->data_type, variable->size);
    least = least < MOST_REGISTERS ? least : MOST_REGISTERS;
    PsLearnedHole place = {.unit = (uint32_t)device->slave,
                           .area = look.address.table,
                           .first = look.address.offset,
                           .count = least};
    ps_peek_learned(peek, learned, &place, ps_modbus_address_name);
    if (bits) {
        return ask(&look, 1, diag);
    }
    uint32_t most = least > NUMBER_REGISTERS ? least : NUMBER_REGISTERS;
    uint32_t left = PS_MODBUS_TABLE_SIZE - look.address.offset;
    most = most < left ? most : left;
    err = ask(&look, most, diag);
    // What follows may be no register of the device.
    return err == PS_ERR_REFUSED && least < most ? ask(&look, least, diag) : err;
}
