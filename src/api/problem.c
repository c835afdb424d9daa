// Problems as JSON, and which status they have. Pure.
#include "api/problem.h"

static const int statuses[] = {
    [PS_OK] = 200,           [PS_ERR_NO_MEMORY] = 500,   [PS_ERR_INVALID] = 422,
    [PS_ERR_RANGE] = 422,    [PS_ERR_TOO_BIG] = 413,     [PS_ERR_NOT_FOUND] = 404,
    [PS_ERR_EXISTS] = 409,   [PS_ERR_UNSUPPORTED] = 501, [PS_ERR_IO] = 500,
    [PS_ERR_TIMEOUT] = 504,  [PS_ERR_CLOSED] = 502,      [PS_ERR_REFUSED] = 409,
    [PS_ERR_PROTOCOL] = 502, [PS_ERR_BUSY] = 409,        [PS_ERR_FULL] = 507,
    [PS_ERR_CORRUPT] = 422,  [PS_ERR_CANCELLED] = 409,   [PS_ERR_DENIED] = 403,
    [PS_ERR_INTERNAL] = 500,
};

typedef struct Title {
    int status;
    const char *text;
} Title;

static const Title titles[] = {
    {200, "OK"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {507, "Insufficient Storage"},
};

int ps_problem_status(PsErr err) {
    size_t index = (size_t)err;
    return index < PS_COUNT(statuses) ? statuses[index] : 500;
}

const char *ps_problem_title(int status) {
    for (size_t i = 0; i < PS_COUNT(titles); i++) {
        if (titles[i].status == status) {
            return titles[i].text;
        }
    }
    return "Problem";
}

json_t *ps_problem_json(int status, PsErr err, const PsDiag *diag, json_t *findings) {
    json_t *json = json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s}", "type", "about:blank", "title",
                             ps_problem_title(status), "status", status, "class", ps_err_name(err),
                             "object", diag->object, "field", diag->field, "detail", diag->text);
    if (findings != NULL) {
        json_object_set_new(json, "findings", findings);
    }
    return json;
}
