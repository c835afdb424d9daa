//! For tests: servers on free ports of 127.0.0.1.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/// A listening TCP socket on a free port; accepts (in the kernel) and never answers.
int test_listen(int *ret_port);
/// A port on which nothing listens at the moment.
int test_free_port(void);

typedef struct TestBroker {
    pid_t pid;
    int port;
    char folder[128]; ///< holds the certificates; the configuration is written here
} TestBroker;

/// Starts mosquitto on `broker->port` (chosen when 0) and waits until it answers. `tls_name` is the
/// server certificate's file (FILE.crt, FILE.key), NULL for plain TCP; `client_ca` makes client
/// certificates required; `more` is further configuration text.
void test_broker_start(TestBroker *broker, const char *tls_name, const char *client_ca,
                       const char *more);
/// SIGKILL.
void test_broker_kill(TestBroker *broker);

/// Starts a program with its output in `out_path`; the arguments end with NULL.
pid_t test_spawn(const char *out_path, const char *const *arguments);
void test_kill(pid_t pid);
bool test_wait_port(int port);
