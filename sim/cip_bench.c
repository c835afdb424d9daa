// The simulated controller without sockets, for its unit tests. One thread.
#include "sim/cip_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static uint16_t one_item(void *plant, PsSimAddress address) {
    Bench *bench = plant;
    return bench->items[address.table][address.offset];
}

static void items(void *plant, PsSimAddress first, size_t count, uint16_t *ret_values) {
    for (size_t i = 0; i < count; i++) {
        ret_values[i] = one_item(plant, (PsSimAddress){first.table, (uint16_t)(first.offset + i)});
    }
}

static void write_items(void *plant, PsSimAddress first, size_t count, const uint16_t *values) {
    Bench *bench = plant;
    memcpy(&bench->items[first.table][first.offset], values, count * sizeof values[0]);
}

void bench_put_frame(PsBuf *frame, const Bench *bench, uint16_t command, const void *data,
                     size_t len) {
    ps_buf_put_u16(frame, command);
    ps_buf_put_u16(frame, (uint16_t)len);
    ps_buf_put_u32(frame, bench->session.handle);
    ps_buf_put_u32(frame, 0);
    ps_buf_put(frame, "CONTEXT!", 8);
    ps_buf_put_u32(frame, 0);
    ps_buf_put(frame, data, len);
}

uint16_t bench_u16_at(const uint8_t *at) {
    return (uint16_t)(at[0] | at[1] << 8);
}

uint32_t bench_u32_at(const uint8_t *at) {
    return bench_u16_at(at) | (uint32_t)bench_u16_at(at + 2) << 16;
}

// The encapsulation status; UINT32_MAX: no answer.
uint32_t bench_command(Bench *bench, uint16_t code, const void *data, size_t len) {
    PS_AUTO_BUF PsBuf frame = {0};
    bench_put_frame(&frame, bench, code, data, len);
    ps_buf_clear(&bench->out);
    assert_true(ps_sim_eip_take(&bench->eip, &bench->session, frame.data, frame.len, bench->now,
                                &bench->out));
    if (bench->out.len == 0) {
        return UINT32_MAX;
    }
    assert_true(bench->out.len >= HEADER);
    assert_int_equal(bench_u16_at(bench->out.data), code);
    assert_int_equal(bench_u16_at(bench->out.data + 2), bench->out.len - HEADER);
    assert_memory_equal(bench->out.data + 12, "CONTEXT!", 8);
    return bench_u32_at(bench->out.data + 8);
}

void bench_start(Bench *bench) {
    *bench = (Bench){.now = {1}};
    PsSimSideSetup source = {
        .item = one_item, .items = items, .write_items = write_items, .plant = bench};
    bench->eip.cip = ps_sim_cip_new(&source);
    bench->eip.port = 44818;
    const uint8_t data[] = {1, 0, 0, 0};
    assert_int_equal(bench_command(bench, 0x65, data, sizeof data), 0);
    assert_int_not_equal(bench->session.handle, 0);
    assert_int_equal(bench_u32_at(bench->out.data + 4), bench->session.handle);
}

void bench_end(Bench *bench) {
    ps_sim_cip_free(bench->eip.cip);
    ps_buf_deinit(&bench->out);
}

// Sends a CIP request by SendRRData; the general status of its reply.
uint8_t bench_ask(Bench *bench, const void *request, size_t len) {
    PS_AUTO_BUF PsBuf data = {0};
    ps_buf_put_u32(&data, 0);
    ps_buf_put_u16(&data, 10);
    ps_buf_put_u16(&data, 2);
    ps_buf_put_u32(&data, 0);
    ps_buf_put_u16(&data, 0xB2);
    ps_buf_put_u16(&data, (uint16_t)len);
    ps_buf_put(&data, request, len);
    assert_int_equal(bench_command(bench, 0x6F, data.data, data.len), 0);
    bench->reply = bench->out.data + HEADER + CPF;
    bench->reply_len = bench->out.len - HEADER - CPF;
    assert_int_equal(bench_u16_at(bench->reply - 2), bench->reply_len);
    assert_true(bench->reply_len >= 4);
    return bench->reply[2];
}

// "Motors[2].Name" as a path: names, and indices of one byte.
void bench_put_path(PsBuf *out, const char *text) {
    PS_AUTO_BUF PsBuf path = {0};
    while (*text != '\0') {
        size_t len = strcspn(text, ".[");
        if (strncmp(text, "Program:", 8) == 0) {
            len = strcspn(text, ".");
        }
        ps_buf_put_u8(&path, 0x91);
        ps_buf_put_u8(&path, (uint8_t)len);
        ps_buf_put(&path, text, len);
        if (len % 2 != 0) {
            ps_buf_put_u8(&path, 0);
        }
        text += len;
        while (*text == '[' || *text == ',') {
            ps_buf_put_u8(&path, 0x28);
            ps_buf_put_u8(&path, (uint8_t)(text[1] - '0'));
            text += 2;
        }
        text += strspn(text, "].");
    }
    ps_buf_put_u8(out, (uint8_t)(path.len / 2));
    ps_buf_put(out, path.data, path.len);
}

uint8_t bench_ask_tag(Bench *bench, uint8_t service, const char *tag, const void *data,
                      size_t len) {
    PS_AUTO_BUF PsBuf request = {0};
    ps_buf_put_u8(&request, service);
    bench_put_path(&request, tag);
    ps_buf_put(&request, data, len);
    return bench_ask(bench, request.data, request.len);
}

uint8_t bench_read_tag(Bench *bench, const char *tag, uint16_t count) {
    const uint8_t data[] = {(uint8_t)count, (uint8_t)(count >> 8)};
    return bench_ask_tag(bench, 0x4C, tag, data, sizeof data);
}

uint16_t bench_more(const Bench *bench) {
    assert_int_equal(bench->reply[3], 1);
    return bench_u16_at(bench->reply + 4);
}

void bench_turn(Bench *bench, const char *line) {
    PsDiag diag = {0};
    if (ps_sim_cip_fault(&bench->eip.cip->faults, line, &diag) != PS_OK) {
        fail_msg("'%s': %s", line, diag.text);
    }
}
