// The three calls of fleet provisioning over MQTT, in JSON and in CBOR.
#include "localcloud/service/provision.h"

#include "base/log.h"
#include "base/mem.h"
#include "localcloud/service/cbor.h"
#include "localcloud/service/json_text.h"
#include "localcloud/service/sql.h"
#include "localcloud/service/template.h"

#include <openssl/rand.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_LIFE_MS ((int64_t)3600 * 1000)
#define TOKEN_BYTES 64

struct PsProvision {
    sqlite3 *db;
    const PsServiceRegistry *registry;
};

// A refusal, as it is published.
typedef struct Refusal {
    int status; // 0: none
    const char *code;
    char message[512];
} Refusal;

void ps_service_certificate_deinit(PsServiceCertificate *certificate) {
    ps_buf_deinit(&certificate->certificate_pem);
    ps_buf_deinit(&certificate->private_key_pem);
}

PsErr ps_provision_new(sqlite3 *db, const PsServiceRegistry *registry, PsProvision **ret_provision,
                       PsDiag *diag) {
    PsErr err = ps_sql_make(db,
                            "CREATE TABLE IF NOT EXISTS service_template ("
                            "name TEXT PRIMARY KEY, description TEXT, body TEXT NOT NULL,"
                            "role TEXT NOT NULL, hook TEXT, enabled INTEGER NOT NULL,"
                            "created INTEGER NOT NULL, modified INTEGER NOT NULL) WITHOUT ROWID;"
                            "CREATE TABLE IF NOT EXISTS service_claim ("
                            "token TEXT PRIMARY KEY, certificate TEXT NOT NULL,"
                            "expires INTEGER NOT NULL) WITHOUT ROWID",
                            diag);
    if (err == PS_OK) {
        PsProvision *provision = ps_alloc(sizeof *provision);
        *provision = (PsProvision){db, registry};
        *ret_provision = provision;
    }
    return err;
}

void ps_provision_free(PsProvision *provision) {
    free(provision);
}

sqlite3 *ps_provision_db(PsProvision *provision) {
    return provision->db;
}

__attribute__((format(printf, 4, 5))) static json_t *
refuse(Refusal *refusal, int status, const char *code, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(refusal->message, sizeof refusal->message, fmt, args);
    va_end(args);
    refusal->status = status;
    refusal->code = code;
    return NULL;
}

static json_t *refuse_inside(Refusal *refusal, const PsDiag *diag) {
    return refuse(refusal, 500, "InternalFailure", "%s", diag->text);
}

// ---- certificates

static PsErr make_token(PsProvision *provision, const char *certificate_id, PsWall now,
                        char token[2 * TOKEN_BYTES + 1]) {
    uint8_t bytes[TOKEN_BYTES];
    if (RAND_bytes(bytes, sizeof bytes) != 1) {
        return PS_ERR_INTERNAL;
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        (void)snprintf(token + 2 * i, 3, "%02x", bytes[i]);
    }
    return ps_sql_run(provision->db, "INSERT INTO service_claim VALUES (?, ?, ?)", "tti", token,
                      certificate_id, now.ns / PS_NS_PER_MS + TOKEN_LIFE_MS);
}

static json_t *create(PsProvision *provision, const char *csr, EVP_PKEY *key, PsWall now,
                      Refusal *refusal) {
    const PsServiceRegistry *registry = provision->registry;
    PsServiceCertificate made = {0};
    PsDiag diag = {0};
    json_t *json = NULL;
    char token[2 * TOKEN_BYTES + 1];
    PsErr err = registry->make_certificate(registry->ctx, csr, key, &made, &diag);
    if (err == PS_ERR_INVALID) {
        (void)refuse(refusal, 400, "InvalidCertificateSigningRequest", "%s", diag.text);
    } else if (err != PS_OK || make_token(provision, made.id, now, token) != PS_OK) {
        (void)refuse_inside(refusal, &diag);
    } else {
        json = json_object();
        json_object_set_new(json, "certificateId", json_string(made.id));
        json_object_set_new(json, "certificatePem",
                            json_string((const char *)made.certificate_pem.data));
        if (csr == NULL) {
            json_object_set_new(json, "privateKey",
                                json_string((const char *)made.private_key_pem.data));
        }
        json_object_set_new(json, "certificateOwnershipToken", json_string(token));
    }
    ps_service_certificate_deinit(&made);
    return json;
}

static json_t *create_from_csr(PsProvision *provision, const json_t *request, PsWall now,
                               Refusal *refusal) {
    const char *csr = json_string_value(json_object_get(request, "certificateSigningRequest"));
    if (csr == NULL || csr[0] == '\0') {
        return refuse(refusal, 400, "InvalidCertificateSigningRequest",
                      "certificateSigningRequest cannot be empty.");
    }
    return create(provision, csr, NULL, now, refusal);
}

// ---- things

