// Routes of the API itself. Constant data.
#include "api/handlers_system.h"

const PsApiRoute ps_api_routes_system[] = {
    {.method = "GET",
     .path = "/whoami",
     .id = "whoAmI",
     .handler = ps_api_whoami,
     .role = PS_ROLE_VIEWER,
     .answer_schema =
         "{\"type\":\"object\",\"required\":[\"name\",\"role\",\"by\"],\"properties\":{"
         "\"name\":{\"type\":\"string\"},\"role\":{\"type\":\"string\"},"
         "\"by\":{\"enum\":[\"socket\",\"token\",\"session\"]}}}",
     .help = "Who is asking, with which role, and how that is known."},
    {NULL},
};
