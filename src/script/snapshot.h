//! How the snapshot of a group travels: its names once for each worker process (SCHEMA), then
//! only values (DATA). Pure; main thread. The counterpart is worker/data_collect.c.
//!
//! SCHEMA: u32 group, text group name, u32 device count, then for each device text name,
//! u32 variable count, texts.
//! DATA: u8 link, u32 group, f64 timestamp, u8 sparse, u32 item count, items. An item is a
//! value (PsWire value; none = status 0), in schema order; when `sparse` each is preceded by its
//! u32 place in the schema.
#pragma once

#include "model/config.h"
#include "script/wire.h"
#include "tags/upload.h"

/// The variables of one group, or all readable ones when `group` is PsConfig.group_count, as the
/// schema numbers them: device by device, each device's in the
/// order of the configuration.
typedef struct PsSnapshotSchema {
    uint32_t group;
    uint32_t count;
    uint32_t *variables;    ///< indexes into PsConfig.variables
    const uint32_t *places; ///< place in the schema of its group by variable index
} PsSnapshotSchema;

/// The schemas of all groups, and behind them that of all variables; `config` is looked at here
/// only. They share their memory, since a variable is in one group.
PsSnapshotSchema *ps_snapshot_schemas_new(const PsConfig *config);
/// Accepts NULL.
void ps_snapshot_schemas_free(PsSnapshotSchema *schemas);
/// Appends the SCHEMA frame.
void ps_snapshot_put_schema(const PsSnapshotSchema *schema, const PsConfig *config, PsBuf *out);
/// Appends the DATA frame with link down. The items' variables must belong to the group.
/// PS_ERR_TOO_BIG (nothing appended) when it would pass PS_WIRE_BODY_MAX.
PsErr ps_snapshot_put_data(const PsSnapshotSchema *schema, const PsUpload *upload, PsBuf *out);

/// Appends what a REPLY to recall_data holds: DATA from behind its link on, always sparse.
/// PS_ERR_TOO_BIG as above.
PsErr ps_snapshot_put_recall(const PsSnapshotSchema *schema, const PsUpload *upload, PsBuf *out);

/// DATA, MESSAGE and REPLY bodies begin with the state of the link at the moment of sending.
void ps_snapshot_set_link(PsBuf *frame, bool connected);
