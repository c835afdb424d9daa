// Bringing a connection up: resolve, TCP, TLS, CONNACK, each with its own time limit, one table
// entry each. Link thread; only the reading of certificate files can wait for the disk.
//
// libmosquitto is handed one numeric address at a time: it would ask the resolver again (blocking)
// and, when connecting asynchronously, stay with the first address.
#include "link/attempt.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define PASSWORD_LIMIT ((size_t)4096)

static PsMono after_ms(PsMono now, int ms) {
    return ps_mono_add_ns(now, ms * PS_NS_PER_MS);
}

static void drop_handle(PsAttempt *attempt) {
    if (attempt->handle != NULL) {
        mosquitto_destroy(attempt->handle); // closes the socket
        attempt->handle = NULL;
    }
    ps_tls_free(attempt->tls);
    attempt->tls = NULL;
}

const char *ps_attempt_address(const PsAttempt *attempt) {
    if (attempt->addresses.count == 0) {
        return "";
    }
    size_t index = (attempt->address_first + attempt->address_tried) % attempt->addresses.count;
    return attempt->addresses.text[index];
}

// ---- opening a handle

static void on_connect(struct mosquitto *handle, void *object, int code) {
    ((PsAttempt *)object)->connack = code;
}

static PsErr fail_password(PsAttempt *attempt, const char *text) {
    PsLinkFailure failure;
    ps_link_failure_set(&failure, PS_STEP_FILES, 50, true,
                        "password_file: %.200s: %s; install the file or correct the path",
                        attempt->settings->cloud.password_file, text);
    ps_attempt_fail(attempt, &failure);
    return PS_ERR_INVALID;
}

// One line: who may only name the file must not get a key or a list of accounts sent to a server of
// his own.
static PsErr read_password(PsAttempt *attempt, PsBuf *secret) {
    PsDiag diag = {0};
    const char *path = attempt->settings->cloud.password_file;
    if (ps_file_read(path, PASSWORD_LIMIT, secret, &diag) != PS_OK) {
        return fail_password(attempt, diag.text);
    }
    while (secret->len > 0 && strchr("\r\n", secret->data[secret->len - 1]) != NULL) {
        secret->data[--secret->len] = '\0';
    }
    if (secret->len > 0 && (memchr(secret->data, '\n', secret->len) != NULL ||
                            memchr(secret->data, '\0', secret->len) != NULL)) {
        explicit_bzero(secret->data, secret->len);
        return fail_password(attempt, "holds more than one line, which no password does");
    }
    return PS_OK;
}

static PsErr set_password(PsAttempt *attempt) {
    const PsCloud *cloud = &attempt->settings->cloud;
    if (cloud->type == PS_CLOUD_AWS_IOT || cloud->username[0] == '\0') {
        return PS_OK;
    }
    PS_AUTO_BUF PsBuf secret = {0};
    if (cloud->password_file[0] != '\0' && read_password(attempt, &secret) != PS_OK) {
        return PS_ERR_INVALID;
    }
    int code = mosquitto_username_pw_set(attempt->handle, cloud->username,
                                         secret.data != NULL ? (const char *)secret.data : NULL);
    if (secret.data != NULL) {
        explicit_bzero(secret.data, secret.len);
    }
    return code == MOSQ_ERR_SUCCESS ? PS_OK : PS_ERR_INVALID;
}

