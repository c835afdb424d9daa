//! What differs between two configurations: objects that came, went or changed, each changed
//! option with both values, scripts by their lines. For a person before and after a change, and for
//! programs. Pure; blocks for as long as the configurations are large.
#pragma once

#include "base/arena.h"
#include "model/config.h"
#include "model/config_map.h"
#include "model/option.h"

#include <jansson.h>

typedef enum PsChangeKind {
    PS_CHANGE_ADDED,
    PS_CHANGE_REMOVED,
    PS_CHANGE_CHANGED, ///< also: renamed
} PsChangeKind;

/// One option of a changed object. Both values are NULL where they are nobody's business: custom
/// parameters whose names speak of passwords, secrets, tokens or keys.
typedef struct PsOptionChange {
    const char *key;
    const char *before; ///< as it stands in the file, without quotes; "" when there was none
    const char *after;
} PsOptionChange;

typedef struct PsChange {
    PsChangeKind kind;
    const PsOptionTable *table;
    const char *name;      ///< NULL: there is only one (cloud, parameters)
    const char *of;        ///< device of a variable; NULL for others
    const char *name_then; ///< what a renamed object was called; NULL when it kept its name
    PsOptionChange *options;
    uint32_t option_count;
    const char *script; ///< path of the script whose text changed; NULL: none did
    uint32_t lines_added;
    uint32_t lines_removed;
} PsChange;

/// Everything lives in the arena; nothing points into the configurations.
typedef struct PsConfigDiff {
    PsArena *arena;
    PsChange *changes; ///< in the order of the file's blocks; what went comes last in its block
    uint32_t count;
} PsConfigDiff;

/// Does the name of a custom parameter speak of a password, secret, token or key? Its value is then
/// nobody's business.
bool ps_config_is_secret(const char *name);

/// `map` is that of these two configurations.
PsConfigDiff *ps_config_diff_new(const PsConfig *before, const PsConfig *after,
                                 const PsConfigMap *map);
/// Accepts NULL.
void ps_config_diff_free(PsConfigDiff *diff);

/// Appends one line: "3 variables added, 1 script changed"; "nothing changed".
void ps_config_diff_summary(const PsConfigDiff *diff, PsBuf *out);
/// Appends a line for each change, at most `most`; then how many more there are.
void ps_config_diff_write(const PsConfigDiff *diff, uint32_t most, PsBuf *out);
/// {"summary", "changes": [{"what": "added", "kind": "device", "name", "of", "name_then", "text",
/// "options": [{"key", "before", "after"}], "script": {"path", "added", "removed"}}], "left_out"};
/// `text` is the line for people. At most `most` changes; the caller owns it.
json_t *ps_config_diff_json(const PsConfigDiff *diff, uint32_t most);
