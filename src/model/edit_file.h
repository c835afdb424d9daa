//! Scripts that are saved together with the configuration. Inside src/model only. Pure.
#pragma once

#include "model/edit.h"
#include "model/edit_document.h"

/// Takes an edit `file` in; the newest for a path counts. PS_ERR_INVALID, PS_ERR_TOO_BIG.
PsErr ps_edit_file_take(PsEdited *edited, const json_t *edit, PsDiag *diag);
/// Each file that is written is the script of a message, none that is removed is. PS_ERR_REFUSED.
PsErr ps_edit_file_check(const PsEditDocument *document, const PsEdited *edited, PsDiag *diag);
