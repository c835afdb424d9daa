// penstock-cloud: finds the sub-command and runs it. Main thread, the only one.
#include "base/streams.h"
#include "localcloud/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Command {
    const char *name;
    int (*run)(int argc, char **argv);
} Command;

static const Command commands[] = {
    {"run", ps_command_run},
    {"issue", ps_command_issue},
    {"pub", ps_command_publish},
    {"sub", ps_command_subscribe},
    {"api", ps_command_api},
    {"things", ps_command_things},
    {"quickstart", ps_command_quickstart},
    {"export", ps_command_export},
    {"import", ps_command_import},
    {"explain", ps_command_explain},
    {"fault", ps_command_fault},
};

static const char usage_text[] =
    "usage: penstock-cloud COMMAND DIR ...\n"
    "A local AWS IoT Core for demos and tests: certificates, policies, a broker with mutual TLS\n"
    "on loopback, the HTTP API, and a console. Everything it makes is in DIR and is used again.\n"
    "\n"
    "penstock-cloud run DIR [OPTION]...       start the broker; print what arrives, send what is\n"
    "                                         typed as TOPIC PAYLOAD; 'quit' or Ctrl-C ends\n"
    "  --port N             MQTT over TLS (default 8883; 0 takes a free one)\n"
    "  --alpn-port N        a second port that stands for 443 with ALPN x-amzn-mqtt-ca\n"
    "  --key-type rsa|ecc   root, server and things: RSA 2048 (default) or P-256\n"
    "  --thing NAME         make this thing; may be given several times (default awstest)\n"
    "  --no-things          none yet: they come through the API\n"
    "  --host NAME          a further name or address in the server's certificate\n"
    "  --api-port N         control plane, page and data plane over HTTP (default 8080, or a free\n"
    "                       one when that is taken)\n"
    "  --console-dir PATH   the page's files, when they are not beside the program\n"
    "  --strict-sni         refuse clients that name no server\n"
    "  --limit NAME=VALUE, --reaction NAME=VALUE      other than AWS's: docs/local-cloud.md\n"
    "  --server-cert KIND   good, or wrong on purpose: expired, not-yet, wrong-host, foreign-ca\n"
    "                       (no console)\n"
    "  --filter FILTER      topics to print (default #); may be given several times\n"
    "  --pretty, --json     JSON payloads indented; or one JSON object for each message\n"
    "  --console-dir PATH   the page under /console/, when not the one beside the program\n"
    "  --quiet              no console: print nothing, read nothing\n"
    "  --faults PATH        a script of fault rules, one a line\n"
    "  --ready-file PATH    write endpoint, port and files as JSON once the broker accepts\n"
    "penstock-cloud issue DIR --thing NAME [--key-type rsa|ecc] [--json]\n"
    "                                         make a thing's certificate and key\n"
    "  --expired | --not-yet | --foreign-ca   wrong on purpose\n"
    "penstock-cloud pub DIR TOPIC PAYLOAD [--qos 0|1]      send one message ('-': from stdin)\n"
    "penstock-cloud sub DIR [FILTER]... [--count N] [--timeout S] [--pretty] [--json]\n"
    "                                         print what arrives\n"
    "penstock-cloud quickstart DIR NAME [--ready-file PATH]\n"
    "                                         thing, certificate and a policy that allows "
    "everything,\n"
    "                                         its files, and a cloud block for penstock.json\n"
    "penstock-cloud things DIR [--json]       things with their certificates and policies\n"
    "penstock-cloud export DIR [FILE]         the whole account as one JSON, without keys\n"
    "penstock-cloud import DIR FILE           replace it by an export, all or nothing\n"
    "penstock-cloud explain [DIR] --action iot:ACTION --resource ARN-OR-TOPIC\n"
    "                                         may it, and which statement says so\n"
    "  --certificate ID|FILE                  whose policies and thing (needs DIR)\n"
    "  --client-id ID, --thing NAME, --source-ip IP, --domain NAME, --persistent, --will TOPIC\n"
    "  --policy FILE                          a document in their place; may be given several "
    "times\n"
    "  --thing-type NAME, --attribute NAME=VALUE              of the thing, without an account\n"
    "penstock-cloud fault DIR [add RULE|remove N|list|clear]  what is to go wrong, as in\n"
    "                                         on publish #3, client gw: cut before puback\n"
    "penstock-cloud api DIR [--api-port N] [--ready-file PATH] [--console-dir PATH]\n"
    "                                         the control plane alone, on http://127.0.0.1:N "
    "(8080)\n"
    "\n"
    "Exit status: 0 done, 1 failed (sub: fewer than --count in time), 2 called wrongly, 3 denied\n"
    "(explain).\n";

static bool asks_for_help(int argc, char **argv) {
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || (i == 1 && strcmp(argv[i], "-h") == 0)) {
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv) {
    if (ps_streams_fill() != PS_OK) {
        return EXIT_FAILURE; // with nowhere to say why
    }
    if (asks_for_help(argc, argv)) {
        fputs(usage_text, stdout);
        return EXIT_SUCCESS;
    }
    if (argc < 2) {
        return ps_command_wrong("no command");
    }
    for (size_t i = 0; i < PS_COUNT(commands); i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            ps_cloud_client_library_open();
            int result = commands[i].run(argc - 1, argv + 1);
            ps_cloud_client_library_close();
            return result;
        }
    }
    return ps_command_wrong("unknown command '%s'", argv[1]);
}
