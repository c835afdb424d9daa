//! Who may speak to a server: programs, and pages it served itself. A page of somebody else in a
//! browser may not (DNS rebinding, cross-site requests). Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>

/// Under which names the server may be asked. All false and empty: under none.
typedef struct PsGuardRules {
    bool any_host;            ///< whatever the Host header says
    bool loopback_hosts;      ///< localhost, 127.0.0.1, [::1]
    bool address_hosts;       ///< any IP address: no page of others has one of ours as its origin
    const char *const *hosts; ///< further names, without a port
    size_t host_count;
    bool tls; ///< our pages come by https
} PsGuardRules;

/// Headers of one request; NULL where it has none.
typedef struct PsGuardFacts {
    const char *method;
    const char *host;
    const char *origin;
    const char *fetch_site; ///< Sec-Fetch-Site
} PsGuardFacts;

/// NULL when the request may pass, else why not, for a person.
const char *ps_guard_objects(const PsGuardRules *rules, const PsGuardFacts *facts);
