//! The text of a penstock.json, taken apart without ever being in memory as one tree: the long
//! lists are walked object by object. So loading 100,000 variables needs little more than the text
//! and the result. Pure; one thread.
#pragma once

#include "model/findings.h"

#include <jansson.h>

/// Blocks that are lists of objects, at most.
#define PS_CONFIG_TEXT_LISTS_MAX 8

/// One block that is a list.
typedef struct PsConfigList {
    const char *block; ///< the table's
    const char *text;  ///< from the first element on; borrowed
    size_t count;
} PsConfigList;

typedef struct PsConfigText {
    const char *begin; ///< borrowed
    const char *end;
    json_t *root; ///< everything else; owned
    PsConfigList lists[PS_CONFIG_TEXT_LISTS_MAX];
    size_t list_count;
} PsConfigText;

/// Told of each value while it is read, in the order of the text; `text` is what stands there,
/// borrowed. The elements of a block's list come before the list as a whole.
typedef struct PsConfigVisit {
    void (*element)(const char *block, json_t *element, const char *text, size_t len, void *ctx);
    void (*member)(const char *key, const char *text, size_t len, void *ctx);
    void *ctx;
} PsConfigVisit;

/// Reads all of it: strict JSON, one object, no key twice. False after a finding that names line
/// and column; then there is nothing to deinit. The text is borrowed for the life of `ret_text`.
bool ps_config_text_init(PsConfigText *ret_text, const void *json, size_t len,
                         PsFindings *findings);
/// The same, and `visit` is told of everything.
bool ps_config_text_visit(PsConfigText *ret_text, const void *json, size_t len,
                          const PsConfigVisit *visit, PsFindings *findings);
void ps_config_text_deinit(PsConfigText *text);

/// The list of a block, or NULL when it has none.
const PsConfigList *ps_config_text_list(const PsConfigText *text, const char *block);

/// Walks a list: `*at` begins as the list's text; returns the element there, the caller's, and
/// moves on. Exactly `count` times.
json_t *ps_config_text_next(const PsConfigText *text, const char **at);

/// The finding about text that is not strict JSON; `what` is wrong at that place.
void ps_config_text_refuse(PsFindings *findings, int line, int column, const char *what);
