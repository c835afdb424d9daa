// The link's worker without a link around it: what the main thread may do at any time.
#include "link/settings.h"
#include "link/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <mosquitto.h>
#include <stdlib.h>

static void wakes_nobody(void *ctx) {
}

// The main thread may look for acknowledgements at any time, also when the connection has gone and
// the next attempt has nothing yet but a question to the resolver.
static void may_be_drained_while_resolving(void **state) {
    PsCloud cloud = {.type = PS_CLOUD_STANDARD_MQTT,
                     .endpoint = "no-such-host.invalid",
                     .port = 1883,
                     .client_id = "drained",
                     .keepalive = 60};
    PsLinkSetup setup = {.cloud = &cloud, .times = {.backoff_min_ms = 1, .backoff_max_ms = 1}};
    PsLinkSettings *settings = NULL;
    assert_int_equal(ps_link_settings_new(&setup, &settings, NULL), PS_OK);
    PsLinkWorker *worker = ps_link_worker_new(settings, wakes_nobody, NULL);
    assert_int_equal(ps_link_worker_start(worker), PS_OK);
    PsMono limit = ps_mono_add_ns(ps_mono_now(), 30 * PS_NS_PER_S);
    for (int attempts = 0; attempts < 5;) {
        assert_true(ps_mono_diff_ns(limit, ps_mono_now()) > 0);
        (void)ps_link_worker_drain(worker); // false while the thread is at work
        for (PsLinkEvent *event = ps_link_worker_take(worker); event != NULL;) {
            PsLinkEvent *next = event->next;
            attempts += event->kind == PS_EVENT_DOWN;
            free(event);
            event = next;
        }
    }
    ps_link_worker_stop(worker);
    ps_link_worker_free(worker);
}

int main(void) {
    mosquitto_lib_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(may_be_drained_while_resolving),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mosquitto_lib_cleanup();
    return failed;
}
