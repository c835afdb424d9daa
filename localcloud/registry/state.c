// The whole account as one JSON. What is in it is one table of tables below. Main thread, local
// database.
#include "localcloud/registry/state.h"

#include "localcloud/pki.h"
#include "localcloud/policy/policy.h"
#include "localcloud/registry/certificates.h"
#include "localcloud/registry/state_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATE_VERSION 1

static PsApiCode check_pem(json_t *row, PsApiFault *fault) {
    const char *pem = ps_state_text(row, "pem");
    X509 *x509 = ps_pki_certificate_read(pem, strlen(pem));
    char id[PS_CERTIFICATE_ID_SIZE] = "";
    if (x509 != NULL) {
        ps_pki_certificate_id(x509, id);
    }
    X509_free(x509);
    return strcmp(id, ps_state_text(row, "id")) == 0
               ? PS_API_OK
               : ps_api_fail(PS_API_INVALID_REQUEST, fault,
                             "'pem' is not the certificate of which 'id' is the SHA-256");
}

static PsApiCode check_authority(PsRegistry *registry, json_t *row, PsApiFault *fault) {
    return check_pem(row, fault);
}

static PsApiCode check_certificate(PsRegistry *registry, json_t *row, PsApiFault *fault) {
    PsCertificateStatus status = PS_CERTIFICATE_INACTIVE;
    return ps_certificate_status_find(ps_state_text(row, "status"), &status)
               ? check_pem(row, fault)
               : ps_api_fail(PS_API_INVALID_REQUEST, fault, "'status' is none");
}

static PsApiCode check_attributes(PsRegistry *registry, json_t *row, PsApiFault *fault) {
    return ps_name_attributes(json_object_get(row, "attributes"), 50, fault);
}

static PsApiCode check_version(PsRegistry *registry, json_t *row, PsApiFault *fault) {
    const char *document = ps_state_text(row, "document");
    PsPolicyDocument *parsed = NULL;
    PsDiag diag = {0};
    if (ps_policy_parse(document, strlen(document), &parsed, &diag) != PS_OK) {
        char text[sizeof(PsDiag) + 8];
        ps_diag_format(&diag, text, sizeof text);
        return ps_api_fail(PS_API_INVALID_REQUEST, fault, "'document': %s", text);
    }
    ps_policy_unref(parsed);
    return PS_API_OK;
}

static PsApiCode check_target(PsRegistry *registry, json_t *row, PsApiFault *fault) {
    return ps_registry_has(registry,
                           "SELECT seq FROM certificates WHERE 'cert/' || id = ?1 UNION"
                           " SELECT seq FROM groups WHERE 'thinggroup/' || name = ?1",
                           ps_state_text(row, "target"))
               ? PS_API_OK
               : ps_api_fail(PS_API_INVALID_REQUEST, fault,
                             "'target' is not the cert/ID or thinggroup/NAME of an entry");
}

