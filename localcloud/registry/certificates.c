// Device certificates. Main thread, local database.
#include "localcloud/registry/certificates.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "localcloud/folder.h"
#include "localcloud/registry/authorities.h"
#include "localcloud/registry/certificate_row.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const status_names[PS_CERTIFICATE_STATUSES] = {
    [PS_CERTIFICATE_INACTIVE] = "INACTIVE",
    [PS_CERTIFICATE_ACTIVE] = "ACTIVE",
    [PS_CERTIFICATE_REVOKED] = "REVOKED",
    [PS_CERTIFICATE_PENDING_TRANSFER] = "PENDING_TRANSFER",
    [PS_CERTIFICATE_REGISTER_INACTIVE] = "REGISTER_INACTIVE",
    [PS_CERTIFICATE_PENDING_ACTIVATION] = "PENDING_ACTIVATION",
};

const char *ps_certificate_status_name(PsCertificateStatus status) {
    PS_ASSERT(status < PS_CERTIFICATE_STATUSES);
    return status_names[status];
}

bool ps_certificate_status_find(const char *name, PsCertificateStatus *ret_status) {
    for (PsCertificateStatus status = 0; status < PS_CERTIFICATE_STATUSES; status++) {
        if (strcmp(name, status_names[status]) == 0) {
            *ret_status = status;
            return true;
        }
    }
    return false;
}

PsApiCode ps_certificate_check(PsRegistry *registry, const char *id, char *out, PsApiFault *fault) {
    PsApiCode code = ps_name_certificate("certificateId", id, out, fault);
    if (code != PS_API_OK) {
        return code;
    }
    return ps_registry_has(registry, "SELECT seq FROM certificates WHERE id = ?", out)
               ? PS_API_OK
               : ps_registry_missing("Certificate", out, fault);
}

PsApiCode ps_certificate_put(PsRegistry *registry, const X509 *x509, PsCertificateStatus status,
                             const char *authority, const char *mode, char *ret_id,
                             PsApiFault *fault) {
    char id[PS_CERTIFICATE_ID_SIZE];
    ps_pki_certificate_id(x509, id);
    if (ps_registry_has(registry, "SELECT seq FROM certificates WHERE id = ?", id)) {
        return ps_registry_taken(registry, PS_ARN_CERTIFICATE, id, id, fault);
    }
    PS_AUTO_CERTIFICATE_FACTS PsCertificateFacts facts = {0};
    PsApiCode code = ps_certificate_facts_read(x509, &facts, fault);
    if (code != PS_API_OK) {
        return code;
    }
    ps_db_run(&registry->db,
              "INSERT INTO certificates (id, pem, status, authority, mode, generation,"
              " customer_version, not_before, not_after, created, modified)"
              " VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?)",
              "ttttttiiii", id, (const char *)facts.pem.data, ps_certificate_status_name(status),
              authority, mode, facts.generation, facts.not_before_ms, facts.not_after_ms,
              facts.now_ms, facts.now_ms);
    ps_registry_tell(registry, id);
    memcpy(ret_id, id, sizeof id);
    return PS_API_OK;
}

// ---- made here

static json_t *pem_text(PsErr err, const PsBuf *pem) {
    return err == PS_OK ? json_stringn((const char *)pem->data, pem->len) : NULL;
}

static json_t *certificate_text(const X509 *x509) {
    PS_AUTO_BUF PsBuf pem = {0};
    PsErr err = ps_pki_put_certificate(x509, &pem);
    return pem_text(err, &pem);
}

static json_t *key_texts(const EVP_PKEY *key) {
    PS_AUTO_BUF PsBuf public_pem = {0};
    PS_AUTO_BUF PsBuf private_pem = {0};
    ps_buf_reserve(&private_pem, PS_PEM_MAX); // so that growing leaves no half of it behind
    PsErr err = ps_pki_put_public_key(key, &public_pem);
    json_t *public_text = pem_text(err, &public_pem);
    err = ps_pki_put_private_key(key, &private_pem);
    json_t *private_text = pem_text(err, &private_pem);
    OPENSSL_cleanse(private_pem.data, private_pem.capacity);
    return json_pack("{s:o, s:o}", "PublicKey", public_text, "PrivateKey", private_text);
}

