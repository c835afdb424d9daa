// Certificates attached to things, and the thing of a connection. Main thread, local database.
#include "localcloud/registry/principals.h"

#include "base/mem.h"
#include "localcloud/registry/certificates.h"
#include "localcloud/registry/things.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXCLUSIVE "EXCLUSIVE_THING"
#define NON_EXCLUSIVE "NON_EXCLUSIVE_THING"

PsApiCode ps_principal_read(PsRegistry *registry, const char *principal, char *ret_id,
                            PsApiFault *fault) {
    PsArnKind kind = PS_ARN_THING;
    const char *id = NULL;
    if (principal == NULL || !ps_arn_read(principal, registry->region, &kind, &id) ||
        kind != PS_ARN_CERTIFICATE) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "principal '%s' is not the ARN of a certificate of this account and "
                           "region (arn:aws:iot:%s:%s:cert/<certificateId>)",
                           principal != NULL ? principal : "", registry->region, PS_ACCOUNT_ID);
    }
    return ps_name_certificate("principal", id, ret_id, fault);
}

static PsApiCode check_both(PsRegistry *registry, const char *thing, const char *principal,
                            char *ret_id, PsApiFault *fault) {
    PsApiCode code = ps_thing_check(registry, thing, fault);
    code = code == PS_API_OK ? ps_principal_read(registry, principal, ret_id, fault) : code;
    return code == PS_API_OK ? ps_certificate_check(registry, ret_id, ret_id, fault) : code;
}

PsApiCode ps_principal_attach(PsRegistry *registry, const char *thing, const char *principal,
                              bool exclusive, PsApiFault *fault) {
    char id[PS_CERTIFICATE_ID_SIZE];
    PsApiCode code = check_both(registry, thing, principal, id, fault);
    if (code != PS_API_OK) {
        return code;
    }
    if (ps_db_number(&registry->db, -1,
                     "SELECT seq FROM principals WHERE certificate = ? AND thing <> ? AND"
                     " (exclusive OR ?)",
                     "tti", id, thing, (int64_t)exclusive) >= 0) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "Certificate %s is attached to another thing; an exclusive attachment "
                           "is to one thing only",
                           id);
    }
    ps_db_run(&registry->db,
              "INSERT INTO principals (thing, certificate, exclusive) VALUES (?, ?, ?)"
              " ON CONFLICT (thing, certificate) DO UPDATE SET exclusive = excluded.exclusive",
              "tti", thing, id, (int64_t)exclusive);
    ps_registry_tell(registry, id);
    return PS_API_OK;
}

PsApiCode ps_principal_detach(PsRegistry *registry, const char *thing, const char *principal,
                              PsApiFault *fault) {
    char id[PS_CERTIFICATE_ID_SIZE];
    PsApiCode code = check_both(registry, thing, principal, id, fault);
    if (code == PS_API_OK) {
        ps_db_run(&registry->db, "DELETE FROM principals WHERE thing = ? AND certificate = ?", "tt",
                  thing, id);
        ps_registry_tell(registry, id);
    }
    return code;
}

static json_t *typed_item(const char *member, const char *value, const PsDbRows *row) {
    return json_pack("{s:s, s:s}", member, value, "thingPrincipalType",
                     ps_db_int(row, 2) != 0 ? EXCLUSIVE : NON_EXCLUSIVE);
}

static json_t *principal_item(PsRegistry *registry, const PsDbRows *row) {
    char arn[PS_ARN_SIZE];
    ps_arn_put(arn, registry->region, PS_ARN_CERTIFICATE, ps_db_text(row, 1));
    return json_string(arn);
}

static json_t *principal_object(PsRegistry *registry, const PsDbRows *row) {
    char arn[PS_ARN_SIZE];
    ps_arn_put(arn, registry->region, PS_ARN_CERTIFICATE, ps_db_text(row, 1));
    return typed_item("principal", arn, row);
}

static json_t *thing_name(PsRegistry *registry, const PsDbRows *row) {
    return json_string(ps_db_text(row, 1));
}

static json_t *thing_object(PsRegistry *registry, const PsDbRows *row) {
    return typed_item("thingName", ps_db_text(row, 1), row);
}

// -1: either kind.
static PsApiCode read_type(const char *type, int64_t *ret_exclusive, PsApiFault *fault) {
    *ret_exclusive = -1;
    if (type == NULL) {
        return PS_API_OK;
    }
    *ret_exclusive = strcmp(type, EXCLUSIVE) == 0;
    return *ret_exclusive == 1 || strcmp(type, NON_EXCLUSIVE) == 0
               ? PS_API_OK
               : ps_api_fail(PS_API_INVALID_REQUEST, fault,
                             "thingPrincipalType is " EXCLUSIVE " or " NON_EXCLUSIVE);
}

