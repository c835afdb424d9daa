//! Who may speak to the loopback server: programs, and pages it served itself. A page of somebody
//! else in a browser on this machine may not (DNS rebinding, cross-site requests). Pure.
#pragma once

#include <stdbool.h>

/// Headers of one request; NULL where it has none.
typedef struct PsGuardFacts {
    const char *method;
    const char *host;
    const char *origin;
    const char *fetch_site; ///< Sec-Fetch-Site
} PsGuardFacts;

/// NULL when the request may pass, else why not, for a person.
const char *ps_guard_objects(const PsGuardFacts *facts);
