//! Handlers of the routes of routes_access.c: accounts, sessions, tokens and the audit log. Inside
//! src/api only. Main thread.
#pragma once

#include "api/call.h"
