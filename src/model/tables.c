// The option tables of penstock.json: every key, its unit, range, default and meaning, once.
// Names, ranges and defaults are those of Device Supervisor 1.x where it has the field.
// Constant data.
#include "model/tables.h"

#include "model/config.h"
#include "model/tables_private.h"

#include <limits.h>
#include <stddef.h>

WORDS(cloud_type_words, "AWS IoT", "Standard MQTT");
WORDS(mqtt_version_words, "MQTTv31", "MQTTv311");
WORDS(log_level_words, "DEBUG", "INFO", "WARNING", "ERROR");

static const char *const group_type_items[] = {"collect", "alarm"};
const PsWords ps_group_type_words = {group_type_items, PS_COUNT(group_type_items)};

static const char *const data_type_items[] = {"BOOL",  "BIT",  "BYTE",  "SINT",     "WORD",   "INT",
                                              "DWORD", "DINT", "FLOAT", "DOUBLE",   "STRING", "BCD",
                                              "BCD32", "LONG", "ULONG", "S7STRING", "AUTO"};
const PsWords ps_data_type_words = {data_type_items, PS_COUNT(data_type_items)};

static const char *const s7_area_items[] = {"I", "Q", "M", "DB"};
const PsWords ps_s7_area_words = {s7_area_items, PS_COUNT(s7_area_items)};

static const char *const identifier_type_items[] = {"String", "Number", "Guid", "Opaque"};
const PsWords ps_identifier_type_words = {identifier_type_items, PS_COUNT(identifier_type_items)};

const char *ps_word_at(const PsWords *words, int index) {
    return index >= 0 && (size_t)index < words->count ? words->items[index] : "unknown";
}

const char *ps_data_type_name(int data_type) {
    return ps_word_at(&ps_data_type_words, data_type);
}

const char *ps_group_type_name(int type) {
    return ps_word_at(&ps_group_type_words, type);
}

const char *ps_cloud_type_name(int type) {
    return ps_word_at(&cloud_type_words, type);
}

const char *ps_s7_area_name(int area) {
    return ps_word_at(&ps_s7_area_words, area);
}

const char *ps_identifier_type_name(int type) {
    return ps_word_at(&ps_identifier_type_words, type);
}

static const PsOption group_options[] = {
    {.key = "group_name",
     .type = PS_OPTION_TEXT,
     .required = true,
     .offset = offsetof(PsGroup, name),
     .min = 1,
     .max = 128,
     .unit = "characters",
     .help = "Name of the group. 'default' (collect) and 'warning' (alarm) always exist."},
    {.key = "group_type",
     .type = PS_OPTION_WORD,
     .offset = offsetof(PsGroup, type),
     .words = &ps_group_type_words,
     .fallback = "collect",
     .help = "collect: reads and uploads variables; alarm: evaluates alarms."},
    {.key = "polling_interval",
     .type = PS_OPTION_NUMBER,
     .offset = offsetof(PsGroup, polling_interval),
     .min = 0.01,
     .max = 3600,
     .unit = "s",
     .fallback = "10",
     .help = "How often the group's variables are read."},
    {.key = "upload_interval",
     .type = PS_OPTION_NUMBER,
     .offset = offsetof(PsGroup, upload_interval),
     .min = 0.01,
     .max = 3600,
     .unit = "s",
     .fallback = "10",
     .help = "How often the newest values go to the scripts; never more often than they are "
             "read."},
    {.key = "every_sample",
     .type = PS_OPTION_BOOL,
     .offset = offsetof(PsGroup, every_sample),
     .fallback = "false",
     .help = "true: the scripts get every reading of an upload interval, one call for each, not "
             "the newest only."},
};
TABLE(ps_table_group, "groups", "group", "group_name", "Schedules of reading and uploading.",
      group_options);

