//! The registry from inside, for the files of this folder and those that serve its calls.
//! Changes happen inside ps_registry_begin and ps_registry_end, so that a refused call leaves
//! nothing behind and watchers hear of it once, after it is stored.
#pragma once

#include "base/time.h"
#include "localcloud/registry/db.h"
#include "localcloud/registry/names.h"
#include "localcloud/registry/registry.h"

#include <limits.h>

#define PS_WATCHERS_MAX 8
#define PS_PARTS_MAX 8
#define PS_UUID_SIZE 37
#define PS_REGION_SIZE 33
#define PS_HOST_SIZE 254
/// "No version was given."
#define PS_ANY_VERSION INT64_C(-1)

struct PsRegistry {
    PsDb db;
    char dir[PATH_MAX];
    char region[PS_REGION_SIZE];
    char endpoint[PS_HOST_SIZE];
    struct {
        PsRegistryWatch watch; ///< NULL: free
        void *ctx;
    } watchers[PS_WATCHERS_MAX];
    const PsRegistryPart *parts[PS_PARTS_MAX];
    size_t part_count;
    bool changed_all; ///< to be told when the transaction is stored
    char changed[PS_CERTIFICATE_ID_SIZE];
};

void ps_registry_begin(PsRegistry *registry);
/// Stores what happened since ps_registry_begin when `code` is PS_API_OK, else undoes it. Gives
/// `code`, or PS_API_INTERNAL with `fault` when the database failed.
PsApiCode ps_registry_end(PsRegistry *registry, PsApiCode code, PsApiFault *fault);

/// A setting, NULL when it was never made. Freed with free().
char *ps_registry_setting(PsRegistry *registry, const char *name);
void ps_registry_set(PsRegistry *registry, const char *name, const char *value);
/// Reads region and endpoint again (after an import).
void ps_registry_load_settings(PsRegistry *registry);

/// Random (version 4), PS_UUID_SIZE bytes.
void ps_uuid_make(char *out);
/// Milliseconds since 1970: what the tables hold.
int64_t ps_registry_now_ms(void);
/// As the API answers times: a number of seconds with fractions.
json_t *ps_registry_time(int64_t time_ms);

/// "No such <what>": PS_API_NOT_FOUND.
PsApiCode ps_registry_missing(const char *what, const char *name, PsApiFault *fault);
/// PS_API_ALREADY_EXISTS with id and ARN.
PsApiCode ps_registry_taken(PsRegistry *registry, PsArnKind kind, const char *name, const char *id,
                            PsApiFault *fault);
/// PS_API_VERSION_CONFLICT when `expected` is neither PS_ANY_VERSION nor `version`.
PsApiCode ps_registry_check_version(int64_t version, int64_t expected, const char *name,
                                    PsApiFault *fault);
/// Attributes as text: `given` laid over `old` (each may be NULL); an empty value removes one.
/// Compact, keys sorted, so that equal attributes are equal texts. Freed with free().
char *ps_attributes_merge(json_t *old, json_t *given);
bool ps_registry_has(PsRegistry *registry, const char *sql, const char *name);

// ---- lists, page by page

typedef struct PsPage {
    int64_t after; ///< seq of the last one given; 0: from the start
    int64_t limit; ///< at least 1
    bool descending;
} PsPage;

typedef struct PsListed {
    json_t *items; ///< an array, owned
    int64_t next;  ///< PsPage.after of the next page; 0: this was the last
} PsListed;

/// Ends the SQL of a list whose column 0 is `seq`; with the parameters below ("iiii").
#define PS_PAGE_SQL(seq) " AND " seq " * ? > ? ORDER BY " seq " * ? LIMIT ?"
#define PS_PAGE_ARGS(page)                                                                         \
    (int64_t)((page)->descending ? -1 : 1), ps_page_after(page),                                   \
        (int64_t)((page)->descending ? -1 : 1), (page)->limit + 1

int64_t ps_page_after(const PsPage *page);
/// Takes the rows of one page; `make` gives the item of a row.
PsListed ps_page_take(PsRegistry *registry, const PsPage *page, PsDbRows *rows,
                      json_t *(*make)(PsRegistry *registry, const PsDbRows *row));
