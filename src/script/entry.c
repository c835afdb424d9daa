// The beginning of an entry and of each of its worker processes: launch, streams, build, time
// limits. How they end is entry_end.c's. Loop thread.
#include "script/entry.h"
#include "script/draft.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BUILD_LIMIT_MIN_S 10.0

static void on_frame(const PsWireFrame *frame, void *ctx) {
    PsScriptEntry *entry = ctx;
    if (!entry->doomed) {
        ps_script_entry_take_frame(entry, frame);
    }
}

// Python's dump of a hung or crashed interpreter: the first line of it that is in the script.
static unsigned line_in_dump(const char *line, size_t len) {
    static const char mark[] = "File \"<string>\", line ";
    const char *at = memmem(line, len, mark, sizeof mark - 1);
    unsigned number = 0;
    if (at != NULL) {
        for (at += sizeof mark - 1; at < line + len && *at >= '0' && *at <= '9'; at++) {
            number = number * 10 + (unsigned)(*at - '0');
        }
    }
    return number;
}

static void on_error_line(const char *line, size_t len, void *ctx) {
    PsScriptEntry *entry = ctx;
    if (entry->dump_line == 0) {
        entry->dump_line = line_in_dump(line, len);
    }
    ps_script_entry_note_words(entry, line, len);
    PS_LOGW("SCRIPT-STDERR", "%s: %.*s", entry->name, (int)len, line);
}

static void on_broken(PsErr err, void *ctx) {
    PsScriptEntry *entry = ctx;
    ps_script_entry_doom(entry, false, "it sent an unreadable frame (%s)", ps_err_name(err));
}

static void on_ended(void *ctx) {
    PsScriptEntry *entry = ctx;
    entry->ended = true;
    if (entry->exited) {
        ps_script_entry_bury(entry);
    } else {
        // Without its socket a process is of no use, whatever it still does.
        ps_script_spawner_kill(&entry->shared->spawner, entry->slot, entry->generation, SIGKILL);
    }
}

static void handle_added(PsScriptEntry *entry) {
    entry->shared->handles++;
    entry->handles++;
}

static void handle_gone(PsScriptEntry *entry) {
    PsScriptShared *shared = entry->shared;
    shared->handles--;
    if (--entry->handles == 0 && (entry->draft != NULL || entry->leaving)) {
        ps_script_entry_free(entry);
    }
    shared->on_idle(shared);
}

static void on_streams_closed(void *ctx) {
    handle_gone(ctx);
}

static const PsScriptStreamsEvents stream_events = {
    .frame = on_frame,
    .error_line = on_error_line,
    .broken = on_broken,
    .ended = on_ended,
    .closed = on_streams_closed,
};

PsScriptEntry *ps_script_entry_new(PsScriptShared *shared, PsScriptKind kind, uint32_t index) {
    PsScriptEntry *entry = ps_alloc(sizeof *entry);
    *entry = (PsScriptEntry){.shared = shared,
                             .kind = kind,
                             .slot = shared->next_slot++,
                             .inputs.most = PS_SCRIPT_QUEUE_INPUTS,
                             .sequence = 1};
    ps_script_entry_configure(entry, index);
    ps_script_entry_adopt(entry);
    return entry;
}

void ps_script_entry_clear_replies(PsScriptEntry *entry) {
    while (entry->replies != NULL) {
        PsScriptReply *reply = entry->replies;
        entry->replies = reply->next;
        ps_script_names_drop(reply->names);
        ps_buf_deinit(&reply->frame);
        free(reply);
    }
}

void ps_script_entry_free(PsScriptEntry *entry) {
    ps_script_entry_clear_replies(entry);
    ps_script_inputs_deinit(&entry->inputs);
    ps_script_samples_deinit(&entry->samples);
    ps_script_input_deinit(&entry->current);
    ps_buf_deinit(&entry->words);
    ps_script_input_deinit(&entry->replay);
    ps_script_told_clear(&entry->told);
    ps_buf_deinit(&entry->source);
    ps_buf_deinit(&entry->waiting);
    free(entry->draft);
    free(entry->name);
    free(entry->topic);
    free(entry->main_function);
    free(entry);
}

void ps_script_entry_open(PsScriptEntry *entry) {
    uv_timer_init(entry->shared->setup.loop, &entry->timer);
    entry->timer.data = entry;
    handle_added(entry);
}

static void on_timer_closed(uv_handle_t *handle) {
    handle_gone(handle->data);
}

void ps_script_entry_close(PsScriptEntry *entry) {
    uv_close((uv_handle_t *)&entry->timer, on_timer_closed);
}

void ps_script_entry_note_error(PsScriptEntry *entry, const char *text, size_t len) {
    ps_text_format(entry->last_error, sizeof entry->last_error, "%.*s", (int)len, text);
}

// --- the timer ----------------------------------------------------------------------------------

