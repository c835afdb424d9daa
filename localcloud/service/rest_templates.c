// The control plane of fleet provisioning templates. A template has one version. Main thread.
#include "localcloud/service/service_routes.h"

#include "base/mem.h"
#include "localcloud/service/template.h"

#include <stdio.h>
#include <string.h>

#define DESCRIPTION_MAX 500
#define ROLE_MAX 2048

static json_t *arn_of(const PsRestCall *call, const char *name) {
    char arn[PS_JOB_ARN_SIZE];
    ps_jobs_arn(ps_services_of(call)->jobs, "provisioningtemplate", name, arn, sizeof arn);
    return json_string(arn);
}

static PsApiCode check_name(const char *name, PsApiFault *fault) {
    return ps_service_check_name(name != NULL && ps_name_is_template(name), "templateName",
                                 "1 to 36 of [0-9A-Za-z_-]", fault);
}

static PsApiCode find(const PsRestCall *call, PsTemplateRow *row, PsApiFault *fault) {
    PsErr err = ps_template_find(ps_services_of(call)->db, call->parameters[0], row);
    if (err == PS_ERR_NOT_FOUND) {
        return ps_api_fail(PS_API_NOT_FOUND, fault, "Template %s cannot be found.",
                           call->parameters[0]);
    }
    return err == PS_OK ? PS_API_OK : ps_service_failed(fault);
}

static PsApiCode take_enabled(const json_t *body, bool *ret_enabled, PsApiFault *fault) {
    const json_t *enabled = json_object_get(body, "enabled");
    if (enabled != NULL && !json_is_boolean(enabled)) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault, "enabled is true or false");
    }
    *ret_enabled = enabled != NULL ? json_is_true(enabled) : *ret_enabled;
    return PS_API_OK;
}

static PsApiCode take_body(const json_t *body, PsTemplateRow *row, PsApiFault *fault) {
    const char *text = NULL;
    const char *type = NULL;
    PsDiag diag = {0};
    PsApiCode code = ps_rest_text(body, "templateBody", true, &text, fault);
    code = code == PS_API_OK ? ps_rest_text(body, "type", false, &type, fault) : code;
    if (code != PS_API_OK) {
        return code;
    }
    if (type != NULL && strcmp(type, "FLEET_PROVISIONING") != 0) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "the local cloud has templates of type FLEET_PROVISIONING only");
    }
    if (ps_template_check(text, &diag) != PS_OK) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault, "templateBody: %s%s%s", diag.field,
                           diag.field[0] != '\0' ? ": " : "", diag.text);
    }
    row->body = ps_strdup(text);
    row->hook = json_incref(json_object_get(body, "preProvisioningHook"));
    return PS_API_OK;
}

static PsApiCode insert(const PsRestCall *call, PsTemplateRow *row, PsApiFault *fault) {
    row->created_ms = row->modified_ms = ps_wall_now().ns / PS_NS_PER_MS;
    PsErr err = ps_template_insert(ps_services_of(call)->db, row);
    if (err == PS_ERR_EXISTS) {
        PsApiCode code =
            ps_api_fail(PS_API_ALREADY_EXISTS, fault, "Template %s already exists.", row->name);
        (void)snprintf(fault->resource_id, sizeof fault->resource_id, "%s", row->name);
        return code;
    }
    return err == PS_OK ? PS_API_OK : ps_service_failed(fault);
}

PS_SERVICE_HANDLER(ps_service_create_template) {
    PsTemplateRow row = {0};
    json_t *body = NULL;
    const char *name = NULL;
    PsApiCode code = ps_rest_body(call, &body, fault);
    code = code == PS_API_OK ? ps_rest_text(body, "templateName", true, &name, fault) : code;
    code = code == PS_API_OK ? check_name(name, fault) : code;
    code = code == PS_API_OK ? take_body(body, &row, fault) : code;
    code = code == PS_API_OK ? take_enabled(body, &row.enabled, fault) : code;
    if (code == PS_API_OK) {
        code = ps_service_take_text(body, "description", DESCRIPTION_MAX, &row.description, fault);
    }
    if (code == PS_API_OK) {
        code = ps_service_take_text(body, "provisioningRoleArn", ROLE_MAX, &row.role, fault);
    }
    if (code == PS_API_OK && row.role == NULL) {
        code = ps_api_fail(PS_API_INVALID_REQUEST, fault, "provisioningRoleArn is missing");
    }
    if (code == PS_API_OK) {
        (void)snprintf(row.name, sizeof row.name, "%s", name);
        code = insert(call, &row, fault);
    }
    if (code == PS_API_OK) {
        answer->json = json_object();
        json_object_set_new(answer->json, "templateArn", arn_of(call, row.name));
        json_object_set_new(answer->json, "templateName", json_string(row.name));
        json_object_set_new(answer->json, "defaultVersionId", json_integer(1));
    }
    ps_template_row_deinit(&row);
    json_decref(body);
    return code;
}

