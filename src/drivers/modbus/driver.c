// Modbus behind the driver contract: one plan per poll set, one connection for all of them. TCP and
// RTU differ in how the connection is made and named only.
// Runs on the channel's thread; read, write and connect block there.
#include "drivers/modbus/driver.h"

#include "base/mem.h"
#include "drivers/endpoint.h"
#include "drivers/modbus/connection.h"
#include "drivers/modbus/describe.h"
#include "drivers/modbus/exception.h"
#include "drivers/modbus/peek.h"
#include "drivers/modbus/plan.h"
#include "drivers/modbus/reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A search takes so many requests in one read call, or more where they are fast: a device that
// refuses everything must not hold up its line. Where it has the line for itself it may take a
// whole cycle. The search goes on in the next.
#define SEARCHES_PER_READ 64U
#define SEARCHES_PER_READ_FAST 1024U
#define SEARCH_NS (500 * PS_NS_PER_MS)

// After so long in trouble a device may have been started anew, with another program.
#define RESTART_NS (5 * PS_NS_PER_S)

typedef struct ModbusSession {
    PsSession base;
    const PsEndpoint *endpoint;
    PsModbusPlan *plans; // one per set
    PsLearned *learned;  // the endpoint's, or `own`
    PsLearned *own;      // where the endpoint has none
    PsMono trouble;      // since then nothing was read; zero: all is well
    PsModbusConnection connection;
    bool connection_ready; // init has run
    int64_t connect_timeout_ns;
    uint16_t registers[PS_MODBUS_READ_REGISTERS_MAX];
    uint8_t *bits; // room for PS_MODBUS_READ_BITS_MAX, once it is needed
    char text[PS_MODBUS_TEXT_MAX];
} ModbusSession;

static ModbusSession *modbus_session(PsSession *session) {
    PS_ASSERT(session->driver == &ps_modbus_tcp_driver || session->driver == &ps_modbus_rtu_driver);
    return (ModbusSession *)session;
}

static void endpoint_key(const PsConfig *config, const PsDevice *device, char *out, size_t size) {
    if (ps_device_is_serial(device)) {
        snprintf(out, size, "%s", config->serials[device->serial].path);
        return;
    }
    bool is_ipv6 = strchr(device->ip, ':') != NULL;
    snprintf(out, size, "%s%.100s%s:%d", is_ipv6 ? "[" : "", device->ip, is_ipv6 ? "]" : "",
             device->port);
}

// The plans of one endpoint, one per set.
static void free_plans(PsModbusPlan *plans, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        ps_modbus_plan_deinit(&plans[i]);
    }
    free(plans);
}

static void session_free(PsSession *base) {
    if (base == NULL) {
        return;
    }
    ModbusSession *session = modbus_session(base);
    if (session->connection_ready) {
        ps_modbus_connection_deinit(&session->connection);
    }
    free_plans(session->plans, session->endpoint->set_count);
    ps_learned_free(session->own);
    free(session->bits);
    free(session);
}

static int slave_of(const PsEndpoint *endpoint, uint32_t set) {
    return endpoint->config->devices[endpoint->sets[set].device].slave;
}

static void take_endpoint(ModbusSession *session, const PsEndpoint *endpoint) {
    session->endpoint = endpoint;
    if (endpoint->learned == NULL && session->own == NULL) {
        session->own = ps_learned_new();
    }
    session->learned = endpoint->learned != NULL ? endpoint->learned : session->own;
    session->plans = ps_alloc_array(endpoint->set_count, sizeof *session->plans);
    session->connect_timeout_ns = ps_endpoint_timeout_ns(endpoint);
    session->connection.shared = endpoint->device_count > 1;
    for (uint32_t i = 0; i < endpoint->set_count; i++) {
        ps_modbus_plan_init(&session->plans[i], endpoint->config, &endpoint->sets[i],
                            session->learned, (uint32_t)slave_of(endpoint, i));
    }
}

static const PsSerial *serial_of(const PsEndpoint *endpoint) {
    const PsDevice *first = &endpoint->config->devices[endpoint->devices[0]];
    return ps_device_is_serial(first) ? &endpoint->config->serials[first->serial] : NULL;
}

static PsModbusTarget target_of(const PsDriver *driver, const PsEndpoint *endpoint) {
    const PsDevice *first = &endpoint->config->devices[endpoint->devices[0]];
    const PsSerial *serial = serial_of(endpoint);
    return (PsModbusTarget){
        .way = serial != NULL                    ? &ps_modbus_way_serial
               : driver == &ps_modbus_rtu_driver ? &ps_modbus_way_rtu_tcp
                                                 : &ps_modbus_way_tcp,
        .host = first->ip,
        .port = first->port,
        .serial = serial,
    };
}

