//! Questions about what a controller has: its tags, and the structures they are of. Channel thread;
//! blocks in each request.
#pragma once

#include "drivers/eip/session.h"
#include "drivers/eip/template.h"

#define PS_EIP_TEMPLATES 24U ///< that one look loads

/// One look inside a controller: how it asks, and the structures it has come to know.
typedef struct PsEipExplorer {
    PsEipSession *session;
    PsArena *arena;
    int64_t timeout_ns;
    PsEipListing listing;
    PsEipTemplate templates[PS_EIP_TEMPLATES];
    uint32_t template_count;
    PsBuf definition; ///< scratch
} PsEipExplorer;

void ps_eip_explorer_deinit(PsEipExplorer *explorer);

/// Sends what is in session->message. PS_ERR_REFUSED with `what` ("listing the tags") in words.
PsErr ps_eip_explore(PsEipExplorer *explorer, const char *what, PsEipReply *ret_reply,
                     PsDiag *diag);

/// The tags of `scope` from `instance` on, as many as one answer holds. `ret_reader` is over them;
/// `ret_more`: there are others. PS_ERR_NOT_FOUND: there is no such scope.
PsErr ps_eip_explore_tags(PsEipExplorer *explorer, const char *scope, uint32_t instance,
                          PsReader *ret_reader, bool *ret_more, PsDiag *diag);

/// The definition of a structure. NULL in `*ret_template` when no more are loaded in this look.
PsErr ps_eip_explore_template(PsEipExplorer *explorer, uint16_t id,
                              const PsEipTemplate **ret_template, PsDiag *diag);

/// The tag of that name, case as it comes. PS_ERR_NOT_FOUND.
PsErr ps_eip_explore_find(PsEipExplorer *explorer, const char *scope, const char *name, size_t len,
                          PsEipTag *ret_tag, PsDiag *diag);
