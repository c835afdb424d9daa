// One list of endpoints, and its way to the disk: a change starts a timer, the timer a worker with
// a copy of the list. A disk that refuses is told once and tried again with the next change. Main
// thread, except `work`.
#include "collect/learned_store.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WRITE_MS 5000

struct PsLearnedStore {
    PsLearnedEntry *entries;
    uint32_t count;
    char path[PATH_MAX]; // "": nothing is kept
    uv_timer_t timer;
    uv_work_t request;
    bool changed;
    bool busy; // a worker has the copy
    bool told; // that it cannot be written
    bool closing;
    void (*closed)(void *ctx);
    void *ctx;

    // The worker's while `busy`.
    PsLearnedEntry *copies;
    uint32_t copy_count;
    PsErr result;
    PsDiag diag;
};

static PsLearnedEntry *find(const PsLearnedStore *store, const char *endpoint) {
    for (uint32_t i = 0; i < store->count; i++) {
        if (strcmp(store->entries[i].endpoint, endpoint) == 0) {
            return &store->entries[i];
        }
    }
    return NULL;
}

static void read_file(PsLearnedStore *store) {
    PS_AUTO_BUF PsBuf bytes = {0};
    PsDiag diag = {0};
    PsErr err = ps_file_read(store->path, PS_LEARNED_FILE_BYTES_MAX, &bytes, &diag);
    if (err == PS_ERR_NOT_FOUND) {
        return;
    }
    if (err == PS_OK) {
        err = ps_learned_file_read(bytes.data, bytes.len, ps_mono_now(), ps_wall_now(),
                                   &store->entries, &store->count, &diag);
    }
    if (err == PS_OK) {
        return;
    }
    char text[600];
    ps_diag_format(&diag, text, sizeof text);
    char aside[PATH_MAX] = "";
    if (err == PS_ERR_CORRUPT || err == PS_ERR_TOO_BIG) {
        ps_file_set_aside(store->path, aside, sizeof aside);
    }
    PS_LOGW("LEARNED-DAMAGED",
            "what devices do not have is found out anew: %s cannot be used: %s%s%s", store->path,
            text, aside[0] != '\0' ? "; it is kept as " : "", aside);
}

PsLearnedStore *ps_learned_store_new(const char *state) {
    PsLearnedStore *store = ps_alloc(sizeof *store);
    char folder[PATH_MAX];
    PsDiag diag = {0};
    if (state == NULL ||
        (size_t)snprintf(folder, sizeof folder, "%s/drivers", state) + 32 > sizeof folder) {
        return store;
    }
    if (ps_dir_make(folder, 0700, &diag) != PS_OK) {
        PS_LOGW("LEARNED-DISK", "what devices have taught is not kept: %s", diag.text);
        return store;
    }
    snprintf(store->path, sizeof store->path, "%.*s/learned.json", PATH_MAX - 32, folder);
    read_file(store);
    return store;
}

void ps_learned_store_free(PsLearnedStore *store) {
    if (store != NULL) {
        ps_learned_entries_free(store->entries, store->count);
        free(store);
    }
}

void ps_learned_store_start(PsLearnedStore *store, uv_loop_t *loop) {
    uv_timer_init(loop, &store->timer);
    store->timer.data = store;
    store->request.data = store;
}

PsLearned *ps_learned_store_take(const PsLearnedStore *store, const char *endpoint) {
    return ps_learned_dup(ps_learned_store_find(store, endpoint));
}

const PsLearned *ps_learned_store_find(const PsLearnedStore *store, const char *endpoint) {
    const PsLearnedEntry *entry = find(store, endpoint);
    return entry != NULL ? entry->learned : NULL;
}

static void work(uv_work_t *request) {
    PsLearnedStore *store = request->data;
    char *text =
        ps_learned_file_write(store->copies, store->copy_count, ps_mono_now(), ps_wall_now());
    store->result = ps_file_write(store->path, text, strlen(text), 0600, &store->diag);
    free(text);
    ps_learned_entries_free(store->copies, store->copy_count);
    store->copies = NULL;
}

static void go_on(PsLearnedStore *store);

static void on_worked(uv_work_t *request, int status) {
    PsLearnedStore *store = request->data;
    (void)status; // is never cancelled
    store->busy = false;
    if (store->result != PS_OK && !store->told) {
        PS_LOGW("LEARNED-DISK", "what devices have taught cannot be kept: %s", store->diag.text);
    }
    store->told = store->result != PS_OK;
    go_on(store);
}

static void start(PsLearnedStore *store) {
    store->busy = true;
    store->changed = false;
    store->copies = ps_alloc_array(store->count, sizeof *store->copies);
    store->copy_count = store->count;
    for (uint32_t i = 0; i < store->count; i++) {
        store->copies[i].endpoint = ps_strdup(store->entries[i].endpoint);
        store->copies[i].learned = ps_learned_dup(store->entries[i].learned);
    }
    int queued = uv_queue_work(store->timer.loop, &store->request, work, on_worked);
    PS_ASSERT(queued == 0); // only a missing callback is refused
}

static void on_closed(uv_handle_t *handle) {
    PsLearnedStore *store = handle->data;
    void (*closed)(void *ctx) = store->closed;
    void *ctx = store->ctx;
    ps_learned_store_free(store);
    closed(ctx);
}

static void on_timer(uv_timer_t *timer) {
    PsLearnedStore *store = timer->data;
    if (store->changed && !store->busy) {
        start(store);
    }
}

static void go_on(PsLearnedStore *store) {
    if (store->busy) {
        return;
    }
    if (!store->closing) {
        if (store->changed && !uv_is_active((uv_handle_t *)&store->timer)) {
            uv_timer_start(&store->timer, on_timer, WRITE_MS, 0);
        }
    } else if (store->changed && store->path[0] != '\0') {
        start(store);
    } else {
        uv_close((uv_handle_t *)&store->timer, on_closed);
    }
}

static void drop_first(PsLearnedStore *store) {
    free(store->entries[0].endpoint);
    ps_learned_free(store->entries[0].learned);
    store->count--;
    memmove(&store->entries[0], &store->entries[1], store->count * sizeof *store->entries);
}

void ps_learned_store_put(PsLearnedStore *store, const char *endpoint, PsLearned *learned) {
    PsLearnedEntry *entry = find(store, endpoint);
    if (entry == NULL) {
        if (store->count == PS_LEARNED_FILE_ENDPOINTS_MAX) {
            drop_first(store);
        }
        store->entries = ps_grow_array(store->entries, store->count + 1, sizeof *store->entries);
        entry = &store->entries[store->count++];
        *entry = (PsLearnedEntry){.endpoint = ps_strdup(endpoint)};
    }
    ps_learned_free(entry->learned);
    entry->learned = learned;
    store->changed = store->path[0] != '\0';
    go_on(store);
}

void ps_learned_store_close(PsLearnedStore *store, void (*closed)(void *ctx), void *ctx) {
    store->closing = true;
    store->closed = closed;
    store->ctx = ctx;
    uv_timer_stop(&store->timer);
    go_on(store);
}
