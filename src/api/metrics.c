// The call `metrics`: the numbers of `status` for Prometheus. Main thread.
#include "api/handlers_live.h"
#include "api/metrics_text.h"

void ps_api_metrics(PsApiCall *call) {
    PS_AUTO_BUF PsBuf text = {0};
    json_t *status = ps_api_status_of(ps_api_call_sources(call));
    ps_metrics_text(status, &text);
    json_decref(status);
    ps_api_call_reply_bytes(call, "text/plain; version=0.0.4; charset=utf-8", text.data, text.len);
}
