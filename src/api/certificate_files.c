// Reads, writes and removes the files, and says which key fits which certificate. A worker thread.
#include "api/certificate_files.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "model/tables.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY_S 86400
#define NAME_MAX_BYTES 100

// An option that names a file which is no secret text.
typedef void OnNamed(const PsOption *option, const char *path, const char *owner, void *ctx);

static void for_each_of(const PsOptionTable *table, const void *object, const char *owner,
                        OnNamed *on_named, void *ctx) {
    for (size_t i = 0; i < table->count; i++) {
        const PsOption *option = &table->options[i];
        if (option->type == PS_OPTION_PATH && strcmp(option->key, "password_file") != 0) {
            const char *path = ps_option_text(option, object);
            if (path != NULL && path[0] != '\0') {
                on_named(option, path, owner, ctx);
            }
        }
    }
}

static void for_each(const PsConfig *config, OnNamed *on_named, void *ctx) {
    for_each_of(&ps_table_cloud, &config->cloud, ps_table_cloud.block, on_named, ctx);
    for_each_of(&ps_table_web, &config->web, ps_table_web.block, on_named, ctx);
    for (uint32_t i = 0; i < config->device_count; i++) {
        char owner[128];
        snprintf(owner, sizeof owner, "device '%.100s'", config->devices[i].name);
        for_each_of(&ps_table_device, &config->devices[i], owner, on_named, ctx);
    }
}

typedef struct Users {
    const PsConfig *config;
    const char *path;
    json_t *list;
} Users;

static void add_user(const PsOption *option, const char *path, const char *owner, void *ctx) {
    const Users *users = ctx;
    if (strcmp(ps_config_short_path(users->config, path), users->path) == 0) {
        json_array_append_new(users->list, json_sprintf("%s: %s", owner, option->key));
    }
}

json_t *ps_certificate_users(const PsConfig *config, const char *path) {
    Users users = {config, path, json_array()};
    for_each(config, add_user, &users);
    return users.list;
}

// --- reading ------------------------------------------------------------------------------------

static void read_file(const char *full, PsCertificateFile *file) {
    PS_AUTO_BUF PsBuf text = {0};
    PsDiag diag = {0};
    PsErr err = ps_file_read(full, PS_PEM_BYTES_MAX, &text, &diag);
    err = err == PS_OK ? ps_pem_read(file->path, text.len > 0 ? (const char *)text.data : "",
                                     text.len, &file->pem, &diag)
                       : err;
    file->sound = err == PS_OK;
    if (err != PS_OK) {
        ps_text_format(file->problem, sizeof file->problem, "%s", diag.text);
    }
    if (text.data != NULL) {
        OPENSSL_cleanse(text.data, text.capacity);
    }
}

static bool has(const PsCertificateFiles *files, const char *path) {
    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(files->files[i].path, path) == 0) {
            return true;
        }
    }
    return false;
}

static void add(PsCertificateFiles *files, const char *path, const char *full) {
    PsCertificateFile *file = &files->files[files->count];
    if (files->count == PS_CERTIFICATE_FILES_MAX) {
        files->more = true;
    } else if (strlen(path) < sizeof file->path && !has(files, path)) {
        snprintf(file->path, sizeof file->path, "%s", path);
        read_file(full, file);
        files->count++;
    }
}

static int by_path(const void *a, const void *b) {
    const PsCertificateFile *one = a;
    const PsCertificateFile *other = b;
    return strcmp(one->path, other->path);
}

