//! Certificate, key and root CA of the cloud, as far as a revision knows them: by SHA-256 of what
//! is public in them, so that files that were replaced under the same path are noticed. Blocks on
//! the disk; any thread.
#pragma once

#include "model/config.h"

#include <jansson.h>

/// [{"of": "certificate", "path", "sha256"}, ...]; of the key it is the public half. "sha256" is ""
/// where a file cannot be read. The caller owns it.
json_t *ps_credentials_note(const PsCloud *cloud);

/// Appends to `difference` (as of ps_config_diff_json) the files that hold something else than
/// `noted` says; how many these are. Files that were not noted or cannot be read are passed over.
uint32_t ps_credentials_compare(const json_t *noted, const PsCloud *cloud, json_t *difference);
