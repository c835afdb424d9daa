// Writes the two frames of alarms. Pure; main thread.
#include "script/alarm_frame.h"

// An item without text, and what stands before the items, at most.
#define ITEM_MAX ((size_t)22)
#define HEAD_MAX ((size_t)32)

void ps_alarm_frame_put_names(const PsConfig *config, uint32_t group, PsBuf *out) {
    size_t begin = ps_wire_begin(out, PS_WIRE_ALARM_NAMES);
    ps_buf_put_u32(out, group);
    ps_buf_put_text(out, config->groups[group].name);
    ps_buf_put_u32(out, config->groups[group].alarm_count);
    for (uint32_t i = 0; i < config->alarm_count; i++) {
        if (config->alarms[i].group == group) {
            ps_buf_put_text(out, config->alarms[i].name);
            ps_buf_put_text(out, config->alarms[i].content);
        }
    }
    ps_wire_end(out, begin);
}

static size_t content_bytes(const PsAlarmUpload *upload) {
    size_t bytes = HEAD_MAX + upload->event_count * ITEM_MAX;
    for (uint32_t i = 0; i < upload->event_count; i++) {
        const PsValue *value = &upload->events[i].value;
        bytes += value->kind == PS_VALUE_TEXT ? value->text_len : 0;
    }
    return bytes;
}

PsErr ps_alarm_frame_put(const PsConfig *config, const PsAlarmUpload *upload, PsBuf *out) {
    if (content_bytes(upload) > PS_WIRE_BODY_MAX) {
        return PS_ERR_TOO_BIG;
    }
    size_t begin = ps_wire_begin(out, PS_WIRE_ALARMS);
    ps_buf_put_u8(out, 0);
    ps_buf_put_u32(out, upload->group);
    ps_buf_put_f64(out, ps_wall_seconds(upload->collected));
    ps_buf_put_u32(out, upload->event_count);
    for (uint32_t i = 0; i < upload->event_count; i++) {
        const PsAlarmEvent *event = &upload->events[i];
        PS_ASSERT(config->alarms[event->alarm].group == upload->group);
        ps_buf_put_u32(out, config->alarms[event->alarm].place);
        ps_buf_put_u8(out, ps_wire_alarm_state(config->alarms[event->alarm].level, event->on));
        ps_buf_put_u64(out, (uint64_t)(event->stamp.ns / PS_NS_PER_S));
        ps_wire_put_value(out, event->value);
    }
    ps_wire_end(out, begin);
    return PS_OK;
}
