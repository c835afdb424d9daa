// X.509 certificates as policy variables: subject, issuer, their alternative names and the serial
// number. Read once per connection, then only looked up. Any thread, one at a time.
#include "localcloud/policy/certificate.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_VALUE 1024

/// Where a field is read from.
typedef enum Source {
    SUBJECT,
    ISSUER,
    SUBJECT_ALTERNATIVE,
    ISSUER_ALTERNATIVE,
    SERIAL,
} Source;

typedef struct Field {
    const char *key; // with "iot:", as iot:Certificate.AvailableKeys lists it
    Source source;
    int kind; // NID of the attribute, or GEN_ of the alternative name
} Field;

// Subject and issuer have the same attributes (RFC 5280, 4.1.2.4; X.520).
#define NAME_FIELDS(part, source)                                                                  \
    {"iot:Certificate." part ".CommonName", source, NID_commonName},                               \
        {"iot:Certificate." part ".Country", source, NID_countryName},                             \
        {"iot:Certificate." part ".Organization", source, NID_organizationName},                   \
        {"iot:Certificate." part ".OrganizationalUnit", source, NID_organizationalUnitName},       \
        {"iot:Certificate." part ".State", source, NID_stateOrProvinceName},                       \
        {"iot:Certificate." part ".SerialNumber", source, NID_serialNumber},                       \
        {"iot:Certificate." part ".DistinguishedNameQualifier", source, NID_dnQualifier},          \
        {"iot:Certificate." part ".Title", source, NID_title},                                     \
        {"iot:Certificate." part ".Surname", source, NID_surname},                                 \
        {"iot:Certificate." part ".GivenName", source, NID_givenName},                             \
        {"iot:Certificate." part ".Initials", source, NID_initials},                               \
        {"iot:Certificate." part ".Pseudonym", source, NID_pseudonym}, {                           \
        "iot:Certificate." part ".GenerationQualifier", source, NID_generationQualifier            \
    }

#define ALTERNATIVE_FIELDS(part, source)                                                           \
    {"iot:Certificate." part ".AlternativeName.RFC822Name", source, GEN_EMAIL},                    \
        {"iot:Certificate." part ".AlternativeName.DNSName", source, GEN_DNS},                     \
        {"iot:Certificate." part ".AlternativeName.DirectoryName", source, GEN_DIRNAME},           \
        {"iot:Certificate." part ".AlternativeName.UniformResourceIdentifier", source, GEN_URI}, { \
        "iot:Certificate." part ".AlternativeName.IPAddress", source, GEN_IPADD                    \
    }

static const Field fields[] = {
    NAME_FIELDS("Subject", SUBJECT),
    NAME_FIELDS("Issuer", ISSUER),
    ALTERNATIVE_FIELDS("Subject", SUBJECT_ALTERNATIVE),
    ALTERNATIVE_FIELDS("Issuer", ISSUER_ALTERNATIVE),
    {"iot:Certificate.SerialNumber", SERIAL, 0},
};

#define KEY_PREFIX_LEN (sizeof "iot:" - 1)

typedef struct Values {
    char *texts[PS_CERTIFICATE_VALUES]; // NULL: has characters that cannot be substituted
    uint8_t count;
} Values;

struct PsPolicyCertificate {
    Values values[PS_COUNT(fields)];
};

uint8_t ps_certificate_field(const char *name, size_t len) {
    for (size_t i = 0; i < PS_COUNT(fields); i++) {
        const char *key = fields[i].key + KEY_PREFIX_LEN;
        if (strlen(key) == len && strncasecmp(key, name, len) == 0) {
            return (uint8_t)i;
        }
    }
    return PS_CERTIFICATE_NONE;
}

bool ps_certificate_value(const PsPolicyCertificate *certificate, uint8_t field, size_t n,
                          PsPolicyText *ret_value) {
    if (certificate == NULL || field >= PS_COUNT(fields) || n >= certificate->values[field].count ||
        certificate->values[field].texts[n] == NULL) {
        return false;
    }
    const char *text = certificate->values[field].texts[n];
    *ret_value = (PsPolicyText){text, strlen(text)};
    return true;
}

bool ps_certificate_key(const PsPolicyCertificate *certificate, size_t n, PsPolicyText *ret_name) {
    size_t seen = 0;
    for (size_t i = 0; certificate != NULL && i < PS_COUNT(fields); i++) {
        if (certificate->values[i].count > 0 && seen++ == n) {
            *ret_name = (PsPolicyText){fields[i].key, strlen(fields[i].key)};
            return true;
        }
    }
    return false;
}

