// Numbers the endpoints of a configuration in the order of its devices. Pure; one thread.
#include "collect/layout.h"

#include "base/map.h"
#include "base/mem.h"
#include "drivers/driver.h"
#include "model/config_map.h"

#include <stdio.h>
#include <stdlib.h>

typedef char Key[PS_ENDPOINT_KEY_SIZE];

static bool *find_used(const PsConfig *config) {
    bool *used = ps_alloc_array(config->device_count, sizeof *used);
    for (uint32_t i = 0; i < ps_config_polled_count(config); i++) {
        used[config->variables[i].device] = true;
    }
    return used;
}

static PsErr no_driver(const PsDevice *device, PsDiag *diag) {
    char object[128];
    snprintf(object, sizeof object, "device '%.100s'", device->name);
    return ps_fail(PS_ERR_UNSUPPORTED, diag, object, "protocol",
                   "this penstockd was built without %s; install one that has it, or remove the "
                   "device's variables",
                   ps_protocol_name(device->protocol));
}

static PsErr number_all(PsLayout *layout, const PsConfig *config, const bool *used, Key *keys,
                        PsDiag *diag) {
    PS_AUTO_MAP PsMap endpoints = {0};
    for (uint32_t i = 0; i < config->device_count; i++) {
        const PsDevice *device = &config->devices[i];
        layout->device_channel[i] = PS_NOT_THERE;
        if (!used[i]) {
            continue;
        }
        const PsDriver *driver = ps_driver_find(device->protocol);
        if (driver == NULL) {
            return no_driver(device, diag);
        }
        driver->endpoint_key(config, device, keys[i], sizeof keys[i]);
        const char *scope = ps_protocol_name(device->protocol);
        uint32_t channel = ps_map_find(&endpoints, scope, keys[i]);
        if (channel == PS_MAP_NONE) {
            channel = layout->channel_count++;
            (void)ps_map_put(&endpoints, scope, keys[i], channel);
        }
        layout->device_channel[i] = channel;
    }
    return PS_OK;
}

PsErr ps_layout_init(PsLayout *layout, const PsConfig *config, PsDiag *diag) {
    *layout = (PsLayout){.device_channel = ps_alloc_array(config->device_count, sizeof(uint32_t))};
    bool *used = find_used(config);
    Key *keys = ps_alloc_array(config->device_count, sizeof *keys);
    PsErr err = number_all(layout, config, used, keys, diag);
    free(keys);
    free(used);
    if (err != PS_OK) {
        ps_layout_deinit(layout);
    }
    return err;
}

void ps_layout_deinit(PsLayout *layout) {
    free(layout->device_channel);
    *layout = (PsLayout){0};
}
