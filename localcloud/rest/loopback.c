// Publishing without a broker. Main thread; nothing blocks.
#include "localcloud/rest/loopback.h"

#include "base/mem.h"
#include "base/time.h"

#include <mosquitto.h>
#include <stdlib.h>
#include <string.h>

#define SUBSCRIPTIONS_MAX 8
#define FILTERS_MAX 24
#define RETAINED_MAX 256

typedef struct Subscription {
    char *filters[FILTERS_MAX];
    size_t count;
    PsRestDeliver deliver; // NULL: free
    void *ctx;
} Subscription;

typedef struct Retained {
    char *topic;
    PsBuf payload;
    int qos;
    int64_t modified_ms;
} Retained;

struct PsLoopback {
    PsRestCloud cloud;
    Subscription subscriptions[SUBSCRIPTIONS_MAX];
    Retained retained[RETAINED_MAX]; // by topic
    size_t retained_count;
};

static bool matches(const Subscription *subscription, const char *topic) {
    bool any = false;
    for (size_t i = 0; i < subscription->count; i++) {
        bool one = false;
        any = any || (mosquitto_topic_matches_sub(subscription->filters[i], topic, &one) ==
                          MOSQ_ERR_SUCCESS &&
                      one);
    }
    return any;
}

static void drop_retained(PsLoopback *loopback, size_t index) {
    free(loopback->retained[index].topic);
    ps_buf_deinit(&loopback->retained[index].payload);
    loopback->retained_count--;
    memmove(&loopback->retained[index], &loopback->retained[index + 1],
            (loopback->retained_count - index) * sizeof(Retained));
}

static PsApiCode keep(PsLoopback *loopback, const PsRestMessage *message, PsApiFault *fault) {
    size_t index = 0;
    while (index < loopback->retained_count &&
           strcmp(loopback->retained[index].topic, message->topic) < 0) {
        index++;
    }
    bool there = index < loopback->retained_count &&
                 strcmp(loopback->retained[index].topic, message->topic) == 0;
    if (there) {
        drop_retained(loopback, index);
    }
    if (message->len == 0) {
        return PS_API_OK;
    }
    if (loopback->retained_count == RETAINED_MAX) {
        return ps_api_fail(PS_API_THROTTLING, fault, "%d messages are retained already",
                           RETAINED_MAX);
    }
    memmove(&loopback->retained[index + 1], &loopback->retained[index],
            (loopback->retained_count - index) * sizeof(Retained));
    loopback->retained_count++;
    loopback->retained[index] = (Retained){.topic = ps_strdup(message->topic),
                                           .qos = message->qos,
                                           .modified_ms = ps_wall_now().ns / PS_NS_PER_MS};
    ps_buf_put(&loopback->retained[index].payload, message->payload, message->len);
    return PS_API_OK;
}

static PsApiCode publish(void *ctx, const PsRestMessage *message, PsApiFault *fault) {
    PsLoopback *loopback = ctx;
    PsApiCode code = message->retain ? keep(loopback, message, fault) : PS_API_OK;
    PsRestMessage live = *message;
    live.retain = false;
    for (size_t i = 0; code == PS_API_OK && i < SUBSCRIPTIONS_MAX; i++) {
        const Subscription *subscription = &loopback->subscriptions[i];
        if (subscription->deliver != NULL && matches(subscription, message->topic)) {
            subscription->deliver(subscription->ctx, &live);
        }
    }
    return code;
}

static PsRestMessage retained_message(const Retained *retained) {
    return (PsRestMessage){.topic = retained->topic,
                           .payload = retained->payload.data,
                           .len = retained->payload.len,
                           .qos = retained->qos,
                           .retain = true,
                           .modified_ms = retained->modified_ms};
}

static bool retained_next(void *ctx, const char *after, PsRestMessage *ret_message) {
    const PsLoopback *loopback = ctx;
    for (size_t i = 0; i < loopback->retained_count; i++) {
        if (after == NULL || strcmp(loopback->retained[i].topic, after) > 0) {
            *ret_message = retained_message(&loopback->retained[i]);
            return true;
        }
    }
    return false;
}

static bool retained_find(void *ctx, const char *topic, PsRestMessage *ret_message) {
    const PsLoopback *loopback = ctx;
    for (size_t i = 0; i < loopback->retained_count; i++) {
        if (strcmp(loopback->retained[i].topic, topic) == 0) {
            *ret_message = retained_message(&loopback->retained[i]);
            return true;
        }
    }
    return false;
}

static PsApiCode disconnect_client(void *ctx, const char *client_id, bool clean_session,
                                   bool prevent_will, PsApiFault *fault) {
    return ps_api_fail(PS_API_NOT_FOUND, fault, "No client %s is connected", client_id);
}

static void unsubscribe(void *ctx, void *handle) {
    Subscription *subscription = handle;
    for (size_t i = 0; i < subscription->count; i++) {
        free(subscription->filters[i]);
    }
    *subscription = (Subscription){0};
}

static PsApiCode subscribe(void *ctx, const char *const *filters, size_t count,
                           PsRestDeliver deliver, void *deliver_ctx, void **ret_subscription,
                           PsApiFault *fault) {
    PsLoopback *loopback = ctx;
    Subscription *subscription = NULL;
    for (size_t i = 0; i < SUBSCRIPTIONS_MAX && subscription == NULL; i++) {
        if (loopback->subscriptions[i].deliver == NULL) {
            subscription = &loopback->subscriptions[i];
        }
    }
    if (subscription == NULL || count > FILTERS_MAX) {
        return ps_api_fail(PS_API_THROTTLING, fault, "too many subscriptions");
    }
    for (size_t i = 0; i < count; i++) {
        if (mosquitto_sub_topic_check(filters[i]) != MOSQ_ERR_SUCCESS) {
            return ps_api_fail(PS_API_INVALID_REQUEST, fault, "'%s' is not a topic filter",
                               filters[i]);
        }
    }
    *subscription = (Subscription){.count = count, .deliver = deliver, .ctx = deliver_ctx};
    for (size_t i = 0; i < count; i++) {
        subscription->filters[i] = ps_strdup(filters[i]);
        PsRestMessage message = {0};
        if (retained_find(ctx, filters[i], &message)) {
            deliver(deliver_ctx, &message);
        }
    }
    *ret_subscription = subscription;
    return PS_API_OK;
}

PsLoopback *ps_loopback_new(void) {
    PsLoopback *loopback = ps_alloc(sizeof *loopback);
    loopback->cloud = (PsRestCloud){.ctx = loopback,
                                    .publish = publish,
                                    .retained_next = retained_next,
                                    .retained_find = retained_find,
                                    .disconnect_client = disconnect_client,
                                    .subscribe = subscribe,
                                    .unsubscribe = unsubscribe};
    return loopback;
}

void ps_loopback_free(PsLoopback *loopback) {
    while (loopback != NULL && loopback->retained_count > 0) {
        drop_retained(loopback, loopback->retained_count - 1);
    }
    free(loopback);
}

const PsRestCloud *ps_loopback_cloud(const PsLoopback *loopback) {
    return &loopback->cloud;
}
