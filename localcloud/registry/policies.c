// Policies and their versions. Main thread, local database.
#include "localcloud/registry/policies.h"

#include "base/cleanup.h"
#include "localcloud/policy/policy.h"

#include <stdlib.h>
#include <string.h>

PsApiCode ps_policy_check(PsRegistry *registry, const char *name, PsApiFault *fault) {
    PsApiCode code = ps_name_check(PS_NAME_POLICY, "policyName", name, fault);
    if (code != PS_API_OK) {
        return code;
    }
    return ps_registry_has(registry, "SELECT seq FROM policies WHERE name = ?", name)
               ? PS_API_OK
               : ps_registry_missing("Policy", name, fault);
}

static PsApiCode check_document(const char *document, PsApiFault *fault) {
    if (document == NULL) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault, "'policyDocument' is missing");
    }
    PsPolicyDocument *parsed = NULL;
    PsDiag diag = {0};
    if (ps_policy_parse(document, strlen(document), &parsed, &diag) != PS_OK) {
        char text[sizeof(PsDiag) + 8];
        ps_diag_format(&diag, text, sizeof text);
        return ps_api_fail(PS_API_MALFORMED_POLICY, fault, "Policy document is malformed: %s",
                           text);
    }
    ps_policy_unref(parsed);
    return PS_API_OK;
}

// {policyName, policyArn}
static json_t *policy_item(PsRegistry *registry, const char *name) {
    char arn[PS_ARN_SIZE];
    ps_arn_put(arn, registry->region, PS_ARN_POLICY, name);
    return json_pack("{s:s, s:s}", "policyName", name, "policyArn", arn);
}

static void put_version_id(json_t *answer, const char *member, int64_t version) {
    json_object_set_new(answer, member, json_sprintf("%lld", (long long)version));
}

static void put_version(PsRegistry *registry, const char *name, int64_t version,
                        const char *document) {
    char generation[PS_UUID_SIZE];
    ps_uuid_make(generation);
    ps_db_run(&registry->db,
              "INSERT INTO versions (policy, version, document, generation, created)"
              " VALUES (?, ?, ?, ?, ?)",
              "titti", name, version, document, generation, ps_registry_now_ms());
}

PsApiCode ps_policy_create(PsRegistry *registry, const char *name, const char *document,
                           json_t **ret_answer, PsApiFault *fault) {
    PsApiCode code = ps_name_check(PS_NAME_POLICY, "policyName", name, fault);
    code = code == PS_API_OK ? check_document(document, fault) : code;
    if (code != PS_API_OK) {
        return code;
    }
    if (ps_registry_has(registry, "SELECT seq FROM policies WHERE name = ?", name)) {
        return ps_registry_taken(registry, PS_ARN_POLICY, name, name, fault);
    }
    char generation[PS_UUID_SIZE];
    ps_uuid_make(generation);
    int64_t now = ps_registry_now_ms();
    ps_db_run(&registry->db,
              "INSERT INTO policies (name, version, next, generation, created, modified)"
              " VALUES (?, 1, 2, ?, ?, ?)",
              "ttii", name, generation, now, now);
    put_version(registry, name, 1, document);
    *ret_answer = policy_item(registry, name);
    json_object_set_new(*ret_answer, "policyDocument", json_string(document));
    put_version_id(*ret_answer, "policyVersionId", 1);
    return PS_API_OK;
}

PsApiCode ps_policy_get(PsRegistry *registry, const char *name, json_t **ret_answer,
                        PsApiFault *fault) {
    PsApiCode code = ps_name_check(PS_NAME_POLICY, "policyName", name, fault);
    if (code != PS_API_OK) {
        return code;
    }
    PS_AUTO_DB_ROWS PsDbRows row = ps_db_rows(
        &registry->db,
        "SELECT policies.version, document, policies.created, modified, policies.generation"
        " FROM policies JOIN versions ON policy = name AND versions.version = policies.version"
        " WHERE name = ?",
        "t", name);
    if (!ps_db_next(&row)) {
        return ps_registry_missing("Policy", name, fault);
    }
    json_t *answer = policy_item(registry, name);
    json_object_set_new(answer, "policyDocument", json_string(ps_db_text(&row, 1)));
    put_version_id(answer, "defaultVersionId", ps_db_int(&row, 0));
    json_object_set_new(answer, "creationDate", ps_registry_time(ps_db_int(&row, 2)));
    json_object_set_new(answer, "lastModifiedDate", ps_registry_time(ps_db_int(&row, 3)));
    json_object_set_new(answer, "generationId", json_string(ps_db_text(&row, 4)));
    *ret_answer = answer;
    return PS_API_OK;
}