static PsErr make_session(const PsDriver *driver, const PsEndpoint *endpoint,
                          PsSession **ret_session, PsDiag *diag) {
    PS_ASSERT(endpoint->device_count > 0);
    PsErr err = ps_endpoint_check(endpoint, driver->check_variable, diag);
    if (err != PS_OK) {
        return err;
    }
    ModbusSession *session = ps_alloc(sizeof *session);
    session->base.driver = driver;
    PsModbusTarget target = target_of(driver, endpoint);
    err = ps_modbus_connection_init(&session->connection, &target, &session->base, diag);
    session->connection_ready = true;
    take_endpoint(session, endpoint);
    if (err != PS_OK) {
        session_free(&session->base);
        return err;
    }
    *ret_session = &session->base;
    return PS_OK;
}

static PsErr tcp_session_new(const PsEndpoint *endpoint, PsSession **ret_session, PsDiag *diag) {
    return make_session(&ps_modbus_tcp_driver, endpoint, ret_session, diag);
}

static PsErr rtu_session_new(const PsEndpoint *endpoint, PsSession **ret_session, PsDiag *diag) {
    return make_session(&ps_modbus_rtu_driver, endpoint, ret_session, diag);
}

// A slave that is asked for other places than before is asked for all of them: whoever corrects a
// configuration, or the device's program, need not wait for the next try.
static bool session_replan(PsSession *base, const PsEndpoint *endpoint) {
    ModbusSession *session = modbus_session(base);
    const PsEndpoint *before = session->endpoint;
    PsModbusPlan *plans_before = session->plans;
    take_endpoint(session, endpoint);
    for (uint32_t i = 0; i < endpoint->set_count; i++) {
        bool found = false;
        for (uint32_t j = 0; !found && j < before->set_count; j++) {
            found = slave_of(before, j) == slave_of(endpoint, i) &&
                    ps_modbus_plan_same(&session->plans[i], &plans_before[j]);
        }
        if (!found) {
            ps_learned_retry(session->learned, (uint32_t)slave_of(endpoint, i), ps_mono_now());
        }
    }
    free_plans(plans_before, before->set_count);
    const PsSerial *serial = serial_of(endpoint);
    return serial == NULL || !ps_modbus_connection_set_serial(&session->connection, serial);
}

static void note_trouble(ModbusSession *session, PsErr err) {
    PsMono well = {0};
    session->trouble = err == PS_OK                     ? well
                       : session->trouble.ns == well.ns ? ps_mono_now()
                                                        : session->trouble;
}

// A device that was gone for a while may have another program by now.
static void doubt_what_was_learned(ModbusSession *session) {
    PsMono now = ps_mono_now();
    if (session->trouble.ns == 0 || ps_mono_diff_ns(now, session->trouble) < RESTART_NS) {
        return;
    }
    for (uint32_t i = 0; i < session->endpoint->set_count; i++) {
        ps_learned_retry(session->learned, (uint32_t)slave_of(session->endpoint, i), now);
        session->plans[i].next_probe = (PsMono){0};
    }
}

static PsErr session_connect(PsSession *base, PsDiag *diag) {
    ModbusSession *session = modbus_session(base);
    PsErr err = ps_modbus_connection_open(&session->connection, session->connect_timeout_ns, diag);
    if (err == PS_OK) {
        doubt_what_was_learned(session);
    } else {
        note_trouble(session, err);
    }
    return err;
}

static bool session_connected(const PsSession *base) {
    const ModbusSession *session = (const ModbusSession *)base;
    return ps_modbus_connection_is_open(&session->connection);
}

static void session_disconnect(PsSession *base) {
    ps_modbus_connection_close(&modbus_session(base)->connection);
}

static void session_interrupt(PsSession *base) {
    ps_modbus_connection_interrupt(&modbus_session(base)->connection);
}

static PsModbusUnit unit_of(const ModbusSession *session, uint32_t device) {
    const PsDevice *owner = &session->endpoint->config->devices[device];
    return (PsModbusUnit){.slave = owner->slave, .timeout_ns = ps_seconds_to_ns(owner->timeout)};
}

// One read call of one set.
typedef struct Read {
    ModbusSession *session;
    const PsModbusPlan *plan;
    PsModbusUnit unit;
    PsSampleBatch *batch;
    PsMono start;
    int64_t search_ns; // how long it may search
} Read;

static uint8_t *bits_of(ModbusSession *session) {
    if (session->bits == NULL) {
        session->bits = ps_alloc(PS_MODBUS_READ_BITS_MAX);
    }
    return session->bits;
}

