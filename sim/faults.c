// Fault knobs: the const table of knobs and the verdict on a request. Pure; the caller serialises.
#include "sim/faults.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define MOST_WORDS 4
#define LONGEST_LINE 128
#define MOST_RESET_EVERY 1000000
#define MOST_EXCEPTION 11 // Modbus Application Protocol 1.1b3, chapter 7

typedef struct Words {
    char text[LONGEST_LINE];
    const char *word[MOST_WORDS];
    size_t count;
} Words;

typedef struct Knob {
    const char *name;
    const char *usage;
    const char *help;
    // False: the words do not fit the usage. Changes `faults` only when it returns true.
    bool (*turn)(PsFaults *faults, const Words *words);
} Knob;

static bool number(const Words *words, size_t index, long long min, long long max,
                   long long *ret_value) {
    return index < words->count && ps_text_to_int(words->word[index], min, max, ret_value);
}

static bool turn_delay(PsFaults *faults, const Words *words) {
    long long ms = 0;
    if (words->count != 2 || !number(words, 1, 0, PS_FAULT_DELAY_MAX_MS, &ms)) {
        return false;
    }
    faults->delay_ms = (uint32_t)ms;
    return true;
}

static bool turn_silence(PsFaults *faults, const Words *words) {
    faults->silence = true;
    return words->count == 1;
}

static bool turn_refuse(PsFaults *faults, const Words *words) {
    faults->refuse = true;
    return words->count == 1;
}

// "40010" or "40010-40020" in one table.
static bool parse_hole(const char *text, uint8_t code, PsFaultHole *hole) {
    size_t first_len = strcspn(text, "-");
    const char *last_text = text[first_len] == '-' ? text + first_len + 1 : text;
    size_t last_len = text[first_len] == '-' ? strlen(last_text) : first_len;
    PsSimAddress first;
    PsSimAddress last;
    if (ps_sim_address_parse(text, first_len, &first) != PS_OK ||
        ps_sim_address_parse(last_text, last_len, &last) != PS_OK || first.table != last.table ||
        first.offset > last.offset) {
        return false;
    }
    *hole = (PsFaultHole){first.table, first.offset, last.offset, code};
    return true;
}

static bool turn_exception(PsFaults *faults, const Words *words) {
    long long code = 0;
    if (words->count > 3 || !number(words, 1, 1, MOST_EXCEPTION, &code)) {
        return false;
    }
    if (words->count == 2) {
        faults->exception = (uint8_t)code;
        return true;
    }
    PsFaultHole hole;
    if (faults->hole_count == PS_FAULT_HOLES || !parse_hole(words->word[2], (uint8_t)code, &hole)) {
        return false;
    }
    faults->holes[faults->hole_count++] = hole;
    return true;
}

static bool turn_reset(PsFaults *faults, const Words *words) {
    long long every = 0;
    if (words->count == 1) {
        faults->reset_once = true;
        return true;
    }
    if (words->count != 2 || !number(words, 1, 1, MOST_RESET_EVERY, &every)) {
        return false;
    }
    faults->reset_every = (uint32_t)every;
    faults->reset_count = 0;
    return true;
}

static const struct {
    const char *word;
    PsFaultDamage damage;
} damages[] = {{"garbage", PS_DAMAGE_GARBAGE}, {"truncated", PS_DAMAGE_TRUNCATED}};

static bool turn_slave(PsFaults *faults, const Words *words) {
    long long slave = 0;
    long long late_ms = 0;
    if (words->count == 4 && number(words, 1, 0, 255, &slave) &&
        strcmp(words->word[2], "late") == 0 &&
        number(words, 3, 0, PS_FAULT_DELAY_MAX_MS, &late_ms)) {
        faults->late_ms[slave] = (uint32_t)late_ms;
        return true;
    }
    if (words->count != 3 || !number(words, 1, 0, 255, &slave)) {
        return false;
    }
    for (size_t i = 0; i < PS_COUNT(damages); i++) {
        if (strcmp(words->word[2], damages[i].word) == 0) {
            faults->damage[slave] = damages[i].damage;
            return true;
        }
    }
    bool silent = strcmp(words->word[2], "silent") == 0;
    if (!silent && strcmp(words->word[2], "ok") != 0) {
        return false;
    }
    faults->silent_slaves[slave] = silent;
    if (!silent) {
        faults->late_ms[slave] = 0;
        faults->damage[slave] = PS_DAMAGE_NONE;
    }
    return true;
}

