// The check on Host, Origin and Sec-Fetch-Site. Pure; any thread.
#include "localcloud/rest/guard.h"

#include "base/err.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

// "localhost", "127.0.0.1" or "[::1]", each with or without a port.
static bool host_is_loopback(const char *host) {
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    for (size_t i = 0; i < PS_COUNT(names); i++) {
        size_t len = strlen(names[i]);
        if (strncasecmp(host, names[i], len) == 0) {
            const char *rest = host + len;
            return rest[0] == '\0' || (rest[0] == ':' && rest[1] != '\0' &&
                                       strspn(rest + 1, "0123456789") == strlen(rest + 1));
        }
    }
    return false;
}

static bool origin_is_ours(const char *origin, const char *host) {
    static const char scheme[] = "http://";
    return strncmp(origin, scheme, sizeof scheme - 1) == 0 &&
           strcasecmp(origin + sizeof scheme - 1, host) == 0;
}

const char *ps_guard_objects(const PsGuardFacts *facts) {
    if (facts->host == NULL || !host_is_loopback(facts->host)) {
        return "the Host header must be localhost or 127.0.0.1: this server is for this machine "
               "only";
    }
    bool reads = strcmp(facts->method, "GET") == 0 || strcmp(facts->method, "HEAD") == 0;
    // A link on a page may lead here, and what is read stays with the browser; nothing may be done.
    if (!reads && facts->fetch_site != NULL && strcmp(facts->fetch_site, "same-origin") != 0 &&
        strcmp(facts->fetch_site, "none") != 0) {
        return "a page of another site must not change anything here";
    }
    if (!reads && facts->origin != NULL && !origin_is_ours(facts->origin, facts->host)) {
        return "a page of another origin must not change anything here";
    }
    return NULL;
}
