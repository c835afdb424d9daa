// The link against real servers: mosquitto, openssl s_server, ports that are silent or closed.
#include "link/link_test_rig.h"

#include "base/cleanup.h"
#include "base/log.h"

#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

// Connects to what is there, expects a failure, and that its line holds all the words.
static void expect_failure(Bench *bench, PsLinkState state, const char *const *words) {
    bench_start(bench, NULL, 0);
    assert_true(run_until(bench, has_failed));
    const char *line = ps_link_status(bench->link)->last_error;
    for (size_t i = 0; words[i] != NULL; i++) {
        if (strstr(line, words[i]) == NULL) {
            print_error("missing '%s' in: %s\n", words[i], line);
            fail();
        }
    }
    assert_int_equal(bench->state, state);
    bench_stop(bench);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

// ---- it works

static bool all_acknowledged(Bench *bench) {
    return bench->acknowledged_count == 40;
}

static bool all_received(Bench *bench) {
    return bench->received_count == 40;
}

static void connects_and_carries(const char *server, const char *client, const char *root) {
    TestBroker broker = broker_start(server, root, NULL);
    Bench bench;
    bench_init(&bench, broker.port, client, root);
    const PsLinkSubscription subscriptions[] = {{"plant/+", 1}};
    bench_start(&bench, subscriptions, 1);
    assert_int_equal(ps_link_publish(bench.link, 1, "plant/data", "x", 1, 1), PS_ERR_CLOSED);
    assert_true(run_until(&bench, is_connected));
    assert_int_equal(ps_link_room(bench.link), PS_LINK_WINDOW_DEFAULT);
    publish_waits_for_room(&bench, 1, 40, 1);
    assert_true(run_until(&bench, all_acknowledged));
    for (uint64_t i = 0; i < 40; i++) {
        assert_true(bench.acknowledged[i] == i + 1);
    }
    assert_true(run_until(&bench, all_received));
    assert_string_equal(bench.received[0], "plant/data=1");
    assert_string_equal(bench.received[39], "plant/data=40");
    assert_int_equal(bench.received_qos, 1);
    assert_true(ps_link_status(bench.link)->acknowledged == 40);
    bench_stop(&bench);
    test_broker_kill(&broker);
}

static void works_with_rsa(void **state) {
    connects_and_carries("server-rsa", "client-rsa", "root-rsa");
}

static void works_with_ecc(void **state) {
    connects_and_carries("server-ecc", "client-ecc", "root-ecc");
}

static void works_without_tls_and_qos_0_and_2(void **state) {
    TestBroker broker = broker_start(NULL, NULL, NULL);
    Bench bench;
    bench_init(&bench, broker.port, NULL, NULL);
    bench.cloud.type = PS_CLOUD_STANDARD_MQTT;
    bench_start(&bench, NULL, 0);
    assert_true(run_until(&bench, is_connected));
    publish_waits_for_room(&bench, 1, 20, 0);
    publish_waits_for_room(&bench, 21, 20, 2);
    assert_true(run_until(&bench, all_acknowledged));
    bench_stop(&bench);
    test_broker_kill(&broker);
}

static bool ticket_answered(Bench *bench) {
    return bench->ticket_answer >= 0;
}

static void publish_now_answers(void **state) {
    TestBroker broker = broker_start("server-ecc", "root-ecc", NULL);
    Bench bench;
    bench_init(&bench, broker.port, "client-ecc", "root-ecc");
    bench_start(&bench, NULL, 0);
    assert_int_equal(ps_link_publish_now(bench.link, 7, "a", "b", 1, 1), PS_ERR_CLOSED);
    assert_true(run_until(&bench, is_connected));
    assert_int_equal(ps_link_publish_now(bench.link, 7, "a/#", "b", 1, 1), PS_ERR_INVALID);
    assert_int_equal(ps_link_publish_now(bench.link, 7, "a", "b", 1, 1), PS_OK);
    assert_true(run_until(&bench, ticket_answered));
    assert_int_equal(bench.ticket_answer, 1);
    assert_true(bench.ticket == 7);
    assert_int_equal(bench.acknowledged_count, 0);
    bench_stop(&bench);
    test_broker_kill(&broker);
}

static bool has_lost(Bench *bench) {
    return bench->losses > 0;
}

static void comes_back_after_the_broker_was_killed(void **state) {
    TestBroker broker = broker_start("server-ecc", "root-ecc", NULL);
    Bench bench;
    bench_init(&bench, broker.port, "client-ecc", "root-ecc");
    const PsLinkSubscription subscriptions[] = {{"plant/+", 1}};
    bench_start(&bench, subscriptions, 1);
    assert_true(run_until(&bench, is_connected));
    test_broker_kill(&broker);
    assert_int_equal(ps_link_publish_now(bench.link, 9, "a", "b", 1, 1), PS_OK);
    assert_true(run_until(&bench, has_lost));
    assert_int_equal(bench.ticket_answer, 0);
    assert_int_equal(ps_link_room(bench.link), 0);
    assert_non_null(strstr(ps_link_status(bench.link)->last_error, "connection:"));
    test_broker_start(&broker, "server-ecc", "root-ecc", NULL);
    assert_true(run_until(&bench, is_connected));
    publish_waits_for_room(&bench, 1, 40, 1);
    assert_true(run_until(&bench, all_received)); // subscribed again
    bench_stop(&bench);
    test_broker_kill(&broker);
}

static void refused_filter_does_not_stop_the_link(void **state) {
    char acl[PATH_MAX];
    path_of(acl, "acl");
    FILE *file = fopen(acl, "w");
    assert_non_null(file);
    fprintf(file, "topic readwrite plant/#\n");
    fclose(file);
    char more[PATH_MAX + 32];
    snprintf(more, sizeof more, "acl_file %s\n", acl);
    TestBroker broker = broker_start("server-ecc", "root-ecc", more);
    Bench bench;
    bench_init(&bench, broker.port, "client-ecc", "root-ecc");
    const PsLinkSubscription subscriptions[] = {{"secret/x", 1}, {"plant/+", 1}};
    bench_start(&bench, subscriptions, 2);
    assert_true(run_until(&bench, is_connected));
    publish_waits_for_room(&bench, 1, 40, 1);
    assert_true(run_until(&bench, all_received));
    bench_stop(&bench);
    test_broker_kill(&broker);
}

// ---- it says what is wrong

static void says_wrong_root(void **state) {
    TestBroker broker = broker_start("server-ecc", "root-ecc", NULL);
    Bench bench;
    bench_init(&bench, broker.port, "client-ecc", "root-other");
    expect_failure(&bench, PS_LINK_FAILED,
                   WORDS("TLS: ", "root_ca does not match", "root-ecc", "root-other"));
    test_broker_kill(&broker);
}

static void says_server_expired(void **state) {
    TestBroker broker = broker_start("server-old", "root-ecc", NULL);
    Bench bench;
    bench_init(&bench, broker.port, "client-ecc", "root-ecc");
    expect_failure(&bench, PS_LINK_FAILED,
                   WORDS("TLS: ", "has expired", "this gateway's clock says", "clock"));
    test_broker_kill(&broker);
}

static void says_server_not_yet_valid(void **state) {
    TestBroker broker = broker_start("server-early", "root-ecc", NULL);
    Bench bench;
    bench_init(&bench, broker.port, "client-ecc", "root-ecc");
    expect_failure(&bench, PS_LINK_FAILED, WORDS("TLS: ", "not valid yet", "clock says"));
    test_broker_kill(&broker);
}

static void says_wrong_host_name(void **state) {
    TestBroker broker = broker_start("server-name", "root-ecc", NULL);
    Bench bench;
    bench_init(&bench, broker.port, "client-ecc", "root-ecc");
    expect_failure(&bench, PS_LINK_FAILED,
                   WORDS("TLS: ", "another host name", "plant.example", "192.0.2.7", "endpoint"));
    test_broker_kill(&broker);
}

// TLS 1.3: the alert about our certificate comes after we believe to be through.
static void says_client_not_accepted(void **state) {
    TestBroker broker = broker_start("server-ecc", "root-ecc", NULL);
    Bench bench;
    bench_init(&bench, broker.port, "client-other", "root-ecc");
    expect_failure(&bench, PS_LINK_FAILED,
                   WORDS("TLS: ", "refused this gateway's certificate", "unknown ca"));
    test_broker_kill(&broker);
}

static void says_client_missing(void **state) {
    TestBroker broker = broker_start("server-ecc", "root-ecc", NULL);
    Bench bench;
    bench_init(&bench, broker.port, NULL, "root-ecc");
    expect_failure(&bench, PS_LINK_FAILED, WORDS("TLS: ", "certificate missing", "set cert"));
    test_broker_kill(&broker);
}

static void says_client_expired_before_connecting(void **state) {
    int port = 0;
    PS_UNUSED PS_AUTO_FD int silent = test_listen(&port);
    Bench bench;
    bench_init(&bench, port, "client-old", "root-ecc");
    expect_failure(&bench, PS_LINK_FAILED, WORDS("files: cert: ", "expired on", "clock says"));
}

static void says_key_of_another_certificate(void **state) {
    int port = 0;
    PS_UNUSED PS_AUTO_FD int silent = test_listen(&port);
    Bench bench;
    bench_init(&bench, port, "client-ecc", "root-ecc");
    path_of(bench.key, "client-other.key");
    expect_failure(&bench, PS_LINK_FAILED, WORDS("files: key: ", "does not belong"));
    bench_init(&bench, port, "client-ecc", "root-ecc");
    path_of(bench.key, "client-rsa.key");
    expect_failure(&bench, PS_LINK_FAILED, WORDS("files: key: ", "does not belong"));
}

static void says_missing_and_foreign_files(void **state) {
    int port = 0;
    PS_UNUSED PS_AUTO_FD int silent = test_listen(&port);
    Bench bench;
    bench_init(&bench, port, "client-ecc", "none");
    expect_failure(&bench, PS_LINK_FAILED, WORDS("files: root_ca: ", "none.crt", "install"));
    bench_init(&bench, port, "client-ecc", "root-ecc");
    path_of(bench.root_ca, "client-ecc.key");
    expect_failure(&bench, PS_LINK_FAILED, WORDS("files: root_ca: ", "no PEM certificate"));
    bench_init(&bench, port, "client-ecc", "root-ecc");
    path_of(bench.key, "client-ecc.crt");
    expect_failure(&bench, PS_LINK_FAILED, WORDS("files: key: ", "not a PEM private key"));
}

static void says_refused_port(void **state) {
    Bench bench;
    bench_init(&bench, test_free_port(), "client-ecc", "root-ecc");
    expect_failure(&bench, PS_LINK_DISCONNECTED,
                   WORDS("TCP: localhost:", "refused", "127.0.0.1: Connection refused"));
}

static void says_silent_port(void **state) {
    int port = 0;
    PS_UNUSED PS_AUTO_FD int silent = test_listen(&port);
    Bench bench;
    bench_init(&bench, port, "client-ecc", "root-ecc");
    expect_failure(&bench, PS_LINK_DISCONNECTED,
                   WORDS("TLS: timed out", "accepted the connection", "TLS port"));
}

static void says_not_tls(void **state) {
    TestBroker broker = broker_start(NULL, NULL, NULL);
    Bench bench;
    bench_init(&bench, broker.port, "client-ecc", "root-ecc");
    expect_failure(&bench, PS_LINK_DISCONNECTED, WORDS("TLS: ", "handshake", "TLS server"));
    test_broker_kill(&broker);
}

static void says_unknown_name(void **state) {
    Bench bench;
    bench_init(&bench, 8883, "client-ecc", "root-ecc");
    bench.cloud.endpoint = "no-such-host.invalid";
    expect_failure(&bench, PS_LINK_DISCONNECTED, WORDS("DNS: 'no-such-host.invalid'", "resolver"));
}

static void says_connack_code(void **state) {
    TestBroker broker = broker_start(NULL, NULL, "allow_anonymous false\n");
    Bench bench;
    bench_init(&bench, broker.port, NULL, NULL);
    bench.cloud.type = PS_CLOUD_STANDARD_MQTT;
    expect_failure(&bench, PS_LINK_FAILED,
                   WORDS("MQTT CONNECT: ", "CONNACK code 5", "not authorized"));
    test_broker_kill(&broker);
}

// ---- SNI and ALPN as an OpenSSL server sees them

static bool file_holds(const char *path, const char *text) {
    PS_AUTO_FREE char *bytes = calloc(1, 65536);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return false;
    }
    size_t len = fread(bytes, 1, 65535, file);
    fclose(file);
    return len > 0 && strstr(bytes, text) != NULL;
}

