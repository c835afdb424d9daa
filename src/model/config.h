//! A loaded configuration: devices, variables, groups, alarms, messages, cloud, parameters.
//!
//! Key names and meanings are those of Device Supervisor 1.x (devices, vars, groups, warning,
//! publish, subscribe). A PsConfig is immutable once loaded; every pointer in it lives in its arena
//! and dies with ps_config_free. References between objects are checked while loading and stored as
//! indexes, so users of a config never look names up.
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "model/findings.h"

#include <stdbool.h>
#include <stdint.h>

#define PS_CONFIG_VERSION 1
#define PS_CONFIG_FILE "penstock.json"
#define PS_CONFIG_BYTES_MAX ((size_t)256 * 1024 * 1024)

typedef enum PsProtocol {
    PS_PROTOCOL_MODBUS_TCP,
    PS_PROTOCOL_MODBUS_RTU,
    PS_PROTOCOL_ISO_ON_TCP,
    PS_PROTOCOL_OPCUA,
    PS_PROTOCOL_ETHERNET_IP,
    PS_PROTOCOL_SIMULATOR, ///< no device at all: the gateway computes the values
} PsProtocol;

/// Order of the bytes of a value of 32 bits or more; `a` is the most significant byte.
/// 0xAABBCCDD in two registers: abcd AABB CCDD, badc BBAA DDCC, cdab CCDD AABB, dcba DDCC BBAA.
typedef enum PsByteOrder {
    PS_ORDER_ABCD,
    PS_ORDER_BADC,
    PS_ORDER_CDAB,
    PS_ORDER_DCBA,
} PsByteOrder;

/// How a serial line is wired.
typedef enum PsSerialMode {
    PS_SERIAL_RS485,
    PS_SERIAL_RS232,
} PsSerialMode;

typedef enum PsParity {
    PS_PARITY_NONE,
    PS_PARITY_ODD,
    PS_PARITY_EVEN,
} PsParity;

typedef enum PsDataType {
    PS_TYPE_BOOL,
    PS_TYPE_BIT,
    PS_TYPE_BYTE,
    PS_TYPE_SINT,
    PS_TYPE_WORD,
    PS_TYPE_INT,
    PS_TYPE_DWORD,
    PS_TYPE_DINT,
    PS_TYPE_FLOAT,
    PS_TYPE_DOUBLE,
    PS_TYPE_STRING,
    PS_TYPE_BCD,
    PS_TYPE_BCD32,
    PS_TYPE_LONG,
    PS_TYPE_ULONG,
    PS_TYPE_S7STRING, ///< a STRING of Siemens controllers, with its two bytes of lengths before it
    PS_TYPE_AUTO,     ///< what the device says it is; only where the protocol says it
} PsDataType;

/// Where an S7 value lies.
typedef enum PsS7Area {
    PS_S7_INPUTS,  ///< I
    PS_S7_OUTPUTS, ///< Q
    PS_S7_FLAGS,   ///< M
    PS_S7_DB,
} PsS7Area;

/// How an S7 controller is addressed behind its IP address.
typedef enum PsS7Mode {
    PS_S7_RACK_SLOT,
    PS_S7_TSAP,
} PsS7Mode;

/// Kinds of OPC UA node identifiers (Part 3, 8.2.3).
typedef enum PsIdentifierType {
    PS_IDENTIFIER_STRING,
    PS_IDENTIFIER_NUMBER,
    PS_IDENTIFIER_GUID,
    PS_IDENTIFIER_OPAQUE, ///< base64
} PsIdentifierType;

/// How the gateway shows an OPC UA server who it is.
typedef enum PsOpcuaAuth {
    PS_OPCUA_ANONYMOUS,
    PS_OPCUA_USER_NAME,
    PS_OPCUA_CERTIFICATE,
} PsOpcuaAuth;

typedef enum PsOpcuaPolicy {
    PS_OPCUA_POLICY_AUTO, ///< the strongest that the server offers for the mode
    PS_OPCUA_POLICY_NONE,
    PS_OPCUA_POLICY_BASIC256SHA256,
    PS_OPCUA_POLICY_AES128,
} PsOpcuaPolicy;

