// Routes of accounts, sessions, tokens and the audit log. Constant data.
#include "api/handlers_access.h"

const PsApiRoute ps_api_routes_access[] = {
    {NULL},
};
