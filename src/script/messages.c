// Encoding and checked decoding of frame bodies. Pure; both sides.
#include "script/messages.h"

#include "base/log.h"

#include <endian.h>
#include <math.h>
#include <string.h>

#define TIMEOUT_MAX_S 86400.0
#define DONE_OK 1U
#define DONE_USED 2U

PsWireText ps_wire_text(const char *text) {
    return (PsWireText){text, (uint32_t)strlen(text)};
}

static void put_text(PsBuf *out, PsWireText text) {
    ps_buf_put_bytes(out, text.data, text.len);
}

static PsWireText get_text(PsReader *reader) {
    size_t len = 0;
    const uint8_t *bytes = ps_reader_bytes(reader, &len);
    return (PsWireText){(const char *)bytes, (uint32_t)len};
}

static PsReader reader_of(const PsWireFrame *frame) {
    return ps_reader(frame->body, frame->len);
}

void ps_wire_put_child(PsBuf *out, PsWireType type, PsWireChild child) {
    size_t begin = ps_wire_begin(out, type);
    ps_buf_put_u32(out, child.slot);
    ps_buf_put_u32(out, child.generation);
    ps_buf_put_u32(out, child.number);
    ps_wire_end(out, begin);
}

PsErr ps_wire_get_child(const PsWireFrame *frame, PsWireChild *ret_child) {
    PsReader reader = reader_of(frame);
    PsWireChild child = {0};
    child.slot = ps_reader_u32(&reader);
    child.generation = ps_reader_u32(&reader);
    child.number = ps_reader_u32(&reader);
    if (!ps_reader_done(&reader)) {
        return PS_ERR_PROTOCOL;
    }
    *ret_child = child;
    return PS_OK;
}

void ps_wire_put_fork(PsBuf *out, PsWireFork fork) {
    size_t begin = ps_wire_begin(out, PS_WIRE_FORK);
    ps_buf_put_u32(out, fork.slot);
    ps_buf_put_u32(out, fork.generation);
    ps_buf_put_u64(out, fork.memory_limit);
    ps_buf_put_u64(out, fork.scratch_limit);
    ps_buf_put_u32(out, fork.cpu_percent);
    ps_buf_put_u32(out, fork.threads_max);
    ps_buf_put_u8(out, fork.network);
    ps_wire_end(out, begin);
}

PsErr ps_wire_get_fork(const PsWireFrame *frame, PsWireFork *ret_fork) {
    PsReader reader = reader_of(frame);
    PsWireFork fork = {0};
    fork.slot = ps_reader_u32(&reader);
    fork.generation = ps_reader_u32(&reader);
    fork.memory_limit = ps_reader_u64(&reader);
    fork.scratch_limit = ps_reader_u64(&reader);
    fork.cpu_percent = ps_reader_u32(&reader);
    fork.threads_max = ps_reader_u32(&reader);
    fork.network = ps_reader_u8(&reader);
    if (!ps_reader_done(&reader)) {
        return PS_ERR_PROTOCOL;
    }
    *ret_fork = fork;
    return PS_OK;
}

void ps_wire_put_ready(PsBuf *out, PsWireHolds holds) {
    size_t begin = ps_wire_begin(out, PS_WIRE_READY);
    ps_buf_put_u8(out, holds.landlock);
    ps_buf_put_u8(out, holds.call_filter);
    ps_wire_end(out, begin);
}

PsErr ps_wire_get_ready(const PsWireFrame *frame, PsWireHolds *ret_holds) {
    PsReader reader = reader_of(frame);
    PsWireHolds holds = {0};
    holds.landlock = ps_reader_u8(&reader);
    holds.call_filter = ps_reader_u8(&reader);
    if (!ps_reader_done(&reader)) {
        return PS_ERR_PROTOCOL;
    }
    *ret_holds = holds;
    return PS_OK;
}

size_t ps_wire_begin_build(PsBuf *out, const PsWireBuild *build) {
    size_t begin = ps_wire_begin(out, PS_WIRE_BUILD);
    ps_buf_put_u8(out, build->kind);
    ps_buf_put_u8(out, build->aws);
    put_text(out, build->boot);
    put_text(out, build->name);
    put_text(out, build->main_function);
    put_text(out, build->source);
    ps_buf_put_u32(out, build->parameter_count);
    return begin;
}

void ps_wire_put_parameter(PsBuf *out, const char *name, PsValue value) {
    ps_buf_put_text(out, name);
    ps_wire_put_value(out, value);
}

