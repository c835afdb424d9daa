// A life of two hundred changes of the configuration, made at random, while messages flow, the link
// and the disk come and go, and the gateway is restarted: every message comes, each once, in order,
// and the books of each definition are right after every change.
#include "outbox/outbox_test_rig.h"
#include "outbox/test_vfs.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MOST 8
#define DEFS_MOST 400
#define SERIALS 20000
#define FLIGHT 64

typedef struct Def {
    char name[16];
    uint64_t accepted;
    uint64_t dead;
} Def;

typedef struct Life {
    Bench bench;
    unsigned seed;
    Def defs[DEFS_MOST];
    size_t def_count;
    size_t present[NAMES_MOST]; // by place in the configuration
    size_t present_count;
    const char *names[NAMES_MOST];
    PsOutboxRule rules[NAMES_MOST];
    size_t owner[SERIALS];
    bool delivered[SERIALS];
    size_t serial;
    uint64_t in_flight[FLIGHT];
    char *payloads[FLIGHT];
    size_t owners[FLIGHT];
    size_t in_flight_count;
} Life;

static bool is_sound(Bench *bench) {
    return !ps_outbox_stats(bench->outbox).store_failing;
}

static unsigned roll(Life *life, unsigned sides) {
    return (unsigned)rand_r(&life->seed) % sides;
}

static size_t new_def(Life *life) {
    assert_true(life->def_count < DEFS_MOST);
    Def *def = &life->defs[life->def_count];
    snprintf(def->name, sizeof def->name, "m%zu", life->def_count);
    return life->def_count++;
}

static bool is_present(const Life *life, size_t def) {
    for (size_t i = 0; i < life->present_count; i++) {
        if (life->present[i] == def) {
            return true;
        }
    }
    return false;
}

static void add_present(Life *life, size_t def) {
    if (life->present_count < NAMES_MOST && !is_present(life, def)) {
        size_t at = roll(life, (unsigned)life->present_count + 1);
        memmove(life->present + at + 1, life->present + at,
                (life->present_count - at) * sizeof *life->present);
        life->present[at] = def;
        life->present_count++;
    }
}

static void take_setup(Life *life) {
    for (size_t i = 0; i < life->present_count; i++) {
        life->names[i] = life->defs[life->present[i]].name;
        life->rules[i] = (PsOutboxRule){.class = (PsOutboxClass)roll(life, 2),
                                        .live_first = roll(life, 4) == 0,
                                        .pack_bytes = roll(life, 3) == 0 ? 200 : 0};
    }
    PsOutboxSetup *setup = &life->bench.setup;
    setup->names = life->names;
    setup->name_count = life->present_count;
    setup->rules = life->rules;
    setup->max_loss_s = roll(life, 3) == 0 ? 0 : roll(life, 2) == 0 ? 1 : 10;
}

static void expect_present(const Life *life) {
    assert_true(ps_outbox_check(life->bench.outbox));
    for (size_t i = 0; i < life->def_count; i++) {
        const Def *def = &life->defs[i];
        const PsLedger *book = bench_book(&life->bench, def->name);
        assert_true(book == NULL ? def->accepted == 0 : book->accepted == def->accepted);
        assert_true(book == NULL ? def->dead == 0 : book->dead == def->dead);
    }
    for (size_t i = 0; i < life->present_count; i++) {
        assert_string_equal(ps_outbox_ledger(life->bench.outbox, i)->name,
                            life->defs[life->present[i]].name);
    }
}

// Some go, some come, some come back, one or two get another name.
static void reconfigure(Life *life) {
    char former[2][16];
    char later[2][16];
    PsOutboxRename renames[2];
    size_t count = 0;
    for (size_t i = life->present_count; i > 0 && life->present_count > 1; i--) {
        if (roll(life, 5) == 0) {
            life->present[i - 1] = life->present[--life->present_count];
        }
    }
    while (count < roll(life, 3) && count < life->present_count) {
        Def *def = &life->defs[life->present[count]];
        snprintf(former[count], sizeof former[count], "%s", def->name);
        snprintf(def->name, sizeof def->name, "r%zu-%u", life->def_count, roll(life, 100000));
        snprintf(later[count], sizeof later[count], "%s", def->name);
        renames[count] = (PsOutboxRename){former[count], later[count]};
        count++;
    }
    add_present(life, roll(life, (unsigned)life->def_count)); // with luck one that was removed
    if (roll(life, 3) == 0) {
        size_t def = new_def(life);
        if (count > 0 && roll(life, 2) == 0) { // by the name that another has given up
            snprintf(life->defs[def].name, sizeof life->defs[def].name, "%s", former[0]);
        }
        add_present(life, def);
    }
    take_setup(life);
    ps_outbox_apply(life->bench.outbox, &life->bench.setup, renames, count);
}

static void accept_some(Life *life) {
    for (unsigned i = roll(life, 120); i > 0 && life->serial < SERIALS; i--) {
        size_t place = roll(life, (unsigned)life->present_count);
        char text[32];
        snprintf(text, sizeof text, "[%zu]", life->serial);
        accept_one(&life->bench, place, (int64_t)life->serial, text);
        life->defs[life->present[place]].accepted++;
        life->owner[life->serial++] = life->present[place];
    }
}

