// The option tables of devices and variables, with the words that only they use.
// Names, ranges and defaults are those of Device Supervisor 1.x where it has the field.
// Constant data.
#include "model/config.h"
#include "model/tables_private.h"

#include <stddef.h>

WORDS(protocol_words, "ModbusTCP", "ModbusRTU", "ISO-on-TCP", "OPCUA", "EtherNet/IP", "Simulator");
WORDS(byte_order_words, "abcd", "badc", "cdab", "dcba");
WORDS(access_words, "read", "write", "read/write");
WORDS(mode_words, "realtime", "onchange");
WORDS(s7_mode_words, "Rack/Slot", "TSAP");
WORDS(opcua_auth_words, "Anonymous", "Username/Password", "Certificate");
WORDS(opcua_policy_words, "Automatic detection", "None", "Basic256Sha256", "Aes128Sha256RsaOaep");
WORDS(opcua_mode_words, "Automatic detection", "None", "Sign", "SignAndEncrypt");

const char *ps_protocol_name(int protocol) {
    return ps_word_at(&protocol_words, protocol);
}

const char *ps_byte_order_name(int byte_order) {
    return ps_word_at(&byte_order_words, byte_order);
}

const char *ps_access_name(int access) {
    return ps_word_at(&access_words, access);
}

const char *ps_mode_name(int mode) {
    return ps_word_at(&mode_words, mode);
}

const char *ps_s7_mode_name(int mode) {
    return ps_word_at(&s7_mode_words, mode);
}

const char *ps_opcua_auth_name(int auth) {
    return ps_word_at(&opcua_auth_words, auth);
}

const char *ps_opcua_policy_name(int policy) {
    return ps_word_at(&opcua_policy_words, policy);
}

const char *ps_opcua_mode_name(int mode) {
    return ps_word_at(&opcua_mode_words, mode);
}

static const char *default_port(const void *object) {
    switch (((const PsDevice *)object)->protocol) {
    case PS_PROTOCOL_ISO_ON_TCP:
        return "102"; // RFC 1006
    case PS_PROTOCOL_OPCUA:
        return "4840"; // OPC UA Part 6, 7.2
    case PS_PROTOCOL_ETHERNET_IP:
        return "44818"; // registered as EtherNet-IP-2
    default:
        return "502"; // Modbus Messaging on TCP/IP V1.0b, 3.1.3
    }
}

#define COMM "Communication alarm only: "

