// Any request at the gateway's API up to its handler: method, target, headers and body come to a
// route with checked arguments, or to a problem, and never fail inside. The input is a request as
// HTTP writes it: "METHOD TARGET", headers, an empty line, the body.
#include "api/arguments.h"
#include "api/dispatch.h"
#include "api/problem.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LONGEST 65536
#define HEADERS 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

typedef struct Request {
    char *method;
    char *target;
    char *headers[HEADERS];
    size_t header_count;
    char *body;
} Request;

static const char *header(const char *name, void *ctx) {
    const Request *request = ctx;
    size_t len = strlen(name);
    for (size_t i = 0; i < request->header_count; i++) {
        if (strncasecmp(request->headers[i], name, len) == 0 && request->headers[i][len] == ':') {
            return request->headers[i] + len + 1 + strspn(request->headers[i] + len + 1, " ");
        }
    }
    return NULL;
}

static char *take_line(char **at) {
    char *line = *at;
    char *end = line != NULL ? strchr(line, '\n') : NULL;
    if (end != NULL) {
        *end++ = '\0';
    }
    *at = end;
    return line;
}

static bool split(char *text, Request *request) {
    request->method = take_line(&text);
    request->target = strchr(request->method, ' ');
    if (request->target == NULL) {
        return false;
    }
    *request->target++ = '\0';
    char *line = NULL;
    while ((line = take_line(&text)) != NULL && line[0] != '\0') {
        if (request->header_count < HEADERS) {
            request->headers[request->header_count++] = line;
        }
    }
    request->body = text;
    return true;
}

// What came out is whole: arguments of the declared types, or a problem that people can read.
static void hold(bool good, const PsDispatch *dispatch) {
    if (!good) {
        PS_ASSERT(dispatch->status >= 400 && dispatch->diag.text[0] != '\0');
        json_t *json = ps_problem_json(dispatch->status, dispatch->err, &dispatch->diag, NULL);
        char *text = json_dumps(json, 0);
        PS_ASSERT(text != NULL);
        free(text);
        json_decref(json);
        return;
    }
    PS_ASSERT(json_is_object(dispatch->arguments) && dispatch->body != NULL);
    const PsApiParameter *row = dispatch->match.route->parameters;
    for (; row != NULL && row->name != NULL; row++) {
        const json_t *value = json_object_get(dispatch->arguments, row->name);
        PS_ASSERT(value != NULL || (!row->required && row->in != PS_API_PATH));
        PS_ASSERT(value == NULL || row->type != PS_API_TEXT || json_is_string(value));
        PS_ASSERT(value == NULL || row->type != PS_API_INTEGER || json_is_integer(value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static const PsGuardRules rules = {.loopback_hosts = true, .address_hosts = true, .tls = true};
    static const PsIdentity identities[] = {
        {.name = "root", .role = PS_ROLE_ADMINISTRATOR, .by = "socket"},
        {.name = "anna", .role = PS_ROLE_OPERATOR, .by = "session", .csrf = "0123456789"},
        {.by = ""},
    };
    if (len > LONGEST) {
        return 0;
    }
    char *text = ps_alloc(len + 1);
    memcpy(text, data, len);
    Request given = {0};
    if (memchr(text, '\0', len) == NULL && split(text, &given)) {
        for (size_t i = 0; i < PS_COUNT(identities); i++) {
            PsDispatchRequest request = {.method = given.method,
                                         .target = given.target,
                                         .header = header,
                                         .ctx = &given,
                                         .local = i == 0,
                                         .rules = &rules,
                                         .identity = &identities[i],
                                         .body = given.body,
                                         .body_len = given.body != NULL ? strlen(given.body) : 0};
            PsDispatch dispatch;
            bool good = ps_dispatch(&request, &dispatch);
            hold(good, &dispatch);
            ps_dispatch_deinit(&dispatch);
        }
    }
    free(text);
    return 0;
}