static size_t owner_of(const Life *life, const PsOutboxRow *row) {
    const char *name = ps_outbox_ledger(life->bench.outbox, row->message)->name;
    for (size_t i = 0; i < life->def_count; i++) {
        if (strcmp(life->defs[i].name, name) == 0) {
            return i;
        }
    }
    fail_msg("no definition is called %s", name);
    return 0;
}

// "[1,2,3]": each for the first time, each of this definition.
static void check_off(Life *life, const char *payload, size_t def) {
    for (const char *at = payload; *at == '[' || *at == ',';) {
        char *end;
        size_t serial = strtoul(at + 1, &end, 10);
        assert_true(serial < life->serial && life->owner[serial] == def);
        assert_false(life->delivered[serial]);
        life->delivered[serial] = true;
        at = end;
    }
}

// A payload has no end of its own. Freed by the caller.
static char *text_of(const PsOutboxRow *row) {
    char *text = ps_alloc(row->len + 1);
    memcpy(text, row->payload, row->len);
    return text;
}

static bool send_one(Life *life, bool one_by_one) {
    const PsOutboxRow *row = ps_outbox_next(life->bench.outbox, one_by_one);
    if (row == NULL) {
        return false;
    }
    size_t at = life->in_flight_count++;
    life->in_flight[at] = row->id;
    life->payloads[at] = text_of(row);
    life->owners[at] = owner_of(life, row);
    return true;
}

static void send_some(Life *life) {
    for (unsigned i = roll(life, 40); i > 0 && life->in_flight_count < FLIGHT; i--) {
        if (!send_one(life, roll(life, 4) == 0)) {
            return;
        }
    }
}

static void acknowledge(Life *life, size_t at) {
    ps_outbox_acknowledged(life->bench.outbox, life->in_flight[at]);
    check_off(life, life->payloads[at], life->owners[at]);
    free(life->payloads[at]);
    size_t last = --life->in_flight_count;
    life->in_flight[at] = life->in_flight[last];
    life->payloads[at] = life->payloads[last];
    life->owners[at] = life->owners[last];
}

static void acknowledge_some(Life *life) {
    for (unsigned i = roll(life, 40); i > 0 && life->in_flight_count > 0; i--) {
        acknowledge(life, roll(life, (unsigned)life->in_flight_count));
    }
}

static void forget_flight(Life *life) {
    while (life->in_flight_count > 0) {
        free(life->payloads[--life->in_flight_count]);
    }
}

static void lose_link(Life *life) {
    ps_outbox_link_lost(life->bench.outbox);
    forget_flight(life);
    if (roll(life, 2) == 0) {
        ps_outbox_link_up(life->bench.outbox);
    }
}

static void wait_a_little(Life *life) {
    run_until_ms(&life->bench, never, roll(life, 8) == 0 ? 300 : 2);
}

static void set_one_aside(Life *life) {
    size_t place = roll(life, (unsigned)life->present_count);
    bench_put_letter(&life->bench, place);
    life->defs[life->present[place]].accepted++;
    life->defs[life->present[place]].dead++;
}

static void restart_or_spoil(Life *life) {
    unsigned what = roll(life, 8);
    if (what == 0) {
        forget_flight(life);
        (void)test_vfs_clear();
        assert_true(run_until_ms(&life->bench, is_sound, 15000));
        bench_reopen(&life->bench);
    } else if (what == 1) {
        test_vfs_arm(TEST_FAULT_WRITE, 1 + roll(life, 4), true);
    } else if (what < 5) {
        (void)test_vfs_clear();
    }
}

// All of it, each once, in order.
static void drain(Life *life) {
    (void)test_vfs_clear();
    lose_link(life);
    ps_outbox_link_lost(life->bench.outbox);
    assert_true(run_until_ms(&life->bench, is_sound, 15000));
    int64_t last[PS_OUTBOX_CLASS_COUNT] = {-1, -1};
    const PsOutboxRow *row;
    while ((row = next_within(&life->bench)) != NULL) {
        assert_true(row->collected.ns > last[row->class]);
        last[row->class] = row->collected.ns;
        char *payload = text_of(row);
        check_off(life, payload, owner_of(life, row));
        free(payload);
        ps_outbox_acknowledged(life->bench.outbox, row->id);
    }
    for (size_t i = 0; i < life->serial; i++) {
        assert_true(life->delivered[i]);
    }
    expect_present(life);
}

static void random_changes_keep_everything(void **state) {
    static void (*const steps[])(Life *) = {accept_some,      accept_some,     send_some,
                                            acknowledge_some, lose_link,       wait_a_little,
                                            set_one_aside,    restart_or_spoil};
    for (unsigned seed = 1; seed <= 2; seed++) {
        Life *life = calloc(1, sizeof *life);
        life->seed = seed;
        bench_init(&life->bench, 1);
        life->bench.setup.warning_recording = 100000;
        for (size_t i = 0; i < 3; i++) {
            add_present(life, new_def(life));
        }
        take_setup(life);
        bench_reopen(&life->bench);
        for (int change = 0; change < 200; change++) {
            for (int step = 0; step < 4; step++) {
                steps[roll(life, PS_COUNT(steps))](life);
            }
            reconfigure(life);
            expect_present(life);
        }
        drain(life);
        bench_deinit(&life->bench);
        free(life);
    }
}

int main(void) {
    ps_log_set_fd(-1);
    test_vfs_install();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_changes_keep_everything),
    };
    return cmocka_run_group_tests_name("apply_random", tests, NULL, NULL);
}
