// One read of a set: its telegrams, then what they were refused is cut until the good parts are
// found, in the same cycle. Runs on the channel's thread and blocks in the connection.
#include "drivers/s7/address.h"
#include "drivers/s7/session.h"
#include "drivers/s7/words.h"

#include <string.h>

// Cuts and looks at blocks that one read may try: a device that refuses everything must not turn a
// few requests into hundreds within a cycle. The search goes on in the next cycle.
#define CUTS_PER_READ 64

typedef struct Cycle {
    PsS7Session *session;
    PsS7Plan *plan;
    PsSampleBatch *batch;
    PsDiag *diag;
    int64_t timeout_ns;
    PsMono now;
    unsigned cuts;
    bool suspects; // some range is suspect
    bool changed;  // the ranges that are asked for are others than those that were packed
} Cycle;

static void add_good(const Cycle *cycle, const PsS7Range *range, const uint8_t *bytes) {
    const PsS7Item *item = &cycle->plan->items[range->first_item];
    for (const PsS7Item *last = item + range->item_count; item < last; item++) {
        PsValue value;
        PsQuality quality =
            ps_s7_decode(&item->field, bytes + (item->first - range->first), &value);
        ps_sample_batch_add(cycle->batch, item->variable, quality, value);
    }
}

static void add_refused(const Cycle *cycle, const PsS7Range *range) {
    for (uint32_t i = 0; i < range->item_count; i++) {
        ps_sample_batch_add(cycle->batch, cycle->plan->items[range->first_item + i].variable,
                            PS_QUALITY_REFUSED, ps_value_none());
    }
    if (cycle->diag->text[0] == '\0') {
        PsS7Ask ask = ps_s7_range_ask(range);
        (void)ps_s7_fail_item(&ask, "reading", range->code, cycle->diag);
    }
}

// It had been refused: neither the place nor its whole block is missing any more.
static void forget_holes(const Cycle *cycle, const PsS7Range *range) {
    PsLearned *learned = cycle->session->endpoint->learned;
    uint32_t area = ps_s7_learned_area(range->area, range->db);
    const PsLearnedHole *hole = ps_learned_find(learned, 0, area, 0, PS_S7_AREA_BYTES, (PsMono){0});
    bool whole = hole != NULL && hole->count == PS_S7_AREA_BYTES;
    (void)ps_learned_answered(learned, 0, area, whole ? 0 : range->first,
                              whole ? PS_S7_AREA_BYTES : range->len);
}

static void take_good(Cycle *cycle, PsS7Range *range, const uint8_t *bytes) {
    add_good(cycle, range, bytes);
    if (range->retried) {
        forget_holes(cycle, range);
        range->retried = false;
    }
    range->state = PS_S7_ASKED;
}

// A place that is not there may only spoil those beside it; other refusals are as they are.
static void take_refusal(Cycle *cycle, PsS7Range *range, uint8_t code) {
    range->code = code;
    if (ps_s7_is_absence(code)) {
        range->state = PS_S7_SUSPECT;
        cycle->suspects = true;
        return;
    }
    range->state = PS_S7_ASKED;
    add_refused(cycle, range);
}

static void take_job_refused(Cycle *cycle, const uint32_t *order, uint32_t count,
                             const PsDiag *refusal) {
    if (cycle->diag->text[0] == '\0') {
        *cycle->diag = *refusal;
    }
    for (uint32_t i = 0; i < count; i++) {
        PsS7Range *range = &cycle->plan->ranges[order[i]];
        range->state = PS_S7_ASKED;
        add_refused(cycle, range);
    }
}

// A few ranges in one telegram.
static PsErr ask(Cycle *cycle, const uint32_t *order, uint32_t count) {
    PsS7Ask asks[PS_S7_ITEMS_MAX];
    PsS7Got got[PS_S7_ITEMS_MAX];
    for (uint32_t i = 0; i < count; i++) {
        asks[i] = ps_s7_range_ask(&cycle->plan->ranges[order[i]]);
    }
    PsDiag failure = {0};
    PsErr err =
        ps_s7_read(&cycle->session->connection, cycle->timeout_ns, asks, count, got, &failure);
    if (err == PS_ERR_REFUSED) {
        take_job_refused(cycle, order, count, &failure);
        return PS_OK;
    }
    if (err != PS_OK) {
        *cycle->diag = failure;
        return err;
    }
    for (uint32_t i = 0; i < count; i++) {
        PsS7Range *range = &cycle->plan->ranges[order[i]];
        if (got[i].code == PS_S7_FINE) {
            take_good(cycle, range, got[i].bytes);
        } else {
            take_refusal(cycle, range, got[i].code);
        }
    }
    return PS_OK;
}