typedef enum PsOpcuaMode {
    PS_OPCUA_MODE_AUTO, ///< the strongest that the server offers for the policy
    PS_OPCUA_MODE_NONE,
    PS_OPCUA_MODE_SIGN,
    PS_OPCUA_MODE_SIGN_ENCRYPT,
} PsOpcuaMode;

typedef enum PsVariableAccess {
    PS_ACCESS_READ,
    PS_ACCESS_WRITE, ///< never read
    PS_ACCESS_READ_WRITE,
} PsVariableAccess;

typedef enum PsMode {
    PS_MODE_REALTIME, ///< in every upload
    PS_MODE_ONCHANGE, ///< in an upload only when the value or its status changed
} PsMode;

typedef enum PsGroupType {
    PS_GROUP_COLLECT,
    PS_GROUP_ALARM,
} PsGroupType;

typedef enum PsCompare {
    PS_COMPARE_EQ,
    PS_COMPARE_NEQ,
    PS_COMPARE_GT,
    PS_COMPARE_GNE, ///< >=
    PS_COMPARE_LNE, ///< <=
    PS_COMPARE_LT,
} PsCompare;

typedef enum PsCombine {
    PS_COMBINE_NONE, ///< the first condition alone
    PS_COMBINE_AND,
    PS_COMBINE_OR,
} PsCombine;

typedef enum PsCloudType {
    PS_CLOUD_AWS_IOT,
    PS_CLOUD_STANDARD_MQTT,
} PsCloudType;

typedef enum PsMqttVersion {
    PS_MQTT_V31,
    PS_MQTT_V311,
} PsMqttVersion;

/// "WORD", "abcd", "ModbusTCP", ...: the words of the configuration file. Never NULL.
const char *ps_protocol_name(int protocol);
const char *ps_data_type_name(int data_type);
const char *ps_byte_order_name(int byte_order);
const char *ps_access_name(int access);
const char *ps_mode_name(int mode);
const char *ps_group_type_name(int type);
const char *ps_cloud_type_name(int type);
const char *ps_s7_area_name(int area);
const char *ps_identifier_type_name(int type);
const char *ps_s7_mode_name(int mode);
const char *ps_opcua_auth_name(int auth);
const char *ps_opcua_policy_name(int policy);
const char *ps_opcua_mode_name(int mode);
const char *ps_compare_name(int compare);
const char *ps_combine_name(int combine);
const char *ps_serial_mode_name(int mode);
const char *ps_parity_name(int parity);

/// Not set: an optional number the file does not give.
#define PS_UNSET (-1)

typedef struct PsDevice {
    const char *name;
    int protocol; ///< PsProtocol
    const char *ip;
    int port;                ///< never 0 after loading: the protocol's default is filled in
    const char *serial_name; ///< of the serial port it is behind, "" when it is reached by ip
    int slave;
    int byte_order; ///< PsByteOrder
    double timeout; ///< seconds a request may take before the device counts as silent
    bool comm_alarm;
    int comm_alarm_level; ///< from here on: of that alarm
    const char *comm_alarm_group;
    double comm_alarm_on_delay;  ///< seconds of silence
    double comm_alarm_off_delay; ///< seconds it must answer
    const char *comm_alarm_content;
    uint32_t serial; ///< index into serials; only when serial_name is not empty
    int s7_mode;     ///< PsS7Mode
    int rack;
    int slot;                ///< of ISO-on-TCP in rack/slot mode and of EtherNet/IP
    const char *client_tsap; ///< "10.00": two hexadecimal bytes
    const char *server_tsap;
    const char *route;         ///< EtherNet/IP: port,address,...; "": 1,slot
    bool connected;            ///< EtherNet/IP: connected messaging (Forward Open)
    const char *url;           ///< OPC UA: in place of ip and port; "": opc.tcp://ip:port
    int auth;                  ///< PsOpcuaAuth; this and what follows is of OPC UA
    const char *username;      ///< of PS_OPCUA_USER_NAME
    const char *password_file; ///< absolute path, or ""
    const char *cert;          ///< of PS_OPCUA_CERTIFICATE; absolute path, or ""
    const char *key;           ///< its private key
    int security_policy;       ///< PsOpcuaPolicy
    int security_mode;         ///< PsOpcuaMode
} PsDevice;

