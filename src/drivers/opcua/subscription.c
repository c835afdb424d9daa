// Subscriptions of a session. The library asks for notifications by itself while the client runs,
// which it does while a poll waits for its answers. Its callbacks know a subscription by its
// number, because the configuration may have changed since. Runs on the channel's thread; making
// and deleting block.
#include "drivers/opcua/subscription.h"

#include "base/mem.h"

#include <open62541/client_subscriptions.h>
#include <open62541/types_generated.h>
#include <open62541/types_generated_handling.h>
#include <stdlib.h>
#include <string.h>

#define PAUSE_NS (10 * PS_NS_PER_S) // before a subscription that was lost or refused is tried again
#define INTERVAL_MIN_MS 50.0
#define KEEP_ALIVE 10  // of these the server sends word that it lives
#define LIFETIME 10000 // of these without a request of ours it gives the subscription up

void ps_opcua_subscription_init(PsOpcuaSubscription *subscription, const PsConfig *config,
                                const PsOpcuaPlan *plan) {
    *subscription = (PsOpcuaSubscription){0};
    for (uint32_t i = 0; i < plan->item_count; i++) {
        subscription->count += config->variables[plan->items[i].variable].mode == PS_MODE_ONCHANGE;
    }
    subscription->watches = ps_alloc_array(subscription->count, sizeof *subscription->watches);
    uint32_t count = 0;
    for (uint32_t i = 0; i < plan->item_count; i++) {
        const PsVariable *variable = &config->variables[plan->items[i].variable];
        if (variable->mode == PS_MODE_ONCHANGE) {
            uint32_t room = ps_variable_text_size(variable);
            subscription->watches[count++] = (PsOpcuaWatch){
                .variable = variable, .item = i, .text = room > 0 ? ps_alloc(room) : NULL};
        }
    }
}

static void forget_value(PsOpcuaWatch *watch) {
    watch->has_value = false;
    watch->value = ps_value_none();
    free(watch->why);
    watch->why = NULL;
}

void ps_opcua_subscription_deinit(PsOpcuaSubscription *subscription) {
    for (uint32_t i = 0; i < subscription->count; i++) {
        forget_value(&subscription->watches[i]);
        free(subscription->watches[i].text);
    }
    free(subscription->watches);
    *subscription = (PsOpcuaSubscription){0};
}

void ps_opcua_subscription_forget(PsOpcuaSubscription *subscription) {
    for (uint32_t i = 0; i < subscription->count; i++) {
        forget_value(&subscription->watches[i]);
    }
    subscription->changed = true;
    subscription->id = 0;
    subscription->serial = 0;
}

void ps_opcua_subscription_mark(PsOpcuaSubscription *subscription, PsOpcuaPlan *plan) {
    for (uint32_t i = 0; i < subscription->count; i++) {
        const PsOpcuaWatch *watch = &subscription->watches[i];
        plan->items[watch->item].watched = watch->has_value;
    }
    subscription->changed = false;
    plan->bound = false;
}

// ---- what the library tells

static PsOpcuaSubscription *find(UA_Client *client, const void *serial) {
    PsOpcuaConnection *connection = UA_Client_getContext(client);
    for (uint32_t i = 0; i < connection->subscription_count; i++) {
        PsOpcuaSubscription *subscription = &connection->subscriptions[i];
        if (subscription->serial != 0 && subscription->serial == (uint32_t)(uintptr_t)serial) {
            return subscription;
        }
    }
    return NULL;
}

static void on_value(UA_Client *client, UA_UInt32 id, void *serial, UA_UInt32 item, void *number,
                     UA_DataValue *data) {
    PsOpcuaSubscription *subscription = find(client, serial);
    uint32_t at = (uint32_t)(uintptr_t)number;
    if (subscription == NULL || at >= subscription->count) {
        return; // of a configuration before
    }
    PsOpcuaWatch *watch = &subscription->watches[at];
    char text[PS_OPCUA_TEXT_MAX];
    PsOpcuaWhy why;
    bool first = !watch->has_value;
    forget_value(watch);
    watch->quality = (uint8_t)ps_opcua_decode(watch->variable, data, text, &watch->value, &why);
    if (watch->value.kind == PS_VALUE_TEXT) {
        memcpy(watch->text, watch->value.text, watch->value.text_len);
        watch->value.text = watch->text;
    }
    watch->why = why.text[0] != '\0' ? ps_strdup(why.text) : NULL;
    watch->has_value = true;
    subscription->changed = subscription->changed || first;
}

