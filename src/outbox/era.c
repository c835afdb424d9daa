// Stamps of a clock that was not set yet: corrected once, when it is. Main thread; nothing here
// waits for the disk.
//
// Rows keep the stamp of the clock as it was, so they stay in order among themselves. When the
// clock is set, those that were given ids since the era began and were collected in it move by as
// much as the clock did: first in the database, in one transaction and with nothing else under way,
// then in memory.
#include "outbox/outbox_private.h"

#include "base/log.h"
#include "base/mem.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LATE_NS (600 * PS_NS_PER_S) // stamped before the clock was set, accepted so long behind

// ---- the clocks

static PsWall wall_now(const PsOutbox *outbox) {
    const PsOutboxClock *clock = outbox->setup.clock;
    return clock != NULL ? clock->wall(clock->ctx) : ps_wall_now();
}

static PsMono since_boot(const PsOutbox *outbox) {
    const PsOutboxClock *clock = outbox->setup.clock;
    return clock != NULL ? clock->since_boot(clock->ctx) : ps_boot_now();
}

// "" when the system has none: then each start is a boot of its own.
static void read_boot_id(const PsOutbox *outbox, char out[PS_BOOT_ID_SIZE]) {
    out[0] = '\0';
    if (outbox->setup.clock != NULL) {
        snprintf(out, PS_BOOT_ID_SIZE, "%s", outbox->setup.clock->boot_id);
        return;
    }
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t len = read(fd, out, PS_BOOT_ID_SIZE - 1);
        out[len > 0 ? len : 0] = '\0';
        out[strcspn(out, "\n")] = '\0';
        close(fd);
    }
}

void ps_era_begin(PsOutbox *outbox) {
    PsEra *era = &outbox->era;
    read_boot_id(outbox, era->record.boot);
    era->record.clock = ps_clock_begin(wall_now(outbox), since_boot(outbox));
    era->record.first_message = outbox->next_id;
    era->record.first_letter = outbox->dead.next_id;
    era->dirty = true;
}

void ps_era_attach(PsOutbox *outbox, const PsContents *contents) {
    PsEra *era = &outbox->era;
    const PsEraRecord *stored = &contents->era;
    if (outbox->attached_once) {
        era->dirty = true; // a recovered database may have an old one
        return;
    }
    if (stored->boot[0] != '\0' && strcmp(stored->boot, era->record.boot) == 0) {
        era->record.first_message = stored->first_message;
        era->record.first_letter = stored->first_letter;
        era->shift.from = stored->clock.started;
        if (!era->wanted) {
            era->record.clock = stored->clock;
            era->dirty = false;
        }
        return;
    }
    if (!outbox->detached) { // otherwise ids were given before
        era->record.first_message = outbox->next_id;
        era->record.first_letter = outbox->dead.next_id;
    }
    bool rows = false;
    for (int class = 0; class < PS_OUTBOX_CLASS_COUNT; class ++) {
        rows = rows || contents->stock[class].rows > 0;
    }
    if (rows && !ps_clock_is_plausible(era->record.clock.started)) {
        era->shift.push_down = true;
        era->wanted = true;
    }
}

// ---- when it is set

void ps_era_look(PsOutbox *outbox) {
    PsEra *era = &outbox->era;
    PsClockEra before = era->record.clock;
    PsWall showed = {0};
    int64_t moved = 0;
    if (era->shift.move ||
        !ps_clock_look(&era->record.clock, wall_now(outbox), since_boot(outbox), &showed, &moved)) {
        return;
    }
    era->settled = era->record.clock;
    era->record.clock = before; // in the database until the stamps are moved
    era->shift.move = true;
    era->shift.from = before.started;
    era->shift.before = showed;
    era->shift.moved_ns = moved;
    era->shift.end_message = outbox->next_id;
    era->shift.end_letter = outbox->dead.next_id;
    era->set_at = ps_mono_now();
    era->wanted = true;
}

