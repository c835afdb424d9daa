// The table of fault rules. The first rule that is due acts; the others only count. Pure.
#include "localcloud/faults/faults.h"

#include "base/mem.h"
#include "localcloud/faults/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct PsFaults {
    PsFaultRule *rules;
    size_t count;
    uint32_t last_id;
    uint64_t last_connection;
    void (*changed)(void *ctx);
    void *changed_ctx;
};

PsFaults *ps_faults_new(void) {
    return ps_alloc(sizeof(PsFaults));
}

void ps_faults_free(PsFaults *faults) {
    if (faults != NULL) {
        faults->changed = NULL;
        ps_faults_clear(faults);
        free(faults->rules);
        free(faults);
    }
}

void ps_faults_watch(PsFaults *faults, void (*changed)(void *ctx), void *ctx) {
    faults->changed = changed;
    faults->changed_ctx = ctx;
}

static void tell(const PsFaults *faults) {
    if (faults->changed != NULL) {
        faults->changed(faults->changed_ctx);
    }
}

bool ps_faults_ask(PsFaults *faults, PsFaultCounts *counts, PsFaultEvent event,
                   const char *client_id, const char *topic, size_t topic_len, PsFault *ret_fault) {
    if (counts->connection == 0) {
        counts->connection = ++faults->last_connection;
    }
    PsFaultMoment moment = {.event = event,
                            .connection = counts->connection,
                            .ordinal = ++counts->of[event],
                            .client_id = client_id,
                            .topic = {topic, topic_len},
                            .has_topic = topic != NULL};
    bool acts = false;
    for (size_t i = 0; i < faults->count; i++) {
        PsFaultRule *rule = &faults->rules[i];
        if (ps_fault_rule_see(rule, &moment) && !acts) {
            rule->done++;
            *ret_fault = rule->fault;
            ret_fault->rule = rule->id;
            acts = true;
        }
    }
    return acts;
}

static PsFaultRule *find(const PsFaults *faults, uint32_t id) {
    for (size_t i = 0; i < faults->count; i++) {
        if (faults->rules[i].id == id) {
            return &faults->rules[i];
        }
    }
    return NULL;
}

bool ps_faults_in_force(const PsFaults *faults, uint32_t rule) {
    return find(faults, rule) != NULL;
}

static PsErr add(PsFaults *faults, const char *line, size_t len, uint32_t *ret_rule, PsDiag *diag) {
    if (faults->count == PS_FAULTS_MAX) {
        return ps_fail(PS_ERR_FULL, diag, "fault rules", NULL, "there are %d, which is the limit",
                       PS_FAULTS_MAX);
    }
    PsFaultRule rule;
    PsErr err = ps_fault_rule_read(line, len, &rule, diag);
    if (err != PS_OK) {
        return err;
    }
    rule.id = ++faults->last_id;
    faults->rules = ps_grow_array(faults->rules, faults->count + 1, sizeof *faults->rules);
    faults->rules[faults->count++] = rule;
    *ret_rule = rule.id;
    return PS_OK;
}

PsErr ps_faults_add(PsFaults *faults, const char *line, uint32_t *ret_rule, PsDiag *diag) {
    return add(faults, line, strlen(line), ret_rule, diag);
}

static void take_away(PsFaults *faults, PsFaultRule *rule) {
    size_t at = (size_t)(rule - faults->rules);
    ps_fault_rule_deinit(rule);
    faults->count--;
    memmove(rule, rule + 1, (faults->count - at) * sizeof *rule);
}

PsErr ps_faults_remove(PsFaults *faults, uint32_t rule) {
    PsFaultRule *found = find(faults, rule);
    if (found == NULL) {
        return PS_ERR_NOT_FOUND;
    }
    take_away(faults, found);
    tell(faults);
    return PS_OK;
}

void ps_faults_clear(PsFaults *faults) {
    bool any = faults->count > 0;
    while (faults->count > 0) {
        take_away(faults, &faults->rules[faults->count - 1]);
    }
    if (any) {
        tell(faults);
    }
}

size_t ps_faults_count(const PsFaults *faults) {
    return faults->count;
}

// ---- Several at a time

void ps_faults_shrink(PsFaults *faults, size_t count) {
    while (faults->count > count) {
        take_away(faults, &faults->rules[faults->count - 1]);
    }
}

const PsFaultRule *ps_faults_at(const PsFaults *faults, size_t index) {
    return &faults->rules[index];
}

static PsErr load_line(PsFaults *faults, const char *line, size_t len, size_t number,
                       PsDiag *diag) {
    size_t blanks = 0;
    while (blanks < len && strchr(" \t\r", line[blanks]) != NULL && line[blanks] != '\0') {
        blanks++;
    }
    if (blanks == len || line[blanks] == '#') {
        return PS_OK;
    }
    PsDiag detail = {0};
    PsErr err = add(faults, line + blanks, len - blanks, &(uint32_t){0}, &detail);
    if (err != PS_OK) {
        char field[32];
        snprintf(field, sizeof field, "line %zu", number);
        ps_diag_set(diag, detail.object, field, "%s%s%s", detail.field,
                    detail.field[0] != '\0' ? ": " : "", detail.text);
    }
    return err;
}

PsErr ps_faults_load(PsFaults *faults, const char *text, size_t len, PsDiag *diag) {
    size_t before = faults->count;
    size_t number = 1;
    for (size_t at = 0; at < len; number++) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t line_len = end != NULL ? (size_t)(end - text) - at : len - at;
        PsErr err = load_line(faults, text + at, line_len, number, diag);
        if (err != PS_OK) {
            ps_faults_shrink(faults, before);
            return err;
        }
        at += line_len + 1;
    }
    return PS_OK;
}
