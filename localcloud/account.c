// penstock-cloud things, export, import: the account as the command line shows it.
#include "base/cleanup.h"
#include "base/file.h"
#include "localcloud/ask.h"
#include "localcloud/command.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IMPORT_LIMIT ((size_t)64 * 1024 * 1024)

// Each page of a list is appended to `ret_list`.
static PsErr list_all(PsAsk *ask, const char *method, const char *target, const char *principal,
                      const char *member, const char *token_in, const char *token_out,
                      json_t *ret_list, PsDiag *diag) {
    PS_AUTO_BUF PsBuf next = {0};
    ps_buf_printf(&next, "%s", target);
    for (;;) {
        json_t *page = NULL;
        PsErr err = ps_ask(ask, method, (const char *)next.data, principal, NULL, &page, diag);
        if (err != PS_OK) {
            return err;
        }
        json_array_extend(ret_list, json_object_get(page, member));
        const char *token = json_string_value(json_object_get(page, token_out));
        if (token != NULL) {
            ps_buf_clear(&next);
            ps_buf_printf(&next, "%s?%s=", target, token_in);
            ps_ask_encode(&next, token);
        }
        json_decref(page);
        if (token == NULL) {
            return PS_OK;
        }
    }
}

// {certificateId, status, policies: [name]} of one principal.
static PsErr describe_principal(PsAsk *ask, const char *arn, json_t *ret_list, PsDiag *diag) {
    const char *slash = strrchr(arn, '/');
    const char *id = slash != NULL ? slash + 1 : arn;
    PS_AUTO_BUF PsBuf target = {0};
    ps_buf_printf(&target, "/certificates/%s", id);
    json_t *certificate = NULL;
    json_t *policies = json_array();
    PsErr err = ps_ask(ask, "GET", (const char *)target.data, NULL, NULL, &certificate, diag);
    if (err == PS_OK) {
        ps_buf_clear(&target);
        ps_buf_printf(&target, "/attached-policies/");
        ps_ask_encode(&target, arn);
        err = list_all(ask, "POST", (const char *)target.data, NULL, "policies", "marker",
                       "nextMarker", policies, diag);
    }
    json_t *names = json_array();
    for (size_t i = 0; i < json_array_size(policies); i++) {
        json_array_append(names, json_object_get(json_array_get(policies, i), "policyName"));
    }
    json_t *description = json_object_get(certificate, "certificateDescription");
    if (err == PS_OK) {
        json_array_append_new(ret_list,
                              json_pack("{s:s, s:O, s:O}", "certificateId", id, "status",
                                        json_object_get(description, "status"), "policies", names));
    }
    json_decref(names);
    json_decref(policies);
    json_decref(certificate);
    return err;
}

static PsErr add_certificates(PsAsk *ask, json_t *thing, PsDiag *diag) {
    PS_AUTO_BUF PsBuf target = {0};
    ps_buf_printf(&target, "/things/");
    ps_ask_encode(&target, json_string_value(json_object_get(thing, "thingName")));
    ps_buf_printf(&target, "/principals");
    json_t *arns = json_array();
    json_t *list = json_array();
    PsErr err = list_all(ask, "GET", (const char *)target.data, NULL, "principals", "nextToken",
                         "nextToken", arns, diag);
    for (size_t i = 0; err == PS_OK && i < json_array_size(arns); i++) {
        err = describe_principal(ask, json_string_value(json_array_get(arns, i)), list, diag);
    }
    json_object_set_new(thing, "certificates", list);
    json_decref(arns);
    return err;
}

static void print_things(json_t *things) {
    size_t index = 0;
    json_t *thing = NULL;
    json_array_foreach(things, index, thing) {
        const char *type = json_string_value(json_object_get(thing, "thingTypeName"));
        printf("%s%s%s%s\n", json_string_value(json_object_get(thing, "thingName")),
               type != NULL ? " (" : "", type != NULL ? type : "", type != NULL ? ")" : "");
        const char *name = NULL;
        json_t *value = NULL;
        json_object_foreach(json_object_get(thing, "attributes"), name, value) {
            printf("  %s = %s\n", name, json_string_value(value));
        }
        size_t at = 0;
        json_t *certificate = NULL;
        json_array_foreach(json_object_get(thing, "certificates"), at, certificate) {
            printf("  certificate %s  %s\n",
                   json_string_value(json_object_get(certificate, "certificateId")),
                   json_string_value(json_object_get(certificate, "status")));
            size_t place = 0;
            json_t *policy = NULL;
            json_array_foreach(json_object_get(certificate, "policies"), place, policy) {
                printf("    policy %s\n", json_string_value(policy));
            }
        }
    }
}

