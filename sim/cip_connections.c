// Connections of class 3: opened, closed, forgotten (CIP Volume 1, sections 3-5.5 and 3-5.6). The
// side's lock is held.
#include "sim/cip_service.h"

#define TRANSPORT_MASK 0x0F
#define CLASS_3 3
#define SMALL_SIZE 0x01FFU
#define LARGE_SIZE 0xFFFFU
#define NS_PER_US INT64_C(1000)
#define SIZE_LEAST 16 // a reply without data, its sequence count, a little

// Extended status of PS_SIM_CIP_CONNECTION_FAILURE (CIP Volume 1, table 3-5.29).
#define MORE_DUPLICATE 0x0100
#define MORE_CLASS 0x0103
#define MORE_NOT_FOUND 0x0107
#define MORE_SIZE 0x0109
#define MORE_FULL 0x0113
#define MORE_PATH 0x0315

typedef struct Opening {
    uint32_t to_client;
    uint16_t serial;
    uint16_t vendor;
    uint32_t originator;
    uint8_t multiplier;
    uint32_t interval_in_us;
    uint32_t size_in;
    uint32_t interval_out_us;
    uint32_t size_out;
    uint8_t transport;
    PsSimCipPath path;
    bool sound_path;
} Opening;

static Opening take_opening(PsReader *reader, bool large) {
    Opening opening = {0};
    ps_reader_u16(reader); // tick and time-out of the opening itself
    ps_reader_u32(reader); // the client leaves this id to us
    opening.to_client = ps_reader_u32(reader);
    opening.serial = ps_reader_u16(reader);
    opening.vendor = ps_reader_u16(reader);
    opening.originator = ps_reader_u32(reader);
    opening.multiplier = ps_reader_u8(reader);
    ps_reader_raw(reader, 3);
    opening.interval_in_us = ps_reader_u32(reader);
    opening.size_in =
        large ? ps_reader_u32(reader) & LARGE_SIZE : ps_reader_u16(reader) & SMALL_SIZE;
    opening.interval_out_us = ps_reader_u32(reader);
    opening.size_out =
        large ? ps_reader_u32(reader) & LARGE_SIZE : ps_reader_u16(reader) & SMALL_SIZE;
    opening.transport = ps_reader_u8(reader);
    uint8_t words = ps_reader_u8(reader);
    opening.sound_path = ps_sim_cip_path_decode(reader, words, &opening.path);
    return opening;
}

// The route (slot 0 at port 1, or none), then the message router.
static bool leads_here(const PsSimCipPath *path) {
    PsSimCipPath rest = {0};
    size_t at = 0;
    if (ps_sim_cip_path_is(path, 0, PS_SIM_CIP_PORT)) {
        if (path->segments[0].value != 1 || path->segments[0].link != 0) {
            return false;
        }
        at = 1;
    }
    for (; at < path->count; at++) {
        rest.segments[rest.count++] = path->segments[at];
    }
    return rest.count == 2 && ps_sim_cip_path_leads_to(&rest, 2, 1);
}

static void refuse(PsBuf *out, const PsSimCipAsk *ask, const Opening *opening, uint16_t more,
                   const uint16_t *also) {
    ps_sim_cip_reply(out, ask, PS_SIM_CIP_CONNECTION_FAILURE);
    out->data[out->len - 1] = also != NULL ? 2 : 1;
    ps_buf_put_u16(out, more);
    if (also != NULL) {
        ps_buf_put_u16(out, *also);
    }
    ps_buf_put_u16(out, opening->serial);
    ps_buf_put_u16(out, opening->vendor);
    ps_buf_put_u32(out, opening->originator);
    ps_buf_put_u16(out, 0); // words of the path that are left, reserved
}

// Connections that have been silent for too long are no more.
static void expire(PsSimCip *cip) {
    for (size_t i = 0; i < PS_SIM_CIP_CONNECTIONS; i++) {
        PsSimCipConnection *connection = &cip->connections[i];
        if (connection->client != NULL &&
            ps_mono_diff_ns(cip->now, connection->last) > connection->patience_ns) {
            *connection = (PsSimCipConnection){0};
        }
    }
}

static PsSimCipConnection *find_place(PsSimCip *cip) {
    PsSimCipConnection *place = NULL;
    uint32_t used = 0;
    for (size_t i = 0; i < PS_SIM_CIP_CONNECTIONS; i++) {
        if (cip->connections[i].client != NULL) {
            used++;
        } else if (place == NULL) {
            place = &cip->connections[i];
        }
    }
    return cip->faults.limited && used >= cip->faults.most ? NULL : place;
}

static PsSimCipConnection *find_triad(PsSimCip *cip, uint16_t serial, uint16_t vendor,
                                      uint32_t originator) {
    for (size_t i = 0; i < PS_SIM_CIP_CONNECTIONS; i++) {
        PsSimCipConnection *connection = &cip->connections[i];
        if (connection->client != NULL && connection->serial == serial &&
            connection->vendor == vendor && connection->originator == originator) {
            return connection;
        }
    }
    return NULL;
}

