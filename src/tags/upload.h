//! The snapshot of one group at one upload tick: what a script is called with; and of all
//! variables, as recall_data gives it. Made on the main thread; borrowed by the callee until it
//! returns.
#pragma once

#include "tags/value.h"

typedef struct PsUploadItem {
    uint32_t variable; ///< index into PsConfig.variables
    bool good;         ///< scripts see status 1; otherwise raw_data None and status 0
    PsValue value;     ///< none unless good
} PsUploadItem;

typedef struct PsUpload {
    uint32_t group;   ///< index into PsConfig.groups; their count stands for all variables
    PsWall collected; ///< collection time of the snapshot: `timestamp` of data_collect
    uint32_t item_count;
    bool waits; ///< one of several that the scripts get together, when the upload interval ends
    const PsUploadItem *items; ///< all variables of one device stand together
} PsUpload;
