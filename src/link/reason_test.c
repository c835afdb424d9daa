// Words for codes, and what differs for AWS IoT.
#include "link/aws.h"
#include "link/reason.h"

#include <errno.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <cmocka.h>

static void expect_words(PsLinkWords words) {
    assert_non_null(words.cause);
    assert_non_null(words.cure);
    assert_true(words.cause[0] != '\0' && words.cure[0] != '\0');
    assert_null(strchr(words.cause, '\n'));
}

static void every_code_has_words(void **state) {
    bool ours = false;
    for (int code = -20; code < 300; code++) {
        expect_words(ps_tcp_words(code));
        expect_words(ps_dns_words(code));
        expect_words(ps_connack_words(code));
        expect_words(ps_alert_words(code, &ours));
        expect_words(ps_x509_words(code));
    }
}

static void alerts_about_our_certificate_are_known(void **state) {
    const int about[] = {SSL3_AD_BAD_CERTIFICATE, SSL3_AD_CERTIFICATE_REVOKED,
                         SSL3_AD_CERTIFICATE_EXPIRED, TLS1_AD_UNKNOWN_CA,
                         SSL3_AD_HANDSHAKE_FAILURE};
    const int other[] = {TLS1_AD_PROTOCOL_VERSION, TLS1_AD_UNRECOGNIZED_NAME, 255};
    bool ours = false;
    for (size_t i = 0; i < PS_COUNT(about); i++) {
        (void)ps_alert_words(about[i], &ours);
        assert_true(ours);
    }
    for (size_t i = 0; i < PS_COUNT(other); i++) {
        (void)ps_alert_words(other[i], &ours);
        assert_false(ours);
    }
}

static void words_name_the_thing_to_change(void **state) {
    assert_non_null(strstr(ps_x509_words(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY).cause,
                           "root_ca does not match"));
    assert_non_null(strstr(ps_x509_words(X509_V_ERR_CERT_NOT_YET_VALID).cure, "clock"));
    assert_non_null(strstr(ps_tcp_words(ETIMEDOUT).cure, "443"));
    assert_non_null(strstr(ps_dns_words(EAI_NONAME).cure, "endpoint"));
    assert_non_null(strstr(ps_connack_words(2).cure, "client_id"));
}

static void long_texts_are_cut_not_overrun(void **state) {
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    PsLinkFailure failure;
    ps_link_failure_set(&failure, PS_STEP_TLS, 1, true, "%s", text);
    assert_int_equal(strlen(failure.text), sizeof failure.text - 1);
    PsLinkFailure same = failure;
    assert_true(ps_link_failure_same(&failure, &same));
    same.code = 2;
    assert_false(ps_link_failure_same(&failure, &same));
}

static void aws_has_its_own_numbers(void **state) {
    PsCloud cloud = {.type = PS_CLOUD_AWS_IOT, .port = 8883, .keepalive = 60, .alpn = ""};
    assert_true(ps_link_uses_tls(&cloud));
    assert_null(ps_link_alpn(&cloud));
    assert_int_equal(ps_link_keepalive(&cloud), 60);
    cloud.port = 443;
    assert_string_equal(ps_link_alpn(&cloud), "x-amzn-mqtt-ca");
    cloud.alpn = "mqtt";
    assert_string_equal(ps_link_alpn(&cloud), "mqtt");
    const int asked[] = {0, 5, 30, 1200, 3600};
    const int used[] = {1200, 30, 30, 1200, 1200};
    for (size_t i = 0; i < PS_COUNT(asked); i++) {
        cloud.keepalive = asked[i];
        assert_int_equal(ps_link_keepalive(&cloud), used[i]);
    }
    assert_int_equal(ps_link_limits(PS_CLOUD_AWS_IOT).payload_bytes, 131072);
    assert_int_equal(ps_link_limits(PS_CLOUD_STANDARD_MQTT).payload_bytes, 0);
    cloud = (PsCloud){.type = PS_CLOUD_STANDARD_MQTT, .port = 443, .keepalive = 1};
    assert_false(ps_link_uses_tls(&cloud));
    assert_null(ps_link_alpn(&cloud));
    assert_int_equal(ps_link_keepalive(&cloud), 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_words),
        cmocka_unit_test(alerts_about_our_certificate_are_known),
        cmocka_unit_test(words_name_the_thing_to_change),
        cmocka_unit_test(long_texts_are_cut_not_overrun),
        cmocka_unit_test(aws_has_its_own_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
