//! The refusals of AWS IoT's control and data plane: a type with its HTTP status, and the words.
//! Pure; any thread.
#pragma once

#include "base/err.h"

/// Error types of the API models `iot` and `iot-data` (service-2.json), and two of our own HTTP
/// edge. PS_API_OK is 0.
typedef enum PS_MUST_USE PsApiCode {
    PS_API_OK = 0,
    PS_API_INVALID_REQUEST,
    PS_API_MALFORMED_POLICY,
    PS_API_CERTIFICATE_VALIDATION,
    PS_API_REGISTRATION_CODE,
    PS_API_UNAUTHORIZED,
    PS_API_FORBIDDEN, ///< the HTTP edge: a foreign web page or a foreign host name
    PS_API_NOT_FOUND,
    PS_API_METHOD_NOT_ALLOWED,
    PS_API_CERTIFICATE_STATE,
    PS_API_ALREADY_EXISTS,
    PS_API_DELETE_CONFLICT,
    PS_API_VERSION_CONFLICT,
    PS_API_VERSIONS_LIMIT,
    PS_API_CERTIFICATE_CONFLICT,
    PS_API_CONFLICT,
    PS_API_LIMIT_EXCEEDED,
    PS_API_TOO_LARGE,
    PS_API_UNSUPPORTED_ENCODING,
    PS_API_THROTTLING,
    PS_API_STATE_CONFLICT, ///< jobs: InvalidStateTransitionException
    PS_API_TERMINAL_STATE, ///< jobs: TerminalStateException
    PS_API_INTERNAL,
    PS_API_UNAVAILABLE,
    PS_API_CODES,
} PsApiCode;

/// Which of the two APIs answers: throttling is 400 in the control plane and 429 in the data plane.
typedef enum PsApiPlane {
    PS_API_CONTROL,
    PS_API_DATA,
} PsApiPlane;

/// What a refused caller is told. Zeroed is "nothing was refused".
typedef struct PsApiFault {
    PsApiCode code;
    char message[512];
    char resource_id[160];  ///< only with PS_API_ALREADY_EXISTS
    char resource_arn[512]; ///< only with PS_API_ALREADY_EXISTS
} PsApiFault;

/// "ResourceNotFoundException".
const char *ps_api_error_type(PsApiCode code);
/// HTTP status; 200 for PS_API_OK.
int ps_api_status(PsApiCode code, PsApiPlane plane);

/// ps_api_fail(code, fault, fmt, ...) fills `fault` and gives `code`. A macro, so that an analyser
/// sees that a refusing branch does not end in PS_API_OK.
#define ps_api_fail(code_, ...) (ps_api_fault_set((code_), __VA_ARGS__), (code_))

/// `fault` must not be NULL.
void ps_api_fault_set(PsApiCode code, PsApiFault *fault, const char *fmt, ...) PS_PRINTF(3, 4);

/// For failures below the API (disk, OpenSSL): InternalFailureException with the diagnosis' words.
PsApiCode ps_api_failed_inside(const PsDiag *diag, PsApiFault *fault);
