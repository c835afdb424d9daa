// The message router of the simulated controller: takes a request apart, finds the service for it,
// and the services that carry other requests. The side's lock is held.
#include "sim/cip.h"

#include "base/mem.h"
#include "sim/cip_service.h"

#include <stdlib.h>
#include <string.h>

#define REPLY 0x80
#define CLASS_IDENTITY 0x01
#define CLASS_ROUTER 0x02
#define CLASS_MANAGER 0x06
#define CLASS_SYMBOL 0x6B
#define CLASS_TEMPLATE 0x6C

#define VENDOR 0xFFFF // nobody's: this is no product of a vendor
#define DEVICE_PLC 0x0E
#define PRODUCT_CODE 1
#define STATUS_WORD 0x0060 // at least one connection in run mode
#define SERIAL_NUMBER 0x50534D31U
#define NAME "PENSTOCK-SIM"

#define MORE_NO_PORT 0x0311
#define MORE_NO_LINK 0x0312

PsSimCip *ps_sim_cip_new(const PsSimSideSetup *plant) {
    PsSimCip *cip = ps_alloc(sizeof *cip);
    cip->tags = ps_sim_cip_tags_new(plant);
    return cip;
}

void ps_sim_cip_free(PsSimCip *cip) {
    if (cip != NULL) {
        ps_sim_cip_tags_free(cip->tags);
        free(cip);
    }
}

void ps_sim_cip_reply(PsBuf *out, const PsSimCipAsk *ask, uint8_t status) {
    ps_buf_put_u8(out, ask->service | REPLY);
    ps_buf_put_u8(out, 0);
    ps_buf_put_u8(out, status);
    ps_buf_put_u8(out, 0);
}

void ps_sim_cip_fail(PsBuf *out, const PsSimCipAsk *ask, uint8_t status) {
    ps_sim_cip_reply(out, ask, status);
}

void ps_sim_cip_fail_more(PsBuf *out, const PsSimCipAsk *ask, uint8_t status, uint16_t more) {
    ps_sim_cip_reply(out, ask, status);
    out->data[out->len - 1] = 1;
    ps_buf_put_u16(out, more);
}

// ---- identity

static void put_attribute(PsBuf *out, uint32_t attribute) {
    switch (attribute) {
    case 1:
        ps_buf_put_u16(out, VENDOR);
        break;
    case 2:
        ps_buf_put_u16(out, DEVICE_PLC);
        break;
    case 3:
        ps_buf_put_u16(out, PRODUCT_CODE);
        break;
    case 4: // revision
        ps_buf_put_u8(out, 1);
        ps_buf_put_u8(out, 1);
        break;
    case 5:
        ps_buf_put_u16(out, STATUS_WORD);
        break;
    case 6:
        ps_buf_put_u32(out, SERIAL_NUMBER);
        break;
    default:
        ps_buf_put_u8(out, (uint8_t)strlen(NAME));
        ps_buf_put(out, NAME, strlen(NAME));
        break;
    }
}

#define LAST_ATTRIBUTE 7

void ps_sim_cip_put_identity(PsBuf *out) {
    for (uint32_t attribute = 1; attribute <= LAST_ATTRIBUTE; attribute++) {
        put_attribute(out, attribute);
    }
}

static void identity_all(PsSimCip *cip, PsSimCipAsk *ask, PsBuf *out) {
    (void)cip;
    ps_sim_cip_reply(out, ask, PS_SIM_CIP_OK);
    ps_sim_cip_put_identity(out);
}

static void identity_single(PsSimCip *cip, PsSimCipAsk *ask, PsBuf *out) {
    (void)cip;
    bool named = ps_sim_cip_path_is(&ask->path, 2, PS_SIM_CIP_ATTRIBUTE);
    uint32_t attribute = named ? ask->path.segments[2].value : 0;
    if (attribute < 1 || attribute > LAST_ATTRIBUTE) {
        ps_sim_cip_fail(out, ask, PS_SIM_CIP_NO_ATTRIBUTE);
        return;
    }
    ps_sim_cip_reply(out, ask, PS_SIM_CIP_OK);
    put_attribute(out, attribute);
}

// ---- requests within requests

// What a request is within. A packet of packets would multiply what one request makes us do.
#define WITHIN_SEND 1U
#define WITHIN_PACKET 2U

