// What a person does about a value, from its quality and from what came of asking the device just
// now. What a code of a protocol means is the driver's to say. Main thread.
#include "api/explain.h"
#include "model/place.h"

#include <string.h>

static bool is_modbus(const PsDevice *device) {
    return device->protocol == PS_PROTOCOL_MODBUS_TCP || device->protocol == PS_PROTOCOL_MODBUS_RTU;
}

// What of the device's own settings decides whether it answers, besides host and port.
static void put_who(const PsDevice *device, PsBuf *out) {
    if (is_modbus(device)) {
        ps_buf_printf(out, ", and that the device has slave number %d", device->slave);
    } else if (device->protocol == PS_PROTOCOL_ISO_ON_TCP && device->s7_mode == PS_S7_RACK_SLOT) {
        ps_buf_printf(out, ", and that the CPU is in rack %d, slot %d", device->rack, device->slot);
    } else if (device->protocol == PS_PROTOCOL_ISO_ON_TCP) {
        ps_buf_printf(out, ", and the TSAPs: %s here, %s there", device->client_tsap,
                      device->server_tsap);
    } else if (device->protocol == PS_PROTOCOL_ETHERNET_IP && device->route[0] != '\0') {
        ps_buf_printf(out, ", and the route %s to the controller", device->route);
    } else if (device->protocol == PS_PROTOCOL_ETHERNET_IP) {
        ps_buf_printf(out, ", and that the controller is in slot %d", device->slot);
    }
}

static void advise_away(const PsApiStory *story, PsBuf *out) {
    const PsDevice *device = story->device;
    if (story->row.unwelcome && story->row.last_error[0] != '\0') {
        ps_buf_printf(out, "%s", story->row.last_error);
        return;
    }
    if (ps_device_is_serial(device)) {
        ps_buf_printf(out,
                      "check that the device is switched on, the cable of serial port '%s' with "
                      "its A and B, the line's settings, and that the device has slave number %d",
                      device->serial_name, device->slave);
    } else if (device->url[0] != '\0') {
        ps_buf_printf(out,
                      "check that the device is switched on, and that %s can be reached from this "
                      "network",
                      device->url);
    } else {
        ps_buf_printf(out,
                      "check that the device is switched on, that %s answers on port %d from this "
                      "network",
                      device->ip, device->port);
        put_who(device, out);
    }
    ps_buf_printf(out, "; the gateway goes on trying by itself");
}

// One that the device gave an answer to, whatever it was, or would not be connected to; its own
// words are the best.
static bool advise_by_look(const PsApiStory *story, PsBuf *out) {
    const PsApiLook *look = &story->look;
    if (!look->wanted || look->result == PS_OK || look->peek == NULL) {
        return false;
    }
    if (look->peek->meaning[0] != '\0') {
        ps_buf_printf(out, "%s", look->peek->meaning);
        return true;
    }
    bool connected = look->peek->sent_len > 0;
    if (look->result == PS_ERR_REFUSED || (!connected && look->result != PS_ERR_TIMEOUT)) {
        ps_buf_printf(out, "%s", look->diag->text);
        return true;
    }
    if (look->result == PS_ERR_TIMEOUT || look->result == PS_ERR_CLOSED) {
        advise_away(story, out);
        return true;
    }
    return false;
}

// The bytes make better sense in another way.
static bool advise_reading(const PsApiStory *story, PsBuf *out) {
    const PsReading *better = ps_readings_better(story->look.readings, story->look.reading_count);
    if (better == NULL || !is_modbus(story->device)) {
        return false;
    }
    const PsVariable *variable = story->variable;
    bool same_type = better->data_type == variable->data_type;
    ps_buf_printf(out, "the bytes hardly mean this: as %s", ps_reading_type_name(better));
    ps_buf_printf(out,
                  " in byte order %s they are %s. If the device's own display shows that, set ",
                  ps_reading_order_name(better), better->text);
    if (!same_type) {
        ps_buf_printf(out, "the variable's data_type to %s", ps_reading_type_name(better));
    }
    if (better->order != story->device->byte_order) {
        ps_buf_printf(out,
                      "%sbyte_order of device '%s' to %s (all its values of more than two "
                      "bytes are read with it)",
                      same_type ? "" : " and ", story->device->name,
                      ps_byte_order_name(better->order));
    }
    return true;
}

static void advise_refused(const PsApiStory *story, PsBuf *out) {
    char address[PS_ADDRESS_SIZE];
    ps_variable_address(story->device->protocol, story->variable, address, sizeof address);
    ps_buf_printf(out,
                  "the device answers, but has nothing at this address: compare address %s and "
                  "type %s with the device's list of %s, or correct the device's program",
                  address, ps_data_type_name(story->variable->data_type),
                  is_modbus(story->device) ? "registers (some lists count from 0)" : "variables");
}

static void advise_by_quality(const PsApiStory *story, PsBuf *out) {
    switch (story->quality) {
    case PS_QUALITY_GOOD:
        return;
    case PS_QUALITY_NOT_READ:
        if (story->row.contact == PS_CONTACT_SILENT) {
            advise_away(story, out);
            return;
        }
        ps_buf_printf(out,
                      "wait for the first cycle of group '%s', which comes every %g s; if nothing "
                      "comes then, look at the channel's last error",
                      story->group->name, story->group->polling_interval);
        return;
    case PS_QUALITY_AWAY:
        advise_away(story, out);
        return;
    case PS_QUALITY_REFUSED:
        advise_refused(story, out);
        return;
    case PS_QUALITY_UNDECODABLE:
        ps_buf_printf(out,
                      "the bytes that came are no %s: compare type and byte order with the "
                      "device's list of registers",
                      ps_data_type_name(story->variable->data_type));
        return;
    case PS_QUALITY_STALE:
        ps_buf_printf(out,
                      "cycles of group '%s' take longer than its %g s: look at the channel's round "
                      "trip and late requests, and poll less often, or less",
                      story->group->name, story->group->polling_interval);
        return;
    case PS_QUALITY_WRITE_ONLY:
        ps_buf_printf(out, "set the variable's read_write to read/write if its value is wanted");
        return;
    }
}

void ps_api_explain_advice(const PsApiStory *story, PsBuf *out) {
    ps_buf_printf(out, "%s", "");
    if (!advise_by_look(story, out) && !advise_reading(story, out)) {
        advise_by_quality(story, out);
    }
}
