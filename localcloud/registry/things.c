// Things: records with a version, a type and attributes. Main thread, local database.
#include "localcloud/registry/things.h"

#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS "seq, name, id, type, attributes, version"

PsApiCode ps_thing_check(PsRegistry *registry, const char *name, PsApiFault *fault) {
    PsApiCode code = ps_name_check(PS_NAME_THING, "thingName", name, fault);
    if (code != PS_API_OK) {
        return code;
    }
    return ps_registry_has(registry, "SELECT seq FROM things WHERE name = ?", name)
               ? PS_API_OK
               : ps_registry_missing("Thing", name, fault);
}

static PsApiCode check_type(PsRegistry *registry, const char *type, PsApiFault *fault) {
    if (type == NULL) {
        return PS_API_OK;
    }
    PsApiCode code = ps_name_check(PS_NAME_THING, "thingTypeName", type, fault);
    if (code != PS_API_OK) {
        return code;
    }
    int64_t deprecated = ps_db_number(
        &registry->db, -1, "SELECT ifnull(deprecated, 0) FROM types WHERE name = ?", "t", type);
    if (deprecated < 0) {
        return ps_registry_missing("Thing type", type, fault);
    }
    if (deprecated > 0) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "Thing type %s is deprecated; things cannot be associated with it",
                           type);
    }
    return PS_API_OK;
}

static PsApiCode check_spec(PsRegistry *registry, const PsThingSpec *spec, PsApiFault *fault) {
    PsApiCode code = ps_name_check(PS_NAME_THING, "thingName", spec->name, fault);
    if (code == PS_API_OK) {
        code = check_type(registry, spec->type, fault);
    }
    if (code == PS_API_OK && spec->billing_group != NULL) {
        code = ps_registry_missing("Billing group", spec->billing_group, fault);
    }
    return code;
}

static json_t *created_answer(PsRegistry *registry, const char *name, const char *id) {
    char arn[PS_ARN_SIZE];
    ps_arn_put(arn, registry->region, PS_ARN_THING, name);
    return json_pack("{s:s, s:s, s:s}", "thingName", name, "thingArn", arn, "thingId", id);
}

PsApiCode ps_thing_create(PsRegistry *registry, const PsThingSpec *spec, json_t **ret_answer,
                          PsApiFault *fault) {
    PsApiCode code = check_spec(registry, spec, fault);
    if (code == PS_API_OK) {
        code = ps_name_attributes(
            spec->attributes, spec->type != NULL ? PS_TYPED_THING_ATTRIBUTES : PS_THING_ATTRIBUTES,
            fault);
    }
    if (code != PS_API_OK) {
        return code;
    }
    PS_AUTO_FREE char *attributes = ps_attributes_merge(NULL, spec->attributes);
    PS_AUTO_DB_ROWS PsDbRows old =
        ps_db_rows(&registry->db, "SELECT " COLUMNS " FROM things WHERE name = ?", "t", spec->name);
    if (ps_db_next(&old)) {
        const char *id = ps_db_text(&old, 2);
        const char *type = spec->type != NULL ? spec->type : "";
        if (strcmp(ps_db_text(&old, 3), type) != 0 ||
            strcmp(ps_db_text(&old, 4), attributes) != 0) {
            return ps_registry_taken(registry, PS_ARN_THING, spec->name, id, fault);
        }
        *ret_answer = created_answer(registry, spec->name, id);
        return PS_API_OK;
    }
    char id[PS_UUID_SIZE];
    ps_uuid_make(id);
    ps_db_run(&registry->db,
              "INSERT INTO things (name, id, type, attributes, version, created)"
              " VALUES (?, ?, ?, ?, 1, ?)",
              "tttti", spec->name, id, spec->type, attributes, ps_registry_now_ms());
    ps_registry_tell(registry, NULL);
    *ret_answer = created_answer(registry, spec->name, id);
    return PS_API_OK;
}

// What describe and list have in common.
static json_t *thing_item(PsRegistry *registry, const PsDbRows *row) {
    json_t *item = created_answer(registry, ps_db_text(row, 1), ps_db_text(row, 2));
    if (!ps_db_is_null(row, 3)) {
        json_object_set_new(item, "thingTypeName", json_string(ps_db_text(row, 3)));
    }
    json_object_set_new(item, "attributes", json_loads(ps_db_text(row, 4), 0, NULL));
    json_object_set_new(item, "version", json_integer(ps_db_int(row, 5)));
    return item;
}

static json_t *listed_item(PsRegistry *registry, const PsDbRows *row) {
    json_t *item = thing_item(registry, row);
    json_object_del(item, "thingId");
    return item;
}

