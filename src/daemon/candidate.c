// The steps of a change that block: disk, parsing, compiling. A worker thread; at the start of the
// gateway the main thread.
#include "daemon/candidate.h"

#include "base/mem.h"
#include "base/text.h"
#include "daemon/candidate_edits.h"
#include "model/config_diff.h"
#include "model/secret_paths.h"
#include "model/tables.h"
#include "revision/credentials.h"
#include "script/compile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *ps_candidate_step_name(PsCandidateStep step) {
    static const char *const names[] = {"reading", "checking", "compiling scripts", "comparing",
                                        "writing"};
    return (size_t)step < PS_COUNT(names) ? names[step] : "unknown";
}

PsCandidate *ps_candidate_new(void) {
    return ps_alloc(sizeof(PsCandidate));
}

void ps_candidate_free(PsCandidate *candidate) {
    if (candidate == NULL) {
        return;
    }
    ps_buf_deinit(&candidate->upload);
    json_decref(candidate->edits);
    json_decref(candidate->unwanted);
    ps_probation_deinit(&candidate->probation);
    ps_findings_deinit(&candidate->findings);
    json_decref(candidate->difference);
    ps_config_free(candidate->config);
    free(candidate);
}

// --- where it comes from ------------------------------------------------------------------------

// Below the configuration folder: whoever may change the configuration may not write elsewhere.
static bool stays_inside(const char *path) {
    size_t len = strlen(path);
    return path[0] != '/' && strstr(path, "../") == NULL && strcmp(path, "..") != 0 &&
           (len < 3 || strcmp(path + len - 3, "/..") != 0);
}

static PsErr take_upload(const PsBuf *upload, PsContent *content, PsDiag *diag) {
    json_t *root = json_loadb((const char *)upload->data, upload->len, 0, NULL);
    json_t *files = json_object_get(root, "files");
    const json_t *main_file = json_object_get(files, PS_CONFIG_FILE);
    PsErr err = json_is_string(main_file)
                    ? PS_OK
                    : ps_fail(PS_ERR_INVALID, diag, "apply", "upload",
                              "must be {\"files\": {\"%s\": text, ...}}", PS_CONFIG_FILE);
    PsBuf bytes = {0};
    if (err == PS_OK) {
        ps_buf_put(&bytes, json_string_value(main_file), json_string_length(main_file));
        ps_content_put(content, PS_CONFIG_FILE, &bytes);
    }
    const char *path;
    json_t *text;
    json_object_foreach(files, path, text) {
        if (err != PS_OK || text == main_file) {
            continue;
        }
        if (!json_is_string(text) || !stays_inside(path)) {
            err = ps_fail(PS_ERR_INVALID, diag, "apply", path,
                          "must be the text of a file below the configuration folder");
            continue;
        }
        ps_buf_put(&bytes, json_string_value(text), json_string_length(text));
        ps_content_put(content, path, &bytes);
    }
    json_decref(root);
    return err;
}

static bool is_from_folder(const PsCandidate *candidate) {
    return !ps_candidate_is_edited(candidate) && candidate->upload.len == 0 &&
           candidate->revision.of == 0;
}

static PsErr take_content(PsCandidate *candidate, const PsCandidateTools *tools,
                          PsContent *content) {
    if (ps_candidate_is_edited(candidate)) {
        return ps_candidate_take_edits(candidate, tools, content);
    }
    if (candidate->upload.len > 0) {
        return take_upload(&candidate->upload, content, &candidate->diag);
    }
    if (candidate->revision.of > 0) {
        return ps_revision_store_read(tools->store, candidate->revision.of, content,
                                      &candidate->diag);
    }
    return ps_content_read(content, tools->folder, &candidate->findings);
}

// What came before the newest one, after the one that the writer started from.
static void list_between(const PsRevisionStore *store, uint32_t base, PsBuf *out) {
    for (size_t i = 0; i + 1 < ps_revision_store_count(store); i++) {
        const PsRevision *revision = ps_revision_store_at(store, i);
        if (revision->number > base) {
            ps_buf_printf(out, "%s %u by %.20s (%.40s)", out->len > 0 ? "," : "; before it",
                          revision->number, revision->who, revision->summary);
        }
    }
}

