// The controller request by request: what it answers, and how it refuses.
#include "sim/cip_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void test_reads_the_plant(void **state) {
    (void)state;
    Bench bench;
    bench_start(&bench);
    bench.items[PS_SIM_HOLDING][1] = 0x41B4; // 22.5 as two registers
    bench.items[PS_SIM_HOLDING][100] = (uint16_t)-3;
    bench.items[PS_SIM_HOLDING][103] = 'A' << 8 | 'B';
    bench.items[PS_SIM_HOLDING][104] = 'C' << 8;
    bench.items[PS_SIM_COIL][0] = 1;
    assert_int_equal(bench_read_tag(&bench, "Temperature", 1), 0);
    const uint8_t real[] = {0xCC, 0, 0, 0, 0xCA, 0, 0, 0, 0xB4, 0x41};
    assert_int_equal(bench.reply_len, sizeof real);
    assert_memory_equal(bench.reply, real, sizeof real);
    assert_int_equal(bench_read_tag(&bench, "setPOINT", 1), 0); // names have no case
    const uint8_t integer[] = {0xC3, 0, 0xFD, 0xFF};
    assert_memory_equal(bench.reply + 4, integer, sizeof integer);
    assert_int_equal(bench_read_tag(&bench, "Heater", 1), 0);
    assert_int_equal(bench.reply[6], 1);
    assert_int_equal(bench_read_tag(&bench, "Motor.Running", 1), 0);
    assert_int_equal(bench_u16_at(bench.reply + 4), 0xC1);
    assert_int_equal(bench.reply[6], 1);
    assert_int_equal(bench_read_tag(&bench, "Recipe", 1), 0);
    const uint8_t text[] = {0xA0, 2, 0xCE, 0x0F, 3, 0, 0, 0, 'A', 'B', 'C', 0};
    assert_memory_equal(bench.reply + 4, text, sizeof text);
    assert_int_equal(bench.reply_len, 8 + 88);
    assert_int_equal(bench_read_tag(&bench, "Recipe.DATA[1]", 2), 0);
    assert_memory_equal(bench.reply + 6, "BC", 2);
    assert_int_equal(bench_read_tag(&bench, "Program:Main.Local", 1), 0);
    assert_int_equal(bench.reply[6], 7);
    const uint8_t by_instance[] = {0x4C, 2, 0x20, 0x6B, 0x24, 6, 1, 0}; // the second tag
    assert_int_equal(bench_ask(&bench, by_instance, sizeof by_instance), 0);
    assert_int_equal(bench_u16_at(bench.reply + 4), 0xC4);
    bench_end(&bench);
}

static void test_arrays(void **state) {
    (void)state;
    Bench bench;
    bench_start(&bench);
    assert_int_equal(bench_read_tag(&bench, "Numbers", 10), 0);
    assert_int_equal(bench.reply_len, 6 + 40);
    assert_int_equal(bench_u32_at(bench.reply + 6 + 36), 9);
    assert_int_equal(bench_read_tag(&bench, "Numbers[7]", 3), 0);
    assert_int_equal(bench_u32_at(bench.reply + 6), 7);
    assert_int_equal(bench_read_tag(&bench, "Matrix[2,3]", 1), 0);
    assert_int_equal(bench_u32_at(bench.reply + 6), 0x41300000); // 11.0
    assert_int_equal(bench_read_tag(&bench, "Motors[2].Name.LEN", 1), 0);
    assert_int_equal(bench_read_tag(&bench, "Numbers[7]", 4), 0xFF);
    assert_int_equal(bench_more(&bench), 0x2105);
    assert_int_equal(bench_read_tag(&bench, "Motors[3].Speed", 1), 0xFF);
    assert_int_equal(bench_more(&bench), 0x2105);
    assert_int_equal(bench_read_tag(&bench, "Matrix[2]", 1), 0x04);
    assert_int_equal(bench_read_tag(&bench, "Motors.Speed", 1), 0x04);
    assert_int_equal(bench_read_tag(&bench, "Setpoint[0]", 1), 0x04);
    assert_int_equal(bench_read_tag(&bench, "Numbers", 0), 0xFF);
    bench_end(&bench);
}

