// Changing the configuration by name: one object, or many edits at once. Each is a revision. Main
// thread; the work is the daemon's.
#include "api/edits.h"

#include "api/handlers_config.h"
#include "api/message_script.h"
#include "api/resource.h"
#include "base/text.h"
#include "model/tables.h"

#include <string.h>

// --- asking for it ------------------------------------------------------------------------------

// A refusal tells the first mistake as the problem, and all of them as findings.
static void answer_refusal(PsApiCall *call, json_t *answer) {
    const json_t *findings = json_object_get(answer, "findings");
    const json_t *first = NULL;
    size_t index;
    json_t *finding;
    json_array_foreach(findings, index, finding) {
        const char *severity = json_string_value(json_object_get(finding, "severity"));
        if (first == NULL && severity != NULL && strcmp(severity, "error") == 0) {
            first = finding;
        }
    }
    PsDiag diag = {0};
    ps_diag_set(&diag, json_string_value(json_object_get(first, "object")),
                json_string_value(json_object_get(first, "field")), "%s",
                json_string_value(json_object_get(first != NULL ? first : answer, "text")));
    json_t *all = json_incref(json_object_get(answer, "findings"));
    json_decref(answer);
    ps_api_call_fail_findings(call, PS_ERR_INVALID, &diag, all);
}

void ps_api_edit_done(PsErr result, const PsDiag *diag, json_t *answer, void *ctx) {
    const char *outcome = json_string_value(json_object_get(answer, "result"));
    if (result == PS_OK && outcome != NULL && strcmp(outcome, "refused") == 0) {
        answer_refusal(ctx, answer);
    } else {
        ps_api_change_done(result, diag, answer, ctx);
    }
}

void ps_api_ask_change(PsApiCall *call, PsApiChange change, PsApiChangeDone *done, void *ctx) {
    const PsApiChanges *changes = ps_api_call_sources(call)->changes;
    const char *why = ps_api_call_text(call, "why");
    char who[PS_ACCOUNT_NAME_MAX + 1];
    PsDiag diag = {0};
    ps_api_call_user(call, who, sizeof who);
    change.who = who;
    change.why = why != NULL ? why : "";
    change.base = (uint32_t)ps_api_call_integer(call, "base", 0);
    change.dry_run = ps_api_call_flag(call, "dry_run");
    // Who may listen where is not for whoever sets up devices, whichever way it comes.
    change.keep_web = ps_api_call_role(call) < PS_ROLE_ADMINISTRATOR;
    PsErr err = changes->change(&change, done, ctx, changes->ctx, &diag);
    if (err != PS_OK) {
        done(err, &diag, NULL, ctx);
    }
}

static void ask(PsApiCall *call, json_t *edits) {
    ps_api_ask_change(call, (PsApiChange){.edits = edits}, ps_api_edit_done, call);
}

static void refuse(PsApiCall *call, const char *object, const char *field, const char *text) {
    PsDiag diag = {0};
    PsErr err = ps_fail(PS_ERR_INVALID, &diag, object, field, "%s", text);
    ps_api_call_fail(call, err, &diag);
}

// --- one object ---------------------------------------------------------------------------------

static bool is_message(const PsApiResource *resource) {
    return resource->table == &ps_table_publish || resource->table == &ps_table_subscribe;
}

// A form may give back what a GET answered besides the keys of the table.
static json_t *copy_value(const PsApiResource *resource, const json_t *body) {
    json_t *value = json_copy((json_t *)(uintptr_t)body);
    if (resource->table == &ps_table_device) {
        (void)json_object_del(value, "state");
        (void)json_object_del(value, "last_error");
        (void)json_object_del(value, "browse");
    }
    return value;
}

static void put(PsApiCall *call, const char *name) {
    const PsApiResource *resource = ps_api_resource(call);
    const json_t *body = ps_api_call_body_json(call);
    if (!json_is_object(body)) {
        refuse(call, resource->table->kind, NULL, "must be a JSON object with its keys");
        return;
    }
    json_t *value = copy_value(resource, body);
    json_t *file = is_message(resource)
                       ? ps_message_script_take(ps_api_call_sources(call)->config, name, value)
                       : NULL;
    json_t *edit =
        json_pack("{s:s, s:s, s:o}", "op", "put", "block", resource->table->block, "value", value);
    if (name != NULL) {
        json_object_set_new(edit, "name", json_string(name));
    }
    if (resource->scope_key != NULL) {
        json_object_set_new(edit, "device", json_string(ps_api_call_text(call, "device")));
    }
    json_t *edits = json_array();
    json_array_append_new(edits, edit);
    if (file != NULL) {
        json_array_append_new(edits, file);
    }
    ask(call, edits);
}

void ps_api_resource_add(PsApiCall *call) {
    put(call, NULL);
}

void ps_api_resource_put(PsApiCall *call) {
    put(call, ps_api_call_text(call, "name"));
}

void ps_api_single_put(PsApiCall *call) {
    put(call, NULL);
}

// Parameter `cascade`.
void ps_api_resource_delete(PsApiCall *call) {
    const PsApiResource *resource = ps_api_resource(call);
    json_t *edit = json_pack("{s:s, s:s, s:s, s:b}", "op", "delete", "block",
                             resource->table->block, "name", ps_api_call_text(call, "name"),
                             "cascade", (int)ps_api_call_flag(call, "cascade"));
    if (resource->scope_key != NULL) {
        json_object_set_new(edit, "device", json_string(ps_api_call_text(call, "device")));
    }
    ask(call, json_pack("[o]", edit));
}

// --- many ---------------------------------------------------------------------------------------

// Body: `edits`, `why`, `base`, `dry_run`.
void ps_api_edits(PsApiCall *call) {
    ask(call, json_incref(json_object_get(ps_api_call_arguments(call), "edits")));
}
