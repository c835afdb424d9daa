// A refused request is cut in two until all its parts are answered or stand at one place. What was
// refused though its parts were answered is put to a few questions more. Pure but for the asker.
#include "drivers/modbus/reading.h"

#include "drivers/modbus/exception.h"

// Wider ones are texts: they are read in portions from a device that gives only so much at a time.
// A number is not, since its halves could come from different moments.
#define NUMBER_REGISTERS 4U

// How long a device of which nothing is read is left alone: its program may be under repair.
#define PLEA_NS (PS_LEARNED_PAUSE_S * PS_NS_PER_S)

typedef struct Reader {
    const PsModbusReading *of;
    PsModbusPlan *plan;
    PsLearned *learned;
    PsDiag *diag;      // of the first refusal of a variable, or of a failure
    uint32_t searches; // requests that an undisturbed cycle does not make
    uint32_t found;    // reasons for refusals
    bool gave_up;      // for this time
} Reader;

static bool is_about_place(int exception) {
    return exception == PS_MODBUS_ILLEGAL_ADDRESS || exception == PS_MODBUS_ILLEGAL_VALUE;
}

static bool is_failure(PsErr err) {
    return err != PS_OK && err != PS_ERR_REFUSED;
}

static bool may_search(const Reader *reader) {
    const PsModbusAsker *asker = reader->of->asker;
    return asker->may_search(asker->ctx, reader->searches);
}

static uint32_t max_of(const Reader *reader, uint32_t table) {
    return ps_learned_max(reader->learned, reader->of->slave, table,
                          ps_modbus_most((PsModbusTable)table));
}

// `diag` is filled unless it is answered; a failure's words go to the reader's as well.
static PsErr ask(Reader *reader, const PsModbusRequest *request, int *ret_exception, PsDiag *diag) {
    const PsModbusAsker *asker = reader->of->asker;
    *ret_exception = 0;
    PsErr err = asker->ask(asker->ctx, request, ret_exception, diag);
    if (err == PS_OK) {
        uint32_t *most = &reader->plan->spans[request->table].most;
        bool at_once = request->count <= max_of(reader, request->table);
        *most = at_once && request->count > *most ? request->count : *most;
        (void)ps_learned_answered(reader->learned, reader->of->slave, request->table,
                                  request->offset, request->count);
    } else if (is_failure(err)) {
        *reader->diag = *diag;
    }
    return err;
}

static PsModbusRequest place_of(uint32_t table, uint32_t first, uint32_t count) {
    return (PsModbusRequest){
        .table = (uint8_t)table, .offset = (uint16_t)first, .count = (uint16_t)count};
}

// A question about a place, whatever stands there.
static PsErr try_place(Reader *reader, PsModbusRequest place, int *ret_exception) {
    PsDiag diag = {0};
    reader->searches++;
    return ask(reader, &place, ret_exception, &diag);
}

static void learn_hole(Reader *reader, PsModbusRequest place, int exception) {
    ps_learned_refused(reader->learned, reader->of->slave, place.table, place.offset, place.count,
                       exception, reader->of->now, reader->of->wall);
    reader->found++;
}

static void refuse(Reader *reader, const PsModbusRequest *request, const PsDiag *diag) {
    const PsModbusAsker *asker = reader->of->asker;
    for (uint32_t i = 0; i < request->item_count; i++) {
        asker->refused(asker->ctx, &reader->plan->items[request->first_item + i]);
    }
    if (reader->diag->text[0] == '\0') {
        *reader->diag = *diag;
    }
    reader->found++;
}

// The largest request from the place on that is answered: one of `low` items was.
static PsErr search_max(Reader *reader, const PsModbusRequest *place, uint32_t low) {
    uint32_t high = place->count;
    PsErr err = PS_OK;
    while (high - low > 1 && may_search(reader) && !is_failure(err)) {
        uint32_t middle = low + (high - low) / 2;
        int exception;
        err = try_place(reader, place_of(place->table, place->offset, middle), &exception);
        low = err == PS_OK ? middle : low;
        high = err == PS_ERR_REFUSED ? middle : high;
    }
    ps_learned_set_max(reader->learned, reader->of->slave, place->table, low, reader->of->now);
    reader->found++;
    return is_failure(err) ? err : PS_OK;
}

// What nobody wants between the two parts of a refused request is often what is missing.
static PsErr try_gap(Reader *reader, const PsModbusRequest *left, const PsModbusRequest *right) {
    uint32_t end = (uint32_t)left->offset + left->count;
    if (right->offset <= end) {
        return PS_OK;
    }
    int code;
    PsModbusRequest gap = place_of(left->table, end, right->offset - end);
    PsErr err = try_place(reader, gap, &code);
    if (err == PS_ERR_REFUSED && is_about_place(code)) {
        learn_hole(reader, gap, code);
    }
    return is_failure(err) ? err : PS_OK;
}

