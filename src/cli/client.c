// The command line speaks to the gateway: HTTP on its Unix socket. Blocking.
#include "cli/cli.h"

#include "base/mem.h"
#include "cli/http_ask.h"
#include "cli/wide_json.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

// A write may wait for its device; nothing answers later than this.
#define ANSWER_SECONDS 30

struct CliClient {
    int fd;
    const char *path;
    CliReply reply;
    bool stale; // another connection before the next request
    double patience_s;
};

// -1 with errno.
static int connect_to(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        int number = errno;
        close(fd);
        errno = number;
        return -1;
    }
    return fd;
}

CliClient *cli_client_try(const char *path) {
    int fd = connect_to(path);
    if (fd < 0) {
        return NULL;
    }
    CliClient *client = ps_alloc(sizeof *client);
    client->fd = fd;
    client->path = path;
    cli_client_wait(client, ANSWER_SECONDS);
    return client;
}

CliClient *cli_client_open(const CliOptions *options) {
    CliClient *client = cli_client_try(options->socket);
    if (client == NULL && errno == ENAMETOOLONG) {
        cli_fail(CLI_USAGE, "%s: too long for a socket path", options->socket);
    } else if (client == NULL) {
        bool absent = errno == ENOENT || errno == ECONNREFUSED;
        cli_fail(CLI_FAILED, "%s: no gateway answers: %s; %s", options->socket, strerror(errno),
                 absent ? "start penstockd, or name its socket with --socket"
                        : "ask for access to the socket");
    }
    return client;
}

void cli_client_wait(CliClient *client, double seconds) {
    client->patience_s = seconds;
    struct timeval patience = {.tv_sec = (time_t)seconds};
    (void)setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

void cli_client_close(CliClient *client) {
    if (client != NULL) {
        close(client->fd);
        cli_reply_deinit(&client->reply);
        free(client);
    }
}

static bool send_all(CliClient *client, const PsBuf *bytes) {
    for (size_t at = 0; at < bytes->len;) {
        ssize_t sent = send(client->fd, bytes->data + at, bytes->len - at, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent <= 0) {
            return false;
        }
        at += (size_t)sent;
    }
    return true;
}

// The gateway closes a connection that has been silent for long, or after some answers.
static bool connect_again(CliClient *client) {
    int fd = connect_to(client->path);
    if (fd < 0) {
        return false;
    }
    close(client->fd);
    client->fd = fd;
    cli_client_wait(client, client->patience_s);
    return true;
}

static bool receive_reply(CliClient *client) {
    for (;;) {
        char bytes[64 * 1024];
        ssize_t got = recv(client->fd, bytes, sizeof bytes, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        CliReplyState state = got > 0    ? cli_reply_take(&client->reply, bytes, (size_t)got)
                              : got == 0 ? cli_reply_end(&client->reply)
                                         : CLI_REPLY_WRONG;
        if (state != CLI_REPLY_MORE) {
            client->stale = state == CLI_REPLY_WRONG || client->reply.closes;
            return state == CLI_REPLY_WHOLE;
        }
    }
}

static void print_error(const json_t *error) {
    PsDiag diag = {0};
    const char *object = json_string_value(json_object_get(error, "object"));
    const char *field = json_string_value(json_object_get(error, "field"));
    const char *text = json_string_value(json_object_get(error, "detail"));
    snprintf(diag.object, sizeof diag.object, "%s", object != NULL ? object : "");
    snprintf(diag.field, sizeof diag.field, "%s", field != NULL ? field : "");
    snprintf(diag.text, sizeof diag.text, "%s", text != NULL ? text : "no reason given");
    char line[sizeof diag];
    ps_diag_format(&diag, line, sizeof line);
    cli_fail(CLI_FAILED, "%s", line);
}

static void print_no_answer(const CliClient *client) {
    cli_fail(CLI_FAILED, "%s: the gateway closed the connection or did not answer within %g s",
             client->path, client->patience_s);
}

bool cli_client_send_bytes(CliClient *client, const PsBuf *request) {
    bool sent = (!client->stale || connect_again(client)) && send_all(client, request);
    cli_reply_reset(&client->reply);
    if (!sent) {
        client->stale = true;
        print_no_answer(client);
    }
    return sent;
}

bool cli_client_send(CliClient *client, json_t *call) {
    PS_AUTO_BUF PsBuf request = {0};
    PsErr err = cli_http_ask(call, &request);
    PS_ASSERT(err == PS_OK);
    json_decref(call);
    return cli_client_send_bytes(client, &request);
}

bool cli_client_ready(CliClient *client, int milliseconds) {
    struct pollfd wait = {.fd = client->fd, .events = POLLIN};
    return poll(&wait, 1, milliseconds) != 0; // also when it has gone
}

const CliReply *cli_client_receive_bytes(CliClient *client, bool without_body) {
    client->reply.without_body = without_body;
    if (!receive_reply(client)) {
        print_no_answer(client);
        return NULL;
    }
    return &client->reply;
}

json_t *cli_client_receive(CliClient *client) {
    const CliReply *reply = cli_client_receive_bytes(client, false);
    if (reply == NULL) {
        return NULL;
    }
    const char *text = reply->body.len > 0 ? (const char *)reply->body.data : "";
    if (reply->status == 200 && strcmp(reply->type, "application/json") != 0) {
        return json_pack("{s:s%}", "text", text, reply->body.len);
    }
    json_t *answer = cli_json_load(text, reply->body.len);
    if (answer == NULL || reply->status != 200) {
        print_error(answer);
        json_decref(answer);
        return NULL;
    }
    return answer;
}

json_t *cli_client_call(CliClient *client, json_t *call) {
    return cli_client_send(client, call) ? cli_client_receive(client) : NULL;
}

json_t *cli_call_once(const CliOptions *options, json_t *call) {
    CliClient *client = cli_client_open(options);
    if (client == NULL) {
        json_decref(call);
        return NULL;
    }
    json_t *result = cli_client_call(client, call);
    cli_client_close(client);
    return result;
}

int cli_call_shown(const CliOptions *options, json_t *call, void (*print)(const json_t *result)) {
    json_t *result = cli_call_once(options, call);
    if (result == NULL) {
        return CLI_FAILED;
    }
    if (options->json) {
        cli_print_json(result);
    } else {
        print(result);
    }
    json_decref(result);
    return CLI_DONE;
}
