//! The newest value of every variable. Owned and touched by the main thread only, so it has no
//! lock. All memory is taken when it is made; applying a batch allocates nothing.
#pragma once

#include "model/config.h"
#include "model/config_map.h"
#include "tags/sample_batch.h"
#include "tags/value.h"

typedef struct PsTag {
    PsValue value; ///< last good value; its text is owned by the table
    PsWall stamp;  ///< when that value was read; zero before the first
    PsMono read;   ///< monotonic time of the same read
    uint8_t quality;
    uint8_t data_type; ///< PsDataType of the variable
} PsTag;

typedef struct PsTagTable PsTagTable;

/// Text variables get room for their configured size. Borrows nothing from the config.
PsTagTable *ps_tag_table_new(const PsConfig *config);
void ps_tag_table_free(PsTagTable *table);

/// Becomes the table of another configuration. Variables that were there before and are still of
/// the same data type and size keep value and quality, all others begin anew. Everything borrowed
/// from the table is void.
void ps_tag_table_apply_config(PsTagTable *table, const PsConfig *config, const PsConfigMap *map);

/// As if it had never been read: its place in the device is another one now.
void ps_tag_table_forget(PsTagTable *table, uint32_t variable);

/// Takes over the batch's samples. A bad sample changes the quality and keeps the last good value
/// and its stamp for displays; it is never handed to scripts.
void ps_tag_table_apply(PsTagTable *table, const PsSampleBatch *batch);

/// Borrowed until the table is freed; `variable` indexes PsConfig.variables, where what alarms
/// watch stands behind those of `vars`.
const PsTag *ps_tag_table_get(const PsTagTable *table, uint32_t variable);
/// All tags, in the order of PsConfig.variables: for loops over many. Borrowed as above.
const PsTag *ps_tag_table_all(const PsTagTable *table);
uint32_t ps_tag_table_count(const PsTagTable *table);
