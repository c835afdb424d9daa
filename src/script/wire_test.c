// The frame codec: round trips, bytes that come one by one, and frames a hostile worker may send.
#include "script/messages.h"
#include "script/wire.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void feed(PsWireDecoder *decoder, const void *bytes, size_t len) {
    size_t size = 0;
    void *room = ps_wire_decoder_room(decoder, &size);
    assert_true(size >= len);
    memcpy(room, bytes, len);
    ps_wire_decoder_added(decoder, len);
}

static void test_frames_come_byte_by_byte(void **state) {
    PS_AUTO_BUF PsBuf out = {0};
    ps_wire_put_done(&out, (PsWireDone){.ok = 0, .error = ps_wire_text("why")});
    ps_wire_put(&out, PS_WIRE_RETURN, "payload", 7);
    PsWireDecoder decoder;
    ps_wire_decoder_init(&decoder, PS_WIRE_FROM_WORKER);
    PsWireFrame frame;
    size_t frames = 0;
    for (size_t i = 0; i < out.len; i++) {
        feed(&decoder, out.data + i, 1);
        PsErr err = ps_wire_decoder_next(&decoder, &frame);
        if (err == PS_ERR_BUSY) {
            continue;
        }
        assert_int_equal(err, PS_OK);
        if (frames++ == 0) {
            PsWireDone done;
            assert_int_equal(ps_wire_get_done(&frame, &done), PS_OK);
            assert_int_equal(done.ok, 0);
            assert_memory_equal(done.error.data, "why", 3);
        } else {
            assert_int_equal(frame.type, PS_WIRE_RETURN);
            assert_int_equal(frame.len, 7);
            assert_memory_equal(frame.body, "payload", 7);
        }
    }
    assert_int_equal(frames, 2);
    ps_wire_decoder_deinit(&decoder);
}

static void test_large_frame_in_one_room(void **state) {
    PS_AUTO_BUF PsBuf out = {0};
    size_t len = 1024 * 1024;
    char *payload = calloc(1, len);
    ps_wire_put(&out, PS_WIRE_RETURN, payload, len);
    PsWireDecoder decoder;
    ps_wire_decoder_init(&decoder, PS_WIRE_FROM_WORKER);
    feed(&decoder, out.data, 100);
    PsWireFrame frame;
    assert_int_equal(ps_wire_decoder_next(&decoder, &frame), PS_ERR_BUSY);
    feed(&decoder, out.data + 100, out.len - 100); // the room is as large as the frame lacks
    assert_int_equal(ps_wire_decoder_next(&decoder, &frame), PS_OK);
    assert_int_equal(frame.len, len);
    size_t size = 0;
    (void)ps_wire_decoder_room(&decoder, &size);
    assert_true(size < len); // and is given back afterwards
    ps_wire_decoder_deinit(&decoder);
    free(payload);
}

// It must not lose what came of a frame whose rest is still under way.
static void test_memory_is_given_back_between_frames(void **state) {
    PS_AUTO_BUF PsBuf out = {0};
    ps_wire_put(&out, PS_WIRE_RETURN, "12345", 5);
    size_t whole = out.len;
    ps_wire_put(&out, PS_WIRE_RETURN, "67890", 5);
    PsWireDecoder decoder;
    ps_wire_decoder_init(&decoder, PS_WIRE_FROM_WORKER);
    PsWireFrame frame;
    feed(&decoder, out.data, whole + 7);
    assert_int_equal(ps_wire_decoder_next(&decoder, &frame), PS_OK);
    assert_int_equal(ps_wire_decoder_next(&decoder, &frame), PS_ERR_BUSY);
    ps_wire_decoder_rest(&decoder);
    assert_true(decoder.bytes.capacity > 0);
    feed(&decoder, out.data + whole + 7, out.len - whole - 7);
    assert_int_equal(ps_wire_decoder_next(&decoder, &frame), PS_OK);
    assert_memory_equal(frame.body, "67890", 5);
    ps_wire_decoder_rest(&decoder);
    assert_int_equal(decoder.bytes.capacity, 0);
    feed(&decoder, out.data, whole);
    assert_int_equal(ps_wire_decoder_next(&decoder, &frame), PS_OK);
    assert_memory_equal(frame.body, "12345", 5);
    ps_wire_decoder_deinit(&decoder);
}

static void test_refused_heads(void **state) {
    static const struct {
        uint8_t head[5];
        PsErr expected;
    } cases[] = {
        {{0, 0, 0, 0, 0}, PS_ERR_PROTOCOL},
        {{0, 0, 0, 0, 255}, PS_ERR_PROTOCOL},
        {{0, 0, 0, 0, PS_WIRE_TYPE_COUNT}, PS_ERR_PROTOCOL},
        {{0, 0, 0, 0, PS_WIRE_DATA}, PS_ERR_PROTOCOL},   // penstockd's, not a worker's
        {{0, 0, 0, 0, PS_WIRE_FORKED}, PS_ERR_PROTOCOL}, // penstock-script's
        {{1, 0, 16, 0, PS_WIRE_RETURN}, PS_ERR_TOO_BIG}, // 1 MiB and one byte
        {{255, 255, 255, 255, PS_WIRE_LOG}, PS_ERR_TOO_BIG},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PsWireDecoder decoder;
        ps_wire_decoder_init(&decoder, PS_WIRE_FROM_WORKER);
        feed(&decoder, cases[i].head, sizeof cases[i].head);
        PsWireFrame frame;
        PsErr err = ps_wire_decoder_next(&decoder, &frame);
        assert_int_equal(err, cases[i].expected);
        ps_wire_decoder_deinit(&decoder);
    }
}

