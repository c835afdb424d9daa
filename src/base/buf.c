// Growable bytes and the checked reader. Pure; any thread.
#include "base/buf.h"

#include "base/mem.h"

#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ps_buf_deinit(PsBuf *buf) {
    free(buf->data);
    *buf = (PsBuf){0};
}

void ps_buf_clear(PsBuf *buf) {
    buf->len = 0;
    if (buf->data != NULL) {
        buf->data[0] = '\0';
    }
}

void ps_buf_reserve(PsBuf *buf, size_t extra) {
    PS_ASSERT(extra < SIZE_MAX / 2 - buf->len);
    size_t needed = buf->len + extra + 1;
    if (needed <= buf->capacity) {
        return;
    }
    size_t capacity = buf->capacity > 64 ? buf->capacity : 64;
    while (capacity < needed) {
        capacity *= 2;
    }
    buf->data = ps_grow_array(buf->data, capacity, 1);
    buf->capacity = capacity;
}

void ps_buf_fit(PsBuf *buf) {
    if (buf->capacity > buf->len + 1) {
        buf->data = ps_grow_array(buf->data, buf->len + 1, 1);
        buf->capacity = buf->len + 1;
    }
}

void ps_buf_put(PsBuf *buf, const void *bytes, size_t len) {
    ps_buf_reserve(buf, len);
    if (len > 0) {
        memcpy(buf->data + buf->len, bytes, len);
    }
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void ps_buf_put_u8(PsBuf *buf, uint8_t value) {
    ps_buf_put(buf, &value, 1);
}

void ps_buf_put_u16(PsBuf *buf, uint16_t value) {
    uint8_t bytes[2] = {(uint8_t)value, (uint8_t)(value >> 8)};
    ps_buf_put(buf, bytes, sizeof bytes);
}

void ps_buf_put_u32(PsBuf *buf, uint32_t value) {
    uint8_t bytes[4];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
    ps_buf_put(buf, bytes, sizeof bytes);
}

void ps_buf_put_u64(PsBuf *buf, uint64_t value) {
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
    ps_buf_put(buf, bytes, sizeof bytes);
}

void ps_buf_put_f64(PsBuf *buf, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    ps_buf_put_u64(buf, bits);
}

void ps_buf_put_bytes(PsBuf *buf, const void *bytes, size_t len) {
    PS_ASSERT(len <= UINT32_MAX);
    ps_buf_put_u32(buf, (uint32_t)len);
    ps_buf_put(buf, bytes, len);
}

void ps_buf_put_text(PsBuf *buf, const char *text) {
    ps_buf_put_bytes(buf, text, strlen(text));
}

void ps_buf_printf(PsBuf *buf, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    PS_ASSERT(len >= 0);
    ps_buf_reserve(buf, (size_t)len);
    vsnprintf((char *)buf->data + buf->len, (size_t)len + 1, fmt, again);
    va_end(again);
    buf->len += (size_t)len;
}

PsReader ps_reader(const void *data, size_t len) {
    return (PsReader){.data = data, .len = len};
}

size_t ps_reader_left(const PsReader *reader) {
    return reader->failed ? 0 : reader->len - reader->at;
}

bool ps_reader_done(const PsReader *reader) {
    return !reader->failed && reader->at == reader->len;
}

const uint8_t *ps_reader_raw(PsReader *reader, size_t len) {
    if (reader->failed || reader->len - reader->at < len) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *bytes = reader->data + reader->at;
    reader->at += len;
    return bytes;
}

static void get(PsReader *reader, void *out, size_t len) {
    const uint8_t *bytes = ps_reader_raw(reader, len);
    if (bytes != NULL) {
        memcpy(out, bytes, len);
    }
}

uint8_t ps_reader_u8(PsReader *reader) {
    uint8_t value = 0;
    get(reader, &value, sizeof value);
    return value;
}

uint16_t ps_reader_u16(PsReader *reader) {
    uint16_t value = 0;
    get(reader, &value, sizeof value);
    return le16toh(value);
}

uint32_t ps_reader_u32(PsReader *reader) {
    uint32_t value = 0;
    get(reader, &value, sizeof value);
    return le32toh(value);
}

uint64_t ps_reader_u64(PsReader *reader) {
    uint64_t value = 0;
    get(reader, &value, sizeof value);
    return le64toh(value);
}

double ps_reader_f64(PsReader *reader) {
    uint64_t bits = ps_reader_u64(reader);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

const uint8_t *ps_reader_bytes(PsReader *reader, size_t *ret_len) {
    uint32_t len = ps_reader_u32(reader);
    const uint8_t *bytes = reader->failed ? NULL : ps_reader_raw(reader, len);
    *ret_len = bytes != NULL ? len : 0;
    return bytes;
}
