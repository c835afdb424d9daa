//! The sub-commands of penstock-cloud, and what they share. Main thread.
#pragma once

#include "base/err.h"
#include "localcloud/client.h"
#include "localcloud/endpoint.h"

/// Exit status of a command line that cannot be understood.
#define PS_EXIT_USAGE 2

/// Each takes its own arguments (argv[0] is its name) and returns the exit status.
int ps_command_run(int argc, char **argv);
int ps_command_issue(int argc, char **argv);
int ps_command_publish(int argc, char **argv);
int ps_command_subscribe(int argc, char **argv);
int ps_command_api(int argc, char **argv);
int ps_command_things(int argc, char **argv);
int ps_command_quickstart(int argc, char **argv);
int ps_command_export(int argc, char **argv);
int ps_command_import(int argc, char **argv);
int ps_command_explain(int argc, char **argv);
int ps_command_fault(int argc, char **argv);

/// Prints the diagnosis on standard error and returns EXIT_FAILURE.
int ps_command_failed(const PsDiag *diag);
/// Prints "penstock-cloud: <text>; see penstock-cloud --help" and returns PS_EXIT_USAGE.
int ps_command_wrong(const char *fmt, ...) PS_PRINTF(1, 2);

/// "rsa" or "ecc".
bool ps_command_key_type(const char *text, PsKeyType *ret_type);

/// The folder of the console's page beside this program, in a build folder as when installed; NULL
/// when it is not there. Lives as long as the program.
const char *ps_command_console_dir(void);

/// Blocks SIGINT, SIGTERM and SIGHUP and gives a descriptor that becomes readable with one.
PsErr ps_command_signals(int *ret_fd, PsDiag *diag);

/// Where a client command connects: files and addresses that live in this object.
typedef struct PsCommandClient {
    PsEndpoint endpoint;
    PsThingFiles files;
    char client_id[64];
} PsCommandClient;

/// Fills the connection part of `setup` for the cloud that runs in `dir`, with a certificate of
/// the local cloud's own named `name`. `client` must outlive `setup`.
PsErr ps_command_client(const char *dir, const char *name, PsCommandClient *client,
                        PsCloudClientSetup *setup, PsDiag *diag);