static void test_values(void **state) {
    const PsValue values[] = {
        ps_value_none(),           ps_value_bool(true),  ps_value_int(INT64_MIN),
        ps_value_uint(UINT64_MAX), ps_value_float(-0.5), ps_value_text("x\0y", 3),
    };
    PS_AUTO_BUF PsBuf out = {0};
    for (size_t i = 0; i < PS_COUNT(values); i++) {
        ps_wire_put_value(&out, values[i]);
    }
    PsReader reader = ps_reader(out.data, out.len);
    for (size_t i = 0; i < PS_COUNT(values); i++) {
        PsValue value = ps_wire_get_value(&reader);
        assert_int_equal(value.kind, values[i].kind);
        assert_int_equal(value.text_len, values[i].text_len);
        if (value.kind == PS_VALUE_TEXT) {
            assert_memory_equal(value.text, "x\0y", 3);
        } else if (value.kind == PS_VALUE_BOOL) {
            assert_true(value.boolean);
        } else {
            assert_true(value.unsigned_integer == values[i].unsigned_integer);
        }
    }
    assert_true(ps_reader_done(&reader));
    const uint8_t unknown[] = {99, 0};
    reader = ps_reader(unknown, sizeof unknown);
    (void)ps_wire_get_value(&reader);
    assert_true(reader.failed);
}

static PsWireFrame only_frame(const PsBuf *out, PsWireType type) {
    return (PsWireFrame){type, out->data + PS_WIRE_HEAD_BYTES, out->len - PS_WIRE_HEAD_BYTES};
}

static size_t put_write(PsBuf *out, double timeout_s, uint32_t count, uint32_t real_count) {
    PsWireWrite write = {.ticket = 9, .wants_result = 1, .timeout_s = timeout_s};
    write.item_count = count;
    size_t begin = ps_wire_begin_write(out, &write);
    for (uint32_t i = 0; i < real_count; i++) {
        PsWireWriteItem item = {.has_device = 1,
                                .device = ps_wire_text("D"),
                                .variable = ps_wire_text("v"),
                                .value = ps_value_int(i)};
        ps_wire_put_write_item(out, &item);
    }
    ps_wire_end(out, begin);
    return out->len;
}

static void test_write_requests(void **state) {
    static const struct {
        double timeout_s;
        uint32_t count;
        uint32_t real_count;
        PsErr expected;
    } cases[] = {
        {60, 2, 2, PS_OK},
        {0.001, 0, 0, PS_OK},
        {60, 3, 2, PS_ERR_PROTOCOL},
        {60, 1, 2, PS_ERR_PROTOCOL},
        {0, 1, 1, PS_ERR_PROTOCOL},
        {-1, 1, 1, PS_ERR_PROTOCOL},
        {NAN, 1, 1, PS_ERR_PROTOCOL},
        {INFINITY, 1, 1, PS_ERR_PROTOCOL},
        {60, UINT32_MAX, 1, PS_ERR_PROTOCOL},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PS_AUTO_BUF PsBuf out = {0};
        put_write(&out, cases[i].timeout_s, cases[i].count, cases[i].real_count);
        PsWireFrame frame = only_frame(&out, PS_WIRE_WRITE);
        PsWireWrite write;
        PsReader items;
        PsErr err = ps_wire_get_write(&frame, &write, &items);
        assert_int_equal(err, cases[i].expected);
        for (uint32_t k = 0; err == PS_OK && k < write.item_count; k++) {
            PsWireWriteItem item;
            assert_int_equal(ps_wire_get_write_item(&items, &item), PS_OK);
            assert_int_equal(item.value.integer, k);
            assert_memory_equal(item.device.data, "D", 1);
        }
    }
}

static void test_requests(void **state) {
    static const struct {
        uint8_t asked;
        double timeout_s;
        PsErr expected;
    } cases[] = {
        {PS_WIRE_ASK_TAG_CONFIG, 60, PS_OK},           {PS_WIRE_ASK_RECALL, 0.001, PS_OK},
        {PS_WIRE_ASK_RECALL + 1, 60, PS_ERR_PROTOCOL}, {PS_WIRE_ASK_RECALL, 0, PS_ERR_PROTOCOL},
        {PS_WIRE_ASK_RECALL, 86401, PS_ERR_PROTOCOL},  {PS_WIRE_ASK_RECALL, NAN, PS_ERR_PROTOCOL},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PS_AUTO_BUF PsBuf out = {0};
        ps_wire_put_request(&out, (PsWireRequest){7, cases[i].asked, cases[i].timeout_s});
        PsWireFrame frame = only_frame(&out, PS_WIRE_REQUEST);
        PsWireRequest request = {0};
        assert_int_equal(ps_wire_get_request(&frame, &request), cases[i].expected);
        assert_int_equal(request.ticket, cases[i].expected == PS_OK ? 7 : 0);
    }
}