static PsErr check_base(PsCandidate *candidate, const PsRevisionStore *store) {
    const PsRevision *newest = ps_revision_store_newest(store);
    if (candidate->base == 0 || (newest != NULL && newest->number == candidate->base)) {
        return PS_OK;
    }
    char when[PS_STAMP_SIZE] = "";
    PS_AUTO_BUF PsBuf between = {0};
    if (newest != NULL) {
        ps_wall_format(newest->time, when, sizeof when);
        list_between(store, candidate->base, &between);
    }
    return ps_fail(PS_ERR_BUSY, &candidate->diag, "apply", "base",
                   "this change starts from revision %u, but revision %u runs since %s, by %s "
                   "(%.100s)%.120s; look at it and start again from there",
                   candidate->base, newest != NULL ? newest->number : 0, when,
                   newest != NULL ? newest->who : "", newest != NULL ? newest->summary : "",
                   between.len > 0 ? (const char *)between.data : "");
}

// --- the steps ----------------------------------------------------------------------------------

static PsErr refuse(PsCandidate *candidate) {
    size_t errors = candidate->findings.errors;
    return ps_fail(PS_ERR_INVALID, &candidate->diag, "configuration", NULL,
                   "has %zu mistake%s; nothing was changed", errors, errors == 1 ? "" : "s");
}

// The configuration that ran: not checked against devices or files again, it was when it began.
// One that cannot be loaded any more counts as empty.
static PsConfig *load_running(const char *folder, PsContent *running) {
    static const char nothing[] = "{\"version\": 1}";
    PsFindings findings = {0};
    PsConfig *config = NULL;
    PsErr err = running->count > 0 ? ps_content_load(running, folder, NULL, &findings, &config)
                                   : PS_ERR_NOT_FOUND;
    ps_findings_deinit(&findings);
    if (err != PS_OK) {
        findings = (PsFindings){0};
        err = ps_config_parse(folder, nothing, sizeof nothing - 1, NULL, &findings, &config);
        PS_ASSERT(err == PS_OK);
        ps_findings_deinit(&findings);
    }
    return config;
}

// Empty when there is none or it is damaged.
static PsContent read_running(const PsRevisionStore *store) {
    PsContent running = {0};
    const PsRevision *newest = ps_revision_store_newest(store);
    if (newest != NULL && ps_revision_store_read(store, newest->number, &running, NULL) != PS_OK) {
        ps_content_deinit(&running);
    }
    return running;
}

static uint32_t compare_credentials(const PsRevisionStore *store, const PsConfig *config,
                                    json_t *difference) {
    const PsRevision *newest = ps_revision_store_newest(store);
    json_t *noted = newest != NULL ? ps_revision_store_credentials(store, newest->number) : NULL;
    uint32_t replaced = ps_credentials_compare(noted, &config->cloud, difference);
    json_decref(noted);
    return replaced;
}

// What the newest revision is, loaded here; NULL when it is `content` to the byte.
static PsConfig *load_newest(const PsRevisionStore *store, const PsContent *content,
                             const char *folder) {
    PsContent running = read_running(store);
    bool same = ps_content_equal(content, &running);
    PsConfig *loaded = same ? NULL : load_running(folder, &running);
    ps_content_deinit(&running); // what is large is not there longer than it has to be
    return loaded;
}

json_t *ps_candidate_compare(const PsRevisionStore *store, const PsContent *content,
                             const PsConfig *config, const PsConfig *running,
                             PsCandidateChanges *ret_changes) {
    PsConfig *loaded = running == NULL ? load_newest(store, content, config->folder) : NULL;
    const PsConfig *before = running != NULL ? running : loaded != NULL ? loaded : config;
    PsConfigMap *map = ps_config_map_new(before, config);
    PsConfigDiff *diff = ps_config_diff_new(before, config, map);
    json_t *json = ps_config_diff_json(diff, PS_DIFFERENCE_MAX);
    uint32_t replaced = compare_credentials(store, config, json);
    *ret_changes = (PsCandidateChanges){
        .count = diff->count + replaced,
        .reconnects = replaced > 0 && before->cloud.enable && config->cloud.enable,
        .web = !ps_option_all_equal(&ps_table_web, &before->web, &config->web)};
    ps_config_diff_free(diff);
    ps_config_map_free(map);
    ps_config_free(loaded);
    return json;
}

