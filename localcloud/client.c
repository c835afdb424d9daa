// The local cloud's own MQTT client. One thread; no thread of libmosquitto is used.
#include "localcloud/client.h"

#include "base/mem.h"
#include "base/time.h"
#include "localcloud/broker.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_ALIVE_S 60
#define RETRY_S 1
#define TOPIC_MAX 256

struct PsCloudClient {
    PsCloudClientSetup setup;
    struct mosquitto *mosquitto;
    PsMono next_try;
    bool connecting; // a socket is open
    bool ready;
    bool lost_told;
    size_t granted;
};

static void lost(PsCloudClient *client, const char *why) {
    client->connecting = false;
    client->ready = false;
    client->next_try = ps_mono_add_ns(ps_mono_now(), RETRY_S * PS_NS_PER_S);
    if (!client->lost_told) {
        client->lost_told = true;
        client->setup.on_lost(client->setup.ctx, why);
    }
}

static void become_ready(PsCloudClient *client) {
    client->ready = true;
    client->lost_told = false;
    client->setup.on_ready(client->setup.ctx);
}

static void on_connect(struct mosquitto *mosquitto, void *ctx, int code, int flags,
                       const mosquitto_property *properties) {
    (void)flags;
    (void)properties;
    PsCloudClient *client = ctx;
    client->granted = 0;
    if (code != 0) {
        lost(client, mosquitto_reason_string(code));
        return;
    }
    if (client->setup.filter_count == 0) {
        become_ready(client);
    }
    for (size_t i = 0; i < client->setup.filter_count; i++) {
        int rc = mosquitto_subscribe_v5(mosquitto, NULL, client->setup.filters[i], 1,
                                        MQTT_SUB_OPT_NO_LOCAL, NULL);
        if (rc != MOSQ_ERR_SUCCESS) {
            client->setup.on_lost(client->setup.ctx, mosquitto_strerror(rc));
        }
    }
}

static void on_subscribe(struct mosquitto *mosquitto, void *ctx, int mid, int count,
                         const int *granted, const mosquitto_property *properties) {
    (void)mosquitto;
    (void)mid;
    (void)properties;
    PsCloudClient *client = ctx;
    for (int i = 0; i < count; i++) {
        if (granted[i] >= 128) {
            client->setup.on_lost(client->setup.ctx, mosquitto_reason_string(granted[i]));
            return;
        }
    }
    client->granted++;
    if (client->granted == client->setup.filter_count) {
        become_ready(client);
    }
}

static void on_disconnect(struct mosquitto *mosquitto, void *ctx, int code,
                          const mosquitto_property *properties) {
    (void)mosquitto;
    (void)properties;
    lost(ctx, code < 128 ? mosquitto_strerror(code) : mosquitto_reason_string(code));
}

static void on_message(struct mosquitto *mosquitto, void *ctx,
                       const struct mosquitto_message *message,
                       const mosquitto_property *properties) {
    (void)mosquitto;
    (void)properties;
    PsCloudClient *client = ctx;
    PsCloudMessage arrived = {
        .topic = message->topic,
        .payload = message->payload,
        .len = message->payloadlen > 0 ? (size_t)message->payloadlen : 0,
        .qos = message->qos,
        .retained = message->retain,
    };
    if (client->setup.on_message != NULL) {
        client->setup.on_message(client->setup.ctx, &arrived);
    }
}

static void on_publish(struct mosquitto *mosquitto, void *ctx, int mid, int code,
                       const mosquitto_property *properties) {
    (void)mosquitto;
    (void)code; // 16: nobody was subscribed; that is not the publisher's failure
    (void)properties;
    PsCloudClient *client = ctx;
    if (client->setup.on_delivered != NULL) {
        client->setup.on_delivered(client->setup.ctx, mid);
    }
}

