// Completes what a sudden end left, ends a revision whose time is over, loads the folder, falls
// back, records what was edited meanwhile. Main thread, before the loop; blocks.
#include "daemon/start_config.h"

#include "base/log.h"
#include "base/text.h"
#include "daemon/candidate.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void log_findings(const PsFindings *findings) {
    for (size_t i = 0; i < findings->count; i++) {
        char line[1024];
        ps_finding_format(&findings->items[i], line, sizeof line);
        if (findings->items[i].is_error) {
            PS_LOGE("CONFIG", "%s", line);
        } else {
            PS_LOGW("CONFIG", "%s", line);
        }
    }
}

static void log_refused(const char *folder, const PsFindings *findings) {
    PS_LOGE("CONFIG-REFUSED", "%s: %zu errors; nothing was started", folder, findings->errors);
}

static void log_diag(const char *what, const PsDiag *diag) {
    char text[sizeof *diag];
    ps_diag_format(diag, text, sizeof text);
    PS_LOGW("REVISION", "%s: %s", what, text);
}

static PsRevisionStore *open_store(const char *folder, const char *state) {
    char path[PATH_MAX];
    PsRevisionStore *store = NULL;
    PsDiag diag = {0};
    int length = snprintf(path, sizeof path, "%s/revisions", state);
    PsErr err = length > 0 && (size_t)length < sizeof path
                    ? ps_revision_store_open(path, folder, NULL, &store, &diag)
                    : ps_fail(PS_ERR_TOO_BIG, &diag, state, NULL, "the path is too long");
    if (err != PS_OK) {
        log_diag("revisions are not kept, so the configuration cannot be changed while the gateway "
                 "runs",
                 &diag);
    }
    return store;
}

// --- a revision that is tried out ---------------------------------------------------------------

static void go_back(const PsCandidateTools *tools, const PsProbation *probation) {
    PsCandidate *candidate = ps_candidate_new();
    candidate->revision = (PsRevision){
        .kind = PS_REVISION_AUTOMATIC_REVERT, .of = probation->back, .who = "penstockd"};
    snprintf(candidate->revision.why, sizeof candidate->revision.why, "revision %u was %s",
             probation->number,
             probation->starts >= PS_PROBATION_STARTS_MAX
                 ? "not confirmed, and the gateway was started several times meanwhile"
                 : "not confirmed in time");
    ps_candidate_run(candidate, tools);
    if (candidate->result == PS_OK) {
        PS_LOGW("REVISION-BACK", "%s; revision %u runs again", candidate->revision.why,
                probation->back);
    } else {
        log_diag("the former revision cannot be brought back", &candidate->diag);
    }
    ps_candidate_free(candidate);
}

static void look_at_probation(const PsCandidateTools *tools) {
    const char *folder = ps_revision_store_folder(tools->store);
    const PsRevision *newest = ps_revision_store_newest(tools->store);
    PsProbation probation;
    PsDiag diag = {0};
    ps_probation_load(folder, &probation);
    if (probation.number == 0) {
        return;
    }
    if (newest == NULL || newest->number != probation.number) {
        ps_probation_clear(folder); // it was not made, or is not the newest any more
        ps_probation_deinit(&probation);
        return;
    }
    probation.starts++;
    if (ps_probation_save(folder, &probation, &diag) != PS_OK) {
        log_diag("that the gateway was started cannot be noted", &diag);
    }
    PsProbationClock now = ps_probation_now();
    bool over = ps_probation_left_ns(&probation, &now) == 0;
    // How well the gateway does can only be seen once it runs.
    if (over && (!probation.healthy || probation.starts >= PS_PROBATION_STARTS_MAX)) {
        go_back(tools, &probation);
    }
    ps_probation_deinit(&probation);
}

// --- loading ------------------------------------------------------------------------------------

// The newest revision that can still be loaded.
static PsConfig *load_last_good(const PsCandidateTools *tools, uint32_t *ret_number) {
    for (size_t i = ps_revision_store_count(tools->store); i > 0; i--) {
        PS_AUTO_CONTENT PsContent content = {0};
        PsFindings findings = {0};
        PsConfig *config = NULL;
        *ret_number = ps_revision_store_at(tools->store, i - 1)->number;
        PsErr err = ps_revision_store_read(tools->store, *ret_number, &content, NULL);
        if (err == PS_OK) {
            err = ps_content_load(&content, tools->folder, tools->check_for, &findings, &config);
        }
        ps_findings_deinit(&findings);
        if (err == PS_OK) {
            return config;
        }
    }
    return NULL;
}

