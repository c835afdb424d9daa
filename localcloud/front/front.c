// All connections, and what concerns more than one. Main thread; nothing blocks but the local
// database.
#include "localcloud/front/front.h"

#include "base/mem.h"
#include "localcloud/front/client_parts.h"

#include <stdlib.h>
#include <string.h>

#define TICK_NS (PS_NS_PER_S / 4)
#define SWEEP_NS PS_NS_PER_S

PsFront *ps_front_new(const PsFrontOptions *options) {
    PsFront *front = ps_alloc(sizeof *front);
    front->world = options->world;
    front->store = options->store;
    front->faults = options->faults;
    front->limits = options->limits;
    front->reactions = options->reactions;
    ps_sessions_init(&front->sessions, options->store);
    front->next_tick = ps_front_now(front);
    front->next_sweep = front->next_tick;
    return front;
}

void ps_front_stop(PsFront *front) {
    front->stopping = true;
    for (PsClient *client = front->clients; client != NULL;) {
        PsClient *next = client->next;
        ps_client_end(client, PS_DISCONNECT_SERVER_INITIATED, PS_REASON_SHUTTING_DOWN,
                      "the cloud is shutting down");
        client = next;
    }
    ps_own_close(front->hub);
    front->hub = NULL;
}

bool ps_front_is_empty(const PsFront *front) {
    return front->clients == NULL && front->wipes == 0;
}

void ps_front_free(PsFront *front) {
    if (front == NULL) {
        return;
    }
    PS_ASSERT(front->clients == NULL && front->taps == NULL);
    ps_sessions_deinit(&front->sessions);
    ps_buf_deinit(&front->scratch);
    free(front);
}

void ps_front_link(PsFront *front, PsClient *client) {
    client->next = front->clients;
    if (client->next != NULL) {
        client->next->previous = client;
    }
    front->clients = client;
}

void ps_front_unlink(PsFront *front, PsClient *client) {
    if (client->next != NULL) {
        client->next->previous = client->previous;
    }
    *(client->previous != NULL ? &client->previous->next : &front->clients) = client->next;
}

const char *ps_front_text(PsFront *front, PsBytes bytes) {
    ps_buf_clear(&front->scratch);
    ps_buf_put(&front->scratch, bytes.data, bytes.len);
    return (const char *)front->scratch.data;
}

void ps_front_accept(PsFront *front, PsStream *stream, const PsFrontPeer *peer) {
    PsClient *client = ps_client_new(front, stream, peer);
    if (front->stopping) {
        ps_client_end(client, PS_DISCONNECT_SERVER_INITIATED, PS_REASON_SHUTTING_DOWN,
                      "the cloud is shutting down");
    }
}

PsLimits *ps_front_limits(PsFront *front) {
    return &front->limits;
}

PsReactions *ps_front_reactions(PsFront *front) {
    return &front->reactions;
}

// ---- Time

void ps_front_want(PsFront *front, PsMono when) {
    if (ps_mono_diff_ns(when, front->next_tick) < 0) {
        front->next_tick = when;
        front->world->wake_at(front->world->ctx, when);
    }
}

static void sweep_one(void *ctx, PsSession *session) {
    PsFront *front = ctx;
    if (!session->kept || session->client != NULL || session->wiping) {
        return;
    }
    PsWall now = ps_front_wall(front);
    if (session->left.ns == 0) { // the cloud ended before its client did
        session->left = now;
    }
    if (ps_session_is_over(session, now)) {
        bool by_broker = session->version == PS_MQTT_5; // knows the time itself
        ps_session_forget(&front->sessions, session);
        if (!by_broker) {
            ps_front_wipe(front, session);
        }
    }
}

PsMono ps_front_tick(PsFront *front) {
    PsMono now = ps_front_now(front);
    front->next_tick = ps_mono_add_ns(now, TICK_NS);
    PsMono next = front->next_tick;
    for (PsClient *client = front->clients; client != NULL;) {
        PsClient *following = client->next; // streams close later: nobody is freed in here
        PsMono when = ps_client_tick(client, now);
        next = ps_mono_diff_ns(when, next) < 0 ? when : next;
        client = following;
    }
    if (ps_mono_diff_ns(front->next_sweep, now) <= 0) {
        front->next_sweep = ps_mono_add_ns(now, SWEEP_NS);
        ps_sessions_sweep(&front->sessions, now, sweep_one, front);
    }
    if (ps_mono_diff_ns(next, front->next_tick) < 0) {
        front->next_tick = next;
    }
    return front->next_tick;
}

// ---- The end of a session at the broker

typedef struct Wipe {
    PsFront *front;
    PsOwn *own;
    char *client_id;
} Wipe;

