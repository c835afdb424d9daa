// Dead letters as they come from a database on disk: form, schema and input are any bytes. What can
// be read is read again from the frames that a replay would send. One thread.
#include "script/kept.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

typedef struct Seen {
    size_t count;
    size_t text_bytes;
} Seen;

static void count_value(PsWireText device, PsWireText variable, PsValue value, void *ctx) {
    Seen *seen = ctx;
    seen->count++;
    seen->text_bytes += device.len + variable.len;
    if (value.kind == PS_VALUE_TEXT) {
        for (uint32_t i = 0; i < value.text_len; i++) {
            seen->text_bytes += value.text[i] != '\0';
        }
    }
}

static void count_alarm(const PsKeptAlarm *alarm, void *ctx) {
    count_value(alarm->name, alarm->content, alarm->value, ctx);
}

static PsErr read_kept(const PsScriptKept *kept, Seen *seen) {
    PsWireText first;
    PsWireText second;
    double timestamp = 0;
    return kept->form == PS_KEPT_MESSAGE ? ps_kept_message(kept, &first, &second)
           : kept->form == PS_KEPT_ALARMS
               ? ps_kept_alarms(kept, &first, &timestamp, count_alarm, seen)
               : ps_kept_snapshot(kept, &first, &timestamp, count_value, seen);
}

static PsScriptKept body_of(const PsScriptKept *kept, const PsScriptInput *input) {
    PsScriptKept again = *kept;
    again.input = input->frame.data + PS_WIRE_HEAD_BYTES;
    again.input_len = input->frame.len - PS_WIRE_HEAD_BYTES;
    if (input->names != NULL) {
        again.schema = input->names->frame.data + PS_WIRE_HEAD_BYTES;
        again.schema_len = input->names->frame.len - PS_WIRE_HEAD_BYTES;
    }
    return again;
}

// A replay sends what was kept, but for the group.
static void check_replay(const PsScriptKept *kept) {
    PsScriptInput input = {0};
    PsDiag diag = {0};
    if (ps_kept_input(kept, &input, &diag) == PS_OK) {
        PsScriptKept again = body_of(kept, &input);
        Seen before = {0};
        Seen after = {0};
        PsErr err = read_kept(&again, &after);
        PS_ASSERT(err == PS_OK);
        err = read_kept(kept, &before);
        PS_ASSERT(err == PS_OK && before.count == after.count &&
                  before.text_bytes == after.text_bytes);
    } else {
        PS_ASSERT(diag.text[0] != '\0');
    }
    ps_script_input_deinit(&input);
}

// Layout of a seed: u8 form, u16 length of the schema (little endian), schema, input.
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    PsReader reader = ps_reader(bytes, len);
    int form = ps_reader_u8(&reader);
    size_t schema_len = ps_reader_u16(&reader);
    const uint8_t *schema = ps_reader_raw(&reader, schema_len);
    if (schema == NULL) {
        return 0;
    }
    size_t input_len = ps_reader_left(&reader);
    check_replay(&(PsScriptKept){.form = form,
                                 .schema = schema_len > 0 ? schema : NULL,
                                 .schema_len = schema_len,
                                 .input = ps_reader_raw(&reader, input_len),
                                 .input_len = input_len});
    return 0;
}
