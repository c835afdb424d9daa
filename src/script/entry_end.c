// How a worker process ends, by itself, by a limit or because it is asked to, and what follows:
// wait and start again, hold, start the saved script, stop. A process counts as ended when
// penstock-script has reaped it and its streams are read to their end, so that the last words stand
// in the log before the obituary. Loop thread.
#include "script/draft.h"
#include "script/entry.h"

#include "base/log.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define DUMP_S 0.1
// Normally the streams are at their end at once; a program the script started may hold them open.
#define DRAIN_S 0.2
#define QUIT_S 2.0
#define RESTART_MAX_S 60.0
// A process that lived this long starts the delays from the beginning.
#define STEADY_S 60.0

// --- ending -------------------------------------------------------------------------------------

void ps_script_entry_doom(PsScriptEntry *entry, bool dump, const char *fmt, ...) {
    if (entry->doomed || entry->streams == NULL) {
        return;
    }
    entry->doomed = true;
    va_list args;
    va_start(args, fmt);
    vsnprintf(entry->doom, sizeof entry->doom, fmt, args);
    va_end(args);
    ps_script_spawner_kill(&entry->shared->spawner, entry->slot, entry->generation,
                           dump ? SIGUSR2 : SIGKILL);
    ps_script_entry_set_timer(entry, PS_ENTRY_TIMER_DUMP, dump ? DUMP_S : PS_ENTRY_KILL_AGAIN_S);
}

void ps_script_entry_over_limit(PsScriptEntry *entry, PsWireLimit limit) {
    char text[120];
    ps_script_entry_doom(entry, true, "%s",
                         ps_script_limit_text(&entry->limits, limit, text, sizeof text));
}

void ps_script_entry_exited(PsScriptEntry *entry, int wait_status) {
    if (entry->streams == NULL || entry->exited) {
        return;
    }
    entry->exited = true;
    entry->wait_status = wait_status;
    if (entry->ended) {
        ps_script_entry_bury(entry);
    } else {
        ps_script_entry_set_timer(entry, PS_ENTRY_TIMER_DRAIN, DRAIN_S);
    }
}

