// The option tables of messages: publish and subscribe entries of penstock.json.
// Names, ranges and defaults are those of Device Supervisor 1.x where it has the field.
// Constant data.
#include "model/config.h"
#include "model/tables_private.h"

#include <stddef.h>

WORDS(when_full_words, "drop_oldest", "thin_out");

// What publish and subscribe entries have in common.
#define MESSAGE_NAME(entry)                                                                        \
    {.key = "name",                                                                                \
     .type = PS_OPTION_TEXT,                                                                       \
     .required = true,                                                                             \
     .offset = offsetof(entry, name),                                                              \
     .min = 1,                                                                                     \
     .max = 128,                                                                                   \
     .unit = "characters",                                                                         \
     .help = "Name of the message, unique among publish and subscribe entries."}
#define MESSAGE_FUNCTION(entry)                                                                    \
    {.key = "main_function",                                                                       \
     .type = PS_OPTION_TEXT,                                                                       \
     .required = true,                                                                             \
     .offset = offsetof(entry, main_function),                                                     \
     .min = 1,                                                                                     \
     .max = 128,                                                                                   \
     .unit = "characters",                                                                         \
     .help = "Entry function in the script."}
#define MESSAGE_SCRIPT(entry)                                                                      \
    {.key = "script",                                                                              \
     .type = PS_OPTION_PATH,                                                                       \
     .required = true,                                                                             \
     .offset = offsetof(entry, script),                                                            \
     .min = 1,                                                                                     \
     .max = 1024,                                                                                  \
     .help = "Python file, relative to the configuration folder."}
#define MESSAGE_TIMEOUT(entry)                                                                     \
    {.key = "timeout",                                                                             \
     .type = PS_OPTION_NUMBER,                                                                     \
     .offset = offsetof(entry, timeout),                                                           \
     .min = 0.1,                                                                                   \
     .max = 3600,                                                                                  \
     .unit = "s",                                                                                  \
     .fallback = "30",                                                                             \
     .help = "How long one call of the script may take before its worker is stopped and started "  \
             "again. Waiting in `save_data` and `mqtt_publish` does not count."}

// Each worker process is held to these (src/script/limits.h).
#define MESSAGE_LIMITS(entry)                                                                      \
    {.key = "memory_mb",                                                                           \
     .type = PS_OPTION_INT,                                                                        \
     .offset = offsetof(entry, limits.memory_mb),                                                  \
     .min = 16,                                                                                    \
     .max = 65536,                                                                                 \
     .unit = "MB",                                                                                 \
     .fallback = "512",                                                                            \
     .help = "Memory the script may map beyond Python itself; more raises MemoryError."},          \
        {.key = "cpu_percent",                                                                     \
         .type = PS_OPTION_INT,                                                                    \
         .offset = offsetof(entry, limits.cpu_percent),                                            \
         .min = 1,                                                                                 \
         .max = 10000,                                                                             \
         .unit = "%",                                                                              \
         .fallback = "100",                                                                        \
         .help = "Share of one processor the script may use, averaged over ten seconds; its "      \
                 "worker is then stopped and started again."},                                     \
        {.key = "threads",                                                                         \
         .type = PS_OPTION_INT,                                                                    \
         .offset = offsetof(entry, limits.threads),                                                \
         .min = 1,                                                                                 \
         .max = 1000,                                                                              \
         .fallback = "32",                                                                         \
         .help = "Threads the script's process may have, its first one included."},                \
        {.key = "scratch_mb",                                                                      \
         .type = PS_OPTION_INT,                                                                    \
         .offset = offsetof(entry, limits.scratch_mb),                                             \
         .min = 1,                                                                                 \
         .max = 65536,                                                                             \
         .unit = "MB",                                                                             \
         .fallback = "16",                                                                         \
         .help = "Size of the script's scratch folder, the only place it can write to."},          \
        {.key = "network",                                                                         \
         .type = PS_OPTION_BOOL,                                                                   \
         .offset = offsetof(entry, limits.network),                                                \
         .fallback = "false",                                                                      \
         .help = "true: the script may connect to other machines."}

