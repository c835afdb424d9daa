// Between the script host and the dead letters of the outbox. Owns the replay under way: which
// letters were fetched and which of them is being run. Main thread; never blocks.
#include "daemon/replay.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 32 // letters fetched at once

struct PsReplay {
    const PsConfig *config;
    PsOutbox *outbox;
    PsScriptHost *scripts;
    PsApiReplay status;
    char *name; // what `status` has for it
    bool stopping;
    // Of the replay under way.
    PsScriptKind kind;
    uint32_t entry;
    size_t message;
    bool keep_going;
    uint64_t before_id; // letters kept since it began have this id or a later one
    PsWall last_collected;
    uint64_t last_id;
    PsDeadLetter chunk[CHUNK]; // with copies
    size_t count;
    size_t at;
    bool stop_wanted;  // by a person
    bool in_script;    // a letter was handed over and has not come back
    uint64_t refused;  // the letter whose message the outbox did not take
    uint32_t failures; // in a row
};

PsReplay *ps_replay_new(const PsConfig *config, PsOutbox *outbox) {
    PsReplay *replay = ps_alloc(sizeof *replay);
    replay->config = config;
    replay->outbox = outbox;
    return replay;
}

static void free_borrowed(const void *bytes) {
    union {
        const void *in;
        void *out;
    } memory = {.in = bytes};
    free(memory.out);
}

static void drop_chunk(PsReplay *replay) {
    for (size_t i = 0; i < replay->count; i++) {
        free_borrowed(replay->chunk[i].input);
        free_borrowed(replay->chunk[i].schema);
    }
    replay->count = 0;
    replay->at = 0;
}

void ps_replay_free(PsReplay *replay) {
    if (replay != NULL) {
        drop_chunk(replay);
        free(replay->name);
        free(replay);
    }
}

// --- into the dead letters ----------------------------------------------------------------------

void ps_replay_keep(PsReplay *replay, const PsScriptDead *dead) {
    const PsScriptKept *kept = dead->kept;
    PsDeadLetter letter = {
        .message = ps_script_message_index(replay->config, dead->kind, dead->entry),
        .collected = kept->collected,
        .died = ps_wall_now(),
        .form = kept->form,
        .qos = kept->qos,
        .reason = dead->reason,
        .input = kept->input,
        .input_len = kept->input_len,
        .schema = kept->schema,
        .schema_len = kept->schema_len,
    };
    PsErr err = ps_outbox_dead_put(replay->outbox, &letter);
    const PsLedger *book = ps_outbox_ledger(replay->outbox, letter.message);
    if (err == PS_OK && book->dead == 1) {
        PS_LOGW("DEAD-LETTER",
                "%s '%s': inputs that its script does not finish are set aside; 'penstock outbox "
                "dead %s' lists them, 'penstock outbox replay %s' runs them again",
                ps_script_kind_name(dead->kind), book->name, book->name, book->name);
    } else if (err != PS_OK) {
        PS_LOGD("DEAD-REFUSED", "'%s': an input could not be set aside: %s", book->name,
                ps_err_name(err)); // counted in the ledger, and the cause has its own line
    }
}

// --- and back -----------------------------------------------------------------------------------

static void finish(PsReplay *replay, const char *fmt, ...) PS_PRINTF(2, 3);

static void finish(PsReplay *replay, const char *fmt, ...) {
    PsApiReplay *status = &replay->status;
    va_list args;
    va_start(args, fmt);
    vsnprintf(status->end, sizeof status->end, fmt, args);
    va_end(args);
    status->running = false;
    drop_chunk(replay);
    PS_LOGI("REPLAY-END", "'%s': %s; %llu run again, %llu of them failed again", status->name,
            status->end, (unsigned long long)(status->done + status->failed),
            (unsigned long long)status->failed);
}

static void on_letters(PsErr result, const PsDeadLetter *letters, size_t count, void *ctx);

static void fetch(PsReplay *replay) {
    drop_chunk(replay);
    PsDeadQuery query = {.message = replay->message,
                         .after_collected = replay->last_collected,
                         .after_id = replay->last_id,
                         .limit = CHUNK,
                         .whole = true};
    ps_outbox_dead_fetch(replay->outbox, &query, on_letters, replay);
}

static bool has_room(const PsReplay *replay) {
    uint64_t most = (uint64_t)replay->config->parameters.catch_recording;
    return ps_outbox_stats(replay->outbox).waiting < most - most / 10;
}

// False when the replay has ended with it.
static bool note_failure(PsReplay *replay, uint64_t id, const char *reason) {
    PsApiReplay *status = &replay->status;
    ps_outbox_dead_failed(replay->outbox, id, reason);
    status->failed++;
    snprintf(status->reason, sizeof status->reason, "%.*s", (int)strcspn(reason, "\n"), reason);
    if (status->running && ++replay->failures >= PS_REPLAY_FAILURES && !replay->keep_going) {
        finish(replay, "stopped after %d failures in a row, at last: %s", PS_REPLAY_FAILURES,
               status->reason);
        return false;
    }
    return true;
}

