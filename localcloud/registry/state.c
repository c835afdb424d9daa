// The whole account as one JSON. What is in it is one table of tables below. Main thread, local
// database.
#include "localcloud/registry/state.h"

#include "base/cleanup.h"
#include "localcloud/pki.h"
#include "localcloud/policy/policy.h"
#include "localcloud/registry/certificates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATE_VERSION 1
#define NO_CHECK PS_NAME_KINDS
#define COLUMNS_MOST 14

typedef enum ColumnType {
    TEXT,
    TEXT_OR_NULL,
    NUMBER,
    NUMBER_OR_NULL,
    JSON, // text in the table, a value in the export
    JSON_OR_NULL,
} ColumnType;

typedef struct Column {
    const char *member; // NULL: the end
    const char *column;
    ColumnType type;
    PsNameKind check;
} Column;

typedef struct Table {
    const char *member;
    const char *table;
    const char *order;
    PsApiCode (*check)(PsRegistry *registry, json_t *row, PsApiFault *fault); // NULL: none
    Column columns[COLUMNS_MOST];
} Table;

static const char *text_of(json_t *row, const char *member) {
    const char *text = json_string_value(json_object_get(row, member));
    return text != NULL ? text : "";
}

static PsApiCode check_pem(json_t *row, PsApiFault *fault) {
    const char *pem = text_of(row, "pem");
    X509 *x509 = ps_pki_certificate_read(pem, strlen(pem));
    char id[PS_CERTIFICATE_ID_SIZE] = "";
    if (x509 != NULL) {
        ps_pki_certificate_id(x509, id);
    }
    X509_free(x509);
    return strcmp(id, text_of(row, "id")) == 0
               ? PS_API_OK
               : ps_api_fail(PS_API_INVALID_REQUEST, fault,
                             "'pem' is not the certificate of which 'id' is the SHA-256");
}

static PsApiCode check_authority(PsRegistry *registry, json_t *row, PsApiFault *fault) {
    return check_pem(row, fault);
}

static PsApiCode check_certificate(PsRegistry *registry, json_t *row, PsApiFault *fault) {
    PsCertificateStatus status = PS_CERTIFICATE_INACTIVE;
    return ps_certificate_status_find(text_of(row, "status"), &status)
               ? check_pem(row, fault)
               : ps_api_fail(PS_API_INVALID_REQUEST, fault, "'status' is none");
}

static PsApiCode check_attributes(PsRegistry *registry, json_t *row, PsApiFault *fault) {
    return ps_name_attributes(json_object_get(row, "attributes"), 50, fault);
}

static PsApiCode check_version(PsRegistry *registry, json_t *row, PsApiFault *fault) {
    const char *document = text_of(row, "document");
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
                           text_of(row, "target"))
               ? PS_API_OK
               : ps_api_fail(PS_API_INVALID_REQUEST, fault,
                             "'target' is not the cert/ID or thinggroup/NAME of an entry");
}

