//! One row of the route table: a method and a path below /api/v1, who may call it, what it takes
//! and answers. The dispatcher checks a request by its row before the handler sees it, and the
//! OpenAPI document and docs/api.md are made of the rows. Constant data; inside src/api only.
#pragma once

#include "access/access.h"

#include <stddef.h>

typedef struct PsApiCall PsApiCall;
typedef void PsApiHandler(PsApiCall *call);

/// Where a parameter stands.
typedef enum PsApiIn {
    PS_API_PATH,
    PS_API_QUERY,
    PS_API_BODY, ///< member of a JSON object
} PsApiIn;

typedef enum PsApiType {
    PS_API_TEXT,
    PS_API_INTEGER,
    PS_API_NUMBER,
    PS_API_BOOLEAN,
    PS_API_ARRAY,  ///< body only, as the rest
    PS_API_OBJECT, ///< members are the handler's matter
    PS_API_ANY,
} PsApiType;

typedef struct PsApiParameter {
    const char *name; ///< NULL ends a table
    PsApiIn in;
    PsApiType type;
    bool required; ///< path parameters always are
    const char *help;
    double min;         ///< of a number, the bytes of a text, the items of an array;
    double max;         ///< both 0: no limit of its own
    const char *words;  ///< the texts that it may be, "name|-name|time"; NULL: any
    const char *schema; ///< of an array or object, as JSON Schema; NULL: any
} PsApiParameter;

/// Flags of a route.
enum {
    PS_API_PUBLIC = 1 << 0,    ///< needs no identity; `role` is PS_ROLE_NONE
    PS_API_UNIX_ONLY = 1 << 1, ///< 404 elsewhere
    PS_API_QUIET = 1 << 2,     ///< no line of its own in the audit log (it writes a better one, or
                               ///< changes nothing)
};

/// A body of a method other than GET that is not declared (no PS_API_BODY parameter and no
/// body_schema) is refused. With PS_API_BODY parameters the body is a JSON object of just these
/// members, checked before the handler; with body_schema it is what the schema says, which the
/// handler checks.
typedef struct PsApiRoute {
    const char *method; ///< "GET" (HEAD comes with it), "POST", "PUT", "DELETE"
    const char *path;   ///< "/devices/{device}/variables/{name}"
    const char *id;     ///< operation id, "putVariable"
    PsApiHandler *handler;
    PsRole role;
    const PsApiParameter *parameters; ///< NULL: none
    const char *body_schema;          ///< JSON Schema text, e.g.
                                      ///< {"$ref":"#/components/schemas/devices"}; NULL: see above
    const char *answer_schema;        ///< JSON Schema text; NULL: any JSON
    const char *answer_type;          ///< media type; NULL: application/json
    const char *help;                 ///< one sentence, for people
    const char *statuses; ///< further ones than those the dispatcher gives, "404 409 422"; NULL
    size_t body_max;      ///< bytes; 0: PS_API_BODY_MAX
    unsigned flags;
} PsApiRoute;

#define PS_API_BODY_MAX ((size_t)256 * 1024)
#define PS_API_PREFIX "/api/v1"

/// The tables, each ended by a row without a method. One owner each.
extern const PsApiRoute ps_api_routes_access[];
extern const PsApiRoute ps_api_routes_config[];
extern const PsApiRoute ps_api_routes_live[];
extern const PsApiRoute ps_api_routes_system[];

/// The n-th route of all tables; NULL behind the last.
const PsApiRoute *ps_api_route(size_t n);
