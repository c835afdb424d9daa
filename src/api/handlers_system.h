//! Handlers of the routes of routes_system.c: the API itself: its description, who is asking.
//! Inside src/api only. Main thread.
#pragma once

#include "api/call.h"

PsApiHandler ps_api_openapi;
PsApiHandler ps_api_reference;
PsApiHandler ps_api_whoami;
