// Another configuration for a host at work. An entry that goes on keeps its queue, its counters and
// its process; what a process is made from takes the way of a saved script (draft.h). Entries hold
// copies and inputs hold their names, so only numbers and layouts are exchanged here. Loop thread;
// never blocks, nothing can fail.
#include "script/draft.h"
#include "script/entry.h"

#include "base/mem.h"
#include "model/option.h"
#include "model/tables.h"

#include <stdlib.h>
#include <string.h>

// A call in flight of a message that is no more may finish within this time.
#define LEAVE_S 2.0
#define NOT_CALLED "the script was not called: its message was removed from the configuration"
#define NOT_TAKEN                                                                                  \
    "what the script made of it was not taken: its message was removed from the configuration "    \
    "during the call"

static const PsIndexMap *map_of(const PsConfigMap *map, PsScriptKind kind) {
    return kind == PS_SCRIPT_PUBLISH ? &map->publish : &map->subscribe;
}

// --- numbers of names that are no more ----------------------------------------------------------

static PsScriptNumbers *find_numbers(const PsScriptShared *shared, const PsScriptEntry *entry) {
    for (uint32_t i = 0; i < shared->number_count; i++) {
        PsScriptNumbers *numbers = &shared->numbers[i];
        if (numbers->kind == entry->kind && strcmp(numbers->name, entry->name) == 0) {
            return numbers;
        }
    }
    return NULL;
}

// The call in flight has used its number when its payload was taken.
static void remember_numbers(PsScriptEntry *entry) {
    PsScriptShared *shared = entry->shared;
    PsScriptNumbers *numbers = find_numbers(shared, entry);
    if (numbers == NULL) {
        size_t count = (size_t)shared->number_count + 1;
        shared->numbers = ps_grow_array(shared->numbers, count, sizeof *numbers);
        numbers = &shared->numbers[shared->number_count++];
        *numbers = (PsScriptNumbers){.kind = entry->kind, .name = ps_strdup(entry->name)};
    }
    numbers->sequence = entry->sequence + (entry->in_call && entry->returned ? 1 : 0);
}

static void recall_numbers(PsScriptEntry *entry) {
    const PsScriptNumbers *numbers = find_numbers(entry->shared, entry);
    if (numbers != NULL) {
        entry->sequence = numbers->sequence;
    }
}

void ps_script_host_forget_numbers(PsScriptShared *shared) {
    for (uint32_t i = 0; i < shared->number_count; i++) {
        free(shared->numbers[i].name);
    }
    free(shared->numbers);
    shared->numbers = NULL;
    shared->number_count = 0;
}

// --- messages that are no more ------------------------------------------------------------------

// Gives up what waits while the former configuration still says whose it is.
static void dismiss(PsScriptEntry *entry) {
    PsScriptShared *shared = entry->shared;
    size_t count = (size_t)shared->leaving_count + 1;
    shared->leaving = ps_grow_array(shared->leaving, count, sizeof(PsScriptEntry *));
    shared->leaving[shared->leaving_count++] = entry;
    entry->leaving = true;
    entry->has_waiting = false;
    entry->pauses = false;
    ps_script_entry_give_up_waiting(entry, NOT_CALLED);
    if (entry->in_call && !entry->returned) {
        ps_script_entry_end_input(entry, NOT_TAKEN);
    }
    entry->given_up = true;
    remember_numbers(entry);
}

static void dismiss_removed(PsScriptShared *shared, const PsConfigMap *map) {
    for (uint32_t i = 0; i < shared->entry_count; i++) {
        PsScriptEntry *entry = shared->entries[i];
        if (ps_index_to_new(map_of(map, entry->kind), entry->index) == PS_NOT_THERE) {
            dismiss(entry);
        }
    }
    PsScriptEntry *draft = shared->draft;
    if (draft != NULL && draft->draft->target != NULL && draft->draft->target->leaving) {
        draft->draft->target = NULL;
        ps_script_entry_doom(draft, false, "its message was removed from the configuration");
    }
}

static void end_process(PsScriptEntry *entry) {
    if (entry->streams == NULL) {
        if (entry->shared->started) {
            ps_script_entry_set_timer(entry, PS_ENTRY_TIMER_NONE, 0);
        }
        entry->state = PS_WORKER_STOPPED;
        ps_script_entry_left(entry);
        return;
    }
    entry->state = PS_WORKER_STOPPING;
    if (entry->doomed || entry->exited) {
        return;
    }
    ps_script_entry_set_timer(entry, PS_ENTRY_TIMER_QUIT, LEAVE_S);
    ps_script_entry_next(entry);
}

void ps_script_entry_left(PsScriptEntry *entry) {
    PsScriptShared *shared = entry->shared;
    uint32_t at = 0;
    while (shared->leaving[at] != entry) {
        at++;
    }
    shared->leaving[at] = shared->leaving[--shared->leaving_count];
    ps_script_writes_forget_owner(&shared->writes, entry->slot);
    ps_script_requests_forget_owner(&shared->requests, entry->slot);
    if (entry->handles > 0) {
        ps_script_entry_close(entry); // freed with the last of them
    } else {
        ps_script_entry_free(entry);
    }
    shared->on_idle(shared);
}

// --- messages that go on, and new ones ----------------------------------------------------------

