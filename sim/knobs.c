// The const table of frame knobs and what they decide. Pure; the caller serialises.
#include "sim/knobs.h"

#include "sim/words.h"

#include <string.h>

#define MOST_EVERY 1000000
#define MOST_PIECE 65535
#define FIRST_RANDOM 2463534242U // any but 0

typedef struct Knob {
    const char *name;
    const char *usage;
    const char *help;
    // False: the words do not fit the usage. Changes `knobs` only when it returns true.
    bool (*turn)(PsKnobs *knobs, const PsSimWords *words);
} Knob;

// "", "N" or "once" from word `index` on.
static bool turn_rate(PsKnobRate *rate, const PsSimWords *words, size_t index) {
    long long every = 0;
    if (words->count == index) {
        *rate = (PsKnobRate){.always = true};
        return true;
    }
    if (words->count == index + 1 && ps_sim_words_is(words, index, "once")) {
        *rate = (PsKnobRate){.once = true};
        return true;
    }
    if (words->count != index + 1 || !ps_sim_words_number(words, index, 1, MOST_EVERY, &every)) {
        return false;
    }
    *rate = (PsKnobRate){.every = (uint32_t)every};
    return true;
}

static bool turn_ms(uint32_t *ms, const PsSimWords *words) {
    long long value = 0;
    if (words->count != 2 || !ps_sim_words_number(words, 1, 0, PS_KNOB_MOST_MS, &value)) {
        return false;
    }
    *ms = (uint32_t)value;
    return true;
}

static bool turn_delay(PsKnobs *knobs, const PsSimWords *words) {
    return turn_ms(&knobs->delay_ms, words);
}

static bool turn_jitter(PsKnobs *knobs, const PsSimWords *words) {
    return turn_ms(&knobs->jitter_ms, words);
}

static bool turn_late(PsKnobs *knobs, const PsSimWords *words) {
    long long ms = 0;
    if (!ps_sim_words_number(words, 1, 0, PS_KNOB_MOST_MS, &ms) ||
        !turn_rate(&knobs->late, words, 2)) {
        return false;
    }
    knobs->late_ms = (uint32_t)ms;
    return true;
}

static bool turn_silence(PsKnobs *knobs, const PsSimWords *words) {
    return turn_rate(&knobs->silence, words, 1);
}

static bool turn_garbage(PsKnobs *knobs, const PsSimWords *words) {
    return turn_rate(&knobs->garbage, words, 1);
}

static bool turn_truncate(PsKnobs *knobs, const PsSimWords *words) {
    return turn_rate(&knobs->truncate, words, 1);
}

static bool turn_wrong_id(PsKnobs *knobs, const PsSimWords *words) {
    return turn_rate(&knobs->wrong_id, words, 1);
}

static bool turn_twice(PsKnobs *knobs, const PsSimWords *words) {
    return turn_rate(&knobs->twice, words, 1);
}

static bool turn_pieces(PsKnobs *knobs, const PsSimWords *words) {
    long long bytes = 0;
    if (words->count != 2 || !ps_sim_words_number(words, 1, 0, MOST_PIECE, &bytes)) {
        return false;
    }
    knobs->piece_bytes = (uint32_t)bytes;
    return true;
}

// Alone it means once: a connection that is reset with each request never gets anywhere.
static bool turn_reset(PsKnobs *knobs, const PsSimWords *words) {
    PsKnobRate rate = {0};
    if (!turn_rate(&rate, words, 1)) {
        return false;
    }
    rate.once = rate.once || rate.always;
    rate.always = false;
    knobs->reset = rate;
    return true;
}

static bool turn_refuse(PsKnobs *knobs, const PsSimWords *words) {
    knobs->refuse = true;
    return words->count == 1;
}

static bool turn_ok(PsKnobs *knobs, const PsSimWords *words) {
    *knobs = (PsKnobs){0};
    return words->count == 1;
}

