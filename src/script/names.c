// Names and who has been told which. Looking up is one step of a pointer for each group of an
// entry; bytes are compared only after a change of the configuration and for dead letters. Pure;
// loop thread.
#include "script/names.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

PsScriptNames *ps_script_names_new(uint32_t group) {
    PsScriptNames *names = ps_alloc(sizeof *names);
    *names = (PsScriptNames){.users = 1, .group = group};
    return names;
}

PsScriptNames *ps_script_names_share(PsScriptNames *names) {
    if (names != NULL) {
        names->users++;
    }
    return names;
}

void ps_script_names_drop(PsScriptNames *names) {
    if (names != NULL && --names->users == 0) {
        ps_buf_deinit(&names->frame);
        free(names);
    }
}

bool ps_script_names_equal(const PsScriptNames *a, const PsScriptNames *b) {
    return a == b || (a->group == b->group && a->frame.len == b->frame.len &&
                      memcmp(a->frame.data, b->frame.data, a->frame.len) == 0);
}

static PsScriptNames **find(const PsScriptTold *told, uint32_t group) {
    for (uint32_t i = 0; i < told->count; i++) {
        if (told->items[i]->group == group) {
            return &told->items[i];
        }
    }
    return NULL;
}

bool ps_script_told_put(PsScriptTold *told, PsScriptNames *names) {
    PsScriptNames **former = find(told, names->group);
    if (former == NULL) {
        told->items = ps_grow_array(told->items, told->count + 1, sizeof(PsScriptNames *));
        told->items[told->count++] = ps_script_names_share(names);
        return true;
    }
    bool known = ps_script_names_equal(*former, names);
    if (*former != names) {
        ps_script_names_drop(*former);
        *former = ps_script_names_share(names);
    }
    return !known;
}

void ps_script_told_clear(PsScriptTold *told) {
    for (uint32_t i = 0; i < told->count; i++) {
        ps_script_names_drop(told->items[i]);
    }
    free(told->items);
    *told = (PsScriptTold){0};
}