static const PsOption device_options[] = {
    {.key = "device_name",
     .type = PS_OPTION_TEXT,
     .required = true,
     .offset = offsetof(PsDevice, name),
     .min = 1,
     .max = 128,
     .unit = "characters",
     .help = "Name of the device, unique in the gateway."},
    {.key = "protocol",
     .type = PS_OPTION_WORD,
     .required = true,
     .offset = offsetof(PsDevice, protocol),
     .words = &protocol_words,
     .help = "How the gateway talks to the device."},
    {.key = "ip",
     .type = PS_OPTION_TEXT,
     .offset = offsetof(PsDevice, ip),
     .max = 253,
     .unit = "characters",
     .protocols = FOR_NETWORK,
     .help =
         "IP address or host name of the device; for ModbusRTU that of a converter which passes "
         "RTU frames on (RTU over TCP)."},
    {.key = "port",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsDevice, port),
     .min = 1,
     .max = 65535,
     .fallback_for = default_port,
     .protocols = FOR_NETWORK,
     .help =
         "TCP port of the device; left out: 502 for Modbus, 102 for ISO-on-TCP, 4840 for OPCUA, "
         "44818 for EtherNet/IP."},
    {.key = "serial",
     .type = PS_OPTION_TEXT,
     .offset = offsetof(PsDevice, serial_name),
     .max = 128,
     .unit = "characters",
     .protocols = FOR_RTU,
     .help = "ModbusRTU: name of the serial port the device is behind, in place of ip."},
    {.key = "slave",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsDevice, slave),
     .min = 0,
     .max = 255,
     .fallback = "1",
     .protocols = FOR_MODBUS,
     .help = "Modbus slave (unit) address. Devices that share ip and port, or a serial port, share "
             "one connection."},
    {.key = "byte_order",
     .type = PS_OPTION_WORD,
     .offset = offsetof(PsDevice, byte_order),
     .words = &byte_order_words,
     .fallback = "abcd",
     .protocols = FOR_MODBUS,
     .help = "Order of the bytes of values of 32 bits and more; a is the most significant."},
    {.key = "timeout",
     .type = PS_OPTION_NUMBER,
     .offset = offsetof(PsDevice, timeout),
     .min = 0.05,
     .max = 60,
     .unit = "s",
     .fallback = "1",
     .help = "How long a request may take before the device counts as silent; on a serial line the "
             "time the bytes take on the wire comes on top."},
    {.key = "comm_alarm",
     .type = PS_OPTION_BOOL,
     .offset = offsetof(PsDevice, comm_alarm),
     .fallback = "false",
     .help = "Gives the device an alarm, named after it with ` communication` behind, that is on "
             "while the device does not answer."},
    {.key = "comm_alarm_level",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsDevice, comm_alarm_level),
     .min = 1,
     .max = 5,
     .fallback = "1",
     .help = COMM "its level, 1 (remind) to 5 (serious)."},
    {.key = "comm_alarm_group",
     .type = PS_OPTION_TEXT,
     .offset = offsetof(PsDevice, comm_alarm_group),
     .min = 1,
     .max = 128,
     .unit = "characters",
     .fallback = "warning",
     .help = COMM "the alarm group whose messages are told."},
    {.key = "comm_alarm_on_delay",
     .type = PS_OPTION_NUMBER,
     .offset = offsetof(PsDevice, comm_alarm_on_delay),
     .min = 0,
     .max = 86400,
     .unit = "s",
     .fallback = "30",
     .help = COMM "how long the device must be silent before it begins."},
    {.key = "comm_alarm_off_delay",
     .type = PS_OPTION_NUMBER,
     .offset = offsetof(PsDevice, comm_alarm_off_delay),
     .min = 0,
     .max = 86400,
     .unit = "s",
     .fallback = "10",
     .help = COMM "how long the device must answer before it ends."},
    {.key = "comm_alarm_content",
     .type = PS_OPTION_TEXT,
     .offset = offsetof(PsDevice, comm_alarm_content),
     .max = 1024,
     .fallback = "the device does not answer",
     .help = COMM "what scripts and displays say about it."},
    {.key = "mode",
     .type = PS_OPTION_WORD,
     .offset = offsetof(PsDevice, s7_mode),
     .words = &s7_mode_words,
     .fallback = "Rack/Slot",
     .protocols = FOR_ISO,
     .help = "ISO-on-TCP: Rack/Slot for S7-300, 400, 1200 and 1500; TSAP for S7-200, S7-200 Smart "
             "and LOGO!."},
    {.key = "rack",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsDevice, rack),
     .min = 0,
     .max = 7,
     .fallback = "0",
     .protocols = FOR_ISO,
     .help = "ISO-on-TCP with Rack/Slot: rack of the CPU, mostly 0."},
    {.key = "slot",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsDevice, slot),
     .min = 0,
     .max = 31,
     .fallback = "0",
     .protocols = FOR_ISO | FOR_EIP,
     .help = "ISO-on-TCP with Rack/Slot: slot of the CPU, 2 in an S7-300, 0 or 1 in an S7-1200 or "
             "1500. EtherNet/IP: slot of the controller in its chassis."},
    {.key = "client_tsap",
     .type = PS_OPTION_TEXT,
     .offset = offsetof(PsDevice, client_tsap),
     .min = 1,
     .max = 5,
     .unit = "characters",
     .fallback = "10.00",
     .protocols = FOR_ISO,
     .help = "ISO-on-TCP with TSAP: the gateway's TSAP, two hexadecimal bytes; 02.00 for an S7-200 "
             "Smart."},
    {.key = "server_tsap",
     .type = PS_OPTION_TEXT,
     .offset = offsetof(PsDevice, server_tsap),
     .min = 1,
     .max = 5,
     .unit = "characters",
     .fallback = "10.00",
     .protocols = FOR_ISO,
     .help = "ISO-on-TCP with TSAP: the device's TSAP; 02.01 for an S7-200 Smart."},
    {.key = "route",
     .type = PS_OPTION_TEXT,
     .offset = offsetof(PsDevice, route),
     .max = 64,
     .unit = "characters",
     .protocols = FOR_EIP,
     .help = "EtherNet/IP: path from the Ethernet port to the controller as pairs of port and "
             "address, for example 1,0 (backplane, slot 0); left out: 1 and the slot. none: a "
             "device that is the controller itself."},
    {.key = "connected",
     .type = PS_OPTION_BOOL,
     .offset = offsetof(PsDevice, connected),
     .fallback = "true",
     .protocols = FOR_EIP,
     .help = "EtherNet/IP: a CIP connection (Forward Open), which a controller serves faster; "
             "false: each request by itself, for devices with no connection to spare."},
    {.key = "url",
     .type = PS_OPTION_TEXT,
     .offset = offsetof(PsDevice, url),
     .max = 256,
     .unit = "characters",
     .protocols = FOR_OPCUA,
     .help = "OPCUA: address of the server, opc.tcp://host:port/path, in place of ip and port."},
    {.key = "auth",
     .type = PS_OPTION_WORD,
     .offset = offsetof(PsDevice, auth),
     .words = &opcua_auth_words,
     .fallback = "Anonymous",
     .protocols = FOR_OPCUA,
     .help = "OPCUA: how the gateway shows who it is."},
    {.key = "username",
     .type = PS_OPTION_TEXT,
     .offset = offsetof(PsDevice, username),
     .max = 128,
     .unit = "characters",
     .protocols = FOR_OPCUA,
     .help = "OPCUA with Username/Password: the user."},
    {.key = "password_file",
     .type = PS_OPTION_PATH,
     .offset = offsetof(PsDevice, password_file),
     .max = 4096,
     .secret = true,
     .protocols = FOR_OPCUA,
     .help = "OPCUA with Username/Password: file whose first line is the password, mode 0600."},
    {.key = "cert",
     .type = PS_OPTION_PATH,
     .offset = offsetof(PsDevice, cert),
     .max = 4096,
     .protocols = FOR_OPCUA,
     .help = "OPCUA with Certificate: the user's certificate, PEM or DER."},
    {.key = "key",
     .type = PS_OPTION_PATH,
     .offset = offsetof(PsDevice, key),
     .max = 4096,
     .secret = true,
     .protocols = FOR_OPCUA,
     .help = "OPCUA with Certificate: its private key, mode 0600."},
    {.key = "security_policy",
     .type = PS_OPTION_WORD,
     .offset = offsetof(PsDevice, security_policy),
     .words = &opcua_policy_words,
     .fallback = "Automatic detection",
     .protocols = FOR_OPCUA,
     .help = "OPCUA: how messages are protected. Automatic detection takes the strongest the "
             "server offers, and never falls back to None where it offers better."},
    {.key = "security_mode",
     .type = PS_OPTION_WORD,
     .offset = offsetof(PsDevice, security_mode),
     .words = &opcua_mode_words,
     .fallback = "Automatic detection",
     .protocols = FOR_OPCUA,
     .help = "OPCUA: whether messages are signed, and encrypted as well."},
};
TABLE(ps_table_device, "devices", "device", "device_name", "The devices (PLCs) to read.",
      device_options);

