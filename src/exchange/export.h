//! A configuration as the CSV files of Device Supervisor 1.x. Pure; any thread.
#pragma once

#include "base/buf.h"
#include "model/config.h"

/// Appends the file of a kind ("devices", "variables", "groups", "alarms") as Device Supervisor
/// writes it: UTF-8 with a byte order mark, CRLF, its columns in its order, those of other
/// protocols left out. `device`: only variables and alarms of this device; NULL: all.
/// PS_ERR_NOT_FOUND: no such kind.
PsErr ps_export(const PsConfig *config, const char *kind, const char *device, PsBuf *out);
