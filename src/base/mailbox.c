// Bounded pointer queue: a ring under one mutex, a condition for receivers that block. The ring
// doubles until it has the room that was needed at most.
// Senders: any thread. Receiver: one thread.
#include "base/mailbox.h"

#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>

#define ROOM_AT_FIRST 16

struct PsMailbox {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    PsMailboxWake *wake;
    void *wake_ctx;
    size_t capacity;
    size_t first;
    size_t count;
    bool waits_for_all; // the receiver, in its present or last wait
    size_t room;        // of the ring; never more than the capacity was
    void **items;
};

PsMailbox *ps_mailbox_new(size_t capacity, PsMailboxWake *wake, void *ctx) {
    PS_ASSERT(capacity > 0);
    PsMailbox *mailbox = ps_alloc(sizeof *mailbox);
    mailbox->capacity = capacity;
    mailbox->room = capacity < ROOM_AT_FIRST ? capacity : ROOM_AT_FIRST;
    mailbox->items = ps_alloc_array(mailbox->room, sizeof *mailbox->items);
    mailbox->wake = wake;
    mailbox->wake_ctx = ctx;
    pthread_mutex_init(&mailbox->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&mailbox->filled, &attributes);
    pthread_condattr_destroy(&attributes);
    return mailbox;
}

void ps_mailbox_free(PsMailbox *mailbox) {
    if (mailbox == NULL) {
        return;
    }
    pthread_cond_destroy(&mailbox->filled);
    pthread_mutex_destroy(&mailbox->lock);
    free(mailbox->items);
    free(mailbox);
}

void ps_mailbox_set_capacity(PsMailbox *mailbox, size_t capacity) {
    pthread_mutex_lock(&mailbox->lock);
    PS_ASSERT(capacity >= mailbox->count && capacity > 0);
    mailbox->capacity = capacity;
    pthread_mutex_unlock(&mailbox->lock);
}

static void grow(PsMailbox *mailbox) {
    PS_ASSERT(mailbox->room > 0);
    size_t room = mailbox->room * 2 < mailbox->capacity ? mailbox->room * 2 : mailbox->capacity;
    void **items = ps_alloc_array(room, sizeof *items);
    for (size_t i = 0; i < mailbox->count; i++) {
        items[i] = mailbox->items[(mailbox->first + i) % mailbox->room];
    }
    free(mailbox->items);
    mailbox->items = items;
    mailbox->room = room;
    mailbox->first = 0;
}

static PsErr put(PsMailbox *mailbox, void *item, bool quietly) {
    pthread_mutex_lock(&mailbox->lock);
    if (mailbox->count >= mailbox->capacity) {
        pthread_mutex_unlock(&mailbox->lock);
        return PS_ERR_FULL;
    }
    if (mailbox->count == mailbox->room) {
        grow(mailbox);
    }
    mailbox->items[(mailbox->first + mailbox->count) % mailbox->room] = item;
    mailbox->count++;
    if (!quietly || mailbox->waits_for_all) {
        pthread_cond_signal(&mailbox->filled);
    }
    pthread_mutex_unlock(&mailbox->lock);
    return PS_OK;
}

PsErr ps_mailbox_put(PsMailbox *mailbox, void *item) {
    PsErr err = put(mailbox, item, false);
    if (err == PS_OK && mailbox->wake != NULL) {
        mailbox->wake(mailbox->wake_ctx);
    }
    return err;
}

PsErr ps_mailbox_put_quietly(PsMailbox *mailbox, void *item) {
    return put(mailbox, item, true);
}

static void *take_locked(PsMailbox *mailbox) {
    if (mailbox->count == 0) {
        return NULL;
    }
    void *item = mailbox->items[mailbox->first];
    mailbox->first = (mailbox->first + 1) % mailbox->room;
    mailbox->count--;
    return item;
}

void *ps_mailbox_take(PsMailbox *mailbox) {
    pthread_mutex_lock(&mailbox->lock);
    void *item = take_locked(mailbox);
    pthread_mutex_unlock(&mailbox->lock);
    return item;
}

static void *wait_until(PsMailbox *mailbox, PsMono deadline, bool all) {
    struct timespec until = {.tv_sec = deadline.ns / PS_NS_PER_S,
                             .tv_nsec = deadline.ns % PS_NS_PER_S};
    pthread_mutex_lock(&mailbox->lock);
    mailbox->waits_for_all = all;
    while (mailbox->count == 0) {
        if (pthread_cond_timedwait(&mailbox->filled, &mailbox->lock, &until) != 0) {
            break;
        }
    }
    void *item = take_locked(mailbox);
    pthread_mutex_unlock(&mailbox->lock);
    return item;
}

void *ps_mailbox_wait(PsMailbox *mailbox, PsMono deadline) {
    return wait_until(mailbox, deadline, false);
}

void *ps_mailbox_wait_all(PsMailbox *mailbox, PsMono deadline) {
    return wait_until(mailbox, deadline, true);
}

size_t ps_mailbox_count(PsMailbox *mailbox) {
    pthread_mutex_lock(&mailbox->lock);
    size_t count = mailbox->count;
    pthread_mutex_unlock(&mailbox->lock);
    return count;
}