static void on_timer(uv_timer_t *timer) {
    PsScriptEntry *entry = timer->data;
    PsScriptSpawner *spawner = &entry->shared->spawner;
    PsEntryTimer use = entry->timer_use;
    entry->timer_use = PS_ENTRY_TIMER_NONE;
    switch (use) {
    case PS_ENTRY_TIMER_NONE:
        break;
    case PS_ENTRY_TIMER_BUILD:
        ps_script_entry_doom(entry, true, "the module was not built in time");
        break;
    case PS_ENTRY_TIMER_CALL:
        ps_script_entry_doom(entry, true, "the call did not end within %g s", entry->timeout_s);
        break;
    case PS_ENTRY_TIMER_DUMP:
        ps_script_spawner_kill(spawner, entry->slot, entry->generation, SIGKILL);
        ps_script_entry_set_timer(entry, PS_ENTRY_TIMER_DUMP, PS_ENTRY_KILL_AGAIN_S);
        break;
    case PS_ENTRY_TIMER_DRAIN:
        ps_script_entry_bury(entry);
        break;
    case PS_ENTRY_TIMER_QUIT:
        ps_script_entry_doom(entry, true, "it did not end when asked to");
        break;
    case PS_ENTRY_TIMER_RESTART:
        ps_script_entry_launch(entry);
        break;
    }
}

void ps_script_entry_set_timer(PsScriptEntry *entry, PsEntryTimer use, double seconds) {
    entry->timer_use = use;
    entry->paused_ms = 0;
    if (use == PS_ENTRY_TIMER_NONE) {
        uv_timer_stop(&entry->timer);
        return;
    }
    uv_timer_start(&entry->timer, on_timer, (uint64_t)(seconds * 1000 + 0.5), 0);
}

void ps_script_entry_pause_call(PsScriptEntry *entry) {
    if (entry->timer_use == PS_ENTRY_TIMER_CALL && entry->paused_ms == 0) {
        entry->paused_ms = uv_timer_get_due_in(&entry->timer) + 1; // never 0
        uv_timer_stop(&entry->timer);
    }
}

void ps_script_entry_resume_call(PsScriptEntry *entry) {
    if (entry->paused_ms != 0) {
        uv_timer_start(&entry->timer, on_timer, entry->paused_ms, 0);
        entry->paused_ms = 0;
    }
}

// --- beginning ----------------------------------------------------------------------------------

static void reset_process(PsScriptEntry *entry) {
    entry->pid = 0;
    entry->exited = false;
    entry->ended = false;
    entry->wait_status = PS_STATUS_UNKNOWN;
    entry->doomed = false;
    entry->doom[0] = '\0';
    entry->dump_line = 0;
    entry->sequence_sent = 0;
    entry->open_writes = 0;
    entry->silent_writes = 0;
    entry->in_call = false;
    entry->asks = false;
    entry->published = false;
    entry->settling = false;
    entry->saving = false;
    entry->lines = (PsScriptLines){0};
    entry->frames = 0;
    ps_script_entry_clear_replies(entry);
    ps_script_told_clear(&entry->told);
}

static PsErr order_process(PsScriptEntry *entry) {
    PsScriptShared *shared = entry->shared;
    int fds[2];
    PsErr err =
        ps_script_streams_new(shared->setup.loop, &stream_events, entry, &entry->streams, fds);
    if (err != PS_OK) {
        snprintf(entry->doom, sizeof entry->doom, "no socket for it: %s", strerror(errno));
        return err;
    }
    handle_added(entry);
    PsWireFork order = {.slot = entry->slot, .generation = entry->generation};
    ps_script_limits_put(&entry->limits, &order);
    err = ps_script_spawner_fork(&shared->spawner, order, fds);
    close(fds[0]);
    close(fds[1]);
    if (err != PS_OK) {
        snprintf(entry->doom, sizeof entry->doom, "penstock-script takes no order (%s)",
                 ps_err_name(err));
    }
    return err;
}

void ps_script_entry_launch(PsScriptEntry *entry) {
    bool may = entry->state == PS_WORKER_CRASHED || entry->state == PS_WORKER_STOPPED;
    if (!may || entry->shared->stopping || !entry->shared->spawner.ready) {
        return; // not ready: penstock-script calls again once it is
    }
    entry->generation++;
    entry->restarts += entry->generation > 1;
    reset_process(entry);
    entry->state = PS_WORKER_STARTING;
    entry->started = ps_mono_now();
    if (order_process(entry) != PS_OK) {
        ps_script_entry_bury(entry);
        return;
    }
    PS_AUTO_BUF PsBuf build = {0};
    ps_script_entry_put_build(entry, &build);
    ps_script_streams_send(entry->streams, &build, NULL);
    double limit = entry->timeout_s > BUILD_LIMIT_MIN_S ? entry->timeout_s : BUILD_LIMIT_MIN_S;
    ps_script_entry_set_timer(entry, PS_ENTRY_TIMER_BUILD, limit);
}

void ps_script_entry_forked(PsScriptEntry *entry, int pid) {
    entry->pid = pid;
}

void ps_script_entry_fork_failed(PsScriptEntry *entry, int error) {
    snprintf(entry->doom, sizeof entry->doom, "no process for it: %s", strerror(error));
    ps_script_entry_bury(entry);
}

void ps_script_entry_built(PsScriptEntry *entry, bool ok, PsWireText error) {
    if (!ok) {
        ps_script_entry_hold(entry, "its module cannot be built: %.*s", (int)error.len, error.data);
    } else if (entry->draft != NULL) {
        entry->draft->built = true;
        entry->state = PS_WORKER_STOPPING;
    } else if (entry->state == PS_WORKER_STARTING) {
        entry->state = PS_WORKER_RUNNING;
        ps_script_entry_set_timer(entry, PS_ENTRY_TIMER_NONE, 0);
    }
}