static const PsOption cloud_options[] = {
    {.key = "enable",
     .type = PS_OPTION_BOOL,
     .offset = offsetof(PsCloud, enable),
     .fallback = "true",
     .help = "false: the block is kept but nothing connects."},
    {.key = "type",
     .type = PS_OPTION_WORD,
     .offset = offsetof(PsCloud, type),
     .words = &cloud_type_words,
     .fallback = "AWS IoT",
     .help = "Kind of server."},
    {.key = "endpoint",
     .type = PS_OPTION_TEXT,
     .required = true,
     .offset = offsetof(PsCloud, endpoint),
     .min = 1,
     .max = 253,
     .unit = "characters",
     .help = "Host name of the server; for AWS IoT the data endpoint from its Settings page, "
             "without scheme or port."},
    {.key = "port",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsCloud, port),
     .min = 1,
     .max = 65535,
     .help = "TCP port; left out: 8883 for AWS IoT, 1883 for Standard MQTT. On 443 AWS IoT is "
             "reached through ALPN, which most firewalls let pass."},
    {.key = "client_id",
     .type = PS_OPTION_TEXT,
     .required = true,
     .offset = offsetof(PsCloud, client_id),
     .min = 1,
     .max = 128,
     .unit = "bytes",
     .help = "MQTT client id, unique on the server; a second connection with the same id ends "
             "the first."},
    {.key = "cert",
     .type = PS_OPTION_PATH,
     .offset = offsetof(PsCloud, cert),
     .max = 1024,
     .help = "Certificate of the thing, PEM."},
    {.key = "key",
     .type = PS_OPTION_PATH,
     .offset = offsetof(PsCloud, key),
     .max = 1024,
     .help = "Private key of the thing, PEM, mode 0600.",
     .secret = true},
    {.key = "root_ca",
     .type = PS_OPTION_PATH,
     .offset = offsetof(PsCloud, root_ca),
     .max = 1024,
     .help = "Root certificates the server is checked against, PEM; several in one file are "
             "fine."},
    {.key = "keepalive",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsCloud, keepalive),
     .min = 1,
     .max = 3600,
     .unit = "s",
     .fallback = "60",
     .help = "MQTT keep-alive. AWS IoT treats less than 30 as 30 and more than 1200 as 1200."},
    {.key = "clean_session",
     .type = PS_OPTION_BOOL,
     .offset = offsetof(PsCloud, clean_session),
     .fallback = "true",
     .help = "true: the server forgets subscriptions and waiting messages between connections."},
    {.key = "alpn",
     .type = PS_OPTION_TEXT,
     .offset = offsetof(PsCloud, alpn),
     .max = 64,
     .help = "ALPN protocol name; left out: x-amzn-mqtt-ca on port 443 of AWS IoT, none "
             "elsewhere."},
    {.key = "tls",
     .type = PS_OPTION_BOOL,
     .offset = offsetof(PsCloud, tls),
     .fallback = "false",
     .help = "Standard MQTT: encrypt. AWS IoT always does."},
    {.key = "username",
     .type = PS_OPTION_TEXT,
     .offset = offsetof(PsCloud, username),
     .max = 128,
     .help = "Standard MQTT: user name."},
    {.key = "password_file",
     .type = PS_OPTION_PATH,
     .offset = offsetof(PsCloud, password_file),
     .max = 1024,
     .help = "Standard MQTT: file that holds the password, mode 0600, so that the password is "
             "never part of the configuration.",
     .secret = true},
    {.key = "mqtt_version",
     .type = PS_OPTION_WORD,
     .offset = offsetof(PsCloud, mqtt_version),
     .words = &mqtt_version_words,
     .fallback = "MQTTv311",
     .help = "Standard MQTT: protocol version."},
    {.key = "window",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsCloud, window),
     .min = 1,
     .max = 100,
     .unit = "messages",
     .fallback = "100",
     .help = "Most messages on their way without acknowledgement; AWS IoT allows 100. Fewer are "
             "used while acknowledgements come slowly."},
    {.key = "publish_rate",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsCloud, publish_rate),
     .min = 0,
     .max = 100000,
     .unit = "messages/s",
     .help = "Most messages sent in a second, 0 without limit; left out: 80 for AWS IoT, which "
             "discards what exceeds 100, 0 for Standard MQTT. mqtt_publish of scripts has an "
             "eighth of it on top."},
    {.key = "publish_kib",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsCloud, publish_kib),
     .min = 0,
     .max = 1048576,
     .unit = "KiB/s",
     .help = "Most payload sent in a second, 0 without limit; left out: 448 for AWS IoT, which "
             "slows a connection down at 512, 0 for Standard MQTT."},
};
TABLE(ps_table_cloud, "cloud", "cloud", NULL, "The server that receives the messages.",
      cloud_options);