static PsApiCode made_answer(PsRegistry *registry, const X509 *x509, PsCertificateStatus status,
                             json_t **ret_answer, PsApiFault *fault) {
    char id[PS_CERTIFICATE_ID_SIZE];
    PsApiCode code = ps_certificate_put(registry, x509, status, NULL, "DEFAULT", id, fault);
    if (code == PS_API_OK) {
        *ret_answer = ps_certificate_named(registry, PS_ARN_CERTIFICATE, id);
        json_object_set_new(*ret_answer, "certificatePem", certificate_text(x509));
    }
    return code;
}

PsApiCode ps_certificate_create(PsRegistry *registry, EVP_PKEY *key, PsCertificateStatus status,
                                json_t **ret_answer, PsApiFault *fault) {
    PS_AUTO_PKI_PAIR PsPkiPair authority = {0};
    PS_AUTO_PKI_PAIR PsPkiPair device = {0};
    PsPkiOrder order = ps_folder_device_order(PS_KEY_RSA);
    order.key = key;
    PsDiag diag = {0};
    PsErr err = ps_folder_device_ca(registry->dir, &authority, &diag);
    err = err == PS_OK ? ps_pki_make(&order, &authority, &device, &diag) : err;
    if (err != PS_OK) {
        return ps_api_failed_inside(&diag, fault);
    }
    PsApiCode code = made_answer(registry, device.certificate, status, ret_answer, fault);
    if (code == PS_API_OK) {
        json_object_set_new(*ret_answer, "keyPair", key_texts(device.key));
    }
    return code;
}

PsApiCode ps_certificate_sign(PsRegistry *registry, const char *request_pem,
                              PsCertificateStatus status, json_t **ret_answer, PsApiFault *fault) {
    size_t len = request_pem != NULL ? strlen(request_pem) : 0;
    if (len == 0 || len > PS_REQUEST_MAX) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "1 validation error detected: Value at 'certificateSigningRequest' "
                           "failed to satisfy constraint: Member must have length between 1 and %d",
                           PS_REQUEST_MAX);
    }
    PS_AUTO_PKI_PAIR PsPkiPair authority = {0};
    PsPkiOrder order = ps_folder_device_order(PS_KEY_RSA);
    PsDiag diag = {0};
    X509 *x509 = NULL;
    PsErr err = ps_folder_device_ca(registry->dir, &authority, &diag);
    err = err == PS_OK ? ps_pki_sign_request(request_pem, len, &order, &authority, &x509, &diag)
                       : err;
    if (err == PS_ERR_INVALID) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault, "The certificate signing request %s",
                           diag.text);
    }
    if (err != PS_OK) {
        return ps_api_failed_inside(&diag, fault);
    }
    PsApiCode code = made_answer(registry, x509, status, ret_answer, fault);
    X509_free(x509);
    return code;
}

// ---- registered from outside

static PsApiCode register_read(PsRegistry *registry, const PsCertificateSpec *spec, X509 *x509,
                               PsCertificateStatus status, json_t **ret_answer, PsApiFault *fault) {
    if (!ps_pki_key_is_accepted(X509_get0_pubkey(x509))) {
        return ps_api_fail(PS_API_CERTIFICATE_VALIDATION, fault,
                           "The key of the certificate is not supported: use RSA of 2048 bits or "
                           "more, or ECC on P-256, P-384 or P-521");
    }
    PsAuthority authority = {.mode = "SNI_ONLY"};
    if (!spec->without_ca) {
        PsApiCode code = ps_authority_of(registry, x509, spec->ca_pem, &authority, fault);
        if (code != PS_API_OK) {
            return code;
        }
    }
    char id[PS_CERTIFICATE_ID_SIZE];
    PsApiCode code =
        ps_certificate_put(registry, x509, status, authority.id[0] != '\0' ? authority.id : NULL,
                           authority.mode, id, fault);
    if (code == PS_API_OK) {
        *ret_answer = ps_certificate_named(registry, PS_ARN_CERTIFICATE, id);
    }
    return code;
}

