// The command line's side of the command socket. Blocking.
#include "cli/cli.h"

#include "base/mem.h"

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
#define ANSWER_MAX ((size_t)256 * 1024 * 1024)

struct CliClient {
    int fd;
    PsBuf input;
    const char *path;
    double patience_s;
};

CliClient *cli_client_try(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        int number = errno;
        if (fd >= 0) {
            close(fd);
        }
        errno = number;
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
        ps_buf_deinit(&client->input);
        free(client);
    }
}

static bool send_line(CliClient *client, json_t *call) {
    char *text = json_dumps(call, JSON_COMPACT);
    json_decref(call);
    if (text == NULL) {
        return false;
    }
    size_t len = strlen(text);
    text[len] = '\n';
    bool sent = send(client->fd, text, len + 1, MSG_NOSIGNAL) == (ssize_t)(len + 1);
    free(text);
    return sent;
}

static bool receive_line(CliClient *client) {
    ps_buf_clear(&client->input);
    for (;;) {
        ps_buf_reserve(&client->input, (size_t)64 * 1024);
        ssize_t got = recv(client->fd, client->input.data + client->input.len, 64 * 1024, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0 || client->input.len > ANSWER_MAX) {
            return false;
        }
        client->input.len += (size_t)got;
        if (client->input.data[client->input.len - 1] == '\n') {
            return true;
        }
    }
}

static void print_error(const json_t *error) {
    PsDiag diag = {0};
    const char *object = json_string_value(json_object_get(error, "object"));
    const char *field = json_string_value(json_object_get(error, "field"));
    const char *text = json_string_value(json_object_get(error, "text"));
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

bool cli_client_send(CliClient *client, json_t *call) {
    bool sent = send_line(client, call);
    if (!sent) {
        print_no_answer(client);
    }
    return sent;
}

bool cli_client_ready(CliClient *client, int milliseconds) {
    struct pollfd wait = {.fd = client->fd, .events = POLLIN};
    return poll(&wait, 1, milliseconds) != 0; // also when it has gone
}

json_t *cli_client_receive(CliClient *client) {
    if (!receive_line(client)) {
        print_no_answer(client);
        return NULL;
    }
    json_t *answer = json_loadb((const char *)client->input.data, client->input.len, 0, NULL);
    if (!json_is_true(json_object_get(answer, "ok"))) {
        print_error(json_object_get(answer, "error"));
        json_decref(answer);
        return NULL;
    }
    json_t *result = json_incref(json_object_get(answer, "result"));
    json_decref(answer);
    return result;
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
