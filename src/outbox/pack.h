//! Several waiting rows of one message as one publish: a JSON list, lists joined. Main thread.
#pragma once

#include "outbox/queue.h"

/// Owns its payload; the rows stay in the queue's list of those in flight.
typedef struct PsPack {
    struct PsPack *next;
    PsOutboxRow pub;
    PsRow **rows;
    size_t count;
    char *payload;
} PsPack;

/// Packs `head`, which waits, with those behind it that have the same message, topic and QoS, up to
/// `most` bytes of payload. A row that does not fit or is no JSON ends the pack, so that order
/// stands. NULL when that is fewer than two rows: then `head` goes by itself. Marks no row.
PsPack *ps_pack_new(PsRow *head, size_t most);
/// Accepts NULL.
void ps_pack_free(PsPack *pack);
