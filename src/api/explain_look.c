// The parts of GET /explain that come from asking the device just now: both frames, the bytes in
// all readings, what it has taught about the place. Main thread.
#include "api/explain.h"
#include "api/values.h"
#include "drivers/driver.h"

#include <stdio.h>
#include <string.h>

json_t *ps_api_hex(const uint8_t *bytes, uint32_t len) {
    static const char digits[] = "0123456789ABCDEF";
    PS_AUTO_BUF PsBuf text = {0};
    for (uint32_t i = 0; i < len; i++) {
        const char pair[] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};
        ps_buf_put(&text, pair, sizeof pair);
    }
    return json_stringn(len > 0 ? (const char *)text.data : "", text.len);
}

// Words for what came of it, of which a page makes its own. Whatever a connection fails of besides
// silence is the connection's.
static const char *outcome(const PsApiLook *look) {
    bool not_asked = look->peek == NULL || look->result == PS_ERR_UNSUPPORTED ||
                     look->result == PS_ERR_CANCELLED;
    if (not_asked) {
        return "not asked";
    }
    switch (look->result) {
    case PS_OK:
        return "answered";
    case PS_ERR_REFUSED:
        return "refused";
    case PS_ERR_TIMEOUT:
        return "no answer";
    default:
        return "no connection";
    }
}

json_t *ps_api_explain_look(const PsApiStory *story) {
    static const PsPeek nothing = {0};
    const PsApiLook *look = &story->look;
    if (!look->wanted) {
        return json_null();
    }
    const PsPeek *peek = look->peek != NULL ? look->peek : &nothing;
    json_t *json = json_object();
    json_object_set_new(json, "outcome", json_string(outcome(look)));
    json_object_set_new(json, "error", json_string(look->diag->text));
    json_object_set_new(json, "text", json_string(peek->request));
    json_object_set_new(json, "sent", ps_api_hex(peek->sent, peek->sent_len));
    json_object_set_new(json, "received", ps_api_hex(peek->received, peek->received_len));
    json_object_set_new(json, "bytes", ps_api_hex(peek->bytes, peek->len));
    json_object_set_new(json, "type", json_string(peek->type));
    json_object_set_new(json, "code", json_integer((json_int_t)peek->code));
    json_object_set_new(json, "meaning", json_string(peek->meaning));
    return json;
}

// Does the device's protocol have this type at this place, in an order that can be chosen?
static bool settable(const PsReading *reading, const PsDevice *device, const PsVariable *variable) {
    if (reading->data_type == PS_READING_BITS) {
        return false;
    }
    bool modbus =
        device->protocol == PS_PROTOCOL_MODBUS_TCP || device->protocol == PS_PROTOCOL_MODBUS_RTU;
    bool plain = reading->order == PS_UNSET || reading->order == PS_ORDER_ABCD;
    bool pair = strlen(ps_reading_order_name(reading)) == 2;
    if (!plain && (!modbus || pair)) {
        return false; // only Modbus devices have an order to choose, for more than two bytes
    }
    PsVariable changed = *variable;
    changed.data_type = (int8_t)reading->data_type;
    PsDiag diag = {0};
    PsVariableCheck *check = ps_driver_check_for(device->protocol);
    return check != NULL && check(device, &changed, &diag) == PS_OK;
}

json_t *ps_api_readings_json(const PsReading *readings, uint32_t count, const PsDevice *device,
                             const PsVariable *variable) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++) {
        const PsReading *reading = &readings[i];
        bool may = device != NULL && settable(reading, device, variable);
        bool single = reading->data_type == PS_TYPE_BYTE || reading->data_type == PS_TYPE_SINT;
        if (device != NULL && single && !may && !reading->configured) {
            continue; // the protocol has no values of one byte
        }
        json_t *row = json_object();
        json_object_set_new(row, "type", json_string(ps_reading_type_name(reading)));
        json_object_set_new(row, "order", json_string(ps_reading_order_name(reading)));
        json_object_set_new(row, "text", json_string(reading->text));
        json_object_set_new(row, "likely", json_integer(reading->likely));
        json_object_set_new(row, "marked", json_boolean(reading->marked));
        json_object_set_new(row, "configured", json_boolean(reading->configured));
        json_object_set_new(row, "settable", json_boolean(may));
        json_array_append_new(list, row);
    }
    return list;
}

json_t *ps_api_explain_readings(const PsApiStory *story) {
    return story->look.wanted
               ? ps_api_readings_json(story->look.readings, story->look.reading_count,
                                      story->device, story->variable)
               : json_null();
}

static json_t *time_of(PsMono when) {
    int64_t left = ps_mono_diff_ns(when, ps_mono_now());
    return ps_api_time((PsWall){ps_wall_now().ns + (left > 0 ? left : 0)});
}

json_t *ps_api_explain_learned(const PsApiStory *story) {
    const PsPeek *peek = story->look.peek;
    if (!story->look.wanted || peek == NULL) {
        return json_null();
    }
    json_t *holes = json_array();
    for (uint32_t i = 0; i < peek->hole_count; i++) {
        const PsPeekHole *hole = &peek->holes[i];
        json_t *row = json_object();
        json_object_set_new(row, "first", json_string(hole->first));
        json_object_set_new(row, "last", json_string(hole->last));
        json_object_set_new(row, "here", json_boolean(hole->here));
        json_object_set_new(row, "code", json_integer(hole->code));
        json_object_set_new(row, "refusals", json_integer(hole->refusals));
        json_object_set_new(row, "since", ps_api_time(hole->since));
        json_object_set_new(row, "next_try", time_of(hole->next_try));
        json_array_append_new(holes, row);
    }
    return json_pack("{s:o, s:i, s:i}", "holes", holes, "elsewhere", (int)peek->holes_elsewhere,
                     "most_items", (int)peek->most_items);
}
