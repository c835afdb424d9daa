// Whom policies are attached to, and the policies that hold for a connection. Main thread, local
// database.
#include "localcloud/policy/policy.h"
#include "localcloud/registry/certificates.h"
#include "localcloud/registry/groups.h"
#include "localcloud/registry/policies.h"
#include "localcloud/registry/principals.h"
#include "localcloud/registry/things.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TARGET_SIZE 160

// The groups that are the first parameter's thing's, and those above them.
#define GROUPS_OF_THING                                                                            \
    "WITH RECURSIVE up(name) AS (SELECT grp FROM members WHERE thing = ?1 UNION"                   \
    " SELECT parent FROM groups JOIN up ON groups.name = up.name WHERE parent IS NOT NULL)"

// "cert/<id>" or "thinggroup/<name>" of an ARN, as the table has it.
static PsApiCode read_target(PsRegistry *registry, const char *arn, char *out, PsApiFault *fault) {
    PsArnKind kind = PS_ARN_THING;
    const char *name = NULL;
    if (arn != NULL && ps_arn_read(arn, registry->region, &kind, &name)) {
        char id[PS_CERTIFICATE_ID_SIZE];
        PsApiCode code = PS_API_OK;
        if (kind == PS_ARN_CERTIFICATE) {
            code = ps_certificate_check(registry, name, id, fault);
            snprintf(out, TARGET_SIZE, "cert/%s", code == PS_API_OK ? id : "");
            return code;
        }
        if (kind == PS_ARN_GROUP) {
            snprintf(out, TARGET_SIZE, "thinggroup/%s", name);
            return ps_group_check(registry, name, fault);
        }
    }
    return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                       "target '%s' is not the ARN of a certificate or thing group of this account "
                       "and region",
                       arn != NULL ? arn : "");
}

PsApiCode ps_policy_attach(PsRegistry *registry, const char *name, const char *target,
                           PsApiFault *fault) {
    char row[TARGET_SIZE];
    PsApiCode code = ps_policy_check(registry, name, fault);
    code = code == PS_API_OK ? read_target(registry, target, row, fault) : code;
    if (code != PS_API_OK) {
        return code;
    }
    if (ps_db_number(&registry->db, 0,
                     "SELECT count(*) FROM targets WHERE target = ? AND policy <> ?", "tt", row,
                     name) >= PS_POLICIES_PER_TARGET) {
        return ps_api_fail(PS_API_LIMIT_EXCEEDED, fault,
                           "%d policies are attached to %s already; that is the most",
                           PS_POLICIES_PER_TARGET, target);
    }
    ps_db_run(&registry->db, "INSERT OR IGNORE INTO targets (policy, target) VALUES (?, ?)", "tt",
              name, row);
    ps_registry_tell(registry, strncmp(row, "cert/", 5) == 0 ? row + 5 : NULL);
    return PS_API_OK;
}

PsApiCode ps_policy_detach(PsRegistry *registry, const char *name, const char *target,
                           PsApiFault *fault) {
    char row[TARGET_SIZE];
    PsApiCode code = ps_policy_check(registry, name, fault);
    code = code == PS_API_OK ? read_target(registry, target, row, fault) : code;
    if (code == PS_API_OK) {
        ps_db_run(&registry->db, "DELETE FROM targets WHERE policy = ? AND target = ?", "tt", name,
                  row);
        ps_registry_tell(registry, strncmp(row, "cert/", 5) == 0 ? row + 5 : NULL);
    }
    return code;
}

static json_t *attached_item(PsRegistry *registry, const PsDbRows *row) {
    char arn[PS_ARN_SIZE];
    ps_arn_put(arn, registry->region, PS_ARN_POLICY, ps_db_text(row, 1));
    return json_pack("{s:s, s:s}", "policyName", ps_db_text(row, 1), "policyArn", arn);
}

PsApiCode ps_policy_list_attached(PsRegistry *registry, const char *target, bool recursive,
                                  const PsPage *page, PsListed *ret_listed, PsApiFault *fault) {
    char row[TARGET_SIZE];
    PsApiCode code = read_target(registry, target, row, fault);
    if (code != PS_API_OK) {
        return code;
    }
    // By the first attachment, so that a policy of group and parent is there once.
    PS_AUTO_DB_ROWS PsDbRows rows = ps_db_rows(
        &registry->db,
        "WITH RECURSIVE up(target) AS (SELECT ?1 UNION SELECT 'thinggroup/' || parent FROM groups"
        " JOIN up ON up.target = 'thinggroup/' || name WHERE ?2 AND parent IS NOT NULL)"
        " SELECT * FROM (SELECT min(seq) AS seq, policy FROM targets WHERE target IN up"
        " GROUP BY policy) WHERE true" PS_PAGE_SQL("seq"),
        "tiiiii", row, (int64_t)recursive, PS_PAGE_ARGS(page));
    *ret_listed = ps_page_take(registry, page, &rows, attached_item);
    return PS_API_OK;
}