PsErr ps_s7_read_place(PsS7Session *session, int64_t timeout_ns, const PsS7Ask *place,
                       uint8_t *ret_bytes, PsDiag *diag) {
    PsS7Connection *connection = &session->connection;
    uint32_t most = ps_s7_longest_range(connection->pdu);
    for (uint32_t done = 0; done < place->len;) {
        uint32_t len = place->len - done < most ? place->len - done : most;
        PsS7Ask piece = *place;
        piece.first += done;
        piece.len = (uint16_t)len;
        PsS7Got got;
        PsErr err = ps_s7_read(connection, timeout_ns, &piece, 1, &got, diag);
        if (err != PS_OK) {
            return err;
        }
        if (got.code != PS_S7_FINE) {
            connection->error = got.code;
            return ps_s7_fail_item(&piece, "reading", got.code, diag);
        }
        memcpy(ret_bytes + done, got.bytes, len);
        done += len;
    }
    return PS_OK;
}

// A text that is longer than a telegram.
static PsErr ask_in_pieces(Cycle *cycle, uint32_t number) {
    PsS7Range *range = &cycle->plan->ranges[number];
    PsS7Session *session = cycle->session;
    PsS7Ask place = ps_s7_range_ask(range);
    PsDiag failure = {0};
    PsErr err = ps_s7_read_place(session, cycle->timeout_ns, &place, session->value, &failure);
    if (err == PS_OK) {
        take_good(cycle, range, session->value);
    } else if (err == PS_ERR_REFUSED && session->connection.error <= 0xFF) {
        take_refusal(cycle, range, (uint8_t)session->connection.error);
    } else if (err == PS_ERR_REFUSED) {
        take_job_refused(cycle, &number, 1, &failure);
    } else {
        *cycle->diag = failure;
        return err;
    }
    return PS_OK;
}

static PsErr ask_requests(Cycle *cycle) {
    const PsS7Plan *plan = cycle->plan;
    PsErr err = PS_OK;
    for (uint32_t i = 0; err == PS_OK && i < plan->request_count; i++) {
        const PsS7Request *request = &plan->requests[i];
        const uint32_t *order = &plan->order[request->first];
        err = request->pieces ? ask_in_pieces(cycle, order[0])
                              : ask(cycle, order, request->range_count);
    }
    return err;
}

// --- what was refused --------------------------------------------------------------------------

// Not asked for again before its time.
static void set_refused(Cycle *cycle, PsS7Range *range, const PsLearnedHole *hole) {
    range->next_try = hole != NULL ? hole->next_try
                                   : ps_mono_add_ns(cycle->now, PS_LEARNED_PAUSE_S * PS_NS_PER_S);
    range->state = PS_S7_REFUSED;
    cycle->changed = true;
    add_refused(cycle, range);
}

// The place `first`, `len` of the range's block is not there.
static const PsLearnedHole *remember(Cycle *cycle, const PsS7Range *range, uint32_t first,
                                     uint32_t len) {
    PsLearned *learned = cycle->session->endpoint->learned;
    uint32_t area = ps_s7_learned_area(range->area, range->db);
    ps_learned_refused(learned, 0, area, first, len, range->code, cycle->now, ps_wall_now());
    return ps_learned_find(learned, 0, area, first, len, cycle->now);
}

// Ranges of one block, side by side.
typedef struct Block {
    uint32_t first;
    uint32_t end;
    uint32_t suspect_items;
    bool answers; // some range of it does
} Block;

static Block block_at(const PsS7Plan *plan, uint32_t first) {
    Block block = {.first = first, .end = first};
    const PsS7Range *head = &plan->ranges[first];
    for (; block.end < plan->range_count; block.end++) {
        const PsS7Range *range = &plan->ranges[block.end];
        if (range->area != head->area || range->db != head->db) {
            break;
        }
        block.suspect_items += range->state == PS_S7_SUSPECT ? range->item_count : 0;
        block.answers = block.answers || range->state == PS_S7_ASKED;
    }
    return block;
}

// Is the whole block missing? Each has a first byte. That saves looking for its good parts.
static PsErr look_at_block(Cycle *cycle, const Block *block) {
    const PsS7Range *head = &cycle->plan->ranges[block->first];
    PsS7Ask first_byte = {.area = head->area, .db = head->db, .len = 1};
    PsS7Got got = {.code = PS_S7_FINE};
    PsDiag failure = {0};
    cycle->cuts++;
    PsErr err =
        ps_s7_read(&cycle->session->connection, cycle->timeout_ns, &first_byte, 1, &got, &failure);
    if (err == PS_ERR_REFUSED) {
        return PS_OK;
    }
    if (err != PS_OK) {
        *cycle->diag = failure;
        return err;
    }
    if (!ps_s7_is_absence(got.code)) {
        return PS_OK;
    }
    const PsLearnedHole *hole = remember(cycle, head, 0, PS_S7_AREA_BYTES);
    for (uint32_t i = block->first; i < block->end; i++) {
        PsS7Range *range = &cycle->plan->ranges[i];
        if (range->state == PS_S7_SUSPECT) {
            set_refused(cycle, range, hole);
        }
    }
    return PS_OK;
}

