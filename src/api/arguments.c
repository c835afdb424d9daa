// Reads and checks what a call is given. Pure.
#include "api/arguments.h"

#include "base/text.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool takes_body(const PsApiRoute *route) {
    if (route->body_schema != NULL) {
        return true;
    }
    for (const PsApiParameter *row = route->parameters; row != NULL && row->name != NULL; row++) {
        if (row->in == PS_API_BODY) {
            return true;
        }
    }
    return false;
}

static const PsApiParameter *find(const PsApiRoute *route, PsApiIn in, const char *name) {
    for (const PsApiParameter *row = route->parameters; row != NULL && row->name != NULL; row++) {
        if (row->in == in && strcmp(row->name, name) == 0) {
            return row;
        }
    }
    return NULL;
}

// "a, b, c" of what the route has in this place, for people.
static void list_names(const PsApiRoute *route, PsApiIn in, char *out, size_t size) {
    size_t len = 0;
    out[0] = '\0';
    for (const PsApiParameter *row = route->parameters; row != NULL && row->name != NULL; row++) {
        if (row->in == in && len < size) {
            len += (size_t)snprintf(out + len, size - len, "%s%s", len > 0 ? ", " : "", row->name);
        }
    }
}

static PsErr unknown(const PsApiRoute *route, PsApiIn in, const char *name, PsDiag *diag) {
    char known[256];
    char field[64];
    list_names(route, in, known, sizeof known);
    ps_text_format(field, sizeof field, "%s", name);
    return ps_fail(PS_ERR_INVALID, diag, "request", field, "is not known here; there is %s",
                   known[0] != '\0' ? known : "none");
}

// --- one value ---------------------------------------------------------------------------------

static bool is_word(const char *words, const char *text) {
    size_t len = strlen(text);
    for (const char *at = words;; at++) {
        size_t part = strcspn(at, "|");
        if (part == len && strncmp(at, text, len) == 0) {
            return true;
        }
        at += part;
        if (*at == '\0') {
            return false;
        }
    }
}

static bool in_range(const PsApiParameter *row, double size) {
    bool free = row->min == 0 && row->max == 0;
    return free || (size >= row->min && (row->max < row->min || size <= row->max));
}

static const char *const type_names[] = {
    [PS_API_TEXT] = "a text",     [PS_API_INTEGER] = "a whole number",
    [PS_API_NUMBER] = "a number", [PS_API_BOOLEAN] = "true or false",
    [PS_API_ARRAY] = "a list",    [PS_API_OBJECT] = "an object",
    [PS_API_ANY] = "anything",
};

static bool has_type(const PsApiParameter *row, const json_t *value) {
    switch (row->type) {
    case PS_API_TEXT:
        return json_is_string(value);
    case PS_API_INTEGER:
        return json_is_integer(value);
    case PS_API_NUMBER:
        return json_is_number(value) && isfinite(json_number_value(value));
    case PS_API_BOOLEAN:
        return json_is_boolean(value);
    case PS_API_ARRAY:
        return json_is_array(value);
    case PS_API_OBJECT:
        return json_is_object(value);
    default:
        return true;
    }
}

static double size_of(const json_t *value) {
    if (json_is_number(value)) {
        return json_number_value(value);
    }
    return json_is_string(value) ? (double)json_string_length(value)
                                 : (double)json_array_size(value);
}

static PsErr check_value(const PsApiParameter *row, const json_t *value, PsDiag *diag) {
    if (!has_type(row, value)) {
        return ps_fail(PS_ERR_INVALID, diag, "request", row->name, "must be %s",
                       type_names[row->type]);
    }
    if (row->words != NULL && !is_word(row->words, json_string_value(value))) {
        return ps_fail(PS_ERR_INVALID, diag, "request", row->name, "must be one of %s", row->words);
    }
    bool sized = row->type <= PS_API_ARRAY && row->type != PS_API_BOOLEAN;
    if (sized && !in_range(row, size_of(value))) {
        const char *unit = row->type == PS_API_TEXT    ? " bytes"
                           : row->type == PS_API_ARRAY ? " items"
                                                       : "";
        return ps_fail(PS_ERR_RANGE, diag, "request", row->name, "must be %g to %.16g%s", row->min,
                       row->max, unit);
    }
    return PS_OK;
}

// A value of path or query; NULL when it is not of its type.
static json_t *read_text(const PsApiParameter *row, const char *text) {
    long long whole = 0;
    char *end = NULL;
    switch (row->type) {
    case PS_API_INTEGER:
        return ps_text_to_int(text, LLONG_MIN, LLONG_MAX, &whole) ? json_integer(whole) : NULL;
    case PS_API_NUMBER: {
        bool plain = text[0] != '\0' && text[strspn(text, "+-.0123456789eE")] == '\0';
        double number = plain ? strtod(text, &end) : 0;
        return plain && *end == '\0' && isfinite(number) ? json_real(number) : NULL;
    }
    case PS_API_BOOLEAN:
        if (strcmp(text, "true") == 0) {
            return json_true();
        }
        return strcmp(text, "false") == 0 ? json_false() : NULL;
    default:
        return json_string(text);
    }
}

