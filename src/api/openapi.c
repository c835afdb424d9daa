// The OpenAPI document. Pure.
#include "api/openapi.h"

#include "api/problem.h"
#include "api/route.h"
#include "model/schema.h"
#include "model/tables.h"
#include "version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REF_PROBLEM "{\"$ref\":\"#/components/schemas/Problem\"}"

static const char about[] =
    "Everything that can be seen and changed of a Penstock gateway. Over HTTPS with an API token "
    "or a session, over the gateway's Unix socket without either. Times are seconds since the "
    "epoch. Every error is application/problem+json and says which object, which field, and what "
    "to do.";

static const char problem_schema[] =
    "{\"type\":\"object\",\"required\":[\"type\",\"title\",\"status\",\"class\",\"object\","
    "\"field\",\"detail\"],\"properties\":{\"type\":{\"type\":\"string\"},\"title\":{\"type\":"
    "\"string\"},\"status\":{\"type\":\"integer\"},\"class\":{\"type\":\"string\",\"description\":"
    "\"What kind of thing happened, for programs.\"},\"object\":{\"type\":\"string\","
    "\"description\":\"What it is about, such as device 'PLC'.\"},\"field\":{\"type\":\"string\"},"
    "\"detail\":{\"type\":\"string\",\"description\":\"What is wrong and what to do.\"},"
    "\"findings\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"severity\","
    "\"object\",\"field\",\"text\"]}}}}";

static json_t *parse(const char *text) {
    json_t *json = json_loads(text, 0, NULL);
    PS_ASSERT(json != NULL); // constant data, held by a test
    return json;
}

static const char *const type_names[] = {
    [PS_API_TEXT] = "string",     [PS_API_INTEGER] = "integer", [PS_API_NUMBER] = "number",
    [PS_API_BOOLEAN] = "boolean", [PS_API_ARRAY] = "array",     [PS_API_OBJECT] = "object",
};

// --- parameters ---------------------------------------------------------------------------------

static json_t *words_json(const char *words) {
    json_t *list = json_array();
    for (const char *at = words; at != NULL;) {
        size_t len = strcspn(at, "|");
        json_array_append_new(list, json_stringn(at, len));
        at = at[len] == '|' ? at + len + 1 : NULL;
    }
    return list;
}

static void put_limits(const PsApiParameter *row, json_t *schema) {
    static const char *const keys[][2] = {
        [PS_API_TEXT] = {"minLength", "maxLength"}, [PS_API_INTEGER] = {"minimum", "maximum"},
        [PS_API_NUMBER] = {"minimum", "maximum"},   [PS_API_BOOLEAN] = {NULL, NULL},
        [PS_API_ARRAY] = {"minItems", "maxItems"},
    };
    if (row->type > PS_API_ARRAY || keys[row->type][0] == NULL ||
        (row->min == 0 && row->max == 0)) {
        return;
    }
    json_object_set_new(schema, keys[row->type][0], json_integer((json_int_t)row->min));
    if (row->max >= row->min) {
        json_object_set_new(schema, keys[row->type][1], json_integer((json_int_t)row->max));
    }
}

static json_t *schema_of(const PsApiParameter *row) {
    json_t *schema = row->schema != NULL ? parse(row->schema) : json_object();
    if (row->type != PS_API_ANY && json_object_get(schema, "type") == NULL) {
        json_object_set_new(schema, "type", json_string(type_names[row->type]));
    }
    if (row->words != NULL) {
        json_object_set_new(schema, "enum", words_json(row->words));
    }
    put_limits(row, schema);
    return schema;
}

static const PsApiParameter *find(const PsApiRoute *route, const char *name) {
    for (const PsApiParameter *row = route->parameters; row != NULL && row->name != NULL; row++) {
        if (row->in == PS_API_PATH && strcmp(row->name, name) == 0) {
            return row;
        }
    }
    return NULL;
}

static json_t *parameter_json(const PsApiParameter *row, const char *in) {
    json_t *json =
        json_pack("{s:s, s:s, s:b, s:o}", "name", row->name, "in", in, "required",
                  (int)(row->required || row->in == PS_API_PATH), "schema", schema_of(row));
    if (row->help != NULL) {
        json_object_set_new(json, "description", json_string(row->help));
    }
    return json;
}