PsErr ps_wire_get_build(const PsWireFrame *frame, PsWireBuild *ret_build,
                        PsReader *ret_parameters) {
    PsReader reader = reader_of(frame);
    PsWireBuild build = {0};
    build.kind = ps_reader_u8(&reader);
    build.aws = ps_reader_u8(&reader);
    build.boot = get_text(&reader);
    build.name = get_text(&reader);
    build.main_function = get_text(&reader);
    build.source = get_text(&reader);
    build.parameter_count = ps_reader_u32(&reader);
    if (reader.failed) {
        return PS_ERR_PROTOCOL;
    }
    *ret_build = build;
    *ret_parameters = reader;
    return PS_OK;
}

size_t ps_wire_begin_settings(PsBuf *out, const PsWireSettings *settings) {
    size_t begin = ps_wire_begin(out, PS_WIRE_SETTINGS);
    put_text(out, settings->name);
    ps_buf_put_u32(out, settings->parameter_count);
    return begin;
}

PsErr ps_wire_get_settings(const PsWireFrame *frame, PsWireSettings *ret_settings,
                           PsReader *ret_parameters) {
    PsReader reader = reader_of(frame);
    PsWireSettings settings = {.name = get_text(&reader)};
    settings.parameter_count = ps_reader_u32(&reader);
    if (reader.failed) {
        return PS_ERR_PROTOCOL;
    }
    *ret_settings = settings;
    *ret_parameters = reader;
    return PS_OK;
}

PsErr ps_wire_get_parameter(PsReader *parameters, PsWireText *ret_name, PsValue *ret_value) {
    PsWireText name = get_text(parameters);
    PsValue value = ps_wire_get_value(parameters);
    if (parameters->failed) {
        return PS_ERR_PROTOCOL;
    }
    *ret_name = name;
    *ret_value = value;
    return PS_OK;
}

void ps_wire_put_built(PsBuf *out, PsWireBuilt built) {
    size_t begin = ps_wire_begin(out, PS_WIRE_BUILT);
    ps_buf_put_u8(out, built.ok);
    put_text(out, built.error);
    ps_wire_end(out, begin);
}

PsErr ps_wire_get_built(const PsWireFrame *frame, PsWireBuilt *ret_built) {
    PsReader reader = reader_of(frame);
    PsWireBuilt built = {0};
    built.ok = ps_reader_u8(&reader);
    built.error = get_text(&reader);
    if (!ps_reader_done(&reader)) {
        return PS_ERR_PROTOCOL;
    }
    *ret_built = built;
    return PS_OK;
}

void ps_wire_put_log(PsBuf *out, PsWireLog log) {
    size_t begin = ps_wire_begin(out, PS_WIRE_LOG);
    ps_buf_put_u8(out, log.level);
    ps_buf_put_u8(out, log.always);
    ps_buf_put_u32(out, log.line);
    put_text(out, log.file);
    put_text(out, log.text);
    ps_wire_end(out, begin);
}

PsErr ps_wire_get_log(const PsWireFrame *frame, PsWireLog *ret_log) {
    PsReader reader = reader_of(frame);
    PsWireLog log = {0};
    log.level = ps_reader_u8(&reader);
    log.always = ps_reader_u8(&reader);
    log.line = ps_reader_u32(&reader);
    log.file = get_text(&reader);
    log.text = get_text(&reader);
    if (!ps_reader_done(&reader) || log.level > PS_LOG_ERROR) {
        return PS_ERR_PROTOCOL;
    }
    *ret_log = log;
    return PS_OK;
}

void ps_wire_put_publish_head(PsBuf *out, PsWireType type, PsWirePublish publish) {
    size_t begin = ps_wire_begin(out, type);
    ps_buf_put_u8(out, publish.qos);
    put_text(out, publish.topic);
    ps_buf_put_u32(out, publish.payload.len);
    ps_wire_end(out, begin);
    // The payload is counted although it follows later.
    size_t head = out->len - begin - PS_WIRE_HEAD_BYTES;
    uint32_t stored = htole32((uint32_t)head + publish.payload.len);
    memcpy(out->data + begin, &stored, sizeof stored);
}

PsErr ps_wire_get_publish(const PsWireFrame *frame, PsWirePublish *ret_publish) {
    PsReader reader = reader_of(frame);
    PsWirePublish publish = {0};
    publish.qos = ps_reader_u8(&reader);
    publish.topic = get_text(&reader);
    publish.payload = get_text(&reader);
    if (!ps_reader_done(&reader) || publish.qos > 2) {
        return PS_ERR_PROTOCOL;
    }
    *ret_publish = publish;
    return PS_OK;
}

