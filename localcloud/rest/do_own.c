// The calls of our own: the whole state, settings, limits, faults. Main thread.
#include "localcloud/registry/state.h"

#include "base/file.h"
#include "localcloud/rest/routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOT_MAX ((size_t)64 * 1024)

// {"mqtt": 8883, "mqtt_alpn": 443 or null} of the running cloud, as it wrote them for scripts; NULL
// when only the API runs.
static json_t *ports(const PsRegistry *registry) {
    PS_AUTO_BUF PsBuf path = {0};
    ps_buf_printf(&path, "%s/endpoint.json", registry->dir);
    json_t *endpoint = json_load_file((const char *)path.data, 0, NULL);
    json_t *found = NULL;
    json_int_t port = json_integer_value(json_object_get(endpoint, "port"));
    if (port > 0) {
        found = json_pack("{s:I, s:O?}", "mqtt", port, "mqtt_alpn",
                          json_object_get(endpoint, "alpn_port"));
    }
    json_decref(endpoint);
    return found;
}

PS_REST_HANDLER(ps_do_status) {
    PsRegistry *registry = call->registry;
    json_t *counts = json_object();
    static const char *const tables[][2] = {
        {"things", "SELECT count(*) FROM things"},
        {"certificates", "SELECT count(*) FROM certificates"},
        {"policies", "SELECT count(*) FROM policies"},
    };
    for (size_t i = 0; i < PS_COUNT(tables); i++) {
        json_object_set_new(counts, tables[i][0],
                            json_integer(ps_db_number(&registry->db, 0, tables[i][1], "")));
    }
    answer->json = json_pack("{s:s, s:s, s:s, s:s, s:o}", "accountId", PS_ACCOUNT_ID, "region",
                             registry->region, "endpointAddress", registry->endpoint, "folder",
                             registry->dir, "counts", counts);
    json_t *open = ports(registry);
    if (open != NULL) {
        json_object_set_new(answer->json, "ports", open);
    }
    if (call->cloud != NULL && call->cloud->status != NULL) {
        call->cloud->status(call->cloud->ctx, answer->json);
    }
    return PS_API_OK;
}

PS_REST_HANDLER(ps_do_get_root) {
    static const char *const names[] = {"AmazonRootCA1.pem", "AmazonRootCA3.pem"};
    const char *name = NULL;
    for (size_t i = 0; i < PS_COUNT(names); i++) {
        name = strcmp(call->parameters[0], names[i]) == 0 ? names[i] : name;
    }
    PS_AUTO_BUF PsBuf path = {0};
    PS_AUTO_BUF PsBuf pem = {0};
    ps_buf_printf(&path, "%s/%s", call->registry->dir, name != NULL ? name : "");
    if (name == NULL || ps_file_read((const char *)path.data, ROOT_MAX, &pem, NULL) != PS_OK) {
        return ps_api_fail(PS_API_NOT_FOUND, fault, "This cloud has no root certificate '%s'",
                           call->parameters[0]);
    }
    answer->json = json_object();
    json_object_set_new(answer->json, "pem", json_stringn((const char *)pem.data, pem.len));
    return PS_API_OK;
}

PS_REST_HANDLER(ps_do_export) {
    json_t *json = NULL;
    PsApiCode code = ps_state_take(call->registry, &json, fault);
    char *text = code == PS_API_OK ? json_dumps(json, JSON_INDENT(2)) : NULL;
    if (text != NULL) {
        ps_buf_printf(&answer->bytes, "%s\n", text);
    }
    free(text);
    json_decref(json);
    return code;
}

PS_REST_HANDLER(ps_do_import) {
    json_t *body = NULL;
    PsApiCode code = ps_rest_body(call, &body, fault);
    code = code == PS_API_OK ? ps_state_put(call->registry, body, fault) : code;
    json_decref(body);
    answer->json = json_object();
    return code;
}

// ---- settings

