//! Changes of the configuration that calls ask for. Inside src/api only. Main thread.
#pragma once

#include "api/call.h"

/// Asks the daemon for the change: who, why, base and dry_run are those of the call. `done` is
/// called once, also with an error.
void ps_api_ask_change(PsApiCall *call, PsApiChange change, PsApiChangeDone *done, void *ctx);
/// Answers the call that is `ctx`; a refused configuration is a problem with its findings.
void ps_api_edit_done(PsErr result, const PsDiag *diag, json_t *answer, void *ctx);
