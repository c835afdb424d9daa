// Inputs that a script did not finish, on their way to the dead letters, and back from there: one
// at a time, when no live input waits. Loop thread; never blocks.
#include "script/entry.h"

#include "base/log.h"
#include "base/mem.h"
#include "script/kept.h"

#include <string.h>

#define WORDS_MAX ((size_t)4096)

// --- giving up ----------------------------------------------------------------------------------

static void keep(PsScriptEntry *entry, const PsScriptInput *input, const char *reason) {
    const PsScriptHostSetup *setup = &entry->shared->setup;
    const PsBuf *schema = input->names != NULL ? &input->names->frame : NULL;
    PsScriptKept kept = {
        .form = input->type == PS_WIRE_DATA     ? PS_KEPT_SNAPSHOT
                : input->type == PS_WIRE_ALARMS ? PS_KEPT_ALARMS
                                                : PS_KEPT_MESSAGE,
        .qos = input->qos,
        .collected = input->collected,
        .input = input->frame.data + PS_WIRE_HEAD_BYTES,
        .input_len = input->frame.len - PS_WIRE_HEAD_BYTES,
        .schema = schema != NULL ? schema->data + PS_WIRE_HEAD_BYTES : NULL,
        .schema_len = schema != NULL ? schema->len - PS_WIRE_HEAD_BYTES : 0,
    };
    PsScriptDead dead = {entry->kind, entry->index, &kept, reason};
    setup->on_dead(&dead, setup->ctx);
}

void ps_script_entry_give_up(PsScriptEntry *entry, const PsScriptInput *input, const char *reason) {
    entry->dropped++;
    if (entry->shared->setup.on_dead != NULL) {
        keep(entry, input, reason);
    }
}

static void end_replay(PsScriptEntry *entry, uint64_t id, PsScriptReplayEnd end,
                       const char *reason) {
    const PsScriptHostSetup *setup = &entry->shared->setup;
    setup->on_replayed(id, end, reason, setup->ctx);
}

void ps_script_entry_cancel_replay(PsScriptEntry *entry, const char *reason) {
    if (entry->has_replay) {
        entry->has_replay = false;
        end_replay(entry, entry->replay.replay, PS_SCRIPT_REPLAY_NOT_RUN, reason);
    }
}

void ps_script_entry_give_up_waiting(PsScriptEntry *entry, const char *reason) {
    PsScriptInput input = {0};
    ps_script_samples_release_all(&entry->samples);
    while (ps_script_inputs_take(&entry->inputs, &input) ||
           ps_script_samples_take(&entry->samples, &input)) {
        ps_script_entry_give_up(entry, &input, reason);
    }
    ps_script_input_deinit(&input);
    ps_script_entry_cancel_replay(entry, reason);
}

void ps_script_entry_make_room(PsScriptEntry *entry, const PsScriptInput *input) {
    PsScriptInput oldest = {0};
    while (ps_script_inputs_is_full(&entry->inputs, input)) {
        (void)ps_script_inputs_take(&entry->inputs, &oldest);
        ps_script_entry_give_up(entry, &oldest,
                                "the script was not called: too many inputs waited for it");
        if (!entry->dropping) {
            entry->dropping = true;
            PS_LOGW("SCRIPT-LATE",
                    "%s '%s': its script is slower than its inputs come; the queue is full and the "
                    "oldest are set aside as dead letters until it has caught up",
                    ps_script_kind_name(entry->kind), entry->name);
        }
    }
    ps_script_input_deinit(&oldest);
}

// --- the end of a call --------------------------------------------------------------------------

void ps_script_entry_note_words(PsScriptEntry *entry, const char *line, size_t len) {
    if (entry->in_call && entry->words.len + len < WORDS_MAX) {
        ps_buf_put_u8(&entry->words, '\n');
        ps_buf_put(&entry->words, line, len);
    }
}

void ps_script_entry_end_input(PsScriptEntry *entry, const char *reason) {
    PsScriptInput *input = &entry->current;
    uint64_t replay = input->replay;
    input->replay = 0;
    if (input->type == PS_WIRE_REPLY || entry->given_up) {
        return; // a result, no input; or nothing is to come of it any more
    }
    if (replay != 0) {
        end_replay(entry, replay, reason == NULL ? PS_SCRIPT_REPLAYED : PS_SCRIPT_REPLAY_FAILED,
                   reason);
    } else if (reason != NULL) {
        ps_script_entry_give_up(entry, input, reason);
    }
}

void ps_script_entry_lose_input(PsScriptEntry *entry, const char *reason) {
    PS_AUTO_BUF PsBuf text = {0};
    ps_buf_put(&text, reason, strlen(reason));
    ps_buf_put(&text, entry->words.data, entry->words.len);
    ps_script_entry_end_input(entry, (const char *)text.data);
}

// --- running again ------------------------------------------------------------------------------

static int form_of_inputs(const PsScriptEntry *entry) {
    if (entry->kind == PS_SCRIPT_SUBSCRIBE) {
        return PS_KEPT_MESSAGE;
    }
    const PsPublish *publish = &entry->shared->setup.config->publish[entry->index];
    return publish->group_type == PS_GROUP_ALARM ? PS_KEPT_ALARMS : PS_KEPT_SNAPSHOT;
}

PsErr ps_script_entry_put_replay(PsScriptEntry *entry, const PsScriptKept *kept, uint64_t id,
                                 PsDiag *diag) {
    PS_ASSERT(id != 0); // that is a live input's
    if (entry->state == PS_WORKER_HELD) {
        return ps_fail(PS_ERR_CLOSED, diag, entry->name, NULL,
                       "is held: %s. Correct and save its script first", entry->held);
    }
    if (entry->shared->stopping || entry->leaving) {
        return ps_fail(PS_ERR_CLOSED, diag, entry->name, NULL, "%s",
                       entry->leaving ? "was removed from the configuration"
                                      : "the gateway is stopping");
    }
    if (entry->has_replay) {
        return ps_fail(PS_ERR_BUSY, diag, entry->name, NULL, "already runs an input again");
    }
    if (kept->form >= PS_KEPT_SNAPSHOT && kept->form <= PS_KEPT_ALARMS &&
        kept->form != form_of_inputs(entry)) {
        return ps_fail(PS_ERR_INVALID, diag, entry->name, NULL,
                       "is a %s message%s now, which has other inputs",
                       ps_script_kind_name(entry->kind),
                       form_of_inputs(entry) == PS_KEPT_ALARMS ? " of alarms" : "");
    }
    PsErr err = ps_kept_input(kept, &entry->replay, diag);
    if (err != PS_OK) {
        return err;
    }
    entry->replay.replay = id;
    entry->has_replay = true;
    ps_script_entry_next(entry);
    return PS_OK;
}

bool ps_script_entry_take_replay(PsScriptEntry *entry) {
    if (!entry->has_replay) {
        return false;
    }
    entry->has_replay = false;
    PsScriptInput taken = entry->replay;
    entry->replay = entry->current;
    entry->current = taken;
    return true;
}
