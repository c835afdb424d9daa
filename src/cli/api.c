// `penstock api METHOD PATH [--body FILE|-]`: one request of the REST API, for people and scripts.
// Blocking.
#include "cli/cli.h"
#include "cli/http_ask.h"
#include "cli/wide_json.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "/api/v1"
#define BODY_MAX ((size_t)64 * 1024 * 1024)
#define PATIENCE_S 600.0

static bool is_method(const char *word) {
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE"};
    for (size_t i = 0; i < PS_COUNT(methods); i++) {
        if (strcmp(word, methods[i]) == 0) {
            return true;
        }
    }
    return false;
}

// Control characters and blanks would be another request; the rest the gateway says itself.
static bool is_target(const char *word) {
    for (const char *at = word; *at != '\0'; at++) {
        if ((unsigned char)*at <= ' ' || *at == 0x7f) {
            return false;
        }
    }
    return word[0] == '/';
}

static int read_body(const char *path, PsBuf *body) {
    PsDiag diag = {0};
    if (strcmp(path, "-") != 0) {
        return ps_file_read(path, BODY_MAX, body, &diag) == PS_OK
                   ? CLI_DONE
                   : cli_fail(CLI_FAILED, "%s: %s", path, diag.text);
    }
    char bytes[16 * 1024];
    size_t got = 0;
    while ((got = fread(bytes, 1, sizeof bytes, stdin)) > 0) {
        ps_buf_put(body, bytes, got);
        if (body->len > BODY_MAX) {
            return cli_fail(CLI_FAILED, "standard input is longer than %zu bytes", BODY_MAX);
        }
    }
    return CLI_DONE;
}

static void print(const CliReply *reply) {
    const char *text = reply->body.len > 0 ? (const char *)reply->body.data : "";
    json_t *json =
        strstr(reply->type, "json") != NULL ? cli_json_load(text, reply->body.len) : NULL;
    if (json != NULL) {
        json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
        putchar('\n');
    } else {
        fwrite(text, 1, reply->body.len, stdout);
    }
    json_decref(json);
}

static int ask(const CliOptions *options, const char *method, const char *path, const PsBuf *body) {
    CliClient *client = cli_client_open(options);
    if (client == NULL) {
        return CLI_FAILED;
    }
    PS_AUTO_BUF PsBuf target = {0};
    PS_AUTO_BUF PsBuf request = {0};
    bool whole = strncmp(path, "/api/", 5) == 0 || strcmp(path, "/metrics") == 0;
    ps_buf_printf(&target, "%s%s", whole ? "" : PREFIX, path);
    cli_http_ask_raw(method, (const char *)target.data, body->data, body->len, &request);
    cli_client_wait(client, PATIENCE_S);
    const CliReply *reply = cli_client_send_bytes(client, &request)
                                ? cli_client_receive_bytes(client, strcmp(method, "HEAD") == 0)
                                : NULL;
    int status = reply != NULL && reply->status < 300 ? CLI_DONE : CLI_FAILED;
    if (reply != NULL) {
        print(reply);
    }
    cli_client_close(client);
    return status;
}

int cli_api(const CliOptions *options, int count, char **words) {
    bool with_body = count == 4 && strcmp(words[2], "--body") == 0;
    if ((count != 2 && !with_body) || !is_method(words[0]) || !is_target(words[1])) {
        return cli_fail(CLI_USAGE,
                        "penstock api METHOD PATH [--body FILE|-], for example: penstock "
                        "api GET /status; docs/api.md lists the paths");
    }
    PS_AUTO_BUF PsBuf body = {0};
    int status = with_body ? read_body(words[3], &body) : CLI_DONE;
    return status == CLI_DONE ? ask(options, words[0], words[1], &body) : status;
}