static void dispatch(PsSimCip *cip, const uint8_t *bytes, size_t len, size_t room, unsigned within,
                     PsBuf *out);

// Multiple Service Packet: a count, that many offsets from the count on, the requests.
static void multiple(PsSimCip *cip, PsSimCipAsk *ask, PsBuf *out) {
    const uint8_t *all = ask->data.data + ask->data.at;
    size_t len = ps_reader_left(&ask->data);
    PsReader offsets = ps_reader(all, len);
    size_t count = ps_reader_u16(&offsets);
    size_t head = 2 + 2 * count;
    if (count == 0 || head > len) {
        ps_sim_cip_fail(out, ask, PS_SIM_CIP_NOT_ENOUGH_DATA);
        return;
    }
    size_t start = out->len;
    ps_sim_cip_reply(out, ask, PS_SIM_CIP_OK);
    size_t base = out->len;
    ps_buf_put_u16(out, (uint16_t)count);
    for (size_t i = 0; i < count; i++) {
        ps_buf_put_u16(out, 0);
    }
    size_t from = ps_reader_u16(&offsets);
    for (size_t i = 0; i < count; i++) {
        size_t to = i + 1 < count ? ps_reader_u16(&offsets) : len;
        size_t reserved = (count - 1 - i) * PS_SIM_CIP_REPLY_BYTES;
        size_t used = out->len - start + reserved;
        size_t at = out->len;
        if (from < head || to < from || to > len || at - base > UINT16_MAX) {
            out->len = start;
            ps_sim_cip_fail(out, ask, PS_SIM_CIP_BAD_PARAMETER);
            return;
        }
        out->data[base + 2 + 2 * i] = (uint8_t)(at - base);
        out->data[base + 3 + 2 * i] = (uint8_t)((at - base) >> 8);
        dispatch(cip, all + from, to - from, ask->room > used ? ask->room - used : 0,
                 WITHIN_SEND | WITHIN_PACKET, out);
        if (out->data[at + 2] != PS_SIM_CIP_OK) {
            out->data[start + 2] = PS_SIM_CIP_EMBEDDED;
        }
        from = to;
    }
}

static void refuse_route(PsSimCipAsk *ask, uint16_t more, PsBuf *out) {
    ps_sim_cip_fail_more(out, ask, PS_SIM_CIP_CONNECTION_FAILURE, more);
    ps_buf_put_u8(out, 1); // words of the path that are left
}

// Unconnected Send: a request and the way it goes, which has to end in our slot.
static void unconnected_send(PsSimCip *cip, PsSimCipAsk *ask, PsBuf *out) {
    PsSimCipPath route;
    ps_reader_u16(&ask->data); // tick and time-out
    size_t len = ps_reader_u16(&ask->data);
    const uint8_t *bytes = ps_reader_raw(&ask->data, len);
    if (len % 2 != 0) {
        ps_reader_u8(&ask->data);
    }
    uint8_t words = ps_reader_u8(&ask->data);
    ps_reader_u8(&ask->data);
    if (ask->data.failed || bytes == NULL) {
        ps_sim_cip_fail(out, ask, PS_SIM_CIP_NOT_ENOUGH_DATA);
    } else if (!ps_sim_cip_path_decode(&ask->data, words, &route)) {
        ps_sim_cip_fail(out, ask, PS_SIM_CIP_PATH_SEGMENT);
    } else if (route.count > 0 &&
               (route.segments[0].kind != PS_SIM_CIP_PORT || route.segments[0].value != 1)) {
        refuse_route(ask, MORE_NO_PORT, out);
    } else if (route.count > 0 && (route.segments[0].link != 0 || route.count > 1)) {
        refuse_route(ask, MORE_NO_LINK, out);
    } else {
        dispatch(cip, bytes, len, ask->room, WITHIN_SEND, out);
    }
}

// ---- which service is meant

typedef struct Route {
    uint32_t class_id; // 0: a tag
    uint8_t service;
    unsigned not_within;
    bool any_instance;
    PsSimCipService run;
} Route;