// In this order they can be filled: what is named stands before what names it.
static const PsStateTable tables[] = {
    {"settings",
     "settings",
     "name",
     NULL,
     {{"name", "name", PS_STATE_TEXT, PS_STATE_NO_CHECK},
      {"value", "value", PS_STATE_TEXT, PS_STATE_NO_CHECK}}},
    {"thingTypes",
     "types",
     "seq",
     NULL,
     {{"name", "name", PS_STATE_TEXT, PS_NAME_THING},
      {"id", "id", PS_STATE_TEXT, PS_STATE_NO_CHECK},
      {"description", "description", PS_STATE_TEXT_OR_NULL, PS_NAME_DESCRIPTION},
      {"searchableAttributes", "searchable", PS_STATE_JSON, PS_STATE_NO_CHECK},
      {"created_ms", "created", PS_STATE_NUMBER, PS_STATE_NO_CHECK},
      {"deprecated_ms", "deprecated", PS_STATE_NUMBER_OR_NULL, PS_STATE_NO_CHECK}}},
    {"things",
     "things",
     "seq",
     check_attributes,
     {{"name", "name", PS_STATE_TEXT, PS_NAME_THING},
      {"id", "id", PS_STATE_TEXT, PS_STATE_NO_CHECK},
      {"thingType", "type", PS_STATE_TEXT_OR_NULL, PS_NAME_THING},
      {"attributes", "attributes", PS_STATE_JSON, PS_STATE_NO_CHECK},
      {"version", "version", PS_STATE_NUMBER, PS_STATE_NO_CHECK},
      {"created_ms", "created", PS_STATE_NUMBER, PS_STATE_NO_CHECK}}},
    {"thingGroups",
     "groups",
     "seq",
     check_attributes,
     {{"name", "name", PS_STATE_TEXT, PS_NAME_THING},
      {"id", "id", PS_STATE_TEXT, PS_STATE_NO_CHECK},
      {"parent", "parent", PS_STATE_TEXT_OR_NULL, PS_NAME_THING},
      {"description", "description", PS_STATE_TEXT_OR_NULL, PS_NAME_DESCRIPTION},
      {"attributes", "attributes", PS_STATE_JSON, PS_STATE_NO_CHECK},
      {"version", "version", PS_STATE_NUMBER, PS_STATE_NO_CHECK},
      {"created_ms", "created", PS_STATE_NUMBER, PS_STATE_NO_CHECK}}},
    {"thingGroupMembers",
     "members",
     "seq",
     NULL,
     {{"thing", "thing", PS_STATE_TEXT, PS_NAME_THING},
      {"thingGroup", "grp", PS_STATE_TEXT, PS_NAME_THING}}},
    {"caCertificates",
     "authorities",
     "seq",
     check_authority,
     {{"id", "id", PS_STATE_TEXT, PS_NAME_CERTIFICATE},
      {"pem", "pem", PS_STATE_TEXT, PS_STATE_NO_CHECK},
      {"subject", "subject", PS_STATE_TEXT, PS_STATE_NO_CHECK},
      {"status", "status", PS_STATE_TEXT, PS_STATE_NO_CHECK},
      {"autoRegistrationStatus", "automatic", PS_STATE_TEXT, PS_STATE_NO_CHECK},
      {"certificateMode", "mode", PS_STATE_TEXT, PS_STATE_NO_CHECK},
      {"registrationConfig", "config", PS_STATE_JSON_OR_NULL, PS_STATE_NO_CHECK},
      {"generationId", "generation", PS_STATE_TEXT, PS_STATE_NO_CHECK},
      {"customerVersion", "customer_version", PS_STATE_NUMBER, PS_STATE_NO_CHECK},
      {"notBefore_ms", "not_before", PS_STATE_NUMBER, PS_STATE_NO_CHECK},
      {"notAfter_ms", "not_after", PS_STATE_NUMBER, PS_STATE_NO_CHECK},
      {"created_ms", "created", PS_STATE_NUMBER, PS_STATE_NO_CHECK},
      {"modified_ms", "modified", PS_STATE_NUMBER, PS_STATE_NO_CHECK}}},
    {"certificates",
     "certificates",
     "seq",
     check_certificate,
     {{"id", "id", PS_STATE_TEXT, PS_NAME_CERTIFICATE},
      {"pem", "pem", PS_STATE_TEXT, PS_STATE_NO_CHECK},
      {"status", "status", PS_STATE_TEXT, PS_STATE_NO_CHECK},
      {"caCertificateId", "authority", PS_STATE_TEXT_OR_NULL, PS_NAME_CERTIFICATE},
      {"certificateMode", "mode", PS_STATE_TEXT, PS_STATE_NO_CHECK},
      {"generationId", "generation", PS_STATE_TEXT, PS_STATE_NO_CHECK},
      {"customerVersion", "customer_version", PS_STATE_NUMBER, PS_STATE_NO_CHECK},
      {"notBefore_ms", "not_before", PS_STATE_NUMBER, PS_STATE_NO_CHECK},
      {"notAfter_ms", "not_after", PS_STATE_NUMBER, PS_STATE_NO_CHECK},
      {"created_ms", "created", PS_STATE_NUMBER, PS_STATE_NO_CHECK},
      {"modified_ms", "modified", PS_STATE_NUMBER, PS_STATE_NO_CHECK}}},
    {"thingPrincipals",
     "principals",
     "seq",
     NULL,
     {{"thing", "thing", PS_STATE_TEXT, PS_NAME_THING},
      {"certificateId", "certificate", PS_STATE_TEXT, PS_NAME_CERTIFICATE},
      {"exclusive", "exclusive", PS_STATE_NUMBER, PS_STATE_NO_CHECK}}},
    {"policies",
     "policies",
     "seq",
     NULL,
     {{"name", "name", PS_STATE_TEXT, PS_NAME_POLICY},
      {"defaultVersion", "version", PS_STATE_NUMBER, PS_STATE_NO_CHECK},
      {"nextVersion", "next", PS_STATE_NUMBER, PS_STATE_NO_CHECK},
      {"generationId", "generation", PS_STATE_TEXT, PS_STATE_NO_CHECK},
      {"created_ms", "created", PS_STATE_NUMBER, PS_STATE_NO_CHECK},
      {"modified_ms", "modified", PS_STATE_NUMBER, PS_STATE_NO_CHECK}}},
    {"policyVersions",
     "versions",
     "policy, version",
     check_version,
     {{"policy", "policy", PS_STATE_TEXT, PS_NAME_POLICY},
      {"version", "version", PS_STATE_NUMBER, PS_STATE_NO_CHECK},
      {"document", "document", PS_STATE_TEXT, PS_STATE_NO_CHECK},
      {"generationId", "generation", PS_STATE_TEXT, PS_STATE_NO_CHECK},
      {"created_ms", "created", PS_STATE_NUMBER, PS_STATE_NO_CHECK}}},
    {"policyTargets",
     "targets",
     "seq",
     check_target,
     {{"policy", "policy", PS_STATE_TEXT, PS_NAME_POLICY},
      {"target", "target", PS_STATE_TEXT, PS_STATE_NO_CHECK}}},
};