/// A serial port with all its devices.
typedef struct PsSerial {
    const char *name;
    const char *path; ///< "/dev/ttyS1"
    int mode;         ///< PsSerialMode
    int baud_rate;
    int data_bits;
    int parity; ///< PsParity
    int stop_bits;
    int pause_ms; ///< between requests, on top of what the protocol asks for
} PsSerial;

/// There may be 100,000 of them, twice: fields that need no more have one or two bytes.
typedef struct PsVariable {
    const char *name;
    const char *device_name;
    const char *group_name;
    const char *unit;
    const char *desc;
    const char *symbol;     ///< EtherNet/IP: the tag, "Program:Main.Speed[3].Value"; simulator: the
                            ///< place, "ramp/10/0..100"; "" otherwise
    const char *identifier; ///< OPC UA: of the node; "" otherwise
    int8_t data_type;       ///< PsDataType
    int8_t access;          ///< PsVariableAccess
    int8_t mode;            ///< PsMode
    int8_t float_repr;      ///< decimal places of floating-point values
    int8_t register_bit;    ///< PS_UNSET when not given
    int8_t register_type;   ///< PsS7Area; PS_UNSET when not given
    int8_t identifier_type; ///< PsIdentifierType
    int16_t size;           ///< characters of STRING and S7STRING
    uint16_t dbnumber;      ///< of PS_S7_DB; 0 when not given
    uint16_t namespace_index; ///< OPC UA
    int register_addr; ///< as written: 40001, 310001, ...; S7: the byte; PS_UNSET when not given
    int array_index;   ///< OPC UA: element of an array; PS_UNSET: the whole value
    uint32_t device;   ///< index into devices
    uint32_t group;    ///< index into groups
} PsVariable;

typedef struct PsGroup {
    const char *name;
    int type;                ///< PsGroupType
    double polling_interval; ///< seconds
    double upload_interval;  ///< seconds; unused for alarm groups
    bool every_sample;       ///< not the newest snapshot only; unused for alarm groups
    uint32_t variable_count; ///< variables it reads, counted while loading
    uint32_t alarm_count;    ///< alarms that belong to it, counted while loading
} PsGroup;

/// One comparison of an alarm: value, operator, operand.
typedef struct PsCondition {
    int compare; ///< PsCompare
    const char *operand;
} PsCondition;

/// What the name of a device's communication alarm has behind the device's.
#define PS_COMM_ALARM_SUFFIX " communication"

/// Characters of a text whose length nobody has given, because its type is the device's own.
#define PS_AUTO_TEXT_SIZE 82U

/// Most bytes of text a value of the variable can have, 0 when it is never a text. Longer texts of
/// a device are cut.
static inline uint32_t ps_variable_text_size(const PsVariable *variable) {
    bool is_text = variable->data_type == PS_TYPE_STRING || variable->data_type == PS_TYPE_S7STRING;
    uint32_t size = variable->size > 0 ? (uint32_t)variable->size : 0;
    if (variable->data_type == PS_TYPE_AUTO) {
        return size > PS_AUTO_TEXT_SIZE ? size : PS_AUTO_TEXT_SIZE;
    }
    return is_text ? size : 0;
}

/// An alarm: `warning` in the file, or the communication alarm of a device, which watches no
/// variable.
typedef struct PsAlarm {
    const char *name;
    const char *group_name;
    int quotes; ///< 1: watches a variable of vars; 0: has an address of its own
    const char *device_name;
    const char *variable_name;
    const char *content;
    PsCondition conditions[2];
    int combine;       ///< PsCombine; the second condition counts unless it is None
    double hysteresis; ///< by how much the value must leave the condition, 0: at all
    double on_delay;   ///< seconds the condition must hold
    double off_delay;  ///< seconds it must not hold
    int data_type;     ///< from here on: quotes 0; PS_UNSET when not given
    int register_addr; ///< PS_UNSET when not given
    int register_bit;
    int register_type;
    int dbnumber;
    const char *symbol;
    const char *identifier;
    int identifier_type;
    int namespace_index;
    int float_repr;
    int size;
    const char *unit;
    const char *desc;
    uint32_t group;    ///< index into groups
    uint32_t place;    ///< its number among the alarms of its group
    uint32_t variable; ///< quotes 1: index into variables of the one that is meant
    uint32_t watched;  ///< index into variables of what is read for it; none when is_comm
    uint32_t device;   ///< index into devices
    int level;         ///< 1 to 5; 1 for those of `warning`
    bool is_comm;      ///< on while the device does not answer; no variable, condition or address
} PsAlarm;