PS_REST_HANDLER(ps_do_get_settings) {
    char *wait = ps_registry_setting(call->registry, "type-wait-s");
    answer->json = json_pack("{s:s, s:s, s:s, s:I}", "accountId", PS_ACCOUNT_ID, "region",
                             ps_registry_region(call->registry), "endpointAddress",
                             ps_registry_endpoint(call->registry), "thingTypeWaitSeconds",
                             (json_int_t)(wait != NULL ? strtoll(wait, NULL, 10) : 300));
    free(wait);
    return PS_API_OK;
}

static PsApiCode put_text(const PsRestCall *call, json_t *body, const char *member,
                          PsErr (*put)(PsRegistry *registry, const char *value, PsDiag *diag),
                          PsApiFault *fault) {
    const char *value = NULL;
    PsApiCode code = ps_rest_text(body, member, false, &value, fault);
    PsDiag diag = {0};
    if (code == PS_API_OK && value != NULL && put(call->registry, value, &diag) != PS_OK) {
        code = ps_api_fail(PS_API_INVALID_REQUEST, fault, "%s: %s", member, diag.text);
    }
    return code;
}

PS_REST_HANDLER(ps_do_put_settings) {
    json_t *body = NULL;
    PsApiCode code = ps_rest_body(call, &body, fault);
    json_t *wait = json_object_get(body, "thingTypeWaitSeconds");
    if (code == PS_API_OK && wait != NULL &&
        (!json_is_integer(wait) || json_integer_value(wait) < 0 ||
         json_integer_value(wait) > 86400)) {
        code = ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "thingTypeWaitSeconds is a number from 0 to 86400");
    }
    code = code == PS_API_OK ? put_text(call, body, "region", ps_registry_set_region, fault) : code;
    if (code == PS_API_OK) {
        code = put_text(call, body, "endpointAddress", ps_registry_set_endpoint, fault);
    }
    if (code == PS_API_OK && wait != NULL) {
        char text[24];
        snprintf(text, sizeof text, "%lld", json_integer_value(wait));
        ps_registry_set(call->registry, "type-wait-s", text);
    }
    json_decref(body);
    return code == PS_API_OK ? ps_do_get_settings(call, answer, fault) : code;
}

// ---- limits and faults belong to the front

static PsApiCode no_front(PsApiFault *fault) {
    return ps_api_fail(PS_API_UNAVAILABLE, fault,
                       "Limits and faults are there while the broker runs (penstock-cloud run)");
}

static PsApiCode take_json(const PsRestCall *call, json_t *(*take)(void *ctx), PsRestAnswer *answer,
                           PsApiFault *fault) {
    if (take == NULL) {
        return no_front(fault);
    }
    answer->json = take(call->cloud->ctx);
    return PS_API_OK;
}

static PsApiCode put_json(const PsRestCall *call,
                          PsApiCode (*put)(void *ctx, const json_t *json, PsApiFault *fault),
                          PsApiFault *fault) {
    if (put == NULL) {
        return no_front(fault);
    }
    json_t *body = NULL;
    PsApiCode code = ps_rest_body(call, &body, fault);
    code = code == PS_API_OK ? put(call->cloud->ctx, body, fault) : code;
    json_decref(body);
    return code;
}

PS_REST_HANDLER(ps_do_get_limits) {
    return take_json(call, call->cloud != NULL ? call->cloud->limits_take : NULL, answer, fault);
}

PS_REST_HANDLER(ps_do_put_limits) {
    PsApiCode code = put_json(call, call->cloud != NULL ? call->cloud->limits_put : NULL, fault);
    return code == PS_API_OK ? ps_do_get_limits(call, answer, fault) : code;
}

PS_REST_HANDLER(ps_do_get_faults) {
    return take_json(call, call->cloud != NULL ? call->cloud->faults_take : NULL, answer, fault);
}

PS_REST_HANDLER(ps_do_put_faults) {
    PsApiCode code = put_json(call, call->cloud != NULL ? call->cloud->faults_put : NULL, fault);
    return code == PS_API_OK ? ps_do_get_faults(call, answer, fault) : code;
}
