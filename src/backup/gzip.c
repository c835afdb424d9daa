// zlib in one call each way, with a bound on what comes out. Pure.
#include "backup/gzip.h"

#include <string.h>
#include <zlib.h>

#define STEP ((size_t)64 * 1024)
#define GZIP_WINDOW (15 + 16) // the largest window; 16 asks zlib for the gzip wrapping

// Magic, deflate, no flags, no time, ordinary packing, Unix. A reader has nothing to choose here,
// and the check sum of gzip does not cover these bytes, so no other header is taken.
static const uint8_t header_bytes[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};

// zlib reads in pieces of 32 bits.
static void give(z_stream *stream, const uint8_t **at, size_t *left) {
    if (stream->avail_in == 0 && *left > 0) {
        size_t piece = *left < UINT32_MAX ? *left : UINT32_MAX;
        stream->next_in = (Bytef *)(uintptr_t)*at;
        stream->avail_in = (uInt)piece;
        *at += piece;
        *left -= piece;
    }
}

static void make_room(z_stream *stream, PsBuf *out) {
    ps_buf_reserve(out, STEP);
    stream->next_out = out->data + out->len;
    stream->avail_out = (uInt)STEP;
}

void ps_gzip_pack(const void *bytes, size_t len, PsBuf *out) {
    z_stream stream = {0};
    gz_header header = {.os = 3};
    int state = deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8,
                             Z_DEFAULT_STRATEGY);
    PS_ASSERT(state == Z_OK); // the arguments are constants; memory is as in base/mem.h
    (void)deflateSetHeader(&stream, &header);
    const uint8_t *at = bytes;
    size_t start = out->len;
    do {
        give(&stream, &at, &len);
        make_room(&stream, out);
        state = deflate(&stream, len == 0 ? Z_FINISH : Z_NO_FLUSH);
        out->len += STEP - stream.avail_out;
    } while (state != Z_STREAM_END);
    (void)deflateEnd(&stream);
    out->data[start + 8] = header_bytes[8]; // other builds of zlib name the packing here
    out->data[out->len] = '\0';
}

static PsErr inflate_all(z_stream *stream, const uint8_t *at, size_t len, size_t limit,
                         PsBuf *out) {
    size_t start = out->len;
    int state = Z_OK;
    while (state != Z_STREAM_END) {
        give(stream, &at, &len);
        make_room(stream, out);
        state = inflate(stream, Z_NO_FLUSH);
        out->len += STEP - stream->avail_out;
        if (out->len - start > limit) {
            return PS_ERR_TOO_BIG;
        }
        if (state != Z_OK && state != Z_STREAM_END) {
            return PS_ERR_CORRUPT; // no progress: the end is missing
        }
    }
    return stream->avail_in == 0 && len == 0 ? PS_OK : PS_ERR_CORRUPT;
}

PsErr ps_gzip_unpack(const void *bytes, size_t len, size_t limit, PsBuf *out, PsDiag *diag) {
    if (len < sizeof header_bytes || memcmp(bytes, header_bytes, sizeof header_bytes) != 0) {
        return ps_fail(PS_ERR_INVALID, diag, "archive", NULL,
                       "does not begin as a backup of Penstock does; name the right file, or take "
                       "another copy of it");
    }
    z_stream stream = {0};
    if (inflateInit2(&stream, GZIP_WINDOW) != Z_OK) {
        return ps_fail(PS_ERR_NO_MEMORY, diag, "archive", NULL, "there is no memory to unpack it");
    }
    size_t start = out->len;
    PsErr err = inflate_all(&stream, bytes, len, limit, out);
    (void)inflateEnd(&stream);
    if (err != PS_OK) {
        out->len = start;
    }
    out->data[out->len] = '\0';
    if (err == PS_ERR_TOO_BIG) {
        return ps_fail(err, diag, "archive", NULL,
                       "unpacks to more than %zu bytes, which no backup does; do not trust it",
                       limit);
    }
    return err == PS_OK ? PS_OK
                        : ps_fail(err, diag, "archive", NULL,
                                  "is damaged or cut off; take another copy of it");
}