PsWall ps_era_correct(const PsOutbox *outbox, PsWall collected) {
    const PsEra *era = &outbox->era;
    const PsEraShift *done = era->shift.move ? &era->shift : &era->last;
    bool recent = ps_mono_diff_ns(ps_mono_now(), era->set_at) < LATE_NS;
    if (done->move && collected.ns >= done->from.ns && collected.ns <= done->before.ns &&
        (recent || !ps_clock_is_plausible(collected))) {
        collected.ns += done->moved_ns;
    }
    return collected;
}

// ---- moving the stamps

bool ps_era_blocks(const PsOutbox *outbox) {
    return outbox->era.wanted && !outbox->failing && !outbox->detached;
}

bool ps_era_shift_begin(PsOutbox *outbox) {
    if (!ps_era_blocks(outbox) || outbox->commands > 0) {
        return false;
    }
    PsEra *era = &outbox->era;
    PsStoreCommand *command = ps_alloc(sizeof *command);
    command->kind = PS_STORE_SHIFT;
    command->shift = era->shift;
    command->shift.record = era->record;
    if (era->shift.move) {
        command->shift.record.clock = era->settled;
    }
    outbox->commands++;
    ps_store_put(outbox->store, command);
    return true;
}

static int64_t correction_of(const PsEraShift *shift, uint64_t id, int64_t collected_ns) {
    if (shift->push_down && id < shift->record.first_message &&
        !ps_clock_is_plausible((PsWall){collected_ns})) {
        return -shift->pushed_ns;
    }
    bool moves = shift->move && id >= shift->record.first_message && id < shift->end_message &&
                 collected_ns >= shift->from.ns && collected_ns <= shift->before.ns;
    return moves ? shift->moved_ns : 0;
}

static void move_letter(const PsEraShift *shift, uint64_t id, PsWall *collected) {
    if (shift->move && id >= shift->record.first_letter && id < shift->end_letter &&
        collected->ns >= shift->from.ns && collected->ns <= shift->before.ns) {
        collected->ns += shift->moved_ns;
    }
}

// Rows that the database does not have yet; the others were counted there.
static uint64_t move_memory(PsOutbox *outbox, const PsEraShift *shift) {
    uint64_t moved = 0;
    for (int class = 0; class < PS_OUTBOX_CLASS_COUNT; class ++) {
        PsQueue *queue = &outbox->queues[class];
        for (int place = 0; place < PS_PLACE_COUNT; place++) {
            for (PsRow *row = queue->lists[place].first; row != NULL; row = row->next) {
                int64_t by = correction_of(shift, row->pub.id, row->pub.collected.ns);
                row->pub.collected.ns += by;
                moved += by > 0 && row->state != PS_ROW_STORED ? 1 : 0;
            }
        }
        ps_queue_sort(queue);
    }
    for (PsDeadOp *op = outbox->pending.dead.first; op != NULL; op = op->next) {
        if (op->kind == PS_DEAD_PUT) {
            move_letter(shift, op->letter.id, &op->letter.collected);
        }
    }
    for (size_t i = outbox->dead.first; i < outbox->dead.end; i++) {
        move_letter(shift, outbox->dead.items[i].id, &outbox->dead.items[i].collected);
    }
    return moved;
}

void ps_era_shift_end(PsOutbox *outbox, const PsStoreCommand *command) {
    PsEra *era = &outbox->era;
    if (command->result != PS_OK) {
        return; // said by the caller; tried again
    }
    const PsEraShift *shift = &command->shift;
    uint64_t moved = move_memory(outbox, shift) + shift->messages;
    era->record = shift->record;
    era->dirty = false;
    if (shift->move) {
        char showed[PS_STAMP_SIZE];
        ps_wall_format(shift->before, showed, sizeof showed);
        PS_LOGW("CLOCK-SET",
                "the clock was set, from %s by %.0f s; the collection times of %llu messages and "
                "%llu dead letters are corrected (times that scripts wrote into payloads are not)",
                showed, (double)shift->moved_ns / 1e9, (unsigned long long)moved,
                (unsigned long long)shift->letters);
    }
    era->last = shift->move ? *shift : era->last;
    // The clock may have been set while earlier rows were pushed down.
    era->shift.push_down = false;
    era->shift.move = era->shift.move && !shift->move;
    era->wanted = era->shift.move;
}
