//! What every sub-command of `penstock` shares. One thread, blocking.
#pragma once

#include "base/buf.h"
#include "cli/http_reply.h"

#include <jansson.h>
#include <stdbool.h>

/// Exit statuses of every command.
#define CLI_DONE 0
#define CLI_FAILED 1
#define CLI_USAGE 2

#define CLI_DEFAULT_SOCKET "/run/penstock/penstock.sock"
#define CLI_DEFAULT_CONFIG "/etc/penstock"
#define CLI_DEFAULT_STATE "/var/lib/penstock"

/// Options that every command takes.
typedef struct CliOptions {
    const char *socket; ///< --socket PATH, else $PENSTOCK_SOCKET, else CLI_DEFAULT_SOCKET
    bool json;          ///< --json: for programs
} CliOptions;

/// One sub-command: `arguments` are those after its name, without the shared options.
typedef int CliCommand(const CliOptions *options, int count, char **arguments);

CliCommand cli_alarm_actions;
CliCommand cli_alarm_history;
CliCommand cli_alarms;
CliCommand cli_api;
CliCommand cli_apply;
CliCommand cli_audit;
CliCommand cli_backup;
CliCommand cli_browse;
CliCommand cli_check;
CliCommand cli_confirm;
CliCommand cli_demo;
CliCommand cli_explain;
CliCommand cli_export;
CliCommand cli_import;
CliCommand cli_log;
CliCommand cli_log_level;
CliCommand cli_metrics;
CliCommand cli_outbox;
CliCommand cli_outbox_clear;
CliCommand cli_restore;
CliCommand cli_revert;
CliCommand cli_revisions;
CliCommand cli_schema;
CliCommand cli_script;
CliCommand cli_setup_code;
CliCommand cli_status;
CliCommand cli_tags;
CliCommand cli_tags_move;
CliCommand cli_tokens;
CliCommand cli_trust;
CliCommand cli_users;
CliCommand cli_write;

/// Prints "penstock: ..." on standard error and returns `status`.
int cli_fail(int status, const char *fmt, ...) PS_PRINTF(2, 3);

/// A connection to the gateway's command socket. A call is {"call": "GET /status", ...}: method and
/// path of the REST API (docs/api.md), and its arguments; see cli/http_ask.h.
typedef struct CliClient CliClient;

/// NULL with errno, and nothing printed: ENOENT and ECONNREFUSED where no gateway runs. The path is
/// borrowed.
CliClient *cli_client_try(const char *path);
/// NULL after printing why and what to do.
CliClient *cli_client_open(const CliOptions *options);
/// Sends the call (taken over) and returns its result, owned by the caller; NULL after printing
/// the gateway's error.
json_t *cli_client_call(CliClient *client, json_t *call);
/// The two halves of it, for what takes a while; the call is taken over.
bool cli_client_send(CliClient *client, json_t *call);
json_t *cli_client_receive(CliClient *client);
/// The same for a request and an answer as they are; NULL after printing that none came. Borrowed
/// until the next request. `without_body`: the answer of a HEAD.
bool cli_client_send_bytes(CliClient *client, const PsBuf *request);
const CliReply *cli_client_receive_bytes(CliClient *client, bool without_body);
/// Waits so long for the answer at most; true when it can be received, also when the other side has
/// gone.
bool cli_client_ready(CliClient *client, int milliseconds);
/// How long an answer may take from now on.
void cli_client_wait(CliClient *client, double seconds);
void cli_client_close(CliClient *client);

/// open, one call, close.
json_t *cli_call_once(const CliOptions *options, json_t *call);
/// The same, and its result printed: as JSON for programs, else by `print`. The exit status.
int cli_call_shown(const CliOptions *options, json_t *call, void (*print)(const json_t *result));

/// `check --live`; `words` are those after `check`. In live.c.
int cli_check_live(const CliOptions *options, int count, char **words);

/// Prints JSON for programs, with a newline.
void cli_print_json(const json_t *json);

/// A field of a row: "" and 0 when it is not there or of another type. The text is borrowed.
const char *cli_text(const json_t *row, const char *key);
long long cli_integer(const json_t *row, const char *key);
double cli_number(const json_t *row, const char *key);
/// Time of a field as text into `out` (PS_STAMP_SIZE bytes).
void cli_stamp(const json_t *row, const char *key, char *out);

/// The ledger of all messages as a table; `status` is the answer of the call `status`. In status.c.
void cli_show_ledger(const json_t *status);

/// Waits between two looks at the gateway.
void cli_sleep_ms(int milliseconds);

/// The folder this program was started from, for its sister programs; "" when unknown.
void cli_program_folder(char *out, size_t size);
