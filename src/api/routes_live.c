// Routes of what happens: status, variables, alarms, log, outbox, scripts. Constant data.
#include "api/handlers_live.h"

#define SCRIPT_BODY_MAX ((size_t)2 * 1024 * 1024)
#define ID_MAX 9e15

static const PsApiParameter tags_parameters[] = {
    {"device", PS_API_QUERY, PS_API_TEXT, .help = "Only the variables of this device."},
    {NULL},
};

static const PsApiParameter bytes_parameters[] = {
    {"device", PS_API_PATH, PS_API_TEXT, .help = "The device's name."},
    {"name", PS_API_PATH, PS_API_TEXT, .help = "The variable's name."},
    {NULL},
};

static const PsApiParameter write_parameters[] = {
    {"device", PS_API_PATH, PS_API_TEXT, .help = "The device's name."},
    {"name", PS_API_PATH, PS_API_TEXT, .help = "The variable's name."},
    {"value", PS_API_BODY, PS_API_ANY, .required = true,
     .help = "What to write: a text as one types it, a number, true or false."},
    {NULL},
};

static const PsApiParameter variables_parameters[] = {
    {"device", PS_API_QUERY, PS_API_TEXT, .help = "Only the variables of this device."},
    {"group", PS_API_QUERY, PS_API_TEXT, .help = "Only those of this group."},
    {"quality", PS_API_QUERY, PS_API_TEXT,
     .help = "Only those of this quality: good, bad (all others), or its words: 'device away'."},
    {"search", PS_API_QUERY, PS_API_TEXT,
     .help = "A part of name, device, description or address, whatever the case."},
    {"sort", PS_API_QUERY, PS_API_TEXT,
     .help = "name, device, group, type, address, value, time or quality; -name: the other way "
             "round. Left out: as configured."},
    {"offset", PS_API_QUERY, PS_API_INTEGER, .max = 4e9, .help = "Where the page begins; 0."},
    {"limit", PS_API_QUERY, PS_API_INTEGER, .min = 1, .max = 1000, .help = "Most items; 50."},
    {NULL},
};

#define NAMES_SCHEMA                                                                               \
    "{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},"           \
    "\"minItems\":2,\"maxItems\":2}}"

static const PsApiParameter watch_parameters[] = {
    {"variables", PS_API_BODY, PS_API_ARRAY, .required = true, .max = 2000,
     .help = "Device and name of each.", .schema = NAMES_SCHEMA},
    {NULL},
};

static const PsApiParameter watch_set_parameters[] = {
    {"id", PS_API_PATH, PS_API_TEXT, .help = "The watch."},
    {"variables", PS_API_BODY, PS_API_ARRAY, .required = true, .max = 2000,
     .help = "Device and name of each.", .schema = NAMES_SCHEMA},
    {NULL},
};

static const PsApiParameter watch_id_parameters[] = {
    {"id", PS_API_PATH, PS_API_TEXT, .help = "The watch."},
    {NULL},
};

static const PsApiParameter events_parameters[] = {
    {"watch", PS_API_QUERY, PS_API_TEXT, .help = "Values of this watch."},
    {"alarms", PS_API_QUERY, PS_API_BOOLEAN, .help = "Alarms, when something about them changed."},
    {"status", PS_API_QUERY, PS_API_BOOLEAN, .help = "The state of the gateway, every second."},
    {"log", PS_API_QUERY, PS_API_TEXT, .help = "Log lines of at least this level."},
    {"log_after", PS_API_QUERY, PS_API_INTEGER, .max = ID_MAX,
     .help = "Log lines behind this one; left out: new ones only."},
    {NULL},
};

static const PsApiParameter trend_parameters[] = {
    {"device", PS_API_QUERY, PS_API_TEXT, .required = true, .help = "The device's name."},
    {"name", PS_API_QUERY, PS_API_TEXT, .required = true, .help = "The variable's name."},
    {"seconds", PS_API_QUERY, PS_API_INTEGER, .min = 1, .max = 3600,
     .help = "How far back; an hour."},
    {NULL},
};

