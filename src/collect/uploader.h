//! The snapshot of one group: which of its variables are good right now, and which of them have
//! something to say. Main thread.
#pragma once

#include "collect/sampling.h"
#include "collect/upload_clock.h"
#include "model/config.h"
#include "model/config_map.h"
#include "tags/sample_batch.h"
#include "tags/tag_table.h"
#include "tags/upload.h"

typedef struct PsUploader PsUploader;

/// NULL when the group has no readable variable: it never triggers anything. `config` outlives it.
/// All memory is taken here.
PsUploader *ps_uploader_new(const PsConfig *config, uint32_t group, uint32_t channel_count);
/// Accepts NULL.
void ps_uploader_free(PsUploader *uploader);

/// `base` is cycle 0 of the group.
void ps_uploader_start(PsUploader *uploader, PsMono base, PsMono now);

/// Goes on where `before`, the same group's in the former configuration, stands: its clock, and
/// what was last sent of variables that are still onchange and of the same data type.
void ps_uploader_follow(PsUploader *uploader, const PsUploader *before, const PsConfigMap *map,
                        PsMono now);

/// Channel `slot` stands where `slot_before` did.
void ps_uploader_carry(PsUploader *uploader, uint32_t slot, const PsUploader *before,
                       uint32_t slot_before);

uint32_t ps_uploader_group(const PsUploader *uploader);
/// Most items that a snapshot can have.
uint32_t ps_uploader_items(const PsUploader *uploader);

PsUploadClock *ps_uploader_clock(PsUploader *uploader);

/// NULL unless the group has `every_sample`: then snapshots are taken when this says so.
const PsSampling *ps_uploader_sampling(const PsUploader *uploader);

/// A polling cycle of channel `slot` was applied; its stamp may be the snapshot's. `counts` is
/// false when its number is that of another polling interval.
void ps_uploader_report(PsUploader *uploader, uint32_t slot, const PsSampleBatch *batch,
                        bool counts);

/// Builds the snapshot: realtime variables always, onchange ones when value or status differ from
/// what was last sent (a variable that was never good counts as sent bad). False when there is
/// nothing to send. The snapshot's items are put into `room`, which the groups can share; onchange
/// values in it count as sent. With `every_sample` what was reported is now in a sample.
bool ps_uploader_build(PsUploader *uploader, const PsTagTable *table, PsMono now, PsWall wall,
                       PsUploadItem *room, PsUpload *ret_upload);

/// How long after its read a value of this variable passes for current: two polling intervals and
/// the device's timeout.
int64_t ps_fresh_ns(const PsConfig *config, uint32_t variable);