PsApiCode ps_policy_delete(PsRegistry *registry, const char *name, PsApiFault *fault) {
    PsApiCode code = ps_policy_check(registry, name, fault);
    if (code != PS_API_OK) {
        return code;
    }
    if (ps_registry_has(registry, "SELECT seq FROM targets WHERE policy = ?", name)) {
        return ps_api_fail(PS_API_DELETE_CONFLICT, fault,
                           "The policy cannot be deleted as the policy is attached to one or more "
                           "principals (name=%s)",
                           name);
    }
    if (ps_db_number(&registry->db, 0, "SELECT count(*) FROM versions WHERE policy = ?", "t",
                     name) > 1) {
        return ps_api_fail(PS_API_DELETE_CONFLICT, fault,
                           "Cannot delete the policy because it has one or more policy versions "
                           "attached to it (name=%s)",
                           name);
    }
    ps_db_run(&registry->db, "DELETE FROM policies WHERE name = ?", "t", name);
    return PS_API_OK;
}

static json_t *listed_policy(PsRegistry *registry, const PsDbRows *row) {
    return policy_item(registry, ps_db_text(row, 1));
}

PsListed ps_policy_list(PsRegistry *registry, const PsPage *page) {
    PS_AUTO_DB_ROWS PsDbRows rows =
        ps_db_rows(&registry->db, "SELECT seq, name FROM policies WHERE true" PS_PAGE_SQL("seq"),
                   "iiii", PS_PAGE_ARGS(page));
    return ps_page_take(registry, page, &rows, listed_policy);
}

// ---- versions

static void set_default(PsRegistry *registry, const char *name, int64_t version) {
    ps_db_run(&registry->db, "UPDATE policies SET version = ?, modified = ? WHERE name = ?", "iit",
              version, ps_registry_now_ms(), name);
    ps_registry_tell(registry, NULL);
}

PsApiCode ps_policy_version_create(PsRegistry *registry, const char *name, const char *document,
                                   bool as_default, json_t **ret_answer, PsApiFault *fault) {
    PsApiCode code = ps_policy_check(registry, name, fault);
    code = code == PS_API_OK ? check_document(document, fault) : code;
    if (code != PS_API_OK) {
        return code;
    }
    if (ps_db_number(&registry->db, 0, "SELECT count(*) FROM versions WHERE policy = ?", "t",
                     name) >= PS_POLICY_VERSIONS_MOST) {
        return ps_api_fail(PS_API_VERSIONS_LIMIT, fault,
                           "The policy %s already has the maximum number of versions (%d)", name,
                           PS_POLICY_VERSIONS_MOST);
    }
    int64_t version =
        ps_db_number(&registry->db, 1, "SELECT next FROM policies WHERE name = ?", "t", name);
    put_version(registry, name, version, document);
    ps_db_run(&registry->db, "UPDATE policies SET next = next + 1 WHERE name = ?", "t", name);
    if (as_default) {
        set_default(registry, name, version);
    }
    *ret_answer = policy_item(registry, name);
    json_object_del(*ret_answer, "policyName");
    json_object_set_new(*ret_answer, "policyDocument", json_string(document));
    put_version_id(*ret_answer, "policyVersionId", version);
    json_object_set_new(*ret_answer, "isDefaultVersion", json_boolean(as_default));
    return PS_API_OK;
}

