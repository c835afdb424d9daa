//! What one poll of one group on one channel brings back: its samples, and the text they point to.
//! Filled by a channel thread, handed over whole, read by the main thread, then given back.
#pragma once

#include "base/buf.h"
#include "tags/value.h"

/// `cycle` of samples that answer no due time: the read-back of a write, a device that came back.
#define PS_CYCLE_NONE UINT64_MAX

typedef struct PsSampleBatch {
    uint32_t group;   ///< index into PsConfig.groups
    uint32_t channel; ///< number of the channel that filled it
    uint64_t cycle;   ///< which due time of the group this answers, counted from 0 at start
    PsMono read_mono; ///< when the last request of the poll was answered
    PsWall read_wall; ///< wall clock at the same moment: the stamp of these samples
    uint32_t sample_count;
    uint32_t sample_capacity;
    PsSample *samples;
    char *text; ///< storage for text values, text_capacity bytes
    uint32_t text_used;
    uint32_t text_capacity;
} PsSampleBatch;

/// All memory is taken here, none while polling.
PsSampleBatch *ps_sample_batch_new(uint32_t sample_capacity, uint32_t text_capacity);
void ps_sample_batch_free(PsSampleBatch *batch);
/// Forgets the samples, keeps the memory.
void ps_sample_batch_clear(PsSampleBatch *batch);
/// Copies text into the batch's storage. Asserts on overrun.
PsValue ps_sample_batch_keep_text(PsSampleBatch *batch, PsValue value);

/// Adds a sample; text is copied into the batch. Asserts on overrun: capacities come from the
/// same configuration as the samples. Inline, because it runs once for every value collected.
static inline void ps_sample_batch_add(PsSampleBatch *batch, uint32_t variable, PsQuality quality,
                                       PsValue value) {
    PS_ASSERT(batch->sample_count < batch->sample_capacity);
    if (__builtin_expect(value.kind == PS_VALUE_TEXT, 0)) {
        value = ps_sample_batch_keep_text(batch, value);
    }
    PsSample *sample = &batch->samples[batch->sample_count++];
    sample->variable = variable;
    sample->quality = (uint8_t)quality;
    sample->value = value;
}
