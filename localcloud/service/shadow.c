// Shadows in the database, and their requests. Each request is one transaction; answers are
// published after it.
#include "localcloud/service/shadow.h"

#include "base/mem.h"
#include "localcloud/service/meter.h"
#include "localcloud/service/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATE 20
#define IN_FLIGHT 10
#define HELD_MAX 1000      // answers that wait, of all things
#define NAME_MAX_BYTES 200 // thing~shadow

// An answer that waits for its time, in the order in which they were made.
typedef struct Held {
    struct Held *next;
    PsWall due;
    bool counts; // as a request in flight: one message of each does
    char *thing;
    char *topic;
    PsBuf payload;
} Held;

struct PsShadows {
    sqlite3 *db;
    const PsServiceRegistry *registry;
    bool needs_thing;
    PsServiceLimits limits;
    PsMeter meter;
    Held *first;
    Held *last;
    size_t held;
};

static const char *const verbs[] = {
    [PS_SHADOW_GET] = "get",
    [PS_SHADOW_UPDATE] = "update",
    [PS_SHADOW_DELETE] = "delete",
};

const char *ps_shadow_verb_name(PsShadowVerb verb) {
    return verbs[verb];
}

bool ps_shadow_verb_find(const char *name, PsShadowVerb *ret_verb) {
    for (size_t i = 0; i < PS_COUNT(verbs); i++) {
        if (strcmp(verbs[i], name) == 0) {
            *ret_verb = (PsShadowVerb)i;
            return true;
        }
    }
    return false;
}

PsErr ps_shadows_new(sqlite3 *db, const PsServiceRegistry *registry, bool needs_thing,
                     const PsServiceLimits *limits, PsShadows **ret_shadows, PsDiag *diag) {
    PsErr err = ps_sql_make(db,
                            "CREATE TABLE IF NOT EXISTS service_shadow ("
                            "thing TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL,"
                            "state TEXT, metadata TEXT, PRIMARY KEY (thing, name)) WITHOUT ROWID",
                            diag);
    if (err != PS_OK) {
        return err;
    }
    PsShadows *shadows = ps_alloc(sizeof *shadows);
    *shadows =
        (PsShadows){.db = db, .registry = registry, .needs_thing = needs_thing, .limits = *limits};
    *ret_shadows = shadows;
    return PS_OK;
}

static void free_held(Held *held) {
    free(held->thing);
    free(held->topic);
    ps_buf_deinit(&held->payload);
    free(held);
}

void ps_shadows_free(PsShadows *shadows) {
    if (shadows == NULL) {
        return;
    }
    while (shadows->first != NULL) {
        Held *held = shadows->first;
        shadows->first = held->next;
        free_held(held);
    }
    ps_meter_deinit(&shadows->meter);
    free(shadows);
}

void ps_shadows_set_limits(PsShadows *shadows, const PsServiceLimits *limits) {
    shadows->limits = *limits;
}

// ---- the store

static PsErr load(PsShadows *shadows, const PsShadowRequest *request, PsShadow *shadow) {
    PsSql sql;
    ps_sql_begin(&sql, shadows->db,
                 "SELECT version, state, metadata FROM service_shadow WHERE thing = ? AND name = ?",
                 "tt", request->thing, request->name);
    if (ps_sql_next(&sql)) {
        shadow->version = ps_sql_int(&sql, 0);
        shadow->state = ps_sql_json(&sql, 1);
        shadow->metadata = ps_sql_json(&sql, 2);
    }
    return ps_sql_end(&sql);
}

static PsErr store(PsShadows *shadows, const char *thing, const char *name,
                   const PsShadow *shadow) {
    return ps_sql_run(shadows->db, "INSERT OR REPLACE INTO service_shadow VALUES (?, ?, ?, ?, ?)",
                      "ttijj", thing, name, shadow->version, shadow->state, shadow->metadata);
}

