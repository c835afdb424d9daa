//! Bytes on their way out: put at the end, sent from the front. Pure. The owner bounds it.
#pragma once

#include "base/buf.h"

/// Zero-initialised is empty. Memory goes back when the queue runs empty after it was large, so an
/// idle connection keeps none.
typedef struct PsQueue {
    PsBuf bytes;
    size_t sent; ///< of `bytes`, from the front
} PsQueue;

void ps_queue_deinit(PsQueue *queue);
void ps_queue_put(PsQueue *queue, const void *data, size_t len);
/// Everything that waits, in one piece; valid until the next put or take.
const uint8_t *ps_queue_front(const PsQueue *queue);
size_t ps_queue_len(const PsQueue *queue);
/// `len` bytes at the front have been sent.
void ps_queue_take(PsQueue *queue, size_t len);