// A message that was set aside needs no script: it waits again, by its time. True when the next can
// be tried.
static bool send_again(PsReplay *replay, const PsDeadLetter *letter) {
    const char *topic = letter->input;
    size_t topic_len = strnlen(topic, letter->input_len);
    PsDiag diag = {0};
    PsErr err = PS_ERR_CORRUPT;
    if (topic_len < letter->input_len) {
        PsOutboxMessage message = {.message = replay->message,
                                   .collected = letter->collected,
                                   .topic = topic,
                                   .qos = letter->qos,
                                   .payload = topic + topic_len + 1,
                                   .len = letter->input_len - topic_len - 1};
        err = ps_outbox_accept(replay->outbox, &message, &diag);
    }
    if (err != PS_OK) {
        return note_failure(replay, letter->id, diag.text[0] != '\0' ? diag.text : "is damaged");
    }
    ps_outbox_dead_resolved(replay->outbox, letter->id);
    replay->status.done++;
    replay->failures = 0;
    return true;
}

// Gives the letter to the script. True when the next can be tried at once.
static bool try_letter(PsReplay *replay, const PsDeadLetter *letter) {
    if (!ps_outbox_dead_is_kept(replay->outbox, letter->id)) {
        return true; // it went for newer ones meanwhile
    }
    if (!has_room(replay)) {
        finish(replay, "stopped, because the outbox is nearly full: go on when the messages in it "
                       "have been delivered");
        return false;
    }
    if (letter->form == PS_DEAD_FORM_MESSAGE) {
        return send_again(replay, letter);
    }
    PsScriptKept kept = {.form = letter->form,
                         .qos = letter->qos,
                         .collected = letter->collected,
                         .input = letter->input,
                         .input_len = letter->input_len,
                         .schema = letter->schema,
                         .schema_len = letter->schema_len};
    PsDiag diag = {0};
    replay->in_script = true;
    PsErr err = ps_script_host_replay(replay->scripts, replay->kind, replay->entry, &kept,
                                      letter->id, &diag);
    replay->in_script = replay->in_script && err == PS_OK;
    if (err == PS_ERR_CLOSED || err == PS_ERR_BUSY) {
        finish(replay, "stopped, because it %s", diag.text);
        return false;
    }
    return err != PS_OK && note_failure(replay, letter->id, diag.text);
}

static bool is_over(PsReplay *replay) {
    if (replay->status.running && replay->stop_wanted) {
        finish(replay, "stopped on request; what was not run stays a dead letter");
    }
    return !replay->status.running;
}

static void run_on(PsReplay *replay) {
    while (replay->at < replay->count) {
        if (!try_letter(replay, &replay->chunk[replay->at])) {
            return; // it is being run, or that was the end
        }
        replay->at++;
    }
    fetch(replay);
}

static const void *copy_of(const void *bytes, size_t len) {
    if (bytes == NULL) {
        return NULL;
    }
    void *copy = ps_alloc(len + 1);
    memcpy(copy, bytes, len);
    return copy;
}

static void take_letters(PsReplay *replay, const PsDeadLetter *letters, size_t count) {
    for (size_t i = 0; i < count; i++) {
        replay->last_collected = letters[i].collected;
        replay->last_id = letters[i].id;
        if (letters[i].id >= replay->before_id) {
            continue;
        }
        PsDeadLetter *kept = &replay->chunk[replay->count++];
        *kept = letters[i];
        kept->reason = NULL;
        kept->input = copy_of(letters[i].input, letters[i].input_len);
        kept->schema = copy_of(letters[i].schema, letters[i].schema_len);
    }
}

static void on_letters(PsErr result, const PsDeadLetter *letters, size_t count, void *ctx) {
    PsReplay *replay = ctx;
    if (is_over(replay)) {
        return;
    }
    if (result != PS_OK) {
        finish(replay, "stopped: the dead letters cannot be read (%s)", ps_err_name(result));
    } else if (count == 0) {
        finish(replay, "done");
    } else {
        take_letters(replay, letters, count);
        run_on(replay);
    }
}

void ps_replay_refused(PsReplay *replay, uint64_t id) {
    replay->refused = id;
}