static json_t *summary(const PsRestCall *call, const PsTemplateRow *row) {
    json_t *json = json_object();
    json_object_set_new(json, "templateArn", arn_of(call, row->name));
    json_object_set_new(json, "templateName", json_string(row->name));
    if (row->description != NULL) {
        json_object_set_new(json, "description", json_string(row->description));
    }
    json_object_set_new(json, "creationDate", ps_registry_time(row->created_ms));
    json_object_set_new(json, "lastModifiedDate", ps_registry_time(row->modified_ms));
    json_object_set_new(json, "enabled", json_boolean(row->enabled));
    json_object_set_new(json, "type", json_string("FLEET_PROVISIONING"));
    return json;
}

PS_SERVICE_HANDLER(ps_service_describe_template) {
    PsTemplateRow row = {0};
    PsApiCode code = find(call, &row, fault);
    if (code == PS_API_OK) {
        answer->json = summary(call, &row);
        json_object_set_new(answer->json, "defaultVersionId", json_integer(1));
        json_object_set_new(answer->json, "templateBody", json_string(row.body));
        json_object_set_new(answer->json, "provisioningRoleArn", json_string(row.role));
        if (row.hook != NULL) {
            json_object_set(answer->json, "preProvisioningHook", row.hook);
        }
    }
    ps_template_row_deinit(&row);
    return code;
}

PS_SERVICE_HANDLER(ps_service_update_template) {
    PsTemplateRow row = {0};
    json_t *body = NULL;
    PsApiCode code = find(call, &row, fault);
    code = code == PS_API_OK ? ps_rest_body(call, &body, fault) : code;
    code = code == PS_API_OK ? take_enabled(body, &row.enabled, fault) : code;
    if (code == PS_API_OK) {
        code = ps_service_take_text(body, "description", DESCRIPTION_MAX, &row.description, fault);
    }
    if (code == PS_API_OK) {
        code = ps_service_take_text(body, "provisioningRoleArn", ROLE_MAX, &row.role, fault);
    }
    if (code == PS_API_OK) {
        row.modified_ms = ps_wall_now().ns / PS_NS_PER_MS;
        code = ps_template_save(ps_services_of(call)->db, &row) == PS_OK ? PS_API_OK
                                                                         : ps_service_failed(fault);
    }
    answer->json = json_object();
    ps_template_row_deinit(&row);
    json_decref(body);
    return code;
}

// The token counts the templates that were given already.
PS_SERVICE_HANDLER(ps_service_list_templates) {
    PsPage page;
    PsApiCode code = ps_page_read(call, PS_PAGE_TOKEN, &page, fault);
    if (code != PS_API_OK) {
        return code;
    }
    PsListed listed = {.items = json_array()};
    char after[PS_TEMPLATE_NAME_MAX + 1] = "";
    int64_t at = 0;
    PsTemplateRow row = {0};
    PsErr err = ps_template_next(ps_services_of(call)->db, after, &row);
    for (; err == PS_OK; at++) {
        if (at == page.after + page.limit) {
            listed.next = at;
            break;
        }
        if (at >= page.after) {
            json_array_append_new(listed.items, summary(call, &row));
        }
        (void)snprintf(after, sizeof after, "%s", row.name);
        ps_template_row_deinit(&row);
        err = ps_template_next(ps_services_of(call)->db, after, &row);
    }
    ps_template_row_deinit(&row);
    if (err != PS_OK && err != PS_ERR_NOT_FOUND) {
        json_decref(listed.items);
        return ps_service_failed(fault);
    }
    ps_page_answer(&listed, PS_PAGE_TOKEN, "templates", answer);
    return PS_API_OK;
}

PS_SERVICE_HANDLER(ps_service_delete_template) {
    PsTemplateRow row = {0};
    PsApiCode code = find(call, &row, fault);
    if (code == PS_API_OK && ps_template_drop(ps_services_of(call)->db, row.name) != PS_OK) {
        code = ps_service_failed(fault);
    }
    answer->json = json_object();
    ps_template_row_deinit(&row);
    return code;
}
