// Topic rules, as far as Basic Ingest needs them: a rule has a name and can be disabled; its SQL
// and its actions are kept and given back, and nothing more. Main thread.
#include "localcloud/service/service_routes.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_MOST 10000 // API model iot
#define ACTIONS_MOST 10

static PsApiCode find(const PsRestCall *call, PsRuleRow *row, PsApiFault *fault) {
    PsErr err = ps_rule_find(ps_services_of(call)->db, call->parameters[0], row);
    if (err == PS_ERR_NOT_FOUND) {
        return ps_api_fail(PS_API_UNAUTHORIZED, fault, "Access to topic rule '%s' was denied",
                           call->parameters[0]); // the service's words for a rule it does not have
    }
    return err == PS_OK ? PS_API_OK : ps_service_failed(fault);
}

// The payload of a rule: the body itself, or its member of that name.
static PsApiCode read_rule(const PsRestCall *call, PsRuleRow *row, PsApiFault *fault) {
    json_t *body = NULL;
    PsApiCode code = ps_service_check_name(ps_name_is_rule(call->parameters[0]), "ruleName",
                                           "1 to 128 of [a-zA-Z0-9_]", fault);
    code = code == PS_API_OK ? ps_rest_body(call, &body, fault) : code;
    const json_t *payload = json_object_get(body, "topicRulePayload");
    payload = payload != NULL ? payload : body;
    const char *sql = json_string_value(json_object_get(payload, "sql"));
    const json_t *actions = json_object_get(payload, "actions");
    if (code == PS_API_OK && (sql == NULL || strncasecmp(sql, "select ", 7) != 0)) {
        code = ps_api_fail(PS_API_INVALID_REQUEST, fault, "sql is a text that begins with SELECT");
    }
    if (code == PS_API_OK && (!json_is_array(actions) || json_array_size(actions) > ACTIONS_MOST)) {
        code = ps_api_fail(PS_API_INVALID_REQUEST, fault, "actions is a list of up to %d",
                           ACTIONS_MOST);
    }
    if (code == PS_API_OK) {
        PS_AUTO_BUF PsBuf text = {0};
        ps_json_text(payload, &text);
        free(row->payload);
        row->payload = ps_strdup((const char *)text.data);
        row->disabled = json_is_true(json_object_get(payload, "ruleDisabled"));
    }
    json_decref(body);
    return code;
}

PS_SERVICE_HANDLER(ps_service_create_rule) {
    PsRuleRow row = {.created_ms = ps_wall_now().ns / PS_NS_PER_MS};
    PsApiCode code = read_rule(call, &row, fault);
    if (code == PS_API_OK) {
        (void)snprintf(row.name, sizeof row.name, "%s", call->parameters[0]);
        PsErr err = ps_rule_insert(ps_services_of(call)->db, &row);
        code = err == PS_OK ? PS_API_OK
               : err == PS_ERR_EXISTS
                   ? ps_api_fail(PS_API_ALREADY_EXISTS, fault, "Rule %s already exists", row.name)
               : err == PS_ERR_FULL
                   ? ps_api_fail(PS_API_LIMIT_EXCEEDED, fault, "There are 1000 rules already")
                   : ps_service_failed(fault);
    }
    ps_rule_row_deinit(&row);
    return code;
}

static PsApiCode save(const PsRestCall *call, const PsRuleRow *row, PsApiFault *fault) {
    return ps_rule_save(ps_services_of(call)->db, row) == PS_OK ? PS_API_OK
                                                                : ps_service_failed(fault);
}

PS_SERVICE_HANDLER(ps_service_replace_rule) {
    PsRuleRow row = {0};
    PsApiCode code = find(call, &row, fault);
    code = code == PS_API_OK ? read_rule(call, &row, fault) : code;
    code = code == PS_API_OK ? save(call, &row, fault) : code;
    ps_rule_row_deinit(&row);
    return code;
}

