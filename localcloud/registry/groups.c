// Thing groups and their members. Main thread, local database.
#include "localcloud/registry/groups.h"

#include "base/cleanup.h"
#include "localcloud/registry/things.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS "seq, name, id, parent, description, attributes, version, created"

// What is at or below the group that is the first parameter.
#define BELOW                                                                                      \
    "WITH RECURSIVE below(name) AS (SELECT ?1 UNION"                                               \
    " SELECT groups.name FROM groups JOIN below ON groups.parent = below.name)"

PsApiCode ps_group_check(PsRegistry *registry, const char *name, PsApiFault *fault) {
    PsApiCode code = ps_name_check(PS_NAME_THING, "thingGroupName", name, fault);
    if (code != PS_API_OK) {
        return code;
    }
    return ps_registry_has(registry, "SELECT seq FROM groups WHERE name = ?", name)
               ? PS_API_OK
               : ps_registry_missing("Thing group", name, fault);
}

static PsApiCode check_properties(json_t *properties, PsApiFault *fault) {
    json_t *description = json_object_get(properties, "thingGroupDescription");
    PsApiCode code = PS_API_OK;
    if (description != NULL) {
        code = ps_name_check(PS_NAME_DESCRIPTION, "thingGroupDescription",
                             json_string_value(description), fault);
    }
    json_t *payload = json_object_get(properties, "attributePayload");
    return code == PS_API_OK ? ps_name_attributes(json_object_get(payload, "attributes"),
                                                  PS_GROUP_ATTRIBUTES, fault)
                             : code;
}

// The group's attributes after `properties`, as text; `stored` is what it had.
static char *new_attributes(const char *stored, json_t *properties) {
    json_t *payload = json_object_get(properties, "attributePayload");
    json_t *given = json_object_get(payload, "attributes");
    bool keep = given == NULL || json_is_true(json_object_get(payload, "merge"));
    json_t *old = json_loads(stored, 0, NULL);
    char *text = ps_attributes_merge(keep ? old : NULL, given);
    json_decref(old);
    return text;
}

static json_t *named_answer(PsRegistry *registry, const char *name, const char *id) {
    char arn[PS_ARN_SIZE];
    ps_arn_put(arn, registry->region, PS_ARN_GROUP, name);
    return json_pack("{s:s, s:s, s:s}", "thingGroupName", name, "thingGroupArn", arn,
                     "thingGroupId", id);
}

static json_t *short_item(PsRegistry *registry, const char *name) {
    char arn[PS_ARN_SIZE];
    ps_arn_put(arn, registry->region, PS_ARN_GROUP, name);
    return json_pack("{s:s, s:s}", "groupName", name, "groupArn", arn);
}

static json_t *listed_group(PsRegistry *registry, const PsDbRows *row) {
    return short_item(registry, ps_db_text(row, 1));
}

PsApiCode ps_group_create(PsRegistry *registry, const PsGroupSpec *spec, json_t **ret_answer,
                          PsApiFault *fault) {
    PsApiCode code = ps_name_check(PS_NAME_THING, "thingGroupName", spec->name, fault);
    code = code == PS_API_OK ? check_properties(spec->properties, fault) : code;
    if (code == PS_API_OK && spec->parent != NULL) {
        code = ps_group_check(registry, spec->parent, fault);
    }
    if (code != PS_API_OK) {
        return code;
    }
    PS_AUTO_FREE char *attributes = new_attributes("{}", spec->properties);
    const char *description =
        json_string_value(json_object_get(spec->properties, "thingGroupDescription"));
    PS_AUTO_DB_ROWS PsDbRows old =
        ps_db_rows(&registry->db, "SELECT " COLUMNS " FROM groups WHERE name = ?", "t", spec->name);
    if (ps_db_next(&old)) {
        const char *id = ps_db_text(&old, 2);
        if (strcmp(ps_db_text(&old, 3), spec->parent != NULL ? spec->parent : "") != 0 ||
            strcmp(ps_db_text(&old, 4), description != NULL ? description : "") != 0 ||
            strcmp(ps_db_text(&old, 5), attributes) != 0) {
            return ps_registry_taken(registry, PS_ARN_GROUP, spec->name, id, fault);
        }
        *ret_answer = named_answer(registry, spec->name, id);
        return PS_API_OK;
    }
    char id[PS_UUID_SIZE];
    ps_uuid_make(id);
    ps_db_run(&registry->db,
              "INSERT INTO groups (name, id, parent, description, attributes, version, created)"
              " VALUES (?, ?, ?, ?, ?, 1, ?)",
              "ttttti", spec->name, id, spec->parent, description, attributes,
              ps_registry_now_ms());
    *ret_answer = named_answer(registry, spec->name, id);
    return PS_API_OK;
}

