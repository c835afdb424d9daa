// The table of AWS's error types. Pure.
#include "localcloud/registry/fault.h"

#include "base/text.h"

#include <stdarg.h>

typedef struct CodeRule {
    const char *type;
    int control; // HTTP status in the control plane
    int data;
} CodeRule;

static const CodeRule rules[PS_API_CODES] = {
    [PS_API_OK] = {"", 200, 200},
    [PS_API_INVALID_REQUEST] = {"InvalidRequestException", 400, 400},
    [PS_API_MALFORMED_POLICY] = {"MalformedPolicyException", 400, 400},
    [PS_API_CERTIFICATE_VALIDATION] = {"CertificateValidationException", 400, 400},
    [PS_API_REGISTRATION_CODE] = {"RegistrationCodeValidationException", 400, 400},
    [PS_API_UNAUTHORIZED] = {"UnauthorizedException", 401, 401},
    [PS_API_FORBIDDEN] = {"ForbiddenException", 403, 403},
    [PS_API_NOT_FOUND] = {"ResourceNotFoundException", 404, 404},
    [PS_API_METHOD_NOT_ALLOWED] = {"MethodNotAllowedException", 405, 405},
    [PS_API_CERTIFICATE_STATE] = {"CertificateStateException", 406, 406},
    [PS_API_ALREADY_EXISTS] = {"ResourceAlreadyExistsException", 409, 409},
    [PS_API_DELETE_CONFLICT] = {"DeleteConflictException", 409, 409},
    [PS_API_VERSION_CONFLICT] = {"VersionConflictException", 409, 409},
    [PS_API_VERSIONS_LIMIT] = {"VersionsLimitExceededException", 409, 409},
    [PS_API_CERTIFICATE_CONFLICT] = {"CertificateConflictException", 409, 409},
    [PS_API_CONFLICT] = {"ConflictException", 409, 409},
    [PS_API_LIMIT_EXCEEDED] = {"LimitExceededException", 410, 410},
    [PS_API_TOO_LARGE] = {"RequestEntityTooLargeException", 413, 413},
    [PS_API_UNSUPPORTED_ENCODING] = {"UnsupportedDocumentEncodingException", 415, 415},
    [PS_API_THROTTLING] = {"ThrottlingException", 400, 429},
    [PS_API_STATE_CONFLICT] = {"InvalidStateTransitionException", 409, 409},
    [PS_API_TERMINAL_STATE] = {"TerminalStateException", 410, 410},
    [PS_API_INTERNAL] = {"InternalFailureException", 500, 500},
    [PS_API_UNAVAILABLE] = {"ServiceUnavailableException", 503, 503},
};

const char *ps_api_error_type(PsApiCode code) {
    PS_ASSERT(code < PS_API_CODES);
    return rules[code].type;
}

int ps_api_status(PsApiCode code, PsApiPlane plane) {
    PS_ASSERT(code < PS_API_CODES);
    return plane == PS_API_DATA ? rules[code].data : rules[code].control;
}

void ps_api_fault_set(PsApiCode code, PsApiFault *fault, const char *fmt, ...) {
    *fault = (PsApiFault){.code = code};
    va_list args;
    va_start(args, fmt);
    ps_text_format_list(fault->message, sizeof fault->message, fmt, args);
    va_end(args);
}

PsApiCode ps_api_failed_inside(const PsDiag *diag, PsApiFault *fault) {
    char text[sizeof(PsDiag) + 8];
    ps_diag_format(diag, text, sizeof text);
    return ps_api_fail(PS_API_INTERNAL, fault, "%s", text);
}
