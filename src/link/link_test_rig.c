// The fixture of the link's unit tests. Test code; one thread besides the link's own.
#include "link/link_test_rig.h"

#include "link/test_pki.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char folder[64];

static void on_state(const PsLinkStatus *status, void *ctx) {
    Bench *bench = ctx;
    if (status->state == PS_LINK_CONNECTED) {
        bench->connects++;
    } else if (bench->state == PS_LINK_CONNECTED) {
        bench->losses++;
    }
    bench->state = status->state;
}

static void on_acknowledged(uint64_t id, void *ctx) {
    Bench *bench = ctx;
    bench->acknowledged[bench->acknowledged_count++] = id;
}

static void on_published_now(uint64_t ticket, bool ok, void *ctx) {
    Bench *bench = ctx;
    bench->ticket = ticket;
    bench->ticket_answer = ok;
}

static void on_received(const char *topic, const void *payload, size_t len, int qos, void *ctx) {
    Bench *bench = ctx;
    snprintf(bench->received[bench->received_count++], sizeof bench->received[0], "%s=%.*s", topic,
             (int)len, (const char *)payload);
    bench->received_qos = qos;
}

static void on_stopped(void *ctx) {
    ((Bench *)ctx)->stopped = true;
}

static void on_timer(uv_timer_t *timer) {
    ((Bench *)timer->data)->timed_out = true;
}

bool run_until_ms(Bench *bench, Condition *reached, uint64_t ms) {
    bench->timed_out = false;
    // Repeating: UV_RUN_ONCE runs timers before it waits, and would then wait for ever.
    uv_timer_start(&bench->timer, on_timer, ms, 10);
    while (!reached(bench) && !bench->timed_out) {
        uv_run(&bench->loop, UV_RUN_ONCE);
    }
    uv_timer_stop(&bench->timer);
    return reached(bench);
}

bool run_until(Bench *bench, Condition *reached) {
    return run_until_ms(bench, reached, 20000);
}

bool is_connected(Bench *bench) {
    return bench->state == PS_LINK_CONNECTED;
}

bool has_failed(Bench *bench) {
    return bench->state == PS_LINK_DISCONNECTED || bench->state == PS_LINK_FAILED;
}

bool is_stopped(Bench *bench) {
    return bench->stopped;
}

void path_of(char *out, const char *name) {
    snprintf(out, PATH_MAX, "%s/%s", folder, name);
}

void bench_init(Bench *bench, int port, const char *identity, const char *root) {
    memset(bench, 0, sizeof *bench);
    bench->ticket_answer = -1;
    uv_loop_init(&bench->loop);
    uv_timer_init(&bench->loop, &bench->timer);
    bench->timer.data = bench;
    char name[64];
    if (identity != NULL) {
        snprintf(name, sizeof name, "%s.crt", identity);
        path_of(bench->cert, name);
        snprintf(name, sizeof name, "%s.key", identity);
        path_of(bench->key, name);
    }
    if (root != NULL) {
        snprintf(name, sizeof name, "%s.crt", root);
        path_of(bench->root_ca, name);
    }
    bench->cloud = (PsCloud){.type = PS_CLOUD_AWS_IOT,
                             .endpoint = "localhost",
                             .port = port,
                             .client_id = "gateway-1",
                             .cert = bench->cert,
                             .key = bench->key,
                             .root_ca = bench->root_ca,
                             .keepalive = 60,
                             .clean_session = true};
}

PsLinkSetup bench_setup(Bench *bench, const PsLinkSubscription *subscriptions, size_t count) {
    return (PsLinkSetup){.loop = &bench->loop,
                         .cloud = &bench->cloud,
                         .subscriptions = subscriptions,
                         .subscription_count = count,
                         .times = {.tls_ms = 1500, .backoff_min_ms = 50, .backoff_max_ms = 200},
                         .on_state = on_state,
                         .on_acknowledged = on_acknowledged,
                         .on_published_now = on_published_now,
                         .on_received = on_received,
                         .on_stopped = on_stopped,
                         .ctx = bench};
}

