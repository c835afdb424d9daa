// The account's file, its settings, transactions, watchers and pages. Main thread; blocks for the
// local database only.
#include "localcloud/registry/account.h"

#include "base/mem.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

PsErr ps_registry_open(const char *dir, PsRegistry **ret_registry, PsDiag *diag) {
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/%s", dir, PS_REGISTRY_FILE);
    if (len < 0 || (size_t)len >= sizeof path) {
        return ps_fail(PS_ERR_TOO_BIG, diag, dir, NULL, "the path is too long");
    }
    PsRegistry *registry = ps_alloc(sizeof *registry);
    PsErr err = ps_db_open(path, &registry->db, diag);
    if (err != PS_OK) {
        free(registry);
        return err;
    }
    snprintf(registry->dir, sizeof registry->dir, "%s", dir);
    ps_registry_load_settings(registry);
    *ret_registry = registry;
    return PS_OK;
}

void ps_registry_close(PsRegistry *registry) {
    if (registry != NULL) {
        ps_db_close(&registry->db);
        free(registry);
    }
}

sqlite3 *ps_registry_db(PsRegistry *registry) {
    return registry->db.handle;
}

const char *ps_registry_dir(const PsRegistry *registry) {
    return registry->dir;
}

const char *ps_registry_region(const PsRegistry *registry) {
    return registry->region;
}

const char *ps_registry_endpoint(const PsRegistry *registry) {
    return registry->endpoint;
}

// ---- settings

char *ps_registry_setting(PsRegistry *registry, const char *name) {
    PS_AUTO_DB_ROWS PsDbRows rows =
        ps_db_rows(&registry->db, "SELECT value FROM settings WHERE name = ?", "t", name);
    return ps_db_next(&rows) ? ps_strdup(ps_db_text(&rows, 0)) : NULL;
}

void ps_registry_set(PsRegistry *registry, const char *name, const char *value) {
    ps_db_run(&registry->db, "INSERT OR REPLACE INTO settings VALUES (?, ?)", "tt", name, value);
}

static void load_setting(PsRegistry *registry, const char *name, const char *otherwise, char *out,
                         size_t size) {
    char *value = ps_registry_setting(registry, name);
    snprintf(out, size, "%s", value != NULL ? value : otherwise);
    free(value);
}

void ps_registry_load_settings(PsRegistry *registry) {
    load_setting(registry, "region", PS_DEFAULT_REGION, registry->region, sizeof registry->region);
    load_setting(registry, "endpoint", "localhost", registry->endpoint, sizeof registry->endpoint);
}

static PsErr store_setting(PsRegistry *registry, const char *name, const char *value, size_t size,
                           PsDiag *diag) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789.-";
    size_t len = strlen(value);
    if (len == 0 || len >= size || strspn(value, allowed) != len) {
        return ps_fail(PS_ERR_INVALID, diag, name, NULL,
                       "'%s' cannot be one: 1 to %zu letters, digits, dots and hyphens", value,
                       size - 1);
    }
    ps_registry_begin(registry);
    ps_registry_set(registry, name, value);
    PsApiFault fault = {0};
    if (ps_registry_end(registry, PS_API_OK, &fault) != PS_API_OK) {
        return ps_fail(PS_ERR_IO, diag, name, NULL, "%s", fault.message);
    }
    ps_registry_load_settings(registry);
    return PS_OK;
}

PsErr ps_registry_set_endpoint(PsRegistry *registry, const char *host, PsDiag *diag) {
    return store_setting(registry, "endpoint", host, sizeof registry->endpoint, diag);
}

PsErr ps_registry_set_region(PsRegistry *registry, const char *region, PsDiag *diag) {
    return store_setting(registry, "region", region, sizeof registry->region, diag);
}

// ---- transactions and who hears of them

void ps_registry_begin(PsRegistry *registry) {
    if (registry->db.depth == 0) {
        registry->changed_all = false;
        registry->changed[0] = '\0';
    }
    ps_db_begin(&registry->db);
}

static void tell_watchers(PsRegistry *registry) {
    bool all = registry->changed_all;
    char id[PS_CERTIFICATE_ID_SIZE];
    snprintf(id, sizeof id, "%s", registry->changed);
    registry->changed_all = false;
    registry->changed[0] = '\0';
    for (size_t i = 0; (all || id[0] != '\0') && i < PS_WATCHERS_MAX; i++) {
        if (registry->watchers[i].watch != NULL) {
            registry->watchers[i].watch(registry->watchers[i].ctx, all ? NULL : id);
        }
    }
}

PsApiCode ps_registry_end(PsRegistry *registry, PsApiCode code, PsApiFault *fault) {
    PsErr err = ps_db_end(&registry->db, code == PS_API_OK);
    if (err != PS_OK) {
        code = ps_api_failed_inside(&registry->db.why, fault);
    }
    if (registry->db.depth == 0 && code == PS_API_OK) {
        tell_watchers(registry);
    }
    return code;
}

