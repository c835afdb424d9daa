// The frames of a worker, taken apart as penstockd does it: any bytes, in pieces of any size.
// The first byte chooses the size of the pieces and whose frames they are said to be.
#include "script/messages.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Reads every byte of a borrowed text, so that a wrong length is seen by the sanitizer.
static unsigned touch(PsWireText text) {
    unsigned sum = 0;
    for (uint32_t i = 0; i < text.len; i++) {
        sum += (unsigned char)text.data[i];
    }
    return sum;
}

static unsigned touch_value(PsValue value) {
    return value.kind == PS_VALUE_TEXT ? touch((PsWireText){value.text, value.text_len})
                                       : value.kind;
}

static unsigned take_built(const PsWireFrame *frame) {
    PsWireBuilt built;
    return ps_wire_get_built(frame, &built) == PS_OK ? touch(built.error) : 0;
}

static unsigned take_log(const PsWireFrame *frame) {
    PsWireLog log;
    return ps_wire_get_log(frame, &log) == PS_OK ? touch(log.file) + touch(log.text) : 0;
}

static unsigned take_publish(const PsWireFrame *frame) {
    PsWirePublish publish;
    PsErr err = ps_wire_get_publish(frame, &publish);
    return err == PS_OK ? touch(publish.topic) + touch(publish.payload) : 0;
}

static unsigned take_write(const PsWireFrame *frame) {
    PsWireWrite write;
    PsReader items;
    if (ps_wire_get_write(frame, &write, &items) != PS_OK) {
        return 0;
    }
    PS_ASSERT(write.timeout_s > 0 && write.item_count <= PS_WIRE_WRITE_ITEMS_MAX);
    unsigned sum = 0;
    for (uint32_t i = 0; i < write.item_count; i++) {
        PsWireWriteItem item;
        PsErr err = ps_wire_get_write_item(&items, &item);
        PS_ASSERT(err == PS_OK); // all items were walked before
        sum += touch(item.device) + touch(item.variable) + touch_value(item.value);
    }
    return sum;
}

static unsigned take_request(const PsWireFrame *frame) {
    PsWireRequest request;
    if (ps_wire_get_request(frame, &request) != PS_OK) {
        return 0;
    }
    PS_ASSERT(request.timeout_s > 0 && request.asked <= PS_WIRE_ASK_RECALL);
    return request.ticket;
}

static unsigned take_done(const PsWireFrame *frame) {
    PsWireDone done;
    return ps_wire_get_done(frame, &done) == PS_OK ? touch(done.error) : 0;
}

static unsigned take_child(const PsWireFrame *frame) {
    PsWireChild child;
    return ps_wire_get_child(frame, &child) == PS_OK ? child.number : 0;
}

static unsigned take_ready(const PsWireFrame *frame) {
    PsWireHolds holds;
    return ps_wire_get_ready(frame, &holds) == PS_OK ? holds.landlock + holds.call_filter : 0;
}

static unsigned take_payload(const PsWireFrame *frame) {
    return touch((PsWireText){(const char *)frame->body, (uint32_t)frame->len});
}

typedef unsigned Taker(const PsWireFrame *frame);

static Taker *const takers[PS_WIRE_TYPE_COUNT] = {
    [PS_WIRE_READY] = take_ready,     [PS_WIRE_OVER_LIMIT] = take_child,
    [PS_WIRE_FORKED] = take_child,    [PS_WIRE_FORK_FAILED] = take_child,
    [PS_WIRE_EXITED] = take_child,    [PS_WIRE_BUILT] = take_built,
    [PS_WIRE_LOG] = take_log,         [PS_WIRE_RETURN] = take_payload,
    [PS_WIRE_PUBLISH] = take_publish, [PS_WIRE_PUBLISH_NOW] = take_publish,
    [PS_WIRE_SAVE] = take_publish,    [PS_WIRE_SAVE_GROUP] = take_publish,
    [PS_WIRE_WRITE] = take_write,     [PS_WIRE_REQUEST] = take_request,
    [PS_WIRE_DONE] = take_done,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    size_t step = (size_t)(data[0] & 0x7f) * 8 + 1;
    PsWireDecoder decoder;
    ps_wire_decoder_init(&decoder, data[0] & 0x80 ? PS_WIRE_FROM_STARTER : PS_WIRE_FROM_WORKER);
    volatile unsigned sum = 0;
    PsErr err = PS_ERR_BUSY;
    for (size_t at = 1; at < size && err == PS_ERR_BUSY;) {
        size_t room_size = 0;
        void *room = ps_wire_decoder_room(&decoder, &room_size);
        size_t len = size - at < step ? size - at : step;
        len = len < room_size ? len : room_size;
        memcpy(room, data + at, len);
        ps_wire_decoder_added(&decoder, len);
        at += len;
        PsWireFrame frame;
        while ((err = ps_wire_decoder_next(&decoder, &frame)) == PS_OK) {
            sum += takers[frame.type] != NULL ? takers[frame.type](&frame) : 0;
        }
    }
    ps_wire_decoder_deinit(&decoder);
    (void)sum; // volatile: the reads above must happen
    return 0;
}
