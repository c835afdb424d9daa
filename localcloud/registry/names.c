// Names, sizes and ARNs. Pure; any thread.
#include "localcloud/registry/names.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

typedef struct NameRule {
    size_t min;
    size_t max;
    const char *allowed; // NULL: every printable character
    const char *pattern; // as the service's model writes it
} NameRule;

static const NameRule rules[PS_NAME_KINDS] = {
    [PS_NAME_THING] = {1, 128, LETTERS DIGITS ":_-", "[a-zA-Z0-9:_-]+"},
    [PS_NAME_POLICY] = {1, 128, LETTERS DIGITS "_+=,.@-", "[\\w+=,.@-]+"},
    [PS_NAME_ATTRIBUTE] = {1, 128, LETTERS DIGITS "_.,@/:#-", "[a-zA-Z0-9_.,@/:#-]+"},
    [PS_NAME_VALUE] = {0, 800, LETTERS DIGITS "_.,@/:#-", "[a-zA-Z0-9_.,@/:#-]*"},
    [PS_NAME_CERTIFICATE] = {64, 64, "abcdefABCDEF" DIGITS, "(0x)?[a-fA-F0-9]+"},
    [PS_NAME_VERSION] = {1, 9, DIGITS, "[0-9]+"},
    [PS_NAME_SHADOW] = {1, 64, LETTERS DIGITS ":_-", "[a-zA-Z0-9:_-]+"},
    [PS_NAME_DESCRIPTION] = {0, 2028, NULL, "[\\p{Graph}\\x20]*"},
    [PS_NAME_TEMPLATE] = {1, 36, LETTERS DIGITS "_-", "^[0-9A-Za-z_-]+$"},
};

static bool is_printable(const char *text) {
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == '\x7f') {
            return false;
        }
    }
    return true;
}

PsApiCode ps_name_check(PsNameKind kind, const char *field, const char *text, PsApiFault *fault) {
    PS_ASSERT(kind < PS_NAME_KINDS);
    const NameRule *rule = &rules[kind];
    if (text == NULL) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "1 validation error detected: Value null at '%s' failed to satisfy "
                           "constraint: Member must not be null",
                           field);
    }
    size_t len = strlen(text);
    if (len < rule->min || len > rule->max) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "1 validation error detected: Value '%.200s' at '%s' failed to satisfy "
                           "constraint: Member must have length %s than or equal to %zu",
                           text, field, len < rule->min ? "greater" : "less",
                           len < rule->min ? rule->min : rule->max);
    }
    bool sound = rule->allowed != NULL ? strspn(text, rule->allowed) == len : is_printable(text);
    if (!sound) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "1 validation error detected: Value '%.200s' at '%s' failed to satisfy "
                           "constraint: Member must satisfy regular expression pattern: %s",
                           text, field, rule->pattern);
    }
    return PS_API_OK;
}

PsApiCode ps_name_certificate(const char *field, const char *text, char *out, PsApiFault *fault) {
    PsApiCode code = ps_name_check(PS_NAME_CERTIFICATE, field, text, fault);
    if (code != PS_API_OK) {
        return code;
    }
    for (size_t i = 0; i < PS_CERTIFICATE_ID_SIZE; i++) {
        out[i] = (char)tolower((unsigned char)text[i]);
    }
    return PS_API_OK;
}

PsApiCode ps_name_attributes(json_t *attributes, size_t most, PsApiFault *fault) {
    if (attributes == NULL) {
        return PS_API_OK;
    }
    if (!json_is_object(attributes)) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault, "'attributes' must be an object");
    }
    size_t count = 0;
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(attributes, name, value) {
        const char *text = json_string_value(value);
        PsApiCode code =
            ps_name_check(PS_NAME_ATTRIBUTE, "attributePayload.attributes", name, fault);
        if (code == PS_API_OK) {
            code = ps_name_check(PS_NAME_VALUE, name, text, fault);
        }
        if (code != PS_API_OK) {
            return code;
        }
        count += text[0] != '\0' ? 1 : 0;
    }
    if (count > most) {
        return ps_api_fail(PS_API_INVALID_REQUEST, fault,
                           "%zu attributes; the most is %zu (3 without a thing type, 50 with one)",
                           count, most);
    }
    return PS_API_OK;
}

static const char *const arn_kinds[PS_ARN_KINDS] = {
    [PS_ARN_THING] = "thing",      [PS_ARN_TYPE] = "thingtype",   [PS_ARN_GROUP] = "thinggroup",
    [PS_ARN_CERTIFICATE] = "cert", [PS_ARN_AUTHORITY] = "cacert", [PS_ARN_POLICY] = "policy",
};

static const char *partition_of(const char *region) {
    if (strncmp(region, "cn-", 3) == 0) {
        return "aws-cn";
    }
    return strncmp(region, "us-gov-", 7) == 0 ? "aws-us-gov" : "aws";
}

void ps_arn_put(char *out, const char *region, PsArnKind kind, const char *name) {
    PS_ASSERT(kind < PS_ARN_KINDS);
    snprintf(out, PS_ARN_SIZE, "arn:%s:iot:%s:%s:%s/%s", partition_of(region), region,
             PS_ACCOUNT_ID, arn_kinds[kind], name);
}

bool ps_arn_read(const char *arn, const char *region, PsArnKind *ret_kind, const char **ret_name) {
    for (PsArnKind kind = 0; kind < PS_ARN_KINDS; kind++) {
        char start[PS_ARN_SIZE];
        ps_arn_put(start, region, kind, "");
        size_t len = strlen(start);
        if (strncmp(arn, start, len) == 0 && arn[len] != '\0') {
            *ret_kind = kind;
            *ret_name = arn + len;
            return true;
        }
    }
    return false;
}
