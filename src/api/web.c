// The listener for browsers. Main thread.
#include "api/web.h"

const PsGuardRules *ps_web_guard(const PsWebServer *web) {
    static const PsGuardRules nobody = {0};
    (void)web;
    return &nobody;
}

void ps_web_close(PsWebServer *web, void (*closed)(void *ctx), void *ctx) {
    (void)web;
    (void)closed;
    (void)ctx;
}
