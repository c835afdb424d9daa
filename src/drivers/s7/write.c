// Writing one variable and reading it back. A bit is written as a bit, so that its neighbours are
// never touched; of an S7STRING the first byte, its room, stays the controller's. Runs on the
// channel's thread and blocks in the connection.
#include "drivers/s7/address.h"
#include "drivers/s7/session.h"

#include <string.h>

// One variable to be written, with everything the steps below need.
typedef struct Write {
    PsS7Session *session;
    int64_t timeout_ns;
    PsS7Field field;
    PsS7Ask ask;
    PsValue value;
} Write;

// From the end to the beginning, so that what is short goes out in one telegram and the beginning
// of a long text, where its length stands, comes last.
static PsErr write_bytes(const Write *write, const PsS7Ask *place, const uint8_t *bytes,
                         PsDiag *diag) {
    PsS7Connection *connection = &write->session->connection;
    uint32_t most = connection->pdu - PS_S7_WRITE_HEAD;
    for (uint32_t left = place->len; left > 0;) {
        uint32_t len = left < most ? left : most;
        PsS7Ask piece = *place;
        piece.first += left - len;
        piece.len = (uint16_t)len;
        PsErr err = ps_s7_write(connection, write->timeout_ns, &piece, bytes + left - len, diag);
        if (err != PS_OK) {
            return err;
        }
        left -= len;
    }
    return PS_OK;
}

// STRING of STEP 7: its room says how much the controller's program keeps there.
static PsErr write_s7string(const Write *write, PsDiag *diag) {
    PsS7Ask place = write->ask;
    uint8_t *bytes = write->session->value;
    place.len = 2;
    PsErr err = ps_s7_read_place(write->session, write->timeout_ns, &place, bytes, diag);
    if (err != PS_OK) {
        return err;
    }
    unsigned room = bytes[0];
    if (room == 0 || room > 254 || bytes[1] > room) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, "register_addr",
                       "the place holds no STRING (its first bytes are %u and %u); nothing was "
                       "written; check the address, or use STRING for plain characters",
                       room, bytes[1]);
    }
    uint32_t len = write->value.text_len;
    if (len > room) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, NULL,
                       "the text has %u bytes, and the controller's STRING[%u] takes %u; nothing "
                       "was written",
                       len, room, room);
    }
    bytes[0] = (uint8_t)len;
    if (len > 0) {
        memcpy(bytes + 1, write->value.text, len);
    }
    place.first++;
    place.len = (uint16_t)(len + 1);
    return write_bytes(write, &place, bytes, diag);
}

static PsErr write_value(const Write *write, PsDiag *diag) {
    uint8_t *bytes = write->session->value;
    if (write->field.type == PS_TYPE_S7STRING) {
        return write_s7string(write, diag);
    }
    ps_s7_encode(&write->field, write->value, bytes);
    if (write->ask.is_bit) {
        return ps_s7_write(&write->session->connection, write->timeout_ns, &write->ask, bytes,
                           diag);
    }
    return write_bytes(write, &write->ask, bytes, diag);
}

static PsValue read_back(const Write *write) {
    PsValue value = ps_value_none();
    PsS7Ask place = write->ask;
    place.is_bit = false;
    PsErr err =
        ps_s7_read_place(write->session, write->timeout_ns, &place, write->session->value, NULL);
    if (err == PS_OK) {
        (void)ps_s7_decode(&write->field, write->session->value, &value);
    }
    return value;
}

PsErr ps_s7_write_variable(PsS7Session *session, uint32_t index, PsValue value,
                           PsValue *ret_read_back, PsDiag *diag) {
    const PsConfig *config = session->endpoint->config;
    const PsVariable *variable = &config->variables[index];
    PsErr err = ps_s7_check_variable(&config->devices[variable->device], variable, diag);
    if (err != PS_OK) {
        return err;
    }
    Write write = {
        .session = session,
        .timeout_ns = ps_s7_timeout_ns(session, variable->device),
        .field = ps_s7_field(variable),
        .value = value,
    };
    write.ask = (PsS7Ask){
        .area = (uint8_t)variable->register_type,
        .is_bit = variable->data_type == PS_TYPE_BOOL || variable->data_type == PS_TYPE_BIT,
        .bit = write.field.bit,
        .db = variable->dbnumber,
        .len = write.field.len,
        .first = (uint32_t)variable->register_addr,
    };
    err = write_value(&write, diag);
    if (err != PS_OK) {
        return err;
    }
    // The device has acknowledged: from here on the write is done, whatever the read-back brings.
    *ret_read_back = variable->access == PS_ACCESS_WRITE ? ps_value_none() : read_back(&write);
    return PS_OK;
}