typedef struct PsCloud {
    bool enable;
    int type; ///< PsCloudType
    const char *endpoint;
    int port; ///< never 0 after loading: the type's default is filled in
    const char *client_id;
    const char *cert;    ///< absolute path, or "" when not used
    const char *key;     ///< absolute path, or ""
    const char *root_ca; ///< absolute path, or ""
    int keepalive;       ///< seconds
    bool clean_session;
    const char *alpn;          ///< "" = `x-amzn-mqtt-ca` on port 443 of AWS IoT, none elsewhere
    bool tls;                  ///< Standard MQTT only; AWS IoT is always TLS
    const char *username;      ///< Standard MQTT only
    const char *password_file; ///< Standard MQTT only; absolute path, or ""
    int mqtt_version;          ///< PsMqttVersion, Standard MQTT only
    int window;                ///< publishes without acknowledgement
    int publish_rate;          ///< publishes a second, 0 without limit, or PS_UNSET
    int publish_kib;           ///< payload KiB a second, likewise
} PsCloud;

/// A text list inside a configuration.
typedef struct PsTextList {
    const char **items;
    uint32_t count;
} PsTextList;

/// Longest script.
#define PS_SCRIPT_BYTES_MAX ((size_t)1024 * 1024)

/// What one worker process may use.
typedef struct PsScriptLimits {
    int memory_mb;
    int cpu_percent; ///< of one processor, over ten seconds
    int threads;
    int scratch_mb;
    bool network; ///< it may connect out
} PsScriptLimits;

/// What makes room when the outbox is full.
typedef enum PsWhenFull {
    PS_FULL_DROP_OLDEST,
    PS_FULL_THIN_OUT,
} PsWhenFull;

/// How the outbox treats what an entry sends.
typedef struct PsMessageDelivery {
    bool live_first;
    int when_full;         ///< PsWhenFull
    bool split;            ///< lists that are too large for the cloud
    int pack_kib;          ///< size of packed messages, 0 = not packed
    const char *gap_topic; ///< "" = no gap records; may hold ${parameter}
} PsMessageDelivery;

typedef struct PsPublish {
    const char *name;
    const char *topic; ///< may hold ${parameter}
    int qos;
    int group_type; ///< PsGroupType
    PsTextList group_names;
    const char *main_function;
    const char *script; ///< absolute path
    double timeout;     ///< seconds one call may take
    PsScriptLimits limits;
    PsMessageDelivery delivery;
    uint32_t *groups; ///< indexes into groups, group_names.count of them
    PsBuf source;     ///< the script's text; owned by the config, not by the arena
} PsPublish;

typedef struct PsSubscribe {
    const char *name;
    const char *topic; ///< filter; may hold +, # and ${parameter}
    int qos;
    const char *main_function;
    const char *script;
    double timeout;
    PsScriptLimits limits;
    PsMessageDelivery delivery;
    PsBuf source;
} PsSubscribe;

/// One custom parameter, `${name}` in topics.
typedef struct PsCustom {
    const char *name;
    const char *value;
} PsCustom;

typedef struct PsParameters {
    int log_level; ///< PsLogLevel
    int catch_recording;
    int warning_recording;
    int max_loss_s; ///< 0, 1 or 10
    int dead_max;
    int dead_max_mb;
    int outbox_max_mb;
    int outbox_free_mb;
    const char *gateway_sn; ///< serial number scripts see
    PsCustom *custom;
    uint32_t custom_count;
} PsParameters;

