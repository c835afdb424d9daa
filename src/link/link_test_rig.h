//! A link with real servers for unit tests: what it told, and certificates made once for all tests
//! of a program. Calls of cmocka inside.
#pragma once

#include "link/link.h"
#include "link/test_server.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>

typedef struct Bench {
    uv_loop_t loop;
    uv_timer_t timer;
    bool timed_out;
    PsLink *link;
    PsCloud cloud;
    char cert[PATH_MAX];
    char key[PATH_MAX];
    char root_ca[PATH_MAX];
    bool stopped;
    size_t connects;
    size_t losses;
    uint64_t acknowledged[512];
    size_t acknowledged_count;
    uint64_t ticket;
    int ticket_answer; // -1 none yet
    char received[512][64];
    size_t received_count;
    int received_qos;
    PsLinkState state;
} Bench;

/// For the whole program: of cmocka's group setup and teardown.
int bench_make_certificates(void **state);
int bench_remove_certificates(void **state);
/// The path of a file beside the certificates; PATH_MAX bytes.
void path_of(char *out, const char *name);
/// In their folder.
TestBroker broker_start(const char *tls_name, const char *client_ca, const char *more);

/// AWS IoT on this port; `identity` and `root` are names of certificates, or NULL.
void bench_init(Bench *bench, int port, const char *identity, const char *root);
/// What bench_start sets the link up with; the subscriptions are borrowed.
PsLinkSetup bench_setup(Bench *bench, const PsLinkSubscription *subscriptions, size_t count);
void bench_start(Bench *bench, const PsLinkSubscription *subscriptions, size_t count);
/// Within two seconds; frees everything.
void bench_stop(Bench *bench);

typedef bool Condition(Bench *bench);
/// Runs the loop until the condition holds or the time has passed; whether it holds.
bool run_until_ms(Bench *bench, Condition *reached, uint64_t ms);
bool run_until(Bench *bench, Condition *reached);
bool is_connected(Bench *bench);
bool has_failed(Bench *bench);
bool is_stopped(Bench *bench);

/// On "plant/data"; the payload is the id.
void publish_waits_for_room(Bench *bench, uint64_t first, uint64_t count, int qos);