int ps_command_things(int argc, char **argv) {
    static const struct option long_options[] = {{"json", no_argument, NULL, 'j'}, {0}};
    bool as_json = false;
    int letter = 0;
    while ((letter = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (letter != 'j') {
            return PS_EXIT_USAGE; // getopt has said what is wrong
        }
        as_json = true;
    }
    if (optind + 1 != argc) {
        return ps_command_wrong("things needs one folder");
    }
    PsDiag diag = {0};
    PsAsk *ask = NULL;
    json_t *things = json_array();
    PsErr err = ps_ask_open(argv[optind], &ask, &diag);
    if (err == PS_OK) {
        err = list_all(ask, "GET", "/things", NULL, "things", "nextToken", "nextToken", things,
                       &diag);
    }
    for (size_t i = 0; err == PS_OK && i < json_array_size(things); i++) {
        err = add_certificates(ask, json_array_get(things, i), &diag);
    }
    if (err == PS_OK && as_json) {
        json_dumpf(things, stdout, JSON_INDENT(2));
        putchar('\n');
    } else if (err == PS_OK) {
        print_things(things);
    }
    json_decref(things);
    ps_ask_close(ask);
    return err == PS_OK ? EXIT_SUCCESS : ps_command_failed(&diag);
}

// ---- the whole state

int ps_command_export(int argc, char **argv) {
    if (argc != 2 && argc != 3) {
        return ps_command_wrong("export needs a folder, and may have a file");
    }
    PsDiag diag = {0};
    PsAsk *ask = NULL;
    json_t *state = NULL;
    PsErr err = ps_ask_open(argv[1], &ask, &diag);
    err = err == PS_OK ? ps_ask(ask, "GET", "/_penstock/export", NULL, NULL, &state, &diag) : err;
    if (err == PS_OK) {
        PS_AUTO_FREE char *text = json_dumps(state, JSON_INDENT(2));
        PS_AUTO_BUF PsBuf bytes = {0};
        ps_buf_printf(&bytes, "%s\n", text);
        if (argc == 3) {
            err = ps_file_write(argv[2], bytes.data, bytes.len, 0600, &diag);
        } else {
            fputs((const char *)bytes.data, stdout);
        }
    }
    json_decref(state);
    ps_ask_close(ask);
    return err == PS_OK ? EXIT_SUCCESS : ps_command_failed(&diag);
}

int ps_command_import(int argc, char **argv) {
    if (argc != 3) {
        return ps_command_wrong("import needs a folder and a file");
    }
    PsDiag diag = {0};
    PsAsk *ask = NULL;
    PS_AUTO_BUF PsBuf bytes = {0};
    PsErr err = ps_file_read(argv[2], IMPORT_LIMIT, &bytes, &diag);
    json_error_t error = {0};
    json_t *state = err == PS_OK ? json_loadb((const char *)bytes.data, bytes.len,
                                              JSON_REJECT_DUPLICATES, &error)
                                 : NULL;
    if (err == PS_OK && state == NULL) {
        err = ps_fail(PS_ERR_INVALID, &diag, argv[2], NULL, "line %d: %s", error.line, error.text);
    }
    json_t *answer = NULL;
    err = err == PS_OK ? ps_ask_open(argv[1], &ask, &diag) : err;
    if (err == PS_OK) {
        err = ps_ask(ask, "PUT", "/_penstock/import", NULL, state, &answer, &diag);
    }
    json_decref(answer);
    json_decref(state);
    ps_ask_close(ask);
    return err == PS_OK ? EXIT_SUCCESS : ps_command_failed(&diag);
}