static void establish(PsSimCip *cip, PsSimCipConnection *place, const Opening *opening) {
    unsigned shift = opening->multiplier <= 7 ? opening->multiplier : 7U;
    *place = (PsSimCipConnection){
        .client = cip->client,
        .to_us = ++cip->next_id,
        .to_client = opening->to_client,
        .serial = opening->serial,
        .vendor = opening->vendor,
        .originator = opening->originator,
        .room_in = opening->size_in,
        .room_out = opening->size_out,
        .patience_ns = (int64_t)opening->interval_in_us * NS_PER_US * (INT64_C(4) << shift),
        .last = cip->now,
    };
}

static void open_connection(PsSimCip *cip, PsSimCipAsk *ask, bool large, PsBuf *out) {
    Opening opening = take_opening(&ask->data, large);
    uint32_t most = large ? PS_SIM_CIP_LARGE_MOST : PS_SIM_CIP_SMALL_MOST;
    if (cip->faults.size != 0 && cip->faults.size < most) {
        most = cip->faults.size;
    }
    uint16_t allowed = (uint16_t)most;
    expire(cip);
    if (ask->data.failed) {
        ps_sim_cip_fail(out, ask, PS_SIM_CIP_NOT_ENOUGH_DATA);
        return;
    }
    PsSimCipConnection *place = find_place(cip);
    if (!opening.sound_path || !leads_here(&opening.path)) {
        refuse(out, ask, &opening, MORE_PATH, NULL);
    } else if ((opening.transport & TRANSPORT_MASK) != CLASS_3) {
        refuse(out, ask, &opening, MORE_CLASS, NULL);
    } else if (opening.size_in > most || opening.size_out > most || opening.size_in < SIZE_LEAST ||
               opening.size_out < SIZE_LEAST) {
        refuse(out, ask, &opening, MORE_SIZE, &allowed);
    } else if (find_triad(cip, opening.serial, opening.vendor, opening.originator) != NULL) {
        refuse(out, ask, &opening, MORE_DUPLICATE, NULL);
    } else if (place == NULL) {
        refuse(out, ask, &opening, MORE_FULL, NULL);
    } else {
        establish(cip, place, &opening);
        ps_sim_cip_reply(out, ask, PS_SIM_CIP_OK);
        ps_buf_put_u32(out, place->to_us);
        ps_buf_put_u32(out, place->to_client);
        ps_buf_put_u16(out, place->serial);
        ps_buf_put_u16(out, place->vendor);
        ps_buf_put_u32(out, place->originator);
        ps_buf_put_u32(out, opening.interval_in_us);
        ps_buf_put_u32(out, opening.interval_out_us);
        ps_buf_put_u16(out, 0); // no reply of an application
    }
}

void ps_sim_cip_forward_open(PsSimCip *cip, PsSimCipAsk *ask, PsBuf *out) {
    open_connection(cip, ask, false, out);
}

void ps_sim_cip_large_forward_open(PsSimCip *cip, PsSimCipAsk *ask, PsBuf *out) {
    if (cip->faults.no_large) {
        ps_sim_cip_fail(out, ask, PS_SIM_CIP_NO_SERVICE);
    } else {
        open_connection(cip, ask, true, out);
    }
}

void ps_sim_cip_forward_close(PsSimCip *cip, PsSimCipAsk *ask, PsBuf *out) {
    ps_reader_u16(&ask->data); // tick and time-out
    Opening triad = {.serial = ps_reader_u16(&ask->data)};
    triad.vendor = ps_reader_u16(&ask->data);
    triad.originator = ps_reader_u32(&ask->data);
    if (ask->data.failed) {
        ps_sim_cip_fail(out, ask, PS_SIM_CIP_NOT_ENOUGH_DATA);
        return;
    }
    expire(cip);
    PsSimCipConnection *connection = find_triad(cip, triad.serial, triad.vendor, triad.originator);
    if (connection == NULL) {
        refuse(out, ask, &triad, MORE_NOT_FOUND, NULL);
        return;
    }
    *connection = (PsSimCipConnection){0};
    ps_sim_cip_reply(out, ask, PS_SIM_CIP_OK);
    ps_buf_put_u16(out, triad.serial);
    ps_buf_put_u16(out, triad.vendor);
    ps_buf_put_u32(out, triad.originator);
    ps_buf_put_u16(out, 0);
}

PsSimCipConnection *ps_sim_cip_connection_find(PsSimCip *cip, uint32_t to_us) {
    expire(cip);
    for (size_t i = 0; i < PS_SIM_CIP_CONNECTIONS; i++) {
        PsSimCipConnection *connection = &cip->connections[i];
        if (connection->client != NULL && connection->client == cip->client &&
            connection->to_us == to_us) {
            connection->last = cip->now;
            return connection;
        }
    }
    return NULL;
}

void ps_sim_cip_forget(PsSimCip *cip, const void *client) {
    for (size_t i = 0; i < PS_SIM_CIP_CONNECTIONS; i++) {
        if (client == NULL || cip->connections[i].client == client) {
            cip->connections[i] = (PsSimCipConnection){0};
        }
    }
}
