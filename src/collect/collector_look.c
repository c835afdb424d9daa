// Orders looks of people: at what goes over the wire for a variable, and into a device. Main
// thread; never blocks.
#include "collect/collector_private.h"

#include <string.h>

// Both kinds end here: the job is the channel's, or freed.
static PsErr give(PsChannel *channel, PsJob *job, const char *device, PsDiag *diag) {
    PsErr err = ps_channel_order(channel, job);
    if (err == PS_OK) {
        return PS_OK;
    }
    ps_job_free(job);
    return ps_fail(err, diag, device, NULL,
                   err == PS_ERR_FULL
                       ? "too many are looking at this device already; try again later"
                       : "collection is not running");
}

static PsErr not_served(const char *device, PsDiag *diag) {
    return ps_fail(PS_ERR_CLOSED, diag, device, NULL,
                   "this device is not served, as the log says; start the gateway anew");
}

static PsErr check_peek(const PsCollector *collector, uint32_t index, PsChannel **ret_channel,
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
        return not_served(variable->device_name, diag);
    }
    if (ps_channel_driver(channel)->peek == NULL) {
        return ps_fail(PS_ERR_UNSUPPORTED, diag, variable->device_name, "protocol",
                       "what this protocol sends cannot be looked at");
    }
    *ret_channel = channel;
    return PS_OK;
}

PsErr ps_collector_peek(PsCollector *collector, uint32_t index, PsMono deadline, PsPeekDone *done,
                        void *ctx, PsDiag *diag) {
    PsChannel *channel = NULL;
    PsErr err = check_peek(collector, index, &channel, diag);
    if (err != PS_OK) {
        return err;
    }
    PsPeekJob *look = ps_peek_job_new(channel, collector->variable_place[index]);
    look->done = done;
    look->job.deadline = deadline;
    look->job.ctx = ctx;
    return give(channel, &look->job, collector->setup.config->variables[index].device_name, diag);
}

// Where a device stands in the part of its channel.
static uint32_t place_of(const PsChannel *channel, uint32_t device) {
    const PsConfigPart *part = ps_channel_part(channel);
    uint32_t place = 0;
    while (part->devices[place] != device) {
        place++;
        PS_ASSERT(place < part->config.device_count);
    }
    return place;
}

static PsErr check_browse(const PsCollector *collector, uint32_t index, PsDiag *diag) {
    const PsConfig *config = collector->setup.config;
    if (index >= config->device_count) {
        return ps_fail(PS_ERR_NOT_FOUND, diag, NULL, NULL, "there is no such device");
    }
    const PsDevice *device = &config->devices[index];
    const PsDriver *driver = ps_driver_find(device->protocol);
    if (driver == NULL || driver->browse == NULL) {
        return ps_fail(PS_ERR_UNSUPPORTED, diag, device->name, "protocol",
                       "a device of %s cannot tell what it has: take the addresses from its "
                       "manual or its program",
                       ps_protocol_name(device->protocol));
    }
    if (!collector->started || collector->stopping) {
        return ps_fail(PS_ERR_CANCELLED, diag, device->name, NULL, "collection is not running");
    }
    return PS_OK;
}

PsErr ps_collector_browse(PsCollector *collector, uint32_t index, const char *node,
                          const char *after, PsMono deadline, PsBrowseDone *done, void *ctx,
                          PsDiag *diag) {
    PsErr err = check_browse(collector, index, diag);
    if (err != PS_OK) {
        return err;
    }
    PsChannel *channel = ps_collector_channel_of(collector, index);
    if (channel == NULL) {
        err = ps_guests_take(collector, index, &channel, diag);
    }
    if (err != PS_OK) {
        return err;
    }
    PsBrowseJob *look = ps_browse_job_new(channel, place_of(channel, index), node, after);
    look->done = done;
    look->job.deadline = deadline;
    look->job.ctx = ctx;
    return give(channel, &look->job, collector->setup.config->devices[index].name, diag);
}
