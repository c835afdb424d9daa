//! What the audit log says of a call, made of its arguments and its answer. Pure. Only members that
//! are listed here are ever written: everything else may be a secret, or long.
#pragma once

#include <jansson.h>
#include <stddef.h>

/// What a call is about when its path does not say so: "PLC/temp", "recipe.py". "" when that is not
/// known.
void ps_audit_object(const json_t *arguments, char *out, size_t size);
/// "value 42, why: night shift -> revision 12: ...". `answer` may be NULL.
void ps_audit_detail(const json_t *arguments, const json_t *answer, char *out, size_t size);
