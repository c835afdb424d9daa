// The calls `dead`, `replay`, `replay_stop` and `replay_status`: what scripts did not finish. Main
// thread.
#include "outbox/dead.h"
#include "api/handlers_live.h"
#include "api/values.h"
#include "script/kept.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 500

static json_t *text_of(PsWireText text) {
    json_t *json = json_stringn(text.data, text.len);
    return json != NULL ? json : json_sprintf("(%u bytes, not text)", (unsigned)text.len);
}

static void put_value(PsWireText device, PsWireText variable, PsValue value, void *ctx) {
    json_t *values = ctx;
    char key[1024];
    snprintf(key, sizeof key, "%.*s", (int)device.len, device.data);
    json_t *of_device = json_object_get(values, key);
    if (of_device == NULL) {
        of_device = json_object();
        json_object_set_new(values, key, of_device);
    }
    snprintf(key, sizeof key, "%.*s", (int)variable.len, variable.data);
    json_object_set_new(of_device, key,
                        json_pack("{s:o, s:i}", "raw_data", ps_api_value(value), "status",
                                  (int)(value.kind != PS_VALUE_NONE)));
}

static void put_alarm(const PsKeptAlarm *alarm, void *ctx) {
    char key[1024];
    snprintf(key, sizeof key, "%.*s", (int)alarm->name.len, alarm->name.data);
    json_object_set_new(ctx, key,
                        json_pack("{s:I, s:s, s:i, s:o, s:o, s:i}", "timestamp",
                                  (json_int_t)alarm->timestamp, "current", alarm->on ? "on" : "off",
                                  "status", (int)!alarm->on, "value", ps_api_value(alarm->value),
                                  "alarm_content", text_of(alarm->content), "level", alarm->level));
}

static json_t *message_of(const PsDeadLetter *letter) {
    const char *topic = letter->input;
    size_t topic_len = strnlen(topic, letter->input_len);
    if (topic_len == letter->input_len) {
        return json_null();
    }
    PsWireText payload = {.data = topic + topic_len + 1,
                          .len = (uint32_t)(letter->input_len - topic_len - 1)};
    PsWireText name = {.data = topic, .len = (uint32_t)topic_len};
    return json_pack("{s:o, s:o}", "topic", text_of(name), "payload", text_of(payload));
}

// The input as the script gets it, or the message that was set aside; null when it cannot be read.
static json_t *input_of(const PsDeadLetter *letter) {
    if (letter->form == PS_DEAD_FORM_MESSAGE) {
        return message_of(letter);
    }
    PsScriptKept kept = {.form = letter->form,
                         .input = letter->input,
                         .input_len = letter->input_len,
                         .schema = letter->schema,
                         .schema_len = letter->schema_len};
    PsWireText first;
    PsWireText second;
    if (ps_kept_message(&kept, &first, &second) == PS_OK) {
        return json_pack("{s:o, s:o}", "topic", text_of(first), "payload", text_of(second));
    }
    double timestamp = 0;
    json_t *values = json_object();
    PsErr err = kept.form == PS_KEPT_ALARMS
                    ? ps_kept_alarms(&kept, &first, &timestamp, put_alarm, values)
                    : ps_kept_snapshot(&kept, &first, &timestamp, put_value, values);
    if (err != PS_OK) {
        json_decref(values);
        return json_null();
    }
    return json_pack("{s:f, s:o, s:o}", "timestamp", timestamp, "values", values, "group_name",
                     text_of(first));
}

static json_t *letter_row(const PsOutbox *outbox, const PsDeadLetter *letter) {
    json_t *row = json_object();
    json_object_set_new(row, "id", json_integer((json_int_t)letter->id));
    json_object_set_new(row, "message",
                        json_string(ps_outbox_ledger(outbox, letter->message)->name));
    bool message = letter->form == PS_DEAD_FORM_MESSAGE;
    json_object_set_new(row, "kind", json_string(message ? "message" : "input"));
    json_object_set_new(row, "collected", ps_api_time(letter->collected));
    json_object_set_new(row, "died", ps_api_time(letter->died));
    json_object_set_new(row, "bytes", json_integer((json_int_t)letter->input_len));
    json_object_set_new(row, "reason", text_of(ps_wire_text(letter->reason)));
    if (letter->input != NULL) {
        json_object_set_new(row, "input", input_of(letter));
    }
    return row;
}

// Where the next page begins. A text: a browser would round the nanoseconds.
static json_t *place_behind(const PsDeadLetter *last) {
    char text[48];
    snprintf(text, sizeof text, "%" PRId64 "-%" PRIu64, last->collected.ns, last->id);
    return json_string(text);
}

