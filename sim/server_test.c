// The server and its control lines against libmodbus's client on a free loopback port.
#include "base/buf.h"
#include "base/time.h"
#include "sim/control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <modbus/modbus.h>
#include <string.h>
#include <unistd.h>

#define SHORT_MS 150
#define LONG_S 5

typedef struct Plant {
    PsSimServer *server;
    modbus_t *client;
} Plant;

static modbus_t *try_connect(PsSimServer *server) {
    modbus_t *client = modbus_new_tcp("127.0.0.1", ps_sim_server_port(server));
    assert_non_null(client);
    assert_int_equal(modbus_set_slave(client, 1), 0);
    assert_int_equal(modbus_set_response_timeout(client, LONG_S, 0), 0);
    if (modbus_connect(client) == 0) {
        return client;
    }
    modbus_free(client);
    return NULL;
}

static void disconnect(modbus_t *client) {
    modbus_close(client);
    modbus_free(client);
}

static Plant start(PsSimServerSetup setup) {
    Plant plant = {0};
    PsDiag diag = {0};
    assert_int_equal(ps_sim_server_start(&setup, &plant.server, &diag), PS_OK);
    plant.client = try_connect(plant.server);
    assert_non_null(plant.client);
    return plant;
}

static void end(Plant *plant) {
    disconnect(plant->client);
    ps_sim_server_stop(plant->server);
}

static void say(PsSimServer *server, const char *line, const char *expected) {
    PS_AUTO_BUF PsBuf answer = {0};
    assert_true(ps_sim_control_line(&(PsSimControl){.server = server}, line, &answer));
    assert_string_equal((const char *)answer.data, expected);
}

static int read_one(modbus_t *client) {
    uint16_t value = 0;
    return modbus_read_registers(client, 100, 1, &value);
}

static void test_tables(void **state) {
    (void)state;
    Plant plant = start((PsSimServerSetup){0});
    uint16_t words[125];
    uint8_t bits[2000];
    assert_int_equal(modbus_read_registers(plant.client, 1000, 125, words), 125);
    assert_int_equal(words[124], 1125);
    assert_int_equal(modbus_read_input_registers(plant.client, 65535, 1, words), 1);
    assert_int_equal(modbus_read_bits(plant.client, 0, 2000, bits), 2000);
    assert_int_equal(bits[0], 1);
    assert_int_equal(modbus_read_input_bits(plant.client, 63536, 2000, bits), 2000);
    assert_int_equal(modbus_write_bit(plant.client, 65535, 1), 1);
    assert_int_equal(modbus_read_bits(plant.client, 65535, 1, bits), 1);
    assert_int_equal(bits[0], 1);
    const uint16_t written[3] = {1, 2, 3};
    assert_int_equal(modbus_write_registers(plant.client, 65533, 3, written), 3);
    assert_int_equal(modbus_read_registers(plant.client, 65533, 3, words), 3);
    assert_memory_equal(words, written, sizeof written);
    assert_int_equal(modbus_read_registers(plant.client, 65535, 2, words), -1);
    assert_int_equal(errno, EMBXILADD);
    assert_int_equal(modbus_set_slave(plant.client, 200), 0); // every unit id answers
    assert_int_equal(read_one(plant.client), 1);
    end(&plant);
}

static void test_delay(void **state) {
    (void)state;
    Plant plant = start((PsSimServerSetup){0});
    say(plant.server, "delay 120", "ok\n");
    PsMono before = ps_mono_now();
    assert_int_equal(read_one(plant.client), 1);
    assert_true(ps_mono_diff_ns(ps_mono_now(), before) >= 120 * PS_NS_PER_MS);
    say(plant.server, "ok", "ok\n");
    end(&plant);
}

static void expect_silence(modbus_t *client) {
    assert_int_equal(modbus_set_response_timeout(client, 0, SHORT_MS * 1000), 0);
    assert_int_equal(read_one(client), -1);
    assert_int_equal(errno, ETIMEDOUT);
    assert_int_equal(modbus_set_response_timeout(client, LONG_S, 0), 0);
}

static void test_silence(void **state) {
    (void)state;
    Plant plant = start((PsSimServerSetup){0});
    say(plant.server, "silence", "ok\n");
    expect_silence(plant.client);
    say(plant.server, "ok", "ok\n");
    assert_int_equal(read_one(plant.client), 1); // the same connection goes on
    say(plant.server, "slave 5 silent", "ok\n");
    assert_int_equal(read_one(plant.client), 1);
    assert_int_equal(modbus_set_slave(plant.client, 5), 0);
    expect_silence(plant.client);
    assert_int_equal(ps_sim_server_stats(plant.server).unanswered, 2);
    end(&plant);
}

static void test_listed_slaves(void **state) {
    (void)state;
    PsSimServerSetup setup = {0};
    setup.slaves[1] = true;
    Plant plant = start(setup);
    assert_int_equal(read_one(plant.client), 1);
    assert_int_equal(modbus_set_slave(plant.client, 2), 0);
    expect_silence(plant.client);
    end(&plant);
}

static void test_exception(void **state) {
    (void)state;
    Plant plant = start((PsSimServerSetup){0});
    uint16_t words[30];
    say(plant.server, "exception 2 40010-40020", "ok\n");
    assert_int_equal(modbus_read_registers(plant.client, 0, 30, words), -1);
    assert_int_equal(errno, EMBXILADD);
    assert_int_equal(modbus_read_registers(plant.client, 20, 10, words), 10);
    say(plant.server, "exception 6", "ok\n");
    assert_int_equal(modbus_read_registers(plant.client, 20, 10, words), -1);
    assert_int_equal(errno, EMBXSBUSY);
    say(plant.server, "ok", "ok\n");
    assert_int_equal(modbus_read_registers(plant.client, 0, 30, words), 30);
    assert_int_equal(ps_sim_server_stats(plant.server).exceptions, 2);
    end(&plant);
}