PsApiCode ps_principal_list(PsRegistry *registry, const char *thing, bool as_objects,
                            const char *type, const PsPage *page, PsListed *ret_listed,
                            PsApiFault *fault) {
    int64_t exclusive = -1;
    PsApiCode code = ps_thing_check(registry, thing, fault);
    code = code == PS_API_OK ? read_type(type, &exclusive, fault) : code;
    if (code != PS_API_OK) {
        return code;
    }
    PS_AUTO_DB_ROWS PsDbRows rows =
        ps_db_rows(&registry->db,
                   "SELECT seq, certificate, exclusive FROM principals WHERE thing = ? AND"
                   " ?2 IN (-1, exclusive)" PS_PAGE_SQL("seq"),
                   "tiiiii", thing, exclusive, PS_PAGE_ARGS(page));
    *ret_listed =
        ps_page_take(registry, page, &rows, as_objects ? principal_object : principal_item);
    return PS_API_OK;
}

PsApiCode ps_principal_things(PsRegistry *registry, const char *principal, bool as_objects,
                              const char *type, const PsPage *page, PsListed *ret_listed,
                              PsApiFault *fault) {
    char id[PS_CERTIFICATE_ID_SIZE];
    int64_t exclusive = -1;
    PsApiCode code = ps_principal_read(registry, principal, id, fault);
    code = code == PS_API_OK ? ps_certificate_check(registry, id, id, fault) : code;
    code = code == PS_API_OK ? read_type(type, &exclusive, fault) : code;
    if (code != PS_API_OK) {
        return code;
    }
    PS_AUTO_DB_ROWS PsDbRows rows =
        ps_db_rows(&registry->db,
                   "SELECT seq, thing, exclusive FROM principals WHERE certificate = ? AND"
                   " ?2 IN (-1, exclusive)" PS_PAGE_SQL("seq"),
                   "tiiiii", id, exclusive, PS_PAGE_ARGS(page));
    *ret_listed = ps_page_take(registry, page, &rows, as_objects ? thing_object : thing_name);
    return PS_API_OK;
}

// ---- for a connection

static void fill_attributes(PsRegistryThing *thing, const char *text) {
    json_t *attributes = json_loads(text, 0, NULL);
    size_t count = json_object_size(attributes);
    if (count > 0) {
        thing->attributes = ps_alloc_array(count, sizeof *thing->attributes);
        const char *name = NULL;
        json_t *value = NULL;
        json_object_foreach(attributes, name, value) {
            PsRegistryAttribute *attribute = &thing->attributes[thing->attribute_count++];
            attribute->name = ps_strdup(name);
            attribute->value = ps_strdup(json_string_value(value));
        }
    }
    json_decref(attributes);
}

PsErr ps_registry_thing_for(PsRegistry *registry, const char *certificate_id, const char *client_id,
                            PsRegistryThing *ret_thing) {
    PsRegistryThing thing = {0};
    ps_db_begin_reading(&registry->db);
    {
        PS_AUTO_DB_ROWS PsDbRows row = ps_db_rows(
            &registry->db,
            "SELECT things.name, things.type, things.attributes, exclusive FROM principals"
            " JOIN things ON things.name = principals.thing"
            " WHERE certificate = ? AND (exclusive OR things.name = ?) ORDER BY exclusive DESC",
            "tt", certificate_id, client_id);
        if (ps_db_next(&row)) {
            thing.known = true;
            thing.attached = true;
            thing.exclusive = ps_db_int(&row, 3) != 0;
            snprintf(thing.name, sizeof thing.name, "%s", ps_db_text(&row, 0));
            snprintf(thing.type, sizeof thing.type, "%s", ps_db_text(&row, 1));
            fill_attributes(&thing, ps_db_text(&row, 2));
        }
    }
    PsErr err = ps_db_end(&registry->db, true);
    if (err != PS_OK) {
        ps_registry_thing_deinit(&thing);
        return err;
    }
    *ret_thing = thing;
    return PS_OK;
}

void ps_registry_thing_deinit(PsRegistryThing *thing) {
    for (size_t i = 0; i < thing->attribute_count; i++) {
        free(thing->attributes[i].name);
        free(thing->attributes[i].value);
    }
    free(thing->attributes);
    *thing = (PsRegistryThing){0};
}