static void test_fragments(void **state) {
    (void)state;
    Bench bench;
    bench_start(&bench);
    // 1000 elements do not fit: as many whole ones as do, then the rest piece by piece.
    assert_int_equal(bench_read_tag(&bench, "Big", 1000), 0x06);
    assert_true(bench.reply_len <= PS_SIM_CIP_UNCONNECTED);
    size_t got = bench.reply_len - 6;
    assert_int_equal(got % 4, 0);
    uint8_t status = 0x06;
    while (status == 0x06) {
        uint8_t data[6] = {0xE8, 3, (uint8_t)got, (uint8_t)(got >> 8)};
        status = bench_ask_tag(&bench, 0x52, "Big", data, sizeof data);
        assert_int_equal(bench_u32_at(bench.reply + 6), got / 4);
        got += bench.reply_len - 6;
    }
    assert_int_equal(status, 0);
    assert_int_equal(got, 4000);
    const uint8_t beyond[6] = {0xE8, 3, 0xA0, 0x0F};
    assert_int_equal(bench_ask_tag(&bench, 0x52, "Big", beyond, sizeof beyond), 0xFF);
    assert_int_equal(bench_more(&bench), 0x2104);
    const uint8_t write[] = {0xC4, 0, 2, 0, 4, 0, 0, 0, 0x11, 0x22, 0x33, 0x44};
    assert_int_equal(bench_ask_tag(&bench, 0x53, "Big[5]", write, sizeof write), 0);
    assert_int_equal(bench_read_tag(&bench, "Big[6]", 1), 0);
    assert_int_equal(bench_u32_at(bench.reply + 6), 0x44332211);
    assert_int_equal(bench_ask_tag(&bench, 0x53, "Big[5]", write, sizeof write - 4), 0x13);
    const uint8_t past[] = {0xC4, 0, 1, 0, 4, 0, 0, 0, 1, 2, 3, 4};
    assert_int_equal(bench_ask_tag(&bench, 0x53, "Big[5]", past, sizeof past), 0xFF);
    assert_int_equal(bench_more(&bench), 0x2104);
    bench_end(&bench);
}

static void test_writes(void **state) {
    (void)state;
    Bench bench;
    bench_start(&bench);
    const uint8_t integer[] = {0xC3, 0, 1, 0, 0x34, 0x12};
    assert_int_equal(bench_ask_tag(&bench, 0x4D, "Setpoint", integer, sizeof integer), 0);
    assert_int_equal(bench.items[PS_SIM_HOLDING][100], 0x1234);
    const uint8_t real[] = {0xCA, 0, 1, 0, 0, 0, 0xB5, 0x42};
    assert_int_equal(bench_ask_tag(&bench, 0x4D, "StirrerSetpoint", real, sizeof real), 0);
    assert_int_equal(bench.items[PS_SIM_HOLDING][101], 0x42B5);
    const uint8_t on[] = {0xC1, 0, 1, 0, 0xFF};
    assert_int_equal(bench_ask_tag(&bench, 0x4D, "Motor.Running", on, sizeof on), 0);
    assert_int_equal(bench.items[PS_SIM_COIL][0], 1);
    uint8_t text[6 + 88] = {0xA0, 2, 0xCE, 0x0F, 1, 0, 3, 0, 0, 0, 'X', 'Y', 'Z'};
    assert_int_equal(bench_ask_tag(&bench, 0x4D, "Recipe", text, sizeof text), 0);
    assert_int_equal(bench.items[PS_SIM_HOLDING][103], 'X' << 8 | 'Y');
    assert_int_equal(bench.items[PS_SIM_HOLDING][104], 'Z' << 8);
    text[2] ^= 1; // another structure
    assert_int_equal(bench_ask_tag(&bench, 0x4D, "Recipe", text, sizeof text), 0xFF);
    assert_int_equal(bench_more(&bench), 0x2107);
    assert_int_equal(bench_ask_tag(&bench, 0x4D, "Counter", integer, sizeof integer), 0xFF);
    assert_int_equal(bench_more(&bench), 0x2107);
    assert_int_equal(bench_ask_tag(&bench, 0x4D, "Level", integer, sizeof integer), 0x0F);
    assert_int_equal(bench_ask_tag(&bench, 0x4D, "Setpoint", integer, sizeof integer - 1), 0x13);
    const uint8_t longer[] = {0xC3, 0, 1, 0, 1, 2, 3};
    assert_int_equal(bench_ask_tag(&bench, 0x4D, "Setpoint", longer, sizeof longer), 0x15);
    const uint8_t mask[] = {2, 0, 0x08, 0, 0xFB, 0xFF}; // sets bit 3, clears bit 2
    assert_int_equal(bench_ask_tag(&bench, 0x4E, "Setpoint", mask, sizeof mask), 0);
    assert_int_equal(bench.items[PS_SIM_HOLDING][100], 0x1238);
    assert_int_equal(bench_ask_tag(&bench, 0x4E, "Counter", mask, sizeof mask), 0x03);
    assert_int_equal(bench_ask_tag(&bench, 0x4E, "Temperature", mask, sizeof mask), 0xFF);
    assert_int_equal(bench_ask_tag(&bench, 0x4E, "Setpoint", mask, 5), 0x13);
    bench_end(&bench);
}

