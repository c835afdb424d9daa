// Reading a poll set: as few requests as the server allows, what comes by itself beside it, a
// sample for each variable. Runs on the channel's thread; blocks.
#include "base/text.h"
#include "drivers/learned.h"
#include "drivers/opcua/session.h"

#include <open62541/types_generated.h>
#include <open62541/types_generated_handling.h>
#include <stdio.h>

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

PsErr ps_opcua_read(PsSession *base, uint32_t set, PsSampleBatch *batch, PsDiag *diag) {
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
