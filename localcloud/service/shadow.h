//! The shadows of all things: the store, the limits, and whom an answer is published to. See
//! service.h for the rules that hold for all services.
#pragma once

#include "localcloud/service/service.h"
#include "localcloud/service/service_registry.h"
#include "localcloud/service/shadow_doc.h"

#include <sqlite3.h>

typedef struct PsShadows PsShadows;

typedef enum PsShadowVerb {
    PS_SHADOW_GET,
    PS_SHADOW_UPDATE,
    PS_SHADOW_DELETE,
} PsShadowVerb;

/// "get". Never NULL.
const char *ps_shadow_verb_name(PsShadowVerb verb);
bool ps_shadow_verb_find(const char *name, PsShadowVerb *ret_verb);

typedef struct PsShadowRequest {
    const char *thing;
    const char *name; ///< "" is the classic shadow
    PsShadowVerb verb;
    const void *payload;
    size_t len;
    bool over_http; ///< the answer goes back in `result`; only changes are published
    PsWall now;
} PsShadowRequest;

PsErr ps_shadows_new(sqlite3 *db, const PsServiceRegistry *registry, bool needs_thing,
                     const PsServiceLimits *limits, PsShadows **ret_shadows, PsDiag *diag);
void ps_shadows_free(PsShadows *shadows);
void ps_shadows_set_limits(PsShadows *shadows, const PsServiceLimits *limits);

/// Does what is asked. Over MQTT it answers through `out`, at once or after shadow_delay_ms; over
/// HTTP `result` is the answer (zero-initialised; codes also 429 and 500). `out` may be NULL:
/// nobody is connected.
void ps_shadows_ask(PsShadows *shadows, const PsShadowRequest *request, const PsServiceOut *out,
                    PsShadowResult *result);

/// Answers that were held back. Returns when the next is due; ns 0: none.
PsWall ps_shadows_tick(PsShadows *shadows, PsWall now, const PsServiceOut *out);

/// Names of a thing's named shadows in order, after `after` (NULL: from the first), at most `max`.
/// A new array of texts, or NULL: the database failed. *ret_more: there are further ones.
json_t *ps_shadows_names(PsShadows *shadows, const char *thing, const char *after, size_t max,
                         bool *ret_more);

/// All shadows, for export: array of {thing,name,version,state?,metadata?}. NULL: failed.
json_t *ps_shadows_export(PsShadows *shadows);
/// Replaces all; NULL leaves none. PS_ERR_INVALID: not of that form.
PsErr ps_shadows_import(PsShadows *shadows, const json_t *json);
