// penstock-cloud quickstart: everything a gateway needs to connect, in one call. Blocks for the API
// and the folder.
#include "base/file.h"
#include "localcloud/ask.h"
#include "localcloud/command.h"
#include "localcloud/registry/adopt.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_MQTT_PORT 8883
#define PEM_LIMIT ((size_t)64 * 1024)

static void join_target(PsBuf *out, const char *start, const char *name, const char *end) {
    ps_buf_clear(out);
    ps_buf_printf(out, "%s", start);
    ps_ask_encode(out, name);
    ps_buf_printf(out, "%s", end);
}

// Makes what may be there already. Drops the answer.
static PsErr make(PsAsk *ask, const char *method, const char *target, const char *principal,
                  json_t *body, PsDiag *diag) {
    json_t *answer = NULL;
    PsErr err = ps_ask(ask, method, target, principal, body, &answer, diag);
    json_decref(answer);
    json_decref(body);
    return err == PS_ERR_EXISTS ? PS_OK : err;
}

// A new key pair from the API, written under AWS's names.
static PsErr new_files(PsAsk *ask, const char *name, PsThingFiles *files, PsDiag *diag) {
    json_t *answer = NULL;
    PsErr err =
        ps_ask(ask, "POST", "/keys-and-certificate?setAsActive=true", NULL, NULL, &answer, diag);
    if (err != PS_OK) {
        return err;
    }
    json_t *pair = json_object_get(answer, "keyPair");
    PsThingTexts texts = {
        .certificate_id = json_string_value(json_object_get(answer, "certificateId")),
        .certificate = json_string_value(json_object_get(answer, "certificatePem")),
        .private_key = json_string_value(json_object_get(pair, "PrivateKey")),
        .public_key = json_string_value(json_object_get(pair, "PublicKey"))};
    err = texts.certificate_id != NULL && texts.certificate != NULL && texts.private_key != NULL &&
                  texts.public_key != NULL
              ? ps_folder_put_thing(ps_ask_dir(ask), name, &texts, files, diag)
              : ps_fail(PS_ERR_PROTOCOL, diag, "the cloud's API", NULL,
                        "has not given a certificate");
    json_decref(answer);
    return err;
}

// Files that are there are made known to the account, in case it does not know them.
static PsErr known_files(PsAsk *ask, const PsThingFiles *files, PsDiag *diag) {
    PS_AUTO_BUF PsBuf pem = {0};
    PsErr err = ps_file_read(files->certificate, PEM_LIMIT, &pem, diag);
    return err == PS_OK ? make(ask, "POST", "/certificate/register-no-ca", NULL,
                               json_pack("{s:s, s:s}", "certificatePem", (const char *)pem.data,
                                         "status", "ACTIVE"),
                               diag)
                        : err;
}

// The certificate's ARN, which only the account knows (its region is in it).
static PsErr find_arn(PsAsk *ask, const char *id, char *out, size_t size, PsDiag *diag) {
    PS_AUTO_BUF PsBuf target = {0};
    json_t *answer = NULL;
    join_target(&target, "/certificates/", id, "");
    PsErr err = ps_ask(ask, "GET", (const char *)target.data, NULL, NULL, &answer, diag);
    const char *arn = json_string_value(
        json_object_get(json_object_get(answer, "certificateDescription"), "certificateArn"));
    snprintf(out, size, "%s", arn != NULL ? arn : "");
    json_decref(answer);
    return err;
}

static PsErr connect_them(PsAsk *ask, const char *name, const char *id, PsDiag *diag) {
    PS_AUTO_BUF PsBuf target = {0};
    char arn[512];
    PsErr err = find_arn(ask, id, arn, sizeof arn, diag);
    if (err == PS_OK) {
        err = make(ask, "POST", "/policies/" PS_ADOPT_POLICY, NULL,
                   json_pack("{s:s}", "policyDocument", PS_ADOPT_DOCUMENT), diag);
    }
    if (err == PS_OK) {
        err = make(ask, "PUT", "/target-policies/" PS_ADOPT_POLICY, NULL,
                   json_pack("{s:s}", "target", arn), diag);
    }
    join_target(&target, "/things/", name, "/principals");
    return err == PS_OK ? make(ask, "PUT", (const char *)target.data, arn, NULL, diag) : err;
}

static void print_block(PsAsk *ask, const char *name, const PsThingFiles *files) {
    PsEndpoint endpoint = {0};
    if (ps_endpoint_read(ps_ask_dir(ask), &endpoint, NULL) != PS_OK || endpoint.port == 0) {
        endpoint.port = DEFAULT_MQTT_PORT;
        snprintf(endpoint.root_ca, PATH_MAX, "%.*s/%s", PATH_MAX - 32, ps_ask_dir(ask),
                 ps_folder_root_name(PS_KEY_RSA));
    }
    printf("thing           %s\ncertificate id  %s\ncertificate     %s\nprivate key     %s\n"
           "public key      %s\nroot CA         %s\npolicy          %s (iot:* on *)\n",
           name, files->certificate_id, files->certificate, files->private_key, files->public_key,
           endpoint.root_ca, PS_ADOPT_POLICY);
    json_t *block =
        json_pack("{s:b, s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:i, s:b}", "enable", 1, "type",
                  "AWS IoT", "endpoint", PS_ENDPOINT_HOST, "port", endpoint.port, "client_id", name,
                  "cert", files->certificate, "key", files->private_key, "root_ca",
                  endpoint.root_ca, "keepalive", 60, "clean_session", 1);
    char *text = json_dumps(block, JSON_INDENT(2));
    printf("\nFor penstock.json:\n\n\"cloud\": %s\n", text != NULL ? text : "{}");
    free(text);
    json_decref(block);
}

int ps_command_quickstart(int argc, char **argv) {
    if (argc != 3) {
        return ps_command_wrong("quickstart needs a folder and the name of a thing");
    }
    const char *name = argv[2];
    PsDiag diag = {0};
    PsAsk *ask = NULL;
    PsThingFiles files = {0};
    PS_AUTO_PKI_PAIR PsPkiPair root = {0};
    PS_AUTO_BUF PsBuf target = {0};
    PsErr err = ps_ask_open(argv[1], &ask, &diag);
    err = err == PS_OK ? ps_folder_root(ps_ask_dir(ask), PS_KEY_RSA, &root, &diag) : err;
    if (err == PS_OK) {
        join_target(&target, "/things/", name, "");
        err = make(ask, "POST", (const char *)target.data, NULL, NULL, &diag);
    }
    if (err == PS_OK) {
        err = ps_folder_find_thing(ps_ask_dir(ask), name, &files, &diag);
        err = err == PS_OK              ? known_files(ask, &files, &diag)
              : err == PS_ERR_NOT_FOUND ? new_files(ask, name, &files, &diag)
                                        : err;
    }
    err = err == PS_OK ? connect_them(ask, name, files.certificate_id, &diag) : err;
    if (err == PS_OK) {
        print_block(ask, name, &files);
    }
    ps_ask_close(ask);
    return err == PS_OK ? EXIT_SUCCESS : ps_command_failed(&diag);
}
