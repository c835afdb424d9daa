// Files are compared by what they are, not by name: a draft may be reached through a link.
// Blocking.
#include "cli/script_message.h"

#include "drivers/driver.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_same_file(const char *a, const char *b) {
    struct stat one;
    struct stat other;
    return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

typedef struct Wanted {
    const char *file;
    const char *name;          // or NULL
    const char *main_function; // or NULL
} Wanted;

// How well a message fits: 0 not, 2 best.
static int fitness(const Wanted *wanted, const char *name, const char *script,
                   const char *main_function) {
    if (wanted->name != NULL) {
        return strcmp(wanted->name, name) == 0 ? 2 : 0;
    }
    if (!is_same_file(wanted->file, script)) {
        return 0;
    }
    bool same = wanted->main_function == NULL || strcmp(wanted->main_function, main_function) == 0;
    return same ? 2 : 1;
}

const json_t *cli_find_message(const json_t *rows, const char *file, const char *name,
                               const char *main_function) {
    Wanted wanted = {file, name, main_function};
    const json_t *found = NULL;
    int best = 0;
    size_t index;
    json_t *row;
    json_array_foreach((json_t *)(uintptr_t)rows, index, row) {
        int fit = fitness(&wanted, cli_text(row, "name"), cli_text(row, "script"),
                          cli_text(row, "main_function"));
        if (fit > best) {
            best = fit;
            found = row;
        }
    }
    return found;
}

const PsPublish *cli_find_publish(const PsConfig *config, const char *file, const char *name,
                                  const char *main_function) {
    Wanted wanted = {file, name, main_function};
    const PsPublish *found = NULL;
    int best = 0;
    for (uint32_t i = 0; i < config->publish_count; i++) {
        const PsPublish *publish = &config->publish[i];
        int fit = fitness(&wanted, publish->name, publish->script, publish->main_function);
        if (fit > best) {
            best = fit;
            found = publish;
        }
    }
    return found;
}

static PsConfig *load(const char *folder) {
    char path[PATH_MAX + sizeof PS_CONFIG_FILE + 1];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s", folder, PS_CONFIG_FILE);
    if (stat(path, &status) != 0) {
        return NULL;
    }
    PsFindings findings = {0};
    PsConfig *config = NULL;
    if (ps_config_load(folder, ps_driver_check_for, &findings, &config) != PS_OK) {
        config = NULL; // 'penstock check' says why
    }
    ps_findings_deinit(&findings);
    return config;
}

PsConfig *cli_config_of(const char *file) {
    char folder[PATH_MAX];
    if (realpath(file, folder) == NULL) {
        return NULL;
    }
    PsConfig *config = NULL;
    for (int i = 0; i < 2 && config == NULL; i++) {
        char *slash = strrchr(folder, '/');
        if (slash == NULL) {
            return NULL;
        }
        *slash = '\0';
        config = load(folder);
    }
    return config;
}
