// Routes as people write them to port segments, and logical segments of objects. Pure.
#include "drivers/eip/path.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define PORT_EXTENDED_LINK 0x10U // its address is a text with a length before it
#define PORT_EXTENDED_PORT 0x0FU // its number stands in two bytes of its own
#define SEGMENT_CLASS_8 0x20U
#define SEGMENT_INSTANCE_8 0x24U
#define SEGMENT_INSTANCE_16 0x25U
#define SEGMENT_INSTANCE_32 0x26U

static PsErr fail(const PsDevice *device, const char *what, PsDiag *diag) {
    return ps_fail(PS_ERR_INVALID, diag, NULL, "device",
                   "route '%.64s' of device '%.64s': %s; write pairs of port and address, for "
                   "example 1,0 (backplane, slot 0) or 1,3,2,192.168.1.10,1,0, or none",
                   device->route, device->name, what);
}

// One port with its address. False when there is no room.
static bool put_hop(PsEipRoute *route, unsigned port, const char *address) {
    long long number = 0;
    bool is_number = ps_text_to_int(address, 0, UINT8_MAX, &number);
    size_t text_len = is_number ? 0 : strlen(address);
    size_t need = 2 + (port >= PORT_EXTENDED_PORT ? 2U : 0U) + (is_number ? 0 : text_len + 2);
    if (route->len + need > sizeof route->bytes) {
        return false;
    }
    uint8_t *at = route->bytes + route->len;
    *at++ = (uint8_t)((port >= PORT_EXTENDED_PORT ? PORT_EXTENDED_PORT : port) |
                      (is_number ? 0 : PORT_EXTENDED_LINK));
    if (!is_number) {
        *at++ = (uint8_t)text_len;
    }
    if (port >= PORT_EXTENDED_PORT) {
        *at++ = (uint8_t)port;
        *at++ = (uint8_t)(port >> 8);
    }
    if (is_number) {
        *at++ = (uint8_t)number;
    } else {
        memcpy(at, address, text_len);
        at += text_len;
    }
    if ((at - route->bytes) % 2 != 0) {
        *at++ = 0;
    }
    route->len = (uint8_t)(at - route->bytes);
    return true;
}

// Takes the text up to the next comma; false when there is none or it is too long.
static bool take_word(const char **at, char *out, size_t size) {
    while (**at == ' ') {
        (*at)++;
    }
    size_t len = strcspn(*at, ",");
    size_t kept = len;
    while (kept > 0 && (*at)[kept - 1] == ' ') {
        kept--;
    }
    if (kept == 0 || kept >= size) {
        return false;
    }
    memcpy(out, *at, kept);
    out[kept] = '\0';
    *at += len;
    return true;
}

static bool is_address(const char *text) {
    return text[strspn(
               text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:")] == '\0';
}

static PsErr parse_hops(const PsDevice *device, PsEipRoute *route, PsDiag *diag) {
    const char *at = device->route;
    size_t used = 0;
    for (bool more = true; more;) {
        char word[8];
        char address[48];
        long long port = 0;
        if (!take_word(&at, word, sizeof word) || !ps_text_to_int(word, 1, UINT16_MAX, &port)) {
            return fail(device, "a port is a number from 1 on (1: the backplane)", diag);
        }
        if (*at++ != ',') {
            return fail(device, "the last port has no address", diag);
        }
        if (!take_word(&at, address, sizeof address) || !is_address(address)) {
            return fail(device, "an address is a number from 0 to 255, an IP address or a name",
                        diag);
        }
        if (!put_hop(route, (unsigned)port, address)) {
            return fail(device, "it is too long", diag);
        }
        int len = snprintf(route->text + used, sizeof route->text - used, "%s%lld,%s",
                           used > 0 ? "," : "", port, address);
        used = len > 0 && used + (size_t)len < sizeof route->text ? used + (size_t)len : used;
        more = *at == ',';
        at += more ? 1 : 0;
    }
    return PS_OK;
}

PsErr ps_eip_route_parse(const PsDevice *device, PsEipRoute *ret_route, PsDiag *diag) {
    PsEipRoute route = {.text = "none"};
    const char *text = device->route != NULL ? device->route : "";
    PsErr err = PS_OK;
    if (text[0] == '\0') {
        char slot[16];
        snprintf(slot, sizeof slot, "%d", device->slot);
        (void)put_hop(&route, 1, slot);
        snprintf(route.text, sizeof route.text, "1,%d", device->slot);
    } else if (strcmp(text, "none") != 0) {
        err = parse_hops(device, &route, diag);
    }
    if (err == PS_OK) {
        *ret_route = route;
    }
    return err;
}

uint16_t ps_eip_object_put(uint8_t *out, uint8_t class_id, uint32_t instance) {
    bool is_table = class_id == 0x6B || class_id == 0x6C;
    out[0] = SEGMENT_CLASS_8;
    out[1] = class_id;
    if (instance <= UINT8_MAX && !is_table) {
        out[2] = SEGMENT_INSTANCE_8;
        out[3] = (uint8_t)instance;
        return 4;
    }
    bool wide = instance > UINT16_MAX;
    out[2] = wide ? SEGMENT_INSTANCE_32 : SEGMENT_INSTANCE_16;
    out[3] = 0;
    uint16_t len = wide ? 8 : 6;
    for (uint16_t i = 4; i < len; i++, instance >>= 8) {
        out[i] = (uint8_t)instance;
    }
    return len;
}
