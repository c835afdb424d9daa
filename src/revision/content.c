// The files of one configuration in memory. Blocks on the disk while reading and loading; one
// thread at a time.
#include "revision/content.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/mem.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ps_content_deinit(PsContent *content) {
    for (size_t i = 0; i < content->count; i++) {
        free(content->files[i].path);
        ps_buf_deinit(&content->files[i].bytes);
    }
    free(content->files);
    *content = (PsContent){0};
}

void ps_content_put(PsContent *content, const char *path, PsBuf *bytes) {
    content->files = ps_grow_array(content->files, content->count + 1, sizeof *content->files);
    content->files[content->count++] = (PsContentFile){.path = ps_strdup(path), .bytes = *bytes};
    *bytes = (PsBuf){0};
}

const PsContentFile *ps_content_find(const PsContent *content, const char *path) {
    for (size_t i = 0; i < content->count; i++) {
        if (strcmp(content->files[i].path, path) == 0) {
            return &content->files[i];
        }
    }
    return NULL;
}

static bool same_bytes(const PsBuf *a, const PsBuf *b) {
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

bool ps_content_equal(const PsContent *a, const PsContent *b) {
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        const PsContentFile *other = ps_content_find(b, a->files[i].path);
        same = other != NULL && same_bytes(&a->files[i].bytes, &other->bytes);
    }
    return same;
}

PsErr ps_content_path(const char *folder, const char *path, char *out, PsDiag *diag) {
    int length = path[0] == '/' ? snprintf(out, PATH_MAX, "%s", path)
                                : snprintf(out, PATH_MAX, "%s/%s", folder, path);
    return length > 0 && length < PATH_MAX
               ? PS_OK
               : ps_fail(PS_ERR_TOO_BIG, diag, path, NULL, "the path is too long");
}

PsErr ps_content_read(PsContent *content, const char *folder, PsFindings *findings) {
    char path[PATH_MAX];
    PS_AUTO_BUF PsBuf text = {0};
    PsDiag diag = {0};
    PsErr err = ps_content_path(folder, PS_CONFIG_FILE, path, &diag);
    if (err == PS_OK) {
        err = ps_file_read(path, PS_CONFIG_BYTES_MAX, &text, &diag);
    }
    if (err != PS_OK) {
        ps_findings_error(findings, PS_CONFIG_FILE, folder, NULL,
                          "%s; name the folder that holds %s", diag.text, PS_CONFIG_FILE);
        return PS_ERR_INVALID;
    }
    ps_content_put(content, PS_CONFIG_FILE, &text);
    return PS_OK;
}

static void take_script(PsContent *content, const PsConfig *config, const char *path,
                        const PsBuf *source) {
    if (path == NULL || path[0] == '\0') {
        return;
    }
    const char *name = ps_config_short_path(config, path);
    if (ps_content_find(content, name) == NULL) {
        PsBuf bytes = {0};
        ps_buf_put(&bytes, source->data, source->len);
        ps_content_put(content, name, &bytes);
    }
}

static void drop_unused(PsContent *content, const PsContent *used) {
    size_t kept = 0;
    for (size_t i = 0; i < content->count; i++) {
        PsContentFile *file = &content->files[i];
        if (ps_content_find(used, file->path) != NULL) {
            content->files[kept++] = *file;
        } else {
            free(file->path);
            ps_buf_deinit(&file->bytes);
        }
    }
    content->count = kept;
}

// Afterwards it has every script that the configuration names, as loaded, and no other.
static void complete(PsContent *content, const PsConfig *config) {
    PS_AUTO_CONTENT PsContent used = {0};
    PsBuf none = {0};
    ps_content_put(&used, PS_CONFIG_FILE, &none);
    for (uint32_t i = 0; i < config->publish_count; i++) {
        take_script(&used, config, config->publish[i].script, &config->publish[i].source);
    }
    for (uint32_t i = 0; i < config->subscribe_count; i++) {
        take_script(&used, config, config->subscribe[i].script, &config->subscribe[i].source);
    }
    for (size_t i = 1; i < used.count; i++) {
        if (ps_content_find(content, used.files[i].path) == NULL) {
            ps_content_put(content, used.files[i].path, &used.files[i].bytes);
        }
    }
    drop_unused(content, &used);
}

PsErr ps_content_load(PsContent *content, const char *folder, PsVariableCheckFor *check_for,
                      PsFindings *findings, PsConfig **ret_config) {
    PS_ASSERT(content->count > 0);
    PS_AUTO_FREE PsConfigFile *files = ps_alloc_array(content->count, sizeof *files);
    for (size_t i = 0; i < content->count; i++) {
        const PsContentFile *file = &content->files[i];
        files[i] =
            (PsConfigFile){.path = file->path, .bytes = file->bytes.data, .len = file->bytes.len};
    }
    const PsConfigFile *json = &files[0];
    PsErr err = ps_config_parse_with(folder, json->bytes, json->len, files, content->count,
                                     check_for, findings, ret_config);
    if (err == PS_OK) {
        complete(content, *ret_config);
    }
    return err;
}
