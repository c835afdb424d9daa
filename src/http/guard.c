// The check on Host, Origin and Sec-Fetch-Site. Pure; any thread.
#include "http/guard.h"

#include "base/err.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_BYTES 255 // of a DNS name

// Length of the name in "name", "name:port", "[address]" or "[address]:port"; 0: it is none.
static size_t name_len(const char *host) {
    const char *end = host[0] == '[' ? strchr(host, ']') : host + strcspn(host, ":");
    if (end == NULL) {
        return 0;
    }
    end += host[0] == '[';
    bool port = end[0] == ':' && end[1] != '\0' &&
                strspn(end + 1, "0123456789") == strlen(end + 1) && strlen(end + 1) <= 5;
    size_t len = (size_t)(end - host);
    return (port || end[0] == '\0') && len <= NAME_MAX_BYTES ? len : 0;
}

static bool is_one_of(const char *name, size_t len, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (strlen(names[i]) == len && strncasecmp(name, names[i], len) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_address(const char *name, size_t len) {
    char text[NAME_MAX_BYTES + 1];
    unsigned char bytes[16];
    bool v6 = name[0] == '[';
    snprintf(text, sizeof text, "%.*s", (int)(v6 ? len - 2 : len), v6 ? name + 1 : name);
    return inet_pton(v6 ? AF_INET6 : AF_INET, text, bytes) == 1;
}

static bool host_is_allowed(const PsGuardRules *rules, const char *host) {
    static const char *const loopback[] = {"localhost", "127.0.0.1", "[::1]"};
    size_t len = host != NULL ? name_len(host) : 0;
    if (len == 0) {
        return false;
    }
    return rules->any_host || is_one_of(host, len, rules->hosts, rules->host_count) ||
           (rules->loopback_hosts && is_one_of(host, len, loopback, PS_COUNT(loopback))) ||
           (rules->address_hosts && is_address(host, len));
}

static bool origin_is_ours(const PsGuardRules *rules, const char *origin, const char *host) {
    const char *scheme = rules->tls ? "https://" : "http://";
    size_t len = strlen(scheme);
    return strncmp(origin, scheme, len) == 0 && strcasecmp(origin + len, host) == 0;
}

const char *ps_guard_objects(const PsGuardRules *rules, const PsGuardFacts *facts) {
    if (!host_is_allowed(rules, facts->host)) {
        return rules->loopback_hosts && !rules->address_hosts && rules->host_count == 0
                   ? "the Host header must be localhost or 127.0.0.1: this server is for this "
                     "machine only"
                   : "the Host header names a host that this server is not";
    }
    bool reads = strcmp(facts->method, "GET") == 0 || strcmp(facts->method, "HEAD") == 0;
    // A link on a page may lead here, and what is read stays with the browser; nothing may be done.
    if (!reads && facts->fetch_site != NULL && strcmp(facts->fetch_site, "same-origin") != 0 &&
        strcmp(facts->fetch_site, "none") != 0) {
        return "a page of another site must not change anything here";
    }
    if (!reads && facts->origin != NULL && !origin_is_ours(rules, facts->origin, facts->host)) {
        return "a page of another origin must not change anything here";
    }
    return NULL;
}
