// penstock-cloud issue: a thing's certificate and key, sound or wrong on purpose.
#include "localcloud/adopt.h"
#include "localcloud/command.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct IssueOptions {
    PsThingOrder order;
    bool json;
} IssueOptions;

static const struct option long_options[] = {
    {"thing", required_argument, NULL, 't'},
    {"key-type", required_argument, NULL, 'k'},
    {"expired", no_argument, NULL, 'e'},
    {"not-yet", no_argument, NULL, 'n'},
    {"foreign-ca", no_argument, NULL, 'f'},
    {"json", no_argument, NULL, 'j'},
    {0},
};

static int take_flaw(IssueOptions *options, PsFlaw flaw) {
    if (options->order.flaw != PS_FLAW_NONE) {
        return ps_command_wrong("only one of --expired, --not-yet, --foreign-ca");
    }
    options->order.flaw = flaw;
    return 0;
}

static int take_option(IssueOptions *options, int letter, const char *text) {
    switch (letter) {
    case 't':
        options->order.name = text;
        return 0;
    case 'k':
        return ps_command_key_type(text, &options->order.key_type)
                   ? 0
                   : ps_command_wrong("--key-type is rsa or ecc, not '%s'", text);
    case 'e':
        return take_flaw(options, PS_FLAW_EXPIRED);
    case 'n':
        return take_flaw(options, PS_FLAW_NOT_YET);
    case 'f':
        return take_flaw(options, PS_FLAW_FOREIGN_CA);
    case 'j':
        options->json = true;
        return 0;
    default:
        return PS_EXIT_USAGE; // getopt has said what is wrong
    }
}

static void print_files(const IssueOptions *options, const PsThingFiles *files) {
    if (!options->json) {
        printf("thing           %s\ncertificate id  %s\ncertificate     %s\nprivate key     %s\n"
               "public key      %s\n",
               options->order.name, files->certificate_id, files->certificate, files->private_key,
               files->public_key);
        return;
    }
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s}", "thing", options->order.name,
                             "certificate_id", files->certificate_id, "cert", files->certificate,
                             "key", files->private_key, "public_key", files->public_key);
    json_dumpf(json, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(json);
}

// A certificate of a foreign CA is made to be refused, so the account must not know it.
static PsErr enter_account(const char *dir, const IssueOptions *options, const PsThingFiles *files,
                           PsDiag *diag) {
    if (options->order.flaw == PS_FLAW_FOREIGN_CA) {
        return PS_OK;
    }
    PsRegistry *registry = NULL;
    PsErr err = ps_registry_open(dir, &registry, diag);
    err = err == PS_OK ? ps_adopt(registry, options->order.name, files->certificate, diag) : err;
    ps_registry_close(registry);
    return err;
}

int ps_command_issue(int argc, char **argv) {
    IssueOptions options = {0};
    int letter = 0;
    while ((letter = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        int wrong = take_option(&options, letter, optarg);
        if (wrong != 0) {
            return wrong;
        }
    }
    if (optind + 1 != argc || options.order.name == NULL) {
        return ps_command_wrong("issue needs a folder and --thing NAME");
    }
    PsDiag diag = {0};
    char dir[PATH_MAX];
    PsThingFiles files;
    PsErr err = ps_folder_open(argv[optind], dir, &diag);
    err = err == PS_OK ? ps_folder_thing(dir, &options.order, &files, &diag) : err;
    err = err == PS_OK ? enter_account(dir, &options, &files, &diag) : err;
    if (err != PS_OK) {
        return ps_command_failed(&diag);
    }
    print_files(&options, &files);
    return EXIT_SUCCESS;
}
