// Rows of certificates, of devices and of CAs. Main thread, local database.
#include "localcloud/registry/certificate_row.h"

#include "localcloud/pki.h"

json_t *ps_certificate_named(PsRegistry *registry, PsArnKind kind, const char *id) {
    char arn[PS_ARN_SIZE];
    ps_arn_put(arn, registry->region, kind, id);
    return json_pack("{s:s, s:s}", "certificateArn", arn, "certificateId", id);
}

json_t *ps_certificate_listed(PsRegistry *registry, PsArnKind kind, const PsDbRows *row) {
    json_t *item = ps_certificate_named(registry, kind, ps_db_text(row, PS_CERTIFICATE_COLUMN_ID));
    json_object_set_new(item, "status", json_string(ps_db_text(row, PS_CERTIFICATE_COLUMN_STATUS)));
    json_object_set_new(item, "creationDate",
                        ps_registry_time(ps_db_int(row, PS_CERTIFICATE_COLUMN_CREATED)));
    return item;
}

void ps_certificate_put_details(json_t *item, const PsDbRows *row) {
    json_object_set_new(item, "certificateMode",
                        json_string(ps_db_text(row, PS_CERTIFICATE_COLUMN_MODE)));
    json_object_set_new(item, "certificatePem",
                        json_string(ps_db_text(row, PS_CERTIFICATE_COLUMN_PEM)));
    json_object_set_new(item, "ownedBy", json_string(PS_ACCOUNT_ID));
    json_object_set_new(item, "lastModifiedDate",
                        ps_registry_time(ps_db_int(row, PS_CERTIFICATE_COLUMN_MODIFIED)));
    json_object_set_new(item, "customerVersion",
                        json_integer(ps_db_int(row, PS_CERTIFICATE_COLUMN_VERSION)));
    json_object_set_new(item, "generationId",
                        json_string(ps_db_text(row, PS_CERTIFICATE_COLUMN_GENERATION)));
    json_t *validity =
        json_pack("{s:o, s:o}", "notBefore",
                  ps_registry_time(ps_db_int(row, PS_CERTIFICATE_COLUMN_NOT_BEFORE)), "notAfter",
                  ps_registry_time(ps_db_int(row, PS_CERTIFICATE_COLUMN_NOT_AFTER)));
    json_object_set_new(item, "validity", validity);
}

void ps_certificate_facts_deinit(PsCertificateFacts *facts) {
    ps_buf_deinit(&facts->pem);
}

PsApiCode ps_certificate_facts_read(const X509 *x509, PsCertificateFacts *ret_facts,
                                    PsApiFault *fault) {
    PsCertificateFacts facts = {.not_before_ms = ps_pki_not_before(x509).ns / PS_NS_PER_MS,
                                .not_after_ms = ps_pki_not_after(x509).ns / PS_NS_PER_MS,
                                .now_ms = ps_registry_now_ms()};
    if (ps_pki_put_certificate(x509, &facts.pem) != PS_OK) {
        ps_certificate_facts_deinit(&facts);
        return ps_api_fail(PS_API_INTERNAL, fault, "the certificate cannot be written as PEM");
    }
    ps_uuid_make(facts.generation);
    *ret_facts = facts;
    return PS_API_OK;
}
