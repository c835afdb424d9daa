// Checks serial ports, and how each device is reached: through one of them or over the network.
// Pure; one thread.
#include "model/checker.h"
#include "model/tables.h"

#include <stdio.h>
#include <string.h>

#define RTU_DATA_BITS 8 // Modbus over Serial Line V1.02, section 2.5.1

static bool is_baud_rate(int rate) {
    static const int rates[] = {300,   600,   1200,  2400,   4800,  9600,
                                19200, 38400, 57600, 115200, 230400};
    for (size_t i = 0; i < PS_COUNT(rates); i++) {
        if (rates[i] == rate) {
            return true;
        }
    }
    return false;
}

static void check_path(PsChecker *checker, const PsConfig *config, uint32_t index) {
    const PsSerial *serial = &config->serials[index];
    if (serial->path[0] != '/') {
        PS_CHECK_FAIL(checker, "path", "'%.100s' is not the whole path; write /dev/ before it",
                      serial->path);
    }
    for (uint32_t i = 0; i < index; i++) {
        if (strcmp(config->serials[i].path, serial->path) == 0) {
            PS_CHECK_FAIL(checker, "path",
                          "%.100s is that of serial port '%.100s' already; let the devices of both "
                          "name one of them, and remove the other",
                          serial->path, config->serials[i].name);
            return;
        }
    }
}

void ps_checker_serials(PsChecker *checker) {
    const PsConfig *config = checker->config;
    for (uint32_t i = 0; i < config->serial_count; i++) {
        const PsSerial *serial = &config->serials[i];
        snprintf(checker->object, sizeof checker->object, "serial port '%.100s'", serial->name);
        checker->findings->place = (PsPlace){ps_table_serial.block, i};
        if (!ps_map_put(&checker->serials, NULL, serial->name, i)) {
            PS_CHECK_FAIL(checker, "name",
                          "is used twice; give each serial port a name of its own");
        }
        if (strpbrk(serial->name, ".:/") != NULL) {
            PS_CHECK_FAIL(checker, "name",
                          "holds one of . : /, so that it could be taken for an address; choose "
                          "another, for example RS485");
        }
        if (!is_baud_rate(serial->baud_rate)) {
            PS_CHECK_FAIL(checker, "baud_rate",
                          "is %d; it must be 300, 600, 1200, 2400, 4800, 9600, 19200, 38400, "
                          "57600, 115200 or 230400",
                          serial->baud_rate);
        }
        check_path(checker, config, i);
    }
    checker->findings->place = (PsPlace){0};
}

static void check_port(PsChecker *checker, PsDevice *device) {
    uint32_t serial = ps_map_find(&checker->serials, NULL, device->serial_name);
    if (serial == PS_MAP_NONE) {
        PS_CHECK_FAIL(checker, "serial",
                      "there is no serial port '%.100s'; add it to serial, with its path, or "
                      "correct the name",
                      device->serial_name);
        return;
    }
    device->serial = serial;
    if (checker->config->serials[serial].data_bits != RTU_DATA_BITS) {
        PS_CHECK_FAIL(checker, "serial",
                      "'%.100s' has %d data bits, but ModbusRTU needs %d; change data_bits of the "
                      "port",
                      device->serial_name, checker->config->serials[serial].data_bits,
                      RTU_DATA_BITS);
    }
}

void ps_checker_way(PsChecker *checker, PsDevice *device) {
    bool has_ip = device->ip[0] != '\0';
    bool may_serial = device->protocol == PS_PROTOCOL_MODBUS_RTU;
    bool may_url = device->protocol == PS_PROTOCOL_OPCUA;
    bool needs_way = device->protocol != PS_PROTOCOL_SIMULATOR;
    if (ps_device_is_serial(device) && !may_serial) {
        PS_CHECK_FAIL(checker, "serial", "is for ModbusRTU only; give the device's ip instead");
    } else if (ps_device_is_serial(device) && has_ip) {
        PS_CHECK_FAIL(checker, "ip",
                      "and serial are both there; keep serial for a line of the gateway's own, ip "
                      "for a converter on the network");
    } else if (ps_device_is_serial(device)) {
        check_port(checker, device);
    } else if (needs_way && !has_ip && !(may_url && device->url[0] != '\0')) {
        PS_CHECK_FAIL(checker, may_serial ? "serial" : "ip", "is missing; add it%s",
                      may_serial ? ", or ip for a converter on the network"
                      : may_url  ? ", or url"
                                 : "");
    }
}
