// The simulator behind the driver contract. The example to begin a new driver with: everything a
// driver must do is here, without a wire. docs/drivers.md walks through it.
// Runs on the channel's thread; connect never blocks, read blocks where a place says so.
#include "drivers/sim/driver.h"

#include "base/mem.h"
#include "base/text.h"
#include "drivers/sim/address.h"
#include "drivers/sim/cells.h"

#include <math.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

// The first member is what the contract asks for; the rest is the driver's own.
typedef struct SimSession {
    PsSession base;
    const PsEndpoint *endpoint;
    PsSimulatorPlace *places; // of each variable of the configuration
    PsSimulatorCells cells;
    bool connected;
    atomic_bool interrupted;
    int wake_fd; // becomes readable with the interrupt and stays so
} SimSession;

static SimSession *sim_session(PsSession *session) {
    PS_ASSERT(session->driver == &ps_simulator_driver);
    return (SimSession *)session;
}

// --- addresses: pure questions, asked while a configuration is checked

static PsErr check_variable(const PsDevice *device, const PsVariable *variable, PsDiag *diag) {
    (void)device;
    PsSimulatorPlace place;
    PsErr err = ps_simulator_parse(variable->symbol, &place, diag);
    bool may_write =
        err == PS_OK && (place.kind == PS_SIMULATOR_CELL || place.kind == PS_SIMULATOR_MISSING);
    if (err == PS_OK && variable->access != PS_ACCESS_READ && !may_write) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, "read_write",
                       "'%.60s' moves by itself; only cell/NAME can be written", variable->symbol);
    }
    return err;
}

// Each device stands alone: a silent one then holds up no other.
static void endpoint_key(const PsConfig *config, const PsDevice *device, char *out, size_t size) {
    (void)config;
    ps_text_format(out, size, "simulator %s", device->name);
}

static void describe(const PsConfig *config, const PsPollSet *set, uint32_t variable, PsBuf *out) {
    (void)set;
    ps_buf_printf(out, "nothing is sent: the gateway computes %s itself",
                  config->variables[variable].symbol);
}

// --- the session and its plan

// A new plan: the addresses are parsed here, once, so that reading needs no thought and no memory.
static void take_endpoint(SimSession *session, const PsEndpoint *endpoint) {
    const PsConfig *config = endpoint->config;
    PsSimulatorPlace *places = ps_alloc_array(config->variable_count + 1, sizeof *places);
    PsSimulatorCells cells;
    ps_simulator_cells_init(&cells, config->variable_count);
    for (uint32_t i = 0; i < config->variable_count; i++) {
        const PsVariable *variable = &config->variables[i];
        bool ours = config->devices[variable->device].protocol == PS_PROTOCOL_SIMULATOR;
        if (ours && ps_simulator_parse(variable->symbol, &places[i], NULL) == PS_OK &&
            places[i].cell != NULL) {
            ps_simulator_cells_add(&cells, places[i].cell, &session->cells);
        }
    }
    ps_simulator_cells_deinit(&session->cells);
    free(session->places);
    session->endpoint = endpoint;
    session->places = places;
    session->cells = cells;
}

static void session_free(PsSession *base) {
    if (base == NULL) {
        return;
    }
    SimSession *session = sim_session(base);
    ps_simulator_cells_deinit(&session->cells);
    free(session->places);
    close(session->wake_fd);
    free(session);
}

static PsErr session_new(const PsEndpoint *endpoint, PsSession **ret_session, PsDiag *diag) {
    int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake_fd < 0) {
        return ps_fail(PS_ERR_IO, diag, "simulator", NULL, "no descriptor is left");
    }
    SimSession *session = ps_alloc(sizeof *session);
    session->base.driver = &ps_simulator_driver;
    session->wake_fd = wake_fd;
    take_endpoint(session, endpoint);
    *ret_session = &session->base;
    return PS_OK;
}

static bool session_replan(PsSession *base, const PsEndpoint *endpoint) {
    take_endpoint(sim_session(base), endpoint);
    return true; // there is no line whose settings could be other ones
}