static const PsOption variable_options[] = {
    {.key = "var_name",
     .type = PS_OPTION_TEXT,
     .required = true,
     .offset = offsetof(PsVariable, name),
     .min = 1,
     .max = 128,
     .unit = "characters",
     .help = "Name of the variable, unique within its device."},
    {.key = "device",
     .type = PS_OPTION_TEXT,
     .required = true,
     .offset = offsetof(PsVariable, device_name),
     .min = 1,
     .max = 128,
     .unit = "characters",
     .help = "Name of the device the variable belongs to."},
    {.key = "group",
     .type = PS_OPTION_TEXT,
     .offset = offsetof(PsVariable, group_name),
     .min = 1,
     .max = 128,
     .unit = "characters",
     .fallback = "default",
     .help = "Name of the collect group that reads the variable."},
    {.key = "data_type",
     .type = PS_OPTION_WORD,
     .offset = offsetof(PsVariable, data_type),
     .store = PS_STORE_INT8,
     .words = &ps_data_type_words,
     .fallback = "AUTO",
     .help = "Type of the value in the device. AUTO is for EtherNet/IP and OPCUA, which say it "
             "themselves; Modbus and ISO-on-TCP need it."},
    {.key = "register_addr",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsVariable, register_addr),
     .min = 0,
     .max = 465535,
     .protocols = FOR_MODBUS | FOR_ISO,
     .help = "Modbus: register address as written in the PLC's notation: 1 (coil), 10001 or 110001 "
             "(discrete input), 30001 or 310001 (input register), 40001 or 410001 (holding "
             "register). ISO-on-TCP: number of the first byte."},
    {.key = "register_bit",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsVariable, register_bit),
     .store = PS_STORE_INT8,
     .min = 0,
     .max = 15,
     .protocols = FOR_MODBUS | FOR_ISO,
     .help = "Bit of the register (0 to 15) or S7 byte (0 to 7), for BOOL and BIT; 0 is the least "
             "significant."},
    {.key = "register_type",
     .type = PS_OPTION_WORD,
     .offset = offsetof(PsVariable, register_type),
     .store = PS_STORE_INT8,
     .words = &ps_s7_area_words,
     .protocols = FOR_ISO,
     .help = "ISO-on-TCP: I (inputs), Q (outputs), M (flags) or DB (data block)."},
    {.key = "dbnumber",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsVariable, dbnumber),
     .store = PS_STORE_UINT16,
     .min = 0,
     .max = 65535,
     .fallback = "0",
     .protocols = FOR_ISO,
     .help = "ISO-on-TCP: number of the data block, for register_type DB."},
    {.key = "symbol",
     .type = PS_OPTION_TEXT,
     .offset = offsetof(PsVariable, symbol),
     .max = 255,
     .unit = "characters",
     .protocols = FOR_EIP | FOR_SIMULATOR,
     .help = "EtherNet/IP: the tag as the controller's program names it, for example ZB.LEN.16 or "
             "Program:Main.Speeds[3]. Simulator: what is simulated, for example ramp/10/0..100 or "
             "cell/NAME."},
    {.key = "identifier",
     .type = PS_OPTION_TEXT,
     .offset = offsetof(PsVariable, identifier),
     .max = 512,
     .unit = "characters",
     .protocols = FOR_OPCUA,
     .help = "OPCUA: identifier of the node, in the form identifier_type says; or the whole node "
             "id, ns=2;s=Tank.Level or nsu=urn:plant;i=1001, without the two keys beside it."},
    {.key = "identifier_type",
     .type = PS_OPTION_WORD,
     .offset = offsetof(PsVariable, identifier_type),
     .store = PS_STORE_INT8,
     .words = &ps_identifier_type_words,
     .fallback = "String",
     .protocols = FOR_OPCUA,
     .help = "OPCUA: kind of the identifier."},
    {.key = "namespace_index",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsVariable, namespace_index),
     .store = PS_STORE_UINT16,
     .min = 0,
     .max = 65535,
     .fallback = "0",
     .protocols = FOR_OPCUA,
     .help = "OPCUA: namespace of the identifier, by its number. Numbers may change when a server "
             "is set up anew; nsu= in the identifier names the namespace by its URI."},
    {.key = "array_index",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsVariable, array_index),
     .min = 0,
     .max = 65535,
     .protocols = FOR_OPCUA,
     .help = "OPCUA: which element of an array, from 0."},
    {.key = "read_write",
     .type = PS_OPTION_WORD,
     .offset = offsetof(PsVariable, access),
     .store = PS_STORE_INT8,
     .words = &access_words,
     .fallback = "read",
     .help = "What the gateway may do with the variable; 'write' is never read."},
    {.key = "mode",
     .type = PS_OPTION_WORD,
     .offset = offsetof(PsVariable, mode),
     .store = PS_STORE_INT8,
     .words = &mode_words,
     .fallback = "realtime",
     .help = "realtime: in every upload; onchange: only when the value or its status changed."},
    {.key = "float_repr",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsVariable, float_repr),
     .store = PS_STORE_INT8,
     .min = 0,
     .max = 6,
     .fallback = "2",
     .help = "Decimal places floating-point values are rounded to, half up."},
    {.key = "size",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsVariable, size),
     .store = PS_STORE_INT16,
     .min = 1,
     .max = 250,
     .unit = "characters",
     .fallback = "1",
     .help = "Length of a STRING or S7STRING; with AUTO the longest text that is kept, 82 when it "
             "is less."},
    {.key = "unit",
     .type = PS_OPTION_TEXT,
     .offset = offsetof(PsVariable, unit),
     .max = 32,
     .help = "Unit shown behind the value."},
    {.key = "desc",
     .type = PS_OPTION_TEXT,
     .offset = offsetof(PsVariable, desc),
     .max = 256,
     .help = "Description for people."},
};
TABLE(ps_table_variable, "vars", "var", "var_name", "The variables to read from the devices.",
      variable_options, .shorthand = &ps_shorthand_s7);
