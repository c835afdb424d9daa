//! Handlers of the routes of routes_config.c: the configuration: resources, edits, files,
//! revisions. Inside src/api only. Main thread.
#pragma once

#include "api/call.h"

PsApiHandler ps_api_options;
PsApiHandler ps_api_resource_list;
PsApiHandler ps_api_resource_get;
PsApiHandler ps_api_resource_add;
PsApiHandler ps_api_resource_put;
PsApiHandler ps_api_resource_delete;
PsApiHandler ps_api_single_get;
PsApiHandler ps_api_single_put;
PsApiHandler ps_api_edits;
PsApiHandler ps_api_scripts;
PsApiHandler ps_api_script_file;
PsApiHandler ps_api_script_file_put;
PsApiHandler ps_api_certificates;
PsApiHandler ps_api_certificate_add;
PsApiHandler ps_api_cloud_password;
PsApiHandler ps_api_device_password;
PsApiHandler ps_api_certificate_delete;
PsApiHandler ps_api_trust;
PsApiHandler ps_api_trust_accept;
PsApiHandler ps_api_trust_revoke;
PsApiHandler ps_api_export;
PsApiHandler ps_api_import;
PsApiHandler ps_api_apply;
PsApiHandler ps_api_apply_upload;
PsApiHandler ps_api_apply_progress;
PsApiHandler ps_api_confirm;
PsApiHandler ps_api_revert;
PsApiHandler ps_api_revisions;
PsApiHandler ps_api_revision;
