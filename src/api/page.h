//! What is not the API: the files of the web interface. Inside src/api only. Main thread.
#pragma once

#include "api/call.h"

/// Answers a request that is none of the API.
void ps_api_page(const PsApi *api, PsHttpRequest *request, const PsHttpPeer *peer);
