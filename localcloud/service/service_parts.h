//! The services' parts, for the HTTP handlers and the export beside them.
#pragma once

#include "localcloud/registry/registry.h"
#include "localcloud/service/ingest.h"
#include "localcloud/service/jobs.h"
#include "localcloud/service/provision.h"
#include "localcloud/service/service.h"
#include "localcloud/service/shadow.h"

struct PsServices {
    sqlite3 *db;
    const PsServiceRegistry *registry;
    char *region;
    char *account;
    PsShadows *shadows;
    PsJobs *jobs;
    PsProvision *provision;
    PsIngest *ingest;
    PsRegistryPart shadow_part;
    PsWall forgot; ///< when version numbers of clients were looked through
};
