//! The HTTP side of the local cloud, on loopback only: AWS IoT's control and data plane
//! (restJson1), calls of our own under /_penstock/, and the console's files and event stream.
//! Everything on the main thread, inside the uv loop. Handlers must not block on anything but the
//! database. ps_rest_dispatch needs no server: the command line uses it when no cloud runs.
#pragma once

#include "base/buf.h"
#include "localcloud/keymaker.h"
#include "localcloud/registry/registry.h"

#include <jansson.h>
#include <stdint.h>
#include <uv.h>

/// Largest body: a message of 128 KB, a policy document with its escapes (API models), a state
/// file.
#define PS_REST_BODY_MAX ((size_t)8 * 1024 * 1024)
#define PS_REST_PARAMETERS 3
#define PS_REST_QUERY_MAX 24

typedef struct PsRestPair {
    const char *name;
    const char *value; ///< "" for a name without '='
} PsRestPair;

/// One request. Texts are percent-decoded, UTF-8, without NUL, and live until the handler returns.
typedef struct PsRestCall {
    const char *method;
    const char *parameters[PS_REST_PARAMETERS]; ///< in the order of the route's braces
    PsRestPair query[PS_REST_QUERY_MAX];
    size_t query_count;
    /// A header's value or NULL; the name is matched without case.
    const char *(*header)(void *header_ctx, const char *name);
    void *header_ctx;
    const uint8_t *body; ///< NULL when empty
    size_t body_len;
    EVP_PKEY *key; ///< of a route that needs one; NULL: the handler makes one, which blocks
    PsRegistry *registry;
    const struct PsRestCloud *cloud; ///< NULL: nothing is connected (the command line)
    void *ctx;                       ///< of the PsRestRoutes the handler stands in
} PsRestCall;

/// What a handler answers. Zeroed is status 200 without a body.
typedef struct PsRestAnswer {
    int status;               ///< 0: 200
    json_t *json;             ///< the body, when not NULL; owned
    PsBuf bytes;              ///< else these; owned
    const char *content_type; ///< of `bytes`; NULL: application/json. Static text
} PsRestAnswer;

void ps_rest_answer_deinit(PsRestAnswer *answer);

/// PS_API_OK with `answer` filled, or a code with `fault` filled (`answer` is then dropped).
typedef PsApiCode (*PsRestHandler)(const PsRestCall *call, PsRestAnswer *answer, PsApiFault *fault);

typedef struct PsRestRoute {
    const char *operation; ///< AWS's name: "CreateThing"
    const char *method;
    const char *path; ///< "/things/{thingName}"; "{topic+}" at the end takes slashes too
    PsRestHandler handle;
    PsApiPlane plane;
    bool needs_key; ///< the server has one made first (PsRestCall.key)
} PsRestRoute;

/// A table with its handlers' ctx.
typedef struct PsRestRoutes {
    const PsRestRoute *routes;
    size_t count;
    void *ctx;
} PsRestRoutes;

// ---- what a handler asks of its call

/// NULL when the name is not there.
const char *ps_rest_query(const PsRestCall *call, const char *name);
/// Absent: `otherwise`. PS_API_INVALID_REQUEST for anything else than true and false.
PsApiCode ps_rest_query_bool(const PsRestCall *call, const char *name, bool otherwise,
                             bool *ret_value, PsApiFault *fault);
/// Absent: `otherwise`. PS_API_INVALID_REQUEST outside [min, max].
PsApiCode ps_rest_query_int(const PsRestCall *call, const char *name, long long min, long long max,
                            long long otherwise, long long *ret_value, PsApiFault *fault);
/// The body as a JSON object; an empty body is {}. A new reference. PS_API_INVALID_REQUEST.
PsApiCode ps_rest_body(const PsRestCall *call, json_t **ret_json, PsApiFault *fault);
/// A handler that is given the body as a JSON object, borrowed.
typedef PsApiCode (*PsRestBodyHandler)(const PsRestCall *call, json_t *body, PsRestAnswer *answer,
                                       PsApiFault *fault);
/// ps_rest_body, and with it `handle`.
PsApiCode ps_rest_with_body(const PsRestCall *call, PsRestAnswer *answer, PsRestBodyHandler handle,
                            PsApiFault *fault);
/// A member of a body that must be text: NULL in *ret_text when absent or null.
PsApiCode ps_rest_text(const json_t *body, const char *name, bool required, const char **ret_text,
                       PsApiFault *fault);

// ---- what the REST side asks of the rest of the cloud