static PsApiCode find_version(PsRegistry *registry, const char *name, const char *version,
                              int64_t *ret_version, bool *ret_default, PsApiFault *fault) {
    PsApiCode code = ps_policy_check(registry, name, fault);
    code = code == PS_API_OK ? ps_name_check(PS_NAME_VERSION, "policyVersionId", version, fault)
                             : code;
    if (code != PS_API_OK) {
        return code;
    }
    int64_t number = strtoll(version, NULL, 10);
    int64_t is_default =
        ps_db_number(&registry->db, -1,
                     "SELECT versions.version = policies.version FROM versions JOIN policies"
                     " ON name = policy WHERE policy = ? AND versions.version = ?",
                     "ti", name, number);
    if (is_default < 0) {
        return ps_api_fail(PS_API_NOT_FOUND, fault, "Policy %s has no version %s", name, version);
    }
    *ret_version = number;
    *ret_default = is_default == 1;
    return PS_API_OK;
}

PsApiCode ps_policy_version_get(PsRegistry *registry, const char *name, const char *version,
                                json_t **ret_answer, PsApiFault *fault) {
    int64_t number = 0;
    bool is_default = false;
    PsApiCode code = find_version(registry, name, version, &number, &is_default, fault);
    if (code != PS_API_OK) {
        return code;
    }
    PS_AUTO_DB_ROWS PsDbRows row = ps_db_rows(
        &registry->db,
        "SELECT document, created, generation FROM versions WHERE policy = ? AND version = ?", "ti",
        name, number);
    if (!ps_db_next(&row)) {
        return ps_registry_missing("Version", version, fault);
    }
    json_t *answer = policy_item(registry, name);
    json_object_set_new(answer, "policyDocument", json_string(ps_db_text(&row, 0)));
    put_version_id(answer, "policyVersionId", number);
    json_object_set_new(answer, "isDefaultVersion", json_boolean(is_default));
    json_object_set_new(answer, "creationDate", ps_registry_time(ps_db_int(&row, 1)));
    json_object_set_new(answer, "lastModifiedDate", ps_registry_time(ps_db_int(&row, 1)));
    json_object_set_new(answer, "generationId", json_string(ps_db_text(&row, 2)));
    *ret_answer = answer;
    return PS_API_OK;
}

PsApiCode ps_policy_version_list(PsRegistry *registry, const char *name, json_t **ret_answer,
                                 PsApiFault *fault) {
    PsApiCode code = ps_policy_check(registry, name, fault);
    if (code != PS_API_OK) {
        return code;
    }
    PS_AUTO_DB_ROWS PsDbRows rows =
        ps_db_rows(&registry->db,
                   "SELECT versions.version, versions.version = policies.version, versions.created"
                   " FROM versions JOIN policies ON name = policy WHERE policy = ?"
                   " ORDER BY versions.version DESC",
                   "t", name);
    json_t *list = json_array();
    while (ps_db_next(&rows)) {
        json_t *item = json_pack("{s:b, s:o}", "isDefaultVersion", ps_db_int(&rows, 1) != 0,
                                 "createDate", ps_registry_time(ps_db_int(&rows, 2)));
        put_version_id(item, "versionId", ps_db_int(&rows, 0));
        json_array_append_new(list, item);
    }
    *ret_answer = json_pack("{s:o}", "policyVersions", list);
    return PS_API_OK;
}

PsApiCode ps_policy_version_delete(PsRegistry *registry, const char *name, const char *version,
                                   PsApiFault *fault) {
    int64_t number = 0;
    bool is_default = false;
    PsApiCode code = find_version(registry, name, version, &number, &is_default, fault);
    if (code == PS_API_OK && is_default) {
        code = ps_api_fail(PS_API_DELETE_CONFLICT, fault,
                           "Cannot delete the default version of a policy (name=%s, version=%s)",
                           name, version);
    }
    if (code == PS_API_OK) {
        ps_db_run(&registry->db, "DELETE FROM versions WHERE policy = ? AND version = ?", "ti",
                  name, number);
    }
    return code;
}

PsApiCode ps_policy_version_default(PsRegistry *registry, const char *name, const char *version,
                                    PsApiFault *fault) {
    int64_t number = 0;
    bool is_default = false;
    PsApiCode code = find_version(registry, name, version, &number, &is_default, fault);
    if (code == PS_API_OK) {
        set_default(registry, name, number);
    }
    return code;
}
