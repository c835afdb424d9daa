//! What a row of a device certificate and one of a CA certificate have in common: how it is
//! written, named and described. Inside ps_registry_begin/end.
#pragma once

#include "base/buf.h"
#include "localcloud/registry/account.h"

/// The first columns of both tables' SELECTs, in the order of PsCertificateColumn.
#define PS_CERTIFICATE_COLUMNS                                                                     \
    "seq, id, status, mode, generation, customer_version, not_before, not_after, created,"         \
    " modified, pem"

typedef enum PsCertificateColumn {
    PS_CERTIFICATE_COLUMN_SEQ,
    PS_CERTIFICATE_COLUMN_ID,
    PS_CERTIFICATE_COLUMN_STATUS,
    PS_CERTIFICATE_COLUMN_MODE,
    PS_CERTIFICATE_COLUMN_GENERATION,
    PS_CERTIFICATE_COLUMN_VERSION,
    PS_CERTIFICATE_COLUMN_NOT_BEFORE,
    PS_CERTIFICATE_COLUMN_NOT_AFTER,
    PS_CERTIFICATE_COLUMN_CREATED,
    PS_CERTIFICATE_COLUMN_MODIFIED,
    PS_CERTIFICATE_COLUMN_PEM,
    PS_CERTIFICATE_OWN_COLUMNS, ///< the first of the table's own
} PsCertificateColumn;

/// {certificateArn, certificateId}.
json_t *ps_certificate_named(PsRegistry *registry, PsArnKind kind, const char *id);
/// The same with status and creationDate.
json_t *ps_certificate_listed(PsRegistry *registry, PsArnKind kind, const PsDbRows *row);
/// The members that DescribeCertificate and DescribeCACertificate share, besides those listed.
void ps_certificate_put_details(json_t *item, const PsDbRows *row);

/// What a new row takes from its certificate. Zero-initialised is empty.
typedef struct PsCertificateFacts {
    PsBuf pem; ///< terminated
    char generation[PS_UUID_SIZE];
    int64_t not_before_ms;
    int64_t not_after_ms;
    int64_t now_ms;
} PsCertificateFacts;

void ps_certificate_facts_deinit(PsCertificateFacts *facts);
#define PS_AUTO_CERTIFICATE_FACTS __attribute__((cleanup(ps_certificate_facts_deinit)))
/// PS_API_INTERNAL.
PsApiCode ps_certificate_facts_read(const X509 *x509, PsCertificateFacts *ret_facts,
                                    PsApiFault *fault);