static void test_how_a_call_ended(void **state) {
    for (unsigned bits = 0; bits < 8; bits++) {
        PS_AUTO_BUF PsBuf out = {0};
        PsWireDone done = {.ok = bits & 1, .used_sequence = (bits & 2) != 0};
        done.error = ps_wire_text("");
        ps_wire_put_done(&out, done);
        PsWireFrame frame = only_frame(&out, PS_WIRE_DONE);
        PsWireDone got;
        assert_int_equal(ps_wire_get_done(&frame, &got), PS_OK);
        assert_int_equal(got.ok, bits & 1);
        assert_int_equal(got.used_sequence, (bits & 2) != 0);
        out.data[PS_WIRE_HEAD_BYTES] = (uint8_t)bits;
        assert_int_equal(ps_wire_get_done(&frame, &got), bits < 4 ? PS_OK : PS_ERR_PROTOCOL);
    }
}

// Every decoder of a worker's frames refuses each frame that is cut short or too long.
static void test_cut_and_padded_frames(void **state) {
    PsBuf frames[7] = {0};
    ps_wire_put_built(&frames[0], (PsWireBuilt){1, ps_wire_text("")});
    PsWireLog log = {.level = 1, .line = 6};
    log.file = ps_wire_text("<string>");
    log.text = ps_wire_text("text");
    ps_wire_put_log(&frames[1], log);
    PsWirePublish publish = {.qos = 1, .topic = ps_wire_text("t")};
    publish.payload = ps_wire_text("payload");
    ps_wire_put_publish_head(&frames[2], PS_WIRE_PUBLISH, publish);
    ps_buf_put(&frames[2], "payload", 7);
    put_write(&frames[3], 60, 2, 2);
    ps_wire_put_done(&frames[4], (PsWireDone){.ok = 1, .error = ps_wire_text("")});
    ps_wire_put_child(&frames[5], PS_WIRE_EXITED, (PsWireChild){1, 2, 3});
    ps_wire_put_request(&frames[6], (PsWireRequest){9, PS_WIRE_ASK_RECALL, 60});
    for (size_t i = 0; i < PS_COUNT(frames); i++) {
        size_t whole = frames[i].len - PS_WIRE_HEAD_BYTES;
        ps_buf_put_u8(&frames[i], 0);
        for (size_t len = 0; len <= whole + 1; len++) {
            PsWireFrame frame = {(PsWireType)frames[i].data[4], frames[i].data + 5, len};
            PsWireBuilt built;
            PsWireLog got_log;
            PsWirePublish got_publish;
            PsWireWrite write;
            PsReader items;
            PsWireDone done;
            PsWireChild child;
            PsWireRequest request;
            const PsErr results[] = {
                i == 0 ? ps_wire_get_built(&frame, &built) : PS_OK,
                i == 1 ? ps_wire_get_log(&frame, &got_log) : PS_OK,
                i == 2 ? ps_wire_get_publish(&frame, &got_publish) : PS_OK,
                i == 3 ? ps_wire_get_write(&frame, &write, &items) : PS_OK,
                i == 4 ? ps_wire_get_done(&frame, &done) : PS_OK,
                i == 5 ? ps_wire_get_child(&frame, &child) : PS_OK,
                i == 6 ? ps_wire_get_request(&frame, &request) : PS_OK,
            };
            assert_int_equal(results[i], len == whole ? PS_OK : PS_ERR_PROTOCOL);
        }
        ps_buf_deinit(&frames[i]);
    }
}

static void test_publish_head_counts_the_payload(void **state) {
    PS_AUTO_BUF PsBuf out = {0};
    PsWirePublish publish = {.qos = 2, .topic = ps_wire_text("a/b")};
    publish.payload = ps_wire_text("12345");
    ps_wire_put_publish_head(&out, PS_WIRE_PUBLISH_NOW, publish);
    ps_buf_put(&out, "12345", 5);
    PsWireDecoder decoder;
    ps_wire_decoder_init(&decoder, PS_WIRE_FROM_WORKER);
    feed(&decoder, out.data, out.len);
    PsWireFrame frame;
    assert_int_equal(ps_wire_decoder_next(&decoder, &frame), PS_OK);
    PsWirePublish got;
    assert_int_equal(ps_wire_get_publish(&frame, &got), PS_OK);
    assert_int_equal(got.qos, 2);
    assert_memory_equal(got.payload.data, "12345", 5);
    ps_wire_decoder_deinit(&decoder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_come_byte_by_byte),
        cmocka_unit_test(test_large_frame_in_one_room),
        cmocka_unit_test(test_memory_is_given_back_between_frames),
        cmocka_unit_test(test_refused_heads),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_write_requests),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_how_a_call_ended),
        cmocka_unit_test(test_cut_and_padded_frames),
        cmocka_unit_test(test_publish_head_counts_the_payload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
