//! What an edit says about one object, held against its option table. Inside src/model only. Pure.
#pragma once

#include "model/option.h"

/// The whole object as penstock.json has it: keys in the table's order, defaults left out, words as
/// the table writes them. `before` (may be NULL) is what it was. NULL after findings about `label`;
/// the caller owns the result.
json_t *ps_edit_value_whole(const PsOptionTable *table, const json_t *value, const json_t *before,
                            const char *label, PsFindings *findings);

/// `before` (may be NULL) with the keys of `value` changed; others stand as they stood.
json_t *ps_edit_value_changed(const PsOptionTable *table, const json_t *value, const json_t *before,
                              const char *label, PsFindings *findings);
