// All tables of routes in one order. Constant data.
#include "api/route.h"

#include "base/mem.h"

static const PsApiRoute *const tables[] = {
    ps_api_routes_access,
    ps_api_routes_config,
    ps_api_routes_live,
    ps_api_routes_system,
};

const PsApiRoute *ps_api_route(size_t n) {
    for (size_t i = 0; i < PS_COUNT(tables); i++) {
        for (const PsApiRoute *route = tables[i]; route->method != NULL; route++) {
            if (n-- == 0) {
                return route;
            }
        }
    }
    return NULL;
}
