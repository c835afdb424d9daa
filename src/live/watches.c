// Lists of cells by id, translated by names when the configuration is another one. Main thread.
#include "live/watches.h"

#include "base/mem.h"
#include "live/format.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GONE "null,\"\",\"gone\",null"

typedef struct Entry {
    uint32_t cell; // PS_CELL_NONE: no such variable
    char *names;   // then: device, NUL, name; for the day it comes back
} Entry;

struct PsWatch {
    PsWatches *watches;
    PsWatch *next;
    char id[PS_WATCH_ID_SIZE];
    char owner[PS_WATCH_OWNER_SIZE];
    Entry *entries;
    uint32_t count;
    uint32_t list;
    uint32_t epoch; // counts the configurations: with another one all is told anew
    uint32_t views;
    PsMono alone_since; // when there are no views
};

struct PsWatches {
    const PsConfig *config;
    PsCells *cells;
    PsWatch *first;
    PsWatchView *first_view;
    size_t count;
    uint64_t run;
    uint64_t added;
};

struct PsWatchView {
    PsWatches *watches;
    PsWatchView *next;
    PsWatch *watch; // NULL when it was removed
    uint32_t *told; // version of each place
    uint32_t room;
    uint32_t epoch;  // of the watch, which `told` is about
    uint32_t seen;   // version of the cells at which everything had been told
    uint32_t cursor; // the place to go on from
};

PsWatches *ps_watches_new(const PsConfig *config, uint64_t run) {
    PsWatches *watches = ps_alloc(sizeof *watches);
    watches->config = config;
    watches->cells = ps_cells_new(config->variable_count);
    watches->run = run;
    return watches;
}

static void clear(PsWatch *watch) {
    for (uint32_t i = 0; i < watch->count; i++) {
        if (watch->entries[i].cell != PS_CELL_NONE) {
            ps_cells_drop(watch->watches->cells, watch->entries[i].cell);
        }
        free(watch->entries[i].names);
    }
    free(watch->entries);
    watch->entries = NULL;
    watch->count = 0;
}

void ps_watches_free(PsWatches *watches) {
    if (watches == NULL) {
        return;
    }
    PS_ASSERT(watches->first_view == NULL);
    while (watches->first != NULL) {
        ps_watches_remove(watches, watches->first);
    }
    ps_cells_free(watches->cells);
    free(watches);
}

static char *keep_names(const char *device, const char *name) {
    size_t device_size = strlen(device) + 1;
    size_t name_size = strlen(name) + 1;
    char *names = ps_alloc(device_size + name_size);
    memcpy(names, device, device_size);
    memcpy(names + device_size, name, name_size);
    return names;
}

static Entry entry_of(PsWatches *watches, const PsNameIndex *index, const char *device,
                      const char *name) {
    uint32_t variable = ps_name_index_find(index, device, name);
    return variable != UINT32_MAX ? (Entry){ps_cells_take(watches->cells, variable), NULL}
                                  : (Entry){PS_CELL_NONE, keep_names(device, name)};
}

static PsErr check_count(size_t count, PsDiag *diag) {
    return count <= PS_WATCH_VARIABLES_MAX
               ? PS_OK
               : ps_fail(PS_ERR_RANGE, diag, "watch", "variables",
                         "are %zu; a watch may have %d, so make several", count,
                         PS_WATCH_VARIABLES_MAX);
}

static bool same_names(const char *a, const char *b) {
    return strcmp(a, b) == 0 && strcmp(a + strlen(a) + 1, b + strlen(b) + 1) == 0;
}

static bool is_same_entry(const Entry *a, const Entry *b) {
    return a->names != NULL && b->names != NULL ? same_names(a->names, b->names)
                                                : a->cell == b->cell;
}

// Where the list has the same variable as before its reader knows what it was told.
static void change_told(PsWatchView *view, const Entry *entries, size_t count) {
    if (count > view->room) {
        view->told = ps_grow_array(view->told, count, sizeof *view->told);
        view->room = (uint32_t)count;
    }
    for (uint32_t i = 0; i < count; i++) {
        bool before = i < view->watch->count;
        if (!before || !is_same_entry(&entries[i], &view->watch->entries[i])) {
            view->told[i] = 0;
        }
    }
    view->seen = UINT32_MAX;
    view->cursor = 0;
}