// --- the connection

static PsErr fail_cancelled(PsDiag *diag) {
    return ps_fail(PS_ERR_CANCELLED, diag, NULL, NULL, "stopped");
}

static PsErr session_connect(PsSession *base, PsDiag *diag) {
    SimSession *session = sim_session(base);
    if (atomic_load(&session->interrupted)) {
        return fail_cancelled(diag);
    }
    session->connected = true;
    return PS_OK;
}

static bool session_connected(const PsSession *base) {
    return ((const SimSession *)base)->connected;
}

static void session_disconnect(PsSession *base) {
    sim_session(base)->connected = false;
}

// Any thread: the flag for later calls, the descriptor for the one that waits.
static void session_interrupt(PsSession *base) {
    SimSession *session = sim_session(base);
    atomic_store(&session->interrupted, true);
    uint64_t one = 1;
    ssize_t put = write(session->wake_fd, &one, sizeof one);
    (void)put; // full means that it is readable, and that is all
}

// Every wait of a driver is on its own descriptor and on the one that interrupts.
static PsErr wait_for(SimSession *session, double seconds, PsDiag *diag) {
    struct pollfd wake = {.fd = session->wake_fd, .events = POLLIN};
    (void)poll(&wake, 1, (int)(seconds * 1000.0));
    return atomic_load(&session->interrupted) ? fail_cancelled(diag) : PS_OK;
}

static PsErr ready(SimSession *session, PsDiag *diag) {
    if (atomic_load(&session->interrupted)) {
        return fail_cancelled(diag);
    }
    return session->connected ? PS_OK : ps_fail(PS_ERR_CLOSED, diag, NULL, NULL, "not connected");
}

// --- values

static void add_sample(SimSession *session, uint32_t variable, double seconds,
                       PsSampleBatch *batch) {
    const PsVariable *about = &session->endpoint->config->variables[variable];
    const PsSimulatorPlace *place = &session->places[variable];
    if (place->kind >= PS_SIMULATOR_MISSING) {
        PsQuality quality =
            place->kind == PS_SIMULATOR_MISSING ? PS_QUALITY_REFUSED : PS_QUALITY_UNDECODABLE;
        ps_sample_batch_add(batch, variable, quality, ps_value_none());
        return;
    }
    PsValue raw = place->cell != NULL ? ps_simulator_cells_get(&session->cells, place->cell)
                                      : ps_value_float(ps_simulator_wave(place, seconds));
    char text[PS_SIMULATOR_TEXT_MOST];
    PsValue value = ps_value_none();
    PsQuality quality = ps_simulator_value(about, raw, text, &value);
    ps_sample_batch_add(batch, variable, quality,
                        quality == PS_QUALITY_GOOD ? value : ps_value_none());
}

static PsErr refuse(const PsVariable *variable, PsDiag *diag) {
    return ps_fail(PS_ERR_REFUSED, diag, NULL, variable->name, "the simulator has no place '%.60s'",
                   variable->symbol);
}

// The faults that concern the whole device come first: when one of them ends the read, nothing may
// have been added.
static PsErr suffer(SimSession *session, const PsPollSet *set, PsDiag *diag) {
    double timeout = session->endpoint->config->devices[set->device].timeout;
    for (uint32_t i = 0; i < set->variable_count; i++) {
        const PsSimulatorPlace *place = &session->places[set->variables[i]];
        bool waits = place->kind == PS_SIMULATOR_SILENT || place->kind == PS_SIMULATOR_SLOW;
        double answer = place->kind == PS_SIMULATOR_SILENT ? INFINITY : place->seconds;
        PsErr err = waits ? wait_for(session, fmin(answer, timeout), diag) : PS_OK;
        if (err != PS_OK) {
            return err;
        }
        if (waits && answer >= timeout) {
            return ps_fail(PS_ERR_TIMEOUT, diag, NULL, NULL, "no answer within %g s", timeout);
        }
        if (place->kind == PS_SIMULATOR_GONE) {
            session->connected = false;
            return ps_fail(PS_ERR_CLOSED, diag, NULL, NULL, "the simulator has hung up");
        }
    }
    return PS_OK;
}

