// Every sub-command and its help, in the order a person reads them.
#include "cli/commands.h"

#include <string.h>

static const CliEntry entries[] = {
    {.brief = "Look"},
    {"status", cli_status, "", "cloud link, channels, groups, messages, script workers", NULL},
    {"tags", cli_tags, "[DEVICE]", "current values with quality, time and unit",
     "  --watch                  go on as they change\n"
     "  move --group NAME [--device D] [--from GROUP] [NAME...]\n"
     "                           variables to another group of penstock.json; [--config DIR]\n"
     "                           [--dry-run] [--apply]\n"},
    {"alarms", cli_alarms, "", "the alarms that are on",
     "  ack NAME                 seen\n"
     "  shelve NAME --for TIME   silent for 90s, 30m, 2h, 7d; unshelve NAME ends it\n"
     "  --history [--name TEXT] [--from TIME] [--to TIME]\n"
     "                           what they did; a TIME is 2026-01-31, \"2026-01-31 17:30\" or "
     "2h\n"},
    {"explain", cli_explain, "DEVICE VARIABLE", "why a value is as it is, and what to do",
     "Asks the device now and shows request, answer and what the bytes can mean.\n"
     "  --fast                   without asking the device\n"},
    {"browse", cli_browse, "DEVICE [NODE]", "what a device says it has (OPC UA, EtherNet/IP)",
     "  --all                    also what is inside\n"},
    {"outbox", cli_outbox, "", "what waits for the cloud, and the ledger",
     "  --watch                  go on as it changes\n"
     "  dead [NAME | --id N]     inputs that a script failed on\n"
     "  replay NAME              run them through the repaired script; --keep-going: past those\n"
     "                           that fail again; replay --stop ends it\n"
     "  clear NAME               throw a message's backlog away; --confirm NAME in scripts\n"},
    {"log", cli_log, "", "the newest log lines", "  -f, --follow             go on as they come\n"},
    {"metrics", cli_metrics, "", "all numbers of status as Prometheus reads them", NULL},
    {"audit", cli_audit, "", "who did what",
     "  --who NAME, --what OPERATION, --search TEXT, --limit N\n"
     "  --follow                 go on as it happens\n"},

    {.brief = "Act"},
    {"write", cli_write, "DEVICE VARIABLE VALUE", "write a variable and read it back", NULL},
    {"script", cli_script, "run|canary|release ...", "try a script; nothing is sent or written",
     "  run FILE                 call it once: what it would send and write, its log lines, time\n"
     "      --message NAME       as this publish or subscribe message (default: the one whose\n"
     "                           script FILE is)\n"
     "      --main FUNCTION      its entry function, for a draft of no message\n"
     "      --group NAME         on the newest values of this group\n"
     "      --group-type alarm   with every alarm of the group on\n"
     "      --input FILE         on a data_collect written down as JSON, without a gateway\n"
     "      --topic T --payload P  a message from the cloud, for a subscribe script\n"
     "  canary NAME FILE         beside the live script of message NAME: what would be different;\n"
     "                           --calls N (default 100)\n"
     "  release NAME             a held script tries again\n"
     "Example: penstock script run upload.py --main main --group default\n"},
    {"log-level", cli_log_level, "[LEVEL]", "show or set it: DEBUG, INFO, WARNING, ERROR",
     "  --for TIME               30m, 2h, ...; without it until the next start\n"},
    {"api", cli_api, "METHOD PATH", "one request of the REST API, e.g. GET /status",
     "  --body FILE|-            what is sent with it; docs/api.md lists the paths\n"},

    {.brief = "Configure"},
    {"check", cli_check, "DIR", "validate a configuration folder and its scripts",
     "  --live                   also try devices, scripts and cloud; changes nothing\n"
     "      --timeout SECONDS    for each of them\n"
     "      --send               and really publish one result of each publish message\n"
     "      --state DIR          the gateway's, with the OPC UA servers it trusts; only read\n"},
    {"apply", cli_apply, "[FILE|FOLDER]", "make a changed configuration run",
     "  --dry-run                only say what would change\n"
     "  --why TEXT               for the list of revisions\n"
     "  --confirm TIME           taken back after TIME unless `penstock confirm` comes\n"
     "  --healthy TIME           taken back unless all is well after TIME\n"
     "  --base N                 only if revision N is the one that runs\n"},
    {"confirm", cli_confirm, "", "what was applied with --confirm or --healthy stays", NULL},
    {"revert", cli_revert, "[N]", "run an earlier revision again", "  --dry-run, --why TEXT\n"},
    {"revisions", cli_revisions, "[N]", "what ran when, by whom and why; what revision N changed",
     NULL},
    {"import", cli_import, "FILE.csv...", "take Device Supervisor's files over",
     "  --config DIR             into this folder (default " CLI_DEFAULT_CONFIG ")\n"
     "  --dry-run                only say what would change\n"
     "  --skip-bad               leave out lines with mistakes\n"
     "  --apply                  make it run at once\n"},
    {"export", cli_export, "KIND", "devices, variables, groups or alarms as its CSV",
     "  --config DIR, --output FILE\n"},
    {"backup", cli_backup, "FILE", "the configuration in one file",
     "  --config DIR\n"
     "  --with-secrets           keys and passwords too, sealed by a passphrase\n"
     "      --passphrase-file FILE\n"},
    {"restore", cli_restore, "FILE", "a backup back into a folder, all or nothing",
     "  --config DIR, --dry-run\n"
     "  --passphrase-file FILE, or --without-secrets\n"},
    {"schema", cli_schema, "", "JSON Schema of penstock.json",
     "  --markdown               its reference page\n"},

    {.brief = "People and trust"},
    {"setup-code", cli_setup_code, "", "the one-time code that makes the first administrator",
     NULL},
    {"users", cli_users, "", "who may use the page",
     "  add NAME --role ROLE     viewer, operator, engineer or administrator;\n"
     "                           [--password-file FILE]\n"
     "  role NAME ROLE, password NAME [--password-file FILE]\n"
     "  disable NAME, enable NAME, remove NAME\n"},
    {"tokens", cli_tokens, "", "API tokens for programs",
     "  add NAME --role ROLE --days N\n"
     "  remove ID\n"},
    {"trust", cli_trust, "", "certificates of OPC UA servers",
     "  accept FINGERPRINT|DEVICE\n"
     "  revoke FINGERPRINT|DEVICE\n"},

    {.brief = "Try it out"},
    {"demo", cli_demo, "", "simulated plant, local cloud and gateway, all here",
     "  --seconds N              how long; without it until Ctrl-C\n"},
};

