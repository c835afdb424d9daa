// Sessions and connections, and the faults of the controller.
#include "sim/cip_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void test_encapsulation(void **state) {
    (void)state;
    Bench bench;
    bench_start(&bench);
    const uint8_t again[] = {1, 0, 0, 0};
    const uint8_t version[] = {2, 0, 0, 0};
    assert_int_equal(bench_command(&bench, 0x65, again, 4), 0x01);
    assert_int_equal(bench_command(&bench, 0x65, version, 4), 0x69);
    assert_int_equal(bench_command(&bench, 0x65, again, 3), 0x65);
    assert_int_equal(bench_command(&bench, 0x04, NULL, 0), 0);
    assert_memory_equal(bench.out.data + HEADER + 10, "Communications", 15);
    assert_int_equal(bench_command(&bench, 0x63, NULL, 0), 0);
    assert_int_equal(bench_u16_at(bench.out.data + HEADER + 2), 0x0C);
    assert_int_equal(bench.out.len, HEADER + 6 + bench_u16_at(bench.out.data + HEADER + 4));
    assert_int_equal(bench_command(&bench, 0x64, NULL, 0), 0);
    assert_int_equal(bench_command(&bench, 0x99, NULL, 0), 0x01);
    assert_int_equal(bench_command(&bench, 0x6F, again, 4), 0x03);
    assert_int_equal(bench_command(&bench, 0x00, NULL, 0), UINT32_MAX);
    bench.session.handle++;
    PS_AUTO_BUF PsBuf frame = {0};
    bench_put_frame(&frame, &bench, 0x6F, again, 4);
    bench.session.handle--;
    ps_buf_clear(&bench.out);
    assert_true(
        ps_sim_eip_take(&bench.eip, &bench.session, frame.data, frame.len, bench.now, &bench.out));
    assert_int_equal(bench_u32_at(bench.out.data + 8), 0x64);
    frame.data[0] = 0x66;
    assert_false(
        ps_sim_eip_take(&bench.eip, &bench.session, frame.data, frame.len, bench.now, &bench.out));
    bench_end(&bench);
}

// Opens a connection of this size; the status of the reply.
static uint8_t open_connection(Bench *bench, bool large, uint16_t serial, uint16_t size) {
    PS_AUTO_BUF PsBuf request = {0};
    const uint8_t head[] = {large ? 0x5B : 0x54, 2, 0x20, 6, 0x24, 1, 10, 5, 0, 0, 0, 0};
    const uint8_t path[] = {0xA3, 3, 1, 0, 0x20, 2, 0x24, 1};
    ps_buf_put(&request, head, sizeof head);
    ps_buf_put_u32(&request, 0x7000U + serial);
    ps_buf_put_u16(&request, serial);
    ps_buf_put_u16(&request, 0x1234);
    ps_buf_put_u32(&request, 0x56789ABC);
    ps_buf_put_u32(&request, 0);
    for (int i = 0; i < 2; i++) {
        ps_buf_put_u32(&request, 1000000);
        if (large) {
            ps_buf_put_u32(&request, 0x42000000U | size);
        } else {
            ps_buf_put_u16(&request, (uint16_t)(0x4200U | size));
        }
    }
    ps_buf_put(&request, path, sizeof path);
    return bench_ask(bench, request.data, request.len);
}

static uint8_t close_connection(Bench *bench, uint16_t serial) {
    const uint8_t request[] = {0x4E, 2,    0x20, 6,    0x24, 1,    10,   5, (uint8_t)serial,
                               0,    0x34, 0x12, 0xBC, 0x9A, 0x78, 0x56, 3, 0,
                               1,    0,    0x20, 2,    0x24, 1};
    return bench_ask(bench, request, sizeof request);
}

// Reads Big over the connection; the bytes of data in the reply, 0: no answer.
static size_t read_connected(Bench *bench, uint32_t id) {
    PS_AUTO_BUF PsBuf data = {0};
    const uint8_t request[] = {0x77, 0x66, 0x4C, 3, 0x91, 3, 'B', 'i', 'g', 0, 0xE8, 3};
    ps_buf_put_u32(&data, 0);
    ps_buf_put_u16(&data, 0);
    ps_buf_put_u16(&data, 2);
    ps_buf_put_u16(&data, 0xA1);
    ps_buf_put_u16(&data, 4);
    ps_buf_put_u32(&data, id);
    ps_buf_put_u16(&data, 0xB1);
    ps_buf_put_u16(&data, sizeof request);
    ps_buf_put(&data, request, sizeof request);
    if (bench_command(bench, 0x70, data.data, data.len) == UINT32_MAX) {
        return 0;
    }
    const uint8_t *body = bench->out.data + HEADER;
    assert_int_equal(bench_u16_at(body + 20), 0x6677); // the sequence count
    assert_int_equal(body[22], 0xCC);
    return bench->out.len - HEADER - 22 - 6;
}

