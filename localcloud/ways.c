// Where registry, front, services and transport meet. Main thread; registry and services block for
// the local database.
#include "localcloud/ways.h"

#include "base/log.h"
#include "base/mem.h"
#include "localcloud/principal.h"
#include "localcloud/service/service_registry.h"
#include "localcloud/service/service_rest.h"
#include "localcloud/transport/pipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BROKER_LIMIT_MS 10000
#define MOST_WAIT_MS 60000

// ---- What the front asks

static PsMono world_now(void *ctx) {
    (void)ctx;
    return ps_mono_now();
}

static PsWall world_wall(void *ctx) {
    (void)ctx;
    return ps_wall_now();
}

static void on_timer(uv_timer_t *timer);

static void arm(PsWays *ways, PsMono when) {
    int64_t left_ns = ps_mono_diff_ns(when, ps_mono_now());
    uint64_t wait_ms = left_ns <= 0 ? 0 : (uint64_t)(left_ns / PS_NS_PER_MS) + 1;
    uv_timer_start(&ways->timer, on_timer, wait_ms < MOST_WAIT_MS ? wait_ms : MOST_WAIT_MS, 0);
}

static void world_wake_at(void *ctx, PsMono when) {
    arm(ctx, when);
}

static PsStream *world_open_broker(void *ctx) {
    PsWays *ways = ctx;
    PsStream *stream = NULL;
    PsErr err =
        ps_pipe_connect(ways->sockets, ways->broker_path, BROKER_LIMIT_MS, NULL, NULL, &stream);
    return err == PS_OK ? stream : NULL;
}

// A registry that cannot be read cuts nobody off.
static bool world_may_connect(void *ctx, const char *certificate_id) {
    PsWays *ways = ctx;
    PsRegistryCertificate certificate;
    PsErr err = ps_registry_find_certificate(ways->registry, certificate_id, &certificate);
    return err == PS_OK ? certificate.status == PS_CERTIFICATE_ACTIVE : err != PS_ERR_NOT_FOUND;
}

static void *world_principal_new(void *ctx, const PsFrontPeer *peer,
                                 const PsFrontConnect *connect) {
    PsWays *ways = ctx;
    return ps_principal_new(ways->registry, peer, peer->user, connect);
}

static void world_principal_free(void *ctx, void *principal) {
    (void)ctx;
    ps_principal_free(principal);
}

static void world_principal_refresh(void *ctx, void *principal) {
    (void)ctx;
    ps_principal_refresh(principal);
}

static bool world_allows(void *ctx, void *principal, PsPolicyAction action, PsBytes name) {
    (void)ctx;
    return ps_principal_allows(principal, action, name);
}

static const char *world_thing(void *ctx, void *principal, bool exclusive) {
    (void)ctx;
    return ps_principal_thing(principal, exclusive);
}

static PsServiceTaken world_take(void *ctx, const PsServiceCall *call, const char **ret_why) {
    PsWays *ways = ctx;
    return ps_ways_take(ways, call, ret_why);
}

static void world_presence(void *ctx, const PsPresence *event, PsServiceSession *session) {
    PsWays *ways = ctx;
    ps_services_presence(ways->services, event, session, &ways->out);
}

static PsReservedUse world_reserved_subscribe(void *ctx, const char *filter) {
    (void)ctx;
    return ps_reserved_subscribe(filter);
}

static const PsFrontWorld world = {.now = world_now,
                                   .wall = world_wall,
                                   .wake_at = world_wake_at,
                                   .open_broker = world_open_broker,
                                   .may_connect = world_may_connect,
                                   .principal_new = world_principal_new,
                                   .principal_free = world_principal_free,
                                   .principal_refresh = world_principal_refresh,
                                   .allows = world_allows,
                                   .thing = world_thing,
                                   .take = world_take,
                                   .presence = world_presence,
                                   .reserved_subscribe = world_reserved_subscribe};

// ---- What the services ask

