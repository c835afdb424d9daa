// EtherNet/IP behind the driver contract: one plan per poll set, one connection for all of them.
// Runs on the channel's thread; read, write, peek, browse and connect block there.
#include "drivers/eip/driver.h"

#include "base/mem.h"
#include "drivers/eip/describe.h"
#include "drivers/eip/session.h"
#include "drivers/endpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A CIP connection outlives so many polls that fail to come.
#define IDLE_POLLS 4

static PsEipSession *eip_session(PsSession *session) {
    PS_ASSERT(session->driver == &ps_eip_driver);
    return (PsEipSession *)session;
}

// The route is part of it: several controllers may sit behind one Ethernet module, each with a
// connection of its own.
static void endpoint_key(const PsConfig *config, const PsDevice *device, char *out, size_t size) {
    (void)config;
    PsEipRoute route = {.text = "?"};
    PsErr err = ps_eip_route_parse(device, &route, NULL);
    bool usual = err == PS_OK && strcmp(route.text, "1,0") == 0;
    bool is_ipv6 = strchr(device->ip, ':') != NULL;
    snprintf(out, size, "%s%.60s%s:%d%s%.50s", is_ipv6 ? "[" : "", device->ip, is_ipv6 ? "]" : "",
             device->port, usual ? "" : "/", usual ? "" : route.text);
}

static void free_plans(PsEipPlan *plans, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        ps_eip_plan_deinit(&plans[i]);
    }
    free(plans);
}

static void session_free(PsSession *base) {
    if (base == NULL) {
        return;
    }
    PsEipSession *session = eip_session(base);
    if (session->connection_ready) {
        ps_eip_connection_deinit(&session->connection);
    }
    free_plans(session->plans, session->endpoint->set_count);
    ps_buf_deinit(&session->message);
    free(session);
}

static void take_endpoint(PsEipSession *session, const PsEndpoint *endpoint) {
    const PsConfig *config = endpoint->config;
    session->endpoint = endpoint;
    session->plans = ps_alloc_array(endpoint->set_count, sizeof *session->plans);
    session->connect_timeout_ns = ps_endpoint_timeout_ns(endpoint);
    session->idle_ns = 0;
    for (uint32_t i = 0; i < endpoint->set_count; i++) {
        const PsPollSet *set = &endpoint->sets[i];
        ps_eip_plan_init(&session->plans[i], config, set);
        bool known = config->groups != NULL && set->group < config->group_count;
        int64_t idle = known ? ps_seconds_to_ns(config->groups[set->group].polling_interval) : 0;
        session->idle_ns = idle > session->idle_ns ? idle : session->idle_ns;
    }
    session->idle_ns *= IDLE_POLLS;
}

static PsErr session_new(const PsEndpoint *endpoint, PsSession **ret_session, PsDiag *diag) {
    PS_ASSERT(endpoint->device_count > 0);
    const PsDevice *first = &endpoint->config->devices[endpoint->devices[0]];
    PsEipTarget target = {.host = first->ip, .port = first->port, .connected = first->connected};
    PsErr err = ps_endpoint_check(endpoint, ps_eip_check_variable, diag);
    err = err != PS_OK ? err : ps_eip_route_parse(first, &target.route, diag);
    if (err != PS_OK) {
        return err;
    }
    PsEipSession *session = ps_alloc(sizeof *session);
    session->base.driver = &ps_eip_driver;
    err = ps_eip_connection_init(&session->connection, &target, &session->base, diag);
    session->connection_ready = true;
    take_endpoint(session, endpoint);
    if (err != PS_OK) {
        session_free(&session->base);
        return err;
    }
    *ret_session = &session->base;
    return PS_OK;
}