static void read_folder(const char *folder, PsCertificateFiles *files) {
    char certs[PATH_MAX];
    int length = snprintf(certs, sizeof certs, "%s/" PS_CERTIFICATES_FOLDER, folder);
    DIR *dir = length > 0 && (size_t)length < sizeof certs ? opendir(certs) : NULL;
    const struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char path[sizeof files->files->path];
        char full[PATH_MAX];
        int len = snprintf(path, sizeof path, PS_CERTIFICATES_FOLDER "/%s", entry->d_name);
        int full_len = snprintf(full, sizeof full, "%s/%s", folder, path);
        bool fits = (size_t)len < sizeof path && (size_t)full_len < sizeof full;
        if (entry->d_name[0] != '.' && fits && entry->d_type != DT_DIR) {
            add(files, path, full);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
}

typedef struct Adding {
    const PsConfig *config;
    PsCertificateFiles *files;
} Adding;

static void add_named(const PsOption *option, const char *path, const char *owner, void *ctx) {
    const Adding *adding = ctx;
    (void)option;
    (void)owner;
    add(adding->files, ps_config_short_path(adding->config, path), path);
}

void ps_certificate_files_read(const PsConfig *config, PsCertificateFiles *ret_files) {
    *ret_files = (PsCertificateFiles){
        .files = ps_alloc_array(PS_CERTIFICATE_FILES_MAX, sizeof *ret_files->files)};
    Adding adding = {config, ret_files};
    for_each(config, add_named, &adding);
    read_folder(config->folder, ret_files);
    qsort(ret_files->files, ret_files->count, sizeof *ret_files->files, by_path);
}

void ps_certificate_files_deinit(PsCertificateFiles *files) {
    free(files->files);
    *files = (PsCertificateFiles){0};
}

// --- as JSON ------------------------------------------------------------------------------------

// Certificates of a key, keys of a certificate.
static json_t *fitting(const PsCertificateFiles *files, const PsCertificateFile *file) {
    json_t *list = json_array();
    for (size_t i = 0; i < files->count; i++) {
        const PsCertificateFile *other = &files->files[i];
        bool other_sort = (other->pem.kind == PS_PEM_KEY) != (file->pem.kind == PS_PEM_KEY);
        if (other->sound && other_sort && other->pem.public_sha256[0] != '\0' &&
            strcmp(other->pem.public_sha256, file->pem.public_sha256) == 0) {
            json_array_append_new(list, json_string(other->path));
        }
    }
    return list;
}

static void put_certificate(const PsPem *pem, int64_t now_s, json_t *json) {
    json_object_set_new(json, "subject", json_string(pem->subject));
    json_object_set_new(json, "issuer", json_string(pem->issuer));
    json_object_set_new(json, "not_before", json_integer(pem->not_before));
    json_object_set_new(json, "not_after", json_integer(pem->not_after));
    json_object_set_new(json, "days_left", json_integer((pem->not_after - now_s) / DAY_S));
    json_object_set_new(json, "fingerprint", json_string(pem->fingerprint));
    json_object_set_new(json, "certificates", json_integer(pem->count));
}

static const char *problem_of(const PsCertificateFile *file, const json_t *fits, int64_t now_s) {
    if (!file->sound) {
        return file->problem;
    }
    if (file->pem.kind == PS_PEM_KEY) {
        return json_array_size(fits) == 0 ? "fits no certificate that is here" : NULL;
    }
    if (file->pem.not_after < now_s) {
        return "has expired; have a new one made";
    }
    return file->pem.not_before > now_s ? "is not valid yet; is the clock of the gateway set right?"
                                        : NULL;
}

json_t *ps_certificate_file_json(const PsCertificateFiles *files, const PsConfig *config,
                                 const PsCertificateFile *file) {
    int64_t now_s = (int64_t)ps_wall_seconds(ps_wall_now());
    json_t *fits = file->sound && file->pem.kind != PS_PEM_ROOT ? fitting(files, file) : NULL;
    const char *problem = problem_of(file, fits, now_s);
    json_t *json = json_pack("{s:s, s:s}", "path", file->path, "kind",
                             file->sound ? ps_pem_kind_name(file->pem.kind) : "other");
    if (file->sound && file->pem.kind != PS_PEM_KEY) {
        put_certificate(&file->pem, now_s, json);
    }
    json_object_set_new(json, "key_type", json_string(file->sound ? file->pem.key_type : ""));
    json_object_set_new(json, "fits", fits != NULL ? fits : json_array());
    json_object_set_new(json, "used_by", ps_certificate_users(config, file->path));
    json_object_set_new(json, "problem", problem != NULL ? json_string(problem) : json_null());
    return json;
}

// --- writing ------------------------------------------------------------------------------------

bool ps_certificate_name_ok(const char *name) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "._-";
    size_t len = strlen(name);
    return len > 0 && len <= NAME_MAX_BYTES && name[0] != '.' && strspn(name, letters) == len;
}

static PsErr full_path(const char *folder, const char *name, char *out, PsDiag *diag) {
    int length = snprintf(out, PATH_MAX, "%s/" PS_CERTIFICATES_FOLDER "%s%s", folder,
                          name[0] != '\0' ? "/" : "", name);
    return length > 0 && length < PATH_MAX
               ? PS_OK
               : ps_fail(PS_ERR_TOO_BIG, diag, name, NULL, "the path is too long");
}

PsErr ps_certificate_file_write(const char *folder, const char *name, const void *text, size_t len,
                                PsDiag *diag) {
    char certs[PATH_MAX];
    char path[PATH_MAX];
    PsErr err = full_path(folder, "", certs, diag);
    err = err == PS_OK ? full_path(folder, name, path, diag) : err;
    err = err == PS_OK ? ps_dir_make(certs, 0700, diag) : err;
    return err == PS_OK ? ps_file_write(path, text, len, 0600, diag) : err;
}

PsErr ps_certificate_file_remove(const char *folder, const char *name, PsDiag *diag) {
    char path[PATH_MAX];
    PsErr err = full_path(folder, name, path, diag);
    if (err != PS_OK || unlink(path) == 0) {
        return err;
    }
    return ps_fail(errno == ENOENT                     ? PS_ERR_NOT_FOUND
                   : errno == EACCES || errno == EPERM ? PS_ERR_DENIED
                                                       : PS_ERR_IO,
                   diag, name, NULL, "cannot be removed: %s", strerror(errno));
}