static void lose(PsOpcuaSubscription *subscription) {
    if (subscription != NULL) {
        ps_opcua_subscription_forget(subscription);
        subscription->not_before = ps_mono_add_ns(ps_mono_now(), PAUSE_NS);
    }
}

static void on_deleted(UA_Client *client, UA_UInt32 id, void *serial) {
    lose(find(client, serial));
}

static void on_status(UA_Client *client, UA_UInt32 id, void *serial,
                      UA_StatusChangeNotification *notification) {
    lose(find(client, serial));
}

void ps_opcua_subscription_silent(UA_Client *client, UA_UInt32 id, void *serial) {
    lose(find(client, serial));
}

// ---- making

static PsErr create(PsOpcuaSubscription *subscription, PsOpcuaConnection *connection,
                    double interval_ms, int64_t timeout_ns, PsDiag *diag) {
    UA_CreateSubscriptionRequest request = UA_CreateSubscriptionRequest_default();
    UA_CreateSubscriptionResponse response;
    UA_StatusCode status = UA_STATUSCODE_GOOD;
    request.requestedPublishingInterval = interval_ms;
    request.requestedMaxKeepAliveCount = KEEP_ALIVE;
    request.requestedLifetimeCount = LIFETIME;
    subscription->serial = ++connection->last_serial;
    void *user =
        ps_opcua_begin(connection, &response, &UA_TYPES[UA_TYPES_CREATESUBSCRIPTIONRESPONSE]);
    UA_StatusCode sent = UA_Client_Subscriptions_create_async(
        connection->client, request, (void *)(uintptr_t)subscription->serial, on_status, on_deleted,
        ps_opcua_answer, user, NULL);
    PsOpcuaCall call = {.what = "subscribing",
                        .response = &response,
                        .response_type = &UA_TYPES[UA_TYPES_CREATESUBSCRIPTIONRESPONSE],
                        .timeout_ns = timeout_ns};
    PsErr err = ps_opcua_wait(connection, &call, sent, &status, diag);
    if (err == PS_OK) {
        subscription->id = status == UA_STATUSCODE_GOOD ? response.subscriptionId : 0;
        UA_CreateSubscriptionResponse_clear(&response);
    }
    return err;
}

