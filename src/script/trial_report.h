//! What came of a trial, as JSON: the answer of the command socket and of `penstock script run
//! --json`.
#pragma once

#include "script/trial.h"

#include <jansson.h>

#define PS_TRIAL_PAYLOAD_SHOWN ((size_t)64 * 1024)

/// `config` is the trial's. Keys: ok, error, wall_s, cpu_s, peak_kib; publishes[] with method,
/// topic, qos, bytes, limit, too_large, and payload as text or payload_hex; writes[] with device,
/// var_name, value; lines[] with level, file, line, text; left_out: how much more there was.
/// Payloads longer than PS_TRIAL_PAYLOAD_SHOWN bytes are cut. The caller's.
json_t *ps_trial_report_json(const PsTrialReport *report, const PsConfig *config);