static bool same_record(const PsScriptEntry *entry, const PsConfig *former, uint32_t index) {
    const PsConfig *config = entry->shared->setup.config;
    return entry->kind == PS_SCRIPT_PUBLISH
               ? ps_option_all_equal(&ps_table_publish, &former->publish[entry->index],
                                     &config->publish[index])
               : ps_option_all_equal(&ps_table_subscribe, &former->subscribe[entry->index],
                                     &config->subscribe[index]);
}

// What is newest of an entry: the trial under way, or what it runs.
static PsScriptEntry *newest_of(PsScriptEntry *entry) {
    PsScriptEntry *draft = entry->shared->draft;
    return draft != NULL && draft->draft->target == entry ? draft : entry;
}

// Takes over what needs no new process.
static void configure(PsScriptEntry *entry, uint32_t index) {
    if (ps_script_entry_is_renamed(entry, index)) {
        remember_numbers(entry);
    }
    ps_script_entry_configure(entry, index);
}

static void say_anew(const PsScriptEntry *entry, PsBuf *anew) {
    if (anew != NULL) {
        ps_buf_printf(anew, "script of %s '%s'\n", ps_script_kind_name(entry->kind), entry->name);
    }
}

static void carry_over(PsScriptEntry *entry, const PsConfig *former, const PsConfigMap *map,
                       uint32_t index, PsBuf *anew) {
    bool same = same_record(entry, former, index);
    PsScriptEntry *newest = newest_of(entry);
    configure(entry, index);
    if (newest != entry) {
        ps_script_entry_configure(newest, index);
    }
    ps_script_entry_follow_groups(entry, &map->groups);
    if (!entry->has_waiting && ps_script_entry_is_current(newest)) {
        if (newest != entry) { // saved a moment ago; it takes over
            say_anew(entry, anew);
        }
        return;
    }
    if (entry->generation == 0) { // nothing was ever made of it
        entry->has_waiting = false;
        ps_script_entry_adopt(entry);
        return;
    }
    const PsBuf *source = ps_script_entry_configured_source(entry);
    ps_buf_clear(&entry->waiting);
    ps_buf_put(&entry->waiting, source->data, source->len);
    entry->has_waiting = true;
    entry->reconfigured = true;
    entry->pauses |= !same;
    say_anew(entry, anew);
}

static PsScriptEntry *find_former(const PsScriptShared *shared, const PsConfig *former,
                                  const PsConfigMap *map, PsScriptKind kind, uint32_t index) {
    uint32_t before = ps_index_to_old(map_of(map, kind), index);
    return before != PS_NOT_THERE ? shared->entries[ps_script_message_index(former, kind, before)]
                                  : NULL;
}

static PsScriptEntry *make(PsScriptShared *shared, PsScriptKind kind, uint32_t index) {
    PsScriptEntry *entry = ps_script_entry_new(shared, kind, index);
    recall_numbers(entry);
    if (shared->started) {
        ps_script_entry_open(entry);
    }
    return entry;
}

static void arrange(PsScriptShared *shared, const PsConfig *former, const PsConfigMap *map,
                    PsBuf *anew) {
    const PsConfig *config = shared->setup.config;
    uint32_t count = config->publish_count + config->subscribe_count;
    PsScriptEntry **entries = ps_alloc_array(count + 1, sizeof *entries);
    for (uint32_t i = 0; i < count; i++) {
        bool publish = i < config->publish_count;
        PsScriptKind kind = publish ? PS_SCRIPT_PUBLISH : PS_SCRIPT_SUBSCRIBE;
        uint32_t index = publish ? i : i - config->publish_count;
        entries[i] = find_former(shared, former, map, kind, index);
        if (entries[i] != NULL) {
            carry_over(entries[i], former, map, index, anew);
        } else {
            entries[i] = make(shared, kind, index);
        }
    }
    free(shared->entries);
    shared->entries = entries;
    shared->entry_count = count;
}

static void begin_new(PsScriptShared *shared) {
    if (shared->entry_count > 0 && shared->spawner.handles == 0) {
        ps_script_spawner_start(&shared->spawner);
    }
    for (uint32_t i = 0; i < shared->entry_count; i++) {
        if (shared->entries[i]->generation == 0) {
            ps_script_entry_launch(shared->entries[i]);
        }
    }
    ps_script_draft_next(shared);
}

// What is the same for all messages.
static void exchange(PsScriptShared *shared, const PsConfig *config) {
    shared->setup.config = config;
    ps_script_groups_apply(&shared->groups, config);
    ps_script_writes_forget_names(&shared->writes);
    ps_script_requests_forget_config(&shared->requests);
}

void ps_script_host_apply(PsScriptHost *host, const PsConfig *config, const PsConfigMap *map,
                          PsBuf *anew) {
    PsScriptShared *shared = ps_script_host_shared(host);
    const PsConfig *former = shared->setup.config;
    if (shared->stopping) {
        PS_ASSERT(former->publish_count == config->publish_count &&
                  former->subscribe_count == config->subscribe_count);
        exchange(shared, config);
        return;
    }
    uint32_t left_before = shared->leaving_count;
    dismiss_removed(shared, map);
    exchange(shared, config);
    arrange(shared, former, map, anew);
    for (uint32_t i = shared->leaving_count; i > left_before; i--) {
        end_process(shared->leaving[i - 1]); // may take it off the list
    }
    if (shared->started) {
        begin_new(shared);
    }
    for (uint32_t i = 0; i < shared->entry_count; i++) {
        if (shared->entries[i]->state == PS_WORKER_RUNNING) {
            ps_script_entry_next(shared->entries[i]); // samples may have been released
        }
    }
}
