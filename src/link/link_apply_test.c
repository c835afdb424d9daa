// Another configuration for a living connection: what goes on, what connects again, and what asks
// for a new link.
#include "link/link_test_rig.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static bool apply(Bench *bench, const PsLinkSubscription *subscriptions, size_t count) {
    PsLinkSetup setup = bench_setup(bench, subscriptions, count);
    return ps_link_apply(bench->link, &setup);
}

static void publish(Bench *bench, const char *topic) {
    assert_true(run_until(bench, is_connected));
    while (ps_link_room(bench->link) == 0) {
        uv_run(&bench->loop, UV_RUN_ONCE);
    }
    assert_int_equal(ps_link_publish(bench->link, 1, topic, "x", 1, 1), PS_OK);
}

static const char *awaited;

static bool has_come(Bench *bench) {
    for (size_t i = 0; i < bench->received_count; i++) {
        if (strncmp(bench->received[i], awaited, strlen(awaited)) == 0) {
            return true;
        }
    }
    return false;
}

// Sends on the topic until it comes back: then what was asked before has been done.
static void expect_comes(Bench *bench, const char *topic) {
    awaited = topic;
    bench->received_count = 0;
    for (int tries = 0; tries < 100 && !has_come(bench); tries++) {
        publish(bench, topic);
        (void)run_until_ms(bench, has_come, 50);
    }
    assert_true(has_come(bench));
}

static size_t count_of(const Bench *bench, const char *topic) {
    size_t count = 0;
    for (size_t i = 0; i < bench->received_count; i++) {
        count += strncmp(bench->received[i], topic, strlen(topic)) == 0;
    }
    return count;
}

static void subscriptions_change_on_the_living_connection(void **state) {
    TestBroker broker = broker_start("server-ecc", "root-ecc", NULL);
    Bench bench;
    bench_init(&bench, broker.port, "client-ecc", "root-ecc");
    const PsLinkSubscription before[] = {{"gone/+", 1}, {"stays/+", 0}};
    bench_start(&bench, before, 2);
    expect_comes(&bench, "gone/a");
    expect_comes(&bench, "stays/a");
    assert_int_equal(bench.received_qos, 0);
    const PsLinkSubscription after[] = {{"stays/+", 1}, {"new/+", 1}};
    assert_true(apply(&bench, after, 2));
    expect_comes(&bench, "new/a");
    expect_comes(&bench, "stays/b");
    assert_int_equal(bench.received_qos, 1);
    bench.received_count = 0;
    publish(&bench, "gone/b");
    publish(&bench, "stays/c");
    awaited = "stays/c";
    assert_true(run_until(&bench, has_come));
    assert_int_equal(count_of(&bench, "gone/"), 0);
    assert_int_equal(count_of(&bench, "stays/c"), 1); // not by two subscriptions
    assert_true(apply(&bench, NULL, 0));
    assert_true(apply(&bench, before, 2)); // before the thread may have seen the one before
    expect_comes(&bench, "gone/c");
    assert_true(bench.connects == 1 && bench.losses == 0);
    bench_stop(&bench);
    test_broker_kill(&broker);
}

// The connection is not up yet; it comes up with the newest of them.
static void subscriptions_may_change_while_connecting(void **state) {
    TestBroker broker = broker_start("server-ecc", "root-ecc", NULL);
    for (int round = 0; round < 5; round++) {
        Bench bench;
        bench_init(&bench, broker.port, "client-ecc", "root-ecc");
        const PsLinkSubscription before[] = {{"gone/+", 1}};
        const PsLinkSubscription after[] = {{"new/+", 1}, {"more/+", 1}};
        bench_start(&bench, before, 1);
        (void)run_until_ms(&bench, has_failed, (uint64_t)round * 3); // somewhere on the way
        assert_true(apply(&bench, after, 2));
        expect_comes(&bench, "more/a");
        publish(&bench, "gone/a");
        expect_comes(&bench, "new/a");
        assert_int_equal(count_of(&bench, "gone/"), 0);
        assert_int_equal(bench.connects, 1);
        bench_stop(&bench);
    }
    test_broker_kill(&broker);
}

static bool nothing_in_flight(Bench *bench) {
    return bench->acknowledged_count == 10;
}

static void the_window_changes_with_messages_in_flight(void **state) {
    TestBroker broker = broker_start("server-ecc", "root-ecc", NULL);
    Bench bench;
    bench_init(&bench, broker.port, "client-ecc", "root-ecc");
    bench_start(&bench, NULL, 0);
    assert_true(run_until(&bench, is_connected));
    publish_waits_for_room(&bench, 1, 10, 1);
    PsLinkSetup setup = bench_setup(&bench, NULL, 0);
    setup.window = 4;
    assert_true(ps_link_apply(bench.link, &setup));
    assert_int_equal(ps_link_room(bench.link), 0);
    assert_true(run_until(&bench, nothing_in_flight));
    assert_int_equal(ps_link_room(bench.link), 4);
    setup.window = PS_LINK_WINDOW_MAX;
    assert_true(ps_link_apply(bench.link, &setup));
    assert_int_equal(ps_link_room(bench.link), PS_LINK_WINDOW_MAX);
    publish_waits_for_room(&bench, 11, PS_LINK_WINDOW_MAX, 1);
    bench_stop(&bench);
    test_broker_kill(&broker);
}

