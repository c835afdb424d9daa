// What the services ask of the registry: a vtable over its calls. Main thread; blocks for the local
// database.
#include "localcloud/ways.h"

#include "base/mem.h"
#include "localcloud/registry/certificates.h"
#include "localcloud/registry/groups.h"
#include "localcloud/registry/policies.h"
#include "localcloud/registry/principals.h"
#include "localcloud/registry/things.h"
#include "localcloud/service/service_registry.h"

#include <stdio.h>
#include <string.h>

#define PAGE 250

// The end of a change, with the API's words as a diagnosis.
static PsErr end_change(PsRegistry *registry, PsApiCode code, PsApiFault *fault, const char *what,
                        PsDiag *diag) {
    code = ps_registry_end(registry, code, fault);
    if (code == PS_API_OK) {
        return PS_OK;
    }
    PsErr err = code == PS_API_INTERNAL    ? PS_ERR_IO
                : code == PS_API_NOT_FOUND ? PS_ERR_NOT_FOUND
                                           : PS_ERR_INVALID;
    return ps_fail(err, diag, what, NULL, "%s", fault->message);
}

typedef PsApiCode Look(PsRegistry *registry, const char *name, PsApiFault *fault);

static bool exists(PsRegistry *registry, Look *look, const char *name) {
    PsApiFault fault = {0};
    ps_registry_begin(registry);
    PsApiCode code = look(registry, name, &fault);
    code = ps_registry_end(registry, code, &fault);
    return code == PS_API_OK;
}

static bool thing_exists(void *ctx, const char *thing) {
    return exists(ctx, ps_thing_check, thing);
}

static bool group_exists(void *ctx, const char *group) {
    return exists(ctx, ps_group_check, group);
}

static bool policy_exists(void *ctx, const char *policy) {
    return exists(ctx, ps_policy_check, policy);
}

static void group_things(void *ctx, const char *group, PsServiceThingFn *fn, void *fn_ctx) {
    PsRegistry *registry = ctx;
    PsPage page = {.limit = PAGE};
    do {
        PsApiFault fault = {0};
        ps_registry_begin(registry);
        PsListed listed = ps_group_things(registry, group, true, &page);
        PsApiCode code = ps_registry_end(registry, PS_API_OK, &fault);
        size_t index = 0;
        json_t *name = NULL;
        json_array_foreach(listed.items, index, name) {
            fn(fn_ctx, json_string_value(name));
        }
        json_decref(listed.items);
        page.after = code == PS_API_OK ? listed.next : 0;
    } while (page.after != 0);
}

static void take_text(const json_t *json, const char *name, PsBuf *out) {
    const char *text = json_string_value(json_object_get(json, name));
    if (text != NULL) {
        ps_buf_put(out, text, strlen(text));
    }
}

static PsErr make_certificate(void *ctx, const char *csr_pem, EVP_PKEY *key,
                              PsServiceCertificate *ret_certificate, PsDiag *diag) {
    PsRegistry *registry = ctx;
    PsApiFault fault = {0};
    json_t *answer = NULL;
    ps_registry_begin(registry);
    PsApiCode code = csr_pem == NULL
                         ? ps_certificate_create(registry, key, PS_CERTIFICATE_PENDING_ACTIVATION,
                                                 &answer, &fault)
                         : ps_certificate_sign(registry, csr_pem, PS_CERTIFICATE_PENDING_ACTIVATION,
                                               &answer, &fault);
    PsErr err = end_change(registry, code, &fault, "certificate", diag);
    if (err == PS_OK) {
        const char *id = json_string_value(json_object_get(answer, "certificateId"));
        snprintf(ret_certificate->id, sizeof ret_certificate->id, "%s", id != NULL ? id : "");
        take_text(answer, "certificatePem", &ret_certificate->certificate_pem);
        take_text(json_object_get(answer, "keyPair"), "PrivateKey",
                  &ret_certificate->private_key_pem);
    }
    json_decref(answer);
    return err;
}

static void drop_certificate(void *ctx, const char *certificate_id) {
    PsRegistry *registry = ctx;
    PsRegistryCertificate found;
    if (ps_registry_find_certificate(registry, certificate_id, &found) != PS_OK ||
        found.status != PS_CERTIFICATE_PENDING_ACTIVATION) {
        return;
    }
    PsApiFault fault = {0};
    ps_registry_begin(registry);
    PsApiCode code = ps_certificate_delete(registry, certificate_id, true, &fault);
    (void)ps_registry_end(registry, code, &fault);
}

