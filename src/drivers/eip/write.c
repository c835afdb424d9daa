// Writing one tag: what it is is asked first, the value is brought to that type, written and read
// back. Bits go by Read Modify Write, so that their neighbours stay as the program has them. Runs
// on the channel's thread and blocks.
#include "drivers/eip/session.h"

#include <string.h>

#define HANDLE_LEN 2U
#define LEN_LEN 4U
// A text's structure is padded to whole words of 32 bits: so many places its end may be at.
#define PAD_MAX 3U

typedef struct Write {
    PsEipSession *session;
    const PsVariable *variable;
    PsEipPlace place; // as it was read before
    PsValue value;
} Write;

static PsErr send(Write *write, PsDiag *diag) {
    PsEipReply reply;
    const PsBuf *message = &write->session->message;
    PsErr err = ps_eip_transact(&write->session->connection, message->data, message->len,
                                write->place.timeout_ns, &reply, diag);
    if (err == PS_ERR_TOO_BIG) {
        return ps_fail(PS_ERR_REFUSED, diag, NULL, NULL,
                       "tag '%.100s': the value does not fit a message of this connection",
                       write->variable->symbol);
    }
    if (err == PS_OK && reply.status != PS_EIP_OK) {
        return ps_eip_fail_refused(write->variable, &reply, diag);
    }
    return err;
}

static PsBuf *begin(Write *write, uint8_t service) {
    PsBuf *message = &write->session->message;
    ps_buf_clear(message);
    ps_eip_request_put(message, service, write->place.path, write->place.path_len);
    return message;
}

static PsErr write_number(Write *write, const PsEipType *type, PsDiag *diag) {
    uint8_t bytes[PS_EIP_ENCODED_MAX];
    PsErr err = ps_eip_encode(type->code, write->value, bytes, diag);
    if (err != PS_OK) {
        return err;
    }
    PsBuf *message = begin(write, PS_EIP_WRITE_TAG);
    ps_buf_put_u16(message, type->code);
    ps_buf_put_u16(message, 1);
    ps_buf_put(message, bytes, type->size);
    return send(write, diag);
}

// 1756-PM020, "Read Modify Write Tag Service": size, OR masks, AND masks.
static PsErr write_bit(Write *write, const PsEipType *type, PsDiag *diag) {
    bool on = false;
    PsErr err = ps_eip_encode_bool(write->value, &on, diag);
    if (err != PS_OK) {
        return err;
    }
    uint64_t mask = UINT64_C(1) << write->place.bit;
    PsBuf *message = begin(write, PS_EIP_MODIFY_TAG);
    ps_buf_put_u16(message, type->size);
    uint64_t set = on ? mask : 0;
    uint64_t keep = on ? UINT64_MAX : ~mask;
    for (unsigned i = 0; i < type->size; i++) {
        ps_buf_put_u8(message, (uint8_t)(set >> (8 * i)));
    }
    for (unsigned i = 0; i < type->size; i++) {
        ps_buf_put_u8(message, (uint8_t)(keep >> (8 * i)));
    }
    return send(write, diag);
}

// --- texts

static PsErr encode_text(Write *write, uint32_t room, char *scratch, size_t size, PsDiag *diag) {
    return ps_eip_encode_text(write->value, room, scratch, size, &write->value, diag);
}

// The path of a member of the text, DATA at an index or LEN.
static uint16_t member_path(const Write *write, uint8_t *out, const char *name, bool indexed,
                            uint32_t index) {
    uint16_t len = write->place.path_len;
    memcpy(out, write->place.path, len);
    len = (uint16_t)(len + ps_eip_name_put(out + len, name, strlen(name)));
    return indexed ? (uint16_t)(len + ps_eip_element_put(out + len, index)) : len;
}