static json_t *target_item(PsRegistry *registry, const PsDbRows *row) {
    char arn[PS_ARN_SIZE];
    const char *target = ps_db_text(row, 1);
    bool certificate = strncmp(target, "cert/", 5) == 0;
    ps_arn_put(arn, registry->region, certificate ? PS_ARN_CERTIFICATE : PS_ARN_GROUP,
               strchr(target, '/') + 1);
    return json_string(arn);
}

PsApiCode ps_policy_list_targets(PsRegistry *registry, const char *name, const PsPage *page,
                                 PsListed *ret_listed, PsApiFault *fault) {
    PsApiCode code = ps_policy_check(registry, name, fault);
    if (code != PS_API_OK) {
        return code;
    }
    PS_AUTO_DB_ROWS PsDbRows rows = ps_db_rows(
        &registry->db, "SELECT seq, target FROM targets WHERE policy = ?" PS_PAGE_SQL("seq"),
        "tiiii", name, PS_PAGE_ARGS(page));
    *ret_listed = ps_page_take(registry, page, &rows, target_item);
    return PS_API_OK;
}

// ---- what holds

static PsDbRows effective_rows(PsRegistry *registry, const char *thing,
                               const char *certificate_id) {
    return ps_db_rows(
        &registry->db,
        GROUPS_OF_THING
        " SELECT DISTINCT name, versions.version, document FROM targets"
        " JOIN policies ON policies.name = targets.policy"
        " JOIN versions ON versions.policy = name AND versions.version = policies.version"
        " WHERE target = 'cert/' || ?2 OR target IN (SELECT 'thinggroup/' || name FROM up)"
        " ORDER BY targets.seq",
        "tt", thing, certificate_id);
}

PsErr ps_registry_policies(PsRegistry *registry, const char *certificate_id, const char *thing,
                           PsPolicySet *ret_set) {
    PsPolicySet set = {0};
    PsErr err = PS_OK;
    ps_db_begin_reading(&registry->db);
    {
        PS_AUTO_DB_ROWS PsDbRows rows = effective_rows(registry, thing, certificate_id);
        while (err == PS_OK && ps_db_next(&rows)) {
            const char *document = ps_db_text(&rows, 2);
            PsPolicyDocument *parsed = NULL;
            PsDiag diag = {0};
            err = ps_policy_parse(document, strlen(document), &parsed, &diag);
            if (err == PS_OK) {
                ps_policy_set_put(&set, ps_db_text(&rows, 0), ps_db_text(&rows, 1), parsed);
                ps_policy_unref(parsed);
            }
        }
    }
    PsErr end = ps_db_end(&registry->db, true);
    if (err != PS_OK || end != PS_OK) {
        ps_policy_set_deinit(&set);
        return PS_ERR_IO;
    }
    *ret_set = set;
    return PS_OK;
}

PsApiCode ps_policy_effective(PsRegistry *registry, const char *principal, const char *thing,
                              json_t **ret_answer, PsApiFault *fault) {
    char id[PS_CERTIFICATE_ID_SIZE] = "";
    PsApiCode code = thing != NULL ? ps_thing_check(registry, thing, fault) : PS_API_OK;
    if (code == PS_API_OK && principal != NULL) {
        code = ps_principal_read(registry, principal, id, fault);
        code = code == PS_API_OK ? ps_certificate_check(registry, id, id, fault) : code;
    }
    if (code != PS_API_OK) {
        return code;
    }
    PS_AUTO_DB_ROWS PsDbRows rows = effective_rows(registry, thing, id);
    json_t *list = json_array();
    while (ps_db_next(&rows)) {
        char arn[PS_ARN_SIZE];
        ps_arn_put(arn, registry->region, PS_ARN_POLICY, ps_db_text(&rows, 0));
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s}", "policyName", ps_db_text(&rows, 0),
                                        "policyArn", arn, "policyDocument", ps_db_text(&rows, 2)));
    }
    *ret_answer = json_pack("{s:o}", "effectivePolicies", list);
    return PS_API_OK;
}