// In this order they can be filled: what is named stands before what names it.
static const Table tables[] = {
    {"settings",
     "settings",
     "name",
     NULL,
     {{"name", "name", TEXT, NO_CHECK}, {"value", "value", TEXT, NO_CHECK}}},
    {"thingTypes",
     "types",
     "seq",
     NULL,
     {{"name", "name", TEXT, PS_NAME_THING},
      {"id", "id", TEXT, NO_CHECK},
      {"description", "description", TEXT_OR_NULL, PS_NAME_DESCRIPTION},
      {"searchableAttributes", "searchable", JSON, NO_CHECK},
      {"created_ms", "created", NUMBER, NO_CHECK},
      {"deprecated_ms", "deprecated", NUMBER_OR_NULL, NO_CHECK}}},
    {"things",
     "things",
     "seq",
     check_attributes,
     {{"name", "name", TEXT, PS_NAME_THING},
      {"id", "id", TEXT, NO_CHECK},
      {"thingType", "type", TEXT_OR_NULL, PS_NAME_THING},
      {"attributes", "attributes", JSON, NO_CHECK},
      {"version", "version", NUMBER, NO_CHECK},
      {"created_ms", "created", NUMBER, NO_CHECK}}},
    {"thingGroups",
     "groups",
     "seq",
     check_attributes,
     {{"name", "name", TEXT, PS_NAME_THING},
      {"id", "id", TEXT, NO_CHECK},
      {"parent", "parent", TEXT_OR_NULL, PS_NAME_THING},
      {"description", "description", TEXT_OR_NULL, PS_NAME_DESCRIPTION},
      {"attributes", "attributes", JSON, NO_CHECK},
      {"version", "version", NUMBER, NO_CHECK},
      {"created_ms", "created", NUMBER, NO_CHECK}}},
    {"thingGroupMembers",
     "members",
     "seq",
     NULL,
     {{"thing", "thing", TEXT, PS_NAME_THING}, {"thingGroup", "grp", TEXT, PS_NAME_THING}}},
    {"caCertificates",
     "authorities",
     "seq",
     check_authority,
     {{"id", "id", TEXT, PS_NAME_CERTIFICATE},
      {"pem", "pem", TEXT, NO_CHECK},
      {"subject", "subject", TEXT, NO_CHECK},
      {"status", "status", TEXT, NO_CHECK},
      {"autoRegistrationStatus", "automatic", TEXT, NO_CHECK},
      {"certificateMode", "mode", TEXT, NO_CHECK},
      {"registrationConfig", "config", JSON_OR_NULL, NO_CHECK},
      {"generationId", "generation", TEXT, NO_CHECK},
      {"customerVersion", "customer_version", NUMBER, NO_CHECK},
      {"notBefore_ms", "not_before", NUMBER, NO_CHECK},
      {"notAfter_ms", "not_after", NUMBER, NO_CHECK},
      {"created_ms", "created", NUMBER, NO_CHECK},
      {"modified_ms", "modified", NUMBER, NO_CHECK}}},
    {"certificates",
     "certificates",
     "seq",
     check_certificate,
     {{"id", "id", TEXT, PS_NAME_CERTIFICATE},
      {"pem", "pem", TEXT, NO_CHECK},
      {"status", "status", TEXT, NO_CHECK},
      {"caCertificateId", "authority", TEXT_OR_NULL, PS_NAME_CERTIFICATE},
      {"certificateMode", "mode", TEXT, NO_CHECK},
      {"generationId", "generation", TEXT, NO_CHECK},
      {"customerVersion", "customer_version", NUMBER, NO_CHECK},
      {"notBefore_ms", "not_before", NUMBER, NO_CHECK},
      {"notAfter_ms", "not_after", NUMBER, NO_CHECK},
      {"created_ms", "created", NUMBER, NO_CHECK},
      {"modified_ms", "modified", NUMBER, NO_CHECK}}},
    {"thingPrincipals",
     "principals",
     "seq",
     NULL,
     {{"thing", "thing", TEXT, PS_NAME_THING},
      {"certificateId", "certificate", TEXT, PS_NAME_CERTIFICATE},
      {"exclusive", "exclusive", NUMBER, NO_CHECK}}},
    {"policies",
     "policies",
     "seq",
     NULL,
     {{"name", "name", TEXT, PS_NAME_POLICY},
      {"defaultVersion", "version", NUMBER, NO_CHECK},
      {"nextVersion", "next", NUMBER, NO_CHECK},
      {"generationId", "generation", TEXT, NO_CHECK},
      {"created_ms", "created", NUMBER, NO_CHECK},
      {"modified_ms", "modified", NUMBER, NO_CHECK}}},
    {"policyVersions",
     "versions",
     "policy, version",
     check_version,
     {{"policy", "policy", TEXT, PS_NAME_POLICY},
      {"version", "version", NUMBER, NO_CHECK},
      {"document", "document", TEXT, NO_CHECK},
      {"generationId", "generation", TEXT, NO_CHECK},
      {"created_ms", "created", NUMBER, NO_CHECK}}},
    {"policyTargets",
     "targets",
     "seq",
     check_target,
     {{"policy", "policy", TEXT, PS_NAME_POLICY}, {"target", "target", TEXT, NO_CHECK}}},
};

// "a, b, c", with `each` behind every column when it is not NULL: "?, ?, ?".
static void put_columns(PsBuf *sql, const Table *table, const char *instead) {
    for (size_t i = 0; i < COLUMNS_MOST && table->columns[i].member != NULL; i++) {
        ps_buf_printf(sql, "%s%s", i > 0 ? ", " : "",
                      instead != NULL ? instead : table->columns[i].column);
    }
}

// ---- out

static json_t *value_of(const PsDbRows *row, int column, ColumnType type) {
    if (ps_db_is_null(row, column)) {
        return json_null();
    }
    switch (type) {
    case NUMBER:
    case NUMBER_OR_NULL:
        return json_integer(ps_db_int(row, column));
    case JSON:
    case JSON_OR_NULL:
        return json_loads(ps_db_text(row, column), JSON_DECODE_ANY, NULL);
    default:
        return json_string(ps_db_text(row, column));
    }
}

static json_t *take_table(PsRegistry *registry, const Table *table) {
    PS_AUTO_BUF PsBuf sql = {0};
    ps_buf_printf(&sql, "SELECT ");
    put_columns(&sql, table, NULL);
    ps_buf_printf(&sql, " FROM %s ORDER BY %s", table->table, table->order);
    PS_AUTO_DB_ROWS PsDbRows rows = ps_db_rows(&registry->db, (const char *)sql.data, "");
    json_t *list = json_array();
    while (ps_db_next(&rows)) {
        json_t *item = json_object();
        for (int i = 0; i < COLUMNS_MOST && table->columns[i].member != NULL; i++) {
            json_object_set_new(item, table->columns[i].member,
                                value_of(&rows, i, table->columns[i].type));
        }
        json_array_append_new(list, item);
    }
    return list;
}

