//! The inside of a call and of the API, shared by call.c (what handlers ask and answer), server.c
//! (the two listeners) and web.c (the one for browsers). Main thread.
#pragma once

#include "api/call.h"
#include "api/dispatch.h"
#include "api/peers.h"
#include "base/time.h"
#include "http/files.h"

#define PS_API_NOTE_SIZE 160

typedef struct PsApiHeader {
    char name[32];
    char *value;
} PsApiHeader;

struct PsApiCall {
    PsApi *api;
    PsHttpRequest *request;
    PsHttpPeer peer;
    PsIdentity identity;
    PsDispatch dispatch;
    PsApiHeader headers[PS_API_HEADERS_MAX];
    size_t header_count;
    char note_object[PS_API_NOTE_SIZE];
    char note_detail[PS_API_NOTE_SIZE];
    bool gone; // the client; the call is still to be answered
};

struct PsApi {
    PsApiSources sources;
    PsApiPeers *peers;
    PsLogHold *log_hold;  // until close
    PsHttpServer *local;  // the Unix socket
    PsWebServer *web;     // NULL: none
    PsHttpFiles *pages;   // NULL: none
    size_t closing_parts; // of a close: what has not gone yet
    size_t calls;         // not answered yet
    bool freed;           // by its owner, while there are some
    PsApiCall *long_call; // the one that goes on for a while, or NULL
    void (*cancel)(void *ctx);
    void *cancel_ctx;
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/// A request whose head or whole is here: of both listeners; `ctx` is the API.
PsHttpVerdict ps_api_on_head(PsHttpRequest *request, void *ctx);
void ps_api_on_request(PsHttpRequest *request, void *ctx);
/// A part of what is being closed has gone.
void ps_api_part_closed(void *api);

/// Who sends the request. `ret_identity` has the role PS_ROLE_NONE for nobody.
void ps_api_identify(const PsApi *api, const PsHttpRequest *request, const PsHttpPeer *peer,
                     PsIdentity *ret_identity);
