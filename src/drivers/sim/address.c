// The kinds of simulated places as one table, and their waves. Pure; any thread.
#include "drivers/sim/address.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS_LEAST 0.001
#define SECONDS_MOST 1e6

typedef struct Row {
    const char *word;
    const char *example;
    bool takes_range;
    double seconds; // when none are given; 0: it takes none
} Row;

static const Row rows[] = {
    [PS_SIMULATOR_RAMP] = {"ramp", "ramp/10/0..100", true, 10},
    [PS_SIMULATOR_SINE] = {"sine", "sine/10/-50..50", true, 10},
    [PS_SIMULATOR_SQUARE] = {"square", "square/2/0..1", true, 10},
    [PS_SIMULATOR_COUNTER] = {"counter", "counter/0.1", false, 1},
    [PS_SIMULATOR_CELL] = {"cell", "cell/NAME", false, 0},
    [PS_SIMULATOR_MISSING] = {"missing", "missing", false, 0},
    [PS_SIMULATOR_BROKEN] = {"broken", "broken", false, 0},
    [PS_SIMULATOR_SILENT] = {"silent", "silent", false, 0},
    [PS_SIMULATOR_SLOW] = {"slow", "slow/0.2", false, 0.2},
    [PS_SIMULATOR_GONE] = {"gone", "gone", false, 0},
};

const char *ps_simulator_example(PsSimulatorKind kind) {
    return (size_t)kind < PS_COUNT(rows) ? rows[kind].example : NULL;
}

static PsErr unknown(const char *text, PsDiag *diag) {
    return ps_fail(PS_ERR_INVALID, diag, NULL, "symbol",
                   "'%.60s' is no place of the simulator; take ramp/10/0..100, sine/..., "
                   "square/..., counter/0.1, cell/NAME, or a fault: missing, broken, silent, "
                   "slow/0.2, gone",
                   text);
}

// A finite number that ends where one of `ends` begins.
static bool take_number(const char **text, const char *ends, double *ret_number) {
    char *end = NULL;
    double number = strtod(*text, &end);
    // strtod takes "0." of "0..100" as a number: the point belongs to the range.
    if (end > *text + 1 && end[-1] == '.') {
        end--;
    }
    bool sound = end != *text && isfinite(number) && (*end == '\0' || strchr(ends, *end) != NULL);
    *ret_number = sound ? number : *ret_number;
    *text = end;
    return sound;
}

static bool take_rest(const Row *row, const char *text, PsSimulatorPlace *place) {
    if (*text == '\0') {
        return true;
    }
    text++; // the slash
    if (row->seconds == 0 || !take_number(&text, "/", &place->seconds) ||
        place->seconds < SECONDS_LEAST || place->seconds > SECONDS_MOST) {
        return false;
    }
    if (*text == '\0') {
        return true;
    }
    text++;
    if (!row->takes_range || !take_number(&text, ".", &place->low) || strncmp(text, "..", 2) != 0) {
        return false;
    }
    text += 2;
    return take_number(&text, "", &place->high) && place->low < place->high;
}

PsErr ps_simulator_parse(const char *text, PsSimulatorPlace *ret_place, PsDiag *diag) {
    size_t len = strcspn(text, "/");
    for (size_t kind = 0; kind < PS_COUNT(rows); kind++) {
        const Row *row = &rows[kind];
        if (strlen(row->word) != len || strncmp(row->word, text, len) != 0) {
            continue;
        }
        PsSimulatorPlace place = {
            .kind = (PsSimulatorKind)kind, .seconds = row->seconds, .low = 0, .high = 100};
        if (kind == PS_SIMULATOR_CELL && text[len] == '/' && text[len + 1] != '\0') {
            place.cell = text + len + 1;
        } else if (kind == PS_SIMULATOR_CELL || !take_rest(row, text + len, &place)) {
            return ps_fail(PS_ERR_INVALID, diag, NULL, "symbol",
                           "'%.60s' is not written as %s is; for example %s", text, row->word,
                           row->example);
        }
        *ret_place = place;
        return PS_OK;
    }
    return unknown(text, diag);
}

double ps_simulator_wave(const PsSimulatorPlace *place, double seconds) {
    double turns = seconds / place->seconds;
    double phase = turns - floor(turns);
    double span = place->high - place->low;
    switch (place->kind) {
    case PS_SIMULATOR_COUNTER:
        return floor(turns);
    case PS_SIMULATOR_SINE:
        return place->low + span * (0.5 + 0.5 * sin(2.0 * M_PI * phase));
    case PS_SIMULATOR_SQUARE:
        return phase < 0.5 ? place->low : place->high;
    default:
        return place->low + span * phase;
    }
}
