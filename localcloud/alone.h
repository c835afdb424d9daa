//! The services (shadows, jobs, rules) over an account whose broker does not run: for the command
//! line and for `penstock-cloud api`. Main thread; blocks for the local database.
#pragma once

#include "localcloud/service/service_rest.h"

/// Stays where it is while it is open: the routes point into it.
typedef struct PsAlone {
    struct PsServiceRegistry *calls; ///< owned
    PsServices *services;
    PsServicesRest rest;
    PsRestRoutes routes; ///< for PsRestSetup.services
} PsAlone;

/// Also adds the services' members to export and import. `registry` outlives it. PS_ERR_IO.
PsErr ps_alone_open(PsAlone *alone, PsRegistry *registry, PsDiag *diag);
/// Zeroed ones are fine.
void ps_alone_close(PsAlone *alone);