static bool session_replan(PsSession *base, const PsEndpoint *endpoint) {
    PsEipSession *session = eip_session(base);
    uint32_t count_before = session->endpoint->set_count;
    PsEipPlan *plans_before = session->plans;
    take_endpoint(session, endpoint);
    for (uint32_t i = 0; i < endpoint->set_count; i++) {
        for (uint32_t j = 0; j < count_before; j++) {
            ps_eip_plan_follow(&session->plans[i], &plans_before[j]);
        }
    }
    free_plans(plans_before, count_before);
    bool connected = endpoint->config->devices[endpoint->devices[0]].connected;
    bool same = connected == session->connection.target.connected;
    session->connection.target.connected = connected;
    if (!same) {
        ps_eip_connection_close(&session->connection);
    }
    return same;
}

static PsErr session_connect(PsSession *base, PsDiag *diag) {
    PsEipSession *session = eip_session(base);
    PsEipConnection *connection = &session->connection;
    PsErr err =
        ps_eip_connection_open(connection, session->connect_timeout_ns, session->idle_ns, diag);
    if (err != PS_OK) {
        return err;
    }
    for (uint32_t i = 0; i < session->endpoint->set_count; i++) {
        session->plans[i].unpacked = true; // messages may have another size now
        if (!connection->closed_by_timeout) {
            // The controller may have been given another program: what it refused then, it may
            // have now.
            ps_eip_plan_forgive(&session->plans[i]);
        }
    }
    if (!connection->closed_by_timeout) {
        memset(session->shapes, 0, sizeof session->shapes);
        memset(session->answer_max, 0, sizeof session->answer_max);
        session->no_multiple = false;
    }
    connection->closed_by_timeout = false;
    return PS_OK;
}

static bool session_connected(const PsSession *base) {
    const PsEipSession *session = (const PsEipSession *)base;
    return ps_eip_connection_is_open(&session->connection);
}

static void session_disconnect(PsSession *base) {
    ps_eip_connection_close(&eip_session(base)->connection);
}

static void session_interrupt(PsSession *base) {
    ps_eip_connection_interrupt(&eip_session(base)->connection);
}

int64_t ps_eip_timeout(const PsEipSession *session, uint32_t device) {
    return ps_seconds_to_ns(session->endpoint->config->devices[device].timeout);
}

// The catalogue numbers of all Micro800 begin so.
uint16_t ps_eip_index_type(const PsEipSession *session, uint16_t type) {
    bool micro = strncmp(session->connection.identity.product, "2080-", strlen("2080-")) == 0;
    return micro && type == PS_EIP_TYPE_DWORD ? 0 : type;
}

static PsErr session_read(PsSession *base, uint32_t set, PsSampleBatch *batch, PsDiag *diag) {
    PsEipSession *session = eip_session(base);
    PS_ASSERT(set < session->endpoint->set_count);
    return ps_eip_read(session, set, batch, diag);
}

static PsErr session_write(PsSession *base, uint32_t variable, PsValue value,
                           PsValue *ret_read_back, PsDiag *diag) {
    return ps_eip_write(eip_session(base), variable, value, ret_read_back, diag);
}

static PsErr session_peek(PsSession *base, uint32_t variable, PsPeek *peek, PsDiag *diag) {
    return ps_eip_peek(eip_session(base), variable, peek, diag);
}

static PsErr session_browse(PsSession *base, uint32_t device, PsBrowse *browse, PsDiag *diag) {
    return ps_eip_browse(eip_session(base), device, browse, diag);
}

const PsDriver ps_eip_driver = {
    .protocol = PS_PROTOCOL_ETHERNET_IP,
    .check_variable = ps_eip_check_variable,
    .endpoint_key = endpoint_key,
    .describe = ps_eip_describe,
    .session_new = session_new,
    .replan = session_replan,
    .connect = session_connect,
    .connected = session_connected,
    .disconnect = session_disconnect,
    .read = session_read,
    .write = session_write,
    .peek = session_peek,
    .browse = session_browse,
    .interrupt = session_interrupt,
    .free = session_free,
};
