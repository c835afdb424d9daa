// Services without a front. Main thread; blocks for the local database.
#include "localcloud/alone.h"

#include "localcloud/ways.h"

#include <stdlib.h>

PsErr ps_alone_open(PsAlone *alone, PsRegistry *registry, PsDiag *diag) {
    *alone = (PsAlone){.calls = ps_ways_service_registry(registry)};
    PsServicesOptions options = {.folder = ps_registry_dir(registry),
                                 .region = ps_registry_region(registry),
                                 .account = PS_ACCOUNT_ID};
    PsErr err =
        ps_services_new(ps_registry_db(registry), alone->calls, &options, &alone->services, diag);
    if (err != PS_OK) {
        ps_alone_close(alone);
        return err;
    }
    ps_services_add_parts(alone->services, registry);
    alone->rest = (PsServicesRest){.services = alone->services};
    alone->routes = ps_services_routes(&alone->rest);
    return PS_OK;
}

void ps_alone_close(PsAlone *alone) {
    ps_services_free(alone->services);
    free(alone->calls);
    *alone = (PsAlone){0};
}