static void test_reset(void **state) {
    (void)state;
    Plant plant = start((PsSimServerSetup){0});
    say(plant.server, "reset", "ok\n");
    assert_int_equal(read_one(plant.client), -1);
    assert_int_equal(errno, ECONNRESET);
    modbus_close(plant.client);
    assert_int_equal(modbus_connect(plant.client), 0);
    assert_int_equal(read_one(plant.client), 1);
    assert_int_equal(ps_sim_server_stats(plant.server).resets, 1);
    end(&plant);
}

static void test_refuse(void **state) {
    (void)state;
    Plant plant = start((PsSimServerSetup){0});
    uint16_t port = ps_sim_server_port(plant.server);
    say(plant.server, "refuse", "ok\n");
    assert_int_equal(ps_sim_server_stats(plant.server).connections, 0);
    assert_int_equal(read_one(plant.client), -1);
    assert_null(try_connect(plant.server));
    say(plant.server, "ok", "ok\n");
    assert_int_equal(ps_sim_server_port(plant.server), port);
    modbus_close(plant.client);
    assert_int_equal(modbus_connect(plant.client), 0);
    assert_int_equal(read_one(plant.client), 1);
    end(&plant);
}

static void test_set_and_get(void **state) {
    (void)state;
    Plant plant = start((PsSimServerSetup){0});
    uint16_t value = 0;
    uint8_t bit = 0;
    say(plant.server, "set 40001 123", "ok\n");
    say(plant.server, "get 40001", "123\n");
    assert_int_equal(modbus_read_registers(plant.client, 0, 1, &value), 1);
    assert_int_equal(value, 123);
    say(plant.server, "set 30001 -1", "ok\n");
    say(plant.server, "get 30001", "65535\n");
    say(plant.server, "set 10001 1", "ok\n");
    assert_int_equal(modbus_read_input_bits(plant.client, 0, 1, &bit), 1);
    assert_int_equal(bit, 1);
    assert_int_equal(modbus_write_register(plant.client, 500, 77), 1);
    say(plant.server, "get 40501", "77\n");
    say(plant.server, "release", "ok\n");
    PS_AUTO_BUF PsBuf answer = {0};
    PsSimControl control = {.server = plant.server};
    assert_true(ps_sim_control_line(&control, "set 40001", &answer));
    assert_memory_equal(answer.data, "error: ", 7);
    assert_false(ps_sim_control_line(&control, "quit", &answer));
    end(&plant);
}

static void test_many_connections(void **state) {
    (void)state;
    Plant plant = start((PsSimServerSetup){0});
    modbus_t *clients[PS_SIM_CONNECTIONS] = {0};
    for (size_t i = 1; i < PS_SIM_CONNECTIONS; i++) {
        clients[i] = try_connect(plant.server);
        assert_non_null(clients[i]);
        assert_int_equal(read_one(clients[i]), 1);
    }
    modbus_t *one_more = try_connect(plant.server); // the kernel accepts, the server closes
    assert_true(one_more == NULL || read_one(one_more) == -1);
    if (one_more != NULL) {
        disconnect(one_more);
    }
    assert_int_equal(read_one(plant.client), 1);
    for (size_t i = 1; i < PS_SIM_CONNECTIONS; i++) {
        disconnect(clients[i]);
    }
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), LONG_S * PS_NS_PER_S);
    while (ps_sim_server_stats(plant.server).connections > 1) {
        assert_true(ps_mono_diff_ns(deadline, ps_mono_now()) > 0);
        usleep(1000);
    }
    modbus_t *again = try_connect(plant.server);
    assert_non_null(again);
    assert_int_equal(read_one(again), 1);
    disconnect(again);
    end(&plant);
}

// A delay of minutes must not hold up the end.
static void test_stop_during_delay(void **state) {
    (void)state;
    Plant plant = start((PsSimServerSetup){0});
    say(plant.server, "delay 600000", "ok\n");
    const uint8_t request[] = {1, 3, 0, 0, 0, 1};
    assert_true(modbus_send_raw_request(plant.client, request, sizeof request) > 0);
    PsMono deadline = ps_mono_add_ns(ps_mono_now(), LONG_S * PS_NS_PER_S);
    while (ps_sim_server_stats(plant.server).requests == 0) {
        assert_true(ps_mono_diff_ns(deadline, ps_mono_now()) > 0);
        usleep(1000);
    }
    PsMono before = ps_mono_now();
    ps_sim_server_stop(plant.server);
    assert_true(ps_mono_diff_ns(ps_mono_now(), before) < 2 * PS_NS_PER_S);
    disconnect(plant.client);
}

static void test_port_taken(void **state) {
    (void)state;
    Plant plant = start((PsSimServerSetup){0});
    PsSimServerSetup same = {.port = ps_sim_server_port(plant.server)};
    PsSimServerSetup nowhere = {.address = "localhost"};
    PsSimServer *second = NULL;
    PsDiag diag = {0};
    assert_int_equal(ps_sim_server_start(&same, &second, &diag), PS_ERR_IO);
    assert_string_equal(diag.field, "port");
    assert_int_equal(ps_sim_server_start(&nowhere, &second, &diag), PS_ERR_INVALID);
    assert_null(second);
    end(&plant);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),           cmocka_unit_test(test_delay),
        cmocka_unit_test(test_silence),          cmocka_unit_test(test_listed_slaves),
        cmocka_unit_test(test_exception),        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_refuse),           cmocka_unit_test(test_set_and_get),
        cmocka_unit_test(test_many_connections), cmocka_unit_test(test_stop_during_delay),
        cmocka_unit_test(test_port_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
