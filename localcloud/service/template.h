//! Provisioning templates: what one makes of the parameters a device sends. Pure.
#pragma once

#include "base/err.h"
#include "localcloud/service/json_text.h"

#include <stdbool.h>

#define PS_TEMPLATE_BODY_MAX ((size_t)10240)
#define PS_TEMPLATE_POLICIES_MAX 10 ///< a certificate has no more

typedef struct PsTemplatePolicy {
    char *name;
    char *document; ///< NULL: the policy must be there already
} PsTemplatePolicy;

/// What is to be made. Zero-initialised is nothing; texts are NULL when the template does not say.
typedef struct PsTemplatePlan {
    char *thing;
    char *type;
    json_t *attributes; ///< object of texts
    json_t *groups;     ///< array of texts
    char *billing_group;
    bool merge;         ///< attributes are added to those that are there
    bool keep;          ///< an existing thing's attributes stay (DO_NOTHING)
    bool fail_if_there; ///< override FAIL: a thing that exists is a conflict
    bool inactive;      ///< the certificate becomes INACTIVE
    PsTemplatePolicy policies[PS_TEMPLATE_POLICIES_MAX];
    size_t policy_count;
    json_t *configuration; ///< DeviceConfiguration; NULL: none
} PsTemplatePlan;

void ps_template_plan_deinit(PsTemplatePlan *plan);

/// Is this a template at all: JSON with resources of known types, among them a certificate?
/// PS_ERR_INVALID.
PsErr ps_template_check(const char *body, PsDiag *diag);

/// Evaluates `body` (checked before) for a certificate: parameters with their defaults,
/// AWS::IoT::Certificate::Id, Ref, Fn::Join, Fn::Select, Fn::Split, Fn::FindInMap, Fn::Sub.
/// PS_ERR_INVALID: a parameter is missing or of no use; the plan may be partly filled.
PsErr ps_template_plan(const char *body, const json_t *parameters, const char *certificate_id,
                       PsTemplatePlan *plan, PsDiag *diag);
