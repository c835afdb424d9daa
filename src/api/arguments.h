//! A call's arguments from path, query and body, as its route declares them. Pure; everything here
//! comes from outside. Inside src/api only.
#pragma once

#include "api/match.h"

#include <jansson.h>

/// `ret_status` is what a refusal is answered with: 400 for path and query. On success the new
/// object is the caller's.
PsErr ps_arguments_of_target(const PsApiMatch *match, const PsTarget *target, json_t **ret_object,
                             int *ret_status, PsDiag *diag);
/// The body as JSON (null when empty), held against the route: 400 when it is no JSON or is none
/// wanted, 422 when a member is wrong. `content_type` may be NULL: 415 unless there is no body.
PsErr ps_arguments_of_body(const PsApiRoute *route, const char *content_type, const void *bytes,
                           size_t len, json_t **ret_body, int *ret_status, PsDiag *diag);
