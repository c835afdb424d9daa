// Thing types: a name that allows more attributes, until it is deprecated. Main thread, local
// database.
#include "localcloud/registry/things.h"

#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS "seq, name, id, description, searchable, created, deprecated"
#define SEARCHABLE_MOST 3 // AWS IoT quotas: searchable attributes of a type
#define WAIT_S 300        // from deprecation to deletion, as the service has it

static PsApiCode check_properties(json_t *properties, PsApiFault *fault) {
    json_t *description = json_object_get(properties, "thingTypeDescription");
    json_t *searchable = json_object_get(properties, "searchableAttributes");
    PsApiCode code = PS_API_OK;
    if (description != NULL) {
        code = ps_name_check(PS_NAME_DESCRIPTION, "thingTypeDescription",
                             json_string_value(description), fault);
    }
    if (code == PS_API_OK && searchable != NULL &&
        (!json_is_array(searchable) || json_array_size(searchable) > SEARCHABLE_MOST)) {
        code = ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "searchableAttributes is a list of at most %d names", SEARCHABLE_MOST);
    }
    for (size_t i = 0; code == PS_API_OK && i < json_array_size(searchable); i++) {
        code = ps_name_check(PS_NAME_ATTRIBUTE, "searchableAttributes",
                             json_string_value(json_array_get(searchable, i)), fault);
    }
    return code;
}

static json_t *type_answer(PsRegistry *registry, const char *name, const char *id) {
    char arn[PS_ARN_SIZE];
    ps_arn_put(arn, registry->region, PS_ARN_TYPE, name);
    return json_pack("{s:s, s:s, s:s}", "thingTypeName", name, "thingTypeArn", arn, "thingTypeId",
                     id);
}

PsApiCode ps_type_create(PsRegistry *registry, const char *name, json_t *properties,
                         json_t **ret_answer, PsApiFault *fault) {
    PsApiCode code = ps_name_check(PS_NAME_THING, "thingTypeName", name, fault);
    code = code == PS_API_OK ? check_properties(properties, fault) : code;
    if (code != PS_API_OK) {
        return code;
    }
    const char *description =
        json_string_value(json_object_get(properties, "thingTypeDescription"));
    json_t *searchable = json_object_get(properties, "searchableAttributes");
    PS_AUTO_FREE char *names = searchable != NULL ? json_dumps(searchable, JSON_COMPACT) : NULL;
    const char *wanted = names != NULL ? names : "[]";
    PS_AUTO_DB_ROWS PsDbRows old =
        ps_db_rows(&registry->db, "SELECT " COLUMNS " FROM types WHERE name = ?", "t", name);
    if (ps_db_next(&old)) {
        const char *id = ps_db_text(&old, 2);
        if (strcmp(ps_db_text(&old, 3), description != NULL ? description : "") != 0 ||
            strcmp(ps_db_text(&old, 4), wanted) != 0) {
            return ps_registry_taken(registry, PS_ARN_TYPE, name, id, fault);
        }
        *ret_answer = type_answer(registry, name, id);
        return PS_API_OK;
    }
    char id[PS_UUID_SIZE];
    ps_uuid_make(id);
    ps_db_run(&registry->db,
              "INSERT INTO types (name, id, description, searchable, created)"
              " VALUES (?, ?, ?, ?, ?)",
              "tttti", name, id, description, wanted, ps_registry_now_ms());
    *ret_answer = type_answer(registry, name, id);
    return PS_API_OK;
}

static json_t *type_item(PsRegistry *registry, const PsDbRows *row) {
    json_t *item = type_answer(registry, ps_db_text(row, 1), ps_db_text(row, 2));
    json_t *properties =
        json_pack("{s:o}", "searchableAttributes", json_loads(ps_db_text(row, 4), 0, NULL));
    if (!ps_db_is_null(row, 3)) {
        json_object_set_new(properties, "thingTypeDescription", json_string(ps_db_text(row, 3)));
    }
    bool deprecated = !ps_db_is_null(row, 6);
    json_t *metadata = json_pack("{s:b, s:o}", "deprecated", deprecated, "creationDate",
                                 ps_registry_time(ps_db_int(row, 5)));
    if (deprecated) {
        json_object_set_new(metadata, "deprecationDate", ps_registry_time(ps_db_int(row, 6)));
    }
    json_object_set_new(item, "thingTypeProperties", properties);
    json_object_set_new(item, "thingTypeMetadata", metadata);
    return item;
}

static json_t *listed_type(PsRegistry *registry, const PsDbRows *row) {
    json_t *item = type_item(registry, row);
    json_object_del(item, "thingTypeId");
    return item;
}

PsApiCode ps_type_describe(PsRegistry *registry, const char *name, json_t **ret_answer,
                           PsApiFault *fault) {
    PsApiCode code = ps_name_check(PS_NAME_THING, "thingTypeName", name, fault);
    if (code != PS_API_OK) {
        return code;
    }
    PS_AUTO_DB_ROWS PsDbRows rows =
        ps_db_rows(&registry->db, "SELECT " COLUMNS " FROM types WHERE name = ?", "t", name);
    if (!ps_db_next(&rows)) {
        return ps_registry_missing("Thing type", name, fault);
    }
    *ret_answer = type_item(registry, &rows);
    return PS_API_OK;
}

PsApiCode ps_type_deprecate(PsRegistry *registry, const char *name, bool undo, PsApiFault *fault) {
    PsApiCode code = ps_name_check(PS_NAME_THING, "thingTypeName", name, fault);
    if (code != PS_API_OK) {
        return code;
    }
    ps_db_run(&registry->db,
              "UPDATE types SET deprecated = CASE WHEN ? THEN NULL ELSE ifnull(deprecated, ?) END"
              " WHERE name = ?",
              "iit", (int64_t)undo, ps_registry_now_ms(), name);
    return ps_db_changes(&registry->db) > 0 ? PS_API_OK
                                            : ps_registry_missing("Thing type", name, fault);
}

PsApiCode ps_type_delete(PsRegistry *registry, const char *name, PsApiFault *fault) {
    PsApiCode code = ps_name_check(PS_NAME_THING, "thingTypeName", name, fault);
    if (code != PS_API_OK) {
        return code;
    }
    int64_t deprecated = ps_db_number(
        &registry->db, -1, "SELECT ifnull(deprecated, 0) FROM types WHERE name = ?", "t", name);
    if (deprecated < 0) {
        return ps_registry_missing("Thing type", name, fault);
    }
    PS_AUTO_FREE char *wait = ps_registry_setting(registry, "type-wait-s");
    long long wait_s = wait != NULL ? strtoll(wait, NULL, 10) : WAIT_S;
    if (deprecated == 0 || ps_registry_now_ms() - deprecated < wait_s * 1000) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "Cannot delete thing type %s: deprecate it first, and wait %lld s", name,
                           wait_s);
    }
    if (ps_registry_has(registry, "SELECT seq FROM things WHERE type = ?", name)) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "Cannot delete thing type %s: things are associated with it", name);
    }
    ps_db_run(&registry->db, "DELETE FROM types WHERE name = ?", "t", name);
    return PS_API_OK;
}

PsListed ps_type_list(PsRegistry *registry, const char *name, const PsPage *page) {
    PS_AUTO_DB_ROWS PsDbRows rows = ps_db_rows(
        &registry->db,
        "SELECT " COLUMNS " FROM types WHERE (?1 IS NULL OR name = ?1)" PS_PAGE_SQL("seq"), "tiiii",
        name, PS_PAGE_ARGS(page));
    return ps_page_take(registry, page, &rows, listed_type);
}