static const PsOption parameter_options[] = {
    {.key = "log_level",
     .type = PS_OPTION_WORD,
     .offset = offsetof(PsParameters, log_level),
     .words = &log_level_words,
     .fallback = "INFO",
     .help = "Least level of log lines that are shown. `penstock log-level` changes it until the "
             "restart, or for a time."},
    {.key = "catch_recording",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsParameters, catch_recording),
     .min = 1,
     .max = 100000,
     .unit = "messages",
     .fallback = "100000",
     .help = "Most messages of variables kept while the server cannot be reached; when full the "
             "oldest is dropped and counted."},
    {.key = "warning_recording",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsParameters, warning_recording),
     .min = 1,
     .max = 10000,
     .unit = "messages",
     .fallback = "2000",
     .help = "Most messages of alarms kept while the server cannot be reached, and most entries "
             "of the alarm history."},
    {.key = "max_loss_s",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsParameters, max_loss_s),
     .min = 0,
     .max = 10,
     .unit = "s",
     .fallback = "1",
     .help = "How much a sudden power loss may cost: 0 (every message is on disk before it is "
             "sent), 1 or 10 seconds."},
    {.key = "dead_max",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsParameters, dead_max),
     .min = 1,
     .max = 100000,
     .unit = "inputs",
     .fallback = "10000",
     .help = "Most inputs of failed script calls kept for `penstock outbox replay`; when full the "
             "oldest is dropped and counted."},
    {.key = "dead_max_mb",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsParameters, dead_max_mb),
     .min = 1,
     .max = 4096,
     .unit = "MB",
     .fallback = "64",
     .help = "Most room they take, with their tracebacks; when full the oldest is dropped and "
             "counted."},
    {.key = "outbox_max_mb",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsParameters, outbox_max_mb),
     .min = 1,
     .max = 1048576,
     .unit = "MB",
     .fallback = "512",
     .help = "Most room the waiting messages take, whatever their number; when full, room is made "
             "as each message's when_full says. Alarms do not go for values."},
    {.key = "outbox_free_mb",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsParameters, outbox_free_mb),
     .min = 0,
     .max = 1048576,
     .unit = "MB",
     .fallback = "64",
     .help = "The outbox stops growing while the disk has less free space than this; 0: it takes "
             "what there is."},
    {.key = "gateway_sn",
     .type = PS_OPTION_TEXT,
     .offset = offsetof(PsParameters, gateway_sn),
     .max = 64,
     .help = "Serial number that scripts see as gateway_sn."},
};
TABLE(ps_table_parameters, "parameters", "parameters", NULL,
      "Settings of the gateway; `custom` holds your own name/value pairs, `${name}` in topics.",
      parameter_options);

const PsOptionTable *const ps_tables[] = {
    &ps_table_device,
    &ps_table_variable,
    &ps_table_group,
    &ps_table_alarm,
    &ps_table_cloud,
    &ps_table_publish,
    &ps_table_subscribe,
    &ps_table_parameters,
    &ps_table_web,
    &ps_table_serial,
    NULL,
};
