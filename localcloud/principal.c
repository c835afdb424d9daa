// Who has connected, for policies. Main thread; reads the local database.
#include "localcloud/principal.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct PsPrincipal {
    PsRegistry *registry;
    char *client_id;
    char *certificate_id;
    char *address;
    char *domain_name;
    PsBuf will_topic; // ARN
    PsBuf resource;   // of the question at hand
    PsPolicySet policies;
    PsRegistryThing thing;
    PsPolicyAttribute *attributes;
    PsPolicyThing thing_facts;
    PsPolicyCertificate *certificate;
    PsPolicyContext context;
    PsPolicyCache cache;
};

static PsPolicyPlace place_of(const PsPrincipal *principal) {
    return (PsPolicyPlace){.partition = "aws",
                           .region = ps_registry_region(principal->registry),
                           .account = PS_ACCOUNT_ID};
}

static PsErr read_registry(PsPrincipal *principal, PsRegistryThing *ret_thing,
                           PsPolicySet *ret_policies) {
    PsErr err = ps_registry_thing_for(principal->registry, principal->certificate_id,
                                      principal->client_id, ret_thing);
    if (err != PS_OK) {
        return err;
    }
    return ps_registry_policies(principal->registry, principal->certificate_id, ret_thing->name,
                                ret_policies);
}

static void set_thing(PsPrincipal *principal) {
    const PsRegistryThing *thing = &principal->thing;
    free(principal->attributes);
    principal->attributes =
        ps_alloc_array(thing->attribute_count + 1, sizeof *principal->attributes);
    for (size_t i = 0; i < thing->attribute_count; i++) {
        principal->attributes[i] =
            (PsPolicyAttribute){thing->attributes[i].name, thing->attributes[i].value};
    }
    principal->thing_facts = (PsPolicyThing){.name = thing->name,
                                             .type = thing->type[0] != '\0' ? thing->type : NULL,
                                             .attributes = principal->attributes,
                                             .attribute_count = thing->attribute_count};
    principal->context.thing = thing->known ? &principal->thing_facts : NULL;
    principal->context.is_attached = thing->attached;
    ps_policy_cache_clear(&principal->cache);
}

PsPrincipal *ps_principal_new(PsRegistry *registry, const PsFrontPeer *peer,
                              const X509 *certificate, const PsFrontConnect *connect) {
    PsPrincipal *principal = ps_alloc(sizeof *principal);
    principal->registry = registry;
    principal->client_id = ps_strdup(connect->client_id);
    principal->certificate_id = ps_strdup(peer->certificate_id);
    principal->address = ps_strdup(peer->address);
    principal->domain_name = ps_strdup(peer->domain_name);
    bool has_will = connect->will_topic.len > 0;
    if (has_will) {
        PsPolicyPlace place = place_of(principal);
        ps_policy_put_arn(&principal->will_topic, &place, PS_POLICY_PUBLISH,
                          (const char *)connect->will_topic.data, connect->will_topic.len);
    }
    PsErr err = certificate != NULL
                    ? ps_policy_certificate_vars(certificate, &principal->certificate)
                    : PS_OK;
    err = err == PS_OK ? read_registry(principal, &principal->thing, &principal->policies) : err;
    if (err != PS_OK) {
        ps_principal_free(principal);
        return NULL;
    }
    bool named = principal->domain_name[0] != '\0';
    principal->context =
        (PsPolicyContext){.client_id = principal->client_id,
                          .certificate_id = principal->certificate_id,
                          .source_ip = principal->address,
                          .domain_name = named ? principal->domain_name : NULL,
                          .certificate = principal->certificate,
                          .persistent = connect->persistent,
                          .last_will = has_will,
                          .last_will_topic = (const char *)principal->will_topic.data};
    set_thing(principal);
    return principal;
}

void ps_principal_free(PsPrincipal *principal) {
    if (principal == NULL) {
        return;
    }
    ps_policy_set_deinit(&principal->policies);
    ps_registry_thing_deinit(&principal->thing);
    ps_policy_certificate_free(principal->certificate);
    ps_buf_deinit(&principal->will_topic);
    ps_buf_deinit(&principal->resource);
    free(principal->attributes);
    free(principal->client_id);
    free(principal->certificate_id);
    free(principal->address);
    free(principal->domain_name);
    free(principal);
}

void ps_principal_refresh(PsPrincipal *principal) {
    PsRegistryThing thing = {0};
    PsPolicySet policies = {0};
    if (read_registry(principal, &thing, &policies) != PS_OK) {
        ps_registry_thing_deinit(&thing);
        return;
    }
    ps_registry_thing_deinit(&principal->thing);
    ps_policy_set_deinit(&principal->policies);
    principal->thing = thing;
    principal->policies = policies;
    set_thing(principal);
}

bool ps_principal_allows(PsPrincipal *principal, PsPolicyAction action, PsBytes name) {
    PsPolicyPlace place = place_of(principal);
    ps_buf_clear(&principal->resource);
    ps_policy_put_arn(&principal->resource, &place, action, (const char *)name.data, name.len);
    return ps_policy_cache_decide(&principal->cache, &principal->policies, &principal->context,
                                  action, (const char *)principal->resource.data,
                                  principal->resource.len) == PS_POLICY_ALLOW;
}

const char *ps_principal_thing(const PsPrincipal *principal, bool exclusive) {
    const PsRegistryThing *thing = &principal->thing;
    return thing->known && (thing->exclusive || !exclusive) ? thing->name : NULL;
}
