// Between the outbox's disk and the scripts that wait for it. Owns the waiting tickets. Main
// thread; never blocks.
#include "daemon/settle.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

typedef struct Waiter {
    uint64_t mark;
    uint64_t ticket;
} Waiter;

struct PsSettle {
    Waiter *waiters; // by rising mark
    size_t count;
    size_t capacity;
};

PsSettle *ps_settle_new(void) {
    return ps_alloc(sizeof(PsSettle));
}

void ps_settle_free(PsSettle *settle) {
    if (settle != NULL) {
        free(settle->waiters);
        free(settle);
    }
}

bool ps_settle_wait(PsSettle *settle, const PsOutbox *outbox, uint64_t ticket) {
    uint64_t mark = ps_outbox_mark(outbox);
    if (ps_outbox_is_settled(outbox, mark)) {
        return false;
    }
    if (settle->count == settle->capacity) {
        settle->capacity = settle->capacity * 2 + 8;
        settle->waiters = ps_grow_array(settle->waiters, settle->capacity, sizeof *settle->waiters);
    }
    settle->waiters[settle->count++] = (Waiter){mark, ticket};
    return true;
}

void ps_settle_clear(PsSettle *settle) {
    settle->count = 0;
}

void ps_settle_tell(PsSettle *settle, const PsOutbox *outbox, PsScriptHost *scripts) {
    while (settle->count > 0 && ps_outbox_is_settled(outbox, settle->waiters[0].mark)) {
        uint64_t ticket = settle->waiters[0].ticket;
        settle->count--;
        memmove(settle->waiters, settle->waiters + 1, settle->count * sizeof *settle->waiters);
        ps_script_host_settled(scripts, ticket);
    }
}