static void sends_sni_and_alpn(void **state) {
    int port = test_free_port();
    char accept[32];
    char cert[PATH_MAX];
    char key[PATH_MAX];
    char out[PATH_MAX];
    snprintf(accept, sizeof accept, "127.0.0.1:%d", port);
    path_of(cert, "server-ecc.crt");
    path_of(key, "server-ecc.key");
    path_of(out, "s_server.log");
    // A second certificate is chosen by SNI: only a client that sends "localhost" gets the right
    // one.
    char wrong_cert[PATH_MAX];
    char wrong_key[PATH_MAX];
    path_of(wrong_cert, "server-name.crt");
    path_of(wrong_key, "server-name.key");
    pid_t pid = test_spawn(
        out, (const char *const[]){"openssl", "s_server", "-accept", accept, "-cert", wrong_cert,
                                   "-key", wrong_key, "-servername", "localhost", "-cert2", cert,
                                   "-key2", key, "-alpn", "x-amzn-mqtt-ca", "-tlsextdebug", NULL});
    assert_true(test_wait_port(port));
    Bench bench;
    bench_init(&bench, port, "client-ecc", "root-ecc");
    bench.cloud.alpn = "x-amzn-mqtt-ca";
    // s_server is no MQTT server: the CONNECT is never answered, and that comes after TLS.
    bench_start(&bench, NULL, 0);
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), 10 * PS_NS_PER_S);
    while (!file_holds(out, "CIPHER is") && ps_mono_now().ns < deadline.ns) {
        uv_run(&bench.loop, UV_RUN_NOWAIT);
        uv_sleep(10);
    }
    assert_true(file_holds(out, "...x-amzn-mqtt-c"));
    assert_true(file_holds(out, "Hostname in TLS extension: \"localhost\""));
    bench_stop(&bench);
    test_kill(pid);
}

