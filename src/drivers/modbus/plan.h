//! Which requests read a set of variables: as few as the protocol and the device allow, around the
//! places that the device does not have. Pure; one owner.
#pragma once

#include "drivers/driver.h"
#include "drivers/learned.h"
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
    uint8_t table : 7;   ///< PsModbusTable
    uint8_t blocked : 1; ///< a hole lies inside it: not asked for
    uint8_t width;       ///< bits or registers
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

#define PS_MODBUS_TABLES 4U

typedef struct PsModbusPlan {
    PsModbusItem *items; ///< those that are read, sorted by table, offset, width; then the blocked
    uint32_t item_count;
    uint32_t read_count;       ///< items that are read
    PsModbusRequest *requests; ///< in the order of the items; no hole lies inside one
    uint32_t request_count;
    uint32_t request_room;
    struct {
        uint32_t first; ///< of all items of the table, blocked or not
        uint32_t end;   ///< 0: it has none
        uint32_t most;  ///< items that the device has given in one request since the plan was made
    } spans[PS_MODBUS_TABLES];
    uint64_t version;  ///< of what was learned when it was packed
    PsMono next_probe; ///< no known hole in its spans is to be tried before
    PsMono next_plea;  ///< when nothing of it is read: the next try, whatever the holes say
} PsModbusPlan;

/// The variables have passed ps_modbus_check_variable. `learned` (may be NULL) is about the slave.
void ps_modbus_plan_init(PsModbusPlan *plan, const PsConfig *config, const PsPollSet *set,
                         const PsLearned *learned, uint32_t slave);
/// Accepts a zeroed plan.
void ps_modbus_plan_deinit(PsModbusPlan *plan);

/// Packs anew by what is known now. An item that is wider than the largest request of the device
/// gets a request of its own, to be asked in portions.
void ps_modbus_plan_pack(PsModbusPlan *plan, const PsLearned *learned, uint32_t slave);

/// Does it read the same places as `other`, whatever the numbers of the variables?
bool ps_modbus_plan_same(const PsModbusPlan *plan, const PsModbusPlan *other);

/// The most items of a table in one request, as far as the protocol goes.
uint32_t ps_modbus_most(PsModbusTable table);

/// The request for exactly these items.
PsModbusRequest ps_modbus_plan_cover(const PsModbusPlan *plan, uint32_t first_item, uint32_t count);

/// The item before which a refused request is best cut: at its widest gap, or in the middle when it
/// has none; inside overlapping items only when there is no other way. 0 when all its items stand
/// at the same place, so that no cut can help.
uint32_t ps_modbus_plan_cut(const PsModbusPlan *plan, const PsModbusRequest *request);
