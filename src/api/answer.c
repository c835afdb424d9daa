// Answers of the API with their security headers. Main thread; never blocks.
#include "api/answer.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

// An answer is data: no cache keeps it, and a browser that is led to it runs nothing of it.
static const PsHttpHeader always[] = {
    {"Cache-Control", "no-store"},      {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"}, {"Cross-Origin-Resource-Policy", "same-origin"},
    {"X-Frame-Options", "DENY"},
};

// Unless the answer says otherwise itself.
#define CSP "Content-Security-Policy"
#define CSP_OF_DATA "default-src 'none'; frame-ancestors 'none'"

static bool has(const PsHttpHeader *headers, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(headers[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

size_t ps_api_answer_headers(const PsHttpHeader *more, size_t count, const char *content_type,
                             PsHttpHeader out[PS_API_ANSWER_HEADERS]) {
    PS_ASSERT(count + PS_COUNT(always) + 2 <= PS_API_ANSWER_HEADERS);
    size_t n = 0;
    out[n++] = (PsHttpHeader){"Content-Type", content_type};
    for (size_t i = 0; i < count; i++) {
        out[n++] = more[i];
    }
    for (size_t i = 0; i < PS_COUNT(always); i++) {
        out[n++] = always[i];
    }
    if (!has(more, count, CSP)) {
        out[n++] = (PsHttpHeader){CSP, CSP_OF_DATA};
    }
    return n;
}

void ps_api_answer_bytes(PsHttpRequest *request, int status, const PsHttpHeader *more, size_t count,
                         const char *content_type, const void *bytes, size_t len) {
    PsHttpHeader headers[PS_API_ANSWER_HEADERS];
    size_t n = ps_api_answer_headers(more, count, content_type, headers);
    ps_http_answer(request, status, headers, n, bytes, len);
}

void ps_api_answer_json(PsHttpRequest *request, int status, const PsHttpHeader *more, size_t count,
                        const char *content_type, json_t *json) {
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(json);
    ps_api_answer_bytes(request, text != NULL ? status : 500, more, count, content_type,
                        text != NULL ? text : "null", text != NULL ? strlen(text) : 4);
    free(text);
}