PsApiCode ps_state_take(PsRegistry *registry, json_t **ret_json, PsApiFault *fault) {
    json_t *json = json_pack("{s:s, s:i}", "format", PS_STATE_FORMAT, "version", STATE_VERSION);
    for (size_t i = 0; i < PS_COUNT(tables); i++) {
        json_object_set_new(json, tables[i].member, take_table(registry, &tables[i]));
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

static bool type_fits(ColumnType type, json_t *value) {
    switch (type) {
    case TEXT:
        return json_is_string(value);
    case TEXT_OR_NULL:
        return value == NULL || json_is_null(value) || json_is_string(value);
    case NUMBER:
        return json_is_integer(value);
    case NUMBER_OR_NULL:
        return value == NULL || json_is_null(value) || json_is_integer(value);
    case JSON:
        return json_is_object(value) || json_is_array(value);
    default:
        return value == NULL || json_is_null(value) || json_is_object(value);
    }
}

static PsApiCode check_row(PsRegistry *registry, const Table *table, json_t *row,
                           PsApiFault *fault) {
    for (size_t i = 0; i < COLUMNS_MOST && table->columns[i].member != NULL; i++) {
        const Column *column = &table->columns[i];
        json_t *value = json_object_get(row, column->member);
        if (!type_fits(column->type, value)) {
            return ps_api_fail(PS_API_INVALID_REQUEST, fault, "'%s' is missing or of another kind",
                               column->member);
        }
        if (column->check != NO_CHECK && json_is_string(value)) {
            PsApiCode code =
                ps_name_check(column->check, column->member, json_string_value(value), fault);
            if (code != PS_API_OK) {
                return code;
            }
        }
    }
    return table->check != NULL ? table->check(registry, row, fault) : PS_API_OK;
}

static void bind_value(sqlite3_stmt *statement, int index, json_t *value) {
    if (json_is_integer(value)) {
        sqlite3_bind_int64(statement, index, json_integer_value(value));
    } else if (json_is_string(value)) {
        sqlite3_bind_text(statement, index, json_string_value(value), -1, SQLITE_TRANSIENT);
    } else if (json_is_object(value) || json_is_array(value)) {
        sqlite3_bind_text(statement, index, json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS), -1,
                          free);
    }
}

static PsApiCode put_row(PsRegistry *registry, const Table *table, const char *sql, json_t *row,
                         PsApiFault *fault) {
    PsApiCode code = check_row(registry, table, row, fault);
    if (code != PS_API_OK) {
        return code;
    }
    PS_AUTO_DB_ROWS PsDbRows insert = ps_db_rows_unbound(&registry->db, sql);
    for (int i = 0;
         insert.statement != NULL && i < COLUMNS_MOST && table->columns[i].member != NULL; i++) {
        bind_value(insert.statement, i + 1, json_object_get(row, table->columns[i].member));
    }
    while (ps_db_next(&insert)) {
    }
    if (registry->db.failed && registry->db.constraint) {
        code = ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "is there twice, or names something that is not (%s)",
                           registry->db.why.text);
    }
    return code;
}

static PsApiCode put_table(PsRegistry *registry, const Table *table, json_t *list,
                           PsApiFault *fault) {
    if (!json_is_array(list)) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault, "'%s' must be a list", table->member);
    }
    PS_AUTO_BUF PsBuf sql = {0};
    ps_buf_printf(&sql, "INSERT INTO %s (", table->table);
    put_columns(&sql, table, NULL);
    ps_buf_printf(&sql, ") VALUES (");
    put_columns(&sql, table, "?");
    ps_buf_printf(&sql, ")");
    for (size_t i = 0; i < json_array_size(list); i++) {
        PsApiFault inner = {0};
        PsApiCode code =
            put_row(registry, table, (const char *)sql.data, json_array_get(list, i), &inner);
        if (code != PS_API_OK) {
            return ps_api_fail(code, fault, "%s[%zu]: %s", table->member, i, inner.message);
        }
    }
    return PS_API_OK;
}

static PsApiCode put_all(PsRegistry *registry, json_t *json, PsApiFault *fault) {
    for (size_t i = PS_COUNT(tables); i-- > 0;) {
        PS_AUTO_BUF PsBuf sql = {0};
        ps_buf_printf(&sql, "DELETE FROM %s", tables[i].table);
        ps_db_run(&registry->db, (const char *)sql.data, "");
    }
    PsApiCode code = PS_API_OK;
    for (size_t i = 0; code == PS_API_OK && i < PS_COUNT(tables); i++) {
        code = put_table(registry, &tables[i], json_object_get(json, tables[i].member), fault);
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
    if (strcmp(text_of(json, "format"), PS_STATE_FORMAT) != 0) {
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
