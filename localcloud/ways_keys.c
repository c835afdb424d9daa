// Messages to the services that want a new key (provisioning by claim): they wait for it outside
// the loop's turn, and the services see them when it is there. Main thread.
#include "localcloud/ways.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

// A PsServiceCall of its own.
typedef struct Waiting {
    PsWays *ways;
    char *client_id;
    char *certificate_id;
    char *thing;
    char *topic;
    PsBuf payload;
    int qos;
} Waiting;

static char *copy(const char *text) {
    return text != NULL ? ps_strdup(text) : NULL;
}

static Waiting *keep(PsWays *ways, const PsServiceCall *call) {
    Waiting *waiting = ps_alloc(sizeof *waiting);
    *waiting = (Waiting){.ways = ways,
                         .client_id = copy(call->client_id),
                         .certificate_id = copy(call->certificate_id),
                         .thing = copy(call->thing),
                         .topic = copy(call->topic),
                         .qos = call->qos};
    ps_buf_put(&waiting->payload, call->payload, call->len);
    return waiting;
}

static void drop(Waiting *waiting) {
    free(waiting->client_id);
    free(waiting->certificate_id);
    free(waiting->thing);
    free(waiting->topic);
    ps_buf_deinit(&waiting->payload);
    free(waiting);
}

static void on_key(void *ctx, PsErr err, EVP_PKEY *key, const PsDiag *diag) {
    Waiting *waiting = ctx;
    PsWays *ways = waiting->ways;
    if (err == PS_OK) {
        PsServiceCall call = {.client_id = waiting->client_id,
                              .certificate_id = waiting->certificate_id,
                              .thing = waiting->thing,
                              .topic = waiting->topic,
                              .payload = waiting->payload.data,
                              .len = waiting->payload.len,
                              .qos = waiting->qos,
                              .now = ps_wall_now(),
                              .key = key};
        PsServiceTaken taken = ps_services_take(ways->services, &call, &ways->out, NULL);
        PS_ASSERT(taken == PS_SERVICE_CONSUMED);
    } else if (err != PS_ERR_CLOSED) {
        PS_LOGE("CLOUD-KEY", "client '%s' gets no certificate: %s", waiting->client_id, diag->text);
    }
    drop(waiting);
}

PsServiceTaken ps_ways_take(PsWays *ways, const PsServiceCall *call, const char **ret_why) {
    if (!ps_services_needs_key(call->topic)) {
        return ps_services_take(ways->services, call, &ways->out, ret_why);
    }
    Waiting *waiting = keep(ways, call);
    PsErr err = ps_keymaker_order(ways->keymaker, on_key, waiting);
    if (err != PS_OK) {
        PS_LOGW("CLOUD-KEY", "client '%s' gets no certificate: %s", call->client_id,
                err == PS_ERR_FULL ? "too many others wait for a key" : "the cloud is stopping");
        drop(waiting);
    }
    return PS_SERVICE_CONSUMED;
}
