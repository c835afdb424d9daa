// The trial is an entry like the others, in a slot behind theirs, that is neither restarted nor
// given inputs. Loop thread.
#include "script/draft.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>

static void begin(PsScriptShared *shared, PsScriptEntry *target) {
    PsScriptEntry *draft = ps_alloc(sizeof *draft);
    ps_script_entry_init(draft, shared, target->kind, target->index, shared->entry_count);
    draft->draft = ps_alloc(sizeof *draft->draft);
    draft->draft->target = target;
    draft->saved = target->waiting;
    draft->source = &draft->saved;
    target->waiting = (PsBuf){0};
    target->has_waiting = false;
    // Counts on, so that late news of the trial before is not taken for this one's.
    draft->generation = shared->drafts++;
    shared->draft = draft;
    ps_script_entry_open(draft);
    ps_script_entry_launch(draft);
}

void ps_script_draft_next(PsScriptShared *shared) {
    for (uint32_t i = 0; i < shared->entry_count; i++) {
        PsScriptEntry *target = &shared->entries[i];
        if (shared->draft != NULL || shared->stopping || !shared->spawner.ready) {
            return;
        }
        if (target->has_waiting) {
            begin(shared, target);
        }
    }
}

void ps_script_draft_ended(PsScriptEntry *draft, const char *reason) {
    PsScriptShared *shared = draft->shared;
    PsScriptEntry *target = draft->draft->target;
    PS_ASSERT(shared->draft == draft);
    shared->draft = NULL;
    if (draft->draft->built && !shared->stopping) {
        PS_LOGI("SCRIPT-SAVED", "%s '%s': its saved script takes over",
                ps_script_kind_name(target->kind), target->name);
        ps_script_entry_replace(target, &draft->saved);
    } else if (!shared->stopping) {
        PS_LOGE("SCRIPT-SAVED", "%s '%s': the saved script is not taken: %s; %s",
                ps_script_kind_name(target->kind), target->name, reason,
                target->state == PS_WORKER_HELD
                    ? "it stays held"
                    : "the one before it goes on until it is corrected");
    }
    ps_script_entry_close(draft);
    ps_script_draft_next(shared);
}

void ps_script_draft_free(PsScriptEntry *draft) {
    free(draft->draft);
    ps_script_entry_deinit(draft);
    free(draft);
}
