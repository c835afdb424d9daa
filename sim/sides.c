// The table of sides and those that run. Controlling thread; the sides' threads are their own.
#include "sim/sides.h"

#include "base/mem.h"
#include "sim/eip.h"
#include "sim/opcua.h"
#include "sim/relay.h"
#include "sim/s7.h"

#include <stdlib.h>
#include <string.h>

// A new side is a line here: ps_sim_NAME_kind, from its header.
static const PsSimSideKind *const kinds[] = {
    &ps_sim_s7_kind,    // libsnap7
    &ps_sim_opcua_kind, // open62541
    &ps_sim_eip_kind,   // our own
    NULL,
};

_Static_assert(PS_COUNT(kinds) - 1 <= PS_SIM_SIDES, "more sides than places");

typedef struct Running {
    const PsSimSideKind *kind;
    PsSimSide *side;
    PsSimRelay *relay; // NULL: not served
} Running;

struct PsSimSides {
    Running running[PS_SIM_SIDES];
};

size_t ps_sim_side_count(void) {
    size_t count = 0;
    while (kinds[count] != NULL) {
        count++;
    }
    return count;
}

const PsSimSideKind *ps_sim_side_kind(size_t index) {
    return kinds[index];
}

static uint16_t plant_item(void *plant, PsSimAddress address) {
    return ps_sim_server_item(plant, address);
}

static void plant_write(void *plant, PsSimAddress address, uint16_t value) {
    ps_sim_server_write(plant, address, 1, &value);
}

static void plant_items(void *plant, PsSimAddress first, size_t count, uint16_t *ret_values) {
    ps_sim_server_items(plant, first, count, ret_values);
}

static void plant_write_items(void *plant, PsSimAddress first, size_t count,
                              const uint16_t *values) {
    ps_sim_server_write(plant, first, count, values);
}

// The public port first: a protocol may have to tell it.
static PsErr start_one(const PsSimSidesSetup *setup, size_t index, PsSimServer *server,
                       Running *running, PsDiag *diag) {
    const PsSimSideKind *kind = kinds[index];
    PsSimRelaySetup relay = {.address = setup->address,
                             .port = (uint16_t)setup->ports[index],
                             .connections = setup->connections,
                             .framing = kind->framing};
    PsErr err = ps_sim_relay_new(&relay, &running->relay, diag);
    if (err != PS_OK) {
        return err;
    }
    PsSimSideSetup side = {
        .address = "127.0.0.1",
        .public_port = ps_sim_port_number(ps_sim_relay_port(running->relay)),
        .connections = setup->connections,
        .folder = setup->folder,
        .item = plant_item,
        .write = plant_write,
        .items = plant_items,
        .write_items = plant_write_items,
        .plant = server,
    };
    err = kind->start(&side, &running->side, diag);
    return err != PS_OK ? err
                        : ps_sim_relay_start(running->relay, kind->bound_port(running->side), diag);
}

PsErr ps_sim_sides_start(const PsSimSidesSetup *setup, PsSimServer *server, PsSimSides **ret_sides,
                         PsDiag *diag) {
    PsSimSides *sides = ps_alloc(sizeof *sides);
    PsErr err = PS_OK;
    for (size_t i = 0; err == PS_OK && kinds[i] != NULL; i++) {
        sides->running[i].kind = kinds[i];
        if (setup->ports[i] >= 0) {
            err = start_one(setup, i, server, &sides->running[i], diag);
        }
    }
    if (err != PS_OK) {
        ps_sim_sides_stop(sides);
        return err;
    }
    *ret_sides = sides;
    return PS_OK;
}

void ps_sim_sides_stop(PsSimSides *sides) {
    if (sides == NULL) {
        return;
    }
    for (size_t i = 0; i < PS_SIM_SIDES; i++) {
        Running *running = &sides->running[i];
        ps_sim_relay_free(running->relay);
        if (running->side != NULL) {
            running->kind->stop(running->side);
        }
    }
    free(sides);
}

uint16_t ps_sim_sides_port(const PsSimSides *sides, size_t index) {
    PsSimRelay *relay = sides->running[index].relay;
    return relay == NULL ? 0 : ps_sim_port_number(ps_sim_relay_port(relay));
}

// The side whose name the line begins with; `ret_rest` is what follows it.
static Running *find_side(PsSimSides *sides, const char *line, const char **ret_rest) {
    const char *at = line + strspn(line, " \t");
    size_t len = strcspn(at, " \t\r");
    for (size_t i = 0; i < PS_SIM_SIDES; i++) {
        Running *running = &sides->running[i];
        if (running->relay != NULL && strlen(running->kind->name) == len &&
            strncmp(running->kind->name, at, len) == 0) {
            *ret_rest = at + len + strspn(at + len, " \t");
            return running;
        }
    }
    return NULL;
}

// Frame knobs first; "ok" is for both.
static PsErr turn(Running *running, const char *line, PsDiag *diag) {
    PsDiag unknown = {0};
    PsErr err = ps_sim_port_fault(ps_sim_relay_port(running->relay), line, &unknown);
    if (err != PS_OK && err != PS_ERR_NOT_FOUND) {
        *diag = unknown;
        return err;
    }
    PsDiag own = {0};
    PsErr own_err = running->kind->fault(running->side, line, &own);
    if (own_err == PS_ERR_NOT_FOUND) {
        *diag = unknown;
        return err;
    }
    *diag = own;
    return own_err;
}

PsErr ps_sim_sides_fault(PsSimSides *sides, const char *line, PsDiag *diag) {
    const char *rest = NULL;
    Running *running = find_side(sides, line, &rest);
    return running != NULL ? turn(running, rest, diag) : PS_ERR_NOT_FOUND;
}

bool ps_sim_sides_line(PsSimSides *sides, const char *line, PsBuf *answer) {
    const char *rest = NULL;
    Running *running = find_side(sides, line, &rest);
    if (running == NULL) {
        return false;
    }
    PsDiag diag = {0};
    if (strcmp(rest, "stats") == 0) {
        ps_sim_port_describe(ps_sim_relay_port(running->relay), answer);
    } else if (turn(running, rest, &diag) == PS_OK) {
        ps_buf_printf(answer, "ok\n");
    } else {
        ps_buf_printf(answer, "error: %s\n", diag.text);
    }
    return true;
}

void ps_sim_sides_help(const PsSimSides *sides, PsBuf *out) {
    for (size_t i = 0; i < PS_SIM_SIDES; i++) {
        const Running *running = &sides->running[i];
        if (running->relay == NULL) {
            continue;
        }
        ps_buf_printf(out, "%s: '%s' before stats and the faults of frames above, and before:\n",
                      running->kind->title, running->kind->name);
        running->kind->help(out);
    }
}
