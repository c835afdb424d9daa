// What every driver asks of its endpoint. Pure; any thread.
#include "drivers/endpoint.h"

PsErr ps_endpoint_check(const PsEndpoint *endpoint, PsVariableCheck *check, PsDiag *diag) {
    const PsConfig *config = endpoint->config;
    for (uint32_t s = 0; s < endpoint->set_count; s++) {
        const PsPollSet *set = &endpoint->sets[s];
        for (uint32_t i = 0; i < set->variable_count; i++) {
            const PsVariable *variable = &config->variables[set->variables[i]];
            PsErr err = check(&config->devices[variable->device], variable, diag);
            if (err != PS_OK) {
                return err;
            }
        }
    }
    return PS_OK;
}

int64_t ps_endpoint_timeout_ns(const PsEndpoint *endpoint) {
    int64_t longest = 0;
    for (uint32_t i = 0; i < endpoint->device_count; i++) {
        int64_t timeout = ps_seconds_to_ns(endpoint->config->devices[endpoint->devices[i]].timeout);
        longest = timeout > longest ? timeout : longest;
    }
    return longest;
}