void ps_replay_ended(PsReplay *replay, uint64_t id, PsScriptReplayEnd end, const char *reason) {
    bool refused = replay->refused == id;
    replay->refused = 0;
    replay->in_script = false;
    bool goes_on = replay->status.running;
    if (end == PS_SCRIPT_REPLAYED && !refused) {
        ps_outbox_dead_resolved(replay->outbox, id);
        replay->status.done++;
        replay->failures = 0;
    } else if (end == PS_SCRIPT_REPLAY_NOT_RUN) {
        goes_on = false;
        if (!is_over(replay)) {
            finish(replay, "stopped before the rest was run: %.200s", reason);
        }
    } else {
        goes_on = note_failure(replay, id,
                               refused ? "the outbox did not take the message; the log says why "
                                         "(OUTBOX-REFUSED)"
                                       : reason) &&
                  goes_on;
    }
    if (goes_on && !is_over(replay)) {
        replay->at++;
        run_on(replay);
    }
}

// --- orders -------------------------------------------------------------------------------------

static bool find_message(PsReplay *replay, const char *name) {
    const PsConfig *config = replay->config;
    for (uint32_t i = 0; i < config->publish_count; i++) {
        if (strcmp(config->publish[i].name, name) == 0) {
            replay->kind = PS_SCRIPT_PUBLISH;
            replay->entry = i;
            return true;
        }
    }
    for (uint32_t i = 0; i < config->subscribe_count; i++) {
        if (strcmp(config->subscribe[i].name, name) == 0) {
            replay->kind = PS_SCRIPT_SUBSCRIBE;
            replay->entry = i;
            return true;
        }
    }
    return false;
}

static void set_name(PsReplay *replay, const char *name) {
    char *copy = ps_strdup(name);
    free(replay->name);
    replay->name = copy;
    replay->status.name = copy;
}

PsErr ps_replay_start(PsReplay *replay, const char *name, bool keep_going, PsDiag *diag) {
    if (replay->status.running) {
        return ps_fail(PS_ERR_BUSY, diag, name, NULL,
                       "has to wait: the dead letters of '%s' are being run; one at a time",
                       replay->status.name);
    }
    if (replay->stopping || replay->scripts == NULL) {
        return ps_fail(PS_ERR_CLOSED, diag, name, NULL, "%s",
                       replay->stopping ? "the gateway is stopping" : "no scripts run");
    }
    if (!find_message(replay, name)) {
        return ps_fail(PS_ERR_NOT_FOUND, diag, name, NULL,
                       "there is no message of this name in the configuration; 'penstock outbox' "
                       "lists all");
    }
    replay->message = ps_script_message_index(replay->config, replay->kind, replay->entry);
    replay->keep_going = keep_going;
    replay->before_id = ps_outbox_dead_next_id(replay->outbox);
    replay->last_collected = (PsWall){INT64_MIN};
    replay->last_id = 0;
    replay->failures = 0;
    replay->refused = 0;
    replay->stop_wanted = false;
    const PsLedger *book = ps_outbox_ledger(replay->outbox, replay->message);
    set_name(replay, name);
    replay->status = (PsApiReplay){.name = replay->name, .running = true, .total = book->dead};
    PS_LOGI("REPLAY-BEGIN", "'%s': %llu dead letters are run again", name,
            (unsigned long long)book->dead);
    fetch(replay);
    return PS_OK;
}

const PsApiReplay *ps_replay_status(const PsReplay *replay) {
    return &replay->status;
}

PsErr ps_replay_stop(PsReplay *replay, PsDiag *diag) {
    if (!replay->status.running) {
        return ps_fail(PS_ERR_NOT_FOUND, diag, "replay", NULL,
                       "no dead letters are being run; there is nothing to stop");
    }
    replay->stop_wanted = true;
    PS_LOGI("REPLAY-STOP", "'%s': no more dead letters are run, on request", replay->status.name);
    if (replay->in_script) {
        ps_script_host_cancel_replay(replay->scripts, replay->kind, replay->entry);
    }
    return PS_OK;
}

void ps_replay_set_scripts(PsReplay *replay, PsScriptHost *scripts) {
    replay->scripts = scripts;
    if (scripts == NULL && replay->status.running) {
        finish(replay, "stopped, because the cloud service was switched off");
    }
}

void ps_replay_apply(PsReplay *replay, const PsConfig *config, const PsConfigMap *map) {
    replay->config = config;
    if (!replay->status.running) {
        return;
    }
    bool publish = replay->kind == PS_SCRIPT_PUBLISH;
    uint32_t entry = ps_index_to_new(publish ? &map->publish : &map->subscribe, replay->entry);
    if (entry == PS_NOT_THERE) {
        finish(replay, "stopped, because the message is no longer in the configuration");
        return;
    }
    replay->entry = entry;
    replay->message = ps_script_message_index(config, replay->kind, entry);
    set_name(replay, ps_outbox_ledger(replay->outbox, replay->message)->name);
}

void ps_replay_close(PsReplay *replay) {
    if (replay == NULL) {
        return;
    }
    replay->stopping = true;
    if (replay->status.running) {
        finish(replay, "stopped with the gateway");
    }
}