static PsErr put_text(const PsApiParameter *row, const char *text, json_t *object, PsDiag *diag) {
    json_t *value = read_text(row, text);
    if (value == NULL) {
        return ps_fail(PS_ERR_INVALID, diag, "request", row->name, "must be %s",
                       type_names[row->type]);
    }
    PsErr err = check_value(row, value, diag);
    json_object_set_new(object, row->name, value);
    return err;
}

// --- path and query ----------------------------------------------------------------------------

static PsErr put_path(const PsApiMatch *match, json_t *object, PsDiag *diag) {
    size_t index = 0;
    PsErr err = PS_OK;
    for (const char *at = match->route->path; (at = strchr(at, '{')) != NULL && err == PS_OK;
         index++) {
        char name[64];
        size_t len = strcspn(++at, "}");
        snprintf(name, sizeof name, "%.*s", (int)len, at);
        const PsApiParameter *row = find(match->route, PS_API_PATH, name);
        const PsApiParameter plain = {.name = name, .in = PS_API_PATH, .type = PS_API_TEXT};
        err = put_text(row != NULL ? row : &plain, match->values[index], object, diag);
    }
    return err;
}

static PsErr put_query(const PsApiRoute *route, const PsTarget *target, json_t *object,
                       PsDiag *diag) {
    PsErr err = PS_OK;
    for (size_t i = 0; i < target->query_count && err == PS_OK; i++) {
        const PsTargetPair *pair = &target->query[i];
        const PsApiParameter *row = find(route, PS_API_QUERY, pair->name);
        if (row == NULL) {
            err = unknown(route, PS_API_QUERY, pair->name, diag);
        } else if (json_object_get(object, pair->name) != NULL) {
            err = ps_fail(PS_ERR_INVALID, diag, "request", row->name, "may be given once");
        } else {
            err = put_text(row, pair->value, object, diag);
        }
    }
    return err;
}

static PsErr check_required(const PsApiRoute *route, PsApiIn in, const json_t *object,
                            PsDiag *diag) {
    for (const PsApiParameter *row = route->parameters; row != NULL && row->name != NULL; row++) {
        if (row->in == in && row->required && json_object_get(object, row->name) == NULL) {
            return ps_fail(PS_ERR_INVALID, diag, "request", row->name, "is missing; %s",
                           row->help != NULL ? row->help : "give it");
        }
    }
    return PS_OK;
}

PsErr ps_arguments_of_target(const PsApiMatch *match, const PsTarget *target, json_t **ret_object,
                             int *ret_status, PsDiag *diag) {
    json_t *object = json_object();
    PsErr err = put_query(match->route, target, object, diag);
    err = err == PS_OK ? check_required(match->route, PS_API_QUERY, object, diag) : err;
    err = err == PS_OK ? put_path(match, object, diag) : err;
    if (err != PS_OK) {
        *ret_status = 400;
        json_decref(object);
        return err;
    }
    *ret_object = object;
    return PS_OK;
}

// --- body --------------------------------------------------------------------------------------

static bool is_json_type(const char *content_type) {
    static const char json[] = "application/json";
    size_t len = sizeof json - 1;
    return content_type != NULL && strncasecmp(content_type, json, len) == 0 &&
           (content_type[len] == '\0' || content_type[len] == ';' || content_type[len] == ' ');
}

static PsErr check_members(const PsApiRoute *route, const json_t *body, PsDiag *diag) {
    if (!json_is_object(body) && !json_is_null(body)) {
        return ps_fail(PS_ERR_INVALID, diag, "request", NULL, "the body must be a JSON object");
    }
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)body, name, value) {
        const PsApiParameter *row = find(route, PS_API_BODY, name);
        PsErr err =
            row == NULL ? unknown(route, PS_API_BODY, name, diag) : check_value(row, value, diag);
        if (err != PS_OK) {
            return err;
        }
    }
    return check_required(route, PS_API_BODY, body, diag);
}

static PsErr parse(const void *bytes, size_t len, json_t **ret_body, PsDiag *diag) {
    json_error_t error;
    *ret_body = json_loadb(bytes, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (*ret_body == NULL) {
        return ps_fail(PS_ERR_INVALID, diag, "request", NULL,
                       "the body is not JSON: line %d, column %d: %s", error.line, error.column,
                       error.text);
    }
    return PS_OK;
}

PsErr ps_arguments_of_body(const PsApiRoute *route, const char *content_type, const void *bytes,
                           size_t len, json_t **ret_body, int *ret_status, PsDiag *diag) {
    *ret_status = 400;
    if (len > 0 && !takes_body(route)) {
        return ps_fail(PS_ERR_INVALID, diag, "request", NULL, "%s %s%s takes no body",
                       route->method, PS_API_PREFIX, route->path);
    }
    if (len > 0 && !is_json_type(content_type)) {
        *ret_status = 415;
        return ps_fail(PS_ERR_INVALID, diag, "request", "Content-Type", "must be application/json");
    }
    json_t *body = NULL;
    PsErr err = len > 0 ? parse(bytes, len, &body, diag) : PS_OK;
    if (err != PS_OK) {
        return err;
    }
    body = body != NULL ? body : json_null();
    *ret_status = 422;
    if (route->body_schema == NULL) {
        err = check_members(route, body, diag);
    } else if (json_is_null(body)) {
        err = ps_fail(PS_ERR_INVALID, diag, "request", NULL, "needs a JSON body");
    }
    if (err != PS_OK) {
        json_decref(body);
        return err;
    }
    *ret_body = body;
    return PS_OK;
}
