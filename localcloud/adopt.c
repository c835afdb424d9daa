// Things of this program's own making enter the account. Main thread; blocks for the database.
#include "localcloud/adopt.h"

#include "base/buf.h"
#include "base/file.h"
#include "localcloud/registry/certificates.h"
#include "localcloud/registry/policies.h"
#include "localcloud/registry/principals.h"
#include "localcloud/registry/things.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#define PEM_LIMIT ((size_t)64 * 1024)
#define EVERYTHING                                                                                 \
    "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Action\": "           \
    "\"iot:*\", \"Resource\": \"*\"}]}"

static PsErr read_certificate(const char *path, X509 **ret_certificate, PsDiag *diag) {
    PS_AUTO_BUF PsBuf pem = {0};
    PsErr err = ps_file_read(path, PEM_LIMIT, &pem, diag);
    if (err != PS_OK) {
        return err;
    }
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    *ret_certificate = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    return *ret_certificate != NULL
               ? PS_OK
               : ps_fail(PS_ERR_INVALID, diag, path, NULL, "holds no certificate in PEM form");
}

static PsApiCode make_policy(PsRegistry *registry, PsApiFault *fault) {
    json_t *answer = NULL;
    PsApiCode code = ps_policy_check(registry, PS_ADOPT_POLICY, fault);
    if (code == PS_API_NOT_FOUND) {
        code = ps_policy_create(registry, PS_ADOPT_POLICY, EVERYTHING, &answer, fault);
    }
    json_decref(answer);
    return code;
}

static PsApiCode make_thing(PsRegistry *registry, const char *thing, const char *arn,
                            PsApiFault *fault) {
    json_t *answer = NULL;
    PsApiCode code = ps_thing_check(registry, thing, fault);
    if (code == PS_API_NOT_FOUND) {
        PsThingSpec spec = {.name = thing, .expected_version = PS_ANY_VERSION};
        code = ps_thing_create(registry, &spec, &answer, fault);
    }
    json_decref(answer);
    return code == PS_API_OK ? ps_principal_attach(registry, thing, arn, false, fault) : code;
}

static PsApiCode adopt(PsRegistry *registry, const char *thing, const X509 *certificate,
                       PsApiFault *fault) {
    char id[PS_CERTIFICATE_ID_SIZE];
    PsApiCode code = ps_certificate_put(registry, certificate, PS_CERTIFICATE_ACTIVE, NULL,
                                        "DEFAULT", id, fault);
    if (code == PS_API_ALREADY_EXISTS) {
        return PS_API_OK;
    }
    char arn[PS_ARN_SIZE];
    if (code == PS_API_OK) {
        ps_arn_put(arn, ps_registry_region(registry), PS_ARN_CERTIFICATE, id);
        code = make_policy(registry, fault);
    }
    code = code == PS_API_OK ? ps_policy_attach(registry, PS_ADOPT_POLICY, arn, fault) : code;
    return code == PS_API_OK && thing != NULL ? make_thing(registry, thing, arn, fault) : code;
}

PsErr ps_adopt(PsRegistry *registry, const char *thing, const char *certificate_path,
               PsDiag *diag) {
    X509 *certificate = NULL;
    PsErr err = read_certificate(certificate_path, &certificate, diag);
    if (err != PS_OK) {
        return err;
    }
    PsApiFault fault = {0};
    ps_registry_begin(registry);
    PsApiCode code = adopt(registry, thing, certificate, &fault);
    code = ps_registry_end(registry, code, &fault);
    X509_free(certificate);
    return code == PS_API_OK ? PS_OK
                             : ps_fail(PS_ERR_IO, diag, certificate_path, NULL,
                                       "cannot enter the account: %s", fault.message);
}
