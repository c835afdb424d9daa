// The alarm journal on the main loop, and its thread, which alone touches the database while a task
// is under way. One task at a time: what is recorded meanwhile goes with the next commit.
#include "alarm/journal.h"

#include "alarm/journal_db.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "base/wake.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME "alarms.db"
#define EARLY_ROWS 200 // write before the time when so many wait
#define RETRY_NS (2 * PS_NS_PER_S)
#define PATIENCE_NS (3600 * PS_NS_PER_S) // then wait again

typedef struct Rows {
    PsJournalRow **items; // oldest first
    size_t count;
    size_t capacity;
    size_t bytes;
} Rows;

typedef struct Request {
    struct Request *next;
    PsJournalQuery query; // its name is this request's own
    PsJournalFound *found;
    void *ctx;
} Request;

typedef struct Task {
    enum {
        TASK_WRITE,
        TASK_FIND,
        TASK_STOP,
    } kind;
    PsErr result;
    Rows rows;      // to be written, or found
    uint64_t keep;  // write: entries on the disk
    uint64_t shift; // write: added to ids, since the database had more than was known
    PsJournalQuery query;
} Task;

struct PsJournal {
    PsJournalSetup setup;
    char *path;
    PsJournalDb *db; // NULL while it cannot be opened
    PsMailbox *tasks;
    PsMailbox *answers;
    pthread_t thread;
    PsWake wake;
    uv_timer_t timer;
    int open_handles;
    bool busy; // a task is under way
    Rows pending;
    PsMono pending_since;
    uint64_t next_id;
    Request *requests; // oldest first; the first may be under way
    bool failing;
    PsMono retry_at;
    uint64_t lost; // entries, while failing
};

static void work(PsJournal *journal);

// ---- rows

static void rows_put(Rows *rows, PsJournalRow *row) {
    if (rows->count == rows->capacity) {
        rows->capacity = rows->capacity > 0 ? rows->capacity * 2 : 16;
        rows->items = ps_grow_array(rows->items, rows->capacity, sizeof(PsJournalRow *));
    }
    rows->items[rows->count++] = row;
    rows->bytes += row->bytes;
}

static void rows_drop_oldest(Rows *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        rows->bytes -= rows->items[i]->bytes;
        free(rows->items[i]);
    }
    rows->count -= count;
    memmove(rows->items, rows->items + count, rows->count * sizeof(PsJournalRow *));
}

static void rows_deinit(Rows *rows) {
    for (size_t i = 0; i < rows->count; i++) {
        free(rows->items[i]);
    }
    free(rows->items);
    *rows = (Rows){0};
}

static void rows_shift(Rows *rows, uint64_t shift) {
    for (size_t i = 0; i < rows->count; i++) {
        rows->items[i]->entry.id += shift;
    }
}

// ---- the thread

static PsErr open_db(PsJournal *journal, uint64_t *ret_last_id, PsDiag *diag) {
    PsErr err = ps_journal_db_open(journal->path, &journal->db, ret_last_id, diag);
    if (err == PS_ERR_CORRUPT) {
        char aside[PATH_MAX];
        ps_file_set_aside(journal->path, aside, sizeof aside);
        PS_LOGE("ALARM-JOURNAL-DAMAGED",
                "alarms: %s is damaged (%s); it is kept as %s for recovery and a new history is "
                "begun",
                journal->path, diag->text, aside);
        err = ps_journal_db_open(journal->path, &journal->db, ret_last_id, diag);
    }
    return err;
}

static void serve_write(PsJournal *journal, Task *task) {
    if (journal->db == NULL) {
        uint64_t last_id = 0;
        PsDiag diag = {0};
        task->result = open_db(journal, &last_id, &diag);
        if (task->result != PS_OK) {
            return;
        }
        uint64_t first_id = task->rows.items[0]->entry.id;
        task->shift = last_id >= first_id ? last_id + 1 - first_id : 0;
        rows_shift(&task->rows, task->shift);
    }
    task->result = ps_journal_db_write(journal->db, task->rows.items, task->rows.count, task->keep);
    if (task->result == PS_ERR_CORRUPT) { // opening it again sets it aside
        ps_journal_db_close(journal->db);
        journal->db = NULL;
    }
}

