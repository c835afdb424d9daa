// The table of user names. Blocks while it is made; main thread.
#include "api/users.h"

#include "base/mem.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#define USERS_MAX 10000

typedef struct User {
    uid_t uid;
    char *name;
} User;

struct PsApiUsers {
    User *items;
    size_t count;
};

PsApiUsers *ps_api_users_new(const char *path) {
    PsApiUsers *users = ps_alloc(sizeof *users);
    FILE *file = fopen(path, "re");
    struct passwd entry = {0};
    struct passwd *found = NULL;
    char line[4096];
    while (file != NULL && users->count < USERS_MAX &&
           fgetpwent_r(file, &entry, line, sizeof line, &found) == 0) {
        users->items = ps_grow_array(users->items, users->count + 1, sizeof *users->items);
        users->items[users->count++] = (User){entry.pw_uid, ps_strdup(entry.pw_name)};
    }
    if (file != NULL) {
        fclose(file);
    }
    return users;
}

void ps_api_users_free(PsApiUsers *users) {
    if (users == NULL) {
        return;
    }
    for (size_t i = 0; i < users->count; i++) {
        free(users->items[i].name);
    }
    free(users->items);
    free(users);
}

void ps_api_users_name(const PsApiUsers *users, uid_t uid, char *out, size_t size) {
    for (size_t i = 0; i < users->count; i++) {
        if (users->items[i].uid == uid) { // the first counts, as for the system
            snprintf(out, size, "%s", users->items[i].name);
            return;
        }
    }
    snprintf(out, size, "uid %lu", (unsigned long)uid);
}
