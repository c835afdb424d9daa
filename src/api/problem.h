//! What a client is told when something went wrong: application/problem+json (RFC 9457) with the
//! class, object, field and cure that every error of the gateway has. Pure. Inside src/api only.
#pragma once

#include "base/err.h"

#include <jansson.h>

#define PS_PROBLEM_TYPE "application/problem+json"

/// The status of an error that a handler gives: 422, 404, 409 ...
int ps_problem_status(PsErr err);
/// "Not Found"; for statuses that the API gives. Never NULL.
const char *ps_problem_title(int status);
/// `findings` may be NULL; taken over. The caller owns the result.
json_t *ps_problem_json(int status, PsErr err, const PsDiag *diag, json_t *findings);