// How many characters a text of user-defined length has: the last of DATA that is there.
static PsErr find_room(Write *write, uint32_t structure_len, uint32_t *ret_room, PsDiag *diag) {
    uint32_t most = structure_len - LEN_LEN;
    for (uint32_t less = 0; less <= PAD_MAX && less < most; less++) {
        uint8_t path[PS_EIP_PATH_MAX + 32];
        uint16_t path_len = member_path(write, path, "DATA", true, most - less - 1);
        PsBuf *message = &write->session->message;
        ps_buf_clear(message);
        ps_eip_request_put(message, PS_EIP_READ_TAG, path, path_len);
        ps_buf_put_u16(message, 1);
        PsEipReply reply;
        PsErr err = ps_eip_transact(&write->session->connection, message->data, message->len,
                                    write->place.timeout_ns, &reply, diag);
        if (err != PS_OK) {
            return err;
        }
        if (reply.status == PS_EIP_OK) {
            *ret_room = most - less;
            return PS_OK;
        }
    }
    return ps_fail(PS_ERR_REFUSED, diag, NULL, NULL,
                   "tag '%.100s': cannot find out how many characters it has",
                   write->variable->symbol);
}

// The whole structure at once, so that nobody sees a new length with an old text.
static PsErr write_structure(Write *write, uint16_t handle, uint32_t structure_len, PsDiag *diag) {
    PsBuf *message = begin(write, PS_EIP_WRITE_TAG);
    ps_buf_put_u16(message, PS_EIP_TYPE_STRUCTURE);
    ps_buf_put_u16(message, handle);
    ps_buf_put_u16(message, 1);
    ps_buf_put_u32(message, write->value.text_len);
    ps_buf_put(message, write->value.text, write->value.text_len);
    for (uint32_t i = LEN_LEN + write->value.text_len; i < structure_len; i++) {
        ps_buf_put_u8(message, 0);
    }
    return send(write, diag);
}

// One that does not fit a message: its length is set to nothing, then the characters, then the
// length.
static PsErr write_members(Write *write, PsDiag *diag) {
    PsValue text = write->value;
    for (int step = 0; step < 3; step++) {
        uint8_t path[PS_EIP_PATH_MAX + 32];
        bool characters = step == 1;
        if (characters && text.text_len == 0) {
            continue;
        }
        uint16_t path_len = member_path(write, path, characters ? "DATA" : "LEN", characters, 0);
        PsBuf *message = &write->session->message;
        ps_buf_clear(message);
        ps_eip_request_put(message, PS_EIP_WRITE_TAG, path, path_len);
        ps_buf_put_u16(message, characters ? PS_EIP_TYPE_SINT : PS_EIP_TYPE_DINT);
        ps_buf_put_u16(message, characters ? (uint16_t)text.text_len : 1);
        if (characters) {
            ps_buf_put(message, text.text, text.text_len);
        } else {
            ps_buf_put_u32(message, step == 0 ? 0 : text.text_len);
        }
        PsErr err = send(write, diag);
        if (err != PS_OK) {
            return err;
        }
    }
    return PS_OK;
}

static PsErr write_string(Write *write, PsDiag *diag) {
    char scratch[64];
    PsEipData data = write->place.data;
    bool cut = write->place.reply.status == PS_EIP_PARTIAL;
    PsErr err = ps_eip_shape_learn(write->session, data.handle, write->place.path,
                                   write->place.path_len, write->place.timeout_ns, diag);
    if (err != PS_OK) {
        return err;
    }
    const PsEipShape *shape = ps_eip_shape_find(write->session, data.handle);
    if (shape == NULL || !shape->text) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, "symbol",
                       "tag '%.100s' is a structure; name one of its members, for example "
                       "Tag.Member",
                       write->variable->symbol);
    }
    uint32_t room = PS_EIP_STRING_CHARACTERS;
    bool usual = data.handle == PS_EIP_HANDLE_STRING;
    if (!usual && !cut && data.len > LEN_LEN) {
        err = find_room(write, data.len, &room, diag);
    } else if (!usual) {
        room = UINT16_MAX; // longer than a message: the controller counts
    }
    err = err != PS_OK ? err : encode_text(write, room, scratch, sizeof scratch, diag);
    if (err != PS_OK) {
        return err;
    }
    bool fits = !cut && write->place.path_len + 8U + data.len <
                            ps_eip_connection_room(&write->session->connection);
    return fits ? write_structure(write, data.handle, data.len, diag) : write_members(write, diag);
}

