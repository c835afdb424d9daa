// The command line's calls. Blocks: a socket to 127.0.0.1, or the folder's database.
#include "localcloud/ask.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "localcloud/alone.h"
#include "localcloud/command.h"
#include "localcloud/lock.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>

#define ANSWER_MAX ((size_t)16 * 1024 * 1024)
#define PATIENCE_S 30

struct PsAsk {
    char dir[PATH_MAX];
    int lock_fd;          // -1: a cloud runs
    PsRegistry *registry; // NULL: a cloud runs
    PsAlone services;
    uint16_t port;
};

PsErr ps_ask_open(const char *dir, PsAsk **ret_ask, PsDiag *diag) {
    PsAsk *ask = ps_alloc(sizeof *ask);
    ask->lock_fd = -1;
    PsErr err = ps_folder_open(dir, ask->dir, diag);
    if (err == PS_OK) {
        err = ps_lock_take(ask->dir, &ask->lock_fd, diag);
        if (err == PS_OK) {
            err = ps_registry_open(ask->dir, &ask->registry, diag);
            err = err == PS_OK ? ps_alone_open(&ask->services, ask->registry, diag) : err;
        } else if (err == PS_ERR_BUSY) {
            PsEndpoint endpoint = {0};
            err = ps_endpoint_read(ask->dir, &endpoint, diag);
            ask->port = endpoint.api_port;
        }
    }
    if (err == PS_OK && ask->registry == NULL && ask->port == 0) {
        err = ps_fail(PS_ERR_NOT_FOUND, diag, dir, NULL, "the cloud that runs here has no API");
    }
    if (err != PS_OK) {
        ps_ask_close(ask);
        return err;
    }
    *ret_ask = ask;
    return PS_OK;
}

void ps_ask_close(PsAsk *ask) {
    if (ask != NULL) {
        ps_alone_close(&ask->services);
        ps_registry_close(ask->registry);
        ps_cleanup_fd(&ask->lock_fd);
        free(ask);
    }
}

const char *ps_ask_dir(const PsAsk *ask) {
    return ask->dir;
}

void ps_ask_encode(PsBuf *out, const char *text) {
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (isalnum(byte) || strchr("-._~", byte) != NULL) {
            ps_buf_put_u8(out, byte);
        } else {
            ps_buf_printf(out, "%%%02X", byte);
        }
    }
}

// ---- over HTTP

static PsErr connection_failed(PsDiag *diag, const char *step) {
    return ps_fail(PS_ERR_IO, diag, "the cloud's API", step, "%s", strerror(errno));
}

static PsErr connect_there(uint16_t port, int *ret_fd, PsDiag *diag) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
        connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        PsErr err = connection_failed(diag, "connect");
        ps_cleanup_fd(&fd);
        return err;
    }
    *ret_fd = fd;
    return PS_OK;
}

static PsErr exchange(int fd, const PsBuf *request, PsBuf *answer, PsDiag *diag) {
    for (size_t sent = 0; sent < request->len;) {
        ssize_t len = send(fd, request->data + sent, request->len - sent, MSG_NOSIGNAL);
        if (len < 0 && errno != EINTR) {
            return connection_failed(diag, "send");
        }
        sent += len > 0 ? (size_t)len : 0;
    }
    for (;;) {
        char bytes[8192];
        ssize_t len = recv(fd, bytes, sizeof bytes, 0);
        if (len == 0) {
            return PS_OK;
        }
        if (len < 0 && errno != EINTR) {
            return connection_failed(diag, "receive");
        }
        if (answer->len + (size_t)(len > 0 ? len : 0) > ANSWER_MAX) {
            return ps_fail(PS_ERR_TOO_BIG, diag, "the cloud's API", NULL, "answers without an end");
        }
        ps_buf_put(answer, bytes, len > 0 ? (size_t)len : 0);
        OPENSSL_cleanse(bytes, sizeof bytes); // a private key may have passed
    }
}

// The value of a header in the head that ends at `end`, copied to `out`.
static void find_header(const char *head, const char *end, const char *name, char *out,
                        size_t size) {
    size_t len = strlen(name);
    out[0] = '\0';
    for (const char *line = strstr(head, "\r\n"); line != NULL && line < end;
         line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, len) == 0 && line[2 + len] == ':') {
            const char *value = line + 3 + len;
            value += strspn(value, " ");
            snprintf(out, size, "%.*s", (int)strcspn(value, "\r"), value);
        }
    }
}

