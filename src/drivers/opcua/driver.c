// OPC UA behind the driver contract: one plan per poll set, one session with the server for all of
// them. Runs on the channel's thread; connect blocks there.
#include "drivers/opcua/driver.h"

#include "base/mem.h"
#include "drivers/endpoint.h"
#include "drivers/opcua/session.h"
#include "drivers/tcp_connect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Opening costs a server several RSA operations, a second or more on a small one.
#define OPEN_TIMEOUT_NS (5 * PS_NS_PER_S)
#define SESSION_MIN_MS 60e3
#define SESSION_MAX_MS 3600e3

PsOpcuaSession *ps_opcua_session(PsSession *session) {
    PS_ASSERT(session->driver == &ps_opcua_driver);
    return (PsOpcuaSession *)session;
}

int64_t ps_opcua_timeout_ns(const PsOpcuaSession *session, uint32_t device) {
    return ps_seconds_to_ns(session->endpoint->config->devices[device].timeout);
}

static PsErr check_variable(const PsDevice *device, const PsVariable *variable, PsDiag *diag) {
    PsOpcuaNode node = {0};
    PsErr err = ps_opcua_node_of(variable, &node, diag);
    ps_opcua_node_deinit(&node);
    if (err != PS_OK) {
        return err;
    }
    switch (variable->data_type) {
    case PS_TYPE_BCD:
    case PS_TYPE_BCD32:
    case PS_TYPE_S7STRING:
        return ps_fail(PS_ERR_INVALID, diag, NULL, "data_type",
                       "OPC UA has no %s; set data_type to AUTO, the server says the type",
                       ps_data_type_name(variable->data_type));
    default:
        return PS_OK;
    }
}

static void free_plans(PsOpcuaPlan *plans, PsOpcuaSubscription *subscriptions, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        ps_opcua_subscription_deinit(&subscriptions[i]);
        ps_opcua_plan_deinit(&plans[i]);
    }
    free(subscriptions);
    free(plans);
}

static void session_free(PsSession *base) {
    if (base == NULL) {
        return;
    }
    PsOpcuaSession *session = ps_opcua_session(base);
    if (session->connection_ready) {
        ps_opcua_connection_deinit(&session->connection);
    }
    if (session->plans != NULL) {
        free_plans(session->plans, session->subscriptions, session->endpoint->set_count);
    }
    free(session->doomed);
    free(session);
}

static PsErr check_endpoint(const PsEndpoint *endpoint, PsDiag *diag) {
    const PsConfig *config = endpoint->config;
    PsOpcuaAddress address;
    PsErr err = ps_opcua_address(&config->devices[endpoint->devices[0]], &address, diag);
    return err != PS_OK ? err : ps_endpoint_check(endpoint, check_variable, diag);
}

static void take_endpoint(PsOpcuaSession *session, const PsEndpoint *endpoint) {
    session->endpoint = endpoint;
    session->plans = ps_alloc_array(endpoint->set_count, sizeof *session->plans);
    session->subscriptions = ps_alloc_array(endpoint->set_count, sizeof *session->subscriptions);
    for (uint32_t i = 0; i < endpoint->set_count; i++) {
        ps_opcua_plan_init(&session->plans[i], endpoint->config, &endpoint->sets[i]);
        ps_opcua_subscription_init(&session->subscriptions[i], endpoint->config,
                                   &session->plans[i]);
    }
    session->connection.subscriptions = session->subscriptions;
    session->connection.subscription_count = endpoint->set_count;
}

static PsErr session_new(const PsEndpoint *endpoint, PsSession **ret_session, PsDiag *diag) {
    PS_ASSERT(endpoint->device_count > 0);
    PsErr err = check_endpoint(endpoint, diag);
    if (err != PS_OK) {
        return err;
    }
    PsOpcuaSession *session = ps_alloc(sizeof *session);
    session->base.driver = &ps_opcua_driver;
    err = ps_opcua_connection_init(&session->connection, endpoint, &session->base, diag);
    session->connection_ready = true;
    take_endpoint(session, endpoint);
    if (err != PS_OK) {
        session_free(&session->base);
        return err;
    }
    *ret_session = &session->base;
    return PS_OK;
}

static const PsDevice *first_device(const PsEndpoint *endpoint) {
    return &endpoint->config->devices[endpoint->devices[0]];
}