static void serve_find(PsJournal *journal, Task *task) {
    if (journal->db != NULL) {
        task->rows.items = ps_alloc_array(PS_JOURNAL_FIND_MAX, sizeof(PsJournalRow *));
        task->result =
            ps_journal_db_find(journal->db, &task->query, task->rows.items, &task->rows.count);
    }
}

static void *run(void *argument) {
    PsJournal *journal = argument;
    for (;;) {
        Task *task = ps_mailbox_wait(journal->tasks, ps_mono_add_ns(ps_mono_now(), PATIENCE_NS));
        if (task == NULL) {
            continue;
        }
        if (task->kind == TASK_STOP) {
            free(task);
            return NULL;
        }
        (task->kind == TASK_WRITE ? serve_write : serve_find)(journal, task);
        PsErr err = ps_mailbox_put(journal->answers, task);
        PS_ASSERT(err == PS_OK); // one at a time
    }
}

static Task *task_new(int kind) {
    Task *task = ps_alloc(sizeof *task);
    task->kind = kind;
    return task;
}

static void give(PsJournal *journal, Task *task) {
    PsErr err = ps_mailbox_put(journal->tasks, task);
    PS_ASSERT(err == PS_OK);
}

// ---- asking the thread

static void begin_write(PsJournal *journal) {
    Task *task = task_new(TASK_WRITE);
    task->rows = journal->pending;
    task->keep = journal->setup.keep;
    journal->pending = (Rows){0};
    journal->busy = true;
    give(journal, task);
}

static void begin_find(PsJournal *journal) {
    Task *task = task_new(TASK_FIND);
    task->query = journal->requests->query;
    journal->busy = true;
    give(journal, task);
}

static void on_timer(uv_timer_t *timer) {
    work(timer->data);
}

static PsMono due_at(const PsJournal *journal) {
    // Half the promised time, so that the commit is done before the whole has passed.
    return journal->failing ? journal->retry_at
                            : ps_mono_add_ns(journal->pending_since,
                                             journal->setup.max_loss_s * PS_NS_PER_S / 2);
}

static void work(PsJournal *journal) {
    if (journal->busy) {
        return; // its answer comes back here
    }
    const Rows *pending = &journal->pending;
    PsMono now = ps_mono_now();
    PsMono due = due_at(journal);
    bool wanted = !journal->failing && (pending->count >= EARLY_ROWS || journal->requests != NULL);
    if (pending->count > 0 && (wanted || now.ns >= due.ns)) {
        begin_write(journal);
    } else if (journal->requests != NULL) {
        begin_find(journal);
    } else if (pending->count > 0) {
        uv_update_time(journal->setup.loop);
        uv_timer_start(&journal->timer, on_timer, (uint64_t)ps_mono_poll_ms(now, due), 0);
    }
}

// ---- its answers

static void set_failing(PsJournal *journal, PsErr result) {
    bool failing = result != PS_OK;
    journal->retry_at = ps_mono_add_ns(ps_mono_now(), RETRY_NS);
    if (failing && !journal->failing) {
        PS_LOGE("ALARM-JOURNAL-DISK",
                "alarms: the history %s cannot be written (%s); it is kept in memory and tried "
                "again; %s",
                journal->path, ps_err_name(result),
                result == PS_ERR_FULL          ? "make room on the disk"
                : result == PS_ERR_UNSUPPORTED ? "it is of a newer version: install that, or "
                                                 "move the file away"
                                               : "check the disk and the folder's owner and mode");
    } else if (!failing && journal->failing) {
        PS_LOGI("ALARM-JOURNAL-DISK-OK", "alarms: %s can be written again; %llu entries were lost",
                journal->path, (unsigned long long)journal->lost);
        journal->lost = 0;
    }
    journal->failing = failing;
}

