// Finds the route of a path. Pure; a hundred rows are looked through for each request.
#include "api/match.h"

#include <stdio.h>
#include <string.h>

// How well the target fits `path`, which stands below the prefix: 0 not at all; of two that fit the
// larger has a fixed word where the other has a parameter.
static unsigned fit(const PsTarget *target, const char *path,
                    const char *values[PS_API_PATH_PARAMETERS]) {
    static const char *const prefix[] = {"api", "v1"};
    unsigned score = 1;
    size_t parameters = 0;
    size_t index = 0;
    for (; index < PS_COUNT(prefix); index++) {
        if (index >= target->segment_count || strcmp(target->segments[index], prefix[index]) != 0) {
            return 0;
        }
    }
    for (const char *part = path; *part == '/'; index++) {
        size_t len = strcspn(++part, "/");
        const char *segment = index < target->segment_count ? target->segments[index] : "";
        bool parameter = part[0] == '{';
        if (segment[0] == '\0' ||
            (!parameter && (strlen(segment) != len || strncmp(segment, part, len) != 0))) {
            return 0;
        }
        if (parameter) {
            PS_ASSERT(parameters < PS_API_PATH_PARAMETERS);
            values[parameters++] = segment;
        }
        score = score * 2 + (parameter ? 0 : 1);
        part += len;
    }
    return index == target->segment_count ? score : 0;
}

static bool names(const char *list, const char *method) {
    size_t len = strlen(method);
    for (const char *at = list; (at = strstr(at, method)) != NULL; at += len) {
        if ((at == list || at[-1] == ' ') && (at[len] == ',' || at[len] == '\0')) {
            return true;
        }
    }
    return false;
}

static void allow(char *list, const char *method) {
    if (!names(list, method)) {
        size_t len = strlen(list);
        snprintf(list + len, PS_API_ALLOW_SIZE - len, "%s%s", len > 0 ? ", " : "", method);
    }
}

bool ps_api_match(const PsTarget *target, const char *method, bool local, PsApiMatch *ret_match) {
    unsigned best = 0;
    *ret_match = (PsApiMatch){0};
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    const PsApiRoute *route;
    for (size_t n = 0; (route = ps_api_route(n)) != NULL; n++) {
        const char *values[PS_API_PATH_PARAMETERS] = {0};
        unsigned score = fit(target, route->path, values);
        if (score == 0 || score < best || ((route->flags & PS_API_UNIX_ONLY) != 0 && !local)) {
            continue;
        }
        if (score > best) {
            *ret_match = (PsApiMatch){0};
            best = score;
        }
        allow(ret_match->allow, route->method);
        if (strcmp(route->method, "GET") == 0) {
            allow(ret_match->allow, "HEAD");
        }
        if (strcmp(route->method, wanted) == 0) {
            ret_match->route = route;
            memcpy(ret_match->values, values, sizeof values);
        }
    }
    return best > 0;
}