static PsErr find_token(PsProvision *provision, const char *token, PsWall now, char *ret_id,
                        size_t size) {
    PsSql sql;
    ps_sql_begin(&sql, provision->db,
                 "SELECT certificate FROM service_claim WHERE token = ? AND expires > ?", "ti",
                 token, now.ns / PS_NS_PER_MS);
    bool found = ps_sql_next(&sql);
    if (found) {
        (void)snprintf(ret_id, size, "%s", ps_sql_text(&sql, 0));
    }
    PsErr err = ps_sql_end(&sql);
    return err == PS_OK && !found ? PS_ERR_NOT_FOUND : err;
}

static PsErr put_thing(const PsServiceRegistry *registry, const PsTemplatePlan *plan,
                       const char *certificate_id, PsDiag *diag) {
    bool there = registry->thing_exists(registry->ctx, plan->thing);
    if (there && plan->fail_if_there) {
        return ps_fail(PS_ERR_EXISTS, diag, plan->thing, NULL, "The thing %s exists already",
                       plan->thing);
    }
    PsErr err = PS_OK;
    if (!there || !plan->keep) {
        err = registry->put_thing(registry->ctx, plan->thing, plan->type, plan->attributes,
                                  plan->merge, plan->groups, plan->billing_group, diag);
    }
    return err == PS_OK ? registry->attach_thing(registry->ctx, plan->thing, certificate_id, diag)
                        : err;
}

static PsErr put_policies(const PsServiceRegistry *registry, const PsTemplatePlan *plan,
                          const char *certificate_id, PsDiag *diag) {
    PsErr err = PS_OK;
    for (size_t i = 0; i < plan->policy_count && err == PS_OK; i++) {
        const PsTemplatePolicy *policy = &plan->policies[i];
        if (policy->document != NULL) {
            err = registry->put_policy(registry->ctx, policy->name, policy->document, diag);
        } else if (!registry->policy_exists(registry->ctx, policy->name)) {
            err = ps_fail(PS_ERR_INVALID, diag, policy->name, NULL, "There is no policy %s",
                          policy->name);
        }
        if (err == PS_OK) {
            err = registry->attach_policy(registry->ctx, policy->name, certificate_id, diag);
        }
    }
    return err;
}

static PsErr carry_out(PsProvision *provision, const PsTemplatePlan *plan,
                       const char *certificate_id, const char *token, PsDiag *diag) {
    const PsServiceRegistry *registry = provision->registry;
    PsErr err = put_policies(registry, plan, certificate_id, diag);
    if (err == PS_OK && plan->thing != NULL) {
        err = put_thing(registry, plan, certificate_id, diag);
    }
    if (err == PS_OK) {
        err = registry->set_certificate_status(registry->ctx, certificate_id,
                                               plan->inactive ? "INACTIVE" : "ACTIVE", diag);
    }
    if (err == PS_OK) {
        err = ps_sql_run(provision->db, "DELETE FROM service_claim WHERE token = ?", "t", token);
    }
    return err;
}

static json_t *provision_with(PsProvision *provision, const char *body, const json_t *parameters,
                              const char *certificate_id, const char *token, Refusal *refusal) {
    PsTemplatePlan plan = {0};
    PsDiag diag = {0};
    json_t *json = NULL;
    PsErr err = ps_template_plan(body, parameters, certificate_id, &plan, &diag);
    if (err != PS_OK) {
        (void)refuse(refusal, 400, "InvalidParameters", "%s: %s", diag.field, diag.text);
    } else if ((err = carry_out(provision, &plan, certificate_id, token, &diag)) != PS_OK) {
        if (err == PS_ERR_EXISTS) {
            (void)refuse(refusal, 409, "ResourceConflict", "%s", diag.text);
        } else if (err == PS_ERR_IO || err == PS_ERR_INTERNAL) {
            (void)refuse_inside(refusal, &diag);
        } else {
            (void)refuse(refusal, 400, "ResourceRegistrationFailure", "%s", diag.text);
        }
    } else {
        json = json_object();
        json_object_set_new(json, "deviceConfiguration",
                            plan.configuration != NULL ? json_incref(plan.configuration)
                                                       : json_object());
        if (plan.thing != NULL) {
            json_object_set_new(json, "thingName", json_string(plan.thing));
        }
    }
    ps_template_plan_deinit(&plan);
    return json;
}

