//! The files that a configuration consists of: penstock.json and what it names. Reads files;
//! blocks. One thread.
#pragma once

#include "backup/archive.h"
#include "model/config.h"

/// What a check asks besides the model (whether scripts compile); above this layer, so passed in.
/// PS_ERR_INVALID with `findings`; other errors with `diag`.
typedef PsErr PsBackupCheck(const PsConfig *config, PsFindings *findings, PsDiag *diag);

/// Puts the files of a sound configuration into `archive`: penstock.json, scripts, certificates,
/// and as secret ones: what a secret option names, and every file in which a private key or the
/// text of another secret is found. What lies outside the folder or is not there becomes a gap.
/// PS_ERR_INVALID with `findings` when `penstock check` would refuse the folder; PS_ERR_DENIED when
/// penstock.json itself holds a secret.
PsErr ps_config_set_read(const char *folder, PsVariableCheckFor *check_for, PsBackupCheck *also,
                         PsFindings *findings, PsArchive *archive, PsDiag *diag);

/// Does the configuration name this file? `name` is below its folder; penstock.json is named.
bool ps_config_set_has(const PsConfig *config, const char *name);
