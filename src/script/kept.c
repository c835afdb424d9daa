// Reading kept inputs. They come from a database on disk, so every length is checked. Pure.
#include "script/kept.h"

#include "base/mem.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

// Where the group stands in the bodies: snapshot.h.
#define GROUP_IN_SCHEMA ((size_t)0)
#define GROUP_IN_DATA ((size_t)1)
#define LEAST_TEXT ((size_t)4) // its length alone

typedef struct Name {
    PsWireText device;
    PsWireText variable;
} Name;

static PsWireText read_text(PsReader *reader) {
    size_t len = 0;
    const uint8_t *bytes = ps_reader_bytes(reader, &len);
    return (PsWireText){(const char *)bytes, (uint32_t)len};
}

PsErr ps_kept_message(const PsScriptKept *kept, PsWireText *ret_topic, PsWireText *ret_payload) {
    PsReader reader = ps_reader(kept->input, kept->input_len);
    (void)ps_reader_u8(&reader); // the link's state, set anew when sent
    PsWireText topic = read_text(&reader);
    PsWireText payload = read_text(&reader);
    if (kept->form != PS_KEPT_MESSAGE || !ps_reader_done(&reader)) {
        return PS_ERR_INVALID;
    }
    *ret_topic = topic;
    *ret_payload = payload;
    return PS_OK;
}

// Names in the order of their places; the caller frees. NULL when the schema is unreadable.
static Name *read_names(const PsScriptKept *kept, PsWireText *ret_group, uint32_t *ret_count) {
    PsReader reader = ps_reader(kept->schema, kept->schema_len);
    (void)ps_reader_u32(&reader);
    *ret_group = read_text(&reader);
    uint32_t devices = ps_reader_u32(&reader);
    Name *names = ps_alloc_array(kept->schema_len / LEAST_TEXT + 1, sizeof *names);
    uint32_t count = 0;
    for (uint32_t i = 0; i < devices && !reader.failed; i++) {
        PsWireText device = read_text(&reader);
        uint32_t variables = ps_reader_u32(&reader);
        for (uint32_t n = 0; n < variables && !reader.failed; n++) {
            PsWireText variable = read_text(&reader);
            if (!reader.failed) {
                names[count++] = (Name){device, variable};
            }
        }
    }
    if (!ps_reader_done(&reader)) {
        free(names);
        return NULL;
    }
    *ret_count = count;
    return names;
}

static PsErr read_values(PsReader *reader, const Name *names, uint32_t name_count,
                         PsKeptValue *each, void *ctx) {
    bool sparse = ps_reader_u8(reader) != 0;
    uint32_t count = ps_reader_u32(reader);
    for (uint32_t i = 0; i < count && !reader->failed; i++) {
        uint32_t place = sparse ? ps_reader_u32(reader) : i;
        PsValue value = ps_wire_get_value(reader);
        if (place >= name_count) {
            return PS_ERR_INVALID;
        }
        if (!reader->failed) {
            each(names[place].device, names[place].variable, value, ctx);
        }
    }
    return ps_reader_done(reader) ? PS_OK : PS_ERR_INVALID;
}

PsErr ps_kept_snapshot(const PsScriptKept *kept, PsWireText *ret_group, double *ret_timestamp,
                       PsKeptValue *each, void *ctx) {
    if (kept->form != PS_KEPT_SNAPSHOT || kept->schema == NULL) {
        return PS_ERR_INVALID;
    }
    uint32_t name_count = 0;
    Name *names = read_names(kept, ret_group, &name_count);
    if (names == NULL) {
        return PS_ERR_INVALID;
    }
    PsReader reader = ps_reader(kept->input, kept->input_len);
    (void)ps_reader_u8(&reader);
    (void)ps_reader_u32(&reader);
    *ret_timestamp = ps_reader_f64(&reader);
    PsErr err = read_values(&reader, names, name_count, each, ctx);
    free(names);
    return err;
}

// Names and contents of alarms in the order of their places; the caller frees. NULL when they are
// unreadable.
static PsKeptAlarm *read_alarm_names(const PsScriptKept *kept, PsWireText *ret_group,
                                     uint32_t *ret_count) {
    PsReader reader = ps_reader(kept->schema, kept->schema_len);
    (void)ps_reader_u32(&reader);
    *ret_group = read_text(&reader);
    uint32_t wanted = ps_reader_u32(&reader);
    PsKeptAlarm *alarms = ps_alloc_array(kept->schema_len / LEAST_TEXT + 1, sizeof *alarms);
    uint32_t count = 0;
    while (count < wanted && !reader.failed) {
        PsKeptAlarm alarm = {.name = read_text(&reader)};
        alarm.content = read_text(&reader);
        if (!reader.failed) {
            alarms[count++] = alarm;
        }
    }
    if (!ps_reader_done(&reader)) {
        free(alarms);
        return NULL;
    }
    *ret_count = count;
    return alarms;
}