static bool same_text(const char *a, const char *b) {
    return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

// What the key does not say (address.c) and a session is made with.
static bool same_session(const PsDevice *a, const PsDevice *b) {
    return a->auth == b->auth && same_text(a->username, b->username) &&
           same_text(a->password_file, b->password_file) && same_text(a->cert, b->cert) &&
           same_text(a->key, b->key) && same_text(a->url, b->url) &&
           a->security_policy == b->security_policy && a->security_mode == b->security_mode;
}

// They are made anew for the new plans; the server is told at the next poll, because nothing may
// block here.
static void doom_subscriptions(PsOpcuaSession *session) {
    for (uint32_t i = 0; i < session->endpoint->set_count; i++) {
        uint32_t id = session->subscriptions[i].id;
        if (id != 0) {
            session->doomed =
                ps_grow_array(session->doomed, session->doomed_count + 1, sizeof *session->doomed);
            session->doomed[session->doomed_count++] = id;
        }
    }
}

static bool session_replan(PsSession *base, const PsEndpoint *endpoint) {
    PsOpcuaSession *session = ps_opcua_session(base);
    const PsEndpoint *before = session->endpoint;
    PsOpcuaPlan *plans_before = session->plans;
    PsOpcuaSubscription *subscriptions_before = session->subscriptions;
    bool same = same_session(first_device(before), first_device(endpoint));
    if (!same) {
        ps_opcua_connection_close(&session->connection);
    }
    doom_subscriptions(session);
    take_endpoint(session, endpoint);
    free_plans(plans_before, subscriptions_before, before->set_count);
    return same;
}

// The session must outlive the longest pause between two polls.
static PsOpcuaPatience patience_of(const PsEndpoint *endpoint) {
    int64_t timeout_ns = ps_endpoint_timeout_ns(endpoint);
    PsOpcuaPatience patience = {.timeout_ns =
                                    timeout_ns > OPEN_TIMEOUT_NS ? timeout_ns : OPEN_TIMEOUT_NS,
                                .session_ms = SESSION_MIN_MS};
    for (uint32_t i = 0; i < endpoint->set_count; i++) {
        double pause = endpoint->config->groups[endpoint->sets[i].group].polling_interval;
        double wanted = pause * 3 * 1e3;
        patience.session_ms = wanted > patience.session_ms ? wanted : patience.session_ms;
    }
    patience.session_ms =
        patience.session_ms < SESSION_MAX_MS ? patience.session_ms : SESSION_MAX_MS;
    return patience;
}

PsErr ps_opcua_ready(PsOpcuaSession *session, PsDiag *diag) {
    if (atomic_load(&session->connection.interrupted)) {
        return ps_tcp_fail_cancelled(diag);
    }
    return ps_opcua_connection_is_open(&session->connection)
               ? PS_OK
               : ps_fail(PS_ERR_CLOSED, diag, NULL, NULL, "not connected");
}

static PsErr session_connect(PsSession *base, PsDiag *diag) {
    PsOpcuaSession *session = ps_opcua_session(base);
    if (atomic_load(&session->connection.interrupted)) {
        return ps_tcp_fail_cancelled(diag);
    }
    if (ps_opcua_connection_is_open(&session->connection)) {
        return PS_OK;
    }
    for (uint32_t i = 0; i < session->endpoint->set_count; i++) {
        ps_opcua_subscription_forget(&session->subscriptions[i]); // namespaces may differ as well
        session->subscriptions[i].not_before = (PsMono){0};
    }
    session->doomed_count = 0; // they went with their session
    PsErr err = ps_opcua_connection_open(&session->connection, first_device(session->endpoint),
                                         patience_of(session->endpoint), diag);
    session->most = session->connection.limits.read;
    return err;
}

static bool session_connected(const PsSession *base) {
    return ps_opcua_connection_is_open(&((const PsOpcuaSession *)base)->connection);
}

static void session_disconnect(PsSession *base) {
    ps_opcua_connection_close(&ps_opcua_session(base)->connection);
}

static void session_interrupt(PsSession *base) {
    ps_opcua_connection_interrupt(&ps_opcua_session(base)->connection);
}

const PsDriver ps_opcua_driver = {
    .protocol = PS_PROTOCOL_OPCUA,
    .check_variable = check_variable,
    .endpoint_key = ps_opcua_endpoint_key,
    .describe = ps_opcua_describe,
    .session_new = session_new,
    .replan = session_replan,
    .connect = session_connect,
    .connected = session_connected,
    .disconnect = session_disconnect,
    .read = ps_opcua_read,
    .write = ps_opcua_write,
    .peek = ps_opcua_peek,
    .browse = ps_opcua_browse,
    .interrupt = session_interrupt,
    .free = session_free,
};