static PsErr set_tls(PsAttempt *attempt) {
    if (!attempt->settings->tls) {
        return PS_OK;
    }
    const PsCloud *cloud = &attempt->settings->cloud;
    PsTlsSetup setup = {.host = cloud->endpoint,
                        .alpn = attempt->settings->alpn,
                        .root_ca = cloud->root_ca,
                        .cert = cloud->cert,
                        .key = cloud->key};
    PsLinkFailure failure;
    PsErr err = ps_tls_new(&setup, &attempt->tls, &failure);
    if (err != PS_OK) {
        ps_attempt_fail(attempt, &failure);
        return err;
    }
    mosquitto_void_option(attempt->handle, MOSQ_OPT_SSL_CTX, ps_tls_context(attempt->tls));
    mosquitto_int_option(attempt->handle, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
    return PS_OK;
}

static PsErr open_handle(PsAttempt *attempt) {
    const PsCloud *cloud = &attempt->settings->cloud;
    drop_handle(attempt);
    attempt->connack = -1;
    attempt->handle = mosquitto_new(cloud->client_id, cloud->clean_session, attempt);
    if (attempt->handle == NULL) {
        PsLinkFailure failure;
        ps_link_failure_set(&failure, PS_STEP_FILES, errno, true,
                            "the client id '%.128s' cannot be used; choose another",
                            cloud->client_id);
        ps_attempt_fail(attempt, &failure);
        return PS_ERR_INVALID;
    }
    bool old = cloud->type == PS_CLOUD_STANDARD_MQTT && cloud->mqtt_version == PS_MQTT_V31;
    mosquitto_int_option(attempt->handle, MOSQ_OPT_PROTOCOL_VERSION,
                         old ? MQTT_PROTOCOL_V31 : MQTT_PROTOCOL_V311);
    mosquitto_int_option(attempt->handle, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_max_inflight_messages_set(attempt->handle, PS_COUNT(attempt->slots));
    mosquitto_connect_callback_set(attempt->handle, on_connect);
    ps_session_callbacks(attempt->handle);
    PsErr err = set_password(attempt);
    return err == PS_OK ? set_tls(attempt) : err;
}

static void tcp_begin(PsAttempt *attempt, PsMono now) {
    if (open_handle(attempt) != PS_OK) {
        return;
    }
    attempt->stage = PS_STAGE_TCP;
    attempt->deadline = after_ms(now, attempt->settings->times.tcp_ms);
    attempt->tcp_error = 0;
    errno = 0;
    int code =
        mosquitto_connect_async(attempt->handle, ps_attempt_address(attempt),
                                attempt->settings->cloud.port, attempt->settings->keepalive_s);
    attempt->tcp_errno = errno;
    if (code == MOSQ_ERR_SUCCESS && mosquitto_socket(attempt->handle) >= 0) {
        return;
    }
    // A near server may have answered within the call, with a verdict of its own.
    PsLinkFailure failure;
    if (attempt->tls != NULL && ps_tls_is_done(attempt->tls)) {
        attempt->stage = PS_STAGE_CONNACK;
        ps_attempt_fail_library(attempt, code, attempt->tcp_errno);
    } else if (attempt->tls != NULL && ps_tls_explain(attempt->tls, &failure)) {
        ps_attempt_fail(attempt, &failure);
    } else {
        bool has_errno = code == MOSQ_ERR_ERRNO && attempt->tcp_errno != 0;
        int seen = attempt->tls != NULL ? ps_tls_socket_errno(attempt->tls) : 0;
        attempt->tcp_error = has_errno ? attempt->tcp_errno : seen != 0 ? seen : ECONNABORTED;
    }
}

// ---- the stages

static void dns_fail(PsAttempt *attempt, int eai) {
    const char *host = attempt->settings->cloud.endpoint;
    PsLinkWords words = ps_dns_words(eai);
    PsLinkFailure failure;
    ps_link_failure_set(&failure, PS_STEP_DNS, eai, false,
                        "'%.200s': %s (the resolver says: %s); %s", host, words.cause,
                        gai_strerror(eai), words.cure);
    ps_attempt_fail(attempt, &failure);
}

static void resolving_step(PsAttempt *attempt, short revents, PsMono now) {
    int eai = 0;
    if (ps_resolve_take(attempt->resolve, &eai, &attempt->addresses)) {
        ps_resolve_free(attempt->resolve);
        attempt->resolve = NULL;
        if (eai != 0) {
            dns_fail(attempt, eai);
        } else {
            tcp_begin(attempt, now);
        }
    } else if (now.ns >= attempt->deadline.ns) {
        PsLinkFailure failure;
        ps_link_failure_set(&failure, PS_STEP_DNS, -40, false,
                            "'%.200s': no answer from the resolver for %d s; check the gateway's "
                            "network and DNS server settings",
                            attempt->settings->cloud.endpoint,
                            attempt->settings->times.resolve_ms / 1000);
        ps_attempt_fail(attempt, &failure);
    }
}

// A connection that is reset has been accepted before: that is the next step's failure.
static bool is_after_connect(int error_number) {
    return error_number == ECONNRESET || error_number == EPIPE;
}

// An answer like "refused" says more than the "unreachable" of an address family that this
// network does not have.
static bool is_worse(int error_number) {
    return error_number != ENETUNREACH && error_number != EADDRNOTAVAIL;
}

static void tcp_next(PsAttempt *attempt, int error_number, PsMono now) {
    size_t used = strlen(attempt->tcp_story);
    snprintf(attempt->tcp_story + used, sizeof attempt->tcp_story - used, "%s%s: %s",
             used > 0 ? ", " : "", ps_attempt_address(attempt), strerror(error_number));
    if (attempt->tcp_worst == 0 || is_worse(error_number)) {
        attempt->tcp_worst = error_number;
    }
    attempt->address_tried++;
    if (attempt->address_tried < attempt->addresses.count) {
        tcp_begin(attempt, now);
        return;
    }
    PsLinkWords words = ps_tcp_words(attempt->tcp_worst);
    PsLinkFailure failure;
    ps_link_failure_set(&failure, PS_STEP_TCP, attempt->tcp_worst, false, "%.200s:%d %s (%s); %s",
                        attempt->settings->cloud.endpoint, attempt->settings->cloud.port,
                        words.cause, attempt->tcp_story, words.cure);
    ps_attempt_fail(attempt, &failure);
}

static void tcp_done(PsAttempt *attempt, PsMono now) {
    const PsLinkTimes *times = &attempt->settings->times;
    attempt->stage = attempt->settings->tls ? PS_STAGE_TLS : PS_STAGE_CONNACK;
    attempt->deadline = after_ms(now, attempt->settings->tls ? times->tls_ms : times->connack_ms);
}

// SO_ERROR, 0 when connected. A near server's refusal or reset can come so soon that libmosquitto's
// first write takes the error away: then there is no peer, and errno of that call tells which.
static int tcp_verdict(const PsAttempt *attempt) {
    int fd = mosquitto_socket(attempt->handle);
    int error_number = 0;
    socklen_t size = sizeof error_number;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error_number, &size) != 0) {
        return errno;
    }
    struct sockaddr_storage peer;
    size = sizeof peer;
    if (error_number == 0 && getpeername(fd, (struct sockaddr *)&peer, &size) != 0) {
        return attempt->tcp_errno == ECONNREFUSED ? ECONNREFUSED : ECONNRESET;
    }
    return error_number;
}