static PsErr check(PsCandidate *candidate, const PsCandidateTools *tools, PsContent *content,
                   PsConfig **ret_config) {
    atomic_store(&candidate->step, PS_STEP_CHECKING);
    PsErr err =
        ps_content_load(content, tools->folder, tools->check_for, &candidate->findings, ret_config);
    if (err == PS_OK && candidate->revision.kind != PS_REVISION_AUTOMATIC_REVERT) {
        atomic_store(&candidate->step, PS_STEP_COMPILING);
        err = ps_script_compile(tools->script_program, *ret_config, &candidate->findings,
                                &candidate->diag);
    }
    return err == PS_ERR_INVALID ? refuse(candidate) : err;
}

// The time it is tried out must be known before the revision can run.
static PsErr begin_probation(PsCandidate *candidate, const PsCandidateTools *tools) {
    PsProbation *probation = &candidate->probation;
    const PsRevision *newest = ps_revision_store_newest(tools->store);
    if (probation->length_ns == 0) {
        return PS_OK;
    }
    if (newest == NULL) {
        return ps_fail(PS_ERR_NOT_FOUND, &candidate->diag, "apply", NULL,
                       "there is no revision to go back to");
    }
    probation->back = newest->number;
    probation->number = newest->number + 1;
    probation->begun = ps_probation_now();
    snprintf(probation->who, sizeof probation->who, "%s", candidate->revision.who);
    return ps_probation_save(ps_revision_store_folder(tools->store), probation, &candidate->diag);
}

static PsErr write(PsCandidate *candidate, const PsCandidateTools *tools, const PsContent *content,
                   const PsConfig *config) {
    atomic_store(&candidate->step, PS_STEP_WRITING);
    const char *summary = json_string_value(json_object_get(candidate->difference, "summary"));
    ps_text_format(candidate->revision.summary, sizeof candidate->revision.summary, "%s",
                   summary != NULL ? summary : "");
    candidate->revision.time = ps_wall_now();
    PS_AUTO_CONTENT PsContent running = read_running(tools->store);
    PsRevisionEntry entry = {.content = content,
                             .config = config,
                             .difference = candidate->difference,
                             .running = running.count > 0 ? &running : NULL,
                             .from_folder = is_from_folder(candidate)};
    const char *folder = ps_revision_store_folder(tools->store);
    PsErr err = begin_probation(candidate, tools);
    if (err == PS_OK) {
        err = ps_revision_store_put(tools->store, &candidate->revision, &entry, &candidate->diag);
    }
    if (err != PS_OK || candidate->probation.length_ns == 0) {
        ps_probation_clear(folder); // also one that this ends
    }
    if (err == PS_OK) {
        ps_revision_store_prune(tools->store, candidate->probation.back);
    }
    return err;
}

// Takes `config` over into the candidate when it is what runs from now on.
static PsErr compare_and_write(PsCandidate *candidate, const PsCandidateTools *tools,
                               const PsContent *content, PsConfig *config) {
    PsCandidateChanges changes;
    atomic_store(&candidate->step, PS_STEP_COMPARING);
    candidate->difference =
        ps_candidate_compare(tools->store, content, config, tools->running, &changes);
    candidate->reconnects = changes.reconnects;
    if (changes.web && candidate->keep_web) {
        return ps_fail(PS_ERR_DENIED, &candidate->diag, "web", NULL,
                       "would be another; only an administrator may change the web server");
    }
    if (candidate->keep_web) {
        PsErr denied = ps_secret_paths_check(tools->running, config, &candidate->diag);
        if (denied != PS_OK) {
            return denied;
        }
    }
    if (candidate->dry_run) {
        return PS_OK;
    }
    PsErr err = changes.count > 0 ? write(candidate, tools, content, config) : PS_OK;
    if (err == PS_OK && changes.count > 0) {
        candidate->config = config;
    }
    if (err == PS_OK) {
        ps_candidate_remove_files(candidate, tools);
    }
    return err;
}

static PsErr run(PsCandidate *candidate, const PsCandidateTools *tools, PsContent *content) {
    PsErr err = check_base(candidate, tools->store);
    if (err != PS_OK) {
        return err;
    }
    err = take_content(candidate, tools, content);
    if (err != PS_OK) {
        return candidate->findings.errors > 0 ? refuse(candidate) : err;
    }
    PsConfig *config = NULL;
    err = check(candidate, tools, content, &config);
    if (err == PS_OK) {
        err = compare_and_write(candidate, tools, content, config);
    }
    if (candidate->config == NULL) {
        ps_config_free(config);
    }
    return err;
}

void ps_candidate_run(PsCandidate *candidate, const PsCandidateTools *tools) {
    PS_AUTO_CONTENT PsContent content = {0};
    candidate->result = run(candidate, tools, &content);
}