static json_t *register_thing(PsProvision *provision, const char *template, const json_t *request,
                              PsWall now, Refusal *refusal) {
    const char *token = json_string_value(json_object_get(request, "certificateOwnershipToken"));
    const json_t *parameters = json_object_get(request, "parameters");
    PsTemplateRow row = {0};
    char certificate_id[65];
    json_t *json = NULL;
    if (token == NULL || token[0] == '\0') {
        return refuse(refusal, 400, "InvalidCertificateOwnershipToken",
                      "Certificate ownership token cannot be empty.");
    }
    if (parameters != NULL && !json_is_object(parameters)) {
        return refuse(refusal, 400, "InvalidParameters", "parameters must be an object of texts.");
    }
    PsErr err = ps_template_find(provision->db, template, &row);
    if (err == PS_ERR_NOT_FOUND) {
        return refuse(refusal, 404, "ResourceNotFound", "There is no template %s.", template);
    }
    PsErr found = find_token(provision, token, now, certificate_id, sizeof certificate_id);
    if (found == PS_ERR_NOT_FOUND) {
        (void)refuse(refusal, 400, "InvalidCertificateOwnershipToken",
                     "The certificate ownership token is not valid or has expired.");
    } else if (err != PS_OK || found != PS_OK) {
        (void)refuse_inside(refusal, &(PsDiag){.text = "The database failed"});
    } else if (!row.enabled) {
        (void)refuse(refusal, 400, "InvalidTemplate", "The template %s is not enabled.", template);
    } else {
        json = provision_with(provision, row.body, parameters, certificate_id, token, refusal);
    }
    ps_template_row_deinit(&row);
    return json;
}

// ---- messages

static void reply(const PsServiceCall *call, const char *tail, const json_t *json, bool cbor,
                  const PsServiceOut *out) {
    PS_AUTO_BUF PsBuf topic = {0};
    ps_buf_printf(&topic, "%s/%s", call->topic, tail);
    PS_AUTO_BUF PsBuf text = {0};
    if (cbor) {
        ps_cbor_write(json, &text);
    } else {
        ps_json_text(json, &text);
    }
    out->direct(out->ctx, call->client_id, (const char *)topic.data, text.data, text.len);
}

void ps_provision_take(PsProvision *provision, const PsServiceCall *call, const PsLevels *levels,
                       const PsServiceOut *out) {
    // $aws/certificates/CALL/FORMAT, $aws/provisioning-templates/NAME/provision/FORMAT
    bool is_thing = strcmp(levels->at[1], "provisioning-templates") == 0;
    bool cbor = strcmp(levels->at[is_thing ? 4 : 3], "cbor") == 0;
    bool empty = call->len == 0;
    Refusal refusal = {0};
    PS_AUTO_JSON json_t *request = NULL;
    PS_AUTO_JSON json_t *json = NULL;
    if (!empty) {
        request =
            cbor ? ps_cbor_read(call->payload, call->len) : ps_json_parse(call->payload, call->len);
    }
    if (!empty && !json_is_object(request)) {
        (void)refuse(&refusal, 400, "InvalidPayload", "The payload is not a %s object.",
                     cbor ? "CBOR" : "JSON");
    } else if (is_thing) {
        json = register_thing(provision, levels->at[2], request, call->now, &refusal);
    } else if (strcmp(levels->at[2], "create-from-csr") == 0) {
        json = create_from_csr(provision, request, call->now, &refusal);
    } else {
        json = create(provision, NULL, call->key, call->now, &refusal);
    }
    if (json != NULL) {
        reply(call, "accepted", json, cbor, out);
        return;
    }
    json = json_object();
    json_object_set_new(json, "statusCode", json_integer(refusal.status));
    json_object_set_new(json, "errorCode", json_string(refusal.code));
    json_object_set_new(json, "errorMessage", json_string(refusal.message));
    reply(call, "rejected", json, cbor, out);
}

PsWall ps_provision_tick(PsProvision *provision, PsWall now) {
    const PsServiceRegistry *registry = provision->registry;
    int64_t now_ms = now.ns / PS_NS_PER_MS;
    PsSql sql;
    PS_AUTO_JSON json_t *ended = json_array();
    ps_sql_begin(&sql, provision->db, "SELECT certificate FROM service_claim WHERE expires <= ?",
                 "i", now_ms);
    while (ps_sql_next(&sql)) {
        json_array_append_new(ended, json_string(ps_sql_text(&sql, 0)));
    }
    if (ps_sql_end(&sql) != PS_OK) {
        return (PsWall){0};
    }
    for (size_t i = 0; i < json_array_size(ended); i++) {
        const char *id = json_string_value(json_array_get(ended, i));
        registry->drop_certificate(registry->ctx, id);
        PS_LOGI("PROVISION-EXPIRED", "certificate %s was not taken within an hour", id);
    }
    if (json_array_size(ended) > 0) {
        (void)ps_sql_run(provision->db, "DELETE FROM service_claim WHERE expires <= ?", "i",
                         now_ms);
    }
    int64_t next_ms = 0;
    ps_sql_begin(&sql, provision->db, "SELECT min(expires) FROM service_claim", "");
    if (ps_sql_next(&sql)) {
        next_ms = ps_sql_int(&sql, 0);
    }
    if (ps_sql_end(&sql) != PS_OK) {
        next_ms = 0;
    }
    return (PsWall){next_ms * PS_NS_PER_MS};
}
