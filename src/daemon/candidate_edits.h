//! A candidate that is the running configuration with something changed in it. Inside src/daemon
//! only; worker thread.
#pragma once

#include "daemon/candidate.h"

/// Has the candidate edits, or something that rewrites what runs?
bool ps_candidate_is_edited(const PsCandidate *candidate);
/// The newest revision's penstock.json as it becomes, and the scripts that come with the edits,
/// into an empty `content`. Scripts that nobody edited are those on the disk, which may have been
/// saved since; one that is gone there is the revision's. PS_ERR_INVALID with findings or a
/// diagnosis; as of ps_edit_apply.
PsErr ps_candidate_take_edits(PsCandidate *candidate, const PsCandidateTools *tools,
                              PsContent *content);
/// Takes away the scripts that are not wanted any more, after everything else was done.
void ps_candidate_remove_files(const PsCandidate *candidate, const PsCandidateTools *tools);