// From the root group down to the direct parent.
static json_t *way_down(PsRegistry *registry, const char *name) {
    PS_AUTO_DB_ROWS PsDbRows rows = ps_db_rows(
        &registry->db,
        "WITH RECURSIVE up(name, level) AS (SELECT parent, 1 FROM groups WHERE name = ? UNION ALL"
        " SELECT groups.parent, level + 1 FROM groups JOIN up ON groups.name = up.name)"
        " SELECT level, name FROM up WHERE name IS NOT NULL ORDER BY level DESC",
        "t", name);
    json_t *way = json_array();
    while (ps_db_next(&rows)) {
        json_array_append_new(way, short_item(registry, ps_db_text(&rows, 1)));
    }
    return way;
}

PsApiCode ps_group_describe(PsRegistry *registry, const char *name, json_t **ret_answer,
                            PsApiFault *fault) {
    PsApiCode code = ps_name_check(PS_NAME_THING, "thingGroupName", name, fault);
    if (code != PS_API_OK) {
        return code;
    }
    PS_AUTO_DB_ROWS PsDbRows row =
        ps_db_rows(&registry->db, "SELECT " COLUMNS " FROM groups WHERE name = ?", "t", name);
    if (!ps_db_next(&row)) {
        return ps_registry_missing("Thing group", name, fault);
    }
    json_t *properties = json_pack("{s:{s:o}}", "attributePayload", "attributes",
                                   json_loads(ps_db_text(&row, 5), 0, NULL));
    if (!ps_db_is_null(&row, 4)) {
        json_object_set_new(properties, "thingGroupDescription", json_string(ps_db_text(&row, 4)));
    }
    json_t *metadata = json_pack("{s:o, s:o}", "creationDate", ps_registry_time(ps_db_int(&row, 7)),
                                 "rootToParentThingGroups", way_down(registry, name));
    if (!ps_db_is_null(&row, 3)) {
        json_object_set_new(metadata, "parentGroupName", json_string(ps_db_text(&row, 3)));
    }
    *ret_answer = named_answer(registry, name, ps_db_text(&row, 2));
    json_object_set_new(*ret_answer, "version", json_integer(ps_db_int(&row, 6)));
    json_object_set_new(*ret_answer, "thingGroupProperties", properties);
    json_object_set_new(*ret_answer, "thingGroupMetadata", metadata);
    return PS_API_OK;
}

PsApiCode ps_group_update(PsRegistry *registry, const PsGroupSpec *spec, json_t **ret_answer,
                          PsApiFault *fault) {
    PsApiCode code = ps_name_check(PS_NAME_THING, "thingGroupName", spec->name, fault);
    if (code == PS_API_OK && !json_is_object(spec->properties)) {
        code = ps_api_fail(PS_API_INVALID_REQUEST, fault, "'thingGroupProperties' is missing");
    }
    code = code == PS_API_OK ? check_properties(spec->properties, fault) : code;
    if (code != PS_API_OK) {
        return code;
    }
    PS_AUTO_DB_ROWS PsDbRows old =
        ps_db_rows(&registry->db, "SELECT " COLUMNS " FROM groups WHERE name = ?", "t", spec->name);
    if (!ps_db_next(&old)) {
        return ps_registry_missing("Thing group", spec->name, fault);
    }
    int64_t version = ps_db_int(&old, 6);
    code = ps_registry_check_version(version, spec->expected_version, spec->name, fault);
    if (code != PS_API_OK) {
        return code;
    }
    PS_AUTO_FREE char *attributes = new_attributes(ps_db_text(&old, 5), spec->properties);
    const char *description =
        json_string_value(json_object_get(spec->properties, "thingGroupDescription"));
    ps_db_run(&registry->db,
              "UPDATE groups SET description = ifnull(?, description), attributes = ?,"
              " version = version + 1 WHERE name = ?",
              "ttt", description, attributes, spec->name);
    *ret_answer = json_pack("{s:I}", "version", (json_int_t)version + 1);
    return PS_API_OK;
}

