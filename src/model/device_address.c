// Checks addresses of devices from left to right. Pure.
#include "model/device_address.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define SCHEME "opc.tcp://"

// One or two digits.
static const char *hex_byte(const char *at, unsigned *ret_byte) {
    unsigned byte = 0;
    int digits = 0;
    for (; digits < 2 && isxdigit((unsigned char)*at); at++, digits++) {
        unsigned char letter = (unsigned char)tolower((unsigned char)*at);
        byte = byte * 16 + (isdigit(letter) ? letter - (unsigned)'0' : letter - (unsigned)'a' + 10);
    }
    *ret_byte = byte;
    return digits > 0 ? at : NULL;
}

bool ps_tsap_parse(const char *text, uint16_t *ret_tsap) {
    unsigned high = 0;
    unsigned low = 0;
    const char *at = hex_byte(text, &high);
    at = at != NULL && *at == '.' ? hex_byte(at + 1, &low) : NULL;
    if (at == NULL || *at != '\0') {
        return false;
    }
    *ret_tsap = (uint16_t)(high << 8 | low);
    return true;
}

// One number or address up to the next comma; what is behind it, or NULL when it is none.
static const char *route_part(const char *at, long long min, long long max, bool may_ip) {
    char part[64];
    size_t len = strcspn(at, ",");
    if (len == 0 || len >= sizeof part) {
        return NULL;
    }
    memcpy(part, at, len);
    part[len] = '\0';
    long long number = 0;
    struct in_addr ip;
    bool sound =
        ps_text_to_int(part, min, max, &number) || (may_ip && inet_pton(AF_INET, part, &ip) == 1);
    return sound ? at + len : NULL;
}

PsErr ps_route_check(const char *text, PsDiag *diag) {
    const char *at = text;
    if (text[0] == '\0' || strcmp(text, "none") == 0) {
        return PS_OK;
    }
    while (at != NULL) {
        at = route_part(at, 1, 65535, false);
        at = at != NULL && *at == ',' ? route_part(at + 1, 0, 255, true) : NULL;
        if (at != NULL && *at == '\0') {
            return PS_OK;
        }
        at = at != NULL ? at + 1 : NULL;
    }
    return ps_fail(PS_ERR_INVALID, diag, NULL, "route",
                   "'%.64s' is no path: write pairs of port and address, like 1,0 (backplane, slot "
                   "0) or 1,0,2,192.168.1.5, or none",
                   text);
}

static PsErr fail_url(const char *url, const char *what, PsDiag *diag) {
    return ps_fail(PS_ERR_INVALID, diag, NULL, "url",
                   "'%.100s' %s; write opc.tcp://host:port/path, for example "
                   "opc.tcp://192.168.0.10:4840",
                   url, what);
}

// The end of the host's name or address; NULL when there is none.
static const char *skip_host(const char *at) {
    if (*at != '[') {
        size_t len = strcspn(at, ":/ []?#@");
        return len > 0 ? at + len : NULL;
    }
    char text[64];
    struct in6_addr ip;
    size_t len = strcspn(at, "]");
    if (at[len] != ']' || len - 1 >= sizeof text) {
        return NULL;
    }
    memcpy(text, at + 1, len - 1);
    text[len - 1] = '\0';
    text[strcspn(text, "%")] = '\0'; // the interface of a link-local address
    return inet_pton(AF_INET6, text, &ip) == 1 ? at + len + 1 : NULL;
}

PsErr ps_opcua_url_check(const char *url, PsDiag *diag) {
    if (strncasecmp(url, SCHEME, strlen(SCHEME)) != 0) {
        return fail_url(url, "does not begin with opc.tcp://", diag);
    }
    const char *at = skip_host(url + strlen(SCHEME));
    if (at == NULL) {
        return fail_url(url, "has no host, or one that cannot be (IPv6 stands in brackets)", diag);
    }
    if (*at == ':') {
        char port[8];
        long long number = 0;
        size_t len = strcspn(++at, "/");
        snprintf(port, sizeof port, "%.*s", (int)(len < 7 ? len : 7), at);
        if (!ps_text_to_int(port, 1, 65535, &number)) {
            return fail_url(url, "has no port from 1 to 65535 behind the colon", diag);
        }
        at += len;
    }
    return *at == '\0' || *at == '/' ? PS_OK : fail_url(url, "has something behind the host", diag);
}