// ---- out

PsApiCode ps_state_take(PsRegistry *registry, json_t **ret_json, PsApiFault *fault) {
    json_t *json = json_pack("{s:s, s:i}", "format", PS_STATE_FORMAT, "version", STATE_VERSION);
    for (size_t i = 0; i < PS_COUNT(tables); i++) {
        json_object_set_new(json, tables[i].member, ps_state_table_take(registry, &tables[i]));
    }
    for (size_t i = 0; i < registry->part_count; i++) {
        json_t *part = registry->parts[i]->take(registry->parts[i]->ctx);
        if (part == NULL) {
            json_decref(json);
            return ps_api_fail(PS_API_INTERNAL, fault, "%s cannot be read",
                               registry->parts[i]->name);
        }
        json_object_set_new(json, registry->parts[i]->name, part);
    }
    *ret_json = json;
    return PS_API_OK;
}

// ---- in

static PsApiCode put_all(PsRegistry *registry, json_t *json, PsApiFault *fault) {
    for (size_t i = PS_COUNT(tables); i-- > 0;) {
        ps_state_table_clear(registry, &tables[i]);
    }
    PsApiCode code = PS_API_OK;
    for (size_t i = 0; code == PS_API_OK && i < PS_COUNT(tables); i++) {
        code = ps_state_table_put(registry, &tables[i], json_object_get(json, tables[i].member),
                                  fault);
    }
    if (code == PS_API_OK &&
        ps_db_number(&registry->db, 0,
                     "SELECT count(*) FROM policies WHERE NOT EXISTS (SELECT 1 FROM versions"
                     " WHERE policy = name AND versions.version = policies.version)",
                     "") > 0) {
        code = ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "a policy's 'defaultVersion' is not in policyVersions");
    }
    for (size_t i = 0; code == PS_API_OK && i < registry->part_count; i++) {
        const PsRegistryPart *part = registry->parts[i];
        code = part->put(part->ctx, json_object_get(json, part->name), fault);
    }
    return code;
}

PsApiCode ps_state_put(PsRegistry *registry, json_t *json, PsApiFault *fault) {
    if (strcmp(ps_state_text(json, "format"), PS_STATE_FORMAT) != 0) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "this is no export of a local cloud: 'format' is not '%s'",
                           PS_STATE_FORMAT);
    }
    if (json_integer_value(json_object_get(json, "version")) != STATE_VERSION) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "the export is of version %lld; this penstock-cloud reads %d",
                           json_integer_value(json_object_get(json, "version")), STATE_VERSION);
    }
    ps_registry_begin(registry);
    PsApiCode code = put_all(registry, json, fault);
    ps_registry_tell(registry, NULL);
    PsApiFault failed = {0};
    PsApiCode end = ps_registry_end(registry, code, &failed);
    ps_registry_load_settings(registry);
    if (code == PS_API_OK && end != PS_API_OK) {
        *fault = failed;
        code = end;
    }
    return code;
}
