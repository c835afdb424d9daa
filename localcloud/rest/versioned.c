// Expected versions in calls. Main thread.
#include "localcloud/rest/versioned.h"

#include "localcloud/registry/account.h"

int64_t ps_versioned_expected(const json_t *body) {
    const json_t *version = json_object_get(body, "expectedVersion");
    return json_is_integer(version) ? json_integer_value(version) : PS_ANY_VERSION;
}

PsApiCode ps_versioned_delete(const PsRestCall *call, PsRestAnswer *answer,
                              PsVersionedDelete remove, PsApiFault *fault) {
    long long version = PS_ANY_VERSION;
    PsApiCode code =
        ps_rest_query_int(call, "expectedVersion", 0, INT64_MAX, PS_ANY_VERSION, &version, fault);
    answer->json = json_object();
    return code == PS_API_OK ? remove(call->registry, call->parameters[0], version, fault) : code;
}
