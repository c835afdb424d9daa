// The rig of the services' tests.
#include "localcloud/service/service_test_rig.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void record(Rig *rig, const char *client, const char *topic, const void *payload,
                   size_t len) {
    assert_true(rig->message_count < RIG_MAX);
    RigMessage *message = &rig->messages[rig->message_count++];
    *message = (RigMessage){.client = client != NULL ? ps_strdup(client) : NULL,
                            .topic = ps_strdup(topic)};
    ps_buf_put(&message->payload, payload, len);
}

static void on_publish(void *ctx, const char *topic, const void *payload, size_t len, int qos) {
    record(ctx, NULL, topic, payload, len);
}

static void on_direct(void *ctx, const char *client_id, const char *topic, const void *payload,
                      size_t len) {
    record(ctx, client_id, topic, payload, len);
}

// ---- the registry

static bool thing_exists(void *ctx, const char *thing) {
    Rig *rig = ctx;
    for (size_t i = 0; i < rig->thing_count; i++) {
        if (strcmp(rig->things[i], thing) == 0) {
            return true;
        }
    }
    return false;
}

static bool group_exists(void *ctx, const char *group) {
    return strcmp(group, "all") == 0;
}

static void group_things(void *ctx, const char *group, PsServiceThingFn *fn, void *fn_ctx) {
    Rig *rig = ctx;
    for (size_t i = 0; group_exists(ctx, group) && i < rig->thing_count; i++) {
        fn(fn_ctx, rig->things[i]);
    }
}

__attribute__((format(printf, 2, 3))) static void note(Rig *rig, const char *fmt, ...) {
    char text[512];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    assert_true(rig->made_count < RIG_MAX);
    rig->made[rig->made_count++] = ps_strdup(text);
}

static PsErr make_certificate(void *ctx, const char *csr_pem, EVP_PKEY *key,
                              PsServiceCertificate *made, PsDiag *diag) {
    if (csr_pem != NULL && strcmp(csr_pem, "good") != 0) {
        return ps_fail(PS_ERR_INVALID, diag, "csr", NULL, "This is no request.");
    }
    (void)snprintf(made->id, sizeof made->id, "%s", "c0ffee");
    ps_buf_printf(&made->certificate_pem, "CERT");
    if (csr_pem == NULL) {
        ps_buf_printf(&made->private_key_pem, "KEY");
    }
    note(ctx, "make");
    return PS_OK;
}

static void drop_certificate(void *ctx, const char *certificate_id) {
    note(ctx, "drop %s", certificate_id);
}

static PsErr set_status(void *ctx, const char *certificate_id, const char *status, PsDiag *diag) {
    note(ctx, "status %s %s", certificate_id, status);
    return PS_OK;
}

static PsErr put_thing(void *ctx, const char *thing, const char *type, const json_t *attributes,
                       bool merge, const json_t *groups, const char *billing_group, PsDiag *diag) {
    PS_AUTO_BUF PsBuf text = {0};
    if (attributes != NULL) {
        ps_json_text(attributes, &text);
    }
    note(ctx, "thing %s %s %s%s", thing, type != NULL ? type : "-",
         text.len > 0 ? (const char *)text.data : "-", merge ? " merge" : "");
    return PS_OK;
}

static PsErr attach_thing(void *ctx, const char *thing, const char *certificate_id, PsDiag *diag) {
    note(ctx, "attach thing %s %s", thing, certificate_id);
    return PS_OK;
}

static bool policy_exists(void *ctx, const char *policy) {
    return strcmp(policy, "there") == 0;
}

static PsErr put_policy(void *ctx, const char *policy, const char *document, PsDiag *diag) {
    note(ctx, "policy %s %s", policy, document);
    return PS_OK;
}

static PsErr attach_policy(void *ctx, const char *policy, const char *certificate_id,
                           PsDiag *diag) {
    note(ctx, "attach policy %s %s", policy, certificate_id);
    return PS_OK;
}

// ---- life