static const Route routes[] = {
    {CLASS_IDENTITY, 0x01, 0, false, identity_all},
    {CLASS_IDENTITY, 0x0E, 0, false, identity_single},
    {CLASS_ROUTER, 0x0A, WITHIN_PACKET, false, multiple},
    {CLASS_MANAGER, 0x52, WITHIN_SEND, false, unconnected_send},
    {CLASS_MANAGER, 0x54, WITHIN_PACKET, false, ps_sim_cip_forward_open},
    {CLASS_MANAGER, 0x5B, WITHIN_PACKET, false, ps_sim_cip_large_forward_open},
    {CLASS_MANAGER, 0x4E, WITHIN_PACKET, false, ps_sim_cip_forward_close},
    {CLASS_TEMPLATE, 0x03, 0, true, ps_sim_cip_template_attributes},
    {CLASS_TEMPLATE, 0x4C, 0, true, ps_sim_cip_template_read},
    {CLASS_SYMBOL, 0x55, 0, true, ps_sim_cip_list_symbols},
    {0, 0x4C, 0, true, ps_sim_cip_read},
    {0, 0x52, 0, true, ps_sim_cip_read_fragment},
    {0, 0x4D, 0, true, ps_sim_cip_write},
    {0, 0x53, 0, true, ps_sim_cip_write_fragment},
    {0, 0x4E, 0, true, ps_sim_cip_modify},
};

// The class that a path leads to; a symbol, or an instance of the symbol class, is a tag unless the
// list is asked for.
static uint32_t class_of(const PsSimCipAsk *ask) {
    const PsSimCipPath *path = &ask->path;
    size_t at = ps_sim_cip_tags_program(path) != NULL ? 1 : 0;
    bool is_class = ps_sim_cip_path_is(path, at, PS_SIM_CIP_CLASS) &&
                    ps_sim_cip_path_is(path, at + 1, PS_SIM_CIP_INSTANCE);
    if (!is_class) {
        return 0;
    }
    uint32_t class_id = path->segments[at].value;
    bool is_list = ask->service == 0x55 && path->count == at + 2;
    return class_id == CLASS_SYMBOL && !is_list ? 0 : class_id;
}

static const Route *find_route(const PsSimCipAsk *ask, uint32_t class_id, unsigned within,
                               uint8_t *ret_refusal) {
    *ret_refusal = class_id == 0 ? PS_SIM_CIP_NO_SERVICE : PS_SIM_CIP_PATH_UNKNOWN;
    for (size_t i = 0; i < PS_COUNT(routes); i++) {
        const Route *route = &routes[i];
        if (route->class_id != class_id) {
            continue;
        }
        bool known = route->any_instance || ask->path.segments[1].value == 1;
        *ret_refusal = known ? PS_SIM_CIP_NO_SERVICE : PS_SIM_CIP_PATH_UNKNOWN;
        if (known && route->service == ask->service && (route->not_within & within) == 0) {
            return route;
        }
    }
    return NULL;
}

static void dispatch(PsSimCip *cip, const uint8_t *bytes, size_t len, size_t room, unsigned within,
                     PsBuf *out) {
    PsReader reader = ps_reader(bytes, len);
    PsSimCipAsk ask = {.service = ps_reader_u8(&reader), .room = room};
    uint8_t words = ps_reader_u8(&reader);
    size_t start = out->len;
    uint8_t refusal = PS_SIM_CIP_OK;
    if (reader.failed || ps_reader_left(&reader) < 2U * words) {
        ps_sim_cip_fail(out, &ask, PS_SIM_CIP_PATH_SIZE);
        return;
    }
    if (!ps_sim_cip_path_decode(&reader, words, &ask.path) || ask.path.count == 0) {
        ps_sim_cip_fail_more(out, &ask, PS_SIM_CIP_PATH_SEGMENT, 0);
        return;
    }
    uint32_t class_id = class_of(&ask);
    const Route *route = find_route(&ask, class_id, within, &refusal);
    if (route == NULL) {
        ps_sim_cip_fail(out, &ask, refusal);
        return;
    }
    ask.data = ps_reader(bytes + reader.at, len - reader.at);
    route->run(cip, &ask, out);
    if (out->len - start > room && out->len - start > PS_SIM_CIP_REPLY_BYTES) {
        out->len = start;
        ps_sim_cip_fail(out, &ask, PS_SIM_CIP_REPLY_TOO_LARGE);
    }
}

void ps_sim_cip_ask(PsSimCip *cip, const uint8_t *bytes, size_t len, size_t room, PsBuf *out) {
    dispatch(cip, bytes, len, room, 0, out);
}
