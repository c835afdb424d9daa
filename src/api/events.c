// GET /events and the routes of watches. Main thread.
#include "api/handlers_live.h"
#include "api/stream.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "live/log_line.h"

#include <stdlib.h>
#include <string.h>

static PsApiLive *live_of(const PsApiCall *call) {
    return ps_api_call_sources(call)->live;
}

static void owner_of(const PsApiCall *call, char out[PS_WATCH_OWNER_SIZE]) {
    const PsIdentity *identity = ps_api_call_identity(call);
    snprintf(out, PS_WATCH_OWNER_SIZE, "%s %s", identity->by, identity->name);
}

// --- watches ------------------------------------------------------------------------------------

// The list of an argument, borrowed from it; the caller's array.
static PsErr take_names(const json_t *list, PsWatchName **ret_names, PsDiag *diag) {
    size_t count = json_array_size(list);
    *ret_names = ps_alloc_array(count + 1, sizeof **ret_names);
    for (size_t i = 0; i < count; i++) {
        const json_t *pair = json_array_get(list, i);
        const char *device = json_string_value(json_array_get(pair, 0));
        const char *name = json_string_value(json_array_get(pair, 1));
        if (device == NULL || name == NULL || json_array_size(pair) != 2) {
            return ps_fail(PS_ERR_INVALID, diag, "watch", "variables",
                           "must be pairs of texts, [\"device\", \"variable\"]; number %zu is none",
                           i + 1);
        }
        (*ret_names)[i] = (PsWatchName){device, name};
    }
    return PS_OK;
}

static json_t *watch_json(const PsWatch *watch, const PsWatchName *names) {
    json_t *unknown = json_array();
    for (uint32_t i = 0; i < ps_watch_size(watch); i++) {
        if (ps_watch_is_gone(watch, i)) {
            json_array_append_new(unknown, json_pack("[s, s]", names[i].device, names[i].name));
        }
    }
    return json_pack("{s:s, s:I, s:o}", "id", ps_watch_id(watch), "list",
                     (json_int_t)ps_watch_list(watch), "unknown", unknown);
}

static PsErr find_watch(const PsApiCall *call, const char *id, PsWatch **ret_watch, PsDiag *diag) {
    char owner[PS_WATCH_OWNER_SIZE];
    owner_of(call, owner);
    *ret_watch = ps_watches_find(live_of(call)->watches, id, owner);
    return *ret_watch != NULL
               ? PS_OK
               : ps_fail(PS_ERR_NOT_FOUND, diag, "watch", "id",
                         "'%.60s' is none of yours; one that nobody reads ends after %d s: make "
                         "another one",
                         id, PS_WATCH_ALONE_S);
}

static PsErr set_list(PsApiCall *call, PsWatch *watch, json_t **ret_json, PsDiag *diag) {
    PsApiLive *live = live_of(call);
    PS_AUTO_FREE PsWatchName *names = NULL;
    const json_t *list = json_object_get(ps_api_call_arguments(call), "variables");
    PsErr err = take_names(list, &names, diag);
    if (err != PS_OK) {
        return err;
    }
    size_t count = json_array_size(list);
    if (watch != NULL) {
        err = ps_watches_set(live->watches, watch, ps_api_live_index(live), names, count, diag);
    } else {
        char owner[PS_WATCH_OWNER_SIZE];
        owner_of(call, owner);
        err = ps_watches_add(live->watches, ps_api_live_index(live), owner, names, count,
                             ps_mono_now(), &watch, diag);
    }
    if (err == PS_OK) {
        *ret_json = watch_json(watch, names);
    }
    return err;
}

static void answer(PsApiCall *call, PsErr err, json_t *json, const PsDiag *diag) {
    if (err != PS_OK) {
        ps_api_call_fail(call, err, diag);
    } else {
        ps_api_call_reply(call, json);
    }
}

void ps_api_watch_add(PsApiCall *call) {
    PsDiag diag = {0};
    json_t *json = NULL;
    PsErr err = set_list(call, NULL, &json, &diag);
    answer(call, err, json, &diag);
}

void ps_api_watch_set(PsApiCall *call) {
    PsDiag diag = {0};
    json_t *json = NULL;
    PsWatch *watch = NULL;
    PsErr err = find_watch(call, ps_api_call_text(call, "id"), &watch, &diag);
    err = err == PS_OK ? set_list(call, watch, &json, &diag) : err;
    answer(call, err, json, &diag);
}

void ps_api_watch_remove(PsApiCall *call) {
    PsDiag diag = {0};
    PsWatch *watch = NULL;
    PsErr err = find_watch(call, ps_api_call_text(call, "id"), &watch, &diag);
    if (err == PS_OK) {
        ps_watches_remove(live_of(call)->watches, watch);
    }
    answer(call, err, err == PS_OK ? json_object() : NULL, &diag);
}

// --- events -------------------------------------------------------------------------------------

static PsErr take_wants(const PsApiCall *call, PsApiWants *ret_wants, PsDiag *diag) {
    const char *watch = ps_api_call_text(call, "watch");
    const char *level = ps_api_call_text(call, "log");
    *ret_wants = (PsApiWants){.alarms = ps_api_call_flag(call, "alarms"),
                              .status = ps_api_call_flag(call, "status"),
                              .log = level != NULL,
                              .after = ps_api_call_header(call, "Last-Event-ID"),
                              .log_after = ps_api_call_integer(call, "log_after", -1),
                              .identity = *ps_api_call_identity(call)};
    if (level != NULL && !ps_log_level_of(level, &ret_wants->level)) {
        return ps_fail(PS_ERR_INVALID, diag, "events", "log",
                       "'%.40s' is no level; use DEBUG, INFO, WARNING or ERROR", level);
    }
    if (watch == NULL && !ret_wants->alarms && !ret_wants->status && level == NULL) {
        return ps_fail(PS_ERR_INVALID, diag, "events", NULL,
                       "nothing is asked for: give watch=ID, alarms=true, status=true or "
                       "log=LEVEL");
    }
    return watch != NULL ? find_watch(call, watch, &ret_wants->watch, diag) : PS_OK;
}

void ps_api_events(PsApiCall *call) {
    PsDiag diag = {0};
    PsApiWants wants;
    PsErr err = take_wants(call, &wants, &diag);
    if (err != PS_OK) {
        ps_api_call_fail(call, err, &diag);
        return;
    }
    PsApiStream *stream = ps_api_stream_new(live_of(call), &wants);
    PsHttpStream *http = NULL;
    err = ps_api_call_stream(call, PS_API_STREAM_QUEUE, ps_api_stream_closed, stream, &http);
    if (err != PS_OK) {
        ps_api_stream_free(stream);
        err = ps_fail(err, &diag, "events", NULL,
                      "cannot be read by more at the moment; close a page that is not looked at");
        ps_api_call_fail(call, err, &diag);
        return;
    }
    ps_api_stream_begin(stream, http);
}