void bench_start(Bench *bench, const PsLinkSubscription *subscriptions, size_t count) {
    PsLinkSetup setup = bench_setup(bench, subscriptions, count);
    PsDiag diag = {0};
    assert_int_equal(ps_link_new(&setup, &bench->link, &diag), PS_OK);
    assert_int_equal(ps_link_start(bench->link, &diag), PS_OK);
}

void bench_stop(Bench *bench) {
    PsMono begin = ps_mono_now();
    ps_link_stop(bench->link);
    assert_true(run_until(bench, is_stopped));
    assert_true(ps_mono_diff_ns(ps_mono_now(), begin) < 2 * PS_NS_PER_S);
    ps_link_free(bench->link);
    uv_close((uv_handle_t *)&bench->timer, NULL);
    uv_run(&bench->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&bench->loop), 0);
}

// ---- certificates, made once

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where) {
    return remove(path);
}

int bench_make_certificates(void **state) {
    snprintf(folder, sizeof folder, "/tmp/ps-link-test-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    TestPki *rsa = test_pki_new(folder, "root-rsa", TEST_KEY_RSA);
    TestPki *ecc = test_pki_new(folder, "root-ecc", TEST_KEY_ECC);
    TestPki *other = test_pki_new(folder, "root-other", TEST_KEY_ECC);
    const char *san = "DNS:localhost";
    test_pki_issue(rsa, &(TestCertificate){"server-rsa", "s", san, TEST_KEY_RSA, -1, 365});
    test_pki_issue(rsa, &(TestCertificate){"client-rsa", "c", NULL, TEST_KEY_RSA, -1, 365});
    test_pki_issue(ecc, &(TestCertificate){"server-ecc", "s", san, TEST_KEY_ECC, -1, 365});
    test_pki_issue(ecc, &(TestCertificate){"client-ecc", "c", NULL, TEST_KEY_ECC, -1, 365});
    test_pki_issue(ecc, &(TestCertificate){"client-again", "c", NULL, TEST_KEY_ECC, -1, 365});
    test_pki_issue(ecc, &(TestCertificate){"server-old", "s", san, TEST_KEY_ECC, -300, -10});
    test_pki_issue(ecc, &(TestCertificate){"server-early", "s", san, TEST_KEY_ECC, 10, 300});
    test_pki_issue(ecc, &(TestCertificate){"server-name", "s", "DNS:plant.example,IP:192.0.2.7",
                                           TEST_KEY_ECC, -1, 365});
    test_pki_issue(ecc, &(TestCertificate){"client-old", "c", NULL, TEST_KEY_ECC, -300, -10});
    test_pki_issue(other, &(TestCertificate){"client-other", "c", NULL, TEST_KEY_ECC, -1, 365});
    test_pki_free(rsa);
    test_pki_free(ecc);
    test_pki_free(other);
    return 0;
}

int bench_remove_certificates(void **state) {
    return nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

TestBroker broker_start(const char *tls_name, const char *client_ca, const char *more) {
    TestBroker broker = {0};
    snprintf(broker.folder, sizeof broker.folder, "%s", folder);
    test_broker_start(&broker, tls_name, client_ca, more);
    return broker;
}

void publish_waits_for_room(Bench *bench, uint64_t first, uint64_t count, int qos) {
    for (uint64_t id = first; id < first + count;) {
        if (ps_link_room(bench->link) == 0) {
            uv_run(&bench->loop, UV_RUN_ONCE);
            continue;
        }
        char text[32];
        int len = snprintf(text, sizeof text, "%llu", (unsigned long long)id);
        assert_int_equal(ps_link_publish(bench->link, id, "plant/data", text, (size_t)len, qos),
                         PS_OK);
        id++;
    }
}