// Refused, though its two parts and what lies between them were answered: is it that both sides of
// the cut cannot be had together, or is it too much at a time?
static PsErr explain(Reader *reader, const PsModbusRequest *whole, const PsModbusRequest *right,
                     int exception) {
    int code;
    PsModbusRequest near = ps_modbus_plan_cover(reader->plan, right->first_item - 1, 2);
    if (near.offset == whole->offset && near.count == whole->count) {
        learn_hole(reader, near, exception);
        return PS_OK;
    }
    PsErr err = try_place(reader, near, &code);
    if (err != PS_OK) {
        if (err == PS_ERR_REFUSED && is_about_place(code)) {
            learn_hole(reader, near, code);
        }
        return is_failure(err) ? err : PS_OK;
    }
    uint32_t low = reader->plan->spans[whole->table].most;
    if (low >= whole->count) { // more was given elsewhere: something about this place
        learn_hole(reader, *whole, exception);
        return PS_OK;
    }
    return search_max(reader, whole, low);
}

// One place, refused. A text may only be longer than what the device gives at a time.
static PsErr settle_place(Reader *reader, const PsModbusRequest *request, int exception,
                          const PsDiag *diag) {
    uint32_t half = request->count / 2;
    bool wide = !ps_modbus_table_has_bits((PsModbusTable)request->table) &&
                request->count > NUMBER_REGISTERS &&
                request->count <= max_of(reader, request->table) &&
                request->count > reader->plan->spans[request->table].most;
    if (wide && may_search(reader)) {
        int code;
        PsModbusRequest first = place_of(request->table, request->offset, half);
        PsModbusRequest rest =
            place_of(request->table, (uint32_t)request->offset + half, request->count - half);
        PsErr err = try_place(reader, first, &code);
        err = err == PS_OK ? try_place(reader, rest, &code) : err;
        err = err == PS_OK ? search_max(reader, request, request->count - half) : err;
        PsDiag again = {0};
        err = err == PS_OK ? ask(reader, request, &code, &again) : err;
        if (err == PS_OK) {
            reader->of->asker->answered(reader->of->asker->ctx, request);
        }
        if (err != PS_ERR_REFUSED) {
            return err;
        }
    }
    learn_hole(reader, *request, exception);
    refuse(reader, request, diag);
    return PS_OK;
}

// NOLINTNEXTLINE(misc-no-recursion): each call has fewer items, at most 2,000
static PsErr read_items(Reader *reader, PsModbusRequest request, bool searching) {
    bool over = request.count > max_of(reader, request.table);
    uint32_t cut = over ? ps_modbus_plan_cut(reader->plan, &request) : 0;
    bool too_many = cut != 0;
    int exception = 0;
    PsDiag diag = {0};
    reader->searches += searching ? 1 : 0;
    PsErr err = too_many ? PS_ERR_REFUSED : ask(reader, &request, &exception, &diag);
    if (err == PS_OK) {
        reader->of->asker->answered(reader->of->asker->ctx, &request);
        return PS_OK;
    }
    if (is_failure(err)) {
        return err;
    }
    if (!too_many && !is_about_place(exception)) {
        refuse(reader, &request, &diag);
        return PS_OK;
    }
    cut = over ? cut : ps_modbus_plan_cut(reader->plan, &request);
    if (cut == 0) {
        return settle_place(reader, &request, exception, &diag);
    }
    if (!may_search(reader)) {
        refuse(reader, &request, &diag);
        reader->gave_up = true; // the search goes on in the next cycle
        return PS_OK;
    }
    uint32_t found = reader->found;
    uint32_t left_count = cut - request.first_item;
    PsModbusRequest left = ps_modbus_plan_cover(reader->plan, request.first_item, left_count);
    PsModbusRequest right =
        ps_modbus_plan_cover(reader->plan, cut, request.item_count - left_count);
    reader->found += too_many ? 1 : 0;
    err = too_many ? PS_OK : try_gap(reader, &left, &right);
    err = err == PS_OK ? read_items(reader, left, true) : err;
    err = err == PS_OK ? read_items(reader, right, true) : err;
    bool known = reader->gave_up || reader->found != found;
    return err != PS_OK || known ? err : explain(reader, &request, &right, exception);
}

