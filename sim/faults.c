// Fault knobs of Modbus: the const table of knobs and the verdict on a request. Pure; the caller
// serialises.
#include "sim/faults.h"

#include "sim/words.h"

#include <string.h>

#define MOST_EXCEPTION 11 // Modbus Application Protocol 1.1b3, chapter 7

typedef struct Knob {
    const char *name;
    const char *usage;
    const char *help;
    // False: the words do not fit the usage. Changes `faults` only when it returns true.
    bool (*turn)(PsFaults *faults, const PsSimWords *words);
} Knob;

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

static bool turn_exception(PsFaults *faults, const PsSimWords *words) {
    long long code = 0;
    if (words->count > 3 || !ps_sim_words_number(words, 1, 1, MOST_EXCEPTION, &code)) {
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

static const struct {
    const char *word;
    PsDamage damage;
} damages[] = {{"garbage", PS_DAMAGE_GARBAGE},
               {"truncated", PS_DAMAGE_TRUNCATED},
               {"wrong-id", PS_DAMAGE_WRONG_ID}};

static bool turn_slave(PsFaults *faults, const PsSimWords *words) {
    long long slave = 0;
    long long late_ms = 0;
    if (words->count == 4 && ps_sim_words_number(words, 1, 0, 255, &slave) &&
        strcmp(words->word[2], "late") == 0 &&
        ps_sim_words_number(words, 3, 0, PS_KNOB_MOST_MS, &late_ms)) {
        faults->late_ms[slave] = (uint32_t)late_ms;
        return true;
    }
    if (words->count != 3 || !ps_sim_words_number(words, 1, 0, 255, &slave)) {
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

static bool turn_ok(PsFaults *faults, const PsSimWords *words) {
    if (words->count != 1) {
        return false;
    }
    *faults = (PsFaults){0};
    return true;
}

static const Knob knobs[] = {
    {"exception", "exception CODE [ADDRESS[-LAST]]",
     "answer with a Modbus exception: always, or for requests that touch these items",
     turn_exception},
    {"slave", "slave N silent|garbage|truncated|wrong-id|late MS|ok",
     "one unit id never answers, damages its answers, or takes longer", turn_slave},
    {"ok", "ok", "clear every fault", turn_ok},
};

PsErr ps_faults_turn(PsFaults *faults, const char *line, PsDiag *diag) {
    PsSimWords words;
    if (!ps_sim_words_split(line, &words)) {
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
        if (knobs[i].turn != turn_ok) { // the frame knobs tell of it
            ps_buf_printf(out, "  %-32s %s\n", knobs[i].usage, knobs[i].help);
        }
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

PsFaultVerdict ps_faults_judge(const PsFaults *faults, const PsSimRequest *request) {
    PsFaultVerdict verdict = {.action = PS_FAULT_ANSWER,
                              .late_ms = faults->late_ms[request->slave],
                              .damage = (PsDamage)faults->damage[request->slave]};
    if (faults->silent_slaves[request->slave]) {
        verdict.action = PS_FAULT_SILENCE;
    } else {
        verdict.exception = exception_for(faults, request);
        verdict.action = verdict.exception != 0 ? PS_FAULT_EXCEPTION : PS_FAULT_ANSWER;
    }
    return verdict;
}
