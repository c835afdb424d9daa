//! What `penstock apply`, `revert` and `revisions` share. One thread, blocking.
#pragma once

#include "cli/cli.h"

/// Reads a candidate, penstock.json or a folder with one, and sends it. Returns the number of the
/// upload, 0 after printing why not.
long long cli_apply_upload(CliClient *client, const char *path);

/// Asks for the change (the call is taken over), shows how far it is, then what came of it. Returns
/// the exit status.
int cli_apply_run(const CliOptions *options, CliClient *client, json_t *call);

/// What came of it, and the exit status.
int cli_apply_show(const json_t *answer);
/// The lines of a difference, indented.
void cli_apply_show_difference(const json_t *difference);