static void test_connections(void **state) {
    (void)state;
    Bench bench;
    bench_start(&bench);
    assert_int_equal(open_connection(&bench, true, 1, 4000), 0);
    uint32_t id = bench_u32_at(bench.reply + 4);
    assert_int_equal(bench_u32_at(bench.reply + 8), 0x7001);
    assert_int_equal(read_connected(&bench, id), (4000 - 2 - 6) / 4 * 4);
    assert_int_equal(bench_u32_at(bench.out.data + HEADER + 12), 0x7001);
    assert_int_equal(read_connected(&bench, id + 1), 0);
    assert_int_equal(open_connection(&bench, true, 1, 4000), 0x01);
    assert_int_equal(bench_u16_at(bench.reply + 4), 0x0100);
    assert_int_equal(open_connection(&bench, true, 2, 4003), 0x01);
    assert_int_equal(bench.reply[3], 2);
    assert_int_equal(bench_u16_at(bench.reply + 4), 0x0109);
    assert_int_equal(bench_u16_at(bench.reply + 6), 4002);
    assert_int_equal(open_connection(&bench, false, 3, 500), 0);
    uint32_t small = bench_u32_at(bench.reply + 4);
    assert_int_equal(read_connected(&bench, small), (500 - 2 - 6) / 4 * 4);
    assert_int_equal(close_connection(&bench, 1), 0);
    assert_int_equal(close_connection(&bench, 1), 0x01);
    assert_int_equal(bench_u16_at(bench.reply + 4), 0x0107);
    assert_int_equal(read_connected(&bench, id), 0);
    // Silent for longer than four times its interval: gone. Another client's is nobody else's.
    bench.now = ps_mono_add_ns(bench.now, 5 * PS_NS_PER_S);
    assert_int_equal(read_connected(&bench, small), 0);
    assert_int_equal(open_connection(&bench, false, 4, 500), 0);
    ps_sim_cip_forget(bench.eip.cip, &bench.session);
    assert_int_equal(read_connected(&bench, small + 1), 0);
    bench_end(&bench);
}

static void test_faults(void **state) {
    (void)state;
    Bench bench;
    bench_start(&bench);
    bench_turn(&bench, "missing Motor");
    bench_turn(&bench, "deny Setpoint");
    bench_turn(&bench, "status 2 Program:Main.Local");
    assert_int_equal(bench_read_tag(&bench, "Motor.Speed", 1), 0x04);
    assert_int_equal(bench_read_tag(&bench, "Motors[0].Speed", 1), 0);
    assert_int_equal(bench_read_tag(&bench, "Setpoint", 1), 0x0F);
    assert_int_equal(bench_read_tag(&bench, "Program:Main.Local", 1), 0x02);
    bench_turn(&bench, "structure-only");
    assert_int_equal(bench_read_tag(&bench, "Motors[0].Speed", 1), 0x04);
    assert_int_equal(bench_read_tag(&bench, "Motors[0]", 1), 0);
    bench_turn(&bench, "locked");
    const uint8_t integer[] = {0xC4, 0, 1, 0, 1, 0, 0, 0};
    assert_int_equal(bench_ask_tag(&bench, 0x4D, "Counter", integer, sizeof integer), 0x10);
    assert_int_equal(bench_more(&bench), 0x2101);
    bench_turn(&bench, "no-large");
    assert_int_equal(open_connection(&bench, true, 1, 4000), 0x08);
    bench_turn(&bench, "size 200");
    assert_int_equal(open_connection(&bench, false, 1, 500), 0x01);
    assert_int_equal(bench_u16_at(bench.reply + 6), 200);
    assert_int_equal(open_connection(&bench, false, 1, 200), 0);
    bench_turn(&bench, "connections 1");
    assert_int_equal(open_connection(&bench, false, 2, 200), 0x01);
    assert_int_equal(bench_u16_at(bench.reply + 4), 0x0113);
    bench_turn(&bench, "ok");
    assert_int_equal(open_connection(&bench, false, 2, 500), 0);
    bench_turn(&bench, "no-connections");
    assert_int_equal(open_connection(&bench, false, 3, 200), 0x01);
    bench_turn(&bench, "status 8");
    assert_int_equal(bench_read_tag(&bench, "Setpoint", 1), 0x08);
    static const char *const wrong[] = {"",       "missing", "deny a b",       "status 0",
                                        "size 5", "size x",  "connections -1", "no-large now",
                                        "ok ok",  "explode"};
    for (size_t i = 0; i < PS_COUNT(wrong); i++) {
        PsDiag diag = {0};
        PsSimCipFaults before = bench.eip.cip->faults;
        assert_true(ps_sim_cip_fault(&bench.eip.cip->faults, wrong[i], &diag) != PS_OK);
        assert_memory_equal(&before, &bench.eip.cip->faults, sizeof before);
        assert_true(diag.text[0] != '\0');
    }
    bench_end(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encapsulation),
        cmocka_unit_test(test_connections),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