static void out_publish(void *ctx, const char *topic, const void *payload, size_t len, int qos) {
    PsWays *ways = ctx;
    PsFrontMessage message = {.topic = ps_bytes(topic, strlen(topic)),
                              .payload = ps_bytes(payload, len),
                              .qos = (uint8_t)qos};
    PsDiag diag = {0};
    if (ways->front != NULL && ps_front_publish(ways->front, &message, &diag) != PS_OK) {
        PS_LOGW("CLOUD-SERVICE-LOST", "a message to '%s' is lost: %s", topic, diag.text);
    }
}

static void out_direct(void *ctx, const char *client_id, const char *topic, const void *payload,
                       size_t len) {
    PsWays *ways = ctx;
    if (ways->front != NULL) {
        ps_front_direct(ways->front, client_id, topic, ps_bytes(payload, len));
    }
}

// ---- What the registry tells

static void on_changed(void *ctx, const char *certificate_id) {
    PsWays *ways = ctx;
    ps_front_refresh(ways->front);
    if (certificate_id == NULL) {
        ps_front_check_certificates(ways->front);
    } else if (!world_may_connect(ways, certificate_id)) {
        ps_front_cut_certificate(ways->front, certificate_id);
    }
}

static void on_faults_changed(void *ctx) {
    PsWays *ways = ctx;
    ps_front_faults_changed(ways->front);
}

// ---- Clients

static void tell_registered(PsWays *ways, const char *ca_id, const char *id) {
    char topic[160];
    char payload[512];
    snprintf(topic, sizeof topic, "$aws/events/certificates/registered/%s", ca_id);
    snprintf(payload, sizeof payload,
             "{\"certificateId\": \"%s\", \"caCertificateId\": \"%s\", \"timestamp\": %lld, "
             "\"certificateStatus\": \"PENDING_ACTIVATION\", \"awsAccountId\": \"" PS_ACCOUNT_ID
             "\"}",
             id, ca_id, (long long)(ps_wall_now().ns / PS_NS_PER_MS));
    out_publish(ways, topic, payload, strlen(payload), 0);
}

static PsAdmission refuse(const char **why, const char *words) {
    *why = words;
    return PS_REFUSE_UNKNOWN;
}

static PsAdmission register_in_time(PsWays *ways, X509 *certificate, const char *id,
                                    const char **why) {
    char ca_id[PS_CERTIFICATE_ID_SIZE];
    if (ps_registry_find_signer(ways->registry, certificate, ca_id) != PS_OK) {
        return refuse(why, "the certificate is not registered");
    }
    PsDiag diag = {0};
    if (ps_registry_register_pending(ways->registry, certificate, ca_id, &diag) != PS_OK) {
        return refuse(why, "the certificate cannot be registered");
    }
    tell_registered(ways, ca_id, id);
    return refuse(why, "the certificate has just been registered and waits for its activation");
}

PsAdmission ps_ways_admit(void *ctx, X509 *certificate, const char *id, STACK_OF(X509) * chain,
                          const char **why) {
    PsWays *ways = ctx;
    (void)chain;
    PsRegistryCertificate found;
    PsErr err = ps_registry_find_certificate(ways->registry, id, &found);
    if (err == PS_ERR_NOT_FOUND) {
        return register_in_time(ways, certificate, id, why);
    }
    if (err != PS_OK) {
        return refuse(why, "the registry cannot be read");
    }
    return found.status == PS_CERTIFICATE_ACTIVE ? PS_ADMIT
                                                 : refuse(why, "the certificate is not ACTIVE");
}

void ps_ways_accept(void *ctx, PsStream *stream, const PsPeerFacts *facts) {
    PsWays *ways = ctx;
    PsFrontPeer peer = {.certificate_id = facts->certificate_id,
                        .address = facts->address,
                        .domain_name = facts->server_name,
                        .user = facts->certificate};
    ps_front_accept(ways->front, stream, &peer);
}

// ---- Life