static PsErr set_certificate_status(void *ctx, const char *certificate_id, const char *status,
                                    PsDiag *diag) {
    PsApiFault fault = {0};
    ps_registry_begin(ctx);
    PsApiCode code = ps_certificate_update(ctx, certificate_id, status, &fault);
    return end_change(ctx, code, &fault, "certificate", diag);
}

static PsApiCode put_in_groups(PsRegistry *registry, const char *thing, const json_t *groups,
                               PsApiFault *fault) {
    PsApiCode code = PS_API_OK;
    for (size_t i = 0; code == PS_API_OK && i < json_array_size(groups); i++) {
        code = ps_group_add(registry, json_string_value(json_array_get(groups, i)), thing, fault);
    }
    return code;
}

static PsErr put_thing(void *ctx, const char *thing, const char *type, const json_t *attributes,
                       bool merge, const json_t *groups, const char *billing_group, PsDiag *diag) {
    PsApiFault fault = {0};
    json_t *answer = NULL;
    json_t *own = json_deep_copy(attributes);
    PsThingSpec spec = {.name = thing,
                        .type = type,
                        .billing_group = billing_group,
                        .attributes = own,
                        .merge = merge,
                        .expected_version = PS_ANY_VERSION};
    ps_registry_begin(ctx);
    PsApiCode code = ps_thing_check(ctx, thing, &fault);
    code = code == PS_API_NOT_FOUND ? ps_thing_create(ctx, &spec, &answer, &fault)
           : code == PS_API_OK      ? ps_thing_update(ctx, &spec, &fault)
                                    : code;
    code = code == PS_API_OK ? put_in_groups(ctx, thing, groups, &fault) : code;
    json_decref(answer);
    json_decref(own);
    return end_change(ctx, code, &fault, "thing", diag);
}

static void certificate_arn(PsRegistry *registry, const char *id, char *out) {
    ps_arn_put(out, ps_registry_region(registry), PS_ARN_CERTIFICATE, id);
}

static PsErr attach_thing(void *ctx, const char *thing, const char *certificate_id, PsDiag *diag) {
    PsApiFault fault = {0};
    char arn[PS_ARN_SIZE];
    certificate_arn(ctx, certificate_id, arn);
    ps_registry_begin(ctx);
    PsApiCode code = ps_principal_attach(ctx, thing, arn, false, &fault);
    return end_change(ctx, code, &fault, "thing", diag);
}

static PsErr put_policy(void *ctx, const char *policy, const char *document, PsDiag *diag) {
    PsApiFault fault = {0};
    json_t *answer = NULL;
    ps_registry_begin(ctx);
    PsApiCode code = ps_policy_check(ctx, policy, &fault);
    code =
        code == PS_API_NOT_FOUND ? ps_policy_create(ctx, policy, document, &answer, &fault) : code;
    json_decref(answer);
    return end_change(ctx, code, &fault, "policy", diag);
}

static PsErr attach_policy(void *ctx, const char *policy, const char *certificate_id,
                           PsDiag *diag) {
    PsApiFault fault = {0};
    char arn[PS_ARN_SIZE];
    certificate_arn(ctx, certificate_id, arn);
    ps_registry_begin(ctx);
    PsApiCode code = ps_policy_attach(ctx, policy, arn, &fault);
    return end_change(ctx, code, &fault, "policy", diag);
}

PsServiceRegistry *ps_ways_service_registry(PsRegistry *registry) {
    PsServiceRegistry *calls = ps_alloc(sizeof *calls);
    *calls = (PsServiceRegistry){.thing_exists = thing_exists,
                                 .group_exists = group_exists,
                                 .group_things = group_things,
                                 .make_certificate = make_certificate,
                                 .drop_certificate = drop_certificate,
                                 .set_certificate_status = set_certificate_status,
                                 .put_thing = put_thing,
                                 .attach_thing = attach_thing,
                                 .policy_exists = policy_exists,
                                 .put_policy = put_policy,
                                 .attach_policy = attach_policy,
                                 .ctx = registry};
    return calls;
}
