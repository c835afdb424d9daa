//! What names, sizes and ARNs may be (API models `iot` and `iot-data`, service-2.json). Pure.
#pragma once

#include "localcloud/registry/registry.h"

typedef enum PsNameKind {
    PS_NAME_THING,       ///< things, thing types, groups: 1 to 128 of [a-zA-Z0-9:_-]
    PS_NAME_POLICY,      ///< 1 to 128 of [\w+=,.@-]
    PS_NAME_ATTRIBUTE,   ///< 1 to 128 of [a-zA-Z0-9_.,@/:#-]
    PS_NAME_VALUE,       ///< of an attribute: 0 to 800 of the same
    PS_NAME_CERTIFICATE, ///< 64 of (0x)?[a-fA-F0-9]
    PS_NAME_VERSION,     ///< of a policy: digits
    PS_NAME_SHADOW,      ///< 1 to 64 of [a-zA-Z0-9:_-]
    PS_NAME_DESCRIPTION, ///< 0 to 2028 printable characters
    PS_NAME_TEMPLATE,    ///< 1 to 36 of [0-9A-Za-z_-]
    PS_NAME_KINDS,
} PsNameKind;

/// PS_API_INVALID_REQUEST with the service's own sentence about the member `field`. NULL is refused
/// like a value that is not there.
PsApiCode ps_name_check(PsNameKind kind, const char *field, const char *text, PsApiFault *fault);

/// ps_name_check of a certificate id, in lower case into `out`.
PsApiCode ps_name_certificate(const char *field, const char *text, char *out, PsApiFault *fault);

/// Attributes of a thing or group: names and values as above, at most `most` of them that are not
/// empty. NULL is none.
PsApiCode ps_name_attributes(json_t *attributes, size_t most, PsApiFault *fault);

typedef enum PsArnKind {
    PS_ARN_THING,
    PS_ARN_TYPE,
    PS_ARN_GROUP,
    PS_ARN_CERTIFICATE,
    PS_ARN_AUTHORITY,
    PS_ARN_POLICY,
    PS_ARN_KINDS,
} PsArnKind;

/// Room for every ARN with its end.
#define PS_ARN_SIZE 256

/// "arn:aws:iot:<region>:000000000000:thing/<name>"; the partition goes with the region.
void ps_arn_put(char *out, const char *region, PsArnKind kind, const char *name);

/// Reads an ARN of this account and region: points *ret_name behind the kind. False: not an ARN of
/// ours, or of no kind that is kept here.
bool ps_arn_read(const char *arn, const char *region, PsArnKind *ret_kind, const char **ret_name);
