// Packets of an MQTT peer, taken apart as the front of the local cloud does it: any bytes, in
// pieces of any size. The first byte chooses the size of the pieces and the protocol's version.
#include "localcloud/front/filter.h"
#include "localcloud/front/packet.h"

#include <stddef.h>
#include <stdint.h>

#define MOST ((size_t)150000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Reads every byte, so that a wrong length is seen by the sanitizer.
static unsigned touch(PsBytes bytes) {
    unsigned sum = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        sum += bytes.data[i];
    }
    return sum;
}

static unsigned touch_props(const PsProps *props) {
    PS_AUTO_BUF PsBuf copy = {0};
    ps_props_copy(&copy, props, UINT64_C(1) << PS_PROPERTY_USER);
    PS_ASSERT(copy.len <= props->raw.len);
    unsigned sum = touch(props->raw);
    for (unsigned id = 0; id < PS_PROPERTY_COUNT; id++) {
        sum += ps_props_number(props, (PsProperty)id, 0);
        sum += touch(ps_props_text(props, (PsProperty)id));
    }
    return sum;
}

static unsigned touch_packet(const PsPacket *packet) {
    unsigned sum = touch_props(&packet->props) + touch(packet->list);
    if (packet->type == PS_PACKET_CONNECT) {
        sum += touch(packet->connect.client_id);
        if (packet->connect.has_will) {
            const PsPacketWill *will = &packet->connect.will;
            sum += touch(will->topic) + touch(will->payload) + touch_props(&will->props);
        }
    } else if (packet->type == PS_PACKET_PUBLISH) {
        sum += touch(packet->publish.topic) + touch(packet->publish.payload);
        sum += ps_filter_matches(ps_bytes("$share/x/+/#", 12), packet->publish.topic) ? 1 : 0;
        sum += touch(ps_topic_counted(packet->publish.topic));
    } else if (packet->type == PS_PACKET_SUBSCRIBE || packet->type == PS_PACKET_UNSUBSCRIBE) {
        PsFilterCursor cursor = ps_filter_cursor(packet);
        PsBytes filter;
        uint8_t options = 0;
        size_t count = 0;
        for (; ps_filter_cursor_next(&cursor, &filter, &options); count++) {
            sum += touch(ps_filter_without_share(filter));
            sum += ps_filter_is_valid(filter, 128) ? 1 : 0;
            sum += ps_filter_matches(filter, ps_bytes("a/b", 3)) ? 1 : 0;
        }
        PS_ASSERT(count == packet->count);
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    uint8_t version = data[0] & 0x80 ? PS_MQTT_5 : PS_MQTT_3;
    size_t step = (size_t)(data[0] & 0x7F) * 8 + 1;
    PsPacketQueue queue = {0};
    volatile unsigned sum = 0;
    PsErr err = PS_ERR_BUSY;
    for (size_t at = 1; at < size && err == PS_ERR_BUSY; at += step) {
        ps_packet_queue_put(&queue, data + at, size - at < step ? size - at : step);
        PsBytes raw;
        PsPacketFault fault = {0};
        while ((err = ps_packet_queue_next(&queue, MOST, &raw, &fault)) == PS_OK) {
            PsPacket packet;
            err = ps_packet_parse(raw, version, &packet, &fault);
            if (err != PS_OK) {
                PS_ASSERT(fault.reason >= 0x80 && fault.text != NULL);
                break;
            }
            sum += touch_packet(&packet);
        }
    }
    ps_packet_queue_deinit(&queue);
    (void)sum; // volatile: the reads above must happen
    return 0;
}