static json_t *parameters_json(const PsApiRoute *route) {
    json_t *list = json_array();
    for (const char *at = route->path; (at = strchr(at, '{')) != NULL;) {
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at + 1, "}"), at + 1);
        at++;
        const PsApiParameter plain = {.name = name, .in = PS_API_PATH, .type = PS_API_TEXT};
        const PsApiParameter *row = find(route, name);
        json_array_append_new(list, parameter_json(row != NULL ? row : &plain, "path"));
    }
    for (const PsApiParameter *row = route->parameters; row != NULL && row->name != NULL; row++) {
        if (row->in == PS_API_QUERY) {
            json_array_append_new(list, parameter_json(row, "query"));
        }
    }
    return list;
}

// --- body and answers ---------------------------------------------------------------------------

// NULL: it takes none.
static json_t *body_schema(const PsApiRoute *route, bool *ret_required) {
    if (route->body_schema != NULL) {
        *ret_required = true;
        return parse(route->body_schema);
    }
    json_t *properties = json_object();
    json_t *required = json_array();
    for (const PsApiParameter *row = route->parameters; row != NULL && row->name != NULL; row++) {
        if (row->in != PS_API_BODY) {
            continue;
        }
        json_t *schema = schema_of(row);
        if (row->help != NULL) {
            json_object_set_new(schema, "description", json_string(row->help));
        }
        json_object_set_new(properties, row->name, schema);
        if (row->required) {
            json_array_append_new(required, json_string(row->name));
        }
    }
    *ret_required = json_array_size(required) > 0;
    if (json_object_size(properties) == 0) {
        json_decref(properties);
        json_decref(required);
        return NULL;
    }
    return json_pack("{s:s, s:b, s:o, s:o}", "type", "object", "additionalProperties", 0,
                     "properties", properties, "required", required);
}

static void put_status(json_t *responses, int status) {
    char code[8];
    snprintf(code, sizeof code, "%d", status);
    json_object_set_new(responses, code,
                        json_pack("{s:s, s:{s:{s:o}}}", "description", ps_problem_title(status),
                                  "content", PS_PROBLEM_TYPE, "schema", parse(REF_PROBLEM)));
}

static json_t *answer_json(const PsApiRoute *route) {
    const char *type = route->answer_type != NULL ? route->answer_type : "application/json";
    char media[64];
    snprintf(media, sizeof media, "%.*s", (int)strcspn(type, ";"), type);
    json_t *schema = route->answer_schema != NULL ? parse(route->answer_schema) : json_object();
    if (strcmp(media, "application/json") != 0 && route->answer_schema == NULL) {
        json_object_set_new(schema, "type", json_string("string"));
    }
    return json_pack("{s:s, s:{s:{s:o}}}", "description", "Done.", "content", media, "schema",
                     schema);
}

static json_t *responses_json(const PsApiRoute *route, bool has_body) {
    static const int with_body[] = {413, 415, 422};
    json_t *responses = json_object();
    json_object_set_new(responses, "200", answer_json(route));
    put_status(responses, 400);
    if ((route->flags & PS_API_PUBLIC) == 0) {
        put_status(responses, 401);
    }
    put_status(responses, 403);
    for (size_t i = 0; has_body && i < PS_COUNT(with_body); i++) {
        put_status(responses, with_body[i]);
    }
    for (const char *at = route->statuses; at != NULL && *at != '\0';) {
        char *end = NULL;
        long status = strtol(at, &end, 10);
        PS_ASSERT(end != at);
        put_status(responses, (int)status);
        at = end + strspn(end, " ,");
    }
    return responses;
}