/// A message, given or taken. Properties of MQTT 5 are NULL or 0 when absent.
typedef struct PsRestMessage {
    const char *topic;
    const void *payload;
    size_t len;
    int qos;
    bool retain;
    int64_t modified_ms; ///< retained messages: when stored, milliseconds since 1970
    const char *content_type;
    const char *response_topic;
    const void *correlation;
    size_t correlation_len;
    int64_t expiry_s; ///< 0: none
    bool utf8;        ///< payload format indicator
    const PsRestPair *user_properties;
    size_t user_property_count;
} PsRestMessage;

typedef void (*PsRestDeliver)(void *deliver_ctx, const PsRestMessage *message);

/// Filled by who runs the front. `ctx` is given to each call; members may be NULL: the call then
/// answers ServiceUnavailableException. Nothing may call back before it returns, except `deliver`.
typedef struct PsRestCloud {
    void *ctx;
    PsApiCode (*publish)(void *ctx, const PsRestMessage *message, PsApiFault *fault);
    /// The retained message after topic `after` (NULL: the first) in byte order; false: no more.
    /// What the message points to stays until the next publish.
    bool (*retained_next)(void *ctx, const char *after, PsRestMessage *ret_message);
    bool (*retained_find)(void *ctx, const char *topic, PsRestMessage *ret_message);
    /// PS_API_NOT_FOUND when no such client is connected.
    PsApiCode (*disconnect_client)(void *ctx, const char *client_id, bool clean_session,
                                   bool prevent_will, PsApiFault *fault);
    /// A subscriber for the console: `deliver` may be called until unsubscribe, retained messages
    /// of exact filters at once. PS_API_INVALID_REQUEST: a filter that is none.
    PsApiCode (*subscribe)(void *ctx, const char *const *filters, size_t count,
                           PsRestDeliver deliver, void *deliver_ctx, void **ret_subscription,
                           PsApiFault *fault);
    void (*unsubscribe)(void *ctx, void *subscription);
    /// Members for GET /_penstock/status.
    void (*status)(void *ctx, json_t *into);
    /// GET and PUT /_penstock/limits and /_penstock/faults. `take` gives a new reference.
    json_t *(*limits_take)(void *ctx);
    PsApiCode (*limits_put)(void *ctx, const json_t *json, PsApiFault *fault);
    json_t *(*faults_take)(void *ctx);
    PsApiCode (*faults_put)(void *ctx, const json_t *json, PsApiFault *fault);
} PsRestCloud;

// ---- the server

typedef struct PsRestSetup {
    PsRegistry *registry;         ///< borrowed
    const PsRestCloud *cloud;     ///< borrowed; may be NULL
    const PsRestRoutes *services; ///< further tables (shadows, jobs), borrowed; looked at first
    size_t service_count;
    PsKeymaker *keymaker;    ///< borrowed; stopped before the server is
    uint16_t port;           ///< 0: a free one
    const char *console_dir; ///< files of /console/; NULL: none
} PsRestSetup;

typedef struct PsRest PsRest;

/// Listens on 127.0.0.1. PS_ERR_BUSY: the port is taken; and what ps_http_start answers.
PsErr ps_rest_start(uv_loop_t *loop, const PsRestSetup *setup, PsRest **ret_rest, PsDiag *diag);
/// Ends connections and streams at once. The memory goes with the loop's next turns: run it until
/// its handles are closed. Accepts NULL.
void ps_rest_stop(PsRest *rest);
uint16_t ps_rest_port(const PsRest *rest);

// ---- without a server

/// A refusal as an answer; for who refuses before any handler.
void ps_rest_refuse(PsApiCode code, PsApiPlane plane, const PsApiFault *fault, PsRestAnswer *answer,
                    const char **ret_error_type);

/// A request as text: `target` is path and query, percent-encoded. Answers 404 and 405 itself;
/// refusals become their JSON. `header` may be NULL. Always fills `answer`; *ret_error_type is NULL
/// or the refusal's type (x-amzn-errortype).
typedef struct PsRestRequest {
    const char *method;
    const char *target;
    const char *(*header)(void *header_ctx, const char *name);
    void *header_ctx;
    const uint8_t *body;
    size_t body_len;
    EVP_PKEY *key; ///< borrowed; may be NULL
} PsRestRequest;

/// Is it for a route with `needs_key`? Only `method` and `target` are looked at.
bool ps_rest_needs_key(const PsRestSetup *setup, const PsRestRequest *request);

void ps_rest_dispatch(const PsRestSetup *setup, const PsRestRequest *request, PsRestAnswer *answer,
                      const char **ret_error_type);
