// Which reserved topics there are, and what a client may do with them: the tables of the developer
// guide's pages on reserved topics, jobs, shadows and Basic Ingest as one table of patterns. Pure.
#include "localcloud/service/service.h"

#include <string.h>

typedef struct Pattern {
    const char *levels; ///< after "$aws/"; `+` is one level, `#` at the end one or more
    bool publish;
    bool subscribe;
} Pattern;

#define PUBLISH true, false
#define SUBSCRIBE false, true
#define BOTH true, true

static const Pattern patterns[] = {
    {"things/+/shadow/get", BOTH},
    {"things/+/shadow/update", BOTH},
    {"things/+/shadow/delete", BOTH},
    {"things/+/shadow/get/accepted", SUBSCRIBE},
    {"things/+/shadow/get/rejected", SUBSCRIBE},
    {"things/+/shadow/update/accepted", SUBSCRIBE},
    {"things/+/shadow/update/rejected", SUBSCRIBE},
    {"things/+/shadow/update/delta", SUBSCRIBE},
    {"things/+/shadow/update/documents", SUBSCRIBE},
    {"things/+/shadow/delete/accepted", SUBSCRIBE},
    {"things/+/shadow/delete/rejected", SUBSCRIBE},
    {"things/+/shadow/name/+/get", BOTH},
    {"things/+/shadow/name/+/update", BOTH},
    {"things/+/shadow/name/+/delete", BOTH},
    {"things/+/shadow/name/+/get/accepted", SUBSCRIBE},
    {"things/+/shadow/name/+/get/rejected", SUBSCRIBE},
    {"things/+/shadow/name/+/update/accepted", SUBSCRIBE},
    {"things/+/shadow/name/+/update/rejected", SUBSCRIBE},
    {"things/+/shadow/name/+/update/delta", SUBSCRIBE},
    {"things/+/shadow/name/+/update/documents", SUBSCRIBE},
    {"things/+/shadow/name/+/delete/accepted", SUBSCRIBE},
    {"things/+/shadow/name/+/delete/rejected", SUBSCRIBE},

    {"things/+/jobs/notify", SUBSCRIBE},
    {"things/+/jobs/notify-next", SUBSCRIBE},
    {"things/+/jobs/+/accepted", SUBSCRIBE}, // get, start-next
    {"things/+/jobs/+/rejected", SUBSCRIBE},
    {"things/+/jobs/+/+/accepted", SUBSCRIBE},
    {"things/+/jobs/+/+/rejected", SUBSCRIBE},
    // Whatever else is sent to the jobs namespace is answered: InvalidTopic.
    {"things/+/jobs/#", PUBLISH},

    {"things/+/defender/metrics/json", PUBLISH},
    {"things/+/defender/metrics/cbor", PUBLISH},
    {"things/+/defender/metrics/+/accepted", SUBSCRIBE},
    {"things/+/defender/metrics/+/rejected", SUBSCRIBE},
    {"things/+/streams/+/get/+", PUBLISH},
    {"things/+/streams/+/describe/+", PUBLISH},
    {"things/+/streams/+/data/+", SUBSCRIBE},
    {"things/+/streams/+/description/+", SUBSCRIBE},
    {"things/+/streams/+/rejected/+", SUBSCRIBE},
    {"things/+/tunnels/notify", SUBSCRIBE},

    {"certificates/create/json", PUBLISH},
    {"certificates/create/cbor", PUBLISH},
    {"certificates/create-from-csr/json", PUBLISH},
    {"certificates/create-from-csr/cbor", PUBLISH},
    {"certificates/create/+/accepted", SUBSCRIBE},
    {"certificates/create/+/rejected", SUBSCRIBE},
    {"certificates/create-from-csr/+/accepted", SUBSCRIBE},
    {"certificates/create-from-csr/+/rejected", SUBSCRIBE},
    {"provisioning-templates/+/provision/json", PUBLISH},
    {"provisioning-templates/+/provision/cbor", PUBLISH},
    {"provisioning-templates/+/provision/+/accepted", SUBSCRIBE},
    {"provisioning-templates/+/provision/+/rejected", SUBSCRIBE},

    {"rules/+", PUBLISH},
    {"rules/+/#", PUBLISH},
    {"events/#", SUBSCRIBE},
    {"sitewise/asset-models/+/assets/+/properties/+", SUBSCRIBE},
};

#define PREFIX "$aws/"
#define PREFIX_LEN (sizeof PREFIX - 1)
#define RULES PREFIX "rules/"
#define RULES_LEN (sizeof RULES - 1)
#define SHARED "$share/"

typedef struct Level {
    const char *text;
    size_t len;
} Level;

static Level level_at(const char *at) {
    return (Level){at, strcspn(at, "/")};
}

static bool is(Level level, const char *text) {
    return level.len == strlen(text) && memcmp(level.text, text, level.len) == 0;
}

// The next level's beginning, or NULL after the last one.
static const char *after(Level level) {
    return level.text[level.len] == '/' ? level.text + level.len + 1 : NULL;
}

// Are there topics that both `pattern` and `filter` mean? A topic is a filter without wildcards; a
// name in it must not be empty.
static bool overlap(const char *pattern, const char *filter) {
    while (pattern != NULL && filter != NULL) {
        Level want = level_at(pattern);
        Level have = level_at(filter);
        if (is(want, "#")) {
            return true;
        }
        if (is(have, "#")) {
            return true;
        }
        bool any = is(want, "+");
        if (any && have.len == 0) {
            return false;
        }
        if (!any && !is(have, "+") &&
            (have.len != want.len || memcmp(have.text, want.text, want.len) != 0)) {
            return false;
        }
        pattern = after(want);
        filter = after(have);
    }
    return pattern == NULL && filter == NULL;
}

PsReservedUse ps_reserved_publish(const char *topic) {
    if (topic[0] != '$') {
        return PS_RESERVED_NOT;
    }
    if (strncmp(topic, PREFIX, PREFIX_LEN) != 0) {
        return PS_RESERVED_UNSUPPORTED;
    }
    for (size_t i = 0; i < PS_COUNT(patterns); i++) {
        // The first that fits decides: answers of jobs stand before the rest of their namespace.
        if (overlap(patterns[i].levels, topic + PREFIX_LEN)) {
            return patterns[i].publish ? PS_RESERVED_ALLOWED : PS_RESERVED_UNSUPPORTED;
        }
    }
    return PS_RESERVED_UNSUPPORTED;
}

PsReservedUse ps_reserved_subscribe(const char *filter) {
    if (strncmp(filter, SHARED, sizeof SHARED - 1) == 0) {
        const char *slash = strchr(filter + sizeof SHARED - 1, '/');
        if (slash == NULL) {
            return PS_RESERVED_UNSUPPORTED; // a share name and no filter
        }
        filter = slash + 1;
    }
    if (filter[0] != '$') {
        return PS_RESERVED_NOT;
    }
    if (strncmp(filter, PREFIX, PREFIX_LEN) != 0) {
        return PS_RESERVED_UNSUPPORTED;
    }
    for (size_t i = 0; i < PS_COUNT(patterns); i++) {
        if (patterns[i].subscribe && overlap(patterns[i].levels, filter + PREFIX_LEN)) {
            return PS_RESERVED_ALLOWED;
        }
    }
    return PS_RESERVED_UNSUPPORTED;
}

const char *ps_reserved_counted(const char *topic) {
    if (strncmp(topic, RULES, RULES_LEN) != 0) {
        return topic;
    }
    const char *slash = strchr(topic + RULES_LEN, '/');
    return slash != NULL ? slash + 1 : topic + strlen(topic);
}
