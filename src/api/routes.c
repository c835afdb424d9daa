// The table of calls. Constant data.
#include "api/call.h"

const PsApiRoute ps_api_routes[] = {
    {"status", ps_api_status},
    {"metrics", ps_api_metrics},
    {"tags", ps_api_tags},
    {"alarms", ps_api_alarms},
    {"alarm_ack", ps_api_alarm_ack},
    {"alarm_history", ps_api_alarm_history},
    {"alarm_shelve", ps_api_alarm_shelve},
    {"alarm_unshelve", ps_api_alarm_unshelve},
    {"write", ps_api_write},
    {"log", ps_api_log},
    {"log_level", ps_api_log_level},
    {"dead", ps_api_dead},
    {"clear", ps_api_clear},
    {"replay", ps_api_replay},
    {"replay_stop", ps_api_replay_stop},
    {"replay_status", ps_api_replay_status},
    {"script_messages", ps_api_script_messages},
    {"script_release", ps_api_script_release},
    {"script_run", ps_api_script_run},
    {"canary_start", ps_api_canary_start},
    {"canary_status", ps_api_canary_status},
    {"canary_stop", ps_api_canary_stop},
    {NULL, NULL},
};
