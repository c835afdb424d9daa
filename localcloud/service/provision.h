//! Fleet provisioning by claim: certificates with their ownership tokens, templates, and what a
//! device makes of both. Answers go to the asking client alone: they hold its private key.
#pragma once

#include "localcloud/service/names.h"
#include "localcloud/service/service.h"
#include "localcloud/service/service_registry.h"

typedef struct PsProvision PsProvision;

PsErr ps_provision_new(sqlite3 *db, const PsServiceRegistry *registry, PsProvision **ret_provision,
                       PsDiag *diag);
void ps_provision_free(PsProvision *provision);
sqlite3 *ps_provision_db(PsProvision *provision);

/// A PUBLISH to $aws/certificates/... or $aws/provisioning-templates/...; `levels` is its topic.
void ps_provision_take(PsProvision *provision, const PsServiceCall *call, const PsLevels *levels,
                       const PsServiceOut *out);
/// Ends tokens, and with them certificates that nobody took. Returns when the next one ends; ns 0:
/// none.
PsWall ps_provision_tick(PsProvision *provision, PsWall now);

// ---- templates as they are kept

typedef struct PsTemplateRow {
    char name[PS_TEMPLATE_NAME_MAX + 1];
    char *description; ///< NULL: none
    char *body;
    char *role;
    json_t *hook; ///< preProvisioningHook: kept, never called
    bool enabled;
    int64_t created_ms;
    int64_t modified_ms;
} PsTemplateRow;

void ps_template_row_deinit(PsTemplateRow *row);
/// PS_ERR_EXISTS.
PsErr ps_template_insert(sqlite3 *db, const PsTemplateRow *row);
PsErr ps_template_save(sqlite3 *db, const PsTemplateRow *row);
PsErr ps_template_find(sqlite3 *db, const char *name, PsTemplateRow *ret_row);
PsErr ps_template_drop(sqlite3 *db, const char *name);
/// The first by name behind `after` (NULL: the first of all). PS_ERR_NOT_FOUND.
PsErr ps_template_next(sqlite3 *db, const char *after, PsTemplateRow *ret_row);