void ps_registry_tell(PsRegistry *registry, const char *certificate_id) {
    bool other = registry->changed[0] != '\0' && certificate_id != NULL &&
                 strcmp(registry->changed, certificate_id) != 0;
    if (certificate_id == NULL || other) {
        registry->changed_all = true;
    } else {
        snprintf(registry->changed, sizeof registry->changed, "%s", certificate_id);
    }
    if (registry->db.depth == 0) {
        tell_watchers(registry);
    }
}

void ps_registry_watch(PsRegistry *registry, PsRegistryWatch watch, void *ctx) {
    size_t i = 0;
    while (i < PS_WATCHERS_MAX && registry->watchers[i].watch != NULL) {
        i++;
    }
    PS_ASSERT(i < PS_WATCHERS_MAX);
    registry->watchers[i].watch = watch;
    registry->watchers[i].ctx = ctx;
}

void ps_registry_unwatch(PsRegistry *registry, PsRegistryWatch watch, void *ctx) {
    for (size_t i = 0; i < PS_WATCHERS_MAX; i++) {
        if (registry->watchers[i].watch == watch && registry->watchers[i].ctx == ctx) {
            registry->watchers[i].watch = NULL;
        }
    }
}

void ps_registry_add_part(PsRegistry *registry, const PsRegistryPart *part) {
    PS_ASSERT(registry->part_count < PS_PARTS_MAX);
    registry->parts[registry->part_count++] = part;
}

// ---- small things the calls share

void ps_uuid_make(char *out) {
    unsigned char bytes[16];
    int done = RAND_bytes(bytes, sizeof bytes);
    PS_ASSERT(done == 1);
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40); // RFC 9562, 5.4: random
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bool dash = i == 4 || i == 6 || i == 8 || i == 10;
        out += snprintf(out, 4, "%s%02x", dash ? "-" : "", bytes[i]);
    }
}

int64_t ps_registry_now_ms(void) {
    return ps_wall_now().ns / PS_NS_PER_MS;
}

json_t *ps_registry_time(int64_t time_ms) {
    return json_real((double)time_ms / 1000.0);
}

PsApiCode ps_registry_missing(const char *what, const char *name, PsApiFault *fault) {
    return ps_api_fail(PS_API_NOT_FOUND, fault, "%s %s not found", what, name);
}

PsApiCode ps_registry_taken(PsRegistry *registry, PsArnKind kind, const char *name, const char *id,
                            PsApiFault *fault) {
    static const char *const words[PS_ARN_KINDS] = {
        [PS_ARN_THING] = "Thing",
        [PS_ARN_TYPE] = "Thing type",
        [PS_ARN_GROUP] = "Thing group",
        [PS_ARN_CERTIFICATE] = "The certificate",
        [PS_ARN_AUTHORITY] = "The CA certificate",
        [PS_ARN_POLICY] = "Policy",
    };
    ps_api_fault_set(PS_API_ALREADY_EXISTS, fault, "%s %s already exists in the account%s",
                     words[kind], name,
                     kind == PS_ARN_THING || kind == PS_ARN_TYPE || kind == PS_ARN_GROUP
                         ? " with other properties"
                         : "");
    snprintf(fault->resource_id, sizeof fault->resource_id, "%s", id);
    ps_arn_put(fault->resource_arn, registry->region, kind, name);
    return PS_API_ALREADY_EXISTS;
}

PsApiCode ps_registry_check_version(int64_t version, int64_t expected, const char *name,
                                    PsApiFault *fault) {
    if (expected == PS_ANY_VERSION || expected == version) {
        return PS_API_OK;
    }
    return ps_api_fail(PS_API_VERSION_CONFLICT, fault,
                       "The version for %s does not match the expected version: it is %lld", name,
                       (long long)version);
}

char *ps_attributes_merge(json_t *old, json_t *given) {
    json_t *merged = old != NULL ? json_copy(old) : json_object();
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(given, name, value) {
        if (json_string_length(value) > 0) {
            json_object_set(merged, name, value);
        } else {
            json_object_del(merged, name);
        }
    }
    char *text = json_dumps(merged, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(merged);
    return text;
}

bool ps_registry_has(PsRegistry *registry, const char *sql, const char *name) {
    return ps_db_number(&registry->db, -1, sql, "t", name) >= 0;
}

// ---- pages

int64_t ps_page_after(const PsPage *page) {
    if (page->after == 0) {
        return INT64_MIN;
    }
    return page->descending ? -page->after : page->after;
}

PsListed ps_page_take(PsRegistry *registry, const PsPage *page, PsDbRows *rows,
                      json_t *(*make)(PsRegistry *registry, const PsDbRows *row)) {
    PsListed listed = {.items = json_array()};
    int64_t last = 0;
    while (ps_db_next(rows)) {
        if ((int64_t)json_array_size(listed.items) == page->limit) {
            listed.next = last; // one more is there
            ps_db_rows_deinit(rows);
            break;
        }
        json_array_append_new(listed.items, make(registry, rows));
        last = ps_db_int(rows, 0);
    }
    return listed;
}