// How the outbox treats what the script sends (src/outbox/outbox.h).
#define MESSAGE_DELIVERY(entry)                                                                    \
    {.key = "live_first",                                                                          \
     .type = PS_OPTION_BOOL,                                                                       \
     .offset = offsetof(entry, delivery.live_first),                                               \
     .fallback = "false",                                                                          \
     .help = "true: new messages go before those that wait since an outage; false: strictly in "   \
             "order of collection."},                                                              \
        {.key = "when_full",                                                                       \
         .type = PS_OPTION_WORD,                                                                   \
         .offset = offsetof(entry, delivery.when_full),                                            \
         .words = &when_full_words,                                                                \
         .fallback = "drop_oldest",                                                                \
         .help = "What makes room when the outbox is full: the oldest message goes, or every "     \
                 "second message of the older half goes, so that a long outage leaves a coarser "  \
                 "record instead of a hole."},                                                     \
        {.key = "split",                                                                           \
         .type = PS_OPTION_BOOL,                                                                   \
         .offset = offsetof(entry, delivery.split),                                                \
         .fallback = "true",                                                                       \
         .help = "true: a JSON list larger than the server takes is sent as several lists; "       \
                 "false: it is refused."},                                                         \
        {.key = "pack_kib",                                                                        \
         .type = PS_OPTION_INT,                                                                    \
         .offset = offsetof(entry, delivery.pack_kib),                                             \
         .min = 0,                                                                                 \
         .max = 1024,                                                                              \
         .unit = "KiB",                                                                            \
         .fallback = "0",                                                                          \
         .help =                                                                                   \
             "Messages that wait are sent together as one JSON list of up to this size, lists "    \
             "joined; 0: each by itself. AWS IoT takes 128."},                                     \
        {.key = "gap_topic",                                                                       \
         .type = PS_OPTION_TEXT,                                                                   \
         .offset = offsetof(entry, delivery.gap_topic),                                            \
         .max = 1024,                                                                              \
         .unit = "bytes",                                                                          \
         .help = "Topic that is told when messages had to be dropped: range, count and reason; "   \
                 "${name} as in topic. Left out: none is sent."}

static const PsOption publish_options[] = {
    MESSAGE_NAME(PsPublish),
    {.key = "topic",
     .type = PS_OPTION_TEXT,
     .required = true,
     .offset = offsetof(PsPublish, topic),
     .min = 1,
     .max = 1024,
     .unit = "bytes",
     .help = "Topic; ${name} is replaced by the custom parameter of that name."},
    {.key = "qos",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsPublish, qos),
     .min = 0,
     .max = 2,
     .fallback = "1",
     .help = "0 at most once, 1 at least once, 2 exactly once (not on AWS IoT)."},
    {.key = "group_type",
     .type = PS_OPTION_WORD,
     .offset = offsetof(PsPublish, group_type),
     .words = &ps_group_type_words,
     .fallback = "collect",
     .help = "Whether the message carries variables or alarms."},
    {.key = "groups",
     .type = PS_OPTION_TEXTS,
     .required = true,
     .offset = offsetof(PsPublish, group_names),
     .min = 1,
     .max = 1000,
     .help = "Groups whose uploads run the script, each on its own schedule."},
    MESSAGE_FUNCTION(PsPublish),
    MESSAGE_SCRIPT(PsPublish),
    MESSAGE_TIMEOUT(PsPublish),
    MESSAGE_LIMITS(PsPublish),
    MESSAGE_DELIVERY(PsPublish),
};
TABLE(ps_table_publish, "publish", "publish", "name", "Messages from the gateway to the server.",
      publish_options);

static const PsOption subscribe_options[] = {
    MESSAGE_NAME(PsSubscribe),
    {.key = "topic",
     .type = PS_OPTION_TEXT,
     .required = true,
     .offset = offsetof(PsSubscribe, topic),
     .min = 1,
     .max = 1024,
     .unit = "bytes",
     .help = "Topic filter; + and # as in MQTT, ${name} as in publish."},
    {.key = "qos",
     .type = PS_OPTION_INT,
     .offset = offsetof(PsSubscribe, qos),
     .min = 0,
     .max = 2,
     .fallback = "0",
     .help = "Highest QoS of delivery; 2 not on AWS IoT."},
    MESSAGE_FUNCTION(PsSubscribe),
    MESSAGE_SCRIPT(PsSubscribe),
    MESSAGE_TIMEOUT(PsSubscribe),
    MESSAGE_LIMITS(PsSubscribe),
    MESSAGE_DELIVERY(PsSubscribe),
};
TABLE(ps_table_subscribe, "subscribe", "subscribe", "name",
      "Messages from the server to the gateway.", subscribe_options);