static PsErr over_http(const PsAsk *ask, const PsRestRequest *request, PsRestAnswer *answer,
                       char *ret_type, size_t type_size, PsDiag *diag) {
    PS_AUTO_FD int fd = -1;
    PS_AUTO_BUF PsBuf out = {0};
    PS_AUTO_BUF PsBuf in = {0};
    const char *principal = request->header(request->header_ctx, "x-amzn-principal");
    ps_buf_printf(&out,
                  "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n"
                  "Content-Length: %zu\r\n",
                  request->method, request->target, ask->port, request->body_len);
    if (principal != NULL) {
        ps_buf_printf(&out, "x-amzn-principal: %s\r\n", principal);
    }
    ps_buf_printf(&out, "\r\n");
    if (request->body_len > 0) {
        ps_buf_put(&out, request->body, request->body_len);
    }
    PsErr err = connect_there(ask->port, &fd, diag);
    err = err == PS_OK ? exchange(fd, &out, &in, diag) : err;
    if (err != PS_OK) {
        return err;
    }
    const char *text = in.data != NULL ? (const char *)in.data : "";
    const char *end = strstr(text, "\r\n\r\n");
    if (end == NULL || strncmp(text, "HTTP/1.1 ", 9) != 0) {
        return ps_fail(PS_ERR_PROTOCOL, diag, "the cloud's API", NULL, "does not answer in HTTP");
    }
    answer->status = (int)strtol(text + 9, NULL, 10);
    find_header(text, end, "x-amzn-errortype", ret_type, type_size);
    size_t head = (size_t)(end + 4 - text);
    ps_buf_put(&answer->bytes, end + 4, in.len - head);
    OPENSSL_cleanse(in.data, in.len);
    return PS_OK;
}

// ---- either way

static const char *one_header(void *ctx, const char *name) {
    return strcasecmp(name, "x-amzn-principal") == 0 ? ctx : NULL;
}

static PsErr take_answer(PsRestAnswer *answer, const char *type, json_t **ret_json, PsDiag *diag) {
    json_t *json = answer->json != NULL ? json_incref(answer->json)
                   : answer->bytes.len > 0
                       ? json_loadb((const char *)answer->bytes.data, answer->bytes.len, 0, NULL)
                       : json_object();
    if (answer->bytes.data != NULL) {
        OPENSSL_cleanse(answer->bytes.data, answer->bytes.len);
    }
    if (answer->status == 200 && json != NULL) {
        *ret_json = json;
        return PS_OK;
    }
    PsErr err = answer->status == 404                                         ? PS_ERR_NOT_FOUND
                : strcmp(type, ps_api_error_type(PS_API_ALREADY_EXISTS)) == 0 ? PS_ERR_EXISTS
                                                                              : PS_ERR_REFUSED;
    const char *message = json_string_value(json_object_get(json, "message"));
    ps_diag_set(diag, type[0] != '\0' ? type : "refused", NULL, "%s",
                message != NULL ? message : "without a reason");
    json_decref(json);
    return err;
}

PsErr ps_ask(PsAsk *ask, const char *method, const char *target, const char *principal,
             json_t *body, json_t **ret_json, PsDiag *diag) {
    PS_AUTO_FREE char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    PS_AUTO_FREE char *principal_text = principal != NULL ? ps_strdup(principal) : NULL;
    PsRestRequest request = {.method = method,
                             .target = target,
                             .header = one_header,
                             .header_ctx = principal_text,
                             .body = (const uint8_t *)text,
                             .body_len = text != NULL ? strlen(text) : 0};
    PsRestAnswer answer = {0};
    char type[64] = "";
    PsErr err = PS_OK;
    if (ask->registry != NULL) {
        PsRestSetup setup = {
            .registry = ask->registry, .services = &ask->services.routes, .service_count = 1};
        const char *error_type = NULL;
        ps_rest_dispatch(&setup, &request, &answer, &error_type);
        snprintf(type, sizeof type, "%s", error_type != NULL ? error_type : "");
    } else {
        err = over_http(ask, &request, &answer, type, sizeof type, diag);
    }
    err = err == PS_OK ? take_answer(&answer, type, ret_json, diag) : err;
    ps_rest_answer_deinit(&answer);
    return err;
}