static bool turn_ok(PsFaults *faults, const Words *words) {
    if (words->count != 1) {
        return false;
    }
    *faults = (PsFaults){0};
    return true;
}

static const Knob knobs[] = {
    {"delay", "delay MS", "wait before each answer; 0 ends it", turn_delay},
    {"silence", "silence", "take requests, never answer", turn_silence},
    {"exception", "exception CODE [ADDRESS[-LAST]]",
     "answer with a Modbus exception: always, or for requests that touch these items",
     turn_exception},
    {"reset", "reset [N]", "reset the connection with the next, or every N-th, request",
     turn_reset},
    {"refuse", "refuse", "close all connections and stop listening", turn_refuse},
    {"slave", "slave N silent|garbage|truncated|late MS|ok",
     "one unit id never answers, damages its RTU answers, or takes longer", turn_slave},
    {"ok", "ok", "clear every fault", turn_ok},
};

// Splits at blanks; false when there are too many words or bytes.
static bool split(const char *line, Words *words) {
    size_t len = strlen(line);
    if (len >= sizeof words->text) {
        return false;
    }
    memcpy(words->text, line, len + 1);
    words->count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(words->text, " \t\r", &rest); word != NULL;
         word = strtok_r(NULL, " \t\r", &rest)) {
        if (words->count == MOST_WORDS) {
            return false;
        }
        words->word[words->count++] = word;
    }
    return words->count > 0;
}

PsErr ps_faults_turn(PsFaults *faults, const char *line, PsDiag *diag) {
    Words words;
    if (!split(line, &words)) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, NULL, "no fault; say 'help' for the list");
    }
    for (size_t i = 0; i < PS_COUNT(knobs); i++) {
        if (strcmp(words.word[0], knobs[i].name) != 0) {
            continue;
        }
        PsFaults changed = *faults;
        if (!knobs[i].turn(&changed, &words)) {
            return ps_fail(PS_ERR_INVALID, diag, NULL, NULL, "usage: %s", knobs[i].usage);
        }
        *faults = changed;
        return PS_OK;
    }
    return ps_fail(PS_ERR_NOT_FOUND, diag, NULL, NULL, "unknown command '%s'; say 'help'",
                   words.word[0]);
}

void ps_faults_help(PsBuf *out) {
    for (size_t i = 0; i < PS_COUNT(knobs); i++) {
        ps_buf_printf(out, "  %-32s %s\n", knobs[i].usage, knobs[i].help);
    }
}

static bool touches(const PsSimSpan *span, const PsFaultHole *hole) {
    return span->count > 0 && span->table == hole->table && span->offset <= hole->last &&
           hole->first < span->offset + span->count;
}

static uint8_t exception_for(const PsFaults *faults, const PsSimRequest *request) {
    for (size_t i = 0; i < faults->hole_count; i++) {
        if (touches(&request->read, &faults->holes[i]) ||
            touches(&request->write, &faults->holes[i])) {
            return faults->holes[i].code;
        }
    }
    return faults->exception;
}

static bool reset_due(PsFaults *faults) {
    bool once = faults->reset_once;
    faults->reset_once = false;
    faults->reset_count++;
    if (faults->reset_every == 0 || faults->reset_count < faults->reset_every) {
        return once;
    }
    faults->reset_count = 0;
    return true;
}

PsFaultVerdict ps_faults_judge(PsFaults *faults, const PsSimRequest *request) {
    PsFaultVerdict verdict = {.action = PS_FAULT_ANSWER,
                              .delay_ms = faults->delay_ms + faults->late_ms[request->slave],
                              .damage = faults->damage[request->slave]};
    if (reset_due(faults)) {
        verdict.action = PS_FAULT_RESET;
    } else if (faults->silence || faults->silent_slaves[request->slave]) {
        verdict.action = PS_FAULT_SILENCE;
    } else {
        verdict.exception = exception_for(faults, request);
        verdict.action = verdict.exception != 0 ? PS_FAULT_EXCEPTION : PS_FAULT_ANSWER;
    }
    return verdict;
}
