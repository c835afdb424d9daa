//! The simulated controller without sockets, for its unit tests: a plant of bare tables, requests
//! in, replies to look at. A call that cannot be fails the test.
#pragma once

#include "sim/eip_session.h"

#define HEADER 24 ///< bytes before an encapsulated answer's data
#define CPF 16    ///< and before the reply in it: interface to the length of the data

typedef struct Bench {
    uint16_t items[4][256]; // of the plant, by table
    PsSimEip eip;
    PsSimEipSession session;
    PsMono now;
    PsBuf out;
    const uint8_t *reply; // the CIP reply in `out`
    size_t reply_len;
} Bench;

void bench_start(Bench *bench);
void bench_end(Bench *bench);
void bench_put_frame(PsBuf *frame, const Bench *bench, uint16_t command, const void *data,
                     size_t len);
/// Sends a command; the encapsulation status, UINT32_MAX: no answer.
uint32_t bench_command(Bench *bench, uint16_t code, const void *data, size_t len);
/// Sends a CIP request outside a connection; the general status of its reply.
uint8_t bench_ask(Bench *bench, const void *request, size_t len);
/// Appends "Motors[2].Name" as a path with its length; indices have one digit.
void bench_put_path(PsBuf *out, const char *text);
uint8_t bench_ask_tag(Bench *bench, uint8_t service, const char *tag, const void *data, size_t len);
uint8_t bench_read_tag(Bench *bench, const char *tag, uint16_t count);
/// The extended status of the last reply.
uint16_t bench_more(const Bench *bench);
void bench_turn(Bench *bench, const char *line);
uint16_t bench_u16_at(const uint8_t *at);
uint32_t bench_u32_at(const uint8_t *at);
