// What it means when libmosquitto or the server ended an attempt: by its stage, the code and what
// the TLS callbacks saw. Link thread.
#include "link/attempt.h"

#include <errno.h>
#include <string.h>

void ps_attempt_fail(PsAttempt *attempt, const PsLinkFailure *failure) {
    if (attempt->stage != PS_STAGE_FAILED) {
        attempt->failure = *failure;
        attempt->stage = PS_STAGE_FAILED;
    }
}

static void fail_connect(PsAttempt *attempt, int code) {
    const PsLinkSettings *settings = attempt->settings;
    PsLinkFailure failure;
    if (attempt->connack > 0) {
        PsLinkWords words = ps_connack_words(attempt->connack);
        ps_link_failure_set(&failure, PS_STEP_CONNECT, attempt->connack, true,
                            "CONNACK code %d, %s; %s", attempt->connack, words.cause, words.cure);
    } else if (code == MOSQ_ERR_PROTOCOL || code == MOSQ_ERR_MALFORMED_PACKET) {
        ps_link_failure_set(&failure, PS_STEP_CONNECT, -23, false,
                            "the server answers, but not with MQTT; check that endpoint and port "
                            "%d are those of the MQTT service",
                            settings->cloud.port);
    } else if (settings->cloud.type == PS_CLOUD_AWS_IOT) {
        ps_link_failure_set(
            &failure, PS_STEP_CONNECT, -20, true,
            "closed by the server without CONNACK; AWS IoT does this when the "
            "certificate's policy does not allow iot:Connect for client id '%.128s' "
            "or the certificate is not active: attach a policy that allows it",
            settings->cloud.client_id);
    } else {
        ps_link_failure_set(&failure, PS_STEP_CONNECT, -21, false,
                            "closed by the server without CONNACK (%s); check that port %d is an "
                            "MQTT server%s and that it takes client id '%.128s'",
                            mosquitto_strerror(code), settings->cloud.port,
                            settings->tls ? "" : " without TLS", settings->cloud.client_id);
    }
    ps_attempt_fail(attempt, &failure);
}

static void fail_tls(PsAttempt *attempt, int error_number) {
    PsLinkFailure failure;
    bool reset = error_number == ECONNRESET || error_number == EPIPE;
    ps_link_failure_set(&failure, PS_STEP_TLS, -30, false,
                        "%s:%d %s during the handshake; check that it is a TLS server, and that "
                        "no firewall cuts TLS",
                        ps_attempt_address(attempt), attempt->settings->cloud.port,
                        reset ? "reset the connection" : "closed the connection");
    ps_attempt_fail(attempt, &failure);
}

// A write to a server that has just hung up fails before its end of the stream is read, and
// libmosquitto says EPROTO for whatever ends a TLS stream without an alert (alerts were looked at
// before): all one event for a person.
static bool is_hang_up(int code, int error_number) {
    bool cut = error_number == EPIPE || error_number == ECONNRESET || error_number == EPROTO;
    return code == MOSQ_ERR_CONN_LOST || code == MOSQ_ERR_TLS || (code == MOSQ_ERR_ERRNO && cut);
}

static void fail_session(PsAttempt *attempt, int code, int error_number) {
    PsLinkFailure failure;
    if (code == MOSQ_ERR_KEEPALIVE) {
        ps_link_failure_set(&failure, PS_STEP_SESSION, code, false,
                            "no answer to PINGREQ within the keep-alive of %d s; check the network",
                            attempt->settings->keepalive_s);
    } else if (is_hang_up(code, error_number)) {
        ps_link_failure_set(&failure, PS_STEP_SESSION, PS_SESSION_HUNG_UP, false,
                            "closed by the server; if this repeats: another device uses the same "
                            "client id '%.128s', or the policy forbids a topic",
                            attempt->settings->cloud.client_id);
    } else if (code == MOSQ_ERR_ERRNO) {
        ps_link_failure_set(&failure, PS_STEP_SESSION, error_number, false,
                            "lost: %s; check the network", strerror(error_number));
    } else {
        ps_link_failure_set(&failure, PS_STEP_SESSION, code, false, "lost: %s; check the server",
                            mosquitto_strerror(code));
    }
    ps_attempt_fail(attempt, &failure);
}

void ps_attempt_fail_library(PsAttempt *attempt, int code, int error_number) {
    PsLinkFailure failure;
    // With TLS 1.3 the verdict on our certificate arrives when we believe to be through.
    if (attempt->tls != NULL) {
        ps_tls_last_words(attempt->tls);
    }
    if (attempt->tls != NULL && ps_tls_explain(attempt->tls, &failure)) {
        ps_attempt_fail(attempt, &failure);
    } else if (attempt->stage == PS_STAGE_TLS && !ps_tls_is_done(attempt->tls)) {
        fail_tls(attempt, error_number);
    } else if (attempt->stage != PS_STAGE_UP) {
        // Also when the end of the handshake and that of the connection came in one read.
        fail_connect(attempt, code);
    } else {
        fail_session(attempt, code, error_number);
    }
}