static const Knob all_knobs[] = {
    {"delay", "delay MS", "wait before each answer, the next request waits too; 0 ends it",
     turn_delay},
    {"jitter", "jitter MS", "wait at random up to this long before each answer; 0 ends it",
     turn_jitter},
    {"late", "late MS [N|once]", "answers are on their way this long: all, every N-th, the next",
     turn_late},
    {"silence", "silence [N|once]", "take requests, never answer", turn_silence},
    {"reset", "reset [N]", "reset the connection with the next, or every N-th, request",
     turn_reset},
    {"garbage", "garbage [N|once]", "send other bytes in the place of an answer", turn_garbage},
    {"truncate", "truncate [N|once]", "send the first half of an answer", turn_truncate},
    {"wrong-id", "wrong-id [N|once]", "an answer looks like that of another request",
     turn_wrong_id},
    {"twice", "twice [N|once]", "send an answer twice", turn_twice},
    {"pieces", "pieces BYTES", "send answers in pieces, 2 ms apart; 0 ends it", turn_pieces},
    {"refuse", "refuse", "close all connections and stop listening", turn_refuse},
    {"ok", "ok", "clear every fault", turn_ok},
};

PsErr ps_knobs_turn(PsKnobs *knobs, const char *line, PsDiag *diag) {
    PsSimWords words;
    if (!ps_sim_words_split(line, &words)) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, NULL, "no fault; say 'help' for the list");
    }
    for (size_t i = 0; i < PS_COUNT(all_knobs); i++) {
        if (!ps_sim_words_is(&words, 0, all_knobs[i].name)) {
            continue;
        }
        PsKnobs changed = *knobs;
        if (!all_knobs[i].turn(&changed, &words)) {
            return ps_fail(PS_ERR_INVALID, diag, NULL, NULL, "usage: %s", all_knobs[i].usage);
        }
        *knobs = changed;
        return PS_OK;
    }
    return ps_fail(PS_ERR_NOT_FOUND, diag, NULL, NULL, "unknown command '%s'; say 'help'",
                   words.word[0]);
}

void ps_knobs_help(PsBuf *out) {
    for (size_t i = 0; i < PS_COUNT(all_knobs); i++) {
        ps_buf_printf(out, "  %-32s %s\n", all_knobs[i].usage, all_knobs[i].help);
    }
}

static bool is_due(PsKnobRate *rate) {
    bool once = rate->once;
    rate->once = false;
    if (rate->every == 0 || ++rate->count < rate->every) {
        return once || rate->always;
    }
    rate->count = 0;
    return true;
}

PsKnobAction ps_knobs_request(PsKnobs *knobs) {
    if (is_due(&knobs->reset)) {
        return PS_KNOB_RESET;
    }
    return is_due(&knobs->silence) ? PS_KNOB_SILENCE : PS_KNOB_PASS;
}

// xorshift, Marsaglia 2003: the same run each time, which a test can rely on.
static uint32_t next_random(PsKnobs *knobs) {
    uint32_t x = knobs->random != 0 ? knobs->random : FIRST_RANDOM;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    knobs->random = x;
    return x;
}

PsKnobAnswer ps_knobs_answer(PsKnobs *knobs) {
    PsKnobAnswer answer = {.dropped = knobs->silence.always,
                           .delay_ms = knobs->delay_ms,
                           .twice = is_due(&knobs->twice),
                           .piece_bytes = knobs->piece_bytes};
    if (knobs->jitter_ms > 0) {
        answer.delay_ms += next_random(knobs) % (knobs->jitter_ms + 1);
    }
    if (is_due(&knobs->late)) {
        answer.late_ms = knobs->late_ms;
    }
    // Each counts every answer, so that "every N-th" means what it says when two are on.
    bool wrong_id = is_due(&knobs->wrong_id);
    bool truncated = is_due(&knobs->truncate);
    bool garbage = is_due(&knobs->garbage);
    if (garbage) {
        answer.damage = PS_DAMAGE_GARBAGE;
    } else if (truncated) {
        answer.damage = PS_DAMAGE_TRUNCATED;
    } else if (wrong_id) {
        answer.damage = PS_DAMAGE_WRONG_ID;
    }
    return answer;
}

void ps_knobs_damage(PsDamage damage, const PsSimFraming *framing, uint8_t *frame, size_t *len) {
    switch (damage) {
    case PS_DAMAGE_NONE:
        break;
    case PS_DAMAGE_GARBAGE:
        for (size_t i = 0; i < *len; i++) {
            frame[i] = (uint8_t)(frame[i] * 7U + 89U + i);
        }
        break;
    case PS_DAMAGE_TRUNCATED:
        *len /= 2;
        break;
    case PS_DAMAGE_WRONG_ID:
        if (framing->spoil_id != NULL) {
            framing->spoil_id(frame, *len);
        }
        break;
    }
}
