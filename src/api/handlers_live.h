//! Handlers of the routes of routes_live.c: what happens: status, variables, alarms, log, outbox,
//! scripts. Inside src/api only. Main thread.
#pragma once

#include "api/call.h"

PsApiHandler ps_api_status;
PsApiHandler ps_api_metrics;
PsApiHandler ps_api_tags;
PsApiHandler ps_api_alarms;
PsApiHandler ps_api_alarm_ack;
PsApiHandler ps_api_alarm_history;
PsApiHandler ps_api_alarm_shelve;
PsApiHandler ps_api_alarm_unshelve;
PsApiHandler ps_api_variables;
PsApiHandler ps_api_watch_add;
PsApiHandler ps_api_watch_set;
PsApiHandler ps_api_watch_remove;
PsApiHandler ps_api_events;
PsApiHandler ps_api_trend;
PsApiHandler ps_api_explain;
PsApiHandler ps_api_browse;
PsApiHandler ps_api_read_as;
PsApiHandler ps_api_doctor;
PsApiHandler ps_api_write;
PsApiHandler ps_api_read_bytes;
PsApiHandler ps_api_log;
PsApiHandler ps_api_log_download;
PsApiHandler ps_api_log_level;
PsApiHandler ps_api_dead;
PsApiHandler ps_api_clear;
PsApiHandler ps_api_replay;
PsApiHandler ps_api_replay_stop;
PsApiHandler ps_api_replay_status;
PsApiHandler ps_api_script_messages;
PsApiHandler ps_api_script_release;
PsApiHandler ps_api_script_run;
PsApiHandler ps_api_canary_start;
PsApiHandler ps_api_canary_status;
PsApiHandler ps_api_canary_stop;

/// The variable of the arguments `device` and `name`; PS_ERR_NOT_FOUND with words.
PsErr ps_api_find_variable(PsApiCall *call, uint32_t *ret_variable, PsDiag *diag);
