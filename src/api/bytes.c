// The call `readVariableBytes`: what stands behind a value on the wire. Main thread.
#include "api/handlers_live.h"
#include "api/values.h"

#include <stdio.h>
#include <string.h>

#define READ_SECONDS 10
#define BYTES_MAX 8U

static void on_read(PsErr result, const PsDiag *diag, PsValue read, void *ctx) {
    PsApiCall *call = ctx;
    if (result != PS_OK) {
        ps_api_call_fail(call, result, diag);
        return;
    }
    char hex[2 * BYTES_MAX + 1] = "";
    for (uint32_t i = 0; i < read.text_len && i < BYTES_MAX; i++) {
        snprintf(hex + 2 * (size_t)i, 3, "%02X", (unsigned)(uint8_t)read.text[i]);
    }
    ps_api_call_reply(call, json_pack("{s:s}", "bytes", hex));
}

static uint32_t find(const PsConfig *config, const char *device, const char *name) {
    for (uint32_t i = 0; i < config->variable_count; i++) {
        if (strcmp(config->variables[i].name, name) == 0 &&
            strcmp(config->variables[i].device_name, device) == 0) {
            return i;
        }
    }
    return UINT32_MAX;
}

// Parameters: `device`, `name`.
void ps_api_read_bytes(PsApiCall *call) {
    const PsApiSources *sources = ps_api_call_sources(call);
    const char *device = ps_api_call_text(call, "device");
    const char *name = ps_api_call_text(call, "name");
    PsDiag diag = {0};
    uint32_t index = find(sources->config, device, name);
    PsErr err = index != UINT32_MAX
                    ? PS_OK
                    : ps_fail(PS_ERR_NOT_FOUND, &diag, device, name,
                              "there is no such device and variable; 'penstock tags' lists all");
    if (err == PS_OK) {
        PsMono deadline = ps_mono_add_ns(ps_mono_now(), READ_SECONDS * PS_NS_PER_S);
        err = ps_collector_peek(sources->collector, index, deadline, on_read, call, &diag);
    }
    if (err != PS_OK) {
        ps_api_call_fail(call, err, &diag);
    }
}
