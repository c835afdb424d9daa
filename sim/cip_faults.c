// Faults of the controller: what its requests mean to it. Pure; the side's lock is held.
#include "sim/cip.h"
#include "sim/words.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

typedef struct Knob {
    const char *name;
    const char *usage;
    const char *help;
    // False: the words do not fit the usage. Changes `faults` only when it returns true.
    bool (*turn)(PsSimCipFaults *faults, const PsSimWords *words);
} Knob;

static bool add_tag(PsSimCipFaults *faults, const char *tag, uint8_t status) {
    if (faults->tag_count == PS_SIM_CIP_TAG_FAULTS || strlen(tag) >= sizeof faults->tags[0].tag) {
        return false;
    }
    PsSimCipTagFault *fault = &faults->tags[faults->tag_count++];
    snprintf(fault->tag, sizeof fault->tag, "%s", tag);
    fault->status = status;
    return true;
}

static bool turn_missing(PsSimCipFaults *faults, const PsSimWords *words) {
    return words->count == 2 && add_tag(faults, words->word[1], PS_SIM_CIP_PATH_SEGMENT);
}

static bool turn_deny(PsSimCipFaults *faults, const PsSimWords *words) {
    return words->count == 2 && add_tag(faults, words->word[1], PS_SIM_CIP_PRIVILEGE);
}

static bool turn_status(PsSimCipFaults *faults, const PsSimWords *words) {
    long long status = 0;
    if (words->count > 3 || !ps_sim_words_number(words, 1, 1, UINT8_MAX, &status)) {
        return false;
    }
    if (words->count == 3) {
        return add_tag(faults, words->word[2], (uint8_t)status);
    }
    faults->status = (uint8_t)status;
    return true;
}

static bool turn_no_large(PsSimCipFaults *faults, const PsSimWords *words) {
    faults->no_large = true;
    return words->count == 1;
}

static bool turn_no_connections(PsSimCipFaults *faults, const PsSimWords *words) {
    faults->limited = true;
    faults->most = 0;
    return words->count == 1;
}

static bool turn_connections(PsSimCipFaults *faults, const PsSimWords *words) {
    long long most = 0;
    if (words->count != 2 || !ps_sim_words_number(words, 1, 0, PS_SIM_CIP_CONNECTIONS, &most)) {
        return false;
    }
    faults->limited = true;
    faults->most = (uint32_t)most;
    return true;
}

static bool turn_drop(PsSimCipFaults *faults, const PsSimWords *words) {
    faults->drop = true;
    return words->count == 1;
}

static bool turn_size(PsSimCipFaults *faults, const PsSimWords *words) {
    long long size = 0;
    if (words->count != 2 || !ps_sim_words_number(words, 1, 32, PS_SIM_CIP_LARGE_MOST, &size)) {
        return false;
    }
    faults->size = (uint32_t)size;
    return true;
}

static bool turn_structure_only(PsSimCipFaults *faults, const PsSimWords *words) {
    faults->structure_only = true;
    return words->count == 1;
}

static bool turn_locked(PsSimCipFaults *faults, const PsSimWords *words) {
    faults->locked = true;
    return words->count == 1;
}

static bool turn_ok(PsSimCipFaults *faults, const PsSimWords *words) {
    *faults = (PsSimCipFaults){0};
    return words->count == 1;
}

static const Knob knobs[] = {
    {"missing", "missing TAG", "there is no such tag (status 0x04), nor in the list", turn_missing},
    {"deny", "deny TAG", "neither read nor written (0x0F); 16 tags have faults at a time",
     turn_deny},
    {"status", "status CODE [TAG]", "answer with this general status: always, or for this tag",
     turn_status},
    {"no-large", "no-large", "refuse Large Forward Open (0x08), as old controllers do",
     turn_no_large},
    {"no-connections", "no-connections", "refuse each Forward Open (0x01/0x0113)",
     turn_no_connections},
    {"connections", "connections N", "so many connections at a time, over all clients",
     turn_connections},
    {"drop", "drop", "forget all connections; what comes on them gets no answer", turn_drop},
    {"size", "size N", "refuse larger connections (0x01/0x0109), 32 to 4002 bytes", turn_size},
    {"structure-only", "structure-only", "members cannot be named (0x04), structures are whole",
     turn_structure_only},
    {"locked", "locked", "the key switch is in RUN: writes are refused (0x10/0x2101)", turn_locked},
    {"ok", "ok", "clear every fault", turn_ok},
};

PsErr ps_sim_cip_fault(PsSimCipFaults *faults, const char *line, PsDiag *diag) {
    PsSimWords words;
    if (!ps_sim_words_split(line, &words)) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, NULL, "no fault; say 'help' for the list");
    }
    for (size_t i = 0; i < PS_COUNT(knobs); i++) {
        if (!ps_sim_words_is(&words, 0, knobs[i].name)) {
            continue;
        }
        PsSimCipFaults changed = *faults;
        if (!knobs[i].turn(&changed, &words)) {
            return ps_fail(PS_ERR_INVALID, diag, NULL, NULL, "usage: %s", knobs[i].usage);
        }
        *faults = changed;
        return PS_OK;
    }
    return ps_fail(PS_ERR_NOT_FOUND, diag, NULL, NULL, "unknown command '%s'; say 'help'",
                   words.word[0]);
}

void ps_sim_cip_fault_help(PsBuf *out) {
    for (size_t i = 0; i < PS_COUNT(knobs); i++) {
        if (knobs[i].turn != turn_ok) { // the frame knobs tell of it
            ps_buf_printf(out, "  %-32s %s\n", knobs[i].usage, knobs[i].help);
        }
    }
}

uint8_t ps_sim_cip_fault_of(const PsSimCipFaults *faults, const char *place) {
    for (size_t i = 0; i < faults->tag_count; i++) {
        const char *tag = faults->tags[i].tag;
        size_t len = strlen(tag);
        if (strncasecmp(tag, place, len) == 0 && (place[len] == '\0' || place[len] == '.')) {
            return faults->tags[i].status;
        }
    }
    return faults->status;
}
