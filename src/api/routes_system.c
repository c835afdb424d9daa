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
    {.method = "GET",
     .path = "/openapi.json",
     .id = "getOpenApi",
     .handler = ps_api_openapi,
     .role = PS_ROLE_VIEWER,
     .answer_schema = "{\"type\":\"object\",\"required\":[\"openapi\",\"paths\"]}",
     .help = "This API as an OpenAPI 3.1 document."},
    {.method = "GET",
     .path = "/reference",
     .id = "getReference",
     .handler = ps_api_reference,
     .role = PS_ROLE_VIEWER,
     .answer_type = "text/html; charset=utf-8",
     .help = "This API as a page for people."},
    {NULL},
};
