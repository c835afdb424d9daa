//! A key that stands for several others in what people write by hand: `address` of variables and
//! alarms for the four keys of an S7 place. It is taken wherever an object comes in (file, REST
//! edits, imports), and never written back. Pure; any thread.
#pragma once

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>

typedef struct PsShorthand {
    const char *key;
    const char *help;        ///< one sentence for the reference page
    const char *const *keys; ///< that it stands for, NULL at the end
    const char *hint;        ///< a key it answers as well where nobody else does; or NULL
    /// Sets those of `keys` that the text speaks of, and perhaps `hint`.
    PsErr (*unfold)(const char *text, json_t *object, PsDiag *diag);
} PsShorthand;

/// `address`.
extern const PsShorthand ps_shorthand_s7;

/// Puts the keys in the place of the shorthand, if the object has it; those that the text does not
/// speak of are gone, or null when `nulls`. `hinted`: the answer to the hint is there already.
/// Accepts NULL for `shorthand`.
PsErr ps_shorthand_unfold(const PsShorthand *shorthand, json_t *object, bool nulls, bool hinted,
                          PsDiag *diag);
