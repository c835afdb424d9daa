// The trial is an entry like the others, in a slot behind theirs, that is neither restarted nor
// given inputs. Loop thread.
#include "script/draft.h"

#include "base/log.h"
#include "base/mem.h"

static void begin(PsScriptShared *shared, PsScriptEntry *target) {
    PsScriptEntry *draft = ps_script_entry_new(shared, target->kind, target->index);
    draft->draft = ps_alloc(sizeof *draft->draft);
    *draft->draft = (PsScriptDraft){.target = target, .configured = target->reconfigured};
    ps_buf_deinit(&draft->source);
    draft->source = target->waiting;
    target->waiting = (PsBuf){0};
    target->has_waiting = false;
    shared->draft = draft;
    ps_script_entry_open(draft);
    ps_script_entry_launch(draft);
}

void ps_script_draft_next(PsScriptShared *shared) {
    for (uint32_t i = 0; i < shared->entry_count; i++) {
        PsScriptEntry *target = shared->entries[i];
        if (shared->draft != NULL || shared->stopping || !shared->spawner.ready) {
            return;
        }
        if (target->has_waiting) {
            begin(shared, target);
        }
    }
}

// It went down with penstock-script, which says nothing about it.
static bool is_undecided(const PsScriptEntry *draft) {
    return !draft->draft->built && !draft->doomed && draft->wait_status == PS_STATUS_UNKNOWN;
}

static void try_again(PsScriptEntry *draft, PsScriptEntry *target) {
    target->waiting = draft->source;
    target->has_waiting = true;
    target->reconfigured = draft->draft->configured;
    draft->source = (PsBuf){0};
}

static void refuse(const PsScriptEntry *draft, const PsScriptEntry *target, const char *reason) {
    PS_LOGE("SCRIPT-SAVED", "%s '%s': %s not taken: %s; %s", ps_script_kind_name(target->kind),
            target->name,
            draft->draft->configured ? "what the configuration has for it now is"
                                     : "the saved script is",
            reason,
            target->state == PS_WORKER_HELD ? "it stays held"
                                            : "the one before it goes on until it is corrected");
}

static void decide(PsScriptEntry *draft, PsScriptEntry *target, const char *reason) {
    if (!target->has_waiting && is_undecided(draft)) {
        try_again(draft, target);
        return;
    }
    target->pauses &= target->has_waiting; // for the next one
    if (draft->draft->built) {
        PS_LOGI("SCRIPT-SAVED", "%s '%s': %s takes over", ps_script_kind_name(target->kind),
                target->name,
                draft->draft->configured ? "what the configuration has for it now"
                                         : "its saved script");
        ps_script_entry_replace(target, draft);
    } else {
        refuse(draft, target, reason);
        ps_script_entry_next(target);
    }
}

void ps_script_draft_ended(PsScriptEntry *draft, const char *reason) {
    PsScriptShared *shared = draft->shared;
    PS_ASSERT(shared->draft == draft);
    shared->draft = NULL;
    if (draft->draft->target != NULL && !shared->stopping) {
        decide(draft, draft->draft->target, reason);
    }
    ps_script_entry_close(draft);
    ps_script_draft_next(shared);
}
