// The table of the services' HTTP calls, and what their handlers share. Main thread.
#include "localcloud/service/service_rest.h"

#include "base/mem.h"
#include "localcloud/service/service_routes.h"

#include <stdlib.h>
#include <string.h>

#define CONTROL PS_API_CONTROL
#define DATA PS_API_DATA

static const PsRestRoute routes[] = {
    {"GetThingShadow", "GET", "/things/{thingName}/shadow", ps_service_get_shadow, DATA},
    {"UpdateThingShadow", "POST", "/things/{thingName}/shadow", ps_service_update_shadow, DATA},
    {"DeleteThingShadow", "DELETE", "/things/{thingName}/shadow", ps_service_delete_shadow, DATA},
    {"ListNamedShadowsForThing", "GET", "/api/things/shadow/ListNamedShadowsForThing/{thingName}",
     ps_service_list_shadows, DATA},

    {"CreateJob", "PUT", "/jobs/{jobId}", ps_service_create_job, CONTROL},
    {"DescribeJob", "GET", "/jobs/{jobId}", ps_service_describe_job, CONTROL},
    {"UpdateJob", "PATCH", "/jobs/{jobId}", ps_service_update_job, CONTROL},
    {"DeleteJob", "DELETE", "/jobs/{jobId}", ps_service_delete_job, CONTROL},
    {"ListJobs", "GET", "/jobs", ps_service_list_jobs, CONTROL},
    {"CancelJob", "PUT", "/jobs/{jobId}/cancel", ps_service_cancel_job, CONTROL},
    {"AssociateTargetsWithJob", "POST", "/jobs/{jobId}/targets", ps_service_associate_targets,
     CONTROL},
    {"GetJobDocument", "GET", "/jobs/{jobId}/job-document", ps_service_get_job_document, CONTROL},
    {"ListJobExecutionsForJob", "GET", "/jobs/{jobId}/things", ps_service_list_executions_for_job,
     CONTROL},
    {"ListJobExecutionsForThing", "GET", "/things/{thingName}/jobs", ps_service_thing_jobs,
     CONTROL},
    {"DescribeJobExecution", "GET", "/things/{thingName}/jobs/{jobId}", ps_service_thing_job,
     CONTROL},
    {"CancelJobExecution", "PUT", "/things/{thingName}/jobs/{jobId}/cancel",
     ps_service_cancel_execution, CONTROL},
    {"DeleteJobExecution", "DELETE",
     "/things/{thingName}/jobs/{jobId}/executionNumber/{executionNumber}",
     ps_service_delete_execution, CONTROL},
    {"StartNextPendingJobExecution", "PUT", "/things/{thingName}/jobs/{jobId}",
     ps_service_start_next, DATA},
    {"UpdateJobExecution", "POST", "/things/{thingName}/jobs/{jobId}", ps_service_update_execution,
     DATA},

    {"CreateProvisioningTemplate", "POST", "/provisioning-templates", ps_service_create_template,
     CONTROL},
    {"ListProvisioningTemplates", "GET", "/provisioning-templates", ps_service_list_templates,
     CONTROL},
    {"DescribeProvisioningTemplate", "GET", "/provisioning-templates/{templateName}",
     ps_service_describe_template, CONTROL},
    {"UpdateProvisioningTemplate", "PATCH", "/provisioning-templates/{templateName}",
     ps_service_update_template, CONTROL},
    {"DeleteProvisioningTemplate", "DELETE", "/provisioning-templates/{templateName}",
     ps_service_delete_template, CONTROL},

    {"CreateTopicRule", "POST", "/rules/{ruleName}", ps_service_create_rule, CONTROL},
    {"ReplaceTopicRule", "PATCH", "/rules/{ruleName}", ps_service_replace_rule, CONTROL},
    {"GetTopicRule", "GET", "/rules/{ruleName}", ps_service_get_rule, CONTROL},
    {"ListTopicRules", "GET", "/rules", ps_service_list_rules, CONTROL},
    {"EnableTopicRule", "POST", "/rules/{ruleName}/enable", ps_service_enable_rule, CONTROL},
    {"DisableTopicRule", "POST", "/rules/{ruleName}/disable", ps_service_disable_rule, CONTROL},
    {"DeleteTopicRule", "DELETE", "/rules/{ruleName}", ps_service_delete_rule, CONTROL},
};

PsRestRoutes ps_services_routes(PsServicesRest *rest) {
    return (PsRestRoutes){.routes = routes, .count = PS_COUNT(routes), .ctx = rest};
}

PsApiCode ps_service_failed(PsApiFault *fault) {
    return ps_api_fail(PS_API_INTERNAL, fault, "The cloud's database failed; its log says why");
}

PsApiCode ps_service_check_name(bool good, const char *what, const char *pattern,
                                PsApiFault *fault) {
    return good ? PS_API_OK
                : ps_api_fail(PS_API_INVALID_REQUEST, fault,
                              "%s does not have the form it must have: %s", what, pattern);
}

PsApiCode ps_service_take_text(const json_t *body, const char *name, size_t max, char **ret_text,
                               PsApiFault *fault) {
    const char *text = NULL;
    PsApiCode code = ps_rest_text(body, name, false, &text, fault);
    if (code == PS_API_OK && text != NULL && strlen(text) > max) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault, "%s is longer than %zu characters", name,
                           max);
    }
    if (code == PS_API_OK && text != NULL) {
        free(*ret_text);
        *ret_text = ps_strdup(text);
    }
    return code;
}