/// The server of the web interface and the REST API.
typedef struct PsWeb {
    bool enable;
    const char *address; ///< IP address
    int port;
    const char *cert; ///< absolute path, or "": the gateway's own certificate
    const char *key;  ///< absolute path, or ""
    int session_idle_min;
    int session_max_h;
    int connections_max;
} PsWeb;

typedef struct PsConfig {
    PsArena *arena;
    const char *folder; ///< absolute path of the configuration folder
    PsDevice *devices;
    uint32_t device_count;
    PsVariable *variables; ///< variable_count of `vars`, then watched_count of alarms
    uint32_t variable_count;
    uint32_t watched_count; ///< what alarms read, each in its alarm group; nobody else sees them
    PsGroup *groups;        ///< always holds `default` (collect) and `warning` (alarm)
    uint32_t group_count;
    PsAlarm *alarms; ///< those of `warning`, then those of devices
    uint32_t alarm_count;
    PsPublish *publish;
    uint32_t publish_count;
    PsSubscribe *subscribe;
    uint32_t subscribe_count;
    PsCloud cloud;
    PsParameters parameters;
    PsWeb web;
    PsSerial *serials;
    uint32_t serial_count;
} PsConfig;

/// Is the device behind a serial port of the gateway?
static inline bool ps_device_is_serial(const PsDevice *device) {
    return device->serial_name != NULL && device->serial_name[0] != '\0';
}

/// Everything that is read or written: variables of `vars` and what alarms watch.
static inline uint32_t ps_config_polled_count(const PsConfig *config) {
    return config->variable_count + config->watched_count;
}

/// How many alarms stand in `warning`: those before the communication alarms.
static inline uint32_t ps_config_warning_count(const PsConfig *config) {
    uint32_t count = config->alarm_count;
    while (count > 0 && config->alarms[count - 1].is_comm) {
        count--;
    }
    return count;
}

/// Asks the protocol's owner whether a variable can exist on its device; true when sound. The
/// check lives with the driver (above this layer) and is passed in.
typedef PsErr PsVariableCheck(const PsDevice *device, const PsVariable *variable, PsDiag *diag);
/// The check for a protocol, or NULL when this build has no driver for it.
typedef PsVariableCheck *PsVariableCheckFor(int protocol);

/// Loads and checks the folder's penstock.json and scripts. Every finding is put into
/// `findings`; with at least one error nothing is returned and the result is PS_ERR_INVALID.
/// Reads files: not for the running main loop with large folders.
PsErr ps_config_load(const char *folder, PsVariableCheckFor *check_for, PsFindings *findings,
                     PsConfig **ret_config);

/// The same from bytes in memory; files that the text names (scripts, certificates) are looked up
/// under `folder`. This is the entry for fuzzing.
PsErr ps_config_parse(const char *folder, const void *json, size_t len,
                      PsVariableCheckFor *check_for, PsFindings *findings, PsConfig **ret_config);

/// A file that is not on the disk (not yet, or not any more). `path` as in penstock.json: below the
/// configuration folder, or absolute.
typedef struct PsConfigFile {
    const char *path;
    const void *bytes;
    size_t len;
} PsConfigFile;

/// ps_config_parse where the scripts among `files` stand in for those on the disk.
PsErr ps_config_parse_with(const char *folder, const void *json, size_t len,
                           const PsConfigFile *files, size_t file_count,
                           PsVariableCheckFor *check_for, PsFindings *findings,
                           PsConfig **ret_config);

/// A path below the configuration folder without it, others as they are: as in penstock.json.
const char *ps_config_short_path(const PsConfig *config, const char *path);

/// Appends the configuration as penstock.json text: two-space indent, stable key order, one
/// object a line, defaults left out. Paths are written relative to the folder.
void ps_config_write(const PsConfig *config, PsBuf *out);

/// Accepts NULL.
void ps_config_free(PsConfig *config);

/// Replaces each ${name} with the custom parameter of that name and appends the result to `out`.
/// Unknown names stay as they are; the first of them is returned through `ret_unknown` (borrowed
/// from `text`, `ret_unknown_len` bytes), NULL when all were known.
void ps_config_expand(const PsConfig *config, const char *text, PsBuf *out,
                      const char **ret_unknown, size_t *ret_unknown_len);
