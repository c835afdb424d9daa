// A byte queue for one connection. Pure; one owner.
#include "localcloud/transport/queue.h"

#include <string.h>

#define KEEP_BYTES 2048 // an empty queue with more memory than this gives it back
#define MOVE_BYTES 4096 // sent bytes in front of the rest before the rest is moved down

void ps_queue_deinit(PsQueue *queue) {
    ps_buf_deinit(&queue->bytes);
    *queue = (PsQueue){0};
}

// Only when at least as much has been sent as is left, so that a byte is moved once on average.
static void move_down(PsQueue *queue) {
    size_t left = ps_queue_len(queue);
    if (queue->sent >= MOVE_BYTES && queue->sent >= left) {
        memmove(queue->bytes.data, queue->bytes.data + queue->sent, left);
        queue->bytes.len = left;
        queue->sent = 0;
    }
}

void ps_queue_put(PsQueue *queue, const void *data, size_t len) {
    move_down(queue);
    ps_buf_put(&queue->bytes, data, len);
}

const uint8_t *ps_queue_front(const PsQueue *queue) {
    return queue->bytes.data == NULL ? NULL : queue->bytes.data + queue->sent;
}

size_t ps_queue_len(const PsQueue *queue) {
    return queue->bytes.len - queue->sent;
}

void ps_queue_take(PsQueue *queue, size_t len) {
    PS_ASSERT(len <= ps_queue_len(queue));
    queue->sent += len;
    if (ps_queue_len(queue) > 0) {
        return;
    }
    queue->sent = 0;
    ps_buf_clear(&queue->bytes);
    if (queue->bytes.capacity > KEEP_BYTES) {
        ps_buf_deinit(&queue->bytes);
    }
}