void ps_ways_tell_services(PsWays *ways) {
    const PsLimits *limits = ps_front_limits(ways->front);
    PsServiceLimits services = {.shadow_bytes = limits->shadow_bytes,
                                .shadow_depth = limits->shadow_depth,
                                .shadow_rate = limits->shadow_requests_per_s,
                                .shadow_in_flight = limits->shadow_in_flight,
                                .shadow_delay_ms = limits->shadow_delay_ms,
                                .job_document_bytes = limits->job_document_bytes};
    ps_services_set_limits(ways->services, &services);
    PsReact unknown_rule = ps_front_reactions(ways->front)->of[PS_REACTION_UNKNOWN_RULE];
    ps_services_set_ingest_by_use(ways->services, unknown_rule == PS_REACT_ACCEPT);
}

static void on_timer(uv_timer_t *timer) {
    PsWays *ways = timer->data;
    PsMono next = ps_front_tick(ways->front);
    PsWall wall = ps_wall_now();
    PsWall due = ps_services_tick(ways->services, wall, &ways->out);
    PsMono services = ps_mono_add_ns(ps_mono_now(), due.ns > wall.ns ? due.ns - wall.ns : 0);
    arm(ways, ps_mono_diff_ns(services, next) < 0 ? services : next);
}

static PsErr start_services(PsWays *ways, const PsWaysSetup *setup, PsDiag *diag) {
    ways->service_registry = ps_ways_service_registry(setup->registry);
    PsServicesOptions options = {.folder = setup->dir,
                                 .region = ps_registry_region(setup->registry),
                                 .account = PS_ACCOUNT_ID};
    PsErr err = ps_services_new(ps_registry_db(setup->registry), ways->service_registry, &options,
                                &ways->services, diag);
    if (err == PS_OK) {
        ps_services_add_parts(ways->services, setup->registry);
    }
    return err;
}

static void free_parts(PsWays *ways) {
    ps_front_free(ways->front);
    ps_services_free(ways->services);
    ps_store_close(ways->store);
    ps_faults_free(ways->faults);
    free(ways->service_registry);
    ps_buf_deinit(&ways->topic);
    *ways = (PsWays){0};
}

PsErr ps_ways_start(PsWays *ways, const PsWaysSetup *setup, PsDiag *diag) {
    *ways = (PsWays){.registry = setup->registry,
                     .sockets = setup->sockets,
                     .broker_path = setup->broker_path,
                     .loop = setup->loop,
                     .keymaker = setup->keymaker,
                     .world = world};
    ways->world.ctx = ways;
    ways->faults = ps_faults_new();
    ways->out = (PsServiceOut){.publish = out_publish, .direct = out_direct, .ctx = ways};
    PsErr err = start_services(ways, setup, diag);
    err = err == PS_OK ? ps_store_open(ps_registry_db(setup->registry), &ways->store, diag) : err;
    if (err != PS_OK) {
        free_parts(ways);
        return err;
    }
    PsFrontOptions options = {.world = &ways->world,
                              .store = ways->store,
                              .faults = ways->faults,
                              .limits = setup->limits,
                              .reactions = setup->reactions};
    ways->front = ps_front_new(&options);
    ps_ways_tell_services(ways);
    uv_timer_init(ways->loop, &ways->timer);
    ways->timer.data = ways;
    ps_registry_watch(ways->registry, on_changed, ways);
    ps_faults_watch(ways->faults, on_faults_changed, ways);
    ways->running = true;
    arm(ways, ps_mono_now());
    return PS_OK;
}

void ps_ways_stop(PsWays *ways) {
    if (!ways->running) {
        return;
    }
    ps_registry_unwatch(ways->registry, on_changed, ways);
    ps_front_stop(ways->front);
    while (!ps_front_is_empty(ways->front)) {
        uv_run(ways->loop, UV_RUN_ONCE);
    }
    uv_timer_stop(&ways->timer);
    uv_close((uv_handle_t *)&ways->timer, NULL);
    uv_run(ways->loop, UV_RUN_NOWAIT);
    free_parts(ways);
}