static PsErr prepare(PsCloudClient *client, PsDiag *diag) {
    const PsCloudClientSetup *setup = &client->setup;
    struct mosquitto *mosquitto = client->mosquitto;
    for (size_t i = 0; i < setup->filter_count; i++) {
        if (mosquitto_sub_topic_check(setup->filters[i]) != MOSQ_ERR_SUCCESS) {
            return ps_fail(PS_ERR_INVALID, diag, setup->filters[i], NULL,
                           "is no topic filter; + stands for one level, # only at the end");
        }
    }
    int rc = mosquitto_int_option(mosquitto, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    if (rc == MOSQ_ERR_SUCCESS) {
        rc = mosquitto_tls_set(mosquitto, setup->root_ca, NULL, setup->certificate,
                               setup->private_key, NULL);
    }
    if (rc != MOSQ_ERR_SUCCESS) {
        return ps_fail(PS_ERR_INVALID, diag, setup->certificate, NULL,
                       "cannot prepare TLS with this certificate, its key and %s: %s",
                       setup->root_ca, mosquitto_strerror(rc));
    }
    mosquitto_connect_v5_callback_set(mosquitto, on_connect);
    mosquitto_subscribe_v5_callback_set(mosquitto, on_subscribe);
    mosquitto_disconnect_v5_callback_set(mosquitto, on_disconnect);
    mosquitto_message_v5_callback_set(mosquitto, on_message);
    mosquitto_publish_v5_callback_set(mosquitto, on_publish);
    return PS_OK;
}

PsErr ps_cloud_client_new(const PsCloudClientSetup *setup, PsCloudClient **ret_client,
                          PsDiag *diag) {
    PsCloudClient *client = ps_alloc(sizeof *client);
    client->setup = *setup;
    client->mosquitto = mosquitto_new(setup->client_id, true, client);
    PsErr err = client->mosquitto != NULL ? prepare(client, diag)
                                          : ps_fail(PS_ERR_NO_MEMORY, diag, setup->client_id, NULL,
                                                    "no MQTT client: %s", strerror(errno));
    if (err != PS_OK) {
        ps_cloud_client_free(client);
        return err;
    }
    *ret_client = client;
    return PS_OK;
}

void ps_cloud_client_free(PsCloudClient *client) {
    if (client == NULL) {
        return;
    }
    if (client->mosquitto != NULL) {
        mosquitto_disconnect_v5_callback_set(client->mosquitto, NULL);
        if (client->connecting && mosquitto_disconnect(client->mosquitto) == MOSQ_ERR_SUCCESS) {
            (void)mosquitto_loop(client->mosquitto, 0, 1); // gives the goodbye a chance to leave
        }
        mosquitto_destroy(client->mosquitto);
    }
    free(client);
}

int ps_cloud_client_fd(const PsCloudClient *client) {
    return client->connecting ? mosquitto_socket(client->mosquitto) : -1;
}

short ps_cloud_client_events(const PsCloudClient *client) {
    bool write = client->connecting && mosquitto_want_write(client->mosquitto);
    return (short)(POLLIN | (write ? POLLOUT : 0));
}

void ps_cloud_client_service(PsCloudClient *client) {
    int rc = MOSQ_ERR_SUCCESS;
    if (client->connecting) {
        rc = mosquitto_loop(client->mosquitto, 0, 1);
    } else if (ps_mono_diff_ns(client->next_try, ps_mono_now()) <= 0) {
        rc = mosquitto_connect(client->mosquitto, client->setup.host, client->setup.port,
                               KEEP_ALIVE_S);
        client->connecting = rc == MOSQ_ERR_SUCCESS;
        if (!client->connecting) {
            lost(client, rc == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(rc));
        }
        return;
    }
    // Most losses have been told by on_disconnect by now.
    if (rc != MOSQ_ERR_SUCCESS && client->connecting) {
        lost(client, mosquitto_strerror(rc));
    }
}

PsErr ps_cloud_client_publish(PsCloudClient *client, const char *topic, const void *payload,
                              size_t len, int qos, int *ret_ticket) {
    if (!client->ready) {
        return PS_ERR_CLOSED;
    }
    if (len > PS_CLOUD_PAYLOAD_MAX) {
        return PS_ERR_TOO_BIG;
    }
    if (topic[0] == '\0' || strlen(topic) > TOPIC_MAX ||
        mosquitto_pub_topic_check(topic) != MOSQ_ERR_SUCCESS) {
        return PS_ERR_INVALID;
    }
    int rc = mosquitto_publish(client->mosquitto, ret_ticket, topic, (int)len, payload, qos, false);
    return rc == MOSQ_ERR_SUCCESS ? PS_OK : rc == MOSQ_ERR_NO_CONN ? PS_ERR_CLOSED : PS_ERR_INVALID;
}

void ps_cloud_client_library_open(void) {
    mosquitto_lib_init();
}

void ps_cloud_client_library_close(void) {
    mosquitto_lib_cleanup();
}
