// The command socket: accepts clients, cuts lines, runs the call of each line, writes the answer.
// Owns the listening pipe and the clients. Main thread; never blocks.
#include "api/api.h"
#include "api/handlers_config.h"
#include "api/handlers_live.h"
#include "api/users.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define IDLE_NS (5 * PS_NS_PER_S) // a client silent for longer makes room for a new one

typedef struct Client {
    struct PsApi *api;
    struct Client *next;
    uv_pipe_t pipe;
    PsBuf input;
    struct PsApiCall *call; // the one being worked on, NULL when none
    bool answering;         // its answer is not written yet
    bool paused;            // nothing is read until then
    PsMono heard;           // of the last complete line
    bool closing;
} Client;

struct PsApiCall {
    struct PsApi *api;
    Client *client; // NULL when the client has gone
    json_t *arguments;
};

struct PsApi {
    PsApiSources sources;
    PsApiUsers *users;
    PsLogHold *log_hold; // until close
    uv_pipe_t listener;
    char path[sizeof((struct sockaddr_un *)0)->sun_path];
    Client *clients;
    size_t client_count;
    bool crowded; // there were too many; said once
    size_t open_handles;
    size_t calls;                // not answered yet
    bool freed;                  // by its owner, while there are some
    struct PsApiCall *long_call; // the one that goes on for a while, or NULL
    void (*cancel)(void *ctx);
    void *cancel_ctx;
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

typedef struct Answer {
    uv_write_t request;
    char *text;
} Answer;

static void serve(Client *client);

// The calls of the line protocol, while the command line speaks it.
typedef struct Line {
    const char *name;
    PsApiHandler *handler;
} Line;

static const Line lines[] = {
    {"status", ps_api_status},
    {"metrics", ps_api_metrics},
    {"tags", ps_api_tags},
    {"alarms", ps_api_alarms},
    {"alarm_ack", ps_api_alarm_ack},
    {"alarm_history", ps_api_alarm_history},
    {"alarm_shelve", ps_api_alarm_shelve},
    {"alarm_unshelve", ps_api_alarm_unshelve},
    {"write", ps_api_write},
    {"log", ps_api_log},
    {"log_level", ps_api_log_level},
    {"dead", ps_api_dead},
    {"clear", ps_api_clear},
    {"replay", ps_api_replay},
    {"replay_stop", ps_api_replay_stop},
    {"replay_status", ps_api_replay_status},
    {"script_messages", ps_api_script_messages},
    {"script_release", ps_api_script_release},
    {"script_run", ps_api_script_run},
    {"canary_start", ps_api_canary_start},
    {"canary_status", ps_api_canary_status},
    {"canary_stop", ps_api_canary_stop},
    {"apply", ps_api_apply},
    {"apply_upload", ps_api_apply_upload},
    {"apply_progress", ps_api_apply_progress},
    {"confirm", ps_api_confirm},
    {"revert", ps_api_revert},
    {"revisions", ps_api_revisions},
    {"revision", ps_api_revision},
};

static void handle_closed(struct PsApi *api) {
    api->open_handles--;
    if (api->closing && api->open_handles == 0 && api->closed != NULL) {
        api->closed(api->closed_ctx);
    }
}

static void on_client_closed(uv_handle_t *handle) {
    Client *client = handle->data;
    struct PsApi *api = client->api;
    ps_buf_deinit(&client->input);
    free(client);
    handle_closed(api);
}

static void cancel_long(struct PsApi *api, const PsApiCall *call) {
    if (call != NULL && api->long_call == call) {
        api->cancel(api->cancel_ctx);
    }
}

static void client_close(Client *client) {
    if (client->closing) {
        return;
    }
    client->closing = true;
    if (client->call != NULL) {
        client->call->client = NULL;
        cancel_long(client->api, client->call);
    }
    for (Client **slot = &client->api->clients; *slot != NULL; slot = &(*slot)->next) {
        if (*slot == client) {
            *slot = client->next;
            break;
        }
    }
    client->api->client_count--;
    uv_close((uv_handle_t *)&client->pipe, on_client_closed);
}

static void on_written(uv_write_t *request, int status) {
    Answer *answer = request->data;
    Client *client = request->handle->data;
    client->answering = false;
    if (status < 0) {
        client_close(client);
    } else {
        serve(client);
    }
    free(answer->text);
    free(answer);
}

static void send_answer(Client *client, json_t *answer_json) {
    Answer *answer = ps_alloc(sizeof *answer);
    char *text = json_dumps(answer_json, JSON_COMPACT);
    json_decref(answer_json);
    if (text == NULL) {
        free(answer);
        client_close(client);
        return;
    }
    size_t len = strlen(text);
    text[len] = '\n'; // the line's end takes the place of the NUL
    answer->text = text;
    answer->request.data = answer;
    uv_buf_t buffer = uv_buf_init(text, (unsigned)(len + 1));
    if (uv_write(&answer->request, (uv_stream_t *)&client->pipe, &buffer, 1, on_written) != 0) {
        free(text);
        free(answer);
        client_close(client);
        return;
    }
    client->answering = true; // written by the loop, never from within uv_write
}

bool ps_api_call_goes_on(PsApiCall *call, void (*cancel)(void *ctx), void *ctx) {
    struct PsApi *api = call->api;
    if (api->long_call != NULL) {
        return false;
    }
    api->long_call = call;
    api->cancel = cancel;
    api->cancel_ctx = ctx;
    api->open_handles++; // the API is not closed before it is answered
    return true;
}

static void finish(PsApiCall *call, json_t *answer) {
    Client *client = call->client;
    bool was_long = call->api->long_call == call;
    struct PsApi *api = call->api;
    if (client != NULL) {
        client->call = NULL;
        send_answer(client, answer);
    } else {
        json_decref(answer);
    }
    json_decref(call->arguments);
    free(call);
    api->calls--;
    if (was_long) {
        api->long_call = NULL;
        handle_closed(api);
    }
    if (api->freed) {
        ps_api_free(api);
    }
}

const PsApiSources *ps_api_call_sources(const PsApiCall *call) {
    return &call->api->sources;
}

PsLogHold *ps_api_call_log_hold(const PsApiCall *call) {
    return call->api->log_hold;
}

const json_t *ps_api_call_arguments(const PsApiCall *call) {
    return call->arguments;
}

void ps_api_call_user(const PsApiCall *call, char *out, size_t size) {
    PS_ASSERT(call->client != NULL);
    struct ucred peer = {0};
    socklen_t len = sizeof peer;
    int fd = -1;
    if (uv_fileno((uv_handle_t *)&call->client->pipe, &fd) == 0 &&
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0) {
        ps_api_users_name(call->api->users, peer.uid, out, size);
    } else {
        snprintf(out, size, "unknown user");
    }
}

const PsApiRoute *ps_api_call_route(const PsApiCall *call) {
    (void)call;
    return NULL;
}

const json_t *ps_api_call_body_json(const PsApiCall *call) {
    return call->arguments;
}

const uint8_t *ps_api_call_body(const PsApiCall *call, size_t *ret_len) {
    (void)call;
    *ret_len = 0;
    return NULL;
}

const char *ps_api_call_header(const PsApiCall *call, const char *name) {
    (void)call;
    (void)name;
    return NULL;
}

bool ps_api_call_cookie(const PsApiCall *call, const char *name, char *out, size_t size) {
    (void)call;
    (void)name;
    (void)out;
    (void)size;
    return false;
}

PsRole ps_api_call_role(const PsApiCall *call) {
    return ps_api_call_identity(call)->role;
}

const PsIdentity *ps_api_call_identity(const PsApiCall *call) {
    static const PsIdentity local = {.role = PS_ROLE_ADMINISTRATOR, .by = "socket"};
    (void)call;
    return &local;
}

const char *ps_api_call_peer_address(const PsApiCall *call) {
    (void)call;
    return "local";
}

bool ps_api_call_is_local(const PsApiCall *call) {
    (void)call;
    return true;
}

bool ps_api_call_is_loopback(const PsApiCall *call) {
    (void)call;
    return true;
}

void ps_api_call_put_header(PsApiCall *call, const char *name, const char *value) {
    (void)call;
    (void)name;
    (void)value;
}

void ps_api_call_note(PsApiCall *call, const char *object, const char *detail) {
    (void)call;
    (void)object;
    (void)detail;
}

void ps_api_call_reply_bytes(PsApiCall *call, const char *content_type, const void *bytes,
                             size_t len) {
    (void)content_type;
    ps_api_call_reply(call, json_pack("{s:s%}", "text", bytes, len));
}

void ps_api_call_fail_status(PsApiCall *call, int status, PsErr err, const PsDiag *diag) {
    (void)status;
    ps_api_call_fail(call, err, diag);
}

void ps_api_call_fail_findings(PsApiCall *call, PsErr err, const PsDiag *diag, json_t *findings) {
    json_decref(findings);
    ps_api_call_fail(call, err, diag);
}

PsErr ps_api_call_stream(PsApiCall *call, size_t queue_max, void (*closed)(void *ctx), void *ctx,
                         PsHttpStream **ret_stream) {
    (void)call;
    (void)queue_max;
    (void)closed;
    (void)ctx;
    (void)ret_stream;
    return PS_ERR_UNSUPPORTED;
}

void ps_api_call_reply(PsApiCall *call, json_t *result) {
    finish(call, json_pack("{s:b, s:o}", "ok", 1, "result", result));
}

void ps_api_call_fail(PsApiCall *call, PsErr err, const PsDiag *diag) {
    finish(call,
           json_pack("{s:b, s:{s:s, s:s, s:s, s:s}}", "ok", 0, "error", "class", ps_err_name(err),
                     "object", diag->object, "field", diag->field, "text", diag->text));
}

static void run_call(Client *client, json_t *arguments) {
    PsApiCall *call = ps_alloc(sizeof *call);
    *call = (PsApiCall){.api = client->api, .client = client, .arguments = arguments};
    client->call = call;
    client->api->calls++;
    PsDiag diag = {0};
    const char *name = json_string_value(json_object_get(arguments, "call"));
    if (name == NULL) {
        ps_api_call_fail(call,
                         ps_fail(PS_ERR_INVALID, &diag, "call", NULL,
                                 "must be one line of JSON such as {\"call\": \"status\"}"),
                         &diag);
        return;
    }
    for (size_t i = 0; i < PS_COUNT(lines); i++) {
        if (strcmp(lines[i].name, name) == 0) {
            lines[i].handler(call);
            return;
        }
    }
    ps_api_call_fail(call,
                     ps_fail(PS_ERR_NOT_FOUND, &diag, "call", NULL,
                             "'%.60s' is not known to this gateway; is the command line tool of "
                             "another version?",
                             name),
                     &diag);
}

static bool is_busy(const Client *client) {
    return client->call != NULL || client->answering;
}

// Runs the complete lines in the input, one at a time: the next begins when the answer to the one
// before is written. A client that asks and does not read thus costs one answer, not memory
// without end, and no number of lines nests.
static void run_lines(Client *client) {
    while (!is_busy(client) && !client->closing && client->input.len > 0) {
        uint8_t *end = memchr(client->input.data, '\n', client->input.len);
        if (end == NULL) {
            return;
        }
        size_t line = (size_t)(end - client->input.data);
        json_t *arguments =
            json_loadb((const char *)client->input.data, line, JSON_REJECT_DUPLICATES, NULL);
        client->input.len -= line + 1;
        memmove(client->input.data, end + 1, client->input.len);
        client->heard = ps_mono_now();
        run_call(client, arguments != NULL ? arguments : json_null());
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
    Client *client = handle->data;
    ps_buf_reserve(&client->input, (size_t)16 * 1024);
    *buffer = uv_buf_init((char *)client->input.data + client->input.len, 16 * 1024);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer) {
    Client *client = stream->data;
    if (got < 0) {
        client_close(client);
        return;
    }
    client->input.len += (size_t)got;
    serve(client);
}

// While a call is under way with more input behind it, nothing is read. An idle client is always
// read, so that its hanging up is noticed.
static void serve(Client *client) {
    run_lines(client);
    if (client->closing) {
        return;
    }
    bool pause = is_busy(client) && client->input.len > 0;
    if (!is_busy(client) && client->input.len > PS_API_LINE_MAX) {
        PS_LOGW("API-LINE", "a client of the command socket sent more than %zu bytes; closed",
                PS_API_LINE_MAX);
        client_close(client);
    } else if (pause && !client->paused) {
        uv_read_stop((uv_stream_t *)&client->pipe);
    } else if (!pause && client->paused &&
               uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read) != 0) {
        client_close(client);
    }
    client->paused = pause;
}

// Makes room for somebody new: the client that has been silent longest goes, if it is idle.
// False when all of them are at work.
static bool close_idlest(struct PsApi *api) {
    Client *idlest = NULL;
    PsMono limit = ps_mono_add_ns(ps_mono_now(), -IDLE_NS);
    for (Client *client = api->clients; client != NULL; client = client->next) {
        bool idle = !is_busy(client) && client->heard.ns <= limit.ns;
        if (idle && (idlest == NULL || client->heard.ns < idlest->heard.ns)) {
            idlest = client;
        }
    }
    if (idlest != NULL) {
        client_close(idlest);
    }
    return idlest != NULL;
}

static void on_connection(uv_stream_t *listener, int status) {
    struct PsApi *api = listener->data;
    if (status < 0 || api->closing) {
        return;
    }
    Client *client = ps_alloc(sizeof *client);
    client->api = api;
    client->heard = ps_mono_now();
    uv_pipe_init(listener->loop, &client->pipe, 0);
    client->pipe.data = client;
    client->next = api->clients;
    api->clients = client;
    api->client_count++;
    api->open_handles++;
    if (uv_accept(listener, (uv_stream_t *)&client->pipe) != 0 ||
        uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read) != 0) {
        client_close(client);
        return;
    }
    if (api->client_count <= PS_API_CLIENTS_MAX) {
        api->crowded = api->crowded && api->client_count > PS_API_CLIENTS_MAX / 2;
        return;
    }
    bool made_room = close_idlest(api);
    if (!api->crowded) {
        PS_LOGW("API-CLIENTS",
                "more than %d clients of the command socket; the newest is closed, "
                "or the one that has been silent longest",
                PS_API_CLIENTS_MAX);
        api->crowded = true;
    }
    if (!made_room) {
        client_close(client);
    }
}

