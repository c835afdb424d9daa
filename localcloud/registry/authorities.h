//! CA certificates of the account: those whose device certificates may be registered, by hand or
//! at their first connection. Inside ps_registry_begin/end.
#pragma once

#include "localcloud/registry/account.h"

/// CAs with one subject (AWS IoT quotas).
#define PS_SAME_SUBJECT_MOST 10

typedef struct PsAuthoritySpec {
    const char *pem;
    const char *verification_pem; ///< signed by the CA, its common name the registration code
    const char *mode;             ///< NULL: DEFAULT; SNI_ONLY needs no verification
    bool active;
    bool automatic; ///< just-in-time registration
    json_t *config; ///< borrowed; registrationConfig: {templateName, templateBody, roleArn}
} PsAuthoritySpec;

/// PS_API_CERTIFICATE_VALIDATION, PS_API_REGISTRATION_CODE, PS_API_ALREADY_EXISTS,
/// PS_API_LIMIT_EXCEEDED.
PsApiCode ps_authority_register(PsRegistry *registry, const PsAuthoritySpec *spec,
                                json_t **ret_answer, PsApiFault *fault);
PsApiCode ps_authority_describe(PsRegistry *registry, const char *id, json_t **ret_answer,
                                PsApiFault *fault);

/// NULL members leave as it is.
typedef struct PsAuthorityChange {
    const char *status;    ///< ACTIVE, INACTIVE
    const char *automatic; ///< ENABLE, DISABLE
    json_t *config;        ///< borrowed
    bool remove_automatic; ///< takes `config` away
} PsAuthorityChange;

PsApiCode ps_authority_update(PsRegistry *registry, const char *id, const PsAuthorityChange *change,
                              PsApiFault *fault);
/// PS_API_CERTIFICATE_STATE: it is ACTIVE.
PsApiCode ps_authority_delete(PsRegistry *registry, const char *id, PsApiFault *fault);
/// `template_name` NULL: all.
PsListed ps_authority_list(PsRegistry *registry, const char *template_name, const PsPage *page);

/// The account's code, made at the first call.
PsApiCode ps_authority_code(PsRegistry *registry, json_t **ret_answer, PsApiFault *fault);
PsApiCode ps_authority_forget_code(PsRegistry *registry, PsApiFault *fault);

typedef struct PsAuthority {
    char id[PS_CERTIFICATE_ID_SIZE];
    const char *mode; ///< static
} PsAuthority;

/// The registered CA that signed `x509`: the one in `ca_pem`, or (NULL) found by the issuer's name.
PsApiCode ps_authority_of(PsRegistry *registry, X509 *x509, const char *ca_pem,
                          PsAuthority *ret_authority, PsApiFault *fault);

/// Reads PEM text from a request. PS_API_INVALID_REQUEST (absent, too long),
/// PS_API_CERTIFICATE_VALIDATION (not a certificate). The caller frees the certificate.
PsApiCode ps_authority_read_pem(const char *field, const char *pem, X509 **ret_x509,
                                PsApiFault *fault);
