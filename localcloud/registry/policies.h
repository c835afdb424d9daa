//! Policies with their versions, and whom they are attached to: certificates and thing groups.
//! Inside ps_registry_begin/end; names are checked here, documents by policy/policy.h.
#pragma once

#include "localcloud/registry/account.h"

/// AWS IoT quotas.
#define PS_POLICY_VERSIONS_MOST 5
#define PS_POLICIES_PER_TARGET 10

/// PS_API_MALFORMED_POLICY with the place, PS_API_ALREADY_EXISTS.
PsApiCode ps_policy_create(PsRegistry *registry, const char *name, const char *document,
                           json_t **ret_answer, PsApiFault *fault);
PsApiCode ps_policy_get(PsRegistry *registry, const char *name, json_t **ret_answer,
                        PsApiFault *fault);
/// PS_API_DELETE_CONFLICT: it is attached, or has other versions than the default one.
PsApiCode ps_policy_delete(PsRegistry *registry, const char *name, PsApiFault *fault);
PsListed ps_policy_list(PsRegistry *registry, const PsPage *page);
PsApiCode ps_policy_check(PsRegistry *registry, const char *name, PsApiFault *fault);

/// PS_API_VERSIONS_LIMIT: it has five.
PsApiCode ps_policy_version_create(PsRegistry *registry, const char *name, const char *document,
                                   bool as_default, json_t **ret_answer, PsApiFault *fault);
PsApiCode ps_policy_version_get(PsRegistry *registry, const char *name, const char *version,
                                json_t **ret_answer, PsApiFault *fault);
PsApiCode ps_policy_version_list(PsRegistry *registry, const char *name, json_t **ret_answer,
                                 PsApiFault *fault);
/// PS_API_DELETE_CONFLICT: it is the default one.
PsApiCode ps_policy_version_delete(PsRegistry *registry, const char *name, const char *version,
                                   PsApiFault *fault);
PsApiCode ps_policy_version_default(PsRegistry *registry, const char *name, const char *version,
                                    PsApiFault *fault);

/// `target`: the ARN of a certificate or a thing group. Twice is no fault, detaching what is not
/// attached neither. PS_API_NOT_FOUND, PS_API_LIMIT_EXCEEDED.
PsApiCode ps_policy_attach(PsRegistry *registry, const char *name, const char *target,
                           PsApiFault *fault);
PsApiCode ps_policy_detach(PsRegistry *registry, const char *name, const char *target,
                           PsApiFault *fault);
/// `recursive`: also those of the groups above a group. Items: {policyName, policyArn}.
PsApiCode ps_policy_list_attached(PsRegistry *registry, const char *target, bool recursive,
                                  const PsPage *page, PsListed *ret_listed, PsApiFault *fault);
/// Items: ARNs.
PsApiCode ps_policy_list_targets(PsRegistry *registry, const char *name, const PsPage *page,
                                 PsListed *ret_listed, PsApiFault *fault);

/// GetEffectivePolicies: `principal` a certificate's ARN or NULL, `thing` a name or NULL.
PsApiCode ps_policy_effective(PsRegistry *registry, const char *principal, const char *thing,
                              json_t **ret_answer, PsApiFault *fault);
