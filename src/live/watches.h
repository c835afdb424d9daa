//! Watches: lists of variables whose values somebody wants to be told, each with an id and an
//! owner, and views, each of which knows what of a watch its reader has been told. Main thread;
//! reads no clock.
//!
//! A reader that is slow is told less often, not later: what a view gives is always the newest.
#pragma once

#include "base/err.h"
#include "base/time.h"
#include "live/cells.h"
#include "live/name_index.h"

#define PS_WATCH_VARIABLES_MAX 2000
#define PS_WATCHES_MAX 256     ///< of all owners
#define PS_WATCH_ALONE_S 60    ///< a watch without a view ends after so long
#define PS_WATCH_ID_SIZE 40    ///< with its NUL
#define PS_WATCH_OWNER_SIZE 80 ///< likewise

typedef struct PsWatches PsWatches;
typedef struct PsWatch PsWatch;
typedef struct PsWatchView PsWatchView;

typedef struct PsWatchName {
    const char *device;
    const char *name;
} PsWatchName;

/// `run` tells the ids of this process from those of another.
PsWatches *ps_watches_new(const PsConfig *config, uint64_t run);
/// Without views. Accepts NULL.
void ps_watches_free(PsWatches *watches);

/// `index` is that of the configuration. PS_ERR_RANGE: more than PS_WATCH_VARIABLES_MAX names;
/// PS_ERR_FULL: PS_WATCHES_MAX watches that are read; of others the one that was alone for longest
/// makes room. Names that are unknown are "gone" until a configuration has them.
PsErr ps_watches_add(PsWatches *watches, const PsNameIndex *index, const char *owner,
                     const PsWatchName *names, size_t count, PsMono now, PsWatch **ret_watch,
                     PsDiag *diag);
/// Another list. Its views are told of the places that have another variable than before.
PsErr ps_watches_set(PsWatches *watches, PsWatch *watch, const PsNameIndex *index,
                     const PsWatchName *names, size_t count, PsDiag *diag);
/// NULL when there is none of this id and owner.
PsWatch *ps_watches_find(const PsWatches *watches, const char *id, const char *owner);
/// Its views give nothing any more.
void ps_watches_remove(PsWatches *watches, PsWatch *watch);
/// Ends those that were alone for too long.
void ps_watches_expire(PsWatches *watches, PsMono now);
size_t ps_watches_count(const PsWatches *watches);

/// Another configuration, with its index; the former is looked at here for the last time. All views
/// begin anew. The cells are others afterwards.
void ps_watches_apply(PsWatches *watches, const PsConfig *config, const PsNameIndex *index);
/// The cells of all watches; to be touched and refreshed by the owner.
PsCells *ps_watches_cells(PsWatches *watches);

const char *ps_watch_id(const PsWatch *watch);
/// Counts the lists it has had, from 1.
uint32_t ps_watch_list(const PsWatch *watch);
uint32_t ps_watch_size(const PsWatch *watch);
/// Is the variable at this place of the list unknown?
bool ps_watch_is_gone(const PsWatch *watch, uint32_t place);

PsWatchView *ps_watch_view_open(PsWatches *watches, PsWatch *watch);
/// Accepts NULL.
void ps_watch_view_close(PsWatchView *view, PsMono now);
/// The watch was removed.
bool ps_watch_view_over(const PsWatchView *view);
/// Appends `{"list":1,"v":[[PLACE,VALUE,"TEXT","QUALITY",TIME],...]}` with what its reader has not
/// been told, about `max_bytes` of it, or nothing. True when there is more.
bool ps_watch_view_put(PsWatchView *view, size_t max_bytes, PsBuf *out);
