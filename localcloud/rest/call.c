// What handlers ask of their call. Main thread, pure.
#include "localcloud/rest/rest.h"

#include "base/text.h"

#include <string.h>

void ps_rest_answer_deinit(PsRestAnswer *answer) {
    json_decref(answer->json);
    ps_buf_deinit(&answer->bytes);
    *answer = (PsRestAnswer){0};
}

const char *ps_rest_query(const PsRestCall *call, const char *name) {
    for (size_t i = 0; i < call->query_count; i++) {
        if (strcmp(call->query[i].name, name) == 0) {
            return call->query[i].value;
        }
    }
    return NULL;
}

PsApiCode ps_rest_query_bool(const PsRestCall *call, const char *name, bool otherwise,
                             bool *ret_value, PsApiFault *fault) {
    const char *text = ps_rest_query(call, name);
    bool yes = text != NULL && strcmp(text, "true") == 0;
    if (text != NULL && !yes && strcmp(text, "false") != 0) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault, "%s is true or false, not '%s'", name,
                           text);
    }
    *ret_value = text != NULL ? yes : otherwise;
    return PS_API_OK;
}

PsApiCode ps_rest_query_int(const PsRestCall *call, const char *name, long long min, long long max,
                            long long otherwise, long long *ret_value, PsApiFault *fault) {
    const char *text = ps_rest_query(call, name);
    long long value = otherwise;
    if (text != NULL && !ps_text_to_int(text, min, max, &value)) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "%s is a number from %lld to %lld, not '%s'", name, min, max, text);
    }
    *ret_value = value;
    return PS_API_OK;
}

PsApiCode ps_rest_body(const PsRestCall *call, json_t **ret_json, PsApiFault *fault) {
    if (call->body_len == 0) {
        *ret_json = json_object();
        return PS_API_OK;
    }
    json_error_t error;
    json_t *json =
        json_loadb((const char *)call->body, call->body_len, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(json)) {
        json_decref(json);
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "The request body is not a JSON object%s%s", json == NULL ? ": " : "",
                           json == NULL ? error.text : "");
    }
    *ret_json = json;
    return PS_API_OK;
}

PsApiCode ps_rest_with_body(const PsRestCall *call, PsRestAnswer *answer, PsRestBodyHandler handle,
                            PsApiFault *fault) {
    json_t *body = NULL;
    PsApiCode code = ps_rest_body(call, &body, fault);
    code = code == PS_API_OK ? handle(call, body, answer, fault) : code;
    json_decref(body);
    return code;
}

PsApiCode ps_rest_text(const json_t *body, const char *name, bool required, const char **ret_text,
                       PsApiFault *fault) {
    const json_t *value = json_object_get(body, name);
    bool absent = value == NULL || json_is_null(value);
    if (absent && required) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "1 validation error detected: Value null at '%s' failed to satisfy "
                           "constraint: Member must not be null",
                           name);
    }
    if (!absent && !json_is_string(value)) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault, "'%s' must be text", name);
    }
    *ret_text = absent ? NULL : json_string_value(value);
    return PS_API_OK;
}
