//! The services' HTTP calls: shadows and the device API of jobs (data plane), jobs, provisioning
//! templates and topic rules (control plane).
#pragma once

#include "localcloud/rest/rest.h"
#include "localcloud/service/service.h"

typedef struct PsServicesRest {
    PsServices *services;
    const PsServiceOut *out; ///< NULL: nobody is connected (the command line)
} PsServicesRest;

/// A table for PsRestSetup.services. `rest` is borrowed for as long as the table is used.
PsRestRoutes ps_services_routes(PsServicesRest *rest);
/// The services' members of export and import: "shadows", "jobs", "jobExecutions",
/// "provisioningTemplates", "topicRules". Once for a registry; `services` stays.
void ps_services_add_parts(PsServices *services, PsRegistry *registry);