static void say_problem(const PsFindings *findings, const char *folder, uint32_t number,
                        PsStartConfig *start) {
    char line[480] = "the last change was not completed";
    for (size_t i = 0; i < findings->count; i++) {
        if (findings->items[i].is_error) {
            ps_finding_format(&findings->items[i], line, sizeof line);
            break;
        }
    }
    ps_text_format(start->problem, sizeof start->problem,
                   "revision %u runs, not what %.100s holds: %s", number, folder, line);
    PS_LOGE("CONFIG-FALLBACK", "%s; correct it and run: penstock apply", start->problem);
}

// What was edited while the gateway stood still becomes a revision of its own.
static void record(const PsCandidateTools *tools, const PsContent *content,
                   const PsConfig *config) {
    PsCandidateChanges changes;
    PsDiag diag = {0};
    bool first = ps_revision_store_newest(tools->store) == NULL;
    json_t *difference = ps_candidate_compare(tools->store, content, config, NULL, &changes);
    PsRevision revision = {.kind = PS_REVISION_START, .who = "penstockd", .time = ps_wall_now()};
    ps_text_format(revision.summary, sizeof revision.summary, "%s",
                   json_string_value(json_object_get(difference, "summary")));
    if (!first) {
        snprintf(revision.why, sizeof revision.why, "edited while the gateway stood still");
    }
    PsRevisionEntry entry = {.content = content, .config = config, .difference = difference};
    if (first || changes.count > 0) {
        if (ps_revision_store_put(tools->store, &revision, &entry, &diag) == PS_OK) {
            PS_LOGI("REVISION", "revision %u: %s", revision.number, revision.summary);
            ps_revision_store_prune(tools->store, 0);
        } else {
            log_diag("the configuration is not kept as a revision", &diag);
        }
    }
    json_decref(difference);
}

static PsErr load(const PsCandidateTools *tools, PsStartConfig *start) {
    PS_AUTO_CONTENT PsContent content = {0};
    PsFindings findings = {0};
    uint32_t number = 0;
    bool unfinished = tools->store != NULL && ps_revision_store_unfinished(tools->store);
    PsErr err = ps_content_read(&content, tools->folder, &findings);
    if (err == PS_OK) {
        err = ps_content_load(&content, tools->folder, tools->check_for, &findings, &start->config);
    }
    log_findings(&findings);
    if (err == PS_OK && !unfinished) {
        if (tools->store != NULL) {
            record(tools, &content, start->config);
        }
    } else {
        ps_config_free(start->config);
        start->config = tools->store != NULL ? load_last_good(tools, &number) : NULL;
        if (start->config != NULL) {
            say_problem(&findings, tools->folder, number, start);
        } else {
            log_refused(tools->folder, &findings);
        }
    }
    ps_findings_deinit(&findings);
    return start->config != NULL ? PS_OK : PS_ERR_INVALID;
}

PsErr ps_start_config_first(const char *folder, const char *state, PsVariableCheckFor *check_for) {
    if (access(state, F_OK) == 0 || errno != ENOENT) {
        return PS_OK;
    }
    PsFindings findings = {0};
    PsConfig *config = NULL;
    PsErr err = ps_config_load(folder, check_for, &findings, &config);
    if (err != PS_OK) {
        log_findings(&findings);
        log_refused(folder, &findings);
    }
    ps_config_free(config);
    ps_findings_deinit(&findings);
    return err;
}

PsErr ps_start_config(const char *folder, const char *state, const char *script_program,
                      PsVariableCheckFor *check_for, PsStartConfig *ret_start) {
    *ret_start = (PsStartConfig){.store = open_store(folder, state)};
    PsCandidateTools tools = {.store = ret_start->store,
                              .folder = folder,
                              .script_program = script_program,
                              .check_for = check_for};
    if (tools.store != NULL) {
        look_at_probation(&tools);
    }
    PsErr err = load(&tools, ret_start);
    if (err != PS_OK) {
        ps_revision_store_close(ret_start->store);
        ret_start->store = NULL;
    }
    return err;
}
