// The probe against a port that is closed, one that is silent, and one that is given up.
#include "link/probe.h"
#include "link/test_server.h"

#include "base/cleanup.h"
#include "base/log.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

typedef struct Asked {
    int left; // answers until it is no
    int count;
} Asked;

static bool go_on(const char *step, void *ctx) {
    Asked *asked = ctx;
    assert_true(step[0] != '\0');
    asked->count++;
    return asked->left-- > 0;
}

static PsProbe probe_port(int port, bool tls, int answers, int64_t patience_ms) {
    PsCloud cloud = {.type = PS_CLOUD_STANDARD_MQTT,
                     .endpoint = "127.0.0.1",
                     .port = port,
                     .client_id = "probe",
                     .cert = "",
                     .key = "",
                     .root_ca = "",
                     .tls = tls,
                     .keepalive = 60,
                     .clean_session = true,
                     .username = "",
                     .password_file = ""};
    PsLinkSubscription subscription = {.topic = "a/#", .qos = 1};
    Asked asked = {.left = answers};
    PsProbeSetup setup = {.cloud = &cloud,
                          .subscriptions = &subscription,
                          .subscription_count = 1,
                          .deadline = ps_mono_add_ns(ps_mono_now(), patience_ms * PS_NS_PER_MS),
                          .go_on = go_on,
                          .ctx = &asked};
    PsProbe probe;
    PsDiag diag = {0};
    assert_int_equal(ps_probe_run(&setup, &probe, &diag), PS_OK);
    assert_true(asked.count > 0);
    assert_false(probe.connected);
    assert_false(probe.subscriptions[0].answered);
    return probe;
}

static void a_closed_port_fails_at_tcp(void **state) {
    PsProbe probe = probe_port(test_free_port(), false, 1000, 20000);
    assert_true(probe.failed);
    assert_int_equal(probe.failure.step, PS_STEP_TCP);
    assert_non_null(strstr(probe.failure.text, "refused"));
    assert_true(probe.steps[PS_STEP_DNS].done);
    assert_true(probe.steps[PS_STEP_TCP].reached);
    assert_false(probe.steps[PS_STEP_TCP].done);
    assert_false(probe.steps[PS_STEP_CONNECT].reached);
    ps_probe_deinit(&probe);
}

static void a_silent_port_ends_at_the_deadline(void **state) {
    int port = 0;
    PS_UNUSED PS_AUTO_FD int silent = test_listen(&port);
    PsMono begin = ps_mono_now();
    PsProbe probe = probe_port(port, false, 1000, 300);
    assert_true(ps_mono_diff_ns(ps_mono_now(), begin) < 10 * PS_NS_PER_S);
    assert_true(probe.failed);
    assert_int_equal(probe.failure.step, PS_STEP_CONNECT);
    assert_non_null(strstr(probe.failure.text, "--timeout"));
    assert_true(probe.steps[PS_STEP_TCP].done);
    assert_false(probe.steps[PS_STEP_TLS].reached);
    assert_true(probe.steps[PS_STEP_CONNECT].reached);
    ps_probe_deinit(&probe);
}

static void it_ends_when_it_is_not_to_go_on(void **state) {
    int port = 0;
    PS_UNUSED PS_AUTO_FD int silent = test_listen(&port);
    PsProbe probe = probe_port(port, true, 5, 60000);
    assert_true(probe.interrupted);
    assert_false(probe.failed);
    ps_probe_deinit(&probe);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    ps_log_set_fd(-1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_closed_port_fails_at_tcp),
        cmocka_unit_test(a_silent_port_ends_at_the_deadline),
        cmocka_unit_test(it_ends_when_it_is_not_to_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
