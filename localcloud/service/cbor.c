// CBOR in definite lengths. Writing uses the shortest heads (RFC 8949, 4.2.1); reading takes every
// size of head, and refuses indefinite lengths, byte strings and tags. Pure.
#include "localcloud/service/cbor.h"

#include <math.h>
#include <string.h>

#define DEPTH_MAX 32
#define KIND_UNSIGNED 0
#define KIND_NEGATIVE 1
#define KIND_TEXT 3
#define KIND_ARRAY 4
#define KIND_MAP 5
#define KIND_OTHER 7
#define OTHER_FALSE 20
#define OTHER_TRUE 21
#define OTHER_NULL 22
#define OTHER_HALF 25
#define OTHER_SINGLE 26
#define OTHER_DOUBLE 27

// ---- writing

static void put_big_endian(PsBuf *buf, uint64_t value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
        ps_buf_put_u8(buf, (uint8_t)(value >> shift));
    }
}

static void put_head(PsBuf *buf, unsigned kind, uint64_t value) {
    uint8_t first = (uint8_t)(kind << 5);
    if (value < 24) {
        ps_buf_put_u8(buf, (uint8_t)(first | value));
        return;
    }
    int log = value > UINT32_MAX ? 3 : value > UINT16_MAX ? 2 : value > UINT8_MAX ? 1 : 0;
    ps_buf_put_u8(buf, (uint8_t)(first | (24 + log)));
    put_big_endian(buf, value, 1 << log);
}

static void put_text(PsBuf *buf, const char *text, size_t len) {
    put_head(buf, KIND_TEXT, len);
    ps_buf_put(buf, text, len);
}

static void put_real(PsBuf *buf, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    ps_buf_put_u8(buf, KIND_OTHER << 5 | OTHER_DOUBLE);
    put_big_endian(buf, bits, 8);
}

void ps_cbor_write(const json_t *json, PsBuf *buf) {
    json_int_t number = json_integer_value(json);
    switch (json_typeof(json)) {
    case JSON_OBJECT: {
        put_head(buf, KIND_MAP, json_object_size(json));
        const char *key;
        json_t *member;
        json_object_foreach((json_t *)(uintptr_t)json, key, member) {
            put_text(buf, key, strlen(key));
            ps_cbor_write(member, buf);
        }
        return;
    }
    case JSON_ARRAY:
        put_head(buf, KIND_ARRAY, json_array_size(json));
        for (size_t i = 0; i < json_array_size(json); i++) {
            ps_cbor_write(json_array_get(json, i), buf);
        }
        return;
    case JSON_STRING:
        put_text(buf, json_string_value(json), json_string_length(json));
        return;
    case JSON_INTEGER:
        put_head(buf, number < 0 ? KIND_NEGATIVE : KIND_UNSIGNED,
                 number < 0 ? (uint64_t)(-1 - number) : (uint64_t)number);
        return;
    case JSON_REAL:
        put_real(buf, json_real_value(json));
        return;
    case JSON_TRUE:
    case JSON_FALSE:
        ps_buf_put_u8(buf, json_is_true(json) ? KIND_OTHER << 5 | OTHER_TRUE
                                              : KIND_OTHER << 5 | OTHER_FALSE);
        return;
    case JSON_NULL:
        ps_buf_put_u8(buf, KIND_OTHER << 5 | OTHER_NULL);
        return;
    }
}

// ---- reading

static uint64_t read_big_endian(PsReader *reader, int bytes) {
    const uint8_t *at = ps_reader_raw(reader, (size_t)bytes);
    uint64_t value = 0;
    for (int i = 0; at != NULL && i < bytes; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

// RFC 8949, appendix D.
static double half_to_double(uint64_t half) {
    unsigned exponent = (unsigned)(half >> 10) & 0x1f;
    double mantissa = (double)(half & 0x3ff);
    double value;
    if (exponent == 0) {
        value = ldexp(mantissa, -24);
    } else if (exponent != 31) {
        value = ldexp(mantissa + 1024, (int)exponent - 25);
    } else {
        value = mantissa == 0 ? (double)INFINITY : (double)NAN;
    }
    return (half & 0x8000) != 0 ? -value : value;
}

static json_t *read_other(unsigned info, uint64_t value) {
    double real = 0;
    float single = 0;
    uint32_t bits = (uint32_t)value;
    switch (info) {
    case OTHER_FALSE:
        return json_false();
    case OTHER_TRUE:
        return json_true();
    case OTHER_NULL:
        return json_null();
    case OTHER_HALF:
        return json_real(half_to_double(value));
    case OTHER_SINGLE:
        memcpy(&single, &bits, sizeof single);
        return json_real((double)single); // NULL for what is not finite
    case OTHER_DOUBLE:
        memcpy(&real, &value, sizeof real);
        return json_real(real);
    }
    return NULL;
}

static json_t *read_text(PsReader *reader, uint64_t len) {
    const uint8_t *text = ps_reader_raw(reader, len <= SIZE_MAX ? (size_t)len : SIZE_MAX);
    return text != NULL ? json_stringn((const char *)text, (size_t)len) : NULL;
}

static json_t *read_item(PsReader *reader, int depth);

static json_t *read_array(PsReader *reader, uint64_t count, int depth) {
    json_t *array = json_array();
    for (uint64_t i = 0; i < count; i++) {
        json_t *item = read_item(reader, depth + 1);
        if (item == NULL) { // also when the count promised more than there is
            json_decref(array);
            return NULL;
        }
        json_array_append_new(array, item);
    }
    return array;
}

static json_t *read_map(PsReader *reader, uint64_t count, int depth) {
    json_t *map = json_object();
    for (uint64_t i = 0; i < count; i++) {
        json_t *key = read_item(reader, depth + 1);
        json_t *value = key != NULL ? read_item(reader, depth + 1) : NULL;
        const char *name = json_string_value(key);
        bool kept = value != NULL && name != NULL && strlen(name) == json_string_length(key) &&
                    json_object_set(map, name, value) == 0;
        json_decref(key);
        json_decref(value);
        if (!kept) {
            json_decref(map);
            return NULL;
        }
    }
    return map;
}

static json_t *read_item(PsReader *reader, int depth) {
    uint8_t first = ps_reader_u8(reader);
    unsigned kind = first >> 5;
    unsigned info = first & 0x1f;
    uint64_t value = info;
    if (info >= 24 && info <= 27) {
        value = read_big_endian(reader, 1 << (info - 24));
    }
    if (reader->failed || info > 27 || depth > DEPTH_MAX) {
        return NULL;
    }
    switch (kind) {
    case KIND_UNSIGNED:
        return value <= INT64_MAX ? json_integer((json_int_t)value) : NULL;
    case KIND_NEGATIVE:
        return value <= INT64_MAX ? json_integer(-1 - (json_int_t)value) : NULL;
    case KIND_TEXT:
        return read_text(reader, value);
    case KIND_ARRAY:
        return read_array(reader, value, depth);
    case KIND_MAP:
        return read_map(reader, value, depth);
    case KIND_OTHER:
        return read_other(info, value);
    }
    return NULL;
}

json_t *ps_cbor_read(const void *bytes, size_t len) {
    PsReader reader = ps_reader(bytes, len);
    json_t *json = read_item(&reader, 0);
    if (json != NULL && !ps_reader_done(&reader)) {
        json_decref(json);
        return NULL;
    }
    return json;
}