static const PsApiParameter doctor_parameters[] = {
    {"seconds", PS_API_BODY, PS_API_INTEGER, .min = 1, .max = 60,
     .help = "How long it may take in all; 40."},
    {NULL},
};

static const PsApiParameter explain_parameters[] = {
    {"device", PS_API_QUERY, PS_API_TEXT, .required = true, .help = "The device's name."},
    {"name", PS_API_QUERY, PS_API_TEXT, .required = true, .help = "The variable's name."},
    {NULL},
};

static const PsApiParameter alarm_parameters[] = {
    {"name", PS_API_BODY, PS_API_TEXT, .required = true, .help = "Name of the alarm."},
    {NULL},
};

static const PsApiParameter shelve_parameters[] = {
    {"name", PS_API_BODY, PS_API_TEXT, .required = true, .help = "Name of the alarm."},
    {"seconds", PS_API_BODY, PS_API_INTEGER, .required = true, .help = "For how long."},
    {NULL},
};

static const PsApiParameter history_parameters[] = {
    {"name", PS_API_QUERY, PS_API_TEXT, .help = "A part of the alarm's name."},
    {"from", PS_API_QUERY, PS_API_NUMBER, .help = "Not before this time, seconds since the epoch."},
    {"until", PS_API_QUERY, PS_API_NUMBER, .help = "Before this time."},
    {"before_id", PS_API_QUERY, PS_API_INTEGER, .max = ID_MAX,
     .help = "The page behind the entry of this id."},
    {NULL},
};

static const PsApiParameter log_parameters[] = {
    {"after", PS_API_QUERY, PS_API_INTEGER, .max = ID_MAX,
     .help = "Only the lines behind this one: `last` of an earlier answer."},
    {"level", PS_API_QUERY, PS_API_TEXT, .help = "At least: DEBUG, INFO, WARNING or ERROR."},
    {"source", PS_API_QUERY, PS_API_TEXT, .help = "Only of this source file."},
    {"script", PS_API_QUERY, PS_API_TEXT, .help = "Only of the script of this message."},
    {"search", PS_API_QUERY, PS_API_TEXT, .help = "A part of the text, whatever the case."},
    {"limit", PS_API_QUERY, PS_API_INTEGER, .min = 1, .max = 10000,
     .help = "Most lines, the newest; 1000."},
    {"raw", PS_API_QUERY, PS_API_BOOLEAN,
     .help = "Answers `text`, the lines as in the log file; nothing else is looked at."},
    {NULL},
};

static const PsApiParameter download_parameters[] = {
    {"level", PS_API_QUERY, PS_API_TEXT, .help = "At least: DEBUG, INFO, WARNING or ERROR."},
    {"source", PS_API_QUERY, PS_API_TEXT, .help = "Only of this source file."},
    {"script", PS_API_QUERY, PS_API_TEXT, .help = "Only of the script of this message."},
    {"search", PS_API_QUERY, PS_API_TEXT, .help = "A part of the text, whatever the case."},
    {NULL},
};

static const PsApiParameter level_parameters[] = {
    {"level", PS_API_BODY, PS_API_TEXT, .required = true, .help = "DEBUG, INFO, WARNING or ERROR."},
    {"seconds", PS_API_BODY, PS_API_INTEGER, .help = "For how long; left out: until the restart."},
    {NULL},
};

static const PsApiParameter dead_parameters[] = {
    {"name", PS_API_QUERY, PS_API_TEXT, .help = "Only letters of this message."},
    {"id", PS_API_QUERY, PS_API_INTEGER, .max = ID_MAX,
     .help = "This letter alone, with its input."},
    {"after_ns", PS_API_QUERY, PS_API_INTEGER, .help = "`collected_ns` of the last of a page."},
    {"after_id", PS_API_QUERY, PS_API_INTEGER, .max = ID_MAX, .help = "Its `id`: the next page."},
    {NULL},
};

