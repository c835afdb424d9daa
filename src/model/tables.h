//! The option tables of penstock.json, one per block, and the list of all of them.
//! Constant data; any thread.
#pragma once

#include "model/option.h"

extern const PsOptionTable ps_table_device;
extern const PsOptionTable ps_table_variable;
extern const PsOptionTable ps_table_group;
extern const PsOptionTable ps_table_alarm;
extern const PsOptionTable ps_table_cloud;
extern const PsOptionTable ps_table_publish;
extern const PsOptionTable ps_table_subscribe;
extern const PsOptionTable ps_table_parameters;
extern const PsOptionTable ps_table_web;
extern const PsOptionTable ps_table_serial;

/// In the order they stand in the file, NULL at the end.
extern const PsOptionTable *const ps_tables[];
