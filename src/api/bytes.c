// The call `readVariableBytes`: what stands behind a value on the wire. Main thread.
#include "api/handlers_live.h"
#include "api/values.h"

#include <stdio.h>

#define READ_SECONDS 10
#define BYTES_MAX 8U

static void on_read(PsErr result, const PsDiag *diag, const PsPeek *peek, void *ctx) {
    PsApiCall *call = ctx;
    if (result != PS_OK) {
        ps_api_call_fail(call, result, diag);
        return;
    }
    if (peek->ordered) {
        PsDiag one_reading = {0};
        PsErr err = ps_fail(PS_ERR_UNSUPPORTED, &one_reading, NULL, "name",
                            "there is one way only to read it: the protocol says what it is");
        ps_api_call_fail(call, err, &one_reading);
        return;
    }
    char hex[2 * BYTES_MAX + 1] = "";
    for (uint32_t i = 0; i < peek->len && i < BYTES_MAX; i++) {
        snprintf(hex + 2 * (size_t)i, 3, "%02X", (unsigned)peek->bytes[i]);
    }
    ps_api_call_reply(call, json_pack("{s:s}", "bytes", hex));
}

// Parameters: `device`, `name`.
void ps_api_read_bytes(PsApiCall *call) {
    const PsApiSources *sources = ps_api_call_sources(call);
    PsDiag diag = {0};
    uint32_t index = 0;
    PsErr err = ps_api_find_variable(call, &index, &diag);
    if (err == PS_OK) {
        PsMono deadline = ps_mono_add_ns(ps_mono_now(), READ_SECONDS * PS_NS_PER_S);
        err = ps_collector_peek(sources->collector, index, deadline, on_read, call, &diag);
    }
    if (err != PS_OK) {
        ps_api_call_fail(call, err, &diag);
    }
}