static const PsApiParameter clear_parameters[] = {
    {"name", PS_API_BODY, PS_API_TEXT, .required = true, .help = "Name of the message."},
    {"confirm", PS_API_BODY, PS_API_TEXT, .required = true, .help = "The name once more."},
    {NULL},
};

static const PsApiParameter replay_parameters[] = {
    {"name", PS_API_BODY, PS_API_TEXT, .required = true, .help = "Name of the message."},
    {"keep_going", PS_API_BODY, PS_API_BOOLEAN, .help = "Go on when a letter fails again."},
    {NULL},
};

static const PsApiParameter release_parameters[] = {
    {"name", PS_API_BODY, PS_API_TEXT, .required = true, .help = "Name of the message."},
    {NULL},
};

static const PsApiParameter run_parameters[] = {
    {"source", PS_API_BODY, PS_API_TEXT, .required = true, .help = "The script's text."},
    {"message", PS_API_BODY, PS_API_TEXT, .help = "The message it is for."},
    {"main_function", PS_API_BODY, PS_API_TEXT, .help = "Left out: the message's."},
    {"group", PS_API_BODY, PS_API_TEXT, .help = "The group whose values or alarms it gets."},
    {"group_type", PS_API_BODY, PS_API_TEXT, .help = "collect or alarm: the predefined group."},
    {"topic", PS_API_BODY, PS_API_TEXT, .help = "Topic of the received message, or to publish to."},
    {"payload", PS_API_BODY, PS_API_TEXT, .help = "The received message, for a subscribe script."},
    {NULL},
};

static const PsApiParameter canary_parameters[] = {
    {"name", PS_API_BODY, PS_API_TEXT, .required = true, .help = "Name of the message."},
    {"source", PS_API_BODY, PS_API_TEXT, .required = true, .help = "The draft's text."},
    {"calls", PS_API_BODY, PS_API_INTEGER, .help = "How many calls to compare; 100."},
    {NULL},
};

#define TEXT "{\"type\":\"string\"}"
#define INTEGER "{\"type\":\"integer\"}"
#define TIME "{\"type\":[\"number\",\"null\"]}"

