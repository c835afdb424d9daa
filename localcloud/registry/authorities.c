// CA certificates. Main thread, local database.
#include "localcloud/registry/authorities.h"

#include "base/cleanup.h"
#include "localcloud/pki.h"
#include "localcloud/registry/certificate_row.h"
#include "localcloud/registry/certificates.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CODE_SETTING "registration-code"
#define SUBJECT_SIZE 1024

static bool is_either(const char *text, const char *one, const char *other) {
    return strcmp(text, one) == 0 || strcmp(text, other) == 0;
}

PsApiCode ps_authority_read_pem(const char *field, const char *pem, X509 **ret_x509,
                                PsApiFault *fault) {
    size_t len = pem != NULL ? strlen(pem) : 0;
    if (len == 0 || len > PS_PEM_MAX) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "1 validation error detected: Value at '%s' failed to satisfy "
                           "constraint: Member must have length between 1 and %d",
                           field, PS_PEM_MAX);
    }
    X509 *x509 = ps_pki_certificate_read(pem, len);
    if (x509 == NULL) {
        return ps_api_fail(PS_API_CERTIFICATE_VALIDATION, fault,
                           "%s is not a certificate in PEM form", field);
    }
    *ret_x509 = x509;
    return PS_API_OK;
}

static bool signed_by(X509 *x509, X509 *authority) {
    bool done = X509_verify(x509, X509_get0_pubkey(authority)) == 1;
    ERR_clear_error();
    return done;
}

static void name_text(const X509_NAME *name, char *out) {
    X509_NAME_oneline(name, out, SUBJECT_SIZE);
}

static bool row_signed(const PsDbRows *row, int pem_column, X509 *x509) {
    const char *pem = ps_db_text(row, pem_column);
    X509 *authority = ps_pki_certificate_read(pem, strlen(pem));
    bool done = authority != NULL && signed_by(x509, authority);
    X509_free(authority);
    return done;
}

static const char *static_mode(const char *mode) {
    return strcmp(mode, "SNI_ONLY") == 0 ? "SNI_ONLY" : "DEFAULT";
}

PsApiCode ps_authority_of(PsRegistry *registry, X509 *x509, const char *ca_pem,
                          PsAuthority *ret_authority, PsApiFault *fault) {
    char named[PS_CERTIFICATE_ID_SIZE] = "";
    if (ca_pem != NULL) {
        X509 *ca = NULL;
        PsApiCode code = ps_authority_read_pem("caCertificatePem", ca_pem, &ca, fault);
        if (code != PS_API_OK) {
            return code;
        }
        ps_pki_certificate_id(ca, named);
        X509_free(ca);
    }
    char issuer[SUBJECT_SIZE];
    name_text(X509_get_issuer_name(x509), issuer);
    PS_AUTO_DB_ROWS PsDbRows rows =
        ps_db_rows(&registry->db, "SELECT id, mode, status, pem FROM authorities WHERE subject = ?",
                   "t", issuer);
    size_t candidates = 0;
    bool found = false;
    bool active = false;
    PsAuthority authority = {0};
    while (ps_db_next(&rows)) {
        candidates++;
        if ((named[0] == '\0' || strcmp(named, ps_db_text(&rows, 0)) == 0) && !found &&
            row_signed(&rows, 3, x509)) {
            found = true;
            active = strcmp(ps_db_text(&rows, 2), "ACTIVE") == 0;
            authority.mode = static_mode(ps_db_text(&rows, 1));
            snprintf(authority.id, sizeof authority.id, "%s", ps_db_text(&rows, 0));
        }
    }
    if (named[0] == '\0' && candidates > 1) {
        return ps_api_fail(PS_API_CERTIFICATE_CONFLICT, fault,
                           "%zu CA certificates have the subject of the issuer; give "
                           "caCertificatePem",
                           candidates);
    }
    if (!found) {
        return ps_api_fail(PS_API_CERTIFICATE_VALIDATION, fault,
                           "The certificate is not signed by a CA certificate that is registered "
                           "in the account");
    }
    if (!active) {
        return ps_api_fail(PS_API_CERTIFICATE_STATE, fault, "CA certificate %s is not ACTIVE",
                           authority.id);
    }
    *ret_authority = authority;
    return PS_API_OK;
}