static bool is_timeout(double seconds) {
    return !isnan(seconds) && seconds > 0 && seconds <= TIMEOUT_MAX_S;
}

size_t ps_wire_begin_write(PsBuf *out, const PsWireWrite *write) {
    size_t begin = ps_wire_begin(out, PS_WIRE_WRITE);
    ps_buf_put_u32(out, write->ticket);
    ps_buf_put_u8(out, write->wants_result);
    ps_buf_put_f64(out, write->timeout_s);
    ps_buf_put_u32(out, write->item_count);
    return begin;
}

void ps_wire_put_write_item(PsBuf *out, const PsWireWriteItem *item) {
    ps_buf_put_u8(out, item->has_device);
    put_text(out, item->device);
    put_text(out, item->variable);
    ps_wire_put_value(out, item->value);
}

PsErr ps_wire_get_write(const PsWireFrame *frame, PsWireWrite *ret_write, PsReader *ret_items) {
    PsReader reader = reader_of(frame);
    PsWireWrite write = {0};
    write.ticket = ps_reader_u32(&reader);
    write.wants_result = ps_reader_u8(&reader);
    write.timeout_s = ps_reader_f64(&reader);
    write.item_count = ps_reader_u32(&reader);
    if (reader.failed || !is_timeout(write.timeout_s) ||
        write.item_count > PS_WIRE_WRITE_ITEMS_MAX) {
        return PS_ERR_PROTOCOL;
    }
    // All items are walked once here, so that a receiver never stops half-way through a call.
    PsReader items = reader;
    for (uint32_t i = 0; i < write.item_count; i++) {
        PsWireWriteItem item;
        PsErr err = ps_wire_get_write_item(&reader, &item);
        if (err != PS_OK) {
            return err;
        }
    }
    if (!ps_reader_done(&reader)) {
        return PS_ERR_PROTOCOL;
    }
    *ret_write = write;
    *ret_items = items;
    return PS_OK;
}

PsErr ps_wire_get_write_item(PsReader *items, PsWireWriteItem *ret_item) {
    PsWireWriteItem item = {0};
    item.has_device = ps_reader_u8(items);
    item.device = get_text(items);
    item.variable = get_text(items);
    item.value = ps_wire_get_value(items);
    if (items->failed) {
        return PS_ERR_PROTOCOL;
    }
    *ret_item = item;
    return PS_OK;
}

void ps_wire_put_request(PsBuf *out, PsWireRequest request) {
    size_t begin = ps_wire_begin(out, PS_WIRE_REQUEST);
    ps_buf_put_u32(out, request.ticket);
    ps_buf_put_u8(out, request.asked);
    ps_buf_put_f64(out, request.timeout_s);
    ps_wire_end(out, begin);
}

PsErr ps_wire_get_request(const PsWireFrame *frame, PsWireRequest *ret_request) {
    PsReader reader = reader_of(frame);
    PsWireRequest request = {0};
    request.ticket = ps_reader_u32(&reader);
    request.asked = ps_reader_u8(&reader);
    request.timeout_s = ps_reader_f64(&reader);
    if (!ps_reader_done(&reader) || request.asked > PS_WIRE_ASK_RECALL ||
        !is_timeout(request.timeout_s)) {
        return PS_ERR_PROTOCOL;
    }
    *ret_request = request;
    return PS_OK;
}

size_t ps_wire_begin_reply(PsBuf *out, uint32_t ticket, PsWireReplyError error) {
    size_t begin = ps_wire_begin(out, PS_WIRE_REPLY);
    ps_buf_put_u8(out, 0);
    ps_buf_put_u32(out, ticket);
    ps_buf_put_u8(out, (uint8_t)error);
    return begin;
}

void ps_wire_put_done(PsBuf *out, PsWireDone done) {
    size_t begin = ps_wire_begin(out, PS_WIRE_DONE);
    ps_buf_put_u8(out, (uint8_t)((done.ok ? DONE_OK : 0) | (done.used_sequence ? DONE_USED : 0)));
    put_text(out, done.error);
    ps_wire_end(out, begin);
}

PsErr ps_wire_get_done(const PsWireFrame *frame, PsWireDone *ret_done) {
    PsReader reader = reader_of(frame);
    PsWireDone done = {0};
    uint8_t bits = ps_reader_u8(&reader);
    done.ok = (bits & DONE_OK) != 0;
    done.used_sequence = (bits & DONE_USED) != 0;
    done.error = get_text(&reader);
    if (!ps_reader_done(&reader) || bits > (DONE_OK | DONE_USED)) {
        return PS_ERR_PROTOCOL;
    }
    *ret_done = done;
    return PS_OK;
}