static PsErr look_at_blocks(Cycle *cycle) {
    PsErr err = PS_OK;
    for (uint32_t i = 0; err == PS_OK && i < cycle->plan->range_count;) {
        Block block = block_at(cycle->plan, i);
        if (cycle->plan->ranges[i].area == PS_S7_DB && block.suspect_items > 1 && !block.answers &&
            cycle->cuts < CUTS_PER_READ) {
            err = look_at_block(cycle, &block);
        }
        i = block.end;
    }
    return err;
}

// Cuts each suspect range in two. What cannot be cut is not there.
static void cut_suspects(Cycle *cycle) {
    PsS7Plan *plan = cycle->plan;
    cycle->suspects = false;
    for (uint32_t i = 0; i < plan->range_count; i++) {
        if (plan->ranges[i].state != PS_S7_SUSPECT) {
            continue;
        }
        if (cycle->cuts < CUTS_PER_READ && ps_s7_plan_split(plan, i)) {
            cycle->cuts++;
            cycle->changed = true;
            i++; // both parts are on trial
            continue;
        }
        PsS7Range *range = &plan->ranges[i];
        if (cycle->cuts < CUTS_PER_READ || range->item_count == 1) {
            set_refused(cycle, range, remember(cycle, range, range->first, range->len));
        } else {
            range->state = PS_S7_ASKED; // the search goes on in the next cycle
            add_refused(cycle, range);
        }
    }
}

// As many trial ranges as fit a telegram; 0: there are no more.
static uint32_t gather_trials(const PsS7Plan *plan, uint32_t *order) {
    uint32_t count = 0;
    uint32_t bytes = PS_S7_ANSWER_HEAD;
    uint32_t most = ps_s7_most_items(plan->pdu);
    for (uint32_t i = 0; i < plan->range_count && count < most; i++) {
        const PsS7Range *range = &plan->ranges[i];
        uint32_t more = PS_S7_ANSWER_ITEM + range->len;
        if (range->state == PS_S7_TRIAL && bytes + more <= plan->pdu) {
            order[count++] = i;
            bytes += more + range->len % 2;
        }
    }
    return count;
}

static PsErr ask_trials(Cycle *cycle) {
    uint32_t order[PS_S7_ITEMS_MAX];
    PsErr err = PS_OK;
    uint32_t count;
    while (err == PS_OK && (count = gather_trials(cycle->plan, order)) > 0) {
        err = ask(cycle, order, count);
    }
    return err;
}

static PsErr heal(Cycle *cycle) {
    PsErr err = look_at_blocks(cycle);
    while (err == PS_OK && cycle->suspects) {
        cut_suspects(cycle);
        err = ask_trials(cycle);
    }
    return err;
}

// After a failure in the middle of the search: everything is asked for in the next cycle.
static void forget_search(Cycle *cycle) {
    for (uint32_t i = 0; i < cycle->plan->range_count; i++) {
        PsS7Range *range = &cycle->plan->ranges[i];
        if (range->state == PS_S7_SUSPECT || range->state == PS_S7_TRIAL) {
            range->state = PS_S7_ASKED;
        }
    }
}

static void add_remembered(const Cycle *cycle) {
    const PsS7Plan *plan = cycle->plan;
    for (uint32_t i = 0; plan->any_refused && i < plan->range_count; i++) {
        if (plan->ranges[i].state == PS_S7_REFUSED) {
            add_refused(cycle, &plan->ranges[i]);
        }
    }
}

PsErr ps_s7_read_set(PsS7Session *session, uint32_t set, PsSampleBatch *batch, PsDiag *diag) {
    Cycle cycle = {
        .session = session,
        .plan = &session->plans[set],
        .batch = batch,
        .diag = diag,
        .timeout_ns = ps_s7_timeout_ns(session, session->endpoint->sets[set].device),
        .now = ps_mono_now(),
    };
    uint32_t samples_before = batch->sample_count;
    uint32_t text_before = batch->text_used;
    diag->text[0] = '\0';
    ps_s7_plan_retry(cycle.plan, cycle.now);
    PsErr err = ask_requests(&cycle);
    if (err == PS_OK) {
        add_remembered(&cycle); // behind the others, whose refusals are news
    }
    if (err == PS_OK && cycle.suspects) {
        err = heal(&cycle);
    }
    if (err != PS_OK) {
        forget_search(&cycle);
        batch->sample_count = samples_before;
        batch->text_used = text_before;
    }
    if (cycle.changed) {
        ps_s7_plan_pack(cycle.plan);
    }
    return err;
}