static void add_answered(void *ctx, const PsModbusRequest *request) {
    const Read *read = ctx;
    ModbusSession *session = read->session;
    const PsModbusItem *item = &read->plan->items[request->first_item];
    const PsModbusItem *last = item + request->item_count;
    if (ps_modbus_table_has_bits((PsModbusTable)request->table)) {
        for (; item < last; item++) {
            uint8_t bit = session->bits[item->offset - request->offset];
            ps_sample_batch_add(read->batch, item->variable, PS_QUALITY_GOOD,
                                ps_modbus_decode_bit(&item->field, bit));
        }
        return;
    }
    for (; item < last; item++) {
        PsValue value;
        PsQuality quality =
            ps_modbus_decode(&item->field, &session->registers[item->offset - request->offset],
                             session->text, &value);
        ps_sample_batch_add(read->batch, item->variable, quality, value);
    }
}

static void add_refused(void *ctx, const PsModbusItem *item) {
    const Read *read = ctx;
    ps_sample_batch_add(read->batch, item->variable, PS_QUALITY_REFUSED, ps_value_none());
}

static void tell_hole(void *ctx, const PsLearnedHole *hole, PsDiag *diag) {
    const Read *read = ctx;
    ps_modbus_tell_refusal(read->unit, (PsModbusTable)hole->area, (uint16_t)hole->first,
                           (uint16_t)hole->count, hole->code, diag);
}

// Mostly one portion: only what is wider than the device gives takes more.
static PsErr ask(void *ctx, const PsModbusRequest *request, int *ret_exception, PsDiag *diag) {
    const Read *read = ctx;
    ModbusSession *session = read->session;
    PsModbusTable table = (PsModbusTable)request->table;
    uint32_t most =
        ps_learned_max(session->learned, (uint32_t)read->unit.slave, table, ps_modbus_most(table));
    PsErr err = PS_OK;
    for (uint32_t done = 0; err == PS_OK && done < request->count; done += most) {
        uint32_t left = request->count - done;
        uint16_t count = (uint16_t)(left < most ? left : most);
        uint16_t offset = (uint16_t)(request->offset + done);
        err = ps_modbus_table_has_bits(table)
                  ? ps_modbus_read_bits(&session->connection, read->unit, table, offset, count,
                                        bits_of(session) + done, diag)
                  : ps_modbus_read_registers(&session->connection, read->unit, table, offset, count,
                                             session->registers + done, diag);
    }
    *ret_exception = err == PS_ERR_REFUSED ? session->connection.exception : 0;
    return err;
}

static bool may_search(void *ctx, uint32_t requests) {
    const Read *read = ctx;
    return requests < SEARCHES_PER_READ ||
           (requests < SEARCHES_PER_READ_FAST &&
            ps_mono_diff_ns(ps_mono_now(), read->start) < read->search_ns);
}

static int64_t search_ns(const ModbusSession *session, uint32_t set) {
    const PsConfig *config = session->endpoint->config;
    uint32_t group = session->endpoint->sets[set].group;
    double cycle = group < config->group_count ? config->groups[group].polling_interval : 0;
    bool whole = !session->connection.shared && cycle * 1e9 > SEARCH_NS;
    return whole ? ps_seconds_to_ns(cycle) : SEARCH_NS;
}

static PsErr session_read(PsSession *base, uint32_t set, PsSampleBatch *batch, PsDiag *diag) {
    ModbusSession *session = modbus_session(base);
    PS_ASSERT(set < session->endpoint->set_count);
    uint32_t samples_before = batch->sample_count;
    uint32_t text_before = batch->text_used;
    Read read = {
        .session = session,
        .plan = &session->plans[set],
        .unit = unit_of(session, session->endpoint->sets[set].device),
        .batch = batch,
        .start = ps_mono_now(),
        .search_ns = search_ns(session, set),
    };
    PsModbusAsker asker = {ask, add_answered, add_refused, tell_hole, may_search, &read};
    PsModbusReading reading = {
        .plan = &session->plans[set],
        .learned = session->learned,
        .slave = (uint32_t)read.unit.slave,
        .now = read.start,
        .wall = ps_wall_now(),
        .asker = &asker,
    };
    PsErr err = ps_modbus_read_plan(&reading, diag);
    if (err == PS_OK) {
        doubt_what_was_learned(session);
    }
    note_trouble(session, err);
    if (err != PS_OK) {
        batch->sample_count = samples_before;
        batch->text_used = text_before;
    }
    return err;
}

// One variable to be written, with everything the steps below need.
typedef struct Write {
    ModbusSession *session;
    PsModbusUnit unit;
    PsModbusAddress address;
    PsModbusField field;
    PsValue value;
} Write;

