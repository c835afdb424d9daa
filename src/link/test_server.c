// Test servers. Any failure ends the test program.
#include "link/test_server.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "base/time.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

int test_listen(int *ret_port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    PS_ASSERT(fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0);
    PS_ASSERT(listen(fd, 16) == 0);
    PS_ASSERT(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

int test_free_port(void) {
    int port = 0;
    close(test_listen(&port));
    return port;
}

bool test_wait_port(int port) {
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), 10 * PS_NS_PER_S);
    while (ps_mono_now().ns < deadline.ns) {
        PS_AUTO_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons((uint16_t)port),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
            return true;
        }
        poll(NULL, 0, 10);
    }
    return false;
}

pid_t test_spawn(const char *out_path, const char *const *arguments) {
    pid_t parent = getpid();
    pid_t pid = fork();
    PS_ASSERT(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int out = open(out_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        int in[2];
        // A pipe that never ends: openssl s_server stops when its standard input does.
        if (getppid() != parent || out < 0 || pipe(in) != 0) {
            _exit(126);
        }
        dup2(in[0], STDIN_FILENO);
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
        char *argv[32] = {NULL};
        for (size_t i = 0; arguments[i] != NULL && i < PS_COUNT(argv) - 1; i++) {
            argv[i] = strdup(arguments[i]);
        }
        execvp(argv[0], argv);
        _exit(127);
    }
    return pid;
}

void test_kill(pid_t pid) {
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

void test_broker_start(TestBroker *broker, const char *tls_name, const char *client_ca,
                       const char *more) {
    if (broker->port == 0) {
        broker->port = test_free_port();
    }
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/broker-%d.conf", broker->folder, broker->port);
    FILE *file = fopen(path, "w");
    PS_ASSERT(file != NULL);
    // "user root": started as root, mosquitto would become a user who cannot read the folder.
    fprintf(file, "user root\nlistener %d 127.0.0.1\nallow_anonymous true\npersistence false\n",
            broker->port);
    if (tls_name != NULL) {
        fprintf(file, "certfile %s/%s.crt\nkeyfile %s/%s.key\n", broker->folder, tls_name,
                broker->folder, tls_name);
    }
    if (client_ca != NULL) {
        fprintf(file, "cafile %s/%s.crt\nrequire_certificate true\n", broker->folder, client_ca);
    }
    fprintf(file, "%s", more != NULL ? more : "");
    fclose(file);
    char out[PATH_MAX];
    snprintf(out, sizeof out, "%s/broker-%d.log", broker->folder, broker->port);
    broker->pid = test_spawn(out, (const char *const[]){"/usr/sbin/mosquitto", "-c", path, NULL});
    PS_ASSERT(test_wait_port(broker->port));
}

void test_broker_kill(TestBroker *broker) {
    if (broker->pid > 0) {
        test_kill(broker->pid);
        broker->pid = 0;
    }
}
