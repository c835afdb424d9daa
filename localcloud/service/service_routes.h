//! Handlers of service_rest.c's table; each is in a file rest_*.c.
#pragma once

#include "localcloud/registry/account.h"
#include "localcloud/rest/page.h"
#include "localcloud/rest/rest.h"
#include "localcloud/service/service_parts.h"
#include "localcloud/service/service_rest.h"

#define PS_SERVICE_HANDLER(name)                                                                   \
    PsApiCode name(const PsRestCall *call, PsRestAnswer *answer, PsApiFault *fault)

PS_SERVICE_HANDLER(ps_service_get_shadow);
PS_SERVICE_HANDLER(ps_service_update_shadow);
PS_SERVICE_HANDLER(ps_service_delete_shadow);
PS_SERVICE_HANDLER(ps_service_list_shadows);

PS_SERVICE_HANDLER(ps_service_create_job);
PS_SERVICE_HANDLER(ps_service_describe_job);
PS_SERVICE_HANDLER(ps_service_update_job);
PS_SERVICE_HANDLER(ps_service_list_jobs);
PS_SERVICE_HANDLER(ps_service_cancel_job);
PS_SERVICE_HANDLER(ps_service_delete_job);
PS_SERVICE_HANDLER(ps_service_associate_targets);
PS_SERVICE_HANDLER(ps_service_get_job_document);
PS_SERVICE_HANDLER(ps_service_list_executions_for_job);
PS_SERVICE_HANDLER(ps_service_cancel_execution);
PS_SERVICE_HANDLER(ps_service_delete_execution);
// Both APIs of jobs have these paths; the signature says which one is meant.
PS_SERVICE_HANDLER(ps_service_thing_jobs);
PS_SERVICE_HANDLER(ps_service_thing_job);
PS_SERVICE_HANDLER(ps_service_start_next);
PS_SERVICE_HANDLER(ps_service_update_execution);
/// ListJobExecutionsForThing and DescribeJobExecution of the control plane.
PS_SERVICE_HANDLER(ps_service_list_executions_for_thing);
PS_SERVICE_HANDLER(ps_service_describe_execution);

PS_SERVICE_HANDLER(ps_service_create_template);
PS_SERVICE_HANDLER(ps_service_describe_template);
PS_SERVICE_HANDLER(ps_service_update_template);
PS_SERVICE_HANDLER(ps_service_list_templates);
PS_SERVICE_HANDLER(ps_service_delete_template);

PS_SERVICE_HANDLER(ps_service_create_rule);
PS_SERVICE_HANDLER(ps_service_replace_rule);
PS_SERVICE_HANDLER(ps_service_get_rule);
PS_SERVICE_HANDLER(ps_service_list_rules);
PS_SERVICE_HANDLER(ps_service_enable_rule);
PS_SERVICE_HANDLER(ps_service_disable_rule);
PS_SERVICE_HANDLER(ps_service_delete_rule);

// ---- shared by the handlers

static inline PsServices *ps_services_of(const PsRestCall *call) {
    return ((PsServicesRest *)call->ctx)->services;
}

static inline const PsServiceOut *ps_service_out_of(const PsRestCall *call) {
    return ((PsServicesRest *)call->ctx)->out;
}

/// The database failed (and said so in the log).
PsApiCode ps_service_failed(PsApiFault *fault);
/// A query parameter's or a body's name is checked: PS_API_INVALID_REQUEST when `good` is false.
PsApiCode ps_service_check_name(bool good, const char *what, const char *pattern,
                                PsApiFault *fault);
/// Copies an optional text member of at most `max` bytes; NULL when absent.
PsApiCode ps_service_take_text(const json_t *body, const char *name, size_t max, char **ret_text,
                               PsApiFault *fault);