static json_t *operation_json(const PsApiRoute *route) {
    char tag[32];
    snprintf(tag, sizeof tag, "%.*s", (int)strcspn(route->path + 1, "/."), route->path + 1);
    bool body_required = false;
    json_t *body = body_schema(route, &body_required);
    json_t *json =
        json_pack("{s:s, s:s, s:[s], s:s, s:o, s:o}", "operationId", route->id, "summary",
                  route->help, "tags", tag, "x-role", ps_role_name(route->role), "parameters",
                  parameters_json(route), "responses", responses_json(route, body != NULL));
    if (body != NULL) {
        json_object_set_new(json, "requestBody",
                            json_pack("{s:b, s:{s:{s:o}}}", "required", (int)body_required,
                                      "content", "application/json", "schema", body));
    }
    if ((route->flags & PS_API_PUBLIC) != 0) {
        json_object_set_new(json, "security", json_array());
    }
    if ((route->flags & PS_API_UNIX_ONLY) != 0) {
        json_object_set_new(json, "x-unix-only", json_true());
    }
    return json;
}

// --- the whole ----------------------------------------------------------------------------------

static json_t *paths_json(void) {
    static const char *const methods[][2] = {
        {"GET", "get"}, {"POST", "post"}, {"PUT", "put"}, {"DELETE", "delete"}};
    json_t *paths = json_object();
    const PsApiRoute *route;
    for (size_t n = 0; (route = ps_api_route(n)) != NULL; n++) {
        json_t *path = json_object_get(paths, route->path);
        if (path == NULL) {
            path = json_object();
            json_object_set_new(paths, route->path, path);
        }
        for (size_t i = 0; i < PS_COUNT(methods); i++) {
            if (strcmp(route->method, methods[i][0]) == 0) {
                json_object_set_new(path, methods[i][1], operation_json(route));
            }
        }
    }
    return paths;
}

// A message may bring its script along.
static void allow_script_text(json_t *schema) {
    json_t *required = json_object_get(schema, "required");
    json_object_set_new(
        json_object_get(schema, "properties"), "script_text",
        parse("{\"type\":\"string\",\"description\":\"The text of the script, saved with the "
              "message: "
              "as `script`, or, where that is left out, as a file named after the message.\"}"));
    for (size_t i = json_array_size(required); i > 0; i--) {
        const char *key = json_string_value(json_array_get(required, i - 1));
        if (key != NULL && strcmp(key, "script") == 0) {
            (void)json_array_remove(required, i - 1);
        }
    }
}

// One object of each block, as it stands in penstock.json.
static json_t *schemas_json(void) {
    PS_AUTO_BUF PsBuf text = {0};
    ps_schema_write_json(&text);
    json_t *whole = parse((const char *)text.data);
    json_t *schemas = json_object();
    for (size_t i = 0; ps_tables[i] != NULL; i++) {
        const char *block = ps_tables[i]->block;
        json_t *schema = json_object_get(json_object_get(whole, "properties"), block);
        json_t *items = json_object_get(schema, "items");
        json_object_set(schemas, block, items != NULL ? items : schema);
    }
    allow_script_text(json_object_get(schemas, ps_table_publish.block));
    allow_script_text(json_object_get(schemas, ps_table_subscribe.block));
    json_decref(whole);
    json_object_set_new(schemas, "Problem", parse(problem_schema));
    return schemas;
}

json_t *ps_openapi_document(void) {
    json_t *security = parse("{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\",\"description\":"
                             "\"An API token, pst_...\"},\"session\":{\"type\":\"apiKey\",\"in\":"
                             "\"cookie\",\"name\":\"__Host-penstock\",\"description\":\"A log-in; "
                             "what changes something needs the header X-CSRF-Token with the "
                             "session's csrf.\"}}");
    return json_pack("{s:s, s:{s:s, s:s, s:s, s:{s:s, s:s}}, s:[{s:s}], s:[{s:[]}, {s:[]}], s:o, "
                     "s:{s:o, s:o}}",
                     "openapi", "3.1.0", "info", "title", "Penstock gateway", "version",
                     PENSTOCK_VERSION, "description", about, "license", "name", "Apache-2.0",
                     "identifier", "Apache-2.0", "servers", "url", PS_API_PREFIX, "security",
                     "token", "session", "paths", paths_json(), "components", "schemas",
                     schemas_json(), "securitySchemes", security);
}
