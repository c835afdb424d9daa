//! The HTTPS listener for browsers and programs: address, port and certificate as the configuration
//! says; this machine only until there is an administrator. Another configuration, a certificate
//! that was exchanged, the first administrator: it begins anew by itself. A port that is taken is
//! tried again every 10 seconds. Main thread; certificates are read and made on a worker thread.
#pragma once

#include "base/err.h"
#include "http/guard.h"
#include "http/server.h"
#include "model/config.h"

#include <jansson.h>

typedef struct PsWebServer PsWebServer;

typedef struct PsWebSetup {
    uv_loop_t *loop;
    const char *folder;  ///< STATE/web, for the gateway's own certificate
    const char *address; ///< in place of the configuration's; NULL: that
    int port;            ///< with an address; 0: a free one
    /// Is there an administrator?
    bool (*is_set_up)(void *ctx);
    PsHttpVerdict (*on_head)(PsHttpRequest *request, void *ctx);
    void (*on_request)(PsHttpRequest *request, void *ctx);
    void *ctx; ///< of all three
} PsWebSetup;

/// "127.0.0.1:9443", "[::]:0". False when it is not of that form.
bool ps_web_parse(const char *text, char *ret_address, size_t size, int *ret_port);

PsWebServer *ps_web_new(const PsWebSetup *setup, const PsWeb *config);
/// Another configuration, or the same one whose files may have changed. Copies.
void ps_web_configure(PsWebServer *web, const PsWeb *config);
/// The answer of is_set_up may be another one.
void ps_web_look_again(PsWebServer *web);
/// `closed` is called from the loop; the memory has gone then. Accepts NULL (and calls nothing).
void ps_web_close(PsWebServer *web, void (*closed)(void *ctx), void *ctx);

/// {"enabled", "set_up", "url", "address", "port", "this_machine_only", "connections", "problem",
/// "certificate": {"own", "fingerprint", "not_after", "names"} or null}; NULL web: null. The caller
/// owns it.
json_t *ps_web_status(const PsWebServer *web);
/// What the listener may be asked under; of NULL: nothing.
const PsGuardRules *ps_web_guard(const PsWebServer *web);