PsErr ps_registry_find_signer(PsRegistry *registry, X509 *leaf, char *ret_ca_id) {
    char issuer[SUBJECT_SIZE];
    name_text(X509_get_issuer_name(leaf), issuer);
    PS_AUTO_DB_ROWS PsDbRows rows =
        ps_db_rows(&registry->db,
                   "SELECT id, pem FROM authorities WHERE subject = ? AND status = 'ACTIVE' AND"
                   " automatic = 'ENABLE'",
                   "t", issuer);
    while (ps_db_next(&rows)) {
        if (row_signed(&rows, 1, leaf)) {
            snprintf(ret_ca_id, PS_CERTIFICATE_ID_SIZE, "%s", ps_db_text(&rows, 0));
            return PS_OK;
        }
    }
    return PS_ERR_NOT_FOUND;
}

PsErr ps_registry_register_pending(PsRegistry *registry, X509 *leaf, const char *ca_id,
                                   PsDiag *diag) {
    PsApiFault fault = {0};
    char id[PS_CERTIFICATE_ID_SIZE];
    PsApiCode code = PS_API_OK;
    ps_registry_begin(registry);
    {
        PS_AUTO_DB_ROWS PsDbRows row =
            ps_db_rows(&registry->db, "SELECT mode FROM authorities WHERE id = ?", "t", ca_id);
        code = ps_db_next(&row)
                   ? ps_certificate_put(registry, leaf, PS_CERTIFICATE_PENDING_ACTIVATION, ca_id,
                                        static_mode(ps_db_text(&row, 0)), id, &fault)
                   : ps_registry_missing("CA certificate", ca_id, &fault);
    }
    code = ps_registry_end(registry, code, &fault);
    if (code == PS_API_OK) {
        return PS_OK;
    }
    return ps_fail(code == PS_API_ALREADY_EXISTS ? PS_ERR_EXISTS : PS_ERR_IO, diag,
                   "just-in-time registration", NULL, "%s", fault.message);
}

// ---- the calls

static PsApiCode check_config(json_t *config, PsApiFault *fault) {
    if (config == NULL) {
        return PS_API_OK;
    }
    const char *name = json_string_value(json_object_get(config, "templateName"));
    const char *body = json_string_value(json_object_get(config, "templateBody"));
    if (name != NULL && body != NULL) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "registrationConfig has templateName or templateBody, not both");
    }
    return name != NULL ? ps_name_check(PS_NAME_TEMPLATE, "templateName", name, fault) : PS_API_OK;
}

// The CA's owner proves that it has the key: a certificate with our code as common name.
static PsApiCode check_verification(PsRegistry *registry, const PsAuthoritySpec *spec,
                                    X509 *authority, PsApiFault *fault) {
    X509 *proof = NULL;
    PsApiCode code =
        ps_authority_read_pem("verificationCertificate", spec->verification_pem, &proof, fault);
    if (code != PS_API_OK) {
        return code;
    }
    char name[128] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(proof), NID_commonName, name, sizeof name);
    bool sound = signed_by(proof, authority);
    X509_free(proof);
    PS_AUTO_FREE char *wanted = ps_registry_setting(registry, CODE_SETTING);
    if (!sound) {
        return ps_api_fail(PS_API_CERTIFICATE_VALIDATION, fault,
                           "The verification certificate is not signed by the CA certificate");
    }
    if (wanted == NULL || strcmp(name, wanted) != 0) {
        return ps_api_fail(PS_API_REGISTRATION_CODE, fault,
                           "The common name of the verification certificate is not the "
                           "registration code of the account");
    }
    return PS_API_OK;
}

