// OPC UA behind the driver contract: one plan per poll set, one session with the server for all of
// them. Runs on the channel's thread; read and connect block there.
#include "drivers/opcua/driver.h"

#include "base/mem.h"
#include "base/text.h"
#include "drivers/learned.h"
#include "drivers/opcua/session.h"
#include "drivers/tcp_connect.h"

#include <open62541/types_generated.h>
#include <open62541/types_generated_handling.h>
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

void ps_opcua_tell(const PsOpcuaSession *session, const PsOpcuaItem *item, const char *text,
                   PsDiag *diag) {
    const PsVariable *variable = &session->endpoint->config->variables[item->variable];
    char node[PS_OPCUA_NODE_TEXT];
    ps_opcua_node_format(&item->node, node, sizeof node);
    ps_diag_set(diag, NULL, NULL, "reading %.100s%s%s%s: %s", node,
                item->element[0] != '\0' ? "[" : "", item->element,
                item->element[0] != '\0' ? "]" : "", text);
    ps_text_format(diag->object, sizeof diag->object, "variable '%.40s' of device '%.40s'",
                   variable->name, variable->device_name);
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
    for (uint32_t s = 0; err == PS_OK && s < endpoint->set_count; s++) {
        const PsPollSet *set = &endpoint->sets[s];
        for (uint32_t i = 0; err == PS_OK && i < set->variable_count; i++) {
            const PsVariable *variable = &config->variables[set->variables[i]];
            err = check_variable(&config->devices[variable->device], variable, diag);
        }
    }
    return err;
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
    err = ps_opcua_connection_init(&session->connection, endpoint->state_folder, &session->base,
                                   diag);
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
    PsOpcuaPatience patience = {.timeout_ns = OPEN_TIMEOUT_NS, .session_ms = SESSION_MIN_MS};
    for (uint32_t i = 0; i < endpoint->device_count; i++) {
        int64_t timeout = ps_seconds_to_ns(endpoint->config->devices[endpoint->devices[i]].timeout);
        patience.timeout_ns = timeout > patience.timeout_ns ? timeout : patience.timeout_ns;
    }
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

PsErr ps_opcua_read_nodes(PsOpcuaSession *session, const UA_ReadValueId *asks, size_t count,
                          int64_t timeout_ns, UA_ReadResponse *ret_response,
                          UA_StatusCode *ret_status, PsDiag *diag) {
    char what[48];
    UA_ReadRequest request;
    UA_ReadRequest_init(&request);
    request.timestampsToReturn = UA_TIMESTAMPSTORETURN_NEITHER;
    request.nodesToRead = (UA_ReadValueId *)(uintptr_t)asks; // only encoded
    request.nodesToReadSize = count;
    snprintf(what, sizeof what, "reading %zu node%s", count, count == 1 ? "" : "s");
    PsOpcuaCall call = {what,
                        &request,
                        &UA_TYPES[UA_TYPES_READREQUEST],
                        ret_response,
                        &UA_TYPES[UA_TYPES_READRESPONSE],
                        timeout_ns};
    PsErr err = ps_opcua_call(&session->connection, &call, ret_status, diag);
    if (err == PS_OK && *ret_status == UA_STATUSCODE_GOOD && ret_response->resultsSize != count) {
        size_t got = ret_response->resultsSize;
        UA_ReadResponse_clear(ret_response);
        ps_opcua_connection_close(&session->connection);
        return ps_fail(PS_ERR_PROTOCOL, diag, NULL, NULL,
                       "%s: the server answered with %zu results; update or correct the server",
                       what, got);
    }
    return err;
}

// One set being read.
typedef struct Reading {
    PsOpcuaSession *session;
    PsOpcuaPlan *plan;
    PsSampleBatch *batch;
    PsDiag *diag; // the first refusal
} Reading;

static void note_refusal(Reading *reading, const PsOpcuaItem *item, const char *text) {
    if (reading->diag->text[0] == '\0') {
        ps_opcua_tell(reading->session, item, text, reading->diag);
    }
}

static void add_answered(Reading *reading, uint32_t first, const UA_ReadResponse *response) {
    const PsConfig *config = reading->session->endpoint->config;
    for (size_t i = 0; i < response->resultsSize; i++) {
        PsOpcuaItem *item = &reading->plan->items[reading->plan->asked[first + i]];
        const UA_DataValue *data = &response->results[i];
        PsOpcuaWhy why;
        PsValue value;
        PsQuality quality = ps_opcua_decode(&config->variables[item->variable], data,
                                            reading->session->text, &value, &why);
        if (data->hasValue && data->value.type != NULL) {
            item->type = (uint8_t)ps_opcua_type_number(&data->value);
        }
        if (why.text[0] != '\0') {
            note_refusal(reading, item, why.text);
        }
        ps_sample_batch_add(reading->batch, item->variable, quality, value);
    }
}

static void add_refused(Reading *reading, uint32_t first, uint32_t count, UA_StatusCode status) {
    char words[240];
    ps_opcua_status_words(status, words, sizeof words);
    for (uint32_t i = first; i < first + count; i++) {
        const PsOpcuaItem *item = &reading->plan->items[reading->plan->asked[i]];
        note_refusal(reading, item, words);
        ps_sample_batch_add(reading->batch, item->variable, PS_QUALITY_REFUSED, ps_value_none());
    }
}

static void add_homeless(Reading *reading) {
    for (uint32_t i = 0; i < reading->plan->item_count; i++) {
        const PsOpcuaItem *item = &reading->plan->items[i];
        if (item->homeless) {
            note_refusal(reading, item,
                         "the server has no namespace with this URI; penstock browse shows those "
                         "it has");
            ps_sample_batch_add(reading->batch, item->variable, PS_QUALITY_REFUSED,
                                ps_value_none());
        }
    }
}

// Nodes in one request: what the server says, or less when it has refused as many.
static uint32_t most_nodes(PsOpcuaSession *session) {
    PsLearned *learned = session->endpoint->learned;
    uint32_t offered = session->connection.limits.read;
    if (ps_learned_max_is_due(learned, 0, 0, ps_mono_now())) {
        ps_learned_forget_max(learned, 0, 0); // it may take more by now
        session->most = offered;
    }
    uint32_t most = ps_learned_max(learned, 0, 0, offered);
    most = most < session->most ? most : session->most;
    return most < offered ? most : offered;
}

static PsErr read_asks(Reading *reading, int64_t timeout_ns, PsDiag *diag) {
    PsOpcuaSession *session = reading->session;
    PsLearned *learned = session->endpoint->learned;
    for (uint32_t at = 0; at < reading->plan->ask_count;) {
        uint32_t left = reading->plan->ask_count - at;
        uint32_t most = most_nodes(session);
        uint32_t count = left < most ? left : most;
        UA_ReadResponse response;
        UA_StatusCode status = UA_STATUSCODE_GOOD;
        UA_ReadResponse_init(&response);
        PsErr err = ps_opcua_read_nodes(session, &reading->plan->asks[at], count, timeout_ns,
                                        &response, &status, diag);
        if (err != PS_OK) {
            return err;
        }
        if (ps_opcua_status_is_too_much(status) && count > 1) {
            session->most = count / 2;
            ps_learned_set_max(learned, 0, 0, count / 2, ps_mono_now());
            UA_ReadResponse_clear(&response);
            continue;
        }
        if (status == UA_STATUSCODE_GOOD) {
            add_answered(reading, at, &response);
        } else {
            add_refused(reading, at, count, status);
        }
        UA_ReadResponse_clear(&response);
        at += count;
    }
    return PS_OK;
}

static PsErr end_doomed(PsOpcuaSession *session, int64_t timeout_ns, PsDiag *diag) {
    PsErr err = PS_OK;
    while (err == PS_OK && session->doomed_count > 0) {
        uint32_t id = session->doomed[--session->doomed_count];
        err = ps_opcua_subscription_delete(&session->connection, id, timeout_ns, diag);
    }
    return err;
}

// Where nothing is asked for, because everything comes by itself, something small is: what came is
// current only as long as the server answers.
static PsErr read_proof(PsOpcuaSession *session, int64_t timeout_ns, PsDiag *diag) {
    UA_ReadValueId ask = {.nodeId = UA_NODEID_NUMERIC(0, UA_NS0ID_SERVER_SERVERSTATUS_STATE),
                          .attributeId = UA_ATTRIBUTEID_VALUE};
    UA_ReadResponse response;
    UA_StatusCode status = UA_STATUSCODE_GOOD;
    UA_ReadResponse_init(&response);
    PsErr err = ps_opcua_read_nodes(session, &ask, 1, timeout_ns, &response, &status, diag);
    if (err == PS_OK) {
        UA_ReadResponse_clear(&response);
    }
    return err;
}

static void add_watched(Reading *reading, const PsOpcuaSubscription *subscription) {
    for (uint32_t i = 0; i < subscription->count; i++) {
        const PsOpcuaWatch *watch = &subscription->watches[i];
        const PsOpcuaItem *item = &reading->plan->items[watch->item];
        if (item->watched) {
            if (watch->why != NULL) {
                note_refusal(reading, item, watch->why);
            }
            ps_sample_batch_add(reading->batch, item->variable, (PsQuality)watch->quality,
                                watch->value);
        }
    }
}

// All values of the set into the batch. *ret_again: a subscription was lost meanwhile, so that some
// are missing.
static PsErr read_set(Reading *reading, PsOpcuaSubscription *subscription, int64_t timeout_ns,
                      bool *ret_again, PsDiag *diag) {
    PsOpcuaSession *session = reading->session;
    PsOpcuaPlan *plan = reading->plan;
    if (subscription->changed) {
        ps_opcua_subscription_mark(subscription, plan);
    }
    if (!plan->bound) {
        ps_opcua_plan_bind(plan, session->connection.namespaces,
                           session->connection.namespace_count);
    }
    bool quiet = plan->ask_count == 0 && subscription->id != 0;
    PsErr err =
        quiet ? read_proof(session, timeout_ns, diag) : read_asks(reading, timeout_ns, diag);
    if (err != PS_OK) {
        return err;
    }
    if (subscription->id != 0) {
        ps_opcua_connection_drain(&session->connection);
    }
    *ret_again = subscription->changed && subscription->id == 0;
    if (!*ret_again) {
        add_watched(reading, subscription);
        add_homeless(reading);
    }
    return PS_OK;
}

static PsErr session_read(PsSession *base, uint32_t set, PsSampleBatch *batch, PsDiag *diag) {
    PsOpcuaSession *session = ps_opcua_session(base);
    PS_ASSERT(set < session->endpoint->set_count);
    const PsPollSet *poll = &session->endpoint->sets[set];
    PsOpcuaSubscription *subscription = &session->subscriptions[set];
    Reading reading = {session, &session->plans[set], batch, diag};
    int64_t timeout_ns = ps_opcua_timeout_ns(session, poll->device);
    double interval_ms = session->endpoint->config->groups[poll->group].polling_interval * 1e3;
    uint32_t samples_before = batch->sample_count;
    uint32_t text_before = batch->text_used;
    PsDiag failure = {0};
    bool again = true;
    PsErr err = ps_opcua_ready(session, diag);
    if (err != PS_OK) {
        return err;
    }
    diag->text[0] = '\0';
    err = end_doomed(session, timeout_ns, &failure);
    err = err != PS_OK
              ? err
              : ps_opcua_subscription_make(subscription, &session->connection, &session->plans[set],
                                           interval_ms, timeout_ns, &failure);
    for (int i = 0; err == PS_OK && again && i < 2; i++) {
        batch->sample_count = samples_before;
        batch->text_used = text_before;
        diag->text[0] = '\0';
        err = read_set(&reading, subscription, timeout_ns, &again, &failure);
    }
    if (err != PS_OK) {
        batch->sample_count = samples_before;
        batch->text_used = text_before;
        *diag = failure;
    }
    return err;
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
    .read = session_read,
    .write = ps_opcua_write,
    .peek = ps_opcua_peek,
    .browse = ps_opcua_browse,
    .interrupt = session_interrupt,
    .free = session_free,
};
