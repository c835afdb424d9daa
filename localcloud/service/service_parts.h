//! The services' parts, for the HTTP handlers and the export beside them.
#pragma once

#include "localcloud/registry/state_table.h"
#include "localcloud/service/ingest.h"
#include "localcloud/service/jobs.h"
#include "localcloud/service/provision.h"
#include "localcloud/service/service.h"
#include "localcloud/service/shadow.h"

#define PS_SERVICE_TABLES 4

/// A table of the services in export and import.
typedef struct PsServiceTable {
    PsRegistry *registry;
    const PsStateTable *shape;
    PsRegistryPart part;
} PsServiceTable;

struct PsServices {
    sqlite3 *db;
    const PsServiceRegistry *registry;
    char *region;
    char *account;
    PsShadows *shadows;
    PsJobs *jobs;
    PsProvision *provision;
    PsIngest *ingest;
    size_t job_document_bytes; ///< 0: PS_JOB_DOCUMENT_BYTES
    PsRegistryPart shadow_part;
    PsServiceTable tables[PS_SERVICE_TABLES];
    PsWall forgot; ///< when version numbers of clients were looked through
};
