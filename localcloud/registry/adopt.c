// A certificate of the folder as a thing of the account. Main thread, local database.
#include "localcloud/registry/adopt.h"

#include "localcloud/pki.h"
#include "localcloud/registry/authorities.h"
#include "localcloud/registry/certificates.h"
#include "localcloud/registry/policies.h"
#include "localcloud/registry/principals.h"
#include "localcloud/registry/things.h"

static PsApiCode adopt_policy(PsRegistry *registry, const char *arn, PsApiFault *fault) {
    json_t *answer = NULL;
    PsApiCode code = ps_policy_create(registry, PS_ADOPT_POLICY, PS_ADOPT_DOCUMENT, &answer, fault);
    json_decref(answer);
    if (code == PS_API_OK || code == PS_API_ALREADY_EXISTS) {
        code = ps_policy_attach(registry, PS_ADOPT_POLICY, arn, fault);
    }
    return code;
}

static PsApiCode adopt_thing(PsRegistry *registry, const char *name, const char *arn,
                             PsApiFault *fault) {
    PsThingSpec spec = {.name = name, .expected_version = PS_ANY_VERSION};
    json_t *answer = NULL;
    PsApiCode code = ps_thing_create(registry, &spec, &answer, fault);
    json_decref(answer);
    if (code == PS_API_OK || code == PS_API_ALREADY_EXISTS) {
        code = ps_principal_attach(registry, name, arn, false, fault);
    }
    return code;
}

static PsApiCode adopt(PsRegistry *registry, const char *name, const X509 *x509,
                       PsApiFault *fault) {
    char id[PS_CERTIFICATE_ID_SIZE];
    char arn[PS_ARN_SIZE];
    ps_pki_certificate_id(x509, id);
    if (ps_registry_has(registry, "SELECT seq FROM certificates WHERE id = ?", id)) {
        return PS_API_OK; // somebody may have changed it since
    }
    PsApiCode code =
        ps_certificate_put(registry, x509, PS_CERTIFICATE_ACTIVE, NULL, "DEFAULT", id, fault);
    ps_arn_put(arn, ps_registry_region(registry), PS_ARN_CERTIFICATE, id);
    code = code == PS_API_OK ? adopt_policy(registry, arn, fault) : code;
    return code == PS_API_OK && name != NULL ? adopt_thing(registry, name, arn, fault) : code;
}

PsApiCode ps_registry_adopt(PsRegistry *registry, const char *name, const char *pem,
                            PsApiFault *fault) {
    X509 *x509 = NULL;
    PsApiCode code = ps_authority_read_pem("certificate", pem, &x509, fault);
    if (code == PS_API_OK) {
        ps_registry_begin(registry);
        code = ps_registry_end(registry, adopt(registry, name, x509, fault), fault);
    }
    X509_free(x509);
    return code;
}