// Taken before the former list is dropped, so that what stands in both keeps its cell.
static void fill(PsWatch *watch, const PsNameIndex *index, const PsWatchName *names, size_t count) {
    PsWatches *watches = watch->watches;
    Entry *entries = ps_alloc_array(count + 1, sizeof *entries);
    for (size_t i = 0; i < count; i++) {
        entries[i] = entry_of(watches, index, names[i].device, names[i].name);
    }
    for (PsWatchView *view = watches->first_view; view != NULL; view = view->next) {
        if (view->watch == watch && view->epoch == watch->epoch) {
            change_told(view, entries, count);
        }
    }
    clear(watch);
    watch->entries = entries;
    watch->count = (uint32_t)count;
    watch->list++;
}

// The one that was alone for longest goes, so that nobody keeps others out by making many.
static bool make_room(PsWatches *watches) {
    PsWatch *oldest = NULL;
    for (PsWatch *watch = watches->first; watch != NULL; watch = watch->next) {
        if (watch->views == 0 &&
            (oldest == NULL || watch->alone_since.ns < oldest->alone_since.ns)) {
            oldest = watch;
        }
    }
    if (oldest != NULL) {
        ps_watches_remove(watches, oldest);
    }
    return oldest != NULL;
}

PsErr ps_watches_add(PsWatches *watches, const PsNameIndex *index, const char *owner,
                     const PsWatchName *names, size_t count, PsMono now, PsWatch **ret_watch,
                     PsDiag *diag) {
    PsErr err = check_count(count, diag);
    if (err != PS_OK) {
        return err;
    }
    if (watches->count >= PS_WATCHES_MAX && !make_room(watches)) {
        return ps_fail(PS_ERR_FULL, diag, "watch", NULL,
                       "there are %d already, and all are read; close a page that is not looked at",
                       PS_WATCHES_MAX);
    }
    PsWatch *watch = ps_alloc(sizeof *watch);
    watch->watches = watches;
    watch->epoch = 1;
    watch->alone_since = now;
    snprintf(watch->id, sizeof watch->id, "%" PRIx64 "-%" PRIu64, watches->run, ++watches->added);
    snprintf(watch->owner, sizeof watch->owner, "%s", owner);
    fill(watch, index, names, count);
    watch->next = watches->first;
    watches->first = watch;
    watches->count++;
    *ret_watch = watch;
    return PS_OK;
}

PsErr ps_watches_set(PsWatches *watches, PsWatch *watch, const PsNameIndex *index,
                     const PsWatchName *names, size_t count, PsDiag *diag) {
    PS_ASSERT(watch->watches == watches);
    PsErr err = check_count(count, diag);
    if (err == PS_OK) {
        fill(watch, index, names, count);
    }
    return err;
}

PsWatch *ps_watches_find(const PsWatches *watches, const char *id, const char *owner) {
    for (PsWatch *watch = watches->first; watch != NULL; watch = watch->next) {
        if (strcmp(watch->id, id) == 0 &&
            strncmp(watch->owner, owner, sizeof watch->owner - 1) == 0) {
            return watch;
        }
    }
    return NULL;
}

void ps_watches_remove(PsWatches *watches, PsWatch *watch) {
    for (PsWatchView *view = watches->first_view; view != NULL; view = view->next) {
        view->watch = view->watch == watch ? NULL : view->watch;
    }
    PsWatch **slot = &watches->first;
    while (*slot != watch) {
        slot = &(*slot)->next;
    }
    *slot = watch->next;
    watches->count--;
    clear(watch);
    free(watch);
}

void ps_watches_expire(PsWatches *watches, PsMono now) {
    PsWatch *next;
    for (PsWatch *watch = watches->first; watch != NULL; watch = next) {
        next = watch->next;
        if (watch->views == 0 &&
            ps_mono_diff_ns(now, watch->alone_since) >= PS_WATCH_ALONE_S * PS_NS_PER_S) {
            ps_watches_remove(watches, watch);
        }
    }
}

size_t ps_watches_count(const PsWatches *watches) {
    return watches->count;
}

// The names of an entry in the former configuration, for the new one.
static Entry translate(PsWatches *watches, const Entry *entry, const PsConfig *former,
                       const PsCells *former_cells, const PsNameIndex *index) {
    if (entry->cell != PS_CELL_NONE) {
        const PsVariable *variable =
            &former->variables[ps_cells_variable(former_cells, entry->cell)];
        return entry_of(watches, index, variable->device_name, variable->name);
    }
    Entry found = entry_of(watches, index, entry->names, entry->names + strlen(entry->names) + 1);
    free(entry->names);
    return found;
}

