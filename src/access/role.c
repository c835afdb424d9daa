// The names of the roles. Pure.
#include "access/role.h"

#include "base/err.h"

#include <string.h>

static const char *const names[] = {
    [PS_ROLE_NONE] = "none",
    [PS_ROLE_VIEWER] = "viewer",
    [PS_ROLE_OPERATOR] = "operator",
    [PS_ROLE_ENGINEER] = "engineer",
    [PS_ROLE_ADMINISTRATOR] = "administrator",
};

const char *ps_role_name(PsRole role) {
    return (size_t)role < PS_COUNT(names) ? names[role] : names[PS_ROLE_NONE];
}

PsRole ps_role_of(const char *name) {
    for (size_t i = 0; name != NULL && i < PS_COUNT(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            return (PsRole)i;
        }
    }
    return PS_ROLE_NONE;
}