static PsErr read_place(const char *text, PsDeadQuery *query, PsDiag *diag) {
    char *behind = NULL;
    errno = 0;
    long long ns = strtoll(text, &behind, 10);
    bool sound = behind != text && *behind == '-' && behind[1] >= '0' && behind[1] <= '9';
    unsigned long long id = sound ? strtoull(behind + 1, &behind, 10) : 0;
    if (!sound || *behind != '\0' || errno != 0 || id == 0) {
        return ps_fail(PS_ERR_INVALID, diag, "dead letters", "after",
                       "must be what the page before had as `next`, not '%.40s'", text);
    }
    query->after_collected.ns = ns;
    query->after_id = id;
    return PS_OK;
}

static void on_fetched(PsErr result, const PsDeadLetter *letters, size_t count, void *ctx) {
    PsApiCall *call = ctx;
    if (result != PS_OK) {
        PsDiag diag = {0};
        PsErr err = ps_fail(result, &diag, "dead letters", NULL, "cannot be read (%s)",
                            ps_err_name(result));
        ps_api_call_fail(call, err, &diag);
        return;
    }
    json_t *rows = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(rows, letter_row(ps_api_call_sources(call)->outbox, &letters[i]));
    }
    ps_api_call_reply(call,
                      json_pack("{s:o, s:o}", "letters", rows, "next",
                                count == PAGE ? place_behind(&letters[count - 1]) : json_null()));
}

PsErr ps_api_find_message(const PsOutbox *outbox, const char *name, size_t *ret_message,
                          PsDiag *diag) {
    for (size_t i = 0; i < ps_outbox_ledger_count(outbox); i++) {
        if (strcmp(ps_outbox_ledger(outbox, i)->name, name) == 0) {
            *ret_message = i;
            return PS_OK;
        }
    }
    return ps_fail(PS_ERR_NOT_FOUND, diag, name, NULL,
                   "there is no message of this name; 'penstock outbox' lists all");
}

// Arguments: `name` of a message, or all; `id` for one letter, whole; `after` for the next page.
void ps_api_dead(PsApiCall *call) {
    const json_t *arguments = ps_api_call_arguments(call);
    PsOutbox *outbox = ps_api_call_sources(call)->outbox;
    const char *name = json_string_value(json_object_get(arguments, "name"));
    json_int_t id = json_integer_value(json_object_get(arguments, "id"));
    const char *after = json_string_value(json_object_get(arguments, "after"));
    PsDeadQuery query = {.message = PS_DEAD_ANY,
                         .id = id > 0 ? (uint64_t)id : 0,
                         .after_collected = {INT64_MIN},
                         .limit = PAGE,
                         .whole = id > 0};
    PsDiag diag = {0};
    PsErr err = after != NULL ? read_place(after, &query, &diag) : PS_OK;
    if (err == PS_OK && name != NULL) {
        err = ps_api_find_message(outbox, name, &query.message, &diag);
    }
    if (err != PS_OK) {
        ps_api_call_fail(call, err, &diag);
        return;
    }
    ps_outbox_dead_fetch(outbox, &query, on_fetched, call);
}

static json_t *replay_row(const PsApiReplay *replay) {
    return json_pack("{s:s, s:b, s:I, s:I, s:I, s:s, s:s}", "message",
                     replay->name != NULL ? replay->name : "", "running", (int)replay->running,
                     "total", (json_int_t)replay->total, "done", (json_int_t)replay->done, "failed",
                     (json_int_t)replay->failed, "reason", replay->reason, "end", replay->end);
}

static void answer_replay(PsApiCall *call, PsErr err, const PsDiag *diag) {
    const PsApiSources *sources = ps_api_call_sources(call);
    if (err != PS_OK) {
        ps_api_call_fail(call, err, diag);
    } else {
        ps_api_call_reply(call, replay_row(sources->replay_status(sources->ctx)));
    }
}

void ps_api_replay(PsApiCall *call) {
    const PsApiSources *sources = ps_api_call_sources(call);
    const json_t *arguments = ps_api_call_arguments(call);
    const char *name = json_string_value(json_object_get(arguments, "name"));
    bool keep_going = json_is_true(json_object_get(arguments, "keep_going"));
    PsDiag diag = {0};
    PsErr err;
    if (name == NULL) {
        err = ps_fail(PS_ERR_INVALID, &diag, "replay", "name", "must be the name of a message");
    } else if (sources->scripts == NULL) {
        err = ps_fail(PS_ERR_INVALID, &diag, name, NULL,
                      "no scripts run, because the cloud service is not enabled");
    } else {
        err = sources->replay(name, keep_going, sources->ctx, &diag);
    }
    answer_replay(call, err, &diag);
}

void ps_api_replay_stop(PsApiCall *call) {
    const PsApiSources *sources = ps_api_call_sources(call);
    PsDiag diag = {0};
    answer_replay(call, sources->replay_stop(sources->ctx, &diag), &diag);
}

void ps_api_replay_status(PsApiCall *call) {
    answer_replay(call, PS_OK, NULL);
}
