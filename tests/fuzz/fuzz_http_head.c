// What is taken apart of a request's head: target, body's end, cookies, codings, tags, host and
// origin. Each line of the input is one of them; whatever it holds, the answers keep their bounds.
#include "http/files.h"
#include "http/guard.h"
#include "http/head.h"
#include "http/target.h"

#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST 65536
#define LINES 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void try_target(const char *text) {
    static PsTarget target;
    static char joined[PS_TARGET_MAX + 1];
    if (ps_target_read(text, &target) != PS_OK) {
        return;
    }
    PS_ASSERT(target.segment_count <= PS_TARGET_SEGMENTS && target.query_count <= PS_TARGET_QUERY);
    static const char *const paths[] = {"/devices/{name}", "/topics/{topic+}", "/a/b"};
    for (size_t i = 0; i < PS_COUNT(paths); i++) {
        const char *parameters[2] = {0};
        (void)ps_target_fits(&target, paths[i], parameters, 2, joined);
    }
    for (size_t i = 0; i < target.segment_count; i++) {
        (void)ps_http_name_is_hashed(target.segments[i]);
        PS_ASSERT(ps_http_type_of(target.segments[i]) != NULL);
    }
}

static void try_header(const char *text, const char *other) {
    PsHttpFraming framing = {0};
    if (ps_http_framing_read(text, NULL, 1, &framing) == PS_OK) {
        PS_ASSERT(text[strspn(text, "0123456789")] == '\0' && !framing.chunked);
    }
    if (ps_http_framing_read(NULL, text, 1, &framing) == PS_OK) {
        PS_ASSERT(framing.chunked && framing.length == 0);
    }
    char out[16];
    if (ps_http_cookie_find(text, "sid", out, sizeof out)) {
        PS_ASSERT(strlen(out) < sizeof out && strchr(out, ';') == NULL);
    }
    if (ps_http_header_is_sound("X", text)) {
        PS_ASSERT(strpbrk(text, "\r\n") == NULL);
    }
    (void)ps_http_accepts(text, "gzip");
    (void)ps_http_etag_matches(text, "\"0123456789abcdef\"");
    static const PsGuardRules rules = {.loopback_hosts = true, .address_hosts = true, .tls = true};
    PsGuardFacts facts = {.method = "PUT", .host = text, .origin = other};
    if (ps_guard_objects(&rules, &facts) == NULL) {
        PS_ASSERT(strncmp(other, "https://", 8) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    if (len > LONGEST) {
        return 0;
    }
    char *text = ps_alloc(len + 1);
    memcpy(text, data, len);
    char nothing[1] = "";
    char *lines[LINES] = {text, nothing, nothing, nothing};
    for (size_t i = 1; i < LINES; i++) {
        char *end = strchr(lines[i - 1], '\n');
        if (end == NULL) {
            break;
        }
        *end = '\0';
        lines[i] = end + 1;
    }
    try_target(lines[0]);
    for (size_t i = 1; i < LINES; i++) {
        try_header(lines[i], lines[(i + 1) % LINES]);
    }
    free(text);
    return 0;
}