PsApiCode ps_group_delete(PsRegistry *registry, const char *name, int64_t expected_version,
                          PsApiFault *fault) {
    PsApiCode code = ps_name_check(PS_NAME_THING, "thingGroupName", name, fault);
    if (code != PS_API_OK) {
        return code;
    }
    int64_t version =
        ps_db_number(&registry->db, -1, "SELECT version FROM groups WHERE name = ?", "t", name);
    if (version < 0) {
        return PS_API_OK;
    }
    code = ps_registry_check_version(version, expected_version, name, fault);
    if (code == PS_API_OK &&
        ps_registry_has(registry, "SELECT seq FROM groups WHERE parent = ?", name)) {
        code = ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "Cannot delete thing group %s: it has child groups", name);
    }
    if (code != PS_API_OK) {
        return code;
    }
    ps_db_run(&registry->db, "DELETE FROM targets WHERE target = 'thinggroup/' || ?", "t", name);
    ps_db_run(&registry->db, "DELETE FROM members WHERE grp = ?", "t", name);
    ps_db_run(&registry->db, "DELETE FROM groups WHERE name = ?", "t", name);
    ps_registry_tell(registry, NULL);
    return PS_API_OK;
}

PsListed ps_group_list(PsRegistry *registry, const PsGroupFilter *filter, const PsPage *page) {
    PS_AUTO_DB_ROWS PsDbRows rows = ps_db_rows(
        &registry->db,
        BELOW " SELECT seq, name FROM groups WHERE (?2 IS NULL OR substr(name, 1, length(?2)) = ?2)"
              " AND (CASE WHEN ?1 IS NULL THEN ?3 OR parent IS NULL"
              " WHEN ?3 THEN parent IN below ELSE parent = ?1 END)" PS_PAGE_SQL("seq"),
        "ttiiiii", filter->parent, filter->prefix, (int64_t)filter->recursive, PS_PAGE_ARGS(page));
    return ps_page_take(registry, page, &rows, listed_group);
}

// ---- members

PsApiCode ps_group_add(PsRegistry *registry, const char *group, const char *thing,
                       PsApiFault *fault) {
    PsApiCode code = ps_group_check(registry, group, fault);
    code = code == PS_API_OK ? ps_thing_check(registry, thing, fault) : code;
    if (code == PS_API_OK) {
        ps_db_run(&registry->db, "INSERT OR IGNORE INTO members (thing, grp) VALUES (?, ?)", "tt",
                  thing, group);
        ps_registry_tell(registry, NULL);
    }
    return code;
}

PsApiCode ps_group_remove(PsRegistry *registry, const char *group, const char *thing,
                          PsApiFault *fault) {
    PsApiCode code = ps_group_check(registry, group, fault);
    code = code == PS_API_OK ? ps_thing_check(registry, thing, fault) : code;
    if (code == PS_API_OK) {
        ps_db_run(&registry->db, "DELETE FROM members WHERE thing = ? AND grp = ?", "tt", thing,
                  group);
        ps_registry_tell(registry, NULL);
    }
    return code;
}

static json_t *text_item(PsRegistry *registry, const PsDbRows *row) {
    return json_string(ps_db_text(row, 1));
}

PsListed ps_group_things(PsRegistry *registry, const char *group, bool recursive,
                         const PsPage *page) {
    // By the first membership, so that a thing in two of the groups is there once.
    PS_AUTO_DB_ROWS PsDbRows rows =
        ps_db_rows(&registry->db,
                   BELOW " SELECT * FROM (SELECT min(seq) AS seq, thing FROM members"
                         " WHERE grp = ?1 OR (?2 AND grp IN below) GROUP BY thing)"
                         " WHERE true" PS_PAGE_SQL("seq"),
                   "tiiiii", group, (int64_t)recursive, PS_PAGE_ARGS(page));
    return ps_page_take(registry, page, &rows, text_item);
}

PsListed ps_group_of_thing(PsRegistry *registry, const char *thing, const PsPage *page) {
    PS_AUTO_DB_ROWS PsDbRows rows =
        ps_db_rows(&registry->db, "SELECT seq, grp FROM members WHERE thing = ?" PS_PAGE_SQL("seq"),
                   "tiiii", thing, PS_PAGE_ARGS(page));
    return ps_page_take(registry, page, &rows, listed_group);
}
