// Areas and types as tables; TSAPs from their notation, or from rack and slot. Pure; any thread.
#include "drivers/s7/address.h"

#include <stdio.h>

// The gateway's own TSAP in Rack/Slot mode, and what kind of connection it asks the CPU for: 1 is a
// programming device, 2 an operator panel, 3 other. A panel is what a gateway is; a CPU keeps its
// connections for programming devices free for the engineer, who must not be locked out.
#define LOCAL_TSAP 0x0100U
#define OP_CONNECTION 0x0200U

static const uint8_t area_codes[] = {
    [PS_S7_INPUTS] = 0x81,
    [PS_S7_OUTPUTS] = 0x82,
    [PS_S7_FLAGS] = 0x83,
    [PS_S7_DB] = 0x84,
};

// Bytes of each type; texts depend on their size. Types left out have no S7 form.
static const uint8_t widths[] = {
    [PS_TYPE_BOOL] = 1,  [PS_TYPE_BIT] = 1,   [PS_TYPE_BYTE] = 1,  [PS_TYPE_SINT] = 1,
    [PS_TYPE_WORD] = 2,  [PS_TYPE_INT] = 2,   [PS_TYPE_DWORD] = 4, [PS_TYPE_DINT] = 4,
    [PS_TYPE_FLOAT] = 4, [PS_TYPE_BCD] = 2,   [PS_TYPE_BCD32] = 4, [PS_TYPE_DOUBLE] = 8,
    [PS_TYPE_LONG] = 8,  [PS_TYPE_ULONG] = 8,
};

uint32_t ps_s7_width(int data_type, int size) {
    if (data_type == PS_TYPE_STRING || data_type == PS_TYPE_S7STRING) {
        uint32_t characters = size > 0 ? (uint32_t)size : 0;
        return data_type == PS_TYPE_S7STRING && characters > 0 ? characters + 2 : characters;
    }
    return data_type >= 0 && (size_t)data_type < PS_COUNT(widths) ? widths[data_type] : 0;
}

uint8_t ps_s7_area_code(int area) {
    PS_ASSERT(area >= 0 && (size_t)area < PS_COUNT(area_codes));
    return area_codes[area];
}

uint32_t ps_s7_learned_area(int area, uint16_t db) {
    return (uint32_t)area << 16 | db;
}

void ps_s7_name_bytes(int area, uint16_t db, uint32_t first, uint32_t len, char *out, size_t size) {
    char block[12] = "";
    if (area == PS_S7_DB) {
        snprintf(block, sizeof block, "%u", db);
    }
    if (len == 1) {
        snprintf(out, size, "%s%s byte %u", ps_s7_area_name(area), block, first);
    } else {
        snprintf(out, size, "%s%s bytes %u to %u", ps_s7_area_name(area), block, first,
                 first + len - 1);
    }
}

static int hex_digit(char letter) {
    if (letter >= '0' && letter <= '9') {
        return letter - '0';
    }
    letter = (char)(letter | 0x20);
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

PsErr ps_s7_tsap_parse(const char *text, const char *field, uint16_t *ret_tsap, PsDiag *diag) {
    unsigned tsap = 0;
    bool valid = true;
    for (size_t i = 0; valid && i < 5; i++) {
        int digit = i == 2 ? (text[i] == '.' ? 0 : -1) : hex_digit(text[i]);
        valid = digit >= 0; // ends at the NUL of a text that is too short
        tsap = i == 2 || !valid ? tsap : tsap << 4 | (unsigned)digit;
    }
    if (!valid || text[5] != '\0') {
        return ps_fail(PS_ERR_INVALID, diag, NULL, field,
                       "'%.20s' is no TSAP; write two bytes in hexadecimal, for example 10.00",
                       text);
    }
    *ret_tsap = (uint16_t)tsap;
    return PS_OK;
}

PsErr ps_s7_tsaps(const PsDevice *device, uint16_t *ret_local, uint16_t *ret_remote, PsDiag *diag) {
    if (device->s7_mode == PS_S7_TSAP) {
        PsErr err = ps_s7_tsap_parse(device->client_tsap, "client_tsap", ret_local, diag);
        return err != PS_OK
                   ? err
                   : ps_s7_tsap_parse(device->server_tsap, "server_tsap", ret_remote, diag);
    }
    *ret_local = LOCAL_TSAP;
    *ret_remote = (uint16_t)(OP_CONNECTION | ((unsigned)device->rack & 7U) << 5 |
                             ((unsigned)device->slot & 31U));
    return PS_OK;
}

static PsErr check_given(const PsVariable *variable, PsDiag *diag) {
    if (variable->register_type == PS_UNSET) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, "register_type",
                       "is missing; add the area: I (inputs), Q (outputs), M (flags) or DB");
    }
    if (variable->register_type == PS_S7_DB && variable->dbnumber == 0) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, "dbnumber",
                       "is missing; add the number of the data block, 1 to 65535");
    }
    if (variable->register_addr == PS_UNSET) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, "register_addr",
                       "is missing; add the number of the first byte, 18 for DB6.DBD18");
    }
    if (variable->data_type == PS_TYPE_AUTO) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, "data_type",
                       "is missing; add it, for example INT or FLOAT: S7 does not say what a byte "
                       "holds");
    }
    return PS_OK;
}

static PsErr check_bit(const PsVariable *variable, PsDiag *diag) {
    bool is_bit = variable->data_type == PS_TYPE_BOOL || variable->data_type == PS_TYPE_BIT;
    if (is_bit && (variable->register_bit < 0 || variable->register_bit > 7)) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, "register_bit",
                       "must be 0 to 7: %s is one bit of byte %d",
                       ps_data_type_name(variable->data_type), variable->register_addr);
    }
    // Device Supervisor files carry a 0 where the bit has no meaning.
    if (!is_bit && variable->register_bit > 0) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, "register_bit",
                       "is only for BOOL and BIT; remove it");
    }
    return PS_OK;
}

PsErr ps_s7_check_variable(const PsDevice *device, const PsVariable *variable, PsDiag *diag) {
    PsErr err = check_given(variable, diag);
    err = err != PS_OK ? err : check_bit(variable, diag);
    if (err != PS_OK) {
        return err;
    }
    uint32_t width = ps_s7_width(variable->data_type, variable->size);
    if (width == 0) {
        return ps_fail(PS_ERR_RANGE, diag, NULL, "size", "%d: a text has 1 to 250 characters",
                       variable->size);
    }
    if (variable->register_addr < 0 ||
        (uint32_t)variable->register_addr + width > PS_S7_AREA_BYTES) {
        return ps_fail(PS_ERR_RANGE, diag, NULL, "register_addr",
                       "%d: its %u bytes end behind byte 65535, the last one S7 addresses reach",
                       variable->register_addr, width);
    }
    uint16_t local;
    uint16_t remote;
    PsDiag tsap = {0};
    if (ps_s7_tsaps(device, &local, &remote, &tsap) != PS_OK) {
        return ps_fail(PS_ERR_INVALID, diag, NULL, "device", "device '%s': %s %s", device->name,
                       tsap.field, tsap.text);
    }
    return PS_OK;
}
