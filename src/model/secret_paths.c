// Looks through the paths that option tables call secret. Pure.
#include "model/secret_paths.h"

#include "model/tables.h"

#include <stdio.h>
#include <string.h>

static bool is_inside(const char *folder, const char *path) {
    size_t len = strlen(folder);
    if (strncmp(path, folder, len) != 0 || path[len] != '/') {
        return false;
    }
    for (const char *at = path + len; at != NULL; at = strchr(at + 1, '/')) {
        if (strncmp(at, "/../", 4) == 0 || strcmp(at, "/..") == 0) {
            return false;
        }
    }
    return true;
}

static PsErr check(const PsOptionTable *table, const char *folder, const void *before,
                   const void *after, const char *object, PsDiag *diag) {
    for (size_t i = 0; i < table->count; i++) {
        const PsOption *option = &table->options[i];
        if (option->type != PS_OPTION_PATH || !option->secret) {
            continue;
        }
        const char *path = ps_option_text(option, after);
        bool same = before != NULL && ps_option_equal(option, before, after);
        if (path[0] != '\0' && !same && !is_inside(folder, path)) {
            return ps_fail(PS_ERR_DENIED, diag, object, option->key,
                           "%.200s lies outside the configuration folder, so only an administrator "
                           "may name it; upload the file and name it below certs/",
                           path);
        }
    }
    return PS_OK;
}

static const PsDevice *find(const PsConfig *config, const char *name) {
    for (uint32_t i = 0; config != NULL && i < config->device_count; i++) {
        if (strcmp(config->devices[i].name, name) == 0) {
            return &config->devices[i];
        }
    }
    return NULL;
}

PsErr ps_secret_paths_check(const PsConfig *before, const PsConfig *after, PsDiag *diag) {
    PsErr err = check(&ps_table_cloud, after->folder, before != NULL ? &before->cloud : NULL,
                      &after->cloud, "cloud", diag);
    for (uint32_t i = 0; i < after->device_count && err == PS_OK; i++) {
        const PsDevice *device = &after->devices[i];
        if (device->password_file[0] == '\0' && device->key[0] == '\0') {
            continue; // nearly all of them
        }
        char object[128];
        snprintf(object, sizeof object, "device '%.100s'", device->name);
        err = check(&ps_table_device, after->folder, find(before, device->name), device, object,
                    diag);
    }
    return err;
}