static void describe_end(const PsScriptEntry *entry, char *out, size_t size) {
    int status = entry->wait_status;
    if (entry->doom[0] != '\0') {
        snprintf(out, size, "%s%s",
                 entry->doomed ? "worker killed: " : "worker not started: ", entry->doom);
    } else if (status == PS_STATUS_UNKNOWN) {
        snprintf(out, size, "worker ended together with penstock-script");
    } else if (WIFSIGNALED(status)) {
        snprintf(out, size, "worker ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    } else {
        snprintf(out, size, "worker ended by itself with status %d (os._exit?)",
                 WEXITSTATUS(status));
    }
    if (entry->dump_line != 0) {
        size_t len = strlen(out);
        snprintf(out + len, size - len, ", at <string> %u", entry->dump_line);
    }
}

// Whether the end says something against the script: not when the system had no process for it, and
// not when penstock-script took it along.
static bool is_to_blame(const PsScriptEntry *entry) {
    return entry->doomed || entry->wait_status != PS_STATUS_UNKNOWN;
}

static double next_delay_s(PsScriptEntry *entry) {
    PsMono now = ps_mono_now();
    if (ps_mono_diff_ns(now, entry->started) > ps_seconds_to_ns(STEADY_S)) {
        entry->crashes = 0;
    }
    uint32_t first_ms = entry->shared->setup.restart_min_ms;
    double delay = (first_ms != 0 ? first_ms / 1000.0 : 1.0) * (double)(1U << entry->crashes);
    entry->crashes += is_to_blame(entry);
    return delay < RESTART_MAX_S ? delay : RESTART_MAX_S;
}

// Its worker went down with penstock-script, so the script is not to blame: it gets the input
// again, unless it has already acted on it.
static bool keep_input(PsScriptEntry *entry) {
    return entry->wait_status == PS_STATUS_UNKNOWN && !entry->doomed && !entry->acted &&
           entry->current.replay == 0 && entry->current.type != PS_WIRE_REPLY &&
           ps_script_inputs_put_back(&entry->inputs, &entry->current);
}

static void count_lost_call(PsScriptEntry *entry) {
    if (entry->in_call) {
        entry->in_call = false;
        if (keep_input(entry)) {
            return;
        }
        entry->calls++;
        entry->errors++;
        char reason[320];
        describe_end(entry, reason, sizeof reason);
        ps_script_entry_lose_input(entry, reason);
    }
}

void ps_script_entry_tell_hidden_lines(PsScriptEntry *entry) {
    if (entry->lines.hidden > 0) {
        PS_LOGW("SCRIPT-LINES", "%s: %u more lines of this call were not logged", entry->name,
                entry->lines.hidden);
        entry->lines.hidden = 0;
    }
}

static void stay_held(PsScriptEntry *entry) {
    entry->state = PS_WORKER_HELD;
    ps_script_entry_give_up_waiting(entry, entry->held);
    ps_script_entry_note_error(entry, entry->held, strlen(entry->held));
    if (entry->shared->setup.on_rest == NULL) {
        PS_LOGE("SCRIPT-HELD",
                "%s '%s': held: %s. Correct and save its script, or let it try again with "
                "'penstock script release %s'",
                ps_script_kind_name(entry->kind), entry->name, entry->held, entry->name);
    }
    ps_script_entry_rest(entry, entry->held);
}

static void mourn(PsScriptEntry *entry) {
    char reason[320];
    describe_end(entry, reason, sizeof reason);
    ps_script_entry_note_error(entry, reason, strlen(reason));
    double delay = next_delay_s(entry);
    if (entry->crashes >= PS_SCRIPT_HOLD_AFTER) {
        snprintf(entry->held, sizeof entry->held, "it ended %u times in a row, at last: %.180s",
                 entry->crashes, reason);
        stay_held(entry);
        return;
    }
    entry->state = PS_WORKER_CRASHED;
    if (entry->shared->setup.on_rest == NULL) {
        PS_LOGE("SCRIPT-ENDED", "%s '%s': %s; it starts again in %g s, %u inputs wait",
                ps_script_kind_name(entry->kind), entry->name, reason, delay,
                ps_script_entry_waiting(entry));
    }
    ps_script_entry_set_timer(entry, PS_ENTRY_TIMER_RESTART, delay);
    ps_script_entry_rest(entry, reason);
}

static void be_stopped(PsScriptEntry *entry) {
    entry->state = PS_WORKER_STOPPED;
    ps_script_entry_give_up_waiting(entry, PS_ENTRY_WAS_STOPPED);
    entry->shared->on_idle(entry->shared);
}

void ps_script_entry_bury(PsScriptEntry *entry) {
    if (entry->streams != NULL) {
        ps_script_streams_close(entry->streams);
        entry->streams = NULL;
    }
    ps_script_entry_set_timer(entry, PS_ENTRY_TIMER_NONE, 0);
    entry->pid = 0;
    ps_script_entry_clear_replies(entry);
    entry->finishes = false;
    count_lost_call(entry);
    ps_script_entry_tell_hidden_lines(entry);
    if (entry->draft != NULL) {
        char reason[320];
        describe_end(entry, reason, sizeof reason);
        entry->state = PS_WORKER_STOPPED;
        ps_script_draft_ended(entry, entry->held[0] != '\0' ? entry->held : reason);
    } else if (entry->leaving) {
        entry->state = PS_WORKER_STOPPED;
        ps_script_entry_left(entry);
    } else if (entry->shared->stopping) {
        be_stopped(entry);
    } else if (entry->rebuild) {
        ps_script_entry_restart(entry);
    } else if (entry->held[0] != '\0') {
        stay_held(entry);
    } else {
        mourn(entry);
    }
}

void ps_script_entry_hold(PsScriptEntry *entry, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    vsnprintf(entry->held, sizeof entry->held, fmt, args);
    va_end(args);
    entry->state = PS_WORKER_STOPPING;
    ps_script_entry_doom(entry, false, "%s", "its module cannot be built");
}

void ps_script_entry_restart(PsScriptEntry *entry) {
    PS_ASSERT(entry->streams == NULL);
    entry->rebuild = false;
    entry->crashes = 0;
    entry->held[0] = '\0';
    entry->last_error[0] = '\0';
    entry->state = PS_WORKER_STOPPED;
    ps_script_entry_set_timer(entry, PS_ENTRY_TIMER_NONE, 0);
    ps_script_entry_launch(entry);
}

void ps_script_entry_replace(PsScriptEntry *entry, PsScriptEntry *draft) {
    PsBuf source = entry->source;
    entry->source = draft->source;
    draft->source = source;
    char *main_function = entry->main_function;
    entry->main_function = draft->main_function;
    draft->main_function = main_function;
    entry->limits = draft->limits;
    entry->group_type = draft->group_type;
    if (entry->streams == NULL) {
        ps_script_entry_restart(entry);
        return;
    }
    entry->rebuild = true;
    if (!entry->doomed) {
        ps_script_entry_stop(entry);
    }
}

void ps_script_entry_quit(PsScriptEntry *entry) {
    entry->finishes = false;
    PS_AUTO_BUF PsBuf frame = {0};
    ps_wire_put(&frame, PS_WIRE_QUIT, NULL, 0);
    ps_script_streams_send(entry->streams, &frame, NULL);
    ps_script_entry_set_timer(entry, PS_ENTRY_TIMER_QUIT, QUIT_S);
}

void ps_script_entry_stop(PsScriptEntry *entry) {
    if (entry->shared->stopping) {
        ps_script_samples_release_all(&entry->samples); // as other inputs
    }
    if (entry->streams == NULL) {
        ps_script_entry_set_timer(entry, PS_ENTRY_TIMER_NONE, 0);
        be_stopped(entry);
        return;
    }
    entry->finishes = entry->state == PS_WORKER_RUNNING && entry->shared->stopping &&
                      entry->shared->setup.on_dead != NULL;
    entry->state = PS_WORKER_STOPPING;
    ps_script_entry_next(entry);
}
