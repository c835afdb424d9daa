// What the services add to export and import. Main thread, local database.
#include "localcloud/service/service_rest.h"

#include "localcloud/service/names.h"
#include "localcloud/service/service_parts.h"
#include "localcloud/service/service_routes.h"
#include "localcloud/service/template.h"

#include <string.h>

// ---- shadows

static json_t *take_shadows(void *ctx) {
    return ps_shadows_export(ctx);
}

static PsApiCode put_shadows(void *ctx, const json_t *json, PsApiFault *fault) {
    PsErr err = ps_shadows_import(ctx, json);
    if (err == PS_ERR_INVALID) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "shadows: each is {thing, name, version, state, metadata}");
    }
    return err == PS_OK ? PS_API_OK : ps_service_failed(fault);
}

// ---- what an entry of a table must be

static PsApiCode check(bool good, const char *what, PsApiFault *fault) {
    return good ? PS_API_OK : ps_api_fail(PS_API_INVALID_REQUEST, fault, "%s", what);
}

static bool is_object(json_t *row, const char *member) {
    const char *text = ps_state_text(row, member);
    PS_AUTO_JSON json_t *json = ps_json_parse(text, strlen(text));
    return json_is_object(json);
}

static bool are_texts(const json_t *list) {
    bool good = json_is_array(list);
    for (size_t i = 0; good && i < json_array_size(list); i++) {
        good = json_is_string(json_array_get(list, i));
    }
    return good;
}

static PsApiCode check_job(PsRegistry *registry, json_t *row, PsApiFault *fault) {
    if (!ps_name_is_job(ps_state_text(row, "id"))) {
        return check(false, "'id' is not 1 to 64 of [a-zA-Z0-9_-]", fault);
    }
    if (!are_texts(json_object_get(row, "targets"))) {
        return check(false, "'targets' is not a list of ARNs", fault);
    }
    return check(is_object(row, "document"), "'document' is not the text of a JSON object", fault);
}

static PsApiCode check_execution(PsRegistry *registry, json_t *row, PsApiFault *fault) {
    if (!ps_registry_has(registry, "SELECT row FROM service_job WHERE id = ?",
                         ps_state_text(row, "job"))) {
        return check(false, "'job' is not the id of an entry of jobs", fault);
    }
    const json_t *details = json_object_get(row, "statusDetails");
    PsJobRefusal refusal = {0};
    if (json_is_object(details) && ps_job_details_check(details, &refusal) != PS_JOB_OK) {
        return check(false, refusal.message, fault);
    }
    return check(json_integer_value(json_object_get(row, "executionNumber")) > 0,
                 "'executionNumber' does not count from 1", fault);
}

static PsApiCode check_template(PsRegistry *registry, json_t *row, PsApiFault *fault) {
    PsDiag diag = {0};
    if (ps_template_check(ps_state_text(row, "templateBody"), &diag) == PS_OK) {
        return PS_API_OK;
    }
    char text[sizeof(PsDiag) + 8];
    ps_diag_format(&diag, text, sizeof text);
    return ps_api_fail(PS_API_INVALID_REQUEST, fault, "'templateBody': %s", text);
}

static PsApiCode check_rule(PsRegistry *registry, json_t *row, PsApiFault *fault) {
    if (!ps_name_is_rule(ps_state_text(row, "name"))) {
        return check(false, "'name' is not 1 to 128 of [a-zA-Z0-9_]", fault);
    }
    return check(json_is_object(json_object_get(row, "payload")),
                 "'payload' is not a topicRulePayload", fault);
}

#define ANY PS_STATE_NO_CHECK