// Texts of Micro800: their length, then the characters.
static PsErr write_plain_text(Write *write, const PsEipType *type, PsDiag *diag) {
    char scratch[64];
    bool wide = type->code == PS_EIP_TYPE_STRING2;
    uint32_t room = wide ? UINT16_MAX : UINT8_MAX;
    PsErr err = encode_text(write, room, scratch, sizeof scratch, diag);
    if (err != PS_OK) {
        return err;
    }
    PsBuf *message = begin(write, PS_EIP_WRITE_TAG);
    ps_buf_put_u16(message, type->code);
    ps_buf_put_u16(message, 1);
    if (wide) {
        ps_buf_put_u16(message, (uint16_t)write->value.text_len);
    } else {
        ps_buf_put_u8(message, (uint8_t)write->value.text_len);
    }
    ps_buf_put(message, write->value.text, write->value.text_len);
    return send(write, diag);
}

// --- all together

static PsErr write_by_type(Write *write, PsDiag *diag) {
    const PsEipData *data = &write->place.data;
    if (data->type == PS_EIP_TYPE_STRUCTURE && write->place.bit == PS_EIP_NO_BIT) {
        return write_string(write, diag);
    }
    const PsEipType *type = ps_eip_type_find(data->type);
    if (type == NULL) {
        return ps_fail(PS_ERR_REFUSED, diag, NULL, NULL,
                       "tag '%.100s' has the type 0x%04X, which cannot be written here",
                       write->variable->symbol, data->type);
    }
    if (write->place.bit != PS_EIP_NO_BIT) {
        if ((unsigned)write->place.bit >= ps_eip_type_bits(type)) {
            return ps_fail(PS_ERR_INVALID, diag, NULL, "symbol",
                           "tag '%.100s' is a %s, it has no bit %d", write->variable->symbol,
                           type->name, write->place.bit);
        }
        return write_bit(write, type, diag);
    }
    return type->family == PS_EIP_FAMILY_TEXT ? write_plain_text(write, type, diag)
                                              : write_number(write, type, diag);
}

static PsErr read_before(Write *write, PsDiag *diag) {
    PsErr err = ps_eip_place_read(write->session, &write->place, diag);
    uint8_t status = write->place.reply.status;
    if (err == PS_OK && status != PS_EIP_OK && status != PS_EIP_PARTIAL) {
        err = ps_eip_fail_refused(write->variable, &write->place.reply, diag);
    }
    return err;
}

// The controller has acknowledged: the write is done, whatever the read-back brings.
static PsValue read_back(Write *write) {
    PsValue value = ps_value_none();
    PsEipField field = ps_eip_field(write->variable);
    PsErr err = read_before(write, NULL);
    if (err == PS_OK) {
        const PsEipShape *shape = ps_eip_shape_find(write->session, write->place.data.handle);
        field.bit = write->place.bit;
        PsQuality quality =
            ps_eip_decode(&field, &write->place.data, shape != NULL && shape->text, &value, NULL);
        (void)quality; // the value is none when it is not good
    }
    return value;
}

PsErr ps_eip_write(PsEipSession *session, uint32_t index, PsValue value, PsValue *ret_read_back,
                   PsDiag *diag) {
    const PsVariable *variable = &session->endpoint->config->variables[index];
    Write write = {.session = session, .variable = variable, .value = value};
    PsErr err = ps_eip_place_init(session, index, &write.place, diag);
    err = err != PS_OK ? err : read_before(&write, diag);
    err = err != PS_OK ? err : write_by_type(&write, diag);
    if (err != PS_OK) {
        return err;
    }
    *ret_read_back = variable->access == PS_ACCESS_WRITE ? ps_value_none() : read_back(&write);
    return PS_OK;
}
