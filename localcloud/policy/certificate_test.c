// What policies see of a certificate. The certificates are made here, with OpenSSL's names for
// their fields.
#include "localcloud/policy/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <string.h>

#define LONG_VALUE_LEN 1025

static void put_entry(X509_NAME *name, const char *field, const char *value) {
    // OpenSSL has limits of its own for some fields; the entry is put as it is.
    X509_NAME_ENTRY *entry = X509_NAME_ENTRY_create_by_txt(NULL, field, V_ASN1_UTF8STRING,
                                                           (const unsigned char *)"x", 1);
    assert_non_null(entry);
    assert_int_equal(ASN1_STRING_set(X509_NAME_ENTRY_get_data(entry), value, -1), 1);
    assert_int_equal(X509_NAME_add_entry(name, entry, -1, 0), 1);
    X509_NAME_ENTRY_free(entry);
}

static void put_extension(X509 *x509, int nid, const char *value) {
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(x509, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static X509 *make_certificate(void) {
    X509 *x509 = X509_new();
    assert_non_null(x509);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 0x0123ABCD);
    X509_NAME *subject = X509_NAME_new();
    char long_value[LONG_VALUE_LEN + 1];
    memset(long_value, 'x', LONG_VALUE_LEN);
    long_value[LONG_VALUE_LEN] = '\0';
    put_entry(subject, "CN", "First Device");
    put_entry(subject, "CN", "Administrator");
    put_entry(subject, "C", "DE");
    put_entry(subject, "O", "Star * Corp");
    put_entry(subject, "O", "Second Corp");
    put_entry(subject, "ST", long_value);
    for (int i = 0; i < 7; i++) {
        char unit[] = "unit0";
        unit[4] = (char)('0' + i);
        put_entry(subject, "OU", unit);
    }
    put_entry(subject, "serialNumber", "SN-1");
    put_entry(subject, "dnQualifier", "q");
    put_entry(subject, "title", "t");
    put_entry(subject, "SN", "surname");
    put_entry(subject, "GN", "given");
    put_entry(subject, "initials", "i");
    put_entry(subject, "pseudonym", "p");
    put_entry(subject, "generationQualifier", "g");
    X509_set_subject_name(x509, subject);
    X509_NAME_free(subject);
    X509_NAME *issuer = X509_NAME_new();
    put_entry(issuer, "CN", "Plant CA");
    X509_set_issuer_name(x509, issuer);
    X509_NAME_free(issuer);
    put_extension(x509, NID_subject_alt_name,
                  "DNS:a.example,DNS:b.example,IP:10.0.0.7,IP:2001:db8::7,URI:urn:dev:7,"
                  "email:gw@example.org");
    put_extension(x509, NID_issuer_alt_name, "DNS:ca.example");
    return x509;
}

typedef struct Fixture {
    PsPolicyCertificate *certificate;
} Fixture;

static bool allowed(const PsPolicyCertificate *certificate, const char *document,
                    const char *topic) {
    static const PsPolicyPlace place = {"aws", "r", "0"};
    PsPolicyDocument *parsed = NULL;
    PsDiag diag = {0};
    if (ps_policy_parse(document, strlen(document), &parsed, &diag) != PS_OK) {
        fail_msg("%s: %s", document, diag.text);
    }
    PS_AUTO_POLICY_SET PsPolicySet set = {0};
    ps_policy_set_put(&set, "tested", "1", parsed);
    ps_policy_unref(parsed);
    PS_AUTO_BUF PsBuf arn = {0};
    ps_policy_put_arn(&arn, &place, PS_POLICY_PUBLISH, topic, strlen(topic));
    PsPolicyContext context = {.client_id = "gw", .certificate = certificate};
    return ps_policy_decide(&set, &context, PS_POLICY_PUBLISH, (const char *)arn.data, arn.len,
                            NULL) == PS_POLICY_ALLOW;
}

typedef struct Substitution {
    const char *variable;
    const char *value; // NULL: none
} Substitution;

static void test_substitution(void **state) {
    static const Substitution substitutions[] = {
        {"Subject.CommonName", "First Device"},
        {"Subject.CommonName.0", "First Device"},
        {"Subject.CommonName.1", "Administrator"},
        {"Subject.CommonName.2", NULL},
        {"Subject.CommonName.List", NULL}, // a set
        {"subject.commonname", "First Device"},
        {"Subject.Country", "DE"},
        {"Subject.Organization", NULL}, // has a star
        {"Subject.Organization.1", "Second Corp"},
        {"Subject.State", NULL}, // longer than 1024
        {"Subject.OrganizationalUnit.4", "unit4"},
        {"Subject.OrganizationalUnit.5", NULL}, // lists stop at five
        {"Subject.SerialNumber", "SN-1"},
        {"Subject.DistinguishedNameQualifier", "q"},
        {"Subject.Title", "t"},
        {"Subject.Surname", "surname"},
        {"Subject.GivenName", "given"},
        {"Subject.Initials", "i"},
        {"Subject.Pseudonym", "p"},
        {"Subject.GenerationQualifier", "g"},
        {"Issuer.CommonName", "Plant CA"},
        {"Issuer.Country", NULL},
        {"Subject.AlternativeName.DNSName", "a.example"},
        {"Subject.AlternativeName.DNSName.1", "b.example"},
        {"Subject.AlternativeName.IPAddress", "10.0.0.7"},
        {"Subject.AlternativeName.IPAddress.1", "2001:db8::7"},
        {"Subject.AlternativeName.UniformResourceIdentifier", "urn:dev:7"},
        {"Subject.AlternativeName.RFC822Name", "gw@example.org"},
        {"Subject.AlternativeName.DirectoryName", NULL},
        {"Issuer.AlternativeName.DNSName", "ca.example"},
        {"SerialNumber", "0123ABCD"},
        {"Subject.Nothing", NULL},
        {"AvailableKeys", NULL}, // a set
    };
    const Fixture *fixture = *state;
    for (size_t i = 0; i < PS_COUNT(substitutions); i++) {
        const Substitution *one = &substitutions[i];
        PS_AUTO_BUF PsBuf document = {0};
        ps_buf_printf(&document,
                      "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\","
                      "\"Action\":\"iot:Publish\",\"Resource\":"
                      "\"arn:aws:iot:r:0:topic/x/${iot:Certificate.%s}*\"}}",
                      one->variable);
        PS_AUTO_BUF PsBuf topic = {0};
        ps_buf_printf(&topic, "x/%s", one->value != NULL ? one->value : "");
        if (allowed(fixture->certificate, (const char *)document.data, (const char *)topic.data) !=
            (one->value != NULL)) {
            fail_msg("%s is not %s", one->variable, one->value != NULL ? one->value : "absent");
        }
        assert_false(allowed(fixture->certificate, (const char *)document.data, "y"));
        assert_false(allowed(NULL, (const char *)document.data, (const char *)topic.data));
    }
}

typedef struct Sets {
    const char *condition;
    bool holds;
} Sets;

static void test_sets(void **state) {
    static const Sets sets[] = {
        {"\"ForAnyValue:StringEquals\":{\"iot:Certificate.Subject.CommonName.List\":"
         "\"Administrator\"}",
         true},
        {"\"ForAnyValue:StringEquals\":{\"iot:Certificate.Subject.CommonName.List\":\"Other\"}",
         false},
        {"\"ForAllValues:StringEquals\":{\"iot:Certificate.Subject.CommonName.List\":"
         "[\"First Device\",\"Administrator\",\"Other\"]}",
         true},
        {"\"ForAllValues:StringEquals\":{\"iot:Certificate.Subject.CommonName.List\":"
         "[\"First Device\"]}",
         false},
        {"\"StringEquals\":{\"iot:Certificate.Subject.CommonName.1\":\"Administrator\"}", true},
        {"\"StringEquals\":{\"iot:Certificate.Subject.CommonName\":\"Administrator\"}", false},
        {"\"ForAnyValue:StringEquals\":{\"iot:Certificate.Subject.OrganizationalUnit.List\":"
         "\"unit5\"}",
         false},
        {"\"ForAnyValue:StringEquals\":{\"iot:Certificate.AvailableKeys\":"
         "\"iot:Certificate.Subject.CommonName\"}",
         true},
        {"\"ForAnyValue:StringEquals\":{\"iot:Certificate.AvailableKeys\":"
         "\"iot:Certificate.Issuer.Country\"}",
         false},
        {"\"Null\":{\"iot:Certificate.Issuer.Country\":\"true\"}", true},
    };
    const Fixture *fixture = *state;
    for (size_t i = 0; i < PS_COUNT(sets); i++) {
        PS_AUTO_BUF PsBuf document = {0};
        ps_buf_printf(&document,
                      "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\","
                      "\"Action\":\"iot:Publish\",\"Resource\":\"*\",\"Condition\":{%s}}}",
                      sets[i].condition);
        if (allowed(fixture->certificate, (const char *)document.data, "x") != sets[i].holds) {
            fail_msg("%s", sets[i].condition);
        }
    }
}

static int set_up(void **state) {
    static Fixture fixture;
    X509 *x509 = make_certificate();
    assert_int_equal(ps_policy_certificate_vars(x509, &fixture.certificate), PS_OK);
    X509_free(x509);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state) {
    const Fixture *fixture = *state;
    ps_policy_certificate_free(fixture->certificate);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_substitution),
        cmocka_unit_test(test_sets),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
