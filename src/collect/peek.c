// A look at the bytes behind a value, for whoever does not know the order of a device's bytes. Main
// thread; never blocks.
#include "collect/collector_private.h"

#include <stdlib.h>

static PsErr check(const PsCollector *collector, uint32_t index, PsChannel **ret_channel,
                   PsDiag *diag) {
    const PsConfig *config = collector->setup.config;
    if (index >= config->variable_count) {
        return ps_fail(PS_ERR_NOT_FOUND, diag, NULL, NULL, "there is no such variable");
    }
    const PsVariable *variable = &config->variables[index];
    if (variable->access == PS_ACCESS_WRITE) {
        return ps_fail(PS_ERR_DENIED, diag, variable->name, "read_write",
                       "is write-only, which is never read; set it to read/write first");
    }
    PsChannel *channel = ps_collector_channel_of(collector, variable->device);
    if (channel == NULL) {
        return ps_fail(PS_ERR_CLOSED, diag, variable->device_name, NULL,
                       "this device is not served, as the log says; start the gateway anew");
    }
    if (ps_channel_driver(channel)->peek == NULL) {
        return ps_fail(PS_ERR_UNSUPPORTED, diag, variable->device_name, "protocol",
                       "values of this protocol say themselves what they are");
    }
    *ret_channel = channel;
    return PS_OK;
}

PsErr ps_collector_peek(PsCollector *collector, uint32_t index, PsMono deadline, PsWriteDone *done,
                        void *ctx, PsDiag *diag) {
    PsChannel *channel = NULL;
    PsErr err = check(collector, index, &channel, diag);
    if (err != PS_OK) {
        return err;
    }
    PsWriteJob *job = ps_peek_job_new(channel, collector->variable_place[index]);
    job->deadline = deadline;
    job->done = done;
    job->ctx = ctx;
    err = ps_channel_write(channel, job);
    if (err != PS_OK) {
        free(job);
        const char *device = collector->setup.config->variables[index].device_name;
        bool full = err == PS_ERR_FULL;
        return ps_fail(err, diag, device, NULL,
                       full ? "too many writes are waiting for this device; try again later"
                            : "collection is not running");
    }
    return PS_OK;
}