static PsErr write_coil(const Write *write, PsDiag *diag) {
    bool on = write->value.kind == PS_VALUE_BOOL ? write->value.boolean : write->value.integer != 0;
    return ps_modbus_write_coil(&write->session->connection, write->unit, write->address.offset, on,
                                diag);
}

static PsErr write_registers(const Write *write, PsDiag *diag) {
    ModbusSession *session = write->session;
    bool one_bit = write->field.type == PS_TYPE_BOOL || write->field.type == PS_TYPE_BIT;
    if (one_bit) {
        // The other fifteen bits belong to someone else: take them as they are now.
        PsErr err =
            ps_modbus_read_registers(&session->connection, write->unit, write->address.table,
                                     write->address.offset, 1, session->registers, diag);
        if (err != PS_OK) {
            return err;
        }
    }
    ps_modbus_encode(&write->field, write->value, session->registers);
    return ps_modbus_write_registers(&session->connection, write->unit, write->address.offset,
                                     write->field.registers, session->registers, diag);
}

static PsValue read_back(const Write *write) {
    ModbusSession *session = write->session;
    PsValue value = ps_value_none();
    if (ps_modbus_table_has_bits(write->address.table)) {
        PsErr err = ps_modbus_read_bits(&session->connection, write->unit, write->address.table,
                                        write->address.offset, 1, bits_of(session), NULL);
        return err == PS_OK ? ps_modbus_decode_bit(&write->field, session->bits[0]) : value;
    }
    PsErr err = ps_modbus_read_registers(&session->connection, write->unit, write->address.table,
                                         write->address.offset, write->field.registers,
                                         session->registers, NULL);
    if (err == PS_OK) {
        (void)ps_modbus_decode(&write->field, session->registers, session->text, &value);
    }
    return value;
}

static PsErr session_write(PsSession *base, uint32_t index, PsValue value, PsValue *ret_read_back,
                           PsDiag *diag) {
    ModbusSession *session = modbus_session(base);
    const PsConfig *config = session->endpoint->config;
    const PsVariable *variable = &config->variables[index];
    const PsDevice *device = &config->devices[variable->device];
    Write write = {.session = session, .unit = unit_of(session, variable->device), .value = value};
    PsErr err = base->driver->check_variable(device, variable, diag);
    err =
        err != PS_OK ? err : ps_modbus_address_parse(variable->register_addr, &write.address, diag);
    if (err != PS_OK) {
        return err;
    }
    write.field = ps_modbus_field(device, variable);
    err = write.address.table == PS_MODBUS_COILS ? write_coil(&write, diag)
                                                 : write_registers(&write, diag);
    if (err != PS_OK) {
        return err;
    }
    // The device has acknowledged: from here on the write is done, whatever the read-back brings.
    *ret_read_back = variable->access == PS_ACCESS_WRITE ? ps_value_none() : read_back(&write);
    return PS_OK;
}

static PsErr session_peek(PsSession *base, uint32_t index, PsPeek *peek, PsDiag *diag) {
    ModbusSession *session = modbus_session(base);
    PsErr err = ps_modbus_peek(&session->connection, session->endpoint, session->learned, index,
                               peek, diag);
    PsModbusAddress address;
    const PsVariable *variable = &session->endpoint->config->variables[index];
    if (err == PS_OK && ps_modbus_address_parse(variable->register_addr, &address, NULL) == PS_OK) {
        uint32_t count = ps_modbus_table_has_bits(address.table) ? 1 : peek->len / 2;
        uint32_t slave = (uint32_t)session->endpoint->config->devices[variable->device].slave;
        (void)ps_learned_answered(session->learned, slave, address.table, address.offset, count);
    }
    return err;
}

const PsDriver ps_modbus_tcp_driver = {
    .protocol = PS_PROTOCOL_MODBUS_TCP,
    .check_variable = ps_modbus_check_variable,
    .endpoint_key = endpoint_key,
    .describe = ps_modbus_describe,
    .session_new = tcp_session_new,
    .replan = session_replan,
    .connect = session_connect,
    .connected = session_connected,
    .disconnect = session_disconnect,
    .read = session_read,
    .write = session_write,
    .peek = session_peek,
    .interrupt = session_interrupt,
    .free = session_free,
};

const PsDriver ps_modbus_rtu_driver = {
    .protocol = PS_PROTOCOL_MODBUS_RTU,
    .check_variable = ps_modbus_rtu_check_variable,
    .endpoint_key = endpoint_key,
    .describe = ps_modbus_describe,
    .session_new = rtu_session_new,
    .replan = session_replan,
    .connect = session_connect,
    .connected = session_connected,
    .disconnect = session_disconnect,
    .read = session_read,
    .write = session_write,
    .peek = session_peek,
    .interrupt = session_interrupt,
    .free = session_free,
};
