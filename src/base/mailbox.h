//! A bounded queue of pointers from any thread to one receiving thread.
//! When full, `put` refuses at once; the sender decides what that means.
#pragma once

#include "base/err.h"
#include "base/time.h"

#include <stdbool.h>

typedef struct PsMailbox PsMailbox;

/// Called after a put, on the putting thread, under no lock: wake the receiver here
/// (uv_async_send, eventfd). May be NULL when the receiver waits with ps_mailbox_wait.
typedef void PsMailboxWake(void *ctx);

/// Memory is taken as it fills: a mailbox that never holds many items stays small.
PsMailbox *ps_mailbox_new(size_t capacity, PsMailboxWake *wake, void *ctx);
/// At least as many as it holds now. Any thread.
void ps_mailbox_set_capacity(PsMailbox *mailbox, size_t capacity);
/// The mailbox must be empty or hold only pointers the caller will not miss. Accepts NULL.
void ps_mailbox_free(PsMailbox *mailbox);

/// The mailbox takes the item over on PS_OK; PS_ERR_FULL leaves it with the caller.
PsErr ps_mailbox_put(PsMailbox *mailbox, void *item);
/// As put, for items that can wait: wakes only a receiver in ps_mailbox_wait_all. Others find it
/// the next time they look.
PsErr ps_mailbox_put_quietly(PsMailbox *mailbox, void *item);
/// The oldest item, now the caller's, or NULL when empty. Never blocks.
void *ps_mailbox_take(PsMailbox *mailbox);
/// As take, but waits until `deadline` for an item; not woken by one that was put quietly.
void *ps_mailbox_wait(PsMailbox *mailbox, PsMono deadline);
/// As wait, woken by every item.
void *ps_mailbox_wait_all(PsMailbox *mailbox, PsMono deadline);
size_t ps_mailbox_count(PsMailbox *mailbox);