static PsApiCode check_authority(PsRegistry *registry, const PsAuthoritySpec *spec, X509 *x509,
                                 const char *id, const char *subject, PsApiFault *fault) {
    bool sni_only = spec->mode != NULL && strcmp(spec->mode, "SNI_ONLY") == 0;
    if (spec->mode != NULL && !is_either(spec->mode, "DEFAULT", "SNI_ONLY")) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "certificateMode '%s' cannot be used: DEFAULT or SNI_ONLY", spec->mode);
    }
    if (sni_only == (spec->verification_pem != NULL)) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "verificationCertificate must be given with certificateMode DEFAULT, "
                           "and only then");
    }
    if (X509_check_ca(x509) != 1) {
        return ps_api_fail(PS_API_CERTIFICATE_VALIDATION, fault,
                           "caCertificate is not a CA certificate");
    }
    if (ps_registry_has(registry, "SELECT seq FROM authorities WHERE id = ?", id)) {
        return ps_registry_taken(registry, PS_ARN_AUTHORITY, id, id, fault);
    }
    if (ps_db_number(&registry->db, 0, "SELECT count(*) FROM authorities WHERE subject = ?", "t",
                     subject) >= PS_SAME_SUBJECT_MOST) {
        return ps_api_fail(PS_API_LIMIT_EXCEEDED, fault,
                           "%d CA certificates have this subject already", PS_SAME_SUBJECT_MOST);
    }
    PsApiCode code = check_config(spec->config, fault);
    return code == PS_API_OK && !sni_only ? check_verification(registry, spec, x509, fault) : code;
}

static PsApiCode register_read(PsRegistry *registry, const PsAuthoritySpec *spec, X509 *x509,
                               json_t **ret_answer, PsApiFault *fault) {
    char id[PS_CERTIFICATE_ID_SIZE];
    char subject[SUBJECT_SIZE];
    ps_pki_certificate_id(x509, id);
    name_text(X509_get_subject_name(x509), subject);
    PsApiCode code = check_authority(registry, spec, x509, id, subject, fault);
    if (code != PS_API_OK) {
        return code;
    }
    PS_AUTO_CERTIFICATE_FACTS PsCertificateFacts facts = {0};
    code = ps_certificate_facts_read(x509, &facts, fault);
    if (code != PS_API_OK) {
        return code;
    }
    PS_AUTO_FREE char *config =
        spec->config != NULL ? json_dumps(spec->config, JSON_COMPACT) : NULL;
    ps_db_run(&registry->db,
              "INSERT INTO authorities (id, pem, subject, status, automatic, mode, config,"
              " generation, customer_version, not_before, not_after, created, modified)"
              " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?)",
              "ttttttttiiii", id, (const char *)facts.pem.data, subject,
              spec->active ? "ACTIVE" : "INACTIVE", spec->automatic ? "ENABLE" : "DISABLE",
              spec->mode != NULL ? spec->mode : "DEFAULT", config, facts.generation,
              facts.not_before_ms, facts.not_after_ms, facts.now_ms, facts.now_ms);
    *ret_answer = ps_certificate_named(registry, PS_ARN_AUTHORITY, id);
    return PS_API_OK;
}

PsApiCode ps_authority_register(PsRegistry *registry, const PsAuthoritySpec *spec,
                                json_t **ret_answer, PsApiFault *fault) {
    X509 *x509 = NULL;
    PsApiCode code = ps_authority_read_pem("caCertificate", spec->pem, &x509, fault);
    if (code == PS_API_OK) {
        code = register_read(registry, spec, x509, ret_answer, fault);
    }
    X509_free(x509);
    return code;
}

#define COLUMNS PS_CERTIFICATE_COLUMNS ", automatic, config"
#define AUTOMATIC PS_CERTIFICATE_OWN_COLUMNS
#define CONFIG (PS_CERTIFICATE_OWN_COLUMNS + 1)

static json_t *listed_authority(PsRegistry *registry, const PsDbRows *row) {
    return ps_certificate_listed(registry, PS_ARN_AUTHORITY, row);
}

PsApiCode ps_authority_describe(PsRegistry *registry, const char *id, json_t **ret_answer,
                                PsApiFault *fault) {
    char wanted[PS_CERTIFICATE_ID_SIZE];
    PsApiCode code = ps_name_certificate("caCertificateId", id, wanted, fault);
    if (code != PS_API_OK) {
        return code;
    }
    PS_AUTO_DB_ROWS PsDbRows row =
        ps_db_rows(&registry->db, "SELECT " COLUMNS " FROM authorities WHERE id = ?", "t", wanted);
    if (!ps_db_next(&row)) {
        return ps_registry_missing("CA certificate", wanted, fault);
    }
    json_t *item = listed_authority(registry, &row);
    ps_certificate_put_details(item, &row);
    json_object_set_new(item, "autoRegistrationStatus", json_string(ps_db_text(&row, AUTOMATIC)));
    *ret_answer = json_pack("{s:o}", "certificateDescription", item);
    if (!ps_db_is_null(&row, CONFIG)) {
        json_object_set_new(*ret_answer, "registrationConfig",
                            json_loads(ps_db_text(&row, CONFIG), 0, NULL));
    }
    return PS_API_OK;
}

