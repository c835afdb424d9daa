//! Device certificates: made here, registered from outside, their states. Inside
//! ps_registry_begin/end. Private keys pass through once and are kept nowhere.
#pragma once

#include "localcloud/registry/account.h"

/// PEM texts (API model, CertificatePem).
#define PS_PEM_MAX 65536
/// A signing request (API model).
#define PS_REQUEST_MAX 4096

/// CreateKeysAndCertificate; also provisioning by claim, with PENDING_ACTIVATION. The answer holds
/// the private key. `key` is borrowed; NULL: one is made here, which blocks.
PsApiCode ps_certificate_create(PsRegistry *registry, EVP_PKEY *key, PsCertificateStatus status,
                                json_t **ret_answer, PsApiFault *fault);
/// CreateCertificateFromCsr.
PsApiCode ps_certificate_sign(PsRegistry *registry, const char *request_pem,
                              PsCertificateStatus status, json_t **ret_answer, PsApiFault *fault);

typedef struct PsCertificateSpec {
    const char *pem;
    const char *ca_pem; ///< NULL: the registered CA is found by the issuer's name
    const char *status; ///< NULL: INACTIVE
    bool without_ca;    ///< RegisterCertificateWithoutCA: by any issuer
} PsCertificateSpec;

/// PS_API_CERTIFICATE_VALIDATION (cannot be read, weak key, not signed by a registered CA),
/// PS_API_ALREADY_EXISTS, PS_API_CERTIFICATE_STATE (the CA is not ACTIVE),
/// PS_API_CERTIFICATE_CONFLICT (several CAs could be meant).
PsApiCode ps_certificate_register(PsRegistry *registry, const PsCertificateSpec *spec,
                                  json_t **ret_answer, PsApiFault *fault);

PsApiCode ps_certificate_describe(PsRegistry *registry, const char *id, json_t **ret_answer,
                                  PsApiFault *fault);
/// `status` NULL, PENDING_TRANSFER, PENDING_ACTIVATION: PS_API_INVALID_REQUEST.
PsApiCode ps_certificate_update(PsRegistry *registry, const char *id, const char *status,
                                PsApiFault *fault);
/// PS_API_CERTIFICATE_STATE: it is ACTIVE. PS_API_DELETE_CONFLICT: it has things, or policies and
/// not `force`.
PsApiCode ps_certificate_delete(PsRegistry *registry, const char *id, bool force,
                                PsApiFault *fault);
/// `ca_id` NULL: all; else those of that CA.
PsListed ps_certificate_list(PsRegistry *registry, const char *ca_id, const PsPage *page);

/// PS_API_NOT_FOUND; the id in lower case into `out`.
PsApiCode ps_certificate_check(PsRegistry *registry, const char *id, char *out, PsApiFault *fault);

/// A certificate as a row. `authority` NULL: none. PS_API_ALREADY_EXISTS.
PsApiCode ps_certificate_put(PsRegistry *registry, const X509 *x509, PsCertificateStatus status,
                             const char *authority, const char *mode, char *ret_id,
                             PsApiFault *fault);
