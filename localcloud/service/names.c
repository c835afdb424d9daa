// Names and topics taken apart. Pure.
#include "localcloud/service/names.h"

#include "base/err.h"

#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

static bool is_made_of(const char *name, const char *allowed, size_t max) {
    size_t len = strspn(name, allowed);
    return len > 0 && len <= max && name[len] == '\0';
}

bool ps_name_is_thing(const char *name) {
    return is_made_of(name, LETTERS ":-", PS_THING_NAME_MAX);
}

bool ps_name_is_shadow(const char *name) {
    return is_made_of(name, LETTERS ":-", PS_SHADOW_NAME_MAX);
}

bool ps_name_is_job(const char *name) {
    return is_made_of(name, LETTERS "-", PS_JOB_ID_MAX);
}

bool ps_name_is_template(const char *name) {
    return is_made_of(name, LETTERS "-", PS_TEMPLATE_NAME_MAX);
}

bool ps_name_is_rule(const char *name) {
    return is_made_of(name, LETTERS, PS_RULE_NAME_MAX);
}

bool ps_levels_split(PsLevels *levels, const char *topic) {
    size_t len = strlen(topic);
    if (len >= sizeof levels->text) {
        return false;
    }
    memcpy(levels->text, topic, len + 1);
    levels->count = 0;
    for (size_t i = 0; i < PS_LEVELS_MAX; i++) {
        levels->at[i] = levels->text + len;
    }
    char *at = levels->text;
    while (at != NULL) {
        if (levels->count == PS_LEVELS_MAX) {
            return false;
        }
        levels->at[levels->count++] = at;
        char *slash = strchr(at, '/');
        if (slash != NULL) {
            *slash++ = '\0';
        }
        at = slash;
    }
    return true;
}
