//! JSON Schemas of what the routes of routes_live.c answer; the contract test holds answers to
//! them. Inside src/api/routes_live.c only.
#pragma once

#define NAMES_SCHEMA                                                                               \
    "{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},"           \
    "\"minItems\":2,\"maxItems\":2}}"

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
#define READING                                                                                    \
    "{\"type\":\"object\",\"required\":[\"type\",\"order\",\"text\",\"likely\",\"marked\","        \
    "\"configured\",\"settable\"],\"properties\":{\"type\":" TEXT ",\"order\":" TEXT               \
    ",\"text\":" TEXT ",\"likely\":" INTEGER "}}"
#define READINGS_SCHEMA                                                                            \
    "{\"type\":\"object\",\"required\":[\"readings\"],\"properties\":{\"readings\":{\"type\":"     \
    "\"array\",\"items\":" READING "}}}"
#define BROWSE_SCHEMA                                                                              \
    "{\"type\":\"object\",\"required\":[\"key\",\"nodes\",\"next\"],\"properties\":{\"key\":" TEXT \
    ",\"next\":" TEXT                                                                              \
    ",\"nodes\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"name\","        \
    "\"node\","                                                                                    \
    "\"type\",\"address\",\"data_type\",\"inside\",\"readable\",\"writable\"],\"properties\":{"    \
    "\"name\":" TEXT ",\"node\":" TEXT ",\"type\":" TEXT ",\"address\":" TEXT                      \
    ",\"data_type\":" TEXT "}}}}}"
#define LOOK                                                                                       \
    "{\"type\":[\"object\",\"null\"],\"required\":[\"outcome\",\"error\",\"text\",\"sent\","       \
    "\"received\",\"bytes\",\"type\",\"code\",\"meaning\"],\"properties\":{\"outcome\":{\"enum\":" \
    "["                                                                                            \
    "\"answered\",\"refused\",\"no answer\",\"no connection\",\"not asked\"]},\"error\":" TEXT     \
    ",\"text\":" TEXT ",\"sent\":" TEXT ",\"received\":" TEXT ",\"bytes\":" TEXT ",\"type\":" TEXT \
    ",\"code\":" INTEGER ",\"meaning\":" TEXT "}}"
#define LEARNED                                                                                    \
    "{\"type\":[\"object\",\"null\"],\"required\":[\"holes\",\"elsewhere\",\"most_items\"],"       \
    "\"properties\":{\"elsewhere\":" INTEGER ",\"most_items\":" INTEGER                            \
    ",\"holes\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"first\","       \
    "\"last\","                                                                                    \
    "\"here\",\"code\",\"refusals\",\"since\",\"next_try\"],\"properties\":{\"first\":" TEXT       \
    ",\"last\":" TEXT ",\"since\":" TIME ",\"next_try\":" TIME "}}}}}"
#define EXPLAIN_SCHEMA                                                                             \
    "{\"type\":\"object\",\"required\":[\"variable\",\"device\",\"channel\",\"request\",\"look\"," \
    "\"readings\",\"learned\",\"state\",\"last_error\",\"next_try\",\"what_to_do\"],"              \
    "\"properties\":{\"look\":" LOOK                                                               \
    ",\"readings\":{\"type\":[\"array\",\"null\"],\"items\":" READING "},\"learned\":" LEARNED     \
    ",\"state\":" TEXT ",\"last_error\":" TEXT ",\"next_try\":" TIME ",\"what_to_do\":" TEXT "}}"
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

#define ALARMS_SCHEMA                                                                              \
    "{\"type\":\"object\",\"required\":[\"alarms\",\"shelved\",\"unread\",\"defined\""             \
    "],\"properties\":{\"alarms\":{\"type\":\"array\",\"items\":{\"type\":\"object\","             \
    "\"required\":[\"name\",\"group\",\"device\",\"var_name\",\"status\",\"descriptio"             \
    "n\",\"value\",\"text\",\"unit\",\"level\",\"time\"]}},\"shelved\":{\"type\":\"ar"             \
    "ray\",\"items\":{\"type\":\"object\",\"required\":[\"name\",\"until\",\"by\"]}},"             \
    "\"unread\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"na"             \
    "me\",\"device\",\"quality\"]}},\"defined\":{\"type\":\"integer\"}}}"