static void enforce(PsJournal *journal) {
    Rows *pending = &journal->pending;
    size_t excess =
        pending->count > journal->setup.keep ? pending->count - (size_t)journal->setup.keep : 0;
    size_t bytes = pending->bytes;
    for (size_t i = 0; i < pending->count && bytes > PS_JOURNAL_MEMORY_BYTES; i++) {
        bytes -= pending->items[i]->bytes;
        excess = i + 1 > excess ? i + 1 : excess;
    }
    if (excess > 0) {
        rows_drop_oldest(pending, excess);
        journal->lost += journal->failing ? excess : 0; // otherwise they would go next
    }
}

static void write_done(PsJournal *journal, Task *task) {
    set_failing(journal, task->result);
    journal->next_id += task->shift;
    rows_shift(&journal->pending, task->shift);
    if (task->result == PS_OK) {
        return;
    }
    Rows later = journal->pending;
    journal->pending = task->rows;
    task->rows = (Rows){0};
    for (size_t i = 0; i < later.count; i++) {
        rows_put(&journal->pending, later.items[i]);
    }
    free(later.items);
    enforce(journal);
}

static void answer(PsJournal *journal, PsErr result, PsJournalRow *const *rows, size_t count) {
    Request *request = journal->requests;
    PS_ASSERT(request != NULL);
    journal->requests = request->next; // first: the answer may ask again
    request->found(result, rows, count, request->ctx);
    free((char *)(uintptr_t)request->query.name);
    free(request);
}

// What waits in memory is newer than all on the disk.
static void find_done(PsJournal *journal, Task *task) {
    PsJournalRow *rows[PS_JOURNAL_FIND_MAX];
    size_t count = 0;
    const Rows *pending = &journal->pending;
    for (size_t i = pending->count; i > 0 && count < PS_JOURNAL_FIND_MAX; i--) {
        const PsJournalEntry *entry = &pending->items[i - 1]->entry;
        bool before = task->query.before_id == 0 || entry->id < task->query.before_id;
        if (before && ps_journal_matches(&task->query, entry)) {
            rows[count++] = pending->items[i - 1];
        }
    }
    for (size_t i = 0; i < task->rows.count && count < PS_JOURNAL_FIND_MAX; i++) {
        rows[count++] = task->rows.items[i];
    }
    answer(journal, task->result, rows, count);
}

static void take_answer(PsJournal *journal, Task *task) {
    journal->busy = false;
    (task->kind == TASK_WRITE ? write_done : find_done)(journal, task);
    rows_deinit(&task->rows);
    free(task);
}

static void on_wake(PsWake *wake) {
    PsJournal *journal = wake->data;
    Task *task;
    while ((task = ps_mailbox_take(journal->answers)) != NULL) {
        take_answer(journal, task);
    }
    work(journal);
}

static void wake_main(void *ctx) {
    ps_wake_send(&((PsJournal *)ctx)->wake);
}

// ---- open and close

static void handle_closed(PsJournal *journal) {
    if (--journal->open_handles == 0) {
        free(journal);
    }
}

static void on_timer_closed(uv_handle_t *handle) {
    handle_closed(handle->data);
}

static void on_wake_closed(PsWake *wake) {
    handle_closed(wake->data);
}

static void free_parts(PsJournal *journal) {
    ps_journal_db_close(journal->db);
    ps_mailbox_free(journal->tasks);
    ps_mailbox_free(journal->answers);
    rows_deinit(&journal->pending);
    free(journal->path);
    ps_wake_close(&journal->wake, on_wake_closed);
    uv_close((uv_handle_t *)&journal->timer, on_timer_closed);
}

static bool start_thread(PsJournal *journal) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&journal->thread, NULL, run, journal);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed == 0;
}

