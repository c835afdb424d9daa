// The scripts of the configuration folder: which there are, the text of one, saving one as a
// revision. Main thread; the disk on worker threads.
#include "api/edits.h"
#include "api/handlers_config.h"
#include "api/work.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "model/edit.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILES_MAX 1000
#define DEPTH_MAX 3

typedef struct Job {
    PsApiHeld held;
    char *path; // NULL: all are listed
    json_t *answer;
    size_t count;
    PsErr err;
    PsDiag diag;
} Job;

static Job *make_job(const PsApiCall *call, const char *path) {
    Job *job = ps_alloc(sizeof *job);
    job->held = ps_api_hold(call);
    job->path = path != NULL ? ps_strdup(path) : NULL;
    return job;
}

static void finish(PsApiCall *call, void *ctx) {
    Job *job = ctx;
    if (job->err == PS_OK) {
        ps_api_call_reply(call, job->answer);
    } else {
        ps_api_call_fail(call, job->err, &job->diag);
    }
    ps_api_let_go(&job->held);
    free(job->path);
    free(job);
}

// --- all ----------------------------------------------------------------------------------------

static json_t *find_row(const json_t *items, const char *path) {
    size_t index;
    json_t *row;
    json_array_foreach(items, index, row) {
        if (strcmp(json_string_value(json_object_get(row, "path")), path) == 0) {
            return row;
        }
    }
    return NULL;
}

static json_t *row_of(Job *job, const char *path) {
    json_t *items = json_object_get(job->answer, "items");
    json_t *row = find_row(items, path);
    if (row == NULL && job->count < FILES_MAX) {
        char full[PATH_MAX];
        struct stat status;
        int length =
            snprintf(full, sizeof full, "%s%s%s", path[0] == '/' ? "" : job->held.config->folder,
                     path[0] == '/' ? "" : "/", path);
        bool there = length > 0 && (size_t)length < sizeof full && stat(full, &status) == 0;
        row = json_pack("{s:s, s:o, s:[]}", "path", path, "bytes",
                        there ? json_integer(status.st_size) : json_null(), "used_by");
        json_array_append_new(items, row);
        job->count++;
    }
    return row;
}

static void add_user(Job *job, const char *script, const char *name) {
    if (script == NULL || script[0] == '\0') {
        return;
    }
    json_t *row = row_of(job, ps_config_short_path(job->held.config, script));
    json_array_append_new(json_object_get(row, "used_by"), json_string(name));
}

// Those that no message uses. `below` is relative to the configuration folder, "" for itself.
static void look_below(Job *job, const char *below, int depth) {
    char full[PATH_MAX];
    int length = snprintf(full, sizeof full, "%s/%s", job->held.config->folder, below);
    DIR *dir = length > 0 && (size_t)length < sizeof full ? opendir(full) : NULL;
    const struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL && job->count < FILES_MAX) {
        char path[PATH_MAX];
        length = snprintf(path, sizeof path, "%s%s%s", below, below[0] != '\0' ? "/" : "",
                          entry->d_name);
        if (entry->d_name[0] == '.' || length < 0 || (size_t)length >= sizeof path) {
            continue;
        }
        if (entry->d_type == DT_DIR && depth < DEPTH_MAX) {
            look_below(job, path, depth + 1);
        } else if (entry->d_type == DT_REG && ps_edit_is_script_path(path)) {
            (void)row_of(job, path);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
}

static void list(void *ctx) {
    Job *job = ctx;
    const PsConfig *config = job->held.config;
    job->answer = json_pack("{s:[]}", "items");
    for (uint32_t i = 0; i < config->publish_count; i++) {
        add_user(job, config->publish[i].script, config->publish[i].name);
    }
    for (uint32_t i = 0; i < config->subscribe_count; i++) {
        add_user(job, config->subscribe[i].script, config->subscribe[i].name);
    }
    look_below(job, "", 1);
}

void ps_api_scripts(PsApiCall *call) {
    ps_api_work(call, list, finish, make_job(call, NULL));
}

// --- one ----------------------------------------------------------------------------------------

static bool is_script_of_message(const PsConfig *config, const char *path) {
    for (uint32_t i = 0; i < config->publish_count; i++) {
        if (strcmp(ps_config_short_path(config, config->publish[i].script), path) == 0) {
            return true;
        }
    }
    for (uint32_t i = 0; i < config->subscribe_count; i++) {
        if (strcmp(ps_config_short_path(config, config->subscribe[i].script), path) == 0) {
            return true;
        }
    }
    return false;
}

static void read_one(void *ctx) {
    Job *job = ctx;
    const PsConfig *config = job->held.config;
    PS_AUTO_BUF PsBuf text = {0};
    char full[PATH_MAX];
    if (!ps_edit_is_script_path(job->path) && !is_script_of_message(config, job->path)) {
        job->err = ps_fail(PS_ERR_INVALID, &job->diag, job->path, "path",
                           "must be that of a Python file below the configuration folder, such as "
                           "scripts/main.py");
        return;
    }
    int length = job->path[0] == '/'
                     ? snprintf(full, sizeof full, "%s", job->path)
                     : snprintf(full, sizeof full, "%s/%s", config->folder, job->path);
    job->err = length > 0 && (size_t)length < sizeof full
                   ? ps_file_read(full, PS_SCRIPT_BYTES_MAX, &text, &job->diag)
                   : ps_fail(PS_ERR_TOO_BIG, &job->diag, job->path, "path", "is too long");
    if (job->err == PS_OK && !ps_text_is_utf8(text.data, text.len)) {
        job->err = ps_fail(PS_ERR_CORRUPT, &job->diag, job->path, NULL,
                           "is not UTF-8 text; correct it with an editor");
    }
    if (job->err == PS_OK) {
        job->answer = json_pack("{s:s, s:s%}", "path", job->path, "text",
                                text.len > 0 ? (const char *)text.data : "", text.len);
    }
}

void ps_api_script_file(PsApiCall *call) {
    ps_api_work(call, read_one, finish, make_job(call, ps_api_call_text(call, "path")));
}

// Parameters: `path`, `why`, `base`, `dry_run`; body: `text`.
void ps_api_script_file_put(PsApiCall *call) {
    json_t *edits =
        json_pack("[{s:s, s:s, s:O}]", "op", "file", "path", ps_api_call_text(call, "path"), "text",
                  json_object_get(ps_api_call_arguments(call), "text"));
    ps_api_ask_change(call, (PsApiChange){.edits = edits}, ps_api_edit_done, call);
}