PsApiCode ps_authority_update(PsRegistry *registry, const char *id, const PsAuthorityChange *change,
                              PsApiFault *fault) {
    char wanted[PS_CERTIFICATE_ID_SIZE];
    PsApiCode code = ps_name_certificate("caCertificateId", id, wanted, fault);
    code = code == PS_API_OK ? check_config(change->config, fault) : code;
    if (code != PS_API_OK) {
        return code;
    }
    if ((change->status != NULL && !is_either(change->status, "ACTIVE", "INACTIVE")) ||
        (change->automatic != NULL && !is_either(change->automatic, "ENABLE", "DISABLE"))) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "newStatus is ACTIVE or INACTIVE, newAutoRegistrationStatus is ENABLE "
                           "or DISABLE");
    }
    PS_AUTO_FREE char *config =
        change->config != NULL ? json_dumps(change->config, JSON_COMPACT) : NULL;
    ps_db_run(&registry->db,
              "UPDATE authorities SET status = ifnull(?, status), automatic = ifnull(?, automatic),"
              " config = CASE WHEN ? THEN NULL ELSE ifnull(?, config) END, modified = ?"
              " WHERE id = ?",
              "ttitit", change->status, change->automatic, (int64_t)change->remove_automatic,
              config, ps_registry_now_ms(), wanted);
    return ps_db_changes(&registry->db) > 0 ? PS_API_OK
                                            : ps_registry_missing("CA certificate", wanted, fault);
}

PsApiCode ps_authority_delete(PsRegistry *registry, const char *id, PsApiFault *fault) {
    char wanted[PS_CERTIFICATE_ID_SIZE];
    PsApiCode code = ps_name_certificate("caCertificateId", id, wanted, fault);
    if (code != PS_API_OK) {
        return code;
    }
    ps_db_run(&registry->db, "DELETE FROM authorities WHERE id = ? AND status <> 'ACTIVE'", "t",
              wanted);
    if (ps_db_changes(&registry->db) > 0) {
        return PS_API_OK;
    }
    return ps_registry_has(registry, "SELECT seq FROM authorities WHERE id = ?", wanted)
               ? ps_api_fail(PS_API_CERTIFICATE_STATE, fault,
                             "CA certificate must be deactivated before it is deleted: %s", wanted)
               : ps_registry_missing("CA certificate", wanted, fault);
}

PsListed ps_authority_list(PsRegistry *registry, const char *template_name, const PsPage *page) {
    PS_AUTO_DB_ROWS PsDbRows rows =
        ps_db_rows(&registry->db,
                   "SELECT " COLUMNS " FROM authorities WHERE (?1 IS NULL OR"
                   " json_extract(config, '$.templateName') = ?1)" PS_PAGE_SQL("seq"),
                   "tiiii", template_name, PS_PAGE_ARGS(page));
    return ps_page_take(registry, page, &rows, listed_authority);
}

PsApiCode ps_authority_code(PsRegistry *registry, json_t **ret_answer, PsApiFault *fault) {
    PS_AUTO_FREE char *code = ps_registry_setting(registry, CODE_SETTING);
    char made[65];
    if (code == NULL) {
        unsigned char bytes[32];
        if (RAND_bytes(bytes, sizeof bytes) != 1) {
            return ps_api_fail(PS_API_INTERNAL, fault, "no random numbers");
        }
        for (size_t i = 0; i < sizeof bytes; i++) {
            snprintf(made + 2 * i, 3, "%02x", bytes[i]);
        }
        ps_registry_set(registry, CODE_SETTING, made);
    }
    *ret_answer = json_pack("{s:s}", "registrationCode", code != NULL ? code : made);
    return PS_API_OK;
}

PsApiCode ps_authority_forget_code(PsRegistry *registry, PsApiFault *fault) {
    ps_db_run(&registry->db, "DELETE FROM settings WHERE name = ?", "t", CODE_SETTING);
    return PS_API_OK;
}
