// One block for the samples, one for their text, both sized when made. One owner at a time.
#include "tags/sample_batch.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

PsSampleBatch *ps_sample_batch_new(uint32_t sample_capacity, uint32_t text_capacity) {
    PsSampleBatch *batch = ps_alloc(sizeof *batch);
    batch->samples = ps_alloc_array(sample_capacity, sizeof *batch->samples);
    batch->sample_capacity = sample_capacity;
    batch->text = ps_alloc_array(text_capacity, 1);
    batch->text_capacity = text_capacity;
    return batch;
}

void ps_sample_batch_free(PsSampleBatch *batch) {
    if (batch == NULL) {
        return;
    }
    free(batch->samples);
    free(batch->text);
    free(batch);
}

void ps_sample_batch_clear(PsSampleBatch *batch) {
    batch->sample_count = 0;
    batch->text_used = 0;
}

PsValue ps_sample_batch_keep_text(PsSampleBatch *batch, PsValue value) {
    PS_ASSERT(value.text_len <= batch->text_capacity - batch->text_used);
    char *copy = batch->text + batch->text_used;
    if (value.text_len > 0) {
        memcpy(copy, value.text, value.text_len);
    }
    batch->text_used += value.text_len;
    value.text = copy;
    return value;
}