json_t *ps_shadows_names(PsShadows *shadows, const char *thing, const char *after, size_t max,
                         bool *ret_more) {
    PsSql sql;
    ps_sql_begin(&sql, shadows->db,
                 "SELECT name FROM service_shadow WHERE thing = ? AND name > ? "
                 "AND state IS NOT NULL ORDER BY name LIMIT ?",
                 "tti", thing, after != NULL ? after : "", (int64_t)max + 1);
    json_t *names = json_array();
    bool more = false;
    while (ps_sql_next(&sql)) {
        if (json_array_size(names) == max) {
            more = true;
        } else {
            json_array_append_new(names, json_string(ps_sql_text(&sql, 0)));
        }
    }
    if (ps_sql_end(&sql) != PS_OK) {
        json_decref(names);
        return NULL;
    }
    *ret_more = more;
    return names;
}

// ---- answering

static unsigned in_flight(const PsShadows *shadows, const char *thing) {
    unsigned count = 0;
    for (const Held *held = shadows->first; held != NULL; held = held->next) {
        count += held->counts && strcmp(held->thing, thing) == 0;
    }
    return count;
}

static void hold(PsShadows *shadows, const PsShadowRequest *request, const char *topic, PsBuf *text,
                 bool counts) {
    Held *held = ps_alloc(sizeof *held);
    int64_t delay_ns = shadows->limits.shadow_delay_ms * PS_NS_PER_MS;
    *held = (Held){.due = {request->now.ns + delay_ns},
                   .counts = counts,
                   .thing = ps_strdup(request->thing),
                   .topic = ps_strdup(topic),
                   .payload = *text};
    *text = (PsBuf){0};
    if (shadows->first != NULL) {
        shadows->last->next = held;
    } else {
        shadows->first = held;
    }
    shadows->last = held;
    shadows->held++;
}

// `document` NULL: the refusal.
static void publish(PsShadows *shadows, const PsShadowRequest *request, const char *tail,
                    const PsShadowResult *result, const json_t *document, const PsServiceOut *out) {
    char topic[512];
    bool named = request->name[0] != '\0';
    int len = snprintf(topic, sizeof topic, "$aws/things/%s/shadow%s%s/%s/%s", request->thing,
                       named ? "/name/" : "", request->name, verbs[request->verb], tail);
    PS_ASSERT(len > 0 && (size_t)len < sizeof topic); // names are checked before
    PS_AUTO_BUF PsBuf text = {0};
    ps_shadow_text(result, document, &text);
    // What is too much is said at once: it must not add to what waits.
    bool at_once =
        shadows->limits.shadow_delay_ms == 0 || request->over_http || result->code == 429;
    if (at_once) {
        out->publish(out->ctx, topic, text.data, text.len, 1);
    } else {
        hold(shadows, request, topic, &text, document == NULL || document == result->accepted);
    }
}

static void answer(PsShadows *shadows, const PsShadowRequest *request, const PsShadowResult *result,
                   const PsServiceOut *out) {
    if (result->code != 200) {
        if (!request->over_http) {
            publish(shadows, request, "rejected", result, NULL, out);
        }
        return;
    }
    if (!request->over_http || request->verb != PS_SHADOW_GET) {
        publish(shadows, request, "accepted", result, result->accepted, out);
    }
    if (result->delta != NULL) {
        publish(shadows, request, "delta", result, result->delta, out);
    }
    if (result->documents != NULL) {
        publish(shadows, request, "documents", result, result->documents, out);
    }
}

static void do_request(PsShadows *shadows, const PsShadowRequest *request, PsShadowResult *result) {
    PsShadow shadow = {0};
    PsErr err = load(shadows, request, &shadow);
    int64_t now_s = request->now.ns / PS_NS_PER_S;
    char shown[NAME_MAX_BYTES];
    (void)snprintf(shown, sizeof shown, "%s%s%s", request->thing,
                   request->name[0] != '\0' ? "~" : "", request->name);
    PsShadowLimits limits = {shadows->limits.shadow_depth, shadows->limits.shadow_bytes};
    if (err != PS_OK) {
        ps_shadow_refuse(result, 500, "Internal service failure");
    } else if (request->verb == PS_SHADOW_GET) {
        ps_shadow_get(&shadow, shown, request->payload, request->len, now_s, result);
    } else if (request->verb == PS_SHADOW_UPDATE) {
        ps_shadow_update(&shadow, request->payload, request->len, &limits, now_s, result);
    } else {
        ps_shadow_delete(&shadow, shown, request->payload, request->len, now_s, result);
    }
    if (result->code == 200 && request->verb != PS_SHADOW_GET &&
        store(shadows, request->thing, request->name, &shadow) != PS_OK) {
        ps_shadow_refuse(result, 500, "Internal service failure");
    }
    ps_shadow_deinit(&shadow);
}