void ps_watches_apply(PsWatches *watches, const PsConfig *config, const PsNameIndex *index) {
    const PsConfig *former = watches->config;
    PsCells *former_cells = watches->cells;
    watches->config = config;
    watches->cells = ps_cells_new(config->variable_count);
    for (PsWatch *watch = watches->first; watch != NULL; watch = watch->next) {
        for (uint32_t i = 0; i < watch->count; i++) {
            watch->entries[i] = translate(watches, &watch->entries[i], former, former_cells, index);
        }
        watch->epoch++;
    }
    ps_cells_free(former_cells);
}

PsCells *ps_watches_cells(PsWatches *watches) {
    return watches->cells;
}

const char *ps_watch_id(const PsWatch *watch) {
    return watch->id;
}

uint32_t ps_watch_list(const PsWatch *watch) {
    return watch->list;
}

uint32_t ps_watch_size(const PsWatch *watch) {
    return watch->count;
}

bool ps_watch_is_gone(const PsWatch *watch, uint32_t place) {
    return watch->entries[place].cell == PS_CELL_NONE;
}

// --- views --------------------------------------------------------------------------------------

PsWatchView *ps_watch_view_open(PsWatches *watches, PsWatch *watch) {
    PsWatchView *view = ps_alloc(sizeof *view);
    *view = (PsWatchView){.watches = watches, .watch = watch, .next = watches->first_view};
    watches->first_view = view;
    watch->views++;
    return view;
}

void ps_watch_view_close(PsWatchView *view, PsMono now) {
    if (view == NULL) {
        return;
    }
    PsWatchView **slot = &view->watches->first_view;
    while (*slot != view) {
        slot = &(*slot)->next;
    }
    *slot = view->next;
    if (view->watch != NULL) {
        view->watch->views--;
        view->watch->alone_since = now;
    }
    free(view->told);
    free(view);
}

bool ps_watch_view_over(const PsWatchView *view) {
    return view->watch == NULL;
}

static void begin_anew(PsWatchView *view) {
    const PsWatch *watch = view->watch;
    if (watch->count > view->room) {
        view->told = ps_grow_array(view->told, watch->count, sizeof *view->told);
        view->room = watch->count;
    }
    if (watch->count > 0) {
        memset(view->told, 0, watch->count * sizeof *view->told);
    }
    view->epoch = watch->epoch;
    view->seen = UINT32_MAX; // nothing, whatever the cells count
    view->cursor = 0;
}

static void put_place(uint32_t place, const char *text, size_t len, PsBuf *out) {
    ps_buf_put_u8(out, '[');
    ps_live_put_uint(out, place);
    ps_buf_put_u8(out, ',');
    ps_buf_put(out, text, len);
    ps_buf_put(out, "],", 2);
}

// What the reader was not told of this place, if anything.
static void put_news(PsWatchView *view, uint32_t place, PsBuf *out) {
    const PsCells *cells = view->watches->cells;
    uint32_t cell = view->watch->entries[place].cell;
    uint32_t version = cell == PS_CELL_NONE ? 1 : ps_cell_version(cells, cell);
    if (version == view->told[place]) {
        return;
    }
    view->told[place] = version;
    size_t len = sizeof GONE - 1;
    const char *text = cell == PS_CELL_NONE ? GONE : ps_cell_text(cells, cell, &len);
    put_place(place, text, len, out);
}

bool ps_watch_view_put(PsWatchView *view, size_t max_bytes, PsBuf *out) {
    const PsWatch *watch = view->watch;
    if (watch == NULL) {
        return false;
    }
    uint32_t version = ps_cells_version(view->watches->cells);
    if (view->epoch != watch->epoch) {
        begin_anew(view);
    } else if (view->seen == version) {
        return false;
    }
    size_t before = out->len;
    ps_live_put_raw(out, "{\"list\":");
    ps_live_put_uint(out, watch->list);
    ps_live_put_raw(out, ",\"v\":[");
    size_t begin = out->len;
    uint32_t looked = 0;
    for (; looked < watch->count && out->len - begin < max_bytes; looked++) {
        put_news(view, view->cursor, out);
        view->cursor = view->cursor + 1 < watch->count ? view->cursor + 1 : 0;
    }
    bool more = looked < watch->count;
    if (!more) {
        view->seen = version;
    }
    if (out->len == begin) {
        out->len = before;
        return more;
    }
    out->len--; // the last comma
    ps_live_put_raw(out, "]}");
    return more;
}
