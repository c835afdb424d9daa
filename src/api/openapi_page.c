// The reference page: the routes as HTML. Pure.
#include "api/openapi.h"
#include "api/route.h"
#include "version.h"

#include <stdio.h>
#include <string.h>

static const char head[] =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
    "content=\"width=device-width,initial-scale=1\"><title>Penstock REST API</title><style>"
    ":root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;"
    "margin:0 auto;padding:1rem}code{font:13px ui-monospace,monospace}h2{margin-top:2rem;"
    "border-bottom:1px solid #8886}details{margin:.4rem 0;padding:.4rem .6rem;border:1px solid "
    "#8884;border-radius:6px}summary{cursor:pointer}summary b{display:inline-block;min-width:4em}"
    "table{border-collapse:collapse;width:100%;margin:.5rem 0}td,th{text-align:left;"
    "vertical-align:top;padding:.2rem .6rem .2rem 0;border-top:1px solid #8883}nav a{margin-right:"
    ".8em}.role{float:right;opacity:.75}</style>";

static const char introduction[] =
    "<p>Paths are below <code>" PS_API_PREFIX
    "</code>. A program gives an API token (<code>Authorization: Bearer pst_...</code>); a "
    "browser's session also needs the header <code>X-CSRF-Token</code> for whatever changes "
    "something. Bodies and answers are JSON, times seconds since the epoch; every error is "
    "<code>application/problem+json</code> with the members class, object, field and detail. "
    "Machine-readable: <a href=\"openapi.json\">openapi.json</a>.</p>";

static void put(PsBuf *out, const char *text) {
    ps_buf_put(out, text, strlen(text));
}

static void put_html(PsBuf *out, const char *text) {
    for (const char *at = text; *at != '\0'; at++) {
        switch (*at) {
        case '<':
            put(out, "&lt;");
            break;
        case '>':
            put(out, "&gt;");
            break;
        case '&':
            put(out, "&amp;");
            break;
        case '"':
            put(out, "&quot;");
            break;
        default:
            ps_buf_put_u8(out, (uint8_t)*at);
        }
    }
}

static void put_parameter(PsBuf *out, const PsApiParameter *row) {
    static const char *const places[] = {"path", "query", "body"};
    static const char *const types[] = {"text", "whole number", "number", "true/false",
                                        "list", "object",       "any"};
    put(out, "<tr><td><code>");
    put_html(out, row->name);
    ps_buf_printf(out, "</code><td>%s<td>", places[row->in]);
    if (row->words != NULL) {
        put_html(out, row->words);
    } else {
        put(out, types[row->type]);
    }
    bool sized = row->type != PS_API_BOOLEAN && row->type <= PS_API_ARRAY;
    if (sized && row->max > row->min) {
        ps_buf_printf(out, ", %g to %.16g%s", row->min, row->max,
                      row->type == PS_API_TEXT    ? " bytes"
                      : row->type == PS_API_ARRAY ? " items"
                                                  : "");
    }
    put(out, row->required || row->in == PS_API_PATH ? "<td>required. " : "<td>");
    put_html(out, row->help != NULL ? row->help : "");
}

static void put_route(PsBuf *out, const PsApiRoute *route) {
    ps_buf_printf(out, "<details id=\"%s\"><summary><b>%s</b> <code>", route->id, route->method);
    put_html(out, route->path);
    ps_buf_printf(out, "</code> <span class=\"role\">%s</span><br>",
                  (route->flags & PS_API_PUBLIC) != 0      ? "everybody"
                  : (route->flags & PS_API_UNIX_ONLY) != 0 ? "Unix socket"
                                                           : ps_role_name(route->role));
    put_html(out, route->help);
    put(out, "</summary>");
    const PsApiParameter *row = route->parameters;
    if (row != NULL && row->name != NULL) {
        put(out, "<table><tr><th>name<th>in<th>values<th>");
        for (; row->name != NULL; row++) {
            put_parameter(out, row);
        }
        put(out, "</table>");
    }
    if (route->body_schema != NULL) {
        put(out, "<p>Body: JSON, <code>");
        put_html(out, route->body_schema);
        put(out, "</code></p>");
    }
    ps_buf_printf(out, "<p>Answers <code>%s</code>.</p></details>",
                  route->answer_type != NULL ? route->answer_type : "application/json");
}

// The first word of a path, by which routes stand together.
static bool begins(const PsApiRoute *route, const char *word, size_t len) {
    return strncmp(route->path + 1, word, len) == 0 && strchr("/.", route->path[1 + len]) != NULL;
}

static bool was_before(size_t n, const char *word, size_t len) {
    for (size_t i = 0; i < n; i++) {
        if (begins(ps_api_route(i), word, len)) {
            return true;
        }
    }
    return false;
}

void ps_openapi_page(PsBuf *out) {
    put(out, head);
    ps_buf_printf(out, "<h1>Penstock REST API</h1><p>Version %s</p>", PENSTOCK_VERSION);
    put(out, introduction);
    const PsApiRoute *route;
    for (size_t n = 0; (route = ps_api_route(n)) != NULL; n++) {
        const char *word = route->path + 1;
        size_t len = strcspn(word, "/.");
        if (was_before(n, word, len)) {
            continue;
        }
        ps_buf_printf(out, "<h2>%.*s</h2>", (int)len, word);
        const PsApiRoute *other;
        for (size_t m = n; (other = ps_api_route(m)) != NULL; m++) {
            if (begins(other, word, len)) {
                put_route(out, other);
            }
        }
    }
    put(out, "</html>");
}
