//! A candidate for the running configuration: read, checked whole, compared with what runs, made
//! durable as a revision and installed. What blocks about a change, for a worker thread: knows
//! nothing of the loop. One at a time; the store is its for that time.
#pragma once

#include "api/changes.h"
#include "model/config.h"
#include "revision/probation.h"
#include "revision/store.h"

#include <stdatomic.h>

/// At most so many changes of a difference are kept and shown.
#define PS_DIFFERENCE_MAX 1000

typedef enum PsCandidateStep {
    PS_STEP_READING,
    PS_STEP_CHECKING,
    PS_STEP_COMPILING,
    PS_STEP_COMPARING,
    PS_STEP_WRITING,
} PsCandidateStep;

/// "reading", "checking", ... Never NULL.
const char *ps_candidate_step_name(PsCandidateStep step);

/// What the candidates of one gateway share; borrowed.
typedef struct PsCandidateTools {
    PsRevisionStore *store;
    const char *folder;         ///< the configuration folder
    const char *script_program; ///< penstock-script
    PsVariableCheckFor *check_for;
    const PsConfig *running; ///< what the newest revision was loaded as; NULL: not known
} PsCandidateTools;

typedef struct PsCandidate {
    // The order.
    PsRevision revision;   ///< kind, of, who, why; the rest is filled in when it is made
    PsBuf upload;          ///< {"files": {...}} as JSON; empty: from the folder, or revision.of
    json_t *edits;         ///< of what runs; NULL: none. Owned
    PsApiRewrite *rewrite; ///< of what runs; NULL: none
    void *rewrite_ctx;
    uint32_t base; ///< refuse when another revision runs; 0: whatever runs
    bool dry_run;
    bool keep_web; ///< the writer is no administrator: refuse when the block web would be another,
                   ///< or a file of a secret outside the folder would be named
    PsProbation probation; ///< `length_ns` 0: for good; number, back and begun are filled in
    json_t *unwanted;      ///< files that the edits take away; NULL: none. Filled in, owned
    // How far it is; written here, read by others.
    atomic_int step;
    // The outcome.
    PsErr result;
    PsDiag diag;         ///< when it is not PS_OK
    PsFindings findings; ///< also when it is
    json_t *difference;  ///< from what runs; NULL when it came not so far
    bool reconnects;     ///< by itself: certificate, key or root CA were replaced
    PsConfig *config;    ///< of the new revision, for whoever takes it out; NULL when none was made
} PsCandidate;

PsCandidate *ps_candidate_new(void);
/// Accepts NULL.
void ps_candidate_free(PsCandidate *candidate);
/// From the order to the outcome. PS_OK without a `config`: nothing differs, or it was a dry run.
void ps_candidate_run(PsCandidate *candidate, const PsCandidateTools *tools);

/// What a difference is about.
typedef struct PsCandidateChanges {
    uint32_t count;
    bool reconnects; ///< files of a connection that is there were replaced
    bool web;        ///< the block web is another
} PsCandidateChanges;

/// How `config`, loaded from `content`, differs from the newest revision of the store, as of
/// ps_config_diff_json; from nothing when there is none or it cannot be loaded any more. `running`
/// is that revision, loaded; NULL: it is loaded here, which takes long when it is large.
/// Certificates and keys of the cloud that were replaced under the same path count, too.
json_t *ps_candidate_compare(const PsRevisionStore *store, const PsContent *content,
                             const PsConfig *config, const PsConfig *running,
                             PsCandidateChanges *ret_changes);