static void tcp_step(PsAttempt *attempt, short revents, PsMono now) {
    int error_number = attempt->tcp_error;
    bool ready = (revents & (POLLOUT | POLLERR | POLLHUP)) != 0;
    if (error_number == 0 && ready) {
        error_number = tcp_verdict(attempt);
        if (error_number == 0) {
            tcp_done(attempt, now);
            return;
        }
    }
    if (error_number == 0 && now.ns >= attempt->deadline.ns) {
        error_number = ETIMEDOUT;
    }
    if (is_after_connect(error_number)) {
        tcp_done(attempt, now);
        ps_attempt_fail_library(attempt, MOSQ_ERR_CONN_LOST, error_number);
    } else if (error_number != 0) {
        tcp_next(attempt, error_number, now);
    }
}

// One round of libmosquitto; reads first, because what a server said before it closed is worth
// more than the error of writing to it.
static void run_library(PsAttempt *attempt, short revents) {
    int code = MOSQ_ERR_SUCCESS;
    errno = 0;
    if ((revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
        code = mosquitto_loop_read(attempt->handle, 1);
    }
    if (code == MOSQ_ERR_SUCCESS && (revents & POLLOUT) != 0) {
        code = mosquitto_loop_write(attempt->handle, 1);
    }
    if (code == MOSQ_ERR_SUCCESS) {
        code = mosquitto_loop_misc(attempt->handle);
    }
    if (code != MOSQ_ERR_SUCCESS) {
        ps_attempt_fail_library(attempt, code, errno);
    }
}

static void check_connack(PsAttempt *attempt, PsMono now) {
    if (attempt->connack == 0) {
        attempt->stage = PS_STAGE_UP;
        if (attempt->tls != NULL) {
            ps_tls_settled(attempt->tls);
        }
        ps_session_begin(attempt, now);
    } else if (attempt->connack > 0) {
        ps_attempt_fail_library(attempt, MOSQ_ERR_CONN_REFUSED, 0);
    } else if (now.ns >= attempt->deadline.ns) {
        PsLinkFailure failure;
        ps_link_failure_set(&failure, PS_STEP_CONNECT, -22, false,
                            "no CONNACK for %d s; check that port %d is an MQTT server",
                            attempt->settings->times.connack_ms / 1000,
                            attempt->settings->cloud.port);
        ps_attempt_fail(attempt, &failure);
    }
}

static void tls_step(PsAttempt *attempt, short revents, PsMono now) {
    run_library(attempt, revents);
    if (attempt->stage != PS_STAGE_TLS) {
        return;
    }
    if (ps_tls_is_done(attempt->tls)) {
        attempt->stage = PS_STAGE_CONNACK;
        attempt->deadline = after_ms(now, attempt->settings->times.connack_ms);
        // The read that ended the handshake may have brought CONNACK with it.
        check_connack(attempt, now);
    } else if (now.ns >= attempt->deadline.ns) {
        PsLinkFailure failure;
        ps_link_failure_set(&failure, PS_STEP_TLS, -31, false,
                            "timed out: %s:%d accepted the connection, but did not finish the "
                            "handshake within %d s; check that it is a TLS port, and that no "
                            "firewall holds TLS back",
                            ps_attempt_address(attempt), attempt->settings->cloud.port,
                            attempt->settings->times.tls_ms / 1000);
        ps_attempt_fail(attempt, &failure);
    }
}

static void connack_step(PsAttempt *attempt, short revents, PsMono now) {
    run_library(attempt, revents);
    if (attempt->stage == PS_STAGE_CONNACK) {
        check_connack(attempt, now);
    }
}

static void up_step(PsAttempt *attempt, short revents, PsMono now) {
    run_library(attempt, revents);
    if (attempt->stage == PS_STAGE_UP) {
        ps_session_check(attempt, now);
    }
}

static void failed_step(PsAttempt *attempt, short revents, PsMono now) {
}

typedef void StageStep(PsAttempt *attempt, short revents, PsMono now);

static StageStep *const stage_steps[] = {
    [PS_STAGE_RESOLVING] = resolving_step,
    [PS_STAGE_TCP] = tcp_step,
    [PS_STAGE_TLS] = tls_step,
    [PS_STAGE_CONNACK] = connack_step,
    [PS_STAGE_UP] = up_step,
    [PS_STAGE_FAILED] = failed_step,
};

void ps_attempt_step(PsAttempt *attempt, short revents, PsMono now) {
    stage_steps[attempt->stage](attempt, revents, now);
}

struct pollfd ps_attempt_poll(const PsAttempt *attempt, bool hold_reading) {
    struct pollfd wait = {.fd = -1, .events = POLLIN};
    if (attempt->stage == PS_STAGE_RESOLVING) {
        wait.fd = ps_resolve_fd(attempt->resolve);
    } else if (attempt->handle != NULL && attempt->stage != PS_STAGE_FAILED) {
        wait.fd = mosquitto_socket(attempt->handle);
        bool connecting = attempt->stage == PS_STAGE_TCP;
        bool writes = connecting || mosquitto_want_write(attempt->handle);
        wait.events = (short)((connecting || hold_reading ? 0 : POLLIN) | (writes ? POLLOUT : 0));
    }
    return wait;
}

PsMono ps_attempt_wake_at(const PsAttempt *attempt, PsMono now) {
    bool at_once = attempt->stage == PS_STAGE_FAILED || attempt->tcp_error != 0;
    if (at_once) {
        return now;
    }
    return attempt->stage == PS_STAGE_UP ? ps_session_wake_at(attempt, now) : attempt->deadline;
}

PsAttempt *ps_attempt_new(const PsLinkSettings *settings, const PsAttemptEvents *events,
                          bool *refused, size_t address_first, PsMono now) {
    PsAttempt *attempt = ps_alloc(sizeof *attempt);
    attempt->settings = settings;
    attempt->events = *events;
    attempt->refused = refused;
    attempt->address_first = address_first;
    attempt->connack = -1;
    attempt->subscribe_mids = ps_alloc_array(settings->subscription_count, sizeof(int));
    attempt->deadline = after_ms(now, settings->times.resolve_ms);
    if (ps_resolve_start(settings->cloud.endpoint, &attempt->resolve) != PS_OK) {
        dns_fail(attempt, EAI_SYSTEM);
    }
    return attempt;
}

void ps_attempt_free(PsAttempt *attempt) {
    if (attempt == NULL) {
        return;
    }
    if (attempt->stage == PS_STAGE_UP) {
        mosquitto_disconnect(attempt->handle); // written at once when the socket has room
    }
    drop_handle(attempt);
    ps_resolve_free(attempt->resolve);
    free(attempt->subscribe_mids);
    free(attempt);
}