static void refuse_blocked(Reader *reader) {
    const PsModbusAsker *asker = reader->of->asker;
    PsModbusPlan *plan = reader->plan;
    for (uint32_t i = plan->read_count; i < plan->item_count; i++) {
        const PsModbusItem *item = &plan->items[i];
        asker->refused(asker->ctx, item);
        if (reader->diag->text[0] == '\0') {
            PsMono whenever = {0};
            const PsLearnedHole *hole =
                ps_learned_find(reader->learned, reader->of->slave, item->table, item->offset,
                                item->width, whenever);
            if (hole != NULL) { // it may just have been answered
                asker->tell(asker->ctx, hole, reader->diag);
            }
        }
    }
}

// The hole that is to be tried now, of all tables; when the others are.
static const PsLearnedHole *find_due(const Reader *reader, PsMono now, PsMono *ret_next) {
    const PsLearnedHole *found = NULL;
    *ret_next = (PsMono){INT64_MAX};
    for (uint32_t t = 0; t < PS_MODBUS_TABLES; t++) {
        PsMono next;
        const PsLearnedHole *hole =
            ps_learned_due(reader->learned, reader->of->slave, t, reader->plan->spans[t].first,
                           reader->plan->spans[t].end, now, &next);
        bool longer = hole != NULL && (found == NULL || hole->next_try.ns < found->next_try.ns);
        const PsLearnedHole *other = longer ? found : hole;
        found = longer ? hole : found;
        next = other != NULL && other->next_try.ns < next.ns ? other->next_try : next;
        *ret_next = next.ns < ret_next->ns ? next : *ret_next;
    }
    return found;
}

// When one hole is answered the device has another program: the others are tried as well. `due`: of
// those that are to be tried until then.
static void probe(Reader *reader, PsMono due) {
    PsModbusPlan *plan = reader->plan;
    uint32_t slave = reader->of->slave;
    for (bool again = true; again;) {
        const PsLearnedHole *hole = find_due(reader, due, &plan->next_probe);
        if (hole == NULL) {
            return;
        }
        PsModbusRequest place = place_of(hole->area, hole->first, hole->count);
        int code = hole->code;
        bool packed = plan->version == ps_learned_version(reader->learned);
        PsErr err = try_place(reader, place, &code);
        if (err == PS_OK) {
            ps_learned_retry(reader->learned, slave, reader->of->now);
        } else if (err == PS_ERR_REFUSED) {
            learn_hole(reader, place, code);
            plan->version = packed ? ps_learned_version(reader->learned) : plan->version;
        } else {
            plan->next_probe = ps_mono_add_ns(reader->of->now, PLEA_NS);
            return; // all values are there; what has become of the line shows in the next cycle
        }
        again = err == PS_OK && may_search(reader);
        PsMono at_once = {0};
        plan->next_probe = again ? at_once : plan->next_probe;
    }
}

static void probe_when_due(Reader *reader) {
    PsModbusPlan *plan = reader->plan;
    PsMono now = reader->of->now;
    bool nothing = plan->read_count == 0 && plan->item_count > 0;
    if (nothing && plan->next_plea.ns == 0) {
        plan->next_plea = ps_mono_add_ns(now, PLEA_NS);
    }
    bool plea = nothing && plan->next_plea.ns <= now.ns;
    if (plea || plan->next_probe.ns <= now.ns) {
        PsMono whenever = {INT64_MAX};
        plan->next_plea = plea ? ps_mono_add_ns(now, PLEA_NS) : plan->next_plea;
        PsDiag before = *reader->diag; // a probe that fails is no trouble of a variable
        probe(reader, plea ? whenever : now);
        *reader->diag = before;
    }
}

PsErr ps_modbus_read_plan(const PsModbusReading *reading, PsDiag *diag) {
    PsModbusPlan *plan = reading->plan;
    Reader reader = {.of = reading, .plan = plan, .learned = reading->learned, .diag = diag};
    diag->text[0] = '\0';
    for (uint32_t t = 0; t < PS_MODBUS_TABLES; t++) {
        if (plan->spans[t].end > 0 &&
            ps_learned_max_is_due(reading->learned, reading->slave, t, reading->now)) {
            ps_learned_forget_max(reading->learned, reading->slave, t);
        }
    }
    if (plan->version != ps_learned_version(reading->learned)) {
        ps_modbus_plan_pack(plan, reading->learned, reading->slave);
    }
    for (uint32_t i = 0; i < plan->request_count; i++) {
        PsErr err = read_items(&reader, plan->requests[i], false);
        if (err != PS_OK) {
            return err;
        }
    }
    refuse_blocked(&reader);
    if (!reader.gave_up) {
        probe_when_due(&reader);
    }
    return PS_OK;
}
