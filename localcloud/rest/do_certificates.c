// Calls on certificates and CA certificates. Main thread.
#include "localcloud/registry/authorities.h"
#include "localcloud/registry/certificates.h"
#include "localcloud/rest/page.h"
#include "localcloud/rest/routes.h"

#include <string.h>

// setAsActive says which of the two states a new certificate has.
static PsApiCode read_status(const PsRestCall *call, PsCertificateStatus *ret_status,
                             PsApiFault *fault) {
    bool active = false;
    PsApiCode code = ps_rest_query_bool(call, "setAsActive", false, &active, fault);
    *ret_status = active ? PS_CERTIFICATE_ACTIVE : PS_CERTIFICATE_INACTIVE;
    return code;
}

PS_REST_HANDLER(ps_do_create_keys_and_certificate) {
    PsCertificateStatus status = PS_CERTIFICATE_INACTIVE;
    PsApiCode code = read_status(call, &status, fault);
    return code == PS_API_OK
               ? ps_certificate_create(call->registry, call->key, status, &answer->json, fault)
               : code;
}

PS_REST_HANDLER(ps_do_create_certificate_from_csr) {
    json_t *body = NULL;
    const char *request = NULL;
    PsCertificateStatus status = PS_CERTIFICATE_INACTIVE;
    PsApiCode code = read_status(call, &status, fault);
    code = code == PS_API_OK ? ps_rest_body(call, &body, fault) : code;
    if (code == PS_API_OK) {
        code = ps_rest_text(body, "certificateSigningRequest", true, &request, fault);
    }
    if (code == PS_API_OK) {
        code = ps_certificate_sign(call->registry, request, status, &answer->json, fault);
    }
    json_decref(body);
    return code;
}

static PsApiCode register_it(const PsRestCall *call, PsRestAnswer *answer, bool without_ca,
                             PsApiFault *fault) {
    json_t *body = NULL;
    PsCertificateSpec spec = {.without_ca = without_ca};
    bool active = false;
    PsApiCode code = ps_rest_query_bool(call, "setAsActive", false, &active, fault);
    code = code == PS_API_OK ? ps_rest_body(call, &body, fault) : code;
    code = code == PS_API_OK ? ps_rest_text(body, "certificatePem", true, &spec.pem, fault) : code;
    code = code == PS_API_OK ? ps_rest_text(body, "status", false, &spec.status, fault) : code;
    if (code == PS_API_OK && !without_ca) {
        code = ps_rest_text(body, "caCertificatePem", false, &spec.ca_pem, fault);
    }
    if (spec.status == NULL && active && !without_ca) {
        spec.status = ps_certificate_status_name(PS_CERTIFICATE_ACTIVE);
    }
    if (code == PS_API_OK) {
        code = ps_certificate_register(call->registry, &spec, &answer->json, fault);
    }
    json_decref(body);
    return code;
}

PS_REST_HANDLER(ps_do_register_certificate) {
    return register_it(call, answer, false, fault);
}

PS_REST_HANDLER(ps_do_register_certificate_without_ca) {
    return register_it(call, answer, true, fault);
}

PS_REST_HANDLER(ps_do_update_certificate) {
    return ps_certificate_update(call->registry, call->parameters[0],
                                 ps_rest_query(call, "newStatus"), fault);
}

PS_REST_HANDLER(ps_do_describe_certificate) {
    return ps_certificate_describe(call->registry, call->parameters[0], &answer->json, fault);
}

PS_REST_HANDLER(ps_do_delete_certificate) {
    bool force = false;
    PsApiCode code = ps_rest_query_bool(call, "forceDelete", false, &force, fault);
    return code == PS_API_OK
               ? ps_certificate_delete(call->registry, call->parameters[0], force, fault)
               : code;
}

static PsApiCode list_them(const PsRestCall *call, PsRestAnswer *answer, const char *ca_id,
                           PsApiFault *fault) {
    PsPage page;
    PsApiCode code = ps_page_read(call, PS_PAGE_MARKER, &page, fault);
    if (code == PS_API_OK) {
        PsListed listed = ps_certificate_list(call->registry, ca_id, &page);
        ps_page_answer(&listed, PS_PAGE_MARKER, "certificates", answer);
    }
    return code;
}

PS_REST_HANDLER(ps_do_list_certificates) {
    return list_them(call, answer, NULL, fault);
}

PS_REST_HANDLER(ps_do_list_certificates_by_ca) {
    char id[PS_CERTIFICATE_ID_SIZE];
    PsApiCode code = ps_name_certificate("caCertificateId", call->parameters[0], id, fault);
    return code == PS_API_OK ? list_them(call, answer, id, fault) : code;
}

// ---- CA certificates

PS_REST_HANDLER(ps_do_register_ca) {
    json_t *body = NULL;
    PsAuthoritySpec spec = {0};
    PsApiCode code = ps_rest_query_bool(call, "setAsActive", false, &spec.active, fault);
    if (code == PS_API_OK) {
        code = ps_rest_query_bool(call, "allowAutoRegistration", false, &spec.automatic, fault);
    }
    code = code == PS_API_OK ? ps_rest_body(call, &body, fault) : code;
    code = code == PS_API_OK ? ps_rest_text(body, "caCertificate", true, &spec.pem, fault) : code;
    if (code == PS_API_OK) {
        code = ps_rest_text(body, "verificationCertificate", false, &spec.verification_pem, fault);
    }
    code =
        code == PS_API_OK ? ps_rest_text(body, "certificateMode", false, &spec.mode, fault) : code;
    spec.config = json_object_get(body, "registrationConfig");
    if (code == PS_API_OK) {
        code = ps_authority_register(call->registry, &spec, &answer->json, fault);
    }
    json_decref(body);
    return code;
}

PS_REST_HANDLER(ps_do_describe_ca) {
    return ps_authority_describe(call->registry, call->parameters[0], &answer->json, fault);
}

static PsApiCode update_ca(const PsRestCall *call, json_t *body, PsRestAnswer *answer,
                           PsApiFault *fault) {
    PsAuthorityChange change = {.status = ps_rest_query(call, "newStatus"),
                                .automatic = ps_rest_query(call, "newAutoRegistrationStatus"),
                                .config = json_object_get(body, "registrationConfig"),
                                .remove_automatic =
                                    json_is_true(json_object_get(body, "removeAutoRegistration"))};
    return ps_authority_update(call->registry, call->parameters[0], &change, fault);
}

PS_REST_HANDLER(ps_do_update_ca) {
    return ps_rest_with_body(call, answer, update_ca, fault);
}

PS_REST_HANDLER(ps_do_delete_ca) {
    answer->json = json_object();
    return ps_authority_delete(call->registry, call->parameters[0], fault);
}

PS_REST_HANDLER(ps_do_list_cas) {
    PsPage page;
    PsApiCode code = ps_page_read(call, PS_PAGE_MARKER, &page, fault);
    if (code == PS_API_OK) {
        PsListed listed =
            ps_authority_list(call->registry, ps_rest_query(call, "templateName"), &page);
        ps_page_answer(&listed, PS_PAGE_MARKER, "certificates", answer);
    }
    return code;
}

PS_REST_HANDLER(ps_do_get_registration_code) {
    return ps_authority_code(call->registry, &answer->json, fault);
}

PS_REST_HANDLER(ps_do_delete_registration_code) {
    answer->json = json_object();
    return ps_authority_forget_code(call->registry, fault);
}