static PsErr read_alarms(PsReader *reader, const PsKeptAlarm *alarms, uint32_t alarm_count,
                         PsKeptAlarmEach *each, void *ctx) {
    uint32_t count = ps_reader_u32(reader);
    for (uint32_t i = 0; i < count && !reader->failed; i++) {
        uint32_t place = ps_reader_u32(reader);
        if (place >= alarm_count) {
            return PS_ERR_INVALID;
        }
        PsKeptAlarm alarm = alarms[place];
        uint8_t state = ps_reader_u8(reader);
        alarm.on = ps_wire_alarm_on(state);
        alarm.level = ps_wire_alarm_level(state);
        alarm.timestamp = ps_reader_u64(reader);
        alarm.value = ps_wire_get_value(reader);
        if (!reader->failed) {
            each(&alarm, ctx);
        }
    }
    return ps_reader_done(reader) ? PS_OK : PS_ERR_INVALID;
}

PsErr ps_kept_alarms(const PsScriptKept *kept, PsWireText *ret_group, double *ret_timestamp,
                     PsKeptAlarmEach *each, void *ctx) {
    if (kept->form != PS_KEPT_ALARMS || kept->schema == NULL) {
        return PS_ERR_INVALID;
    }
    uint32_t count = 0;
    PsKeptAlarm *alarms = read_alarm_names(kept, ret_group, &count);
    if (alarms == NULL) {
        return PS_ERR_INVALID;
    }
    PsReader reader = ps_reader(kept->input, kept->input_len);
    (void)ps_reader_u8(&reader);
    (void)ps_reader_u32(&reader);
    *ret_timestamp = ps_reader_f64(&reader);
    PsErr err = read_alarms(&reader, alarms, count, each, ctx);
    free(alarms);
    return err;
}

// --- running again ------------------------------------------------------------------------------

static void ignore_value(PsWireText device, PsWireText variable, PsValue value, void *ctx) {
}

static void ignore_alarm(const PsKeptAlarm *alarm, void *ctx) {
}

static bool is_readable(const PsScriptKept *kept) {
    PsWireText first;
    PsWireText second;
    double timestamp;
    if (kept->input_len > PS_WIRE_BODY_MAX || kept->schema_len > PS_WIRE_BODY_MAX) {
        return false;
    }
    PsErr err = kept->form == PS_KEPT_MESSAGE ? ps_kept_message(kept, &first, &second)
                : kept->form == PS_KEPT_ALARMS
                    ? ps_kept_alarms(kept, &first, &timestamp, ignore_alarm, NULL)
                    : ps_kept_snapshot(kept, &first, &timestamp, ignore_value, NULL);
    return err == PS_OK;
}

// Which frames the parts of a kept input are bodies of.
static const struct {
    PsWireType input;
    PsWireType names; // PS_WIRE_NONE: it has none
} frames[] = {
    [PS_KEPT_SNAPSHOT] = {PS_WIRE_DATA, PS_WIRE_SCHEMA},
    [PS_KEPT_MESSAGE] = {PS_WIRE_MESSAGE, PS_WIRE_NONE},
    [PS_KEPT_ALARMS] = {PS_WIRE_ALARMS, PS_WIRE_ALARM_NAMES},
};

static void put_frame(PsBuf *out, PsWireType type, const void *body, size_t len, size_t group_at) {
    size_t begin = out->len;
    ps_wire_put(out, type, body, len);
    if (type != PS_WIRE_MESSAGE) {
        uint32_t group = htole32(PS_KEPT_GROUP);
        memcpy(out->data + begin + PS_WIRE_HEAD_BYTES + group_at, &group, sizeof group);
    }
}

PsErr ps_kept_input(const PsScriptKept *kept, PsScriptInput *input, PsDiag *diag) {
    if (kept->form < PS_KEPT_SNAPSHOT || kept->form > PS_KEPT_ALARMS) {
        return ps_fail(PS_ERR_UNSUPPORTED, diag, "dead letter", NULL,
                       "was kept by another version (form %d) and cannot be run by this one",
                       kept->form);
    }
    if (!is_readable(kept)) {
        return ps_fail(PS_ERR_CORRUPT, diag, "dead letter", NULL, "cannot be read any more");
    }
    PsWireType type = frames[kept->form].names;
    PsScriptNames *names = NULL;
    ps_buf_clear(&input->frame);
    input->type = frames[kept->form].input;
    input->qos = kept->qos;
    input->collected = kept->collected;
    put_frame(&input->frame, input->type, kept->input, kept->input_len, GROUP_IN_DATA);
    if (type != PS_WIRE_NONE) {
        names = ps_script_names_new(PS_KEPT_GROUP);
        put_frame(&names->frame, type, kept->schema, kept->schema_len, GROUP_IN_SCHEMA);
    }
    ps_script_input_set_names(input, names);
    ps_script_names_drop(names); // the input has them
    return PS_OK;
}
