// Names of certificates against those of servers. Pure.
#include "drivers/opcua/names.h"

#include "base/text.h"
#include "drivers/opcua/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SEPARATOR ", "

// Of whichever family; addresses have several spellings.
static bool is_same_address(const char *a, const char *b) {
    static const int families[] = {AF_INET, AF_INET6};
    for (size_t i = 0; i < PS_COUNT(families); i++) {
        uint8_t x[sizeof(struct in6_addr)] = {0};
        uint8_t y[sizeof(struct in6_addr)] = {0};
        if (inet_pton(families[i], a, x) == 1 && inet_pton(families[i], b, y) == 1) {
            return memcmp(x, y, sizeof x) == 0;
        }
    }
    return false;
}

// "*.plant" stands for one label (RFC 6125, 6.4.3).
static bool is_for(const char *name, const char *host) {
    const char *dot = strchr(host, '.');
    if (strncmp(name, "*.", 2) == 0 && dot != NULL && dot != host) {
        return strcasecmp(name + 1, dot) == 0;
    }
    return strcasecmp(name, host) == 0 || is_same_address(name, host);
}

static bool is_for_host(const PsTrustEntry *entry, const char *host) {
    const char *at = entry->hosts;
    while (*at != '\0') {
        const char *end = strstr(at, SEPARATOR);
        size_t len = end != NULL ? (size_t)(end - at) : strlen(at);
        char name[PS_OPCUA_HOST];
        if (len < sizeof name) {
            memcpy(name, at, len);
            name[len] = '\0';
            if (is_for(name, host)) {
                return true;
            }
        }
        at += len + (end != NULL ? strlen(SEPARATOR) : 0);
    }
    return false;
}

// What was asked for comes first: a log line may be too short for the certificate's whole list.
void ps_opcua_names_compare(PsTrustEntry *entry) {
    PsOpcuaAddress asked;
    char *out = entry->warning;
    size_t size = sizeof entry->warning;
    size_t at = 0;
    out[0] = '\0';
    if (entry->hosts[0] != '\0' &&
        ps_opcua_address(&(PsDevice){.url = entry->endpoint}, &asked, NULL) == PS_OK &&
        !is_for_host(entry, asked.host)) {
        ps_text_format(out, size, "the server was asked as %.120s, its certificate is for %.240s",
                       asked.host, entry->hosts);
        at = strlen(out);
    }
    if (entry->uri[0] != '\0' && entry->announced[0] != '\0' &&
        strcmp(entry->uri, entry->announced) != 0) {
        ps_text_format(out + at, size - at,
                       "%sthe server calls itself %.191s, its certificate is for %.191s",
                       at > 0 ? "; " : "", entry->announced, entry->uri);
    }
}
