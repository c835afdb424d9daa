// All services together: which of them a topic belongs to, and the one timer they need.
#include "localcloud/service/service.h"

#include "base/mem.h"
#include "localcloud/service/defender.h"
#include "localcloud/service/presence.h"
#include "localcloud/service/service_parts.h"

#include <stdlib.h>
#include <string.h>

#define TICK_NS PS_NS_PER_S
#define FORGET_EVERY_NS (600 * PS_NS_PER_S)

static PsErr open_parts(PsServices *services, const PsServicesOptions *options, PsDiag *diag) {
    const PsServiceRegistry *registry = services->registry;
    sqlite3 *db = services->db;
    PsErr err = ps_presence_prepare(db, diag);
    if (err == PS_OK) {
        err = ps_shadows_new(db, registry, options->shadow_needs_thing, &options->limits,
                             &services->shadows, diag);
    }
    if (err == PS_OK) {
        err = ps_jobs_new(db, registry, services->region, services->account, &services->jobs, diag);
    }
    if (err == PS_OK) {
        err = ps_provision_new(db, registry, &services->provision, diag);
    }
    if (err == PS_OK) {
        err = ps_ingest_new(db, options->folder, options->ingest_by_use,
                            options->limits.ingest_bytes, &services->ingest, diag);
    }
    return err;
}

PsErr ps_services_new(sqlite3 *db, const PsServiceRegistry *registry,
                      const PsServicesOptions *options, PsServices **ret_services, PsDiag *diag) {
    PsServices *services = ps_alloc(sizeof *services);
    *services = (PsServices){
        .db = db,
        .registry = registry,
        .region = ps_strdup(options->region),
        .account = ps_strdup(options->account),
        .job_document_bytes = options->limits.job_document_bytes,
    };
    PsErr err = open_parts(services, options, diag);
    if (err != PS_OK) {
        ps_services_free(services);
        return err;
    }
    *ret_services = services;
    return PS_OK;
}

void ps_services_free(PsServices *services) {
    if (services == NULL) {
        return;
    }
    ps_shadows_free(services->shadows);
    ps_jobs_free(services->jobs);
    ps_provision_free(services->provision);
    ps_ingest_free(services->ingest);
    free(services->region);
    free(services->account);
    free(services);
}

void ps_services_set_limits(PsServices *services, const PsServiceLimits *limits) {
    ps_shadows_set_limits(services->shadows, limits);
    services->job_document_bytes = limits->job_document_bytes;
    ps_ingest_set_bytes(services->ingest, limits->ingest_bytes);
}

void ps_services_set_ingest_by_use(PsServices *services, bool by_use) {
    ps_ingest_set_by_use(services->ingest, by_use);
}

// ---- one message

static PsServiceTaken refuse(const char **ret_why, const char *why) {
    if (ret_why != NULL) {
        *ret_why = why;
    }
    return PS_SERVICE_REFUSED;
}

// $aws things THING shadow [name SHADOW] VERB
static PsServiceTaken take_shadow(PsServices *services, const PsServiceCall *call,
                                  const PsLevels *levels, const PsServiceOut *out,
                                  const char **ret_why) {
    bool named = strcmp(levels->at[4], "name") == 0;
    PsShadowRequest request = {
        .thing = levels->at[2],
        .name = named ? levels->at[5] : "",
        .payload = call->payload,
        .len = call->len,
        .now = call->now,
    };
    if (!ps_shadow_verb_find(levels->at[named ? 6 : 4], &request.verb)) {
        return refuse(ret_why, "a shadow is asked with get, update or delete");
    }
    if (named && !ps_name_is_shadow(request.name)) {
        return refuse(ret_why, "the topic names no possible shadow: 1 to 64 of [a-zA-Z0-9:_-]");
    }
    PsShadowResult result = {0};
    ps_shadows_ask(services->shadows, &request, out, &result);
    ps_shadow_result_deinit(&result);
    return PS_SERVICE_ROUTE;
}

static PsServiceTaken take_thing(PsServices *services, const PsServiceCall *call,
                                 const PsLevels *levels, const PsServiceOut *out,
                                 const char **ret_why) {
    const char *service = levels->at[3];
    if (!ps_name_is_thing(levels->at[2])) {
        return refuse(ret_why, "the topic names no possible thing: 1 to 128 of [a-zA-Z0-9:_-]");
    }
    if (strcmp(service, "shadow") == 0) {
        return take_shadow(services, call, levels, out, ret_why);
    }
    if (strcmp(service, "jobs") == 0) {
        ps_jobs_take(services->jobs, call, levels, out);
    } else if (strcmp(service, "defender") == 0) {
        ps_defender_take(call, levels, out);
    }
    // Streams (file delivery) are not served: the request stays without an answer.
    return PS_SERVICE_CONSUMED;
}

bool ps_services_needs_key(const char *topic) {
    static const char create[] = "$aws/certificates/create/";
    return strncmp(topic, create, sizeof create - 1) == 0 &&
           ps_reserved_publish(topic) == PS_RESERVED_ALLOWED;
}

PsServiceTaken ps_services_take(PsServices *services, const PsServiceCall *call,
                                const PsServiceOut *out, const char **ret_why) {
    PsReservedUse use = ps_reserved_publish(call->topic);
    if (use == PS_RESERVED_NOT) {
        return PS_SERVICE_ROUTE;
    }
    if (use == PS_RESERVED_UNSUPPORTED) {
        return refuse(ret_why, "clients cannot publish to this reserved topic");
    }
    if (strncmp(call->topic, "$aws/rules/", strlen("$aws/rules/")) == 0) {
        ps_ingest_take(services->ingest, call);
        return PS_SERVICE_CONSUMED;
    }
    PsLevels levels;
    if (!ps_levels_split(&levels, call->topic)) {
        return refuse(ret_why, "this reserved topic is longer than any service's");
    }
    if (strcmp(levels.at[1], "things") == 0) {
        return take_thing(services, call, &levels, out, ret_why);
    }
    ps_provision_take(services->provision, call, &levels, out);
    return PS_SERVICE_CONSUMED;
}

void ps_services_presence(PsServices *services, const PsPresence *event, PsServiceSession *session,
                          const PsServiceOut *out) {
    ps_presence_tell(services->db, event, session, out);
}

static PsWall earlier(PsWall a, PsWall b) {
    return b.ns != 0 && b.ns < a.ns ? b : a;
}

PsWall ps_services_tick(PsServices *services, PsWall now, const PsServiceOut *out) {
    if (services->forgot.ns == 0 || now.ns - services->forgot.ns >= FORGET_EVERY_NS) {
        ps_presence_forget(services->db, now);
        services->forgot = now;
    }
    // Whatever comes in meanwhile may be due earlier than what waits now.
    PsWall next = {now.ns + TICK_NS};
    next = earlier(next, ps_shadows_tick(services->shadows, now, out));
    next = earlier(next, ps_jobs_tick(services->jobs, now, out));
    return earlier(next, ps_provision_tick(services->provision, now));
}