PsApiCode ps_certificate_register(PsRegistry *registry, const PsCertificateSpec *spec,
                                  json_t **ret_answer, PsApiFault *fault) {
    PsCertificateStatus status = PS_CERTIFICATE_INACTIVE;
    if (spec->status != NULL &&
        (!ps_certificate_status_find(spec->status, &status) || status > PS_CERTIFICATE_REVOKED)) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "status '%s' cannot be used: ACTIVE, INACTIVE or REVOKED", spec->status);
    }
    X509 *x509 = NULL;
    PsApiCode code = ps_authority_read_pem("certificatePem", spec->pem, &x509, fault);
    if (code == PS_API_OK) {
        code = register_read(registry, spec, x509, status, ret_answer, fault);
    }
    X509_free(x509);
    return code;
}

// ---- read and changed

#define COLUMNS PS_CERTIFICATE_COLUMNS ", authority"
#define AUTHORITY PS_CERTIFICATE_OWN_COLUMNS

static json_t *listed_certificate(PsRegistry *registry, const PsDbRows *row) {
    json_t *item = ps_certificate_listed(registry, PS_ARN_CERTIFICATE, row);
    json_object_set_new(item, "certificateMode",
                        json_string(ps_db_text(row, PS_CERTIFICATE_COLUMN_MODE)));
    return item;
}

PsApiCode ps_certificate_describe(PsRegistry *registry, const char *id, json_t **ret_answer,
                                  PsApiFault *fault) {
    char wanted[PS_CERTIFICATE_ID_SIZE];
    PsApiCode code = ps_name_certificate("certificateId", id, wanted, fault);
    if (code != PS_API_OK) {
        return code;
    }
    PS_AUTO_DB_ROWS PsDbRows row =
        ps_db_rows(&registry->db, "SELECT " COLUMNS " FROM certificates WHERE id = ?", "t", wanted);
    if (!ps_db_next(&row)) {
        return ps_registry_missing("Certificate", wanted, fault);
    }
    json_t *item = listed_certificate(registry, &row);
    if (!ps_db_is_null(&row, AUTHORITY)) {
        json_object_set_new(item, "caCertificateId", json_string(ps_db_text(&row, AUTHORITY)));
    }
    ps_certificate_put_details(item, &row);
    *ret_answer = json_pack("{s:o}", "certificateDescription", item);
    return PS_API_OK;
}

PsApiCode ps_certificate_update(PsRegistry *registry, const char *id, const char *status,
                                PsApiFault *fault) {
    char wanted[PS_CERTIFICATE_ID_SIZE];
    PsApiCode code = ps_name_certificate("certificateId", id, wanted, fault);
    if (code != PS_API_OK) {
        return code;
    }
    PsCertificateStatus next = PS_CERTIFICATE_INACTIVE;
    bool known = status != NULL && ps_certificate_status_find(status, &next);
    if (!known || next == PS_CERTIFICATE_PENDING_TRANSFER ||
        next == PS_CERTIFICATE_PENDING_ACTIVATION) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "newStatus '%s' cannot be used: ACTIVE, INACTIVE or REVOKED",
                           status != NULL ? status : "");
    }
    ps_db_run(&registry->db, "UPDATE certificates SET status = ?, modified = ? WHERE id = ?", "tit",
              status, ps_registry_now_ms(), wanted);
    if (ps_db_changes(&registry->db) == 0) {
        return ps_registry_missing("Certificate", wanted, fault);
    }
    ps_registry_tell(registry, wanted);
    return PS_API_OK;
}

