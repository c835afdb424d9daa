// libsnap7's server over a few areas of memory. Its threads are its own; what is put into the
// memory from outside is a byte at a time. The library's header has a bool of its own and defines
// objects: it comes first, and into this file only.
#include <time.h>

#include <snap7.h>
#undef true
#undef false

#include "drivers/s7/test_server.h"

#include "base/err.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ATTEMPTS 20

struct TestServer {
    S7Object server;
    uint16_t port;
    uint8_t db1[TEST_SERVER_BYTES];
    uint8_t db2[100];
    uint8_t inputs[64];
    uint8_t outputs[64];
    uint8_t flags[64];
};

// The library does not tell which port it got.
static uint16_t free_port(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    PS_ASSERT(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
              getsockname(fd, (struct sockaddr *)&address, &len) == 0);
    close(fd);
    return ntohs(address.sin_port);
}

static int start_at(TestServer *server, uint16_t port) {
    int number = Srv_SetParam(server->server, p_u16_LocalPort, &port);
    return number != 0 ? number : Srv_StartTo(server->server, "127.0.0.1");
}

TestServer *test_server_start(void) {
    TestServer *server = ps_alloc(sizeof *server);
    server->server = Srv_Create();
    int interval = 10; // ms between looks whether to stop
    (void)Srv_SetParam(server->server, p_i32_WorkInterval, &interval);
    (void)Srv_RegisterArea(server->server, srvAreaDB, 1, server->db1, sizeof server->db1);
    (void)Srv_RegisterArea(server->server, srvAreaDB, 2, server->db2, sizeof server->db2);
    (void)Srv_RegisterArea(server->server, srvAreaPE, 0, server->inputs, sizeof server->inputs);
    (void)Srv_RegisterArea(server->server, srvAreaPA, 0, server->outputs, sizeof server->outputs);
    (void)Srv_RegisterArea(server->server, srvAreaMK, 0, server->flags, sizeof server->flags);
    (void)Srv_SetCpuStatus(server->server, S7CpuStatusRun);
    int number = -1;
    for (int i = 0; number != 0 && i < ATTEMPTS; i++) {
        server->port = free_port();
        number = start_at(server, server->port);
    }
    PS_ASSERT(number == 0);
    return server;
}

void test_server_stop(TestServer *server) {
    if (server != NULL) {
        Srv_Stop(server->server);
        Srv_Destroy(&server->server);
        free(server);
    }
}

uint16_t test_server_port(const TestServer *server) {
    return server->port;
}

void test_server_away(TestServer *server) {
    Srv_Stop(server->server);
}

void test_server_again(TestServer *server) {
    int number = -1;
    for (int i = 0; number != 0 && i < ATTEMPTS; i++) {
        number = start_at(server, server->port);
        if (number != 0) {
            usleep(50000);
        }
    }
    PS_ASSERT(number == 0);
}

uint8_t *test_server_db1(TestServer *server) {
    return server->db1;
}

uint8_t *test_server_db2(TestServer *server) {
    return server->db2;
}

uint8_t *test_server_inputs(TestServer *server) {
    return server->inputs;
}

uint8_t *test_server_outputs(TestServer *server) {
    return server->outputs;
}

uint8_t *test_server_flags(TestServer *server) {
    return server->flags;
}

void test_server_add_db(TestServer *server, uint16_t number, uint8_t *bytes, int len) {
    PS_ASSERT(Srv_RegisterArea(server->server, srvAreaDB, number, bytes, len) == 0);
}

void test_server_remove_db(TestServer *server, uint16_t number) {
    (void)Srv_UnregisterArea(server->server, srvAreaDB, number);
}

void test_server_set_stopped(TestServer *server, int stopped) {
    (void)Srv_SetCpuStatus(server->server, stopped ? S7CpuStatusStop : S7CpuStatusRun);
}