const CliEntry *cli_entry_find(const char *name) {
    for (size_t i = 0; i < PS_COUNT(entries); i++) {
        if (entries[i].name != NULL && strcmp(entries[i].name, name) == 0) {
            return &entries[i];
        }
    }
    return NULL;
}

void cli_print_help(FILE *out) {
    fprintf(out, "usage: penstock COMMAND [ARGUMENTS] [--json] [--socket PATH]\n");
    for (size_t i = 0; i < PS_COUNT(entries); i++) {
        const CliEntry *entry = &entries[i];
        if (entry->name == NULL) {
            fprintf(out, "\n%s\n", entry->brief);
            continue;
        }
        char call[64];
        snprintf(call, sizeof call, "%s %s", entry->name, entry->arguments);
        fprintf(out, "  %-30s %s\n", call, entry->brief);
    }
    fprintf(out,
            "\nOptions of all\n"
            "  --help          of a command: its words and options\n"
            "  --json          print JSON, for programs\n"
            "  --socket PATH   command socket of the gateway (default $PENSTOCK_SOCKET or\n"
            "                  %s)\n"
            "  --version       print the version\n\n"
            "Exit status: 0 done, 1 failed, 2 called or configured wrongly.\n",
            CLI_DEFAULT_SOCKET);
}

void cli_print_entry_help(const CliEntry *entry, FILE *out) {
    fprintf(out, "usage: penstock %s%s%s [--json] [--socket PATH]\n%s\n", entry->name,
            entry->arguments[0] != '\0' ? " " : "", entry->arguments, entry->brief);
    if (entry->more != NULL) {
        fprintf(out, "\n%s", entry->more);
    }
}