void rig_open(Rig *rig, const PsServicesOptions *options) {
    *rig = (Rig){.now = {RIG_NOW_S * PS_NS_PER_S}};
    rig->out = (PsServiceOut){on_publish, on_direct, rig};
    rig->registry = (PsServiceRegistry){
        .thing_exists = thing_exists,
        .group_exists = group_exists,
        .group_things = group_things,
        .make_certificate = make_certificate,
        .drop_certificate = drop_certificate,
        .set_certificate_status = set_status,
        .put_thing = put_thing,
        .attach_thing = attach_thing,
        .policy_exists = policy_exists,
        .put_policy = put_policy,
        .attach_policy = attach_policy,
        .ctx = rig,
    };
    rig->things[rig->thing_count++] = "t";
    (void)snprintf(rig->folder, sizeof rig->folder, "/tmp/ps-service-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    assert_int_equal(sqlite3_open(":memory:", &rig->db), SQLITE_OK);
    PsServicesOptions all = options != NULL ? *options : (PsServicesOptions){0};
    all.folder = rig->folder;
    all.region = "eu-central-1";
    all.account = "000000000000";
    PsDiag diag = {0};
    if (ps_services_new(rig->db, &rig->registry, &all, &rig->services, &diag) != PS_OK) {
        fail_msg("%s", diag.text);
    }
}

static void drop_message(Rig *rig) {
    free(rig->messages[0].client);
    free(rig->messages[0].topic);
    ps_buf_deinit(&rig->messages[0].payload);
    rig->message_count--;
    memmove(rig->messages, rig->messages + 1, rig->message_count * sizeof rig->messages[0]);
}

void rig_close(Rig *rig) {
    rig_silent(rig);
    ps_services_free(rig->services);
    (void)sqlite3_close(rig->db);
    for (size_t i = 0; i < rig->made_count; i++) {
        free(rig->made[i]);
    }
    static const char *const files[] = {"rules/r.jsonl", "rules/r.jsonl.1", "rules"};
    for (size_t i = 0; i < PS_COUNT(files); i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/%s", rig->folder, files[i]);
        (void)remove(path);
    }
    (void)rmdir(rig->folder);
}

PsServiceTaken rig_send(Rig *rig, const char *topic, const char *payload) {
    PsServiceCall call = {
        .client_id = "device",
        .topic = topic,
        .payload = payload,
        .len = strlen(payload),
        .qos = 1,
        .now = rig->now,
    };
    return ps_services_take(rig->services, &call, &rig->out, NULL);
}

json_t *rig_take(Rig *rig, const char *client, const char *topic) {
    if (rig->message_count == 0) {
        fail_msg("nothing was published; expected %s", topic);
    }
    RigMessage *message = &rig->messages[0];
    if (strcmp(message->topic, topic) != 0) {
        fail_msg("published to %s: %s\nexpected %s", message->topic, (char *)message->payload.data,
                 topic);
    }
    if (client == NULL) {
        assert_null(message->client);
    } else {
        assert_non_null(message->client);
        assert_string_equal(message->client, client);
    }
    json_t *json = ps_json_parse(message->payload.data, message->payload.len);
    assert_non_null(json);
    drop_message(rig);
    return json;
}

void rig_expect(Rig *rig, const char *client, const char *topic, const char *text) {
    PS_AUTO_JSON json_t *have = rig_take(rig, client, topic);
    PS_AUTO_JSON json_t *want = ps_json_parse(text, strlen(text));
    assert_non_null(want);
    if (!json_equal(have, want)) {
        PS_AUTO_BUF PsBuf buf = {0};
        ps_json_text(have, &buf);
        fail_msg("%s\nhave %s\nwant %s", topic, (char *)buf.data, text);
    }
}

void rig_silent(Rig *rig) {
    if (rig->message_count > 0) {
        fail_msg("also published to %s: %s", rig->messages[0].topic,
                 (char *)rig->messages[0].payload.data);
    }
}