static json_t *arn_of(const PsRestCall *call, const PsRuleRow *row) {
    char arn[PS_JOB_ARN_SIZE];
    ps_jobs_arn(ps_services_of(call)->jobs, "rule", row->name, arn, sizeof arn);
    return json_string(arn);
}

PS_SERVICE_HANDLER(ps_service_get_rule) {
    PsRuleRow row = {0};
    PsApiCode code = find(call, &row, fault);
    if (code == PS_API_OK) {
        json_t *rule = ps_json_parse(row.payload, strlen(row.payload));
        json_object_set_new(rule, "ruleName", json_string(row.name));
        json_object_set_new(rule, "createdAt", ps_registry_time(row.created_ms));
        json_object_set_new(rule, "ruleDisabled", json_boolean(row.disabled));
        answer->json = json_object();
        json_object_set_new(answer->json, "ruleArn", arn_of(call, &row));
        json_object_set_new(answer->json, "rule", rule);
    }
    ps_rule_row_deinit(&row);
    return code;
}

static json_t *summary(const PsRestCall *call, const PsRuleRow *row) {
    json_t *json = json_object();
    json_object_set_new(json, "ruleArn", arn_of(call, row));
    json_object_set_new(json, "ruleName", json_string(row->name));
    json_object_set_new(json, "createdAt", ps_registry_time(row->created_ms));
    json_object_set_new(json, "ruleDisabled", json_boolean(row->disabled));
    return json;
}

// The token is the last name of the page before.
PS_SERVICE_HANDLER(ps_service_list_rules) {
    long long most = PAGE_MOST;
    bool only_disabled = false;
    PsApiCode code = ps_rest_query_int(call, "maxResults", 1, PAGE_MOST, PAGE_MOST, &most, fault);
    if (code == PS_API_OK) {
        code = ps_rest_query_bool(call, "ruleDisabled", false, &only_disabled, fault);
    }
    if (code != PS_API_OK) {
        return code;
    }
    bool by_state = ps_rest_query(call, "ruleDisabled") != NULL;
    const char *token = ps_rest_query(call, "nextToken");
    char after[129];
    (void)snprintf(after, sizeof after, "%s", token != NULL ? token : "");
    json_t *rules = json_array();
    PsRuleRow row = {0};
    PsErr err = ps_rule_next(ps_services_of(call)->db, after, &row);
    while (err == PS_OK && (long long)json_array_size(rules) < most) {
        if (!by_state || row.disabled == only_disabled) {
            json_array_append_new(rules, summary(call, &row));
        }
        (void)snprintf(after, sizeof after, "%s", row.name);
        ps_rule_row_deinit(&row);
        err = ps_rule_next(ps_services_of(call)->db, after, &row);
    }
    ps_rule_row_deinit(&row);
    answer->json = json_object();
    json_object_set_new(answer->json, "rules", rules);
    if (err == PS_OK) {
        json_object_set_new(answer->json, "nextToken", json_string(after));
    }
    return err == PS_OK || err == PS_ERR_NOT_FOUND ? PS_API_OK : ps_service_failed(fault);
}

static PsApiCode set_disabled(const PsRestCall *call, bool disabled, PsApiFault *fault) {
    PsRuleRow row = {0};
    PsApiCode code = find(call, &row, fault);
    row.disabled = disabled;
    code = code == PS_API_OK ? save(call, &row, fault) : code;
    ps_rule_row_deinit(&row);
    return code;
}

PS_SERVICE_HANDLER(ps_service_enable_rule) {
    return set_disabled(call, false, fault);
}

PS_SERVICE_HANDLER(ps_service_disable_rule) {
    return set_disabled(call, true, fault);
}

PS_SERVICE_HANDLER(ps_service_delete_rule) {
    PsRuleRow row = {0};
    PsApiCode code = find(call, &row, fault);
    if (code == PS_API_OK && ps_rule_drop(ps_services_of(call)->db, row.name) != PS_OK) {
        code = ps_service_failed(fault);
    }
    ps_rule_row_deinit(&row);
    return code;
}
