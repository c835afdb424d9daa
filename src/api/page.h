//! What is not the API: the files of the web interface. Inside src/api only. Main thread.
#pragma once

#include "api/call.h"
#include "http/files.h"

/// The files of the folder; NULL folder: none.
PsHttpFiles *ps_api_page_files(const char *folder);
/// Answers a request that is none of the API.
void ps_api_page(const PsApi *api, PsHttpRequest *request, const PsHttpPeer *peer);
