//! What a script is tried on when there are values: those of a group as its script would get them,
//! or the alarms of a group as if all had been triggered now. Reads the tag table: main thread.
#pragma once

#include "model/config.h"
#include "tags/alarm_upload.h"
#include "tags/tag_table.h"
#include "tags/upload.h"

/// All of it is borrowed for the call.
typedef struct PsTrialInput {
    const PsConfig *config;
    const PsTagTable *table;
    /// What the value in the table is worth now.
    PsQuality (*quality)(uint32_t variable, void *ctx);
    void *ctx;
    PsValue comm_value; ///< of a communication alarm that is on
} PsTrialInput;

/// All readable variables of a collect group as they are now. `items` is the caller's to free;
/// texts are the table's.
PsUpload ps_trial_input_values(const PsTrialInput *input, uint32_t group);

/// Every alarm of an alarm group, with its newest value or one that would have triggered it.
/// `events` is the caller's to free; texts are the table's or the configuration's.
PsAlarmUpload ps_trial_input_alarms(const PsTrialInput *input, uint32_t group);
