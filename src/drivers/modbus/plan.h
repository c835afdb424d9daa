//! Which requests read a set of variables: as few as the protocol allows, and fewer bad values
//! when a device refuses a part. Pure; one owner.
#pragma once

#include "drivers/driver.h"
#include "drivers/modbus/address.h"
#include "drivers/modbus/codec.h"

/// Widest hole between two wanted items that is read along instead of a second request. At these
/// sizes the hole costs 64 bytes on the wire, a request a round trip.
#define PS_MODBUS_GAP_REGISTERS 32U
#define PS_MODBUS_GAP_BITS 512U

/// One variable inside a plan.
typedef struct PsModbusItem {
    uint32_t variable; ///< index into PsConfig.variables
    uint16_t offset;
    uint8_t table; ///< PsModbusTable
    uint8_t width; ///< bits or registers
    PsModbusField field;
} PsModbusItem;

/// One read request and the items it answers.
typedef struct PsModbusRequest {
    uint32_t first_item;
    uint32_t item_count;
    uint16_t offset;
    uint16_t count; ///< bits or registers
    uint8_t table;  ///< PsModbusTable
} PsModbusRequest;

typedef struct PsModbusPlan {
    PsModbusItem *items; ///< sorted by table, offset, width
    uint32_t item_count;
    PsModbusRequest *requests; ///< in the order of the items
    uint32_t request_count;
    uint32_t request_room;
} PsModbusPlan;

/// The variables have passed ps_modbus_check_variable.
void ps_modbus_plan_init(PsModbusPlan *plan, const PsConfig *config, const PsPollSet *set);
/// Accepts a zeroed plan.
void ps_modbus_plan_deinit(PsModbusPlan *plan);

/// Does it read the same places as `other`, whatever the numbers of the variables? Then it takes
/// the other's splits over.
bool ps_modbus_plan_follow(PsModbusPlan *plan, const PsModbusPlan *other);

/// Merges anew, forgetting all splits.
void ps_modbus_plan_merge(PsModbusPlan *plan);

/// The device refused request number `request` as a whole: puts two smaller ones in its place, cut
/// at its widest hole, or in the middle when it has none. False when all its variables stand at
/// the same place, so that no cut can help. The cut stays until the next merge.
bool ps_modbus_plan_split(PsModbusPlan *plan, uint32_t request);
