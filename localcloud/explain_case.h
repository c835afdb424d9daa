//! What `penstock-cloud explain` asks about: a connection with its policies, put together from
//! files or from the registry. Main thread; reads files.
#pragma once

#include "localcloud/pki.h"
#include "localcloud/policy/reasons.h"
#include "localcloud/registry/registry.h"

#define PS_EXPLAIN_POLICIES 20
#define PS_EXPLAIN_ATTRIBUTES 50

/// The command line. All borrowed.
typedef struct PsExplainOrder {
    const char *dir;                           ///< the cloud's folder; NULL: files only
    const char *policies[PS_EXPLAIN_POLICIES]; ///< files; when given, they stand for the account's
    size_t policy_count;
    const char *certificate; ///< id or PEM file
    PsPolicyAction action;
    bool action_given;
    const char *resource; ///< ARN, or what stands behind topic/ and so on
    const char *client_id;
    const char *thing;
    const char *thing_type;
    PsPolicyAttribute attributes[PS_EXPLAIN_ATTRIBUTES];
    size_t attribute_count;
    const char *source_ip;
    const char *domain;
    const char *will; ///< topic
    bool persistent;
} PsExplainOrder;

/// Zero-initialised is empty; owns what its context points to, but for texts of the order.
typedef struct PsExplainCase {
    PsPolicySet set;
    PsPolicyContext context;
    PsPolicyAction action;
    const char *resource; ///< ARN
    // behind the above
    PsPolicyPlace place;
    PsRegistry *registry;
    PsRegistryThing stored;
    PsPolicyThing thing;
    PsPolicyAttribute *own_attributes;
    PsPolicyCertificate *certificate;
    char certificate_id[PS_PKI_ID_SIZE];
    PsBuf resource_text;
    PsBuf will_text;
} PsExplainCase;

/// PS_ERR_INVALID (a policy or certificate that is none), PS_ERR_NOT_FOUND, PS_ERR_IO. To be
/// freed in any case.
PsErr ps_explain_case_init(const PsExplainOrder *order, PsExplainCase *question, PsDiag *diag);
void ps_explain_case_deinit(PsExplainCase *question);
