//! What a device shadow is and how requests change it: merge, metadata, delta, and the documents
//! that tell of it. Pure: documents and a time come in, documents come out.
#pragma once

#include "localcloud/service/json_text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PS_SHADOW_DEPTH 8 ///< levels of desired and of reported
#define PS_SHADOW_BYTES ((size_t)8192)
#define PS_SHADOW_TOKEN_BYTES ((size_t)64)

/// One shadow as it is kept. Zero-initialised: there has never been one.
typedef struct PsShadow {
    json_t *state;    ///< {"desired"?, "reported"?}; NULL: no shadow, or deleted
    json_t *metadata; ///< the same with {"timestamp"} for each value; NULL with `state`
    int64_t version;  ///< of the last accepted update; stays when the shadow is deleted
} PsShadow;

void ps_shadow_deinit(PsShadow *shadow);

typedef struct PsShadowLimits {
    unsigned depth; ///< 0: PS_SHADOW_DEPTH
    size_t bytes;   ///< 0: PS_SHADOW_BYTES
} PsShadowLimits;

/// What a request leads to. Zero-initialise; free with ps_shadow_result_deinit.
typedef struct PsShadowResult {
    int code;          ///< 200, or 400, 404, 409, 413, 415
    char message[256]; ///< with any other code than 200
    char *token;       ///< clientToken of the request, or NULL
    json_t *accepted;  ///< what .../accepted and the HTTP answer hold (without clientToken)
    json_t *delta;     ///< update: NULL when desired and reported agree
    json_t *documents; ///< update
} PsShadowResult;

void ps_shadow_result_deinit(PsShadowResult *result);

/// Fills a refusal in, unless there is one already.
void ps_shadow_refuse(PsShadowResult *result, int code, const char *fmt, ...) PS_PRINTF(3, 4);

/// `payload` of an update request. On 200 `shadow` is changed, else it is as before. `now_s`:
/// seconds since 1970, the unit of all times in these documents.
void ps_shadow_update(PsShadow *shadow, const void *payload, size_t len,
                      const PsShadowLimits *limits, int64_t now_s, PsShadowResult *result);
/// `payload` counts only for its clientToken. `name` is for the message of 404.
void ps_shadow_get(const PsShadow *shadow, const char *name, const void *payload, size_t len,
                   int64_t now_s, PsShadowResult *result);
/// On 200 `shadow` has no state any more.
void ps_shadow_delete(PsShadow *shadow, const char *name, const void *payload, size_t len,
                      int64_t now_s, PsShadowResult *result);

/// The answer as it is published: `accepted` (or delta, documents) with the clientToken; for a
/// refusal {"code","message","clientToken"?}.
void ps_shadow_text(const PsShadowResult *result, const json_t *document, PsBuf *buf);

/// All members of `desired` that `reported` does not have with the same value; NULL when there are
/// none. A new reference. Both may be NULL.
json_t *ps_shadow_delta(const json_t *desired, const json_t *reported);
