//! What the services ask of the registry: things, groups, and what provisioning makes. A vtable, so
//! that the services can be tested without a registry and know nothing of its tables.
//! Main thread only.
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <jansson.h>
#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>

/// Called for each thing of a group; the name is borrowed.
typedef void PsServiceThingFn(void *ctx, const char *thing);

/// PEM texts and the id of a certificate that was made. Zero-initialised is empty.
typedef struct PsServiceCertificate {
    char id[65];
    PsBuf certificate_pem;
    PsBuf private_key_pem; ///< empty when made from a CSR
} PsServiceCertificate;

void ps_service_certificate_deinit(PsServiceCertificate *certificate);

typedef struct PsServiceRegistry {
    bool (*thing_exists)(void *ctx, const char *thing);
    bool (*group_exists)(void *ctx, const char *group);
    /// All things of the group and of the groups below it.
    void (*group_things)(void *ctx, const char *group, PsServiceThingFn *fn, void *fn_ctx);

    /// Makes a certificate in state PENDING_ACTIVATION, with a key pair of its own when `csr_pem`
    /// is NULL: `key`, borrowed, or a new one. PS_ERR_INVALID: the request is no good CSR.
    PsErr (*make_certificate)(void *ctx, const char *csr_pem, EVP_PKEY *key,
                              PsServiceCertificate *ret_certificate, PsDiag *diag);
    /// Takes it away again: its ownership token died before it was used. Only while it is still
    /// PENDING_ACTIVATION.
    void (*drop_certificate)(void *ctx, const char *certificate_id);
    /// The three resources of a provisioning template. `status` is "ACTIVE" or "INACTIVE".
    PsErr (*set_certificate_status)(void *ctx, const char *certificate_id, const char *status,
                                    PsDiag *diag);
    /// Makes the thing or changes the one that is there. `attributes` is an object of texts or
    /// NULL; `type`, `groups` (array of texts) and `billing_group` may be NULL. `merge`: attributes
    /// are added to what is there, otherwise they replace it.
    PsErr (*put_thing)(void *ctx, const char *thing, const char *type, const json_t *attributes,
                       bool merge, const json_t *groups, const char *billing_group, PsDiag *diag);
    PsErr (*attach_thing)(void *ctx, const char *thing, const char *certificate_id, PsDiag *diag);
    bool (*policy_exists)(void *ctx, const char *policy);
    /// Makes a policy when there is none of that name (one that is there stays as it is).
    PsErr (*put_policy)(void *ctx, const char *policy, const char *document, PsDiag *diag);
    PsErr (*attach_policy)(void *ctx, const char *policy, const char *certificate_id, PsDiag *diag);
    void *ctx;
} PsServiceRegistry;