typedef struct Refusal {
    uint8_t request[16];
    size_t len;
    uint8_t status;
} Refusal;

static void test_refusals(void **state) {
    (void)state;
    static const Refusal cases[] = {
        {{0x4C}, 1, 0x26},                                // no path
        {{0x4C, 9, 0x91, 1}, 4, 0x26},                    // a path longer than the request
        {{0x4C, 0, 1, 0}, 4, 0x04},                       // an empty one
        {{0x4C, 1, 0xFF, 0, 1, 0}, 6, 0x04},              // of nothing known
        {{0x4C, 1, 0x91, 9, 1, 0}, 6, 0x04},              // a name longer than the path
        {{0x4C, 2, 0x91, 2, 'Q', 'Q', 1, 0}, 8, 0x04},    // no such tag
        {{0x4C, 2, 0x20, 0x6B, 0x24, 99, 1, 0}, 8, 0x05}, // no such instance
        {{0x4C, 2, 0x20, 0x6C, 0x24, 99, 0, 0, 0, 0, 1, 0}, 12, 0x05},
        {{0x01, 2, 0x20, 0x01, 0x24, 2}, 6, 0x05}, // a second identity
        {{0x01, 2, 0x20, 0x77, 0x24, 1}, 6, 0x05}, // no such class
        {{0x02, 2, 0x20, 0x01, 0x24, 1}, 6, 0x08}, // no such service
        {{0x4B, 3, 0x91, 5, 'L', 'e', 'v', 'e', 'l', 0}, 10, 0x04},
        {{0x4B, 4, 0x91, 5, 'L', 'e', 'v', 'e', 'l', 0}, 10, 0x08},
        {{0x4C, 4, 0x91, 5, 'L', 'e', 'v', 'e', 'l', 0}, 10, 0x13},
        {{0x0E, 3, 0x20, 1, 0x24, 1, 0x30, 9}, 8, 0x14},
        {{0x0E, 3, 0x20, 1, 0x24, 1, 0x30, 7}, 8, 0x00},
        {{0x01, 2, 0x20, 1, 0x24, 1}, 6, 0x00},
        {{0x55, 2, 0x20, 0x6B, 0x24, 0, 1, 0, 99, 0}, 10, 0x0A}, // no such attribute
        {{0x0A, 2, 0x20, 2, 0x24, 1, 2, 0, 9, 0}, 10, 0x13},
        {{0x0A, 2, 0x20, 2, 0x24, 1, 1, 0, 0, 0}, 10, 0x03},
    };
    Bench bench;
    bench_start(&bench);
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        uint8_t status = bench_ask(&bench, cases[i].request, cases[i].len);
        if (status != cases[i].status || bench.reply[0] != (cases[i].request[0] | 0x80)) {
            fail_msg("case %zu: status 0x%02x", i, status);
        }
    }
    bench_end(&bench);
}

static void test_packets(void **state) {
    (void)state;
    Bench bench;
    bench_start(&bench);
    PS_AUTO_BUF PsBuf packet = {0};
    const uint8_t head[] = {0x0A, 2, 0x20, 2, 0x24, 1, 3, 0, 8, 0, 22, 0, 30, 0};
    const uint8_t setpoint[] = {0x4C, 5, 0x91, 8, 'S', 'e', 't', 'p', 'o', 'i', 'n', 't', 1, 0};
    const uint8_t nowhere[] = {0x4C, 2, 0x91, 2, 'Q', 'Q', 1, 0};
    const uint8_t big[] = {0x4C, 3, 0x91, 3, 'B', 'i', 'g', 0, 200, 0};
    ps_buf_put(&packet, head, sizeof head);
    ps_buf_put(&packet, setpoint, sizeof setpoint);
    ps_buf_put(&packet, nowhere, sizeof nowhere);
    ps_buf_put(&packet, big, sizeof big);
    assert_int_equal(bench_ask(&bench, packet.data, packet.len), 0x1E);
    assert_true(bench.reply_len <= PS_SIM_CIP_UNCONNECTED);
    const uint8_t *body = bench.reply + 4;
    assert_int_equal(bench_u16_at(body), 3);
    assert_int_equal(body[bench_u16_at(body + 2) + 2], 0);
    assert_int_equal(body[bench_u16_at(body + 4) + 2], 0x04);
    assert_int_equal(body[bench_u16_at(body + 6) + 2], 0x06); // as much as there was room for
    // Through the backplane, as clients with a route send it; then to a slot that is empty.
    PS_AUTO_BUF PsBuf routed = {0};
    const uint8_t send[] = {0x52, 2, 0x20, 6, 0x24, 1, 5, 100, (uint8_t)packet.len, 0};
    const uint8_t route[] = {1, 0, 1, 0};
    assert_int_equal(packet.len % 2, 0);
    ps_buf_put(&routed, send, sizeof send);
    ps_buf_put(&routed, packet.data, packet.len);
    ps_buf_put(&routed, route, sizeof route);
    assert_int_equal(bench_ask(&bench, routed.data, routed.len), 0x1E);
    assert_int_equal(bench.reply[0], 0x8A);
    routed.data[routed.len - 1] = 3;
    assert_int_equal(bench_ask(&bench, routed.data, routed.len), 0x01);
    assert_int_equal(bench.reply[0], 0xD2);
    assert_int_equal(bench_more(&bench), 0x0312);
    routed.data[routed.len - 2] = 2;
    assert_int_equal(bench_ask(&bench, routed.data, routed.len), 0x01);
    assert_int_equal(bench_more(&bench), 0x0311);
    bench_end(&bench);
}