void ps_shadows_ask(PsShadows *shadows, const PsShadowRequest *request, const PsServiceOut *out,
                    PsShadowResult *result) {
    const PsServiceLimits *limits = &shadows->limits;
    unsigned rate = limits->shadow_rate != 0 ? limits->shadow_rate : RATE;
    unsigned most = limits->shadow_in_flight != 0 ? limits->shadow_in_flight : IN_FLIGHT;
    const PsServiceRegistry *registry = shadows->registry;
    if (shadows->needs_thing && !registry->thing_exists(registry->ctx, request->thing)) {
        ps_shadow_refuse(result, 404, "Thing not found");
    } else if (!ps_meter_allow(&shadows->meter, request->thing, rate, request->now) ||
               shadows->held >= HELD_MAX || in_flight(shadows, request->thing) >= most) {
        ps_shadow_refuse(result, 429, "Too Many Requests");
    } else {
        do_request(shadows, request, result);
    }
    if (out != NULL) {
        answer(shadows, request, result, out);
    }
}

PsWall ps_shadows_tick(PsShadows *shadows, PsWall now, const PsServiceOut *out) {
    while (shadows->first != NULL && shadows->first->due.ns <= now.ns) {
        Held *held = shadows->first;
        shadows->first = held->next;
        shadows->held--;
        out->publish(out->ctx, held->topic, held->payload.data, held->payload.len, 1);
        free_held(held);
    }
    return shadows->first != NULL ? shadows->first->due : (PsWall){0};
}

// ---- export and import

json_t *ps_shadows_export(PsShadows *shadows) {
    json_t *all = json_array();
    PsSql sql;
    ps_sql_begin(&sql, shadows->db,
                 "SELECT thing, name, version, state, metadata FROM service_shadow "
                 "ORDER BY thing, name",
                 "");
    while (ps_sql_next(&sql)) {
        json_t *one = json_object();
        json_object_set_new(one, "thing", json_string(ps_sql_text(&sql, 0)));
        json_object_set_new(one, "name", json_string(ps_sql_text(&sql, 1)));
        json_object_set_new(one, "version", json_integer(ps_sql_int(&sql, 2)));
        if (!ps_sql_is_null(&sql, 3)) {
            json_object_set_new(one, "state", ps_sql_json(&sql, 3));
            json_object_set_new(one, "metadata", ps_sql_json(&sql, 4));
        }
        json_array_append_new(all, one);
    }
    if (ps_sql_end(&sql) != PS_OK) {
        json_decref(all);
        return NULL;
    }
    return all;
}

PsErr ps_shadows_import(PsShadows *shadows, const json_t *json) {
    PsErr err = ps_sql_run(shadows->db, "DELETE FROM service_shadow", "");
    for (size_t i = 0; i < json_array_size(json) && err == PS_OK; i++) {
        const json_t *one = json_array_get(json, i);
        const char *thing = json_string_value(json_object_get(one, "thing"));
        const char *name = json_string_value(json_object_get(one, "name"));
        PsShadow shadow = {.state = json_object_get(one, "state"),
                           .metadata = json_object_get(one, "metadata"),
                           .version = json_integer_value(json_object_get(one, "version"))};
        if (thing == NULL || name == NULL || shadow.version <= 0 ||
            json_is_object(shadow.state) != json_is_object(shadow.metadata)) {
            return PS_ERR_INVALID;
        }
        err = store(shadows, thing, name, &shadow);
    }
    return json == NULL || json_is_array(json) ? err : PS_ERR_INVALID;
}
