//! A configuration as a JSON tree: for what edits penstock.json. One thread.
#pragma once

#include "model/config.h"

#include <jansson.h>

/// penstock.json as strict JSON without duplicate keys; NULL after a finding. The caller owns it.
json_t *ps_config_parse_json(const void *json, size_t len, PsFindings *findings);

/// ps_config_parse of a tree. Findings about an object of a list have their place.
PsErr ps_config_from_json(const char *folder, const json_t *root, PsVariableCheckFor *check_for,
                          PsFindings *findings, PsConfig **ret_config);