#define HISTORY_SCHEMA                                                                             \
    "{\"type\":\"object\",\"required\":[\"entries\",\"store_failing\"],\"properties\""             \
    ":{\"entries\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":["              \
    "\"id\",\"name\",\"group\",\"status\",\"value\",\"unit\",\"description\",\"level"              \
    "\",\"who\",\"time\"]}},\"store_failing\":{\"type\":\"boolean\"}}}"
#define LEVEL_SCHEMA                                                                               \
    "{\"type\":\"object\",\"required\":[\"level\",\"configured\"],\"properties\":{\"l"             \
    "evel\":{\"type\":\"string\"},\"configured\":{\"type\":\"string\"},\"until\":{\"t"             \
    "ype\":\"number\"},\"then\":{\"type\":\"string\"}}}"
#define DEAD_SCHEMA                                                                                \
    "{\"type\":\"object\",\"required\":[\"letters\",\"next\"],\"properties\":{\"letters\":{\"t"    \
    "ype\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"id\",\"message\","             \
    "\"kind\",\"collected\",\"died\",\"bytes\",\"reason\"]}},\"next\":{\"type\":[\"s"              \
    "tring\",\"null\"]}}}"
#define CLEARED_SCHEMA                                                                             \
    "{\"type\":\"object\",\"required\":[\"cleared\"],\"properties\":{\"cleared\":{\"t"             \
    "ype\":\"integer\"}}}"
#define REPLAY_SCHEMA                                                                              \
    "{\"type\":\"object\",\"required\":[\"message\",\"running\",\"total\",\"done\",\""             \
    "failed\",\"reason\",\"end\"],\"properties\":{\"message\":{\"type\":\"string\"},"              \
    "\"running\":{\"type\":\"boolean\"},\"total\":{\"type\":\"integer\"},\"done\":{\""             \
    "type\":\"integer\"},\"failed\":{\"type\":\"integer\"}}}"
#define CANARY_SCHEMA                                                                              \
    "{\"type\":\"object\",\"required\":[\"state\",\"error\",\"wanted\",\"calls\",\"sa"             \
    "me\",\"different\",\"failed\",\"cpu_s\",\"live\",\"draft\"],\"properties\":{\"st"             \
    "ate\":{\"enum\":[\"idle\",\"running\",\"finished\"]}}}"
#define MESSAGES_SCHEMA                                                                            \
    "{\"type\":\"object\",\"required\":[\"messages\"],\"properties\":{\"messages\":{"              \
    "\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"name\",\"kind"              \
    "\",\"script\",\"main_function\",\"timeout\"]}}}}"
#define STATUS_SCHEMA                                                                              \
    "{\"type\":\"object\",\"required\":[\"version\",\"started\",\"uptime_s\",\"config"             \
    "\",\"revision\",\"link\",\"channels\",\"groups\",\"messages\",\"outbox\",\"disk"              \
    "\",\"workers\",\"devices\",\"alarms\",\"rates\",\"certificates\",\"history\"],\""             \
    "properties\":{\"link\":{\"type\":\"object\",\"required\":[\"state\",\"since\",\""             \
    "last_error\"]},\"devices\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\""             \
    "required\":[\"name\",\"protocol\",\"state\",\"since\",\"last_error\",\"variables"             \
    "\"]}},\"certificates\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"requ"             \
    "ired\":[\"name\",\"path\"]}},\"history\":{\"type\":\"object\",\"required\":[\"st"             \
    "ep_s\",\"points\"]}}}"
