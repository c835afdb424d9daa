//! What an import would do, as JSON: for `penstock import --json` and the API. Pure.
#pragma once

#include "exchange/plan.h"

#include <jansson.h>

/// {"files": [{"name", "title", "block", "windows_1252", "added", "changed", "unchanged",
/// "not_taken", "failure"?}], "rows": [{"file", "line", "state", "name", "device", "changes":
/// [{"key", "before", "after"}], "problems": [{"column", "text"}]}], "notes": [{"file", "column",
/// "text", "first_line", "rows"}], "findings": [...]}; the caller owns it.
json_t *ps_plan_json(const PsPlan *plan);

/// Why nothing of the plan is to be written; NULL when it is. `skip_bad`: rows that are not taken
/// do not keep the others from it. `ret_mistaken` (may be NULL) says whether that is a mistake:
/// nothing to do is none.
const char *ps_plan_hindrance(const PsPlan *plan, bool skip_bad, bool *ret_mistaken);