// Monitored items for watches from number `first` on.
static PsErr watch_some(PsOpcuaSubscription *subscription, PsOpcuaConnection *connection,
                        const PsOpcuaPlan *plan, uint32_t first, uint32_t count, double interval_ms,
                        int64_t timeout_ns, PsDiag *diag) {
    UA_MonitoredItemCreateRequest *items = ps_alloc_array(count, sizeof *items);
    void **numbers = ps_alloc_array(count, sizeof *numbers);
    UA_Client_DataChangeNotificationCallback *callbacks = ps_alloc_array(count, sizeof *callbacks);
    UA_Client_DeleteMonitoredItemCallback *deletes = ps_alloc_array(count, sizeof *deletes);
    uint32_t used = 0;
    for (uint32_t i = first; i < first + count; i++) {
        const PsOpcuaItem *item = &plan->items[subscription->watches[i].item];
        UA_NodeId id;
        if (!ps_opcua_node_resolve(&item->node, connection->namespaces, connection->namespace_count,
                                   &id)) {
            continue;
        }
        items[used].itemToMonitor = ps_opcua_item_ask(item, &id);
        items[used].monitoringMode = UA_MONITORINGMODE_REPORTING;
        items[used].requestedParameters.samplingInterval = interval_ms;
        items[used].requestedParameters.queueSize = 1;
        items[used].requestedParameters.discardOldest = true;
        numbers[used] = (void *)(uintptr_t)i;
        callbacks[used++] = on_value;
    }
    UA_CreateMonitoredItemsRequest request;
    UA_CreateMonitoredItemsResponse response;
    UA_StatusCode status = UA_STATUSCODE_GOOD;
    UA_CreateMonitoredItemsRequest_init(&request);
    request.subscriptionId = subscription->id;
    request.timestampsToReturn = UA_TIMESTAMPSTORETURN_NEITHER;
    request.itemsToCreate = items;
    request.itemsToCreateSize = used;
    void *user =
        ps_opcua_begin(connection, &response, &UA_TYPES[UA_TYPES_CREATEMONITOREDITEMSRESPONSE]);
    PsErr err = PS_OK;
    if (used > 0) {
        UA_StatusCode sent = UA_Client_MonitoredItems_createDataChanges_async(
            connection->client, request, numbers, callbacks, deletes, ps_opcua_answer, user, NULL);
        PsOpcuaCall call = {.what = "watching nodes",
                            .response = &response,
                            .response_type = &UA_TYPES[UA_TYPES_CREATEMONITOREDITEMSRESPONSE],
                            .timeout_ns = timeout_ns};
        err = ps_opcua_wait(connection, &call, sent, &status, diag);
    }
    if (err == PS_OK && used > 0) {
        UA_CreateMonitoredItemsResponse_clear(&response); // those that were refused are read
    }
    free(items);
    free(numbers);
    free(callbacks);
    free(deletes);
    return err;
}

PsErr ps_opcua_subscription_make(PsOpcuaSubscription *subscription, PsOpcuaConnection *connection,
                                 const PsOpcuaPlan *plan, double interval_ms, int64_t timeout_ns,
                                 PsDiag *diag) {
    PsMono now = ps_mono_now();
    if (subscription->count == 0 || subscription->id != 0 || now.ns < subscription->not_before.ns) {
        return PS_OK;
    }
    interval_ms = interval_ms < INTERVAL_MIN_MS ? INTERVAL_MIN_MS : interval_ms;
    subscription->not_before = ps_mono_add_ns(now, PAUSE_NS);
    PsErr err = create(subscription, connection, interval_ms, timeout_ns, diag);
    for (uint32_t at = 0; err == PS_OK && subscription->id != 0 && at < subscription->count;) {
        uint32_t left = subscription->count - at;
        uint32_t most = connection->limits.monitor;
        uint32_t count = left < most ? left : most;
        err = watch_some(subscription, connection, plan, at, count, interval_ms, timeout_ns, diag);
        at += count;
    }
    return err;
}

PsErr ps_opcua_subscription_delete(PsOpcuaConnection *connection, uint32_t id, int64_t timeout_ns,
                                   PsDiag *diag) {
    UA_DeleteSubscriptionsRequest request;
    UA_DeleteSubscriptionsResponse response;
    UA_StatusCode status = UA_STATUSCODE_GOOD;
    UA_DeleteSubscriptionsRequest_init(&request);
    request.subscriptionIds = &id;
    request.subscriptionIdsSize = 1;
    void *user =
        ps_opcua_begin(connection, &response, &UA_TYPES[UA_TYPES_DELETESUBSCRIPTIONSRESPONSE]);
    UA_StatusCode sent = UA_Client_Subscriptions_delete_async(connection->client, request,
                                                              ps_opcua_answer, user, NULL);
    PsOpcuaCall call = {.what = "ending a subscription",
                        .response = &response,
                        .response_type = &UA_TYPES[UA_TYPES_DELETESUBSCRIPTIONSRESPONSE],
                        .timeout_ns = timeout_ns};
    PsErr err = ps_opcua_wait(connection, &call, sent, &status, diag);
    if (err == PS_OK) {
        UA_DeleteSubscriptionsResponse_clear(&response);
    }
    return err;
}
