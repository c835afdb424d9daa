// Routes of the API itself. Constant data.
#include "api/handlers_system.h"

const PsApiRoute ps_api_routes_system[] = {
    {NULL},
};
