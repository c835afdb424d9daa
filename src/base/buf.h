//! A growable byte buffer, and checked reading of bytes that came from outside.
//! Not thread-safe: one owner at a time.
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/// Owned bytes. Zero-initialised is empty and valid. `data` is always NUL-terminated when not
/// NULL (the NUL is not counted in `len`).
typedef struct PsBuf {
    uint8_t *data;
    size_t len;
    size_t capacity;
} PsBuf;

void ps_buf_deinit(PsBuf *buf);
/// Empties without giving the memory back, so a reused buffer stops allocating.
void ps_buf_clear(PsBuf *buf);
/// Makes room for `extra` more bytes; after it the put calls up to that size do not allocate.
void ps_buf_reserve(PsBuf *buf, size_t extra);
/// Gives back what is not used, of a buffer that is kept and grows no more.
void ps_buf_fit(PsBuf *buf);
void ps_buf_put(PsBuf *buf, const void *bytes, size_t len);
void ps_buf_put_u8(PsBuf *buf, uint8_t value);
void ps_buf_put_u16(PsBuf *buf, uint16_t value); ///< little endian
void ps_buf_put_u32(PsBuf *buf, uint32_t value); ///< little endian
void ps_buf_put_u64(PsBuf *buf, uint64_t value); ///< little endian
void ps_buf_put_f64(PsBuf *buf, double value);   ///< IEEE 754 bits, little endian
/// u32 length, then the bytes.
void ps_buf_put_bytes(PsBuf *buf, const void *bytes, size_t len);
void ps_buf_put_text(PsBuf *buf, const char *text);
void ps_buf_printf(PsBuf *buf, const char *fmt, ...) PS_PRINTF(2, 3);

#define PS_AUTO_BUF __attribute__((cleanup(ps_buf_deinit)))

/// A view over foreign bytes. Every getter checks what is left; the first short read sets
/// `failed`, and all later getters return zero values, so a decoder checks once at the end.
typedef struct PsReader {
    const uint8_t *data;
    size_t len;
    size_t at;
    bool failed;
} PsReader;

PsReader ps_reader(const void *data, size_t len);
uint8_t ps_reader_u8(PsReader *reader);
uint16_t ps_reader_u16(PsReader *reader);
uint32_t ps_reader_u32(PsReader *reader);
uint64_t ps_reader_u64(PsReader *reader);
double ps_reader_f64(PsReader *reader);
/// Counterpart of ps_buf_put_bytes: borrowed bytes inside `data`, NULL with *ret_len 0 on failure.
const uint8_t *ps_reader_bytes(PsReader *reader, size_t *ret_len);
/// `len` raw bytes, borrowed; NULL when fewer are left.
const uint8_t *ps_reader_raw(PsReader *reader, size_t len);
size_t ps_reader_left(const PsReader *reader);
/// True when every getter succeeded and nothing is left over.
bool ps_reader_done(const PsReader *reader);