static PsErr session_read(PsSession *base, uint32_t set, PsSampleBatch *batch, PsDiag *diag) {
    SimSession *session = sim_session(base);
    const PsPollSet *asked = &session->endpoint->sets[set];
    diag->text[0] = '\0';
    PsErr err = ready(session, diag);
    if (err != PS_OK) {
        return err;
    }
    PsMono start = ps_mono_now();
    base->counters.requests++;
    err = suffer(session, asked, diag);
    if (err != PS_OK) {
        base->counters.errors++;
        return err;
    }
    for (uint32_t i = 0; i < asked->variable_count; i++) {
        uint32_t variable = asked->variables[i];
        add_sample(session, variable, (double)start.ns / 1e9, batch);
        if (session->places[variable].kind == PS_SIMULATOR_MISSING && diag->text[0] == '\0') {
            (void)refuse(&session->endpoint->config->variables[variable], diag);
        }
    }
    base->counters.round_trip_ns = ps_mono_diff_ns(ps_mono_now(), start);
    return PS_OK;
}

static PsErr session_write(PsSession *base, uint32_t index, PsValue value, PsValue *ret_read_back,
                           PsDiag *diag) {
    SimSession *session = sim_session(base);
    const PsVariable *variable = &session->endpoint->config->variables[index];
    PsErr err = ready(session, diag);
    if (err != PS_OK) {
        return err;
    }
    base->counters.requests++;
    if (session->places[index].cell == NULL) {
        base->counters.errors++;
        return refuse(variable, diag);
    }
    uint32_t most = ps_variable_text_size(variable);
    if (value.kind == PS_VALUE_TEXT && value.text_len > most) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, variable->name,
                       "takes a text of at most %u bytes, not %u; raise its size", most,
                       value.text_len);
    }
    const char *cell = session->places[index].cell;
    ps_simulator_cells_put(&session->cells, cell, value);
    *ret_read_back = variable->access == PS_ACCESS_WRITE
                         ? ps_value_none()
                         : ps_simulator_cells_get(&session->cells, cell);
    return PS_OK;
}

static PsErr session_peek(PsSession *base, uint32_t variable, PsPeek *peek, PsDiag *diag) {
    (void)base, (void)variable, (void)peek;
    return ps_fail(PS_ERR_UNSUPPORTED, diag, NULL, NULL,
                   "the simulator's values are computed in the gateway; nothing goes over a wire");
}

// What can be put into `symbol`, as if it were found in a device.
static PsErr session_browse(PsSession *base, uint32_t device, PsBrowse *browse, PsDiag *diag) {
    (void)base, (void)device;
    if (browse->node[0] != '\0') {
        return ps_fail(PS_ERR_NOT_FOUND, diag, NULL, NULL,
                       "the simulator has nothing inside '%.60s'; its places are all at the top",
                       browse->node);
    }
    const char *example = ps_simulator_example(PS_SIMULATOR_RAMP);
    for (int kind = 0; example != NULL; example = ps_simulator_example((PsSimulatorKind)++kind)) {
        bool cell = kind == PS_SIMULATOR_CELL;
        browse->nodes[browse->count++] = (PsBrowseNode){.name = example,
                                                        .node = "",
                                                        .type = "",
                                                        .address = example,
                                                        .data_type = PS_TYPE_AUTO,
                                                        .readable = true,
                                                        .writable = cell};
    }
    browse->next = "";
    return PS_OK;
}

const PsDriver ps_simulator_driver = {
    .protocol = PS_PROTOCOL_SIMULATOR,
    .check_variable = check_variable,
    .endpoint_key = endpoint_key,
    .describe = describe,
    .session_new = session_new,
    .replan = session_replan,
    .connect = session_connect,
    .connected = session_connected,
    .disconnect = session_disconnect,
    .read = session_read,
    .write = session_write,
    .peek = session_peek,
    .browse = session_browse,
    .interrupt = session_interrupt,
    .free = session_free,
};