static void wipe_done(Wipe *wipe) {
    PsSession *session = ps_sessions_find(&wipe->front->sessions, wipe->client_id);
    if (session != NULL && session->wiping) {
        session->wiping = false;
        session->idle = ps_front_now(wipe->front);
        if (session->client != NULL) {
            ps_client_wiped(session->client);
        }
    }
    wipe->front->wipes--;
    free(wipe->client_id);
    free(wipe);
}

static void on_wipe_up(void *ctx) {
    Wipe *wipe = ctx;
    ps_own_close(wipe->own); // a clean session has taken its place, and goes
    wipe_done(wipe);
}

static void on_wipe_end(void *ctx) {
    wipe_done(ctx);
}

void ps_front_wipe(PsFront *front, PsSession *session) {
    if (session->wiping) {
        return;
    }
    PsStream *stream = front->world->open_broker(front->world->ctx);
    if (stream == NULL) {
        if (session->client != NULL) {
            ps_client_wiped(session->client); // and fails as well
        }
        return;
    }
    session->wiping = true;
    front->wipes++;
    Wipe *wipe = ps_alloc(sizeof *wipe);
    wipe->front = front;
    wipe->client_id = ps_strdup(session->client_id);
    PsOwnOrder order = {.stream = stream,
                        .client_id = session->client_id,
                        .version = PS_MQTT_3,
                        .on_up = on_wipe_up,
                        .on_end = on_wipe_end,
                        .ctx = wipe};
    wipe->own = ps_own_new(&order);
}

// ---- What others ask for

void ps_front_faults_changed(PsFront *front) {
    ps_front_want(front, ps_front_now(front)); // the tick looks at each client
}

void ps_front_refresh(PsFront *front) {
    for (PsClient *client = front->clients; client != NULL; client = client->next) {
        if (client->principal != NULL) {
            front->world->principal_refresh(front->world->ctx, client->principal);
        }
    }
}

static void cut(PsClient *client) {
    ps_client_end(client, PS_DISCONNECT_AUTH_ERROR, PS_REASON_ADMINISTRATIVE,
                  "the certificate is not active any more");
}

void ps_front_cut_certificate(PsFront *front, const char *certificate_id) {
    for (PsClient *client = front->clients; client != NULL; client = client->next) {
        if (strcmp(client->certificate_id, certificate_id) == 0) {
            cut(client); // streams close later: it is not freed in here
        }
    }
}

void ps_front_check_certificates(PsFront *front) {
    const PsFrontWorld *world = front->world;
    for (PsClient *client = front->clients; client != NULL; client = client->next) {
        if (!world->may_connect(world->ctx, client->certificate_id)) {
            cut(client);
        }
    }
}

PsErr ps_front_disconnect(PsFront *front, const char *client_id, bool clean_session,
                          bool prevent_will) {
    PsSession *session = ps_sessions_find(&front->sessions, client_id);
    if (session == NULL || session->client == NULL || !ps_client_is_up(session->client)) {
        return PS_ERR_NOT_FOUND;
    }
    if (prevent_will) {
        ps_client_forget_will(session->client);
    }
    ps_client_end(session->client, PS_DISCONNECT_API_INITIATED, PS_REASON_ADMINISTRATIVE,
                  "DeleteConnection");
    if (clean_session && session->kept) {
        ps_session_forget(&front->sessions, session);
        ps_front_wipe(front, session);
    }
    return PS_OK;
}

void ps_front_direct(PsFront *front, const char *client_id, const char *topic, PsBytes payload) {
    PsSession *session = ps_sessions_find(&front->sessions, client_id);
    if (session != NULL && session->client != NULL && ps_client_is_up(session->client)) {
        ps_client_direct(session->client, topic, payload);
    }
}

bool ps_front_find_retained(PsFront *front, PsBytes topic, bool after,
                            PsFrontMessage *ret_message) {
    PsRetained found;
    int64_t now_ms = ps_front_wall(front).ns / PS_NS_PER_MS;
    if (front->store == NULL ||
        !ps_store_find_retained(front->store, topic, after, now_ms, &found)) {
        return false;
    }
    *ret_message = (PsFrontMessage){.topic = found.topic,
                                    .payload = found.payload,
                                    .props = found.props,
                                    .qos = found.qos,
                                    .retain = true,
                                    .modified_ms = found.modified_ms};
    return true;
}

PsFrontNumbers ps_front_numbers(const PsFront *front) {
    PsFrontNumbers numbers = front->numbers;
    for (const PsClient *client = front->clients; client != NULL; client = client->next) {
        numbers.connections++;
        numbers.connected += ps_client_is_up(client) ? 1 : 0;
    }
    for (size_t i = 0; i < front->sessions.bucket_count; i++) {
        for (const PsSession *session = front->sessions.buckets[i]; session != NULL;
             session = session->next) {
            numbers.kept_sessions += session->kept ? 1 : 0;
        }
    }
    return numbers;
}
