// The store thread. It alone touches the database once it runs, and it may block on the disk.
#include "outbox/store.h"

#include "base/mailbox.h"
#include "base/mem.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

// One write, one fetch of each class and of dead letters, one stop: never full.
#define QUEUE_LENGTH (PS_OUTBOX_CLASS_COUNT + 4)
#define IDLE_NS (3600 * PS_NS_PER_S)

struct PsStore {
    PsDb *db; // NULL while there is none
    const char *path;
    PsMailbox *commands;
    PsMailbox *answers;
    pthread_t thread;
};

PsStoreCommand *ps_store_fetch_new(PsOutboxClass class, PsRowKey from, size_t limit,
                                   size_t limit_bytes) {
    PsStoreCommand *command = ps_alloc(sizeof *command);
    command->kind = PS_STORE_FETCH;
    command->class = class;
    command->from = from;
    command->limit = limit;
    command->limit_bytes = limit_bytes;
    command->fetched.rows = ps_alloc_array(limit, sizeof(PsRow *));
    command->fetched.numbers = ps_alloc_array(limit, sizeof(int64_t));
    return command;
}

void ps_store_command_free(PsStoreCommand *command) {
    if (command == NULL) {
        return;
    }
    free(command->batch.rows);
    free(command->batch.numbers);
    free(command->batch.deletes);
    free(command->batch.books);
    for (size_t i = 0; i < command->batch.name_count; i++) {
        free(command->batch.names[i].text);
    }
    free(command->batch.names);
    free(command->kept);
    ps_dead_ops_clear(&command->dead);
    ps_dead_found_deinit(&command->found);
    ps_contents_deinit(&command->contents);
    free(command->held);
    free(command->fetched.rows);
    free(command->fetched.numbers);
    ps_damaged_rows_deinit(&command->fetched.damaged);
    free(command);
}

static void attach(PsStore *store, PsStoreCommand *command) {
    ps_db_abandon(store->db);
    store->db = NULL;
    PsHeldRows held = {command->held, command->held_count};
    command->result = ps_contents_open(store->path, command->damaged, held, &store->db,
                                       &command->contents, &command->diag);
}

static void serve(PsStore *store, PsStoreCommand *command) {
    if (command->kind == PS_STORE_ATTACH) {
        attach(store, command);
    } else if (store->db == NULL) {
        command->result = PS_ERR_IO;
    } else if (command->kind == PS_STORE_SHIFT) {
        command->result = ps_era_db_shift(store->db, &command->shift);
    } else if (command->kind == PS_STORE_WRITE) {
        command->result = ps_db_write(store->db, &command->batch);
        command->room = ps_room_db_look(store->db);
    } else if (command->kind == PS_STORE_FETCH_DEAD) {
        command->result =
            ps_dead_db_fetch(store->db, &command->query, command->name, &command->found);
    } else {
        command->result = ps_db_fetch(store->db, command->class, command->from, command->limit,
                                      command->limit_bytes, &command->fetched);
    }
    if (store->db != NULL) {
        command->disk = *ps_db_disk_use(store->db);
        command->written_bytes = ps_db_written_bytes(store->db);
    }
}

static void *run(void *argument) {
    PsStore *store = argument;
    for (;;) {
        PsMono deadline = ps_mono_add_ns(ps_mono_now(), IDLE_NS);
        PsStoreCommand *command = ps_mailbox_wait(store->commands, deadline);
        if (command == NULL) {
            continue;
        }
        if (command->kind == PS_STORE_STOP) {
            ps_store_command_free(command);
            return NULL;
        }
        serve(store, command);
        PsErr err = ps_mailbox_put(store->answers, command);
        PS_ASSERT(err == PS_OK);
    }
}

PsErr ps_store_start(PsDb *db, const char *path, void (*wake)(void *ctx), void *ctx,
                     PsStore **ret_store) {
    PsStore *store = ps_alloc(sizeof *store);
    store->db = db;
    store->path = path;
    store->commands = ps_mailbox_new(QUEUE_LENGTH, NULL, NULL);
    store->answers = ps_mailbox_new(QUEUE_LENGTH, wake, ctx);
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&store->thread, NULL, run, store);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0) {
        ps_mailbox_free(store->commands);
        ps_mailbox_free(store->answers);
        free(store);
        return PS_ERR_IO;
    }
    *ret_store = store;
    return PS_OK;
}

void ps_store_put(PsStore *store, PsStoreCommand *command) {
    PsErr err = ps_mailbox_put(store->commands, command);
    PS_ASSERT(err == PS_OK);
}

PsStoreCommand *ps_store_take(PsStore *store) {
    return ps_mailbox_take(store->answers);
}

PsStoreCommand *ps_store_wait(PsStore *store, PsMono deadline) {
    return ps_mailbox_wait(store->answers, deadline);
}

void ps_store_stop(PsStore *store) {
    PsStoreCommand *command = ps_alloc(sizeof *command);
    command->kind = PS_STORE_STOP;
    ps_store_put(store, command);
    pthread_join(store->thread, NULL);
    ps_mailbox_free(store->commands);
    ps_mailbox_free(store->answers);
    ps_db_close(store->db);
    free(store);
}
