// Collects the files of a configuration and tells the secret ones from the others. Blocks on the
// disk.
#include "backup/set.h"

#include "backup/seal.h"
#include "backup/tar.h"
#include "base/file.h"
#include "model/tables.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

// Certificates, keys and passwords; a script has its own limit.
#define FILE_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define KEY_MARK "PRIVATE KEY-----"
// A shorter secret is found by chance.
#define SECRET_LEAST ((size_t)8)

/// Called for every file that a configuration names; the path is absolute, `field` where it is.
typedef void Named(const char *path, bool secret, void *ctx);

static void for_each_of(const PsOptionTable *table, const void *object, Named *named, void *ctx) {
    for (size_t i = 0; i < table->count; i++) {
        const PsOption *option = &table->options[i];
        if (option->type == PS_OPTION_PATH) {
            named(*(const char *const *)((const char *)object + option->offset), option->secret,
                  ctx);
        }
    }
}

static void for_each(const PsConfig *config, Named *named, void *ctx) {
    for (uint32_t i = 0; i < config->publish_count; i++) {
        named(config->publish[i].script, false, ctx);
    }
    for (uint32_t i = 0; i < config->subscribe_count; i++) {
        named(config->subscribe[i].script, false, ctx);
    }
    for (uint32_t i = 0; i < config->device_count; i++) {
        for_each_of(&ps_table_device, &config->devices[i], named, ctx);
    }
    for_each_of(&ps_table_cloud, &config->cloud, named, ctx);
    for_each_of(&ps_table_web, &config->web, named, ctx);
}

// The path below the folder, or NULL when it is not there.
static const char *below(const PsConfig *config, const char *path) {
    size_t len = strlen(config->folder);
    bool inside = strncmp(path, config->folder, len) == 0 && path[len] == '/';
    return inside && ps_tar_name_is_clean(path + len + 1) ? path + len + 1 : NULL;
}

typedef struct Search {
    const PsConfig *config;
    const char *name;
    bool found;
} Search;

static void compare(const char *path, bool secret, void *ctx) {
    Search *search = ctx;
    const char *name = below(search->config, path);
    search->found = search->found || (name != NULL && strcmp(name, search->name) == 0);
}

bool ps_config_set_has(const PsConfig *config, const char *name) {
    Search search = {.config = config, .name = name, .found = strcmp(name, PS_CONFIG_FILE) == 0};
    for_each(config, compare, &search);
    return search.found;
}

typedef struct Collection {
    const PsConfig *config;
    PsArchive *archive;
    PsDiag *diag;
    PsErr err;
} Collection;

static void collect(const char *path, bool secret, void *ctx) {
    Collection *collection = ctx;
    PsArchive *archive = collection->archive;
    if (collection->err != PS_OK || path[0] == '\0') {
        return;
    }
    const char *name = below(collection->config, path);
    const char *shown = name != NULL ? name : path;
    PsArchiveFile *known = ps_archive_find(archive, shown);
    if (known != NULL) {
        known->secret = known->secret || secret;
        return;
    }
    if (ps_archive_find_gap(archive, shown) != NULL) {
        return;
    }
    if (name == NULL) {
        ps_archive_put_gap(archive, shown, PS_GAP_OUTSIDE);
        return;
    }
    PS_AUTO_BUF PsBuf bytes = {0};
    PsErr err = ps_file_read(path, FILE_BYTES_MAX, &bytes, collection->diag);
    if (err == PS_ERR_NOT_FOUND) {
        ps_archive_put_gap(archive, shown, PS_GAP_MISSING);
    } else if (err != PS_OK) {
        collection->err = err;
    } else {
        ps_archive_put(archive, name, secret, &bytes);
    }
}

// Does the file give away what the secret holds? Blanks around it do not count.
static bool gives_away(const PsBuf *bytes, const PsBuf *secret) {
    const uint8_t *begin = secret->data;
    const uint8_t *end = secret->data + secret->len;
    while (begin < end && isspace(*begin)) {
        begin++;
    }
    while (end > begin && isspace(end[-1])) {
        end--;
    }
    size_t len = (size_t)(end - begin);
    return len >= SECRET_LEAST && memmem(bytes->data, bytes->len, begin, len) != NULL;
}

static bool holds_secret(const PsArchive *archive, const PsArchiveFile *file) {
    if (memmem(file->bytes.data, file->bytes.len, KEY_MARK, strlen(KEY_MARK)) != NULL) {
        return true;
    }
    for (size_t i = 0; i < archive->file_count; i++) {
        if (archive->files[i].secret && gives_away(&file->bytes, &archive->files[i].bytes)) {
            return true;
        }
    }
    return false;
}

static PsErr find_secrets(PsArchive *archive, PsDiag *diag) {
    for (size_t i = 0; i < archive->file_count; i++) {
        PsArchiveFile *file = &archive->files[i];
        if (file->secret || file->bytes.len == 0 || !holds_secret(archive, file)) {
            continue;
        }
        if (strcmp(file->name, PS_CONFIG_FILE) == 0) {
            return ps_fail(PS_ERR_DENIED, diag, PS_CONFIG_FILE, NULL,
                           "holds a private key or the text of a password file, and it is never "
                           "sealed; take that out of it");
        }
        file->secret = true;
    }
    return PS_OK;
}

// As it is on the disk, unless it names its own folder: then it would not fit another one.
static void put_config(const PsConfig *config, PsBuf *text, PsArchive *archive) {
    PS_AUTO_BUF PsBuf portable = {0};
    size_t len = strlen(config->folder);
    if (len > 1 && memmem(text->data, text->len, config->folder, len) != NULL) {
        ps_config_write(config, &portable);
        ps_archive_put(archive, PS_CONFIG_FILE, false, &portable);
    } else {
        ps_archive_put(archive, PS_CONFIG_FILE, false, text);
    }
}

PsErr ps_config_set_read(const char *folder, PsVariableCheckFor *check_for, PsBackupCheck *also,
                         PsFindings *findings, PsArchive *archive, PsDiag *diag) {
    char path[PATH_MAX];
    PS_AUTO_BUF PsBuf text = {0};
    PsConfig *config = NULL;
    snprintf(path, sizeof path, "%s/%s", folder, PS_CONFIG_FILE);
    PsErr err = ps_file_read(path, PS_CONFIG_BYTES_MAX, &text, diag);
    if (err != PS_OK) {
        return err;
    }
    err = ps_config_parse(folder, text.data, text.len, check_for, findings, &config);
    if (err == PS_OK && also != NULL) {
        err = also(config, findings, diag);
    }
    if (err == PS_ERR_INVALID) {
        ps_diag_set(diag, folder, NULL,
                    "has mistakes, and a backup of it could not be restored; correct them first: "
                    "penstock check lists them");
    }
    if (err != PS_OK) {
        ps_config_free(config);
        return err;
    }
    put_config(config, &text, archive);
    Collection collection = {.config = config, .archive = archive, .diag = diag, .err = PS_OK};
    for_each(config, collect, &collection);
    ps_config_free(config);
    return collection.err == PS_OK ? find_secrets(archive, diag) : collection.err;
}