PsErr ps_journal_open(const PsJournalSetup *setup, PsJournal **ret_journal, PsDiag *diag) {
    PsJournal *journal = ps_alloc(sizeof *journal);
    journal->setup = *setup;
    journal->timer.data = journal;
    if (ps_wake_init(&journal->wake, setup->loop, on_wake, journal) != PS_OK) {
        free(journal);
        return ps_fail(PS_ERR_IO, diag, "alarm history", NULL,
                       "no descriptor left; raise the limit of open files");
    }
    uv_timer_init(setup->loop, &journal->timer);
    journal->open_handles = 2;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", setup->folder, FILE_NAME);
    journal->path = ps_strdup(path);
    journal->tasks = ps_mailbox_new(2, NULL, NULL);
    journal->answers = ps_mailbox_new(2, wake_main, journal);
    PsDiag why = {0};
    uint64_t last_id = 0;
    PsErr err = open_db(journal, &last_id, &why);
    if (err != PS_OK) {
        set_failing(journal, err);
    }
    journal->next_id = last_id + 1;
    if (!start_thread(journal)) {
        free_parts(journal);
        return ps_fail(PS_ERR_IO, diag, "alarm history", NULL, "no thread for it");
    }
    *ret_journal = journal;
    return PS_OK;
}

static void wait_for_answer(PsJournal *journal) {
    while (journal->busy) {
        Task *task = ps_mailbox_wait(journal->answers, ps_mono_add_ns(ps_mono_now(), PATIENCE_NS));
        if (task != NULL) {
            take_answer(journal, task);
        }
    }
}

void ps_journal_close(PsJournal *journal) {
    if (journal == NULL) {
        return;
    }
    wait_for_answer(journal);
    while (journal->requests != NULL) {
        answer(journal, PS_ERR_CANCELLED, NULL, 0);
    }
    if (journal->pending.count > 0) {
        begin_write(journal);
        wait_for_answer(journal);
    }
    if (journal->pending.count + journal->lost > 0) {
        PS_LOGE("ALARM-JOURNAL-LOST",
                "alarms: %llu entries of the history could not be written to "
                "%s before the end",
                (unsigned long long)(journal->pending.count + journal->lost), journal->path);
    }
    give(journal, task_new(TASK_STOP));
    pthread_join(journal->thread, NULL);
    free_parts(journal);
}

// ---- what others do

void ps_journal_load_marks(PsJournal *journal, PsJournalMarked *marked, void *ctx) {
    PS_ASSERT(!journal->busy && journal->pending.count == 0);
    PsErr err = journal->db != NULL ? ps_journal_db_marks(journal->db, marked, ctx) : PS_OK;
    if (err != PS_OK) {
        PS_LOGE("ALARM-JOURNAL-MARKS",
                "alarms: who acknowledged and shelved what cannot be read from %s (%s); check the "
                "disk",
                journal->path, ps_err_name(err));
    }
}

void ps_journal_set_limits(PsJournal *journal, uint64_t keep, int max_loss_s) {
    journal->setup.keep = keep;
    journal->setup.max_loss_s = max_loss_s;
    enforce(journal);
    work(journal);
}

void ps_journal_put(PsJournal *journal, const PsJournalEntry *entry) {
    PsJournalRow *row = ps_journal_row_new(entry);
    row->entry.id = journal->next_id++;
    if (journal->pending.count == 0) {
        journal->pending_since = ps_mono_now();
    }
    rows_put(&journal->pending, row);
    enforce(journal);
    work(journal);
}

bool ps_journal_is_failing(const PsJournal *journal) {
    return journal->failing;
}

void ps_journal_find(PsJournal *journal, const PsJournalQuery *query, PsJournalFound *found,
                     void *ctx) {
    Request *request = ps_alloc(sizeof *request);
    *request = (Request){.query = *query, .found = found, .ctx = ctx};
    request->query.name = query->name != NULL ? ps_strdup(query->name) : NULL;
    Request **last = &journal->requests;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = request;
    work(journal);
}
