// Asks penstock-script what is wrong with scripts, over one socket that is its standard input and
// output. Blocks; any thread.
#include "script/compile.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_NS (90 * PS_NS_PER_S)
#define ANSWER_MAX ((size_t)16 * 1024 * 1024)
#define STEP ((size_t)64 * 1024)

extern char **environ;

// One script in the order they are sent.
typedef struct Script {
    const char *kind;
    const char *name;
    const char *path;
    const char *main_function;
    const PsBuf *source;
} Script;

static uint32_t list_scripts(const PsConfig *config, Script *scripts) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < config->publish_count; i++) {
        const PsPublish *publish = &config->publish[i];
        scripts[count++] = (Script){"publish", publish->name, publish->script,
                                    publish->main_function, &publish->source};
    }
    for (uint32_t i = 0; i < config->subscribe_count; i++) {
        const PsSubscribe *subscribe = &config->subscribe[i];
        scripts[count++] = (Script){"subscribe", subscribe->name, subscribe->script,
                                    subscribe->main_function, &subscribe->source};
    }
    return count;
}

// --- the process --------------------------------------------------------------------------------

static PsErr spawn(const char *program, int fd, pid_t *ret_pid, PsDiag *diag) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none); // libuv's worker threads block all signals
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    char *const arguments[] = {(char *)(uintptr_t)program, (char *)(uintptr_t)"--check", NULL};
    int failure = posix_spawn(ret_pid, program, &actions, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failure == 0 ? PS_OK
                        : ps_fail(PS_ERR_IO, diag, program, NULL, "cannot be started: %s",
                                  strerror(failure));
}

// What is left to send goes out as far as the socket takes it.
static bool send_some(int fd, const PsBuf *question, size_t *sent) {
    ssize_t put =
        send(fd, question->data + *sent, question->len - *sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put < 0 && (errno == EAGAIN || errno == EINTR)) {
        return true;
    }
    *sent += put > 0 ? (size_t)put : 0;
    if (*sent == question->len) {
        shutdown(fd, SHUT_WR);
    }
    return put >= 0;
}

// PS_OK when the other side has closed.
static PsErr converse(int fd, const PsBuf *question, PsBuf *answer) {
    size_t sent = 0;
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), PATIENCE_NS);
    while (answer->len <= ANSWER_MAX) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        wait.events |= sent < question->len ? POLLOUT : 0;
        int ready = poll(&wait, 1, ps_mono_poll_ms(ps_mono_now(), deadline));
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        if (ready <= 0) {
            return PS_ERR_TIMEOUT;
        }
        if ((wait.revents & POLLOUT) != 0 && !send_some(fd, question, &sent)) {
            return PS_ERR_CLOSED;
        }
        if ((wait.revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
            ps_buf_reserve(answer, STEP);
            ssize_t got = recv(fd, answer->data + answer->len, STEP, MSG_DONTWAIT);
            if (got == 0) {
                return PS_OK;
            }
            if (got < 0 && errno != EAGAIN && errno != EINTR) {
                return PS_ERR_CLOSED;
            }
            answer->len += got > 0 ? (size_t)got : 0;
        }
    }
    return PS_ERR_TOO_BIG;
}

static PsErr end_process(pid_t pid, PsErr err, PsDiag *diag) {
    int status = 0;
    if (err != PS_OK) {
        kill(pid, SIGKILL);
    }
    pid_t ended = -1;
    do {
        ended = waitpid(pid, &status, 0);
    } while (ended < 0 && errno == EINTR);
    if (err == PS_ERR_TIMEOUT) {
        return ps_fail(err, diag, "scripts", NULL, "were not compiled within %lld s",
                       (long long)(PATIENCE_NS / PS_NS_PER_S));
    }
    if (err != PS_OK || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return ps_fail(PS_ERR_IO, diag, "scripts", NULL,
                       "cannot be compiled: penstock-script ended with %s %d",
                       WIFSIGNALED(status) ? "signal" : "status",
                       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
    return PS_OK;
}

static PsErr ask(const char *program, const PsBuf *question, PsBuf *answer, PsDiag *diag) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return ps_fail(PS_ERR_IO, diag, "scripts", NULL, "cannot be compiled: %s", strerror(errno));
    }
    PS_AUTO_FD int mine = pair[0];
    pid_t pid = 0;
    PsErr err = spawn(program, pair[1], &pid, diag);
    close(pair[1]);
    return err == PS_OK ? end_process(pid, converse(mine, question, answer), diag) : err;
}

// --- what it says -------------------------------------------------------------------------------

static void put_finding(const PsConfig *config, const Script *script, const json_t *row,
                        PsFindings *findings) {
    long long line = (long long)json_integer_value(json_array_get(row, 1));
    const char *text = json_string_value(json_array_get(row, 2));
    char object[128];
    char place[32] = "main_function";
    snprintf(object, sizeof object, "%s '%.100s'", script->kind, script->name);
    if (line > 0) {
        snprintf(place, sizeof place, "line %lld", line);
    }
    ps_findings_error(findings, ps_config_short_path(config, script->path), object, place, "%.300s",
                      text != NULL ? text : "cannot be compiled");
}

static PsErr take_answer(const PsConfig *config, const Script *scripts, uint32_t count,
                         const PsBuf *answer, PsFindings *findings, PsDiag *diag) {
    json_t *list = json_loadb((const char *)answer->data, answer->len, 0, NULL);
    if (!json_is_array(list)) {
        json_decref(list);
        return ps_fail(PS_ERR_PROTOCOL, diag, "scripts", NULL,
                       "cannot be compiled: penstock-script answers something else; is it of "
                       "another version?");
    }
    size_t found = json_array_size(list);
    for (size_t i = 0; i < found; i++) {
        const json_t *row = json_array_get(list, i);
        json_int_t number = json_integer_value(json_array_get(row, 0));
        if (number >= 0 && number < count) {
            put_finding(config, &scripts[number], row, findings);
        }
    }
    json_decref(list);
    return found == 0 ? PS_OK
                      : ps_fail(PS_ERR_INVALID, diag, "scripts", NULL, "%zu have mistakes", found);
}

PsErr ps_script_compile(const char *program, const PsConfig *config, PsFindings *findings,
                        PsDiag *diag) {
    PS_AUTO_FREE Script *scripts =
        ps_alloc_array(config->publish_count + config->subscribe_count + 1, sizeof *scripts);
    uint32_t count = list_scripts(config, scripts);
    if (count == 0) {
        return PS_OK;
    }
    PS_AUTO_BUF PsBuf question = {0};
    PS_AUTO_BUF PsBuf answer = {0};
    for (uint32_t i = 0; i < count; i++) {
        ps_buf_put_text(&question, scripts[i].main_function);
        ps_buf_put_bytes(&question, scripts[i].source->data, scripts[i].source->len);
    }
    PsErr err = ask(program, &question, &answer, diag);
    return err == PS_OK ? take_answer(config, scripts, count, &answer, findings, diag) : err;
}