// The whole list of a scope, in as many replies as it takes; the number of symbols.
static size_t count_symbols(Bench *bench, const char *program, size_t *ret_replies) {
    uint32_t next = 0;
    size_t count = 0;
    uint8_t status = 0x06;
    *ret_replies = 0;
    while (status == 0x06) {
        PS_AUTO_BUF PsBuf request = {0};
        PS_AUTO_BUF PsBuf path = {0};
        bench_put_path(&path, program);
        const uint8_t to[] = {0x20, 0x6B, 0x25, 0, (uint8_t)next, (uint8_t)(next >> 8)};
        const uint8_t attributes[] = {3, 0, 1, 0, 2, 0, 10, 0};
        ps_buf_put_u8(&request, 0x55);
        ps_buf_put_u8(&request, path.data[0] + 3);
        ps_buf_put(&request, path.data + 1, path.len - 1);
        ps_buf_put(&request, to, sizeof to);
        ps_buf_put(&request, attributes, sizeof attributes);
        status = bench_ask(bench, request.data, request.len);
        (*ret_replies)++;
        for (size_t at = 4; at < bench->reply_len; count++) {
            next = bench_u32_at(bench->reply + at) + 1;
            at += 4 + 2 + (size_t)bench_u16_at(bench->reply + at + 4) + 2 + 1;
            assert_true(at <= bench->reply_len);
        }
    }
    assert_int_equal(status, 0);
    return count;
}

static void test_symbols_and_templates(void **state) {
    (void)state;
    Bench bench;
    bench_start(&bench);
    size_t replies = 0;
    size_t all = count_symbols(&bench, "", &replies);
    assert_true(all > 30 && replies > 1);
    assert_int_equal(count_symbols(&bench, "Program:Main", &replies), 2);
    assert_int_equal(count_symbols(&bench, "Program:Many", &replies), 1000);
    bench_turn(&bench, "missing Counter");
    assert_int_equal(count_symbols(&bench, "", &replies), all - 1);
    const uint8_t attributes[] = {3, 3, 0x20, 0x6C, 0x25, 0, 0x23, 1, 4, 0, 4, 0, 5, 0, 2, 0, 1, 0};
    assert_int_equal(bench_ask(&bench, attributes, sizeof attributes), 0);
    const uint8_t *at = bench.reply + 6;
    uint32_t words = bench_u32_at(at + 4);
    assert_int_equal(bench_u32_at(at + 12), 100);
    assert_int_equal(bench_u16_at(at + 20), 5);
    uint16_t bytes = (uint16_t)(words * 4 - 23);
    const uint8_t read[] = {0x4C, 3, 0x20, 0x6C, 0x25, 0, 0x23, 1, 0, 0, 0, 0, (uint8_t)bytes, 0};
    assert_int_equal(bench_ask(&bench, read, sizeof read), 0);
    assert_int_equal(bench.reply_len, 4 + bytes);
    assert_int_equal(bench_u16_at(bench.reply + 4 + 2), 0xCA);
    assert_int_equal(bench_u32_at(bench.reply + 4 + 4 * 8 + 4),
                     12); // where the fifth member stands
    assert_string_equal((const char *)bench.reply + 4 + 5 * 8, "Motor;n");
    assert_string_equal((const char *)bench.reply + 4 + 5 * 8 + 8, "Speed");
    const uint8_t beyond[] = {0x4C, 3, 0x20, 0x6C, 0x25, 0, 0x23, 1, 0, 1, 0, 0, 1, 0};
    assert_int_equal(bench_ask(&bench, beyond, sizeof beyond), 0xFF);
    bench_end(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_the_plant),
        cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_fragments),
        cmocka_unit_test(test_writes),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_packets),
        cmocka_unit_test(test_symbols_and_templates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
