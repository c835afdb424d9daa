//! Written register addresses ("40001") and what may stand at them. Pure; any thread.
//!
//! The four tables and their 65,536 items: Modbus Application Protocol V1.1b3, section 4.3 and 4.4.
//! The written forms are those of Device Supervisor: five digits (10001, 30001, 40001) reach the
//! first 10,000 items of a table, six digits (100001, 300001, 400001) reach item 65,535; the item
//! number is what follows the first digit in both.
#pragma once

#include "model/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum PsModbusTable {
    PS_MODBUS_COILS,
    PS_MODBUS_DISCRETE_INPUTS,
    PS_MODBUS_INPUT_REGISTERS,
    PS_MODBUS_HOLDING_REGISTERS,
} PsModbusTable;

/// Items in each table; offsets run from 0 to one less.
#define PS_MODBUS_TABLE_SIZE 65536U

/// Most items of one request (V1.1b3 sections 6.1 to 6.4, 6.11, 6.12).
#define PS_MODBUS_READ_BITS_MAX 2000U
#define PS_MODBUS_READ_REGISTERS_MAX 125U
#define PS_MODBUS_WRITE_REGISTERS_MAX 123U

typedef struct PsModbusAddress {
    PsModbusTable table;
    uint16_t offset; ///< as it goes over the wire, from 0
} PsModbusAddress;

/// "coils", "discrete inputs", ... Never NULL.
const char *ps_modbus_table_name(PsModbusTable table);
/// Coils and discrete inputs hold bits, the other two registers.
bool ps_modbus_table_has_bits(PsModbusTable table);

/// PS_ERR_RANGE with words (field `register_addr`) when no table has this address.
PsErr ps_modbus_address_parse(int written, PsModbusAddress *ret_address, PsDiag *diag);

/// The written address of an item of a table: "40001", "410001".
void ps_modbus_address_name(uint32_t table, uint32_t offset, char *out, size_t size);

/// Items (bits or registers) a variable takes in its table; 0 when Modbus has no such type.
uint32_t ps_modbus_width(PsModbusTable table, int data_type, int size);

/// The driver's variable check: address, type, bit, size, access and end of table fit together.
/// `diag->field` is the key of the configuration that is wrong.
PsErr ps_modbus_check_variable(const PsDevice *device, const PsVariable *variable, PsDiag *diag);
/// The same for RTU, where 1 to 247 are all the slave numbers (Modbus over Serial Line V1.02,
/// section 2.2): 0 reaches all and none answers.
PsErr ps_modbus_rtu_check_variable(const PsDevice *device, const PsVariable *variable,
                                   PsDiag *diag);