static void another_server_or_identity_asks_for_a_new_link(void **state) {
    TestBroker broker = broker_start("server-ecc", "root-ecc", NULL);
    Bench bench;
    bench_init(&bench, broker.port, "client-ecc", "root-ecc");
    bench_start(&bench, NULL, 0);
    const PsCloud present = bench.cloud;
    bench.cloud.publish_rate = 7;
    bench.cloud.publish_kib = 8;
    assert_true(apply(&bench, NULL, 0));
    bench.cloud.client_id = "gateway-2";
    assert_false(apply(&bench, NULL, 0));
    bench.cloud = present;
    bench.cloud.endpoint = "127.0.0.1";
    assert_false(apply(&bench, NULL, 0));
    bench.cloud = present;
    bench.cloud.key = "elsewhere.key";
    assert_false(apply(&bench, NULL, 0));
    bench.cloud = present;
    bench.cloud.clean_session = false;
    assert_false(apply(&bench, NULL, 0));
    bench.cloud = present;
    bench.cloud.keepalive = 30;
    assert_false(apply(&bench, NULL, 0));
    bench.cloud = present;
    assert_true(run_until(&bench, is_connected)); // as if nothing had been asked
    bench_stop(&bench);
    bench.cloud = present;
    test_broker_kill(&broker);
}

static void copy(const char *from, const char *to) {
    char path[PATH_MAX];
    PS_AUTO_BUF PsBuf bytes = {0};
    path_of(path, from);
    assert_int_equal(ps_file_read(path, 65536, &bytes, NULL), PS_OK);
    path_of(path, to);
    PS_AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(write(fd, bytes.data, bytes.len) == (ssize_t)bytes.len);
}

static bool has_come_again(Bench *bench) {
    return bench->connects == 2;
}

// Under the same path: as when certificates are renewed.
static void replaced_files_connect_again(void **state) {
    TestBroker broker = broker_start("server-ecc", "root-ecc", NULL);
    copy("client-ecc.crt", "renewed.crt");
    copy("client-ecc.key", "renewed.key");
    Bench bench;
    bench_init(&bench, broker.port, "renewed", "root-ecc");
    const PsLinkSubscription subscriptions[] = {{"a/+", 1}};
    bench_start(&bench, subscriptions, 1);
    expect_comes(&bench, "a/a");
    copy("client-ecc.crt", "renewed.crt"); // no other contents
    assert_true(apply(&bench, NULL, 0));
    assert_true(apply(&bench, subscriptions, 1));
    expect_comes(&bench, "a/b");
    assert_true(bench.connects == 1 && bench.losses == 0);
    copy("client-again.crt", "renewed.crt");
    copy("client-again.key", "renewed.key");
    assert_true(apply(&bench, subscriptions, 1));
    assert_true(run_until(&bench, has_come_again));
    assert_int_equal(bench.losses, 1);
    assert_non_null(strstr(ps_link_status(bench.link)->last_error, "replaced"));
    assert_false(ps_link_status(bench.link)->hung_up);
    expect_comes(&bench, "a/c");
    bench_stop(&bench);
    test_broker_kill(&broker);
}

// A script waits for the answer, and goes on with the link that comes next.
static void stopping_answers_who_waits(void **state) {
    TestBroker broker = broker_start("server-ecc", "root-ecc", NULL);
    Bench bench;
    bench_init(&bench, broker.port, "client-ecc", "root-ecc");
    bench_start(&bench, NULL, 0);
    assert_true(run_until(&bench, is_connected));
    assert_int_equal(kill(broker.pid, SIGSTOP), 0); // no acknowledgement comes
    assert_int_equal(ps_link_publish_now(bench.link, 7, "a", "b", 1, 1), PS_OK);
    bench_stop(&bench);
    assert_int_equal(bench.ticket_answer, 0);
    assert_true(bench.ticket == 7);
    test_broker_kill(&broker);
}

int main(void) {
    ps_log_set_fd(-1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subscriptions_change_on_the_living_connection),
        cmocka_unit_test(subscriptions_may_change_while_connecting),
        cmocka_unit_test(the_window_changes_with_messages_in_flight),
        cmocka_unit_test(another_server_or_identity_asks_for_a_new_link),
        cmocka_unit_test(replaced_files_connect_again),
        cmocka_unit_test(stopping_answers_who_waits),
    };
    return cmocka_run_group_tests_name("link_apply", tests, bench_make_certificates,
                                       bench_remove_certificates);
}