PsApiCode ps_certificate_delete(PsRegistry *registry, const char *id, bool force,
                                PsApiFault *fault) {
    char wanted[PS_CERTIFICATE_ID_SIZE];
    PsApiCode code = ps_certificate_check(registry, id, wanted, fault);
    if (code != PS_API_OK) {
        return code;
    }
    if (ps_registry_has(registry, "SELECT seq FROM certificates WHERE id = ? AND status = 'ACTIVE'",
                        wanted)) {
        return ps_api_fail(PS_API_CERTIFICATE_STATE, fault,
                           "Certificate must be deactivated before it is deleted: %s", wanted);
    }
    if (ps_registry_has(registry, "SELECT seq FROM principals WHERE certificate = ?", wanted)) {
        return ps_api_fail(PS_API_DELETE_CONFLICT, fault,
                           "Things must be detached before deletion: %s", wanted);
    }
    if (!force &&
        ps_registry_has(registry, "SELECT seq FROM targets WHERE target = 'cert/' || ?", wanted)) {
        return ps_api_fail(PS_API_DELETE_CONFLICT, fault,
                           "Certificate policies must be detached before deletion: %s", wanted);
    }
    ps_db_run(&registry->db, "DELETE FROM targets WHERE target = 'cert/' || ?", "t", wanted);
    ps_db_run(&registry->db, "DELETE FROM certificates WHERE id = ?", "t", wanted);
    ps_registry_tell(registry, wanted);
    return PS_API_OK;
}

PsListed ps_certificate_list(PsRegistry *registry, const char *ca_id, const PsPage *page) {
    PS_AUTO_DB_ROWS PsDbRows rows =
        ps_db_rows(&registry->db,
                   "SELECT " COLUMNS
                   " FROM certificates WHERE (?1 IS NULL OR authority = ?1)" PS_PAGE_SQL("seq"),
                   "tiiii", ca_id, PS_PAGE_ARGS(page));
    return ps_page_take(registry, page, &rows, listed_certificate);
}

// ---- for a connection

PsErr ps_registry_find_certificate(PsRegistry *registry, const char *id,
                                   PsRegistryCertificate *ret_certificate) {
    PsRegistryCertificate certificate = {0};
    bool found = false;
    ps_db_begin_reading(&registry->db);
    {
        PS_AUTO_DB_ROWS PsDbRows row = ps_db_rows(
            &registry->db, "SELECT id, authority, status, mode FROM certificates WHERE id = ?", "t",
            id);
        if (ps_db_next(&row)) {
            snprintf(certificate.id, sizeof certificate.id, "%s", ps_db_text(&row, 0));
            snprintf(certificate.ca_id, sizeof certificate.ca_id, "%s", ps_db_text(&row, 1));
            found = ps_certificate_status_find(ps_db_text(&row, 2), &certificate.status);
            certificate.sni_only = strcmp(ps_db_text(&row, 3), "SNI_ONLY") == 0;
        }
    }
    PsErr err = ps_db_end(&registry->db, true);
    if (err == PS_OK && !found) {
        err = PS_ERR_NOT_FOUND;
    }
    if (err == PS_OK) {
        *ret_certificate = certificate;
    }
    return err;
}

PsErr ps_registry_certificate_pem(PsRegistry *registry, const char *id, char **ret_pem) {
    char *pem = NULL;
    ps_db_begin_reading(&registry->db);
    {
        PS_AUTO_DB_ROWS PsDbRows row =
            ps_db_rows(&registry->db, "SELECT pem FROM certificates WHERE id = ?", "t", id);
        if (ps_db_next(&row)) {
            pem = ps_strdup(ps_db_text(&row, 0));
        }
    }
    PsErr err = ps_db_end(&registry->db, true);
    if (err == PS_OK && pem == NULL) {
        err = PS_ERR_NOT_FOUND;
    }
    if (err != PS_OK) {
        free(pem);
        return err;
    }
    *ret_pem = pem;
    return PS_OK;
}
