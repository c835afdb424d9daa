//! Handlers of the routes of routes_config.c: the configuration: resources, edits, files,
//! revisions. Inside src/api only. Main thread.
#pragma once

#include "api/call.h"

PsApiHandler ps_api_apply;
PsApiHandler ps_api_apply_upload;
PsApiHandler ps_api_apply_progress;
PsApiHandler ps_api_confirm;
PsApiHandler ps_api_revert;
PsApiHandler ps_api_revisions;
PsApiHandler ps_api_revision;