// ---- stopping

static bool always(Bench *bench) {
    return bench->state == PS_LINK_CONNECTING;
}

static void stops_promptly_while_connecting(void **state) {
    int port = 0;
    PS_UNUSED PS_AUTO_FD int silent = test_listen(&port);
    Bench bench;
    bench_init(&bench, port, "client-ecc", "root-ecc");
    bench_start(&bench, NULL, 0);
    assert_true(run_until(&bench, always));
    bench_stop(&bench);
    bench_init(&bench, 8883, "client-ecc", "root-ecc");
    bench.cloud.endpoint = "no-such-host.invalid";
    bench_start(&bench, NULL, 0);
    bench_stop(&bench);
}

int main(void) {
    ps_log_set_fd(-1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(works_with_rsa),
        cmocka_unit_test(works_with_ecc),
        cmocka_unit_test(works_without_tls_and_qos_0_and_2),
        cmocka_unit_test(publish_now_answers),
        cmocka_unit_test(comes_back_after_the_broker_was_killed),
        cmocka_unit_test(refused_filter_does_not_stop_the_link),
        cmocka_unit_test(says_wrong_root),
        cmocka_unit_test(says_server_expired),
        cmocka_unit_test(says_server_not_yet_valid),
        cmocka_unit_test(says_wrong_host_name),
        cmocka_unit_test(says_client_not_accepted),
        cmocka_unit_test(says_client_missing),
        cmocka_unit_test(says_client_expired_before_connecting),
        cmocka_unit_test(says_key_of_another_certificate),
        cmocka_unit_test(says_missing_and_foreign_files),
        cmocka_unit_test(says_refused_port),
        cmocka_unit_test(says_silent_port),
        cmocka_unit_test(says_not_tls),
        cmocka_unit_test(says_unknown_name),
        cmocka_unit_test(says_connack_code),
        cmocka_unit_test(sends_sni_and_alpn),
        cmocka_unit_test(stops_promptly_while_connecting),
    };
    return cmocka_run_group_tests(tests, bench_make_certificates, bench_remove_certificates);
}