// A value keeps its place in the list even when it cannot be used, so that ".1" stays the second.
static void put_value(PsPolicyCertificate *certificate, size_t field, const char *text,
                      size_t len) {
    Values *values = &certificate->values[field];
    if (values->count == PS_CERTIFICATE_VALUES) {
        return;
    }
    char *copy = NULL;
    if (len <= LONGEST_VALUE && memchr(text, '\0', len) == NULL) {
        copy = ps_alloc(len + 1);
        memcpy(copy, text, len);
        if (strpbrk(copy, "*$+?#") != NULL) {
            free(copy);
            copy = NULL;
        }
    }
    values->texts[values->count++] = copy;
}

static void put_name(PsPolicyCertificate *certificate, Source source, const X509_NAME *name) {
    for (size_t i = 0; i < PS_COUNT(fields); i++) {
        int at = -1;
        while (fields[i].source == source &&
               (at = X509_NAME_get_index_by_NID(name, fields[i].kind, at)) >= 0) {
            unsigned char *text = NULL;
            int len =
                ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
            if (len >= 0) {
                put_value(certificate, i, (const char *)text, (size_t)len);
                OPENSSL_free(text);
            }
        }
    }
}

static void put_directory(PsPolicyCertificate *certificate, size_t field, const X509_NAME *name) {
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    if (bio != NULL && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0) {
        long len = BIO_get_mem_data(bio, &text);
        put_value(certificate, field, text, (size_t)len);
    }
    BIO_free(bio);
}

static void put_address(PsPolicyCertificate *certificate, size_t field,
                        const ASN1_OCTET_STRING *address) {
    char text[INET6_ADDRSTRLEN];
    int len = ASN1_STRING_length(address);
    int family = len == 4 ? AF_INET : AF_INET6;
    if ((len == 4 || len == 16) &&
        inet_ntop(family, ASN1_STRING_get0_data(address), text, sizeof text) != NULL) {
        put_value(certificate, field, text, strlen(text));
    }
}

static void put_general_name(PsPolicyCertificate *certificate, size_t field,
                             const GENERAL_NAME *name) {
    if (name->type == GEN_DIRNAME) {
        put_directory(certificate, field, name->d.directoryName);
    } else if (name->type == GEN_IPADD) {
        put_address(certificate, field, name->d.iPAddress);
    } else { // the three that are IA5 strings share one member
        put_value(certificate, field, (const char *)ASN1_STRING_get0_data(name->d.ia5),
                  (size_t)ASN1_STRING_length(name->d.ia5));
    }
}

static void put_alternatives(PsPolicyCertificate *certificate, Source source, const X509 *x509,
                             int extension) {
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, extension, NULL, NULL);
    for (int n = 0; n < sk_GENERAL_NAME_num(names); n++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, n);
        for (size_t i = 0; i < PS_COUNT(fields); i++) {
            if (fields[i].source == source && fields[i].kind == name->type) {
                put_general_name(certificate, i, name);
            }
        }
    }
    GENERAL_NAMES_free(names);
}

static PsErr put_serial(PsPolicyCertificate *certificate, const X509 *x509) {
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL);
    char *text = number != NULL ? BN_bn2hex(number) : NULL;
    if (text != NULL) {
        put_value(certificate, ps_certificate_field("Certificate.SerialNumber", 24), text,
                  strlen(text));
    }
    OPENSSL_free(text);
    BN_free(number);
    return text != NULL ? PS_OK : PS_ERR_INTERNAL;
}

PsErr ps_policy_certificate_vars(const X509 *x509, PsPolicyCertificate **ret_certificate) {
    PsPolicyCertificate *certificate = ps_alloc(sizeof *certificate);
    PsErr err = put_serial(certificate, x509);
    if (err != PS_OK) {
        ps_policy_certificate_free(certificate);
        return err;
    }
    put_name(certificate, SUBJECT, X509_get_subject_name(x509));
    put_name(certificate, ISSUER, X509_get_issuer_name(x509));
    put_alternatives(certificate, SUBJECT_ALTERNATIVE, x509, NID_subject_alt_name);
    put_alternatives(certificate, ISSUER_ALTERNATIVE, x509, NID_issuer_alt_name);
    *ret_certificate = certificate;
    return PS_OK;
}

void ps_policy_certificate_free(PsPolicyCertificate *certificate) {
    for (size_t i = 0; certificate != NULL && i < PS_COUNT(fields); i++) {
        for (size_t n = 0; n < certificate->values[i].count; n++) {
            free(certificate->values[i].texts[n]);
        }
    }
    free(certificate);
}
