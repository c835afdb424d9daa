// The table of the system's user names. Blocks while it is made; main thread.
#include "api/peers.h"

#include "base/mem.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#define USERS_MAX 10000

typedef struct User {
    uid_t uid;
    char *name;
} User;

struct PsApiPeers {
    User *items;
    size_t count;
};

PsApiPeers *ps_api_peers_new(const char *path) {
    PsApiPeers *peers = ps_alloc(sizeof *peers);
    FILE *file = fopen(path, "re");
    struct passwd entry = {0};
    struct passwd *found = NULL;
    char line[4096];
    while (file != NULL && peers->count < USERS_MAX &&
           fgetpwent_r(file, &entry, line, sizeof line, &found) == 0) {
        peers->items = ps_grow_array(peers->items, peers->count + 1, sizeof *peers->items);
        peers->items[peers->count++] = (User){entry.pw_uid, ps_strdup(entry.pw_name)};
    }
    if (file != NULL) {
        fclose(file);
    }
    return peers;
}

void ps_api_peers_free(PsApiPeers *peers) {
    if (peers == NULL) {
        return;
    }
    for (size_t i = 0; i < peers->count; i++) {
        free(peers->items[i].name);
    }
    free(peers->items);
    free(peers);
}

void ps_api_peers_name(const PsApiPeers *peers, uid_t uid, char *out, size_t size) {
    for (size_t i = 0; i < peers->count; i++) {
        if (peers->items[i].uid == uid) { // the first counts, as for the system
            snprintf(out, size, "%s", peers->items[i].name);
            return;
        }
    }
    snprintf(out, size, "uid %lu", (unsigned long)uid);
}