// Is there a process behind the socket file? A short blocking connect: only at start.
static bool somebody_listens(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return false;
    }
    bool answered = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return answered;
}

static PsErr prepare_path(const char *path, PsDiag *diag) {
    struct sockaddr_un *address = NULL;
    if (strlen(path) >= sizeof address->sun_path) {
        return ps_fail(PS_ERR_TOO_BIG, diag, path, NULL,
                       "is longer than the %zu bytes a socket path may have; use --socket",
                       sizeof address->sun_path - 1);
    }
    if (somebody_listens(path)) {
        return ps_fail(PS_ERR_BUSY, diag, path, NULL,
                       "another gateway answers on this socket; stop it or use --socket");
    }
    struct stat status;
    if (lstat(path, &status) == 0 && !S_ISSOCK(status.st_mode)) {
        return ps_fail(PS_ERR_EXISTS, diag, path, NULL, "exists and is not a socket; remove it");
    }
    (void)unlink(path);
    return PS_OK;
}

PsErr ps_api_open(uv_loop_t *loop, const char *path, const PsApiSources *sources, PsApi **ret_api,
                  PsDiag *diag) {
    PsErr err = prepare_path(path, diag);
    if (err != PS_OK) {
        return err;
    }
    struct PsApi *api = ps_alloc(sizeof *api);
    api->sources = *sources;
    api->users = ps_api_users_new("/etc/passwd");
    api->log_hold = ps_log_hold_new(loop);
    snprintf(api->path, sizeof api->path, "%s", path);
    uv_pipe_init(loop, &api->listener, 0);
    api->listener.data = api;
    api->open_handles = 1;
    // Only this user and its group, from the first moment the socket exists.
    mode_t mask = umask(0117);
    int result = uv_pipe_bind(&api->listener, path);
    umask(mask);
    if (result == 0) {
        result = uv_listen((uv_stream_t *)&api->listener, 16, on_connection);
    }
    *ret_api = api;
    if (result != 0) {
        return ps_fail(result == UV_EACCES ? PS_ERR_DENIED : PS_ERR_IO, diag, path, NULL,
                       "cannot make the command socket: %s; use --socket", uv_strerror(result));
    }
    return PS_OK;
}

void ps_api_set_sources(PsApi *api, const PsApiSources *sources) {
    api->sources = *sources;
}

void ps_api_configure_log(PsApi *api, PsLogLevel level) {
    ps_log_hold_configure(api->log_hold, level);
}

static void on_listener_closed(uv_handle_t *handle) {
    handle_closed(handle->data);
}

void ps_api_close(PsApi *api, void (*closed)(void *ctx), void *ctx) {
    api->closing = true;
    api->closed = closed;
    api->closed_ctx = ctx;
    while (api->clients != NULL) {
        client_close(api->clients);
    }
    ps_log_hold_close(api->log_hold);
    api->log_hold = NULL;
    uv_close((uv_handle_t *)&api->listener, on_listener_closed);
}

// What a call waits for may end after the API, and then answers it.
void ps_api_free(PsApi *api) {
    if (api == NULL) {
        return; // the gateway could not be started
    }
    api->freed = true;
    if (api->calls == 0) {
        ps_api_users_free(api->users);
        free(api);
    }
}
