//! get_tag_config and recall_data on the daemon side: the configuration is answered at once, a
//! recall when the devices have been read. Loop thread. The caller bounds how many are open.
#pragma once

#include "script/groups.h"
#include "script/host.h"
#include "script/messages.h"
#include "script/owner.h"

typedef struct PsScriptRecallCall PsScriptRecallCall;

/// The REPLY frame, which may be moved from, and the names it needs, borrowed, or NULL.
typedef void PsScriptAnswered(PsScriptOwner owner, PsBuf *frame, PsScriptNames *names, void *ctx);

typedef struct PsScriptRequests {
    const PsScriptHostSetup *setup;
    PsScriptGroups *groups;
    PsScriptAnswered *on_answered;
    void *ctx;
    PsScriptRecallCall *recalls;
    PsBuf tag_config; ///< made for the first who asks
} PsScriptRequests;

/// `setup` and `groups` are borrowed.
void ps_script_requests_init(PsScriptRequests *requests, const PsScriptHostSetup *setup,
                             PsScriptGroups *groups, PsScriptAnswered *on_answered, void *ctx);
/// Open recalls answer nobody any more.
void ps_script_requests_deinit(PsScriptRequests *requests);
/// There is another one: the next who asks gets that.
void ps_script_requests_forget_config(PsScriptRequests *requests);
/// Open recalls of this owner answer nobody any more.
void ps_script_requests_forget_owner(PsScriptRequests *requests, uint32_t slot);
/// on_answered is called once for it, possibly before this returns.
void ps_script_requests_begin(PsScriptRequests *requests, PsScriptOwner owner,
                              const PsWireRequest *request);
