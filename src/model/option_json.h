//! Objects of a configuration and the option tables themselves as JSON, for forms. Pure.
#pragma once

#include "model/option.h"

/// {key: value, ...} with every key of the table, defaults filled in; null where there is none.
/// `folder` shortens paths below it. The caller owns it.
json_t *ps_option_json(const PsOptionTable *table, const void *source, const char *folder);

/// The same of an object that nobody has written: nothing but defaults. The caller owns it.
json_t *ps_option_defaults_json(const PsOptionTable *table);

/// {"blocks": [{"block", "kind", "name_key", "help", "options": [{"key", "type", "required",
/// "unit", "min", "max", "fallback", "words", "help", "secret"}]}]} of all tables; what does not
/// apply is null. `type`: "text", "path", "int", "number", "bool", "word", "texts"; min and max are
/// the length of a text, the number of items of a list. The caller owns it.
json_t *ps_options_json(void);