// In this order they can be filled.
static const PsStateTable tables[PS_SERVICE_TABLES] = {
    {"jobs",
     "service_job",
     "row",
     check_job,
     {{"id", "id", PS_STATE_TEXT, ANY, NULL},
      {"continuous", "continuous", PS_STATE_NUMBER, ANY, NULL},
      {"status", "phase", PS_STATE_WORD, ANY, ps_job_phases},
      {"targets", "targets", PS_STATE_JSON, ANY, NULL},
      {"description", "description", PS_STATE_TEXT_OR_NULL, PS_NAME_DESCRIPTION, NULL},
      {"document", "document", PS_STATE_TEXT, ANY, NULL},
      {"options", "options", PS_STATE_JSON_OR_NULL, ANY, NULL},
      {"created_ms", "created", PS_STATE_NUMBER, ANY, NULL},
      {"modified_ms", "updated", PS_STATE_NUMBER, ANY, NULL},
      {"completed_ms", "completed", PS_STATE_NUMBER, ANY, NULL},
      {"forced", "forced", PS_STATE_NUMBER, ANY, NULL},
      {"reasonCode", "reason", PS_STATE_TEXT_OR_NULL, ANY, NULL},
      {"comment", "comment", PS_STATE_TEXT_OR_NULL, ANY, NULL}}},
    {"jobExecutions",
     "service_job_execution",
     "row",
     check_execution,
     {{"job", "job", PS_STATE_TEXT, ANY, NULL},
      {"thing", "thing", PS_STATE_TEXT, PS_NAME_THING, NULL},
      {"executionNumber", "number", PS_STATE_NUMBER, ANY, NULL},
      {"status", "status", PS_STATE_WORD, ANY, ps_job_statuses},
      {"statusDetails", "details", PS_STATE_JSON_OR_NULL, ANY, NULL},
      {"queued_ms", "queued", PS_STATE_NUMBER, ANY, NULL},
      {"started_ms", "started", PS_STATE_NUMBER, ANY, NULL},
      {"modified_ms", "updated", PS_STATE_NUMBER, ANY, NULL},
      {"version", "version", PS_STATE_NUMBER, ANY, NULL},
      {"forced", "forced", PS_STATE_NUMBER, ANY, NULL},
      {"jobDeadline_ms", "job_deadline", PS_STATE_NUMBER, ANY, NULL},
      {"stepDeadline_ms", "step_deadline", PS_STATE_NUMBER, ANY, NULL}}},
    {"provisioningTemplates",
     "service_template",
     "name",
     check_template,
     {{"name", "name", PS_STATE_TEXT, PS_NAME_TEMPLATE, NULL},
      {"description", "description", PS_STATE_TEXT_OR_NULL, ANY, NULL},
      {"templateBody", "body", PS_STATE_TEXT, ANY, NULL},
      {"provisioningRoleArn", "role", PS_STATE_TEXT, ANY, NULL},
      {"preProvisioningHook", "hook", PS_STATE_JSON_OR_NULL, ANY, NULL},
      {"enabled", "enabled", PS_STATE_NUMBER, ANY, NULL},
      {"created_ms", "created", PS_STATE_NUMBER, ANY, NULL},
      {"modified_ms", "modified", PS_STATE_NUMBER, ANY, NULL}}},
    {"topicRules",
     "service_rule",
     "name",
     check_rule,
     {{"name", "name", PS_STATE_TEXT, ANY, NULL},
      {"payload", "payload", PS_STATE_JSON, ANY, NULL},
      {"disabled", "disabled", PS_STATE_NUMBER, ANY, NULL},
      {"created_ms", "created", PS_STATE_NUMBER, ANY, NULL}}},
};

// ---- parts

static json_t *take_table(void *ctx) {
    const PsServiceTable *table = ctx;
    return ps_state_table_take(table->registry, table->shape);
}

// An export of before these tables had members has none of them.
static PsApiCode put_table(void *ctx, const json_t *json, PsApiFault *fault) {
    const PsServiceTable *table = ctx;
    ps_state_table_clear(table->registry, table->shape);
    return json != NULL ? ps_state_table_put(table->registry, table->shape, json, fault)
                        : PS_API_OK;
}

void ps_services_add_parts(PsServices *services, PsRegistry *registry) {
    services->shadow_part = (PsRegistryPart){
        .name = "shadows", .ctx = services->shadows, .take = take_shadows, .put = put_shadows};
    ps_registry_add_part(registry, &services->shadow_part);
    for (size_t i = 0; i < PS_SERVICE_TABLES; i++) {
        PsServiceTable *table = &services->tables[i];
        *table = (PsServiceTable){registry, &tables[i], {0}};
        table->part = (PsRegistryPart){
            .name = tables[i].member, .ctx = table, .take = take_table, .put = put_table};
        ps_registry_add_part(registry, &table->part);
    }
}