#define VARIABLES_SCHEMA                                                                           \
    "{\"type\":\"object\",\"required\":[\"total\",\"offset\",\"items\"],\"properties\":{"          \
    "\"total\":" INTEGER ",\"offset\":" INTEGER                                                    \
    ",\"items\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":"                  \
    "[\"device\",\"name\",\"group\",\"type\",\"address\",\"access\",\"mode\",\"value\",\"text\","  \
    "\"unit\","                                                                                    \
    "\"quality\",\"time\",\"desc\"],\"properties\":{\"device\":" TEXT ",\"name\":" TEXT            \
    ",\"address\":" TEXT ",\"text\":" TEXT ",\"quality\":" TEXT ",\"time\":" TIME "}}}}}"
#define WRITTEN_SCHEMA                                                                             \
    "{\"type\":\"object\",\"required\":[\"result\",\"read_back\",\"text\"],\"properties\":{"       \
    "\"result\":" TEXT ",\"text\":" TEXT "}}"
#define WATCH_SCHEMA                                                                               \
    "{\"type\":\"object\",\"required\":[\"id\",\"list\",\"unknown\"],\"properties\":{\"id\":" TEXT \
    ",\"list\":" INTEGER ",\"unknown\":" NAMES_SCHEMA "}}"
#define TREND_SCHEMA                                                                               \
    "{\"type\":\"object\",\"required\":[\"points\"],\"properties\":{\"step\":{\"type\":"           \
    "\"number\"},"                                                                                 \
    "\"points\":{\"type\":\"array\",\"items\":{\"type\":\"array\",\"minItems\":2,\"maxItems\":2,"  \
    "\"items\":" TIME "}}}}"
#define EXPLAIN_SCHEMA                                                                             \
    "{\"type\":\"object\",\"required\":[\"variable\",\"device\",\"channel\",\"request\","          \
    "\"state\","                                                                                   \
    "\"last_error\",\"next_try\",\"what_to_do\"],\"properties\":{\"state\":" TEXT                  \
    ",\"last_error\":" TEXT ",\"next_try\":" TIME ",\"what_to_do\":" TEXT "}}"
#define LOG_SCHEMA                                                                                 \
    "{\"type\":\"object\",\"required\":[\"last\"],\"properties\":{\"last\":" INTEGER               \
    ",\"text\":" TEXT ",\"missed\":" INTEGER                                                       \
    ",\"lines\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":"                  \
    "[\"seq\",\"time\",\"level\",\"source\",\"line\",\"text\"],\"properties\":{\"seq\":" INTEGER   \
    ",\"time\":" TIME ",\"level\":" TEXT ",\"source\":" TEXT ",\"script\":" TEXT ",\"text\":" TEXT \
    "}}}}}"
#define DOCTOR_SCHEMA                                                                              \
    "{\"type\":\"object\",\"required\":[\"ok\",\"client_id\",\"steps\"],\"properties\":{\"ok\":{"  \
    "\"type\":"                                                                                    \
    "\"boolean\"},\"client_id\":" TEXT                                                             \
    ",\"steps\":{\"type\":\"array\",\"items\":{\"type\":\"object\","                               \
    "\"required\":[\"step\",\"ok\",\"detail\",\"cure\"],\"properties\":{\"step\":" TEXT            \
    ",\"ok\":{\"type\":[\"boolean\",\"null\"]},\"detail\":" TEXT ",\"cure\":" TEXT "}}}}}"

const PsApiRoute ps_api_routes_live[] = {
    {.method = "GET",
     .path = "/status",
     .id = "getStatus",
     .handler = ps_api_status,
     .role = PS_ROLE_VIEWER,
     .help = "Cloud, channels, groups, messages, outbox, script workers."},
    {.method = "GET",
     .path = "/metrics",
     .id = "getMetrics",
     .handler = ps_api_metrics,
     .role = PS_ROLE_VIEWER,
     .answer_type = "text/plain; version=0.0.4; charset=utf-8",
     .help = "The numbers of the status as Prometheus reads them."},
    {.method = "GET",
     .path = "/tags",
     .id = "listTags",
     .handler = ps_api_tags,
     .role = PS_ROLE_VIEWER,
     .parameters = tags_parameters,
     .help = "The current values of all variables, in one answer.",
     .statuses = "404"},
    {.method = "GET",
     .path = "/devices/{device}/variables/{name}/bytes",
     .id = "readVariableBytes",
     .handler = ps_api_read_bytes,
     .role = PS_ROLE_ENGINEER,
     .parameters = bytes_parameters,
     .answer_schema = "{\"type\":\"object\",\"required\":[\"bytes\"],\"properties\":{\"bytes\":{"
                      "\"type\":\"string\",\"pattern\":\"^([0-9A-F]{2}){0,8}$\"}}}",
     .help = "Reads what stands at the variable's place on the wire now, whatever its type says.",
     .statuses = "403 404 409 501 502 504 507"},
    {.method = "GET",
     .path = "/variables",
     .id = "listVariables",
     .handler = ps_api_variables,
     .role = PS_ROLE_VIEWER,
     .parameters = variables_parameters,
     .answer_schema = VARIABLES_SCHEMA,
     .help = "A page of the variables with their values, filtered, searched, sorted."},
    {.method = "POST",
     .path = "/watches",
     .id = "addWatch",
     .handler = ps_api_watch_add,
     .role = PS_ROLE_VIEWER,
     .parameters = watch_parameters,
     .answer_schema = WATCH_SCHEMA,
     .help = "Variables whose values are wanted as events; it ends a minute after its last reader.",
     .statuses = "422 507",
     .flags = PS_API_QUIET},
    {.method = "PUT",
     .path = "/watches/{id}",
     .id = "setWatch",
     .handler = ps_api_watch_set,
     .role = PS_ROLE_VIEWER,
     .parameters = watch_set_parameters,
     .answer_schema = WATCH_SCHEMA,
     .help = "Another list; its readers are told of the places that have another variable.",
     .statuses = "404 422",
     .flags = PS_API_QUIET},
    {.method = "DELETE",
     .path = "/watches/{id}",
     .id = "removeWatch",
     .handler = ps_api_watch_remove,
     .role = PS_ROLE_VIEWER,
     .parameters = watch_id_parameters,
     .help = "Nobody wants it any more.",
     .statuses = "404",
     .flags = PS_API_QUIET},
    {.method = "GET",
     .path = "/events",
     .id = "readEvents",
     .handler = ps_api_events,
     .role = PS_ROLE_VIEWER,
     .parameters = events_parameters,
     .answer_type = "text/event-stream",
     .help = "Server-sent events without an end: values, alarms, status, log, missed.",
     .statuses = "404 422 507"},
    {.method = "GET",
     .path = "/trend",
     .id = "getTrend",
     .handler = ps_api_trend,
     .role = PS_ROLE_VIEWER,
     .parameters = trend_parameters,
     .answer_schema = TREND_SCHEMA,
     .help = "The last hour of a variable, recorded since somebody first asked.",
     .statuses = "404"},
    {.method = "GET",
     .path = "/explain",
     .id = "explainVariable",
     .handler = ps_api_explain,
     .role = PS_ROLE_VIEWER,
     .parameters = explain_parameters,
     .answer_schema = EXPLAIN_SCHEMA,
     .help = "Why a value is as it is: what is asked, what came of it, what to do.",
     .statuses = "404"},
    {.method = "POST",
     .path = "/cloud/doctor",
     .id = "checkCloud",
     .handler = ps_api_doctor,
     .role = PS_ROLE_ENGINEER,
     .parameters = doctor_parameters,
     .answer_schema = DOCTOR_SCHEMA,
     .help = "One trial connection to the cloud, step by step, beside the running one.",
     .statuses = "409 422"},
    {.method = "PUT",
     .path = "/devices/{device}/variables/{name}/value",
     .id = "writeVariable",
     .handler = ps_api_write,
     .role = PS_ROLE_OPERATOR,
     .parameters = write_parameters,
     .answer_schema = WRITTEN_SCHEMA,
     .help = "Writes a variable to its device and reads it back.",
     .statuses = "403 404 409 422 501 502 504 507"},
    {.method = "GET",
     .path = "/alarms",
     .id = "listAlarms",
     .handler = ps_api_alarms,
     .role = PS_ROLE_VIEWER,
     .help = "The alarms that are on, shelved, or cannot be evaluated."},
    {.method = "POST",
     .path = "/alarms/acknowledge",
     .id = "acknowledgeAlarm",
     .handler = ps_api_alarm_ack,
     .role = PS_ROLE_OPERATOR,
     .parameters = alarm_parameters,
     .help = "Somebody has seen the alarm.",
     .statuses = "404 409"},
    {.method = "POST",
     .path = "/alarms/shelve",
     .id = "shelveAlarm",
     .handler = ps_api_alarm_shelve,
     .role = PS_ROLE_OPERATOR,
     .parameters = shelve_parameters,
     .help = "The alarm is not told for a time.",
     .statuses = "404 409"},
    {.method = "POST",
     .path = "/alarms/unshelve",
     .id = "unshelveAlarm",
     .handler = ps_api_alarm_unshelve,
     .role = PS_ROLE_OPERATOR,
     .parameters = alarm_parameters,
     .help = "The alarm is told again.",
     .statuses = "404 409"},
    {.method = "GET",
     .path = "/alarms/history",
     .id = "listAlarmHistory",
     .handler = ps_api_alarm_history,
     .role = PS_ROLE_VIEWER,
     .parameters = history_parameters,
     .help = "What alarms did, newest first."},
    {.method = "GET",
     .path = "/log",
     .id = "getLog",
     .handler = ps_api_log,
     .role = PS_ROLE_VIEWER,
     .parameters = log_parameters,
     .answer_schema = LOG_SCHEMA,
     .help = "The newest log lines that match."},
    {.method = "GET",
     .path = "/log/download",
     .id = "downloadLog",
     .handler = ps_api_log_download,
     .role = PS_ROLE_VIEWER,
     .parameters = download_parameters,
     .answer_type = "text/plain; charset=utf-8",
     .help = "The kept log lines that match, as in the log file."},
    {.method = "GET",
     .path = "/log/level",
     .id = "getLogLevel",
     .handler = ps_api_log_level,
     .role = PS_ROLE_VIEWER,
     .help = "The log level, and when it changes by itself."},
    {.method = "PUT",
     .path = "/log/level",
     .id = "setLogLevel",
     .handler = ps_api_log_level,
     .role = PS_ROLE_ENGINEER,
     .parameters = level_parameters,
     .help = "Sets the log level, for a time or until the restart."},
    {.method = "GET",
     .path = "/dead",
     .id = "listDeadLetters",
     .handler = ps_api_dead,
     .role = PS_ROLE_VIEWER,
     .parameters = dead_parameters,
     .help = "What scripts did not finish, by time of collection.",
     .statuses = "404"},
    {.method = "POST",
     .path = "/outbox/clear",
     .id = "clearOutbox",
     .handler = ps_api_clear,
     .role = PS_ROLE_ENGINEER,
     .parameters = clear_parameters,
     .help = "Drops what waits of one message.",
     .statuses = "404 409"},
    {.method = "GET",
     .path = "/replay",
     .id = "getReplay",
     .handler = ps_api_replay_status,
     .role = PS_ROLE_VIEWER,
     .help = "How far the newest replay is."},
    {.method = "POST",
     .path = "/replay",
     .id = "startReplay",
     .handler = ps_api_replay,
     .role = PS_ROLE_OPERATOR,
     .parameters = replay_parameters,
     .help = "Gives the dead letters of a message to its script again.",
     .statuses = "404 409"},
    {.method = "DELETE",
     .path = "/replay",
     .id = "stopReplay",
     .handler = ps_api_replay_stop,
     .role = PS_ROLE_OPERATOR,
     .help = "Ends the replay after the letter that is being run.",
     .statuses = "404 409"},
    {.method = "GET",
     .path = "/messages",
     .id = "listMessages",
     .handler = ps_api_script_messages,
     .role = PS_ROLE_VIEWER,
     .help = "Which file is the script of which message."},
    {.method = "POST",
     .path = "/scripts/release",
     .id = "releaseScript",
     .handler = ps_api_script_release,
     .role = PS_ROLE_OPERATOR,
     .parameters = release_parameters,
     .help = "A script that was held after failures runs again.",
     .statuses = "404 409"},
    {.method = "POST",
     .path = "/scripts/run",
     .id = "runScript",
     .handler = ps_api_script_run,
     .role = PS_ROLE_ENGINEER,
     .parameters = run_parameters,
     .help = "Tries a script on live data; nothing is sent or written.",
     .statuses = "404 409",
     .body_max = SCRIPT_BODY_MAX},
    {.method = "GET",
     .path = "/canary",
     .id = "getCanary",
     .handler = ps_api_canary_status,
     .role = PS_ROLE_ENGINEER,
     .help = "How the draft compares with the script so far."},
    {.method = "POST",
     .path = "/canary",
     .id = "startCanary",
     .handler = ps_api_canary_start,
     .role = PS_ROLE_ENGINEER,
     .parameters = canary_parameters,
     .help = "Runs a draft beside the script that is at work and compares what they return.",
     .statuses = "404 409",
     .body_max = SCRIPT_BODY_MAX},
    {.method = "DELETE",
     .path = "/canary",
     .id = "stopCanary",
     .handler = ps_api_canary_stop,
     .role = PS_ROLE_ENGINEER,
     .help = "Ends the comparison."},
    {NULL},
};