PsApiCode ps_thing_describe(PsRegistry *registry, const char *name, json_t **ret_answer,
                            PsApiFault *fault) {
    PsApiCode code = ps_name_check(PS_NAME_THING, "thingName", name, fault);
    if (code != PS_API_OK) {
        return code;
    }
    PS_AUTO_DB_ROWS PsDbRows rows =
        ps_db_rows(&registry->db, "SELECT " COLUMNS " FROM things WHERE name = ?", "t", name);
    if (!ps_db_next(&rows)) {
        return ps_registry_missing("Thing", name, fault);
    }
    *ret_answer = thing_item(registry, &rows);
    json_object_set_new(*ret_answer, "defaultClientId", json_string(name));
    return PS_API_OK;
}

PsApiCode ps_thing_update(PsRegistry *registry, const PsThingSpec *spec, PsApiFault *fault) {
    PsApiCode code = check_spec(registry, spec, fault);
    if (code == PS_API_OK && spec->remove_type && spec->type != NULL) {
        code = ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "thingTypeName and removeThingType cannot be used together");
    }
    if (code == PS_API_OK) {
        code = ps_name_attributes(spec->attributes, PS_TYPED_THING_ATTRIBUTES, fault);
    }
    if (code != PS_API_OK) {
        return code;
    }
    PS_AUTO_DB_ROWS PsDbRows old =
        ps_db_rows(&registry->db, "SELECT " COLUMNS " FROM things WHERE name = ?", "t", spec->name);
    if (!ps_db_next(&old)) {
        return ps_registry_missing("Thing", spec->name, fault);
    }
    code = ps_registry_check_version(ps_db_int(&old, 5), spec->expected_version, spec->name, fault);
    if (code != PS_API_OK) {
        return code;
    }
    const char *old_type = ps_db_is_null(&old, 3) || spec->remove_type ? NULL : ps_db_text(&old, 3);
    const char *type = spec->type != NULL ? spec->type : old_type;
    json_t *stored = json_loads(ps_db_text(&old, 4), 0, NULL);
    bool keep = spec->attributes == NULL || spec->merge;
    PS_AUTO_FREE char *attributes = ps_attributes_merge(keep ? stored : NULL, spec->attributes);
    json_decref(stored);
    json_t *merged = json_loads(attributes, 0, NULL);
    code = ps_name_attributes(
        merged, type != NULL ? PS_TYPED_THING_ATTRIBUTES : PS_THING_ATTRIBUTES, fault);
    json_decref(merged);
    if (code != PS_API_OK) {
        return code;
    }
    ps_db_run(&registry->db,
              "UPDATE things SET type = ?, attributes = ?, version = version + 1 WHERE name = ?",
              "ttt", type, attributes, spec->name);
    ps_registry_tell(registry, NULL);
    return PS_API_OK;
}

PsApiCode ps_thing_delete(PsRegistry *registry, const char *name, int64_t expected_version,
                          PsApiFault *fault) {
    PsApiCode code = ps_name_check(PS_NAME_THING, "thingName", name, fault);
    if (code != PS_API_OK) {
        return code;
    }
    int64_t version =
        ps_db_number(&registry->db, -1, "SELECT version FROM things WHERE name = ?", "t", name);
    if (version < 0) {
        return PS_API_OK;
    }
    code = ps_registry_check_version(version, expected_version, name, fault);
    if (code == PS_API_OK &&
        ps_registry_has(registry, "SELECT seq FROM principals WHERE thing = ?", name)) {
        code = ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "Cannot delete. Thing %s is still attached to one or more principals",
                           name);
    }
    if (code == PS_API_OK) {
        ps_db_run(&registry->db, "DELETE FROM things WHERE name = ?", "t", name);
        ps_registry_tell(registry, NULL);
    }
    return code;
}

PsListed ps_thing_list(PsRegistry *registry, const PsThingFilter *filter, const PsPage *page) {
    PS_AUTO_DB_ROWS PsDbRows rows = ps_db_rows(
        &registry->db,
        "SELECT " COLUMNS " FROM things WHERE (?1 IS NULL OR type = ?1) AND (?2 IS NULL OR EXISTS"
        " (SELECT 1 FROM json_each(things.attributes) WHERE key = ?2 AND (?3 IS NULL"
        " OR value = ?3 OR (?4 AND substr(value, 1, length(?3)) = ?3))))" PS_PAGE_SQL("seq"),
        "tttiiiii", filter->type, filter->attribute_name, filter->attribute_value,
        (int64_t)filter->value_is_prefix, PS_PAGE_ARGS(page));
    return ps_page_take(registry, page, &rows, listed_item);
}
