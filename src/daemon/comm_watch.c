// Carries the health of devices from their channels to the alarms. Main thread; never blocks.
#include "daemon/comm_watch.h"

#include "base/mem.h"

#include <stdlib.h>

#define PERIOD_MS 1000

struct PsCommWatch {
    uv_timer_t timer;
    const PsConfig *config;
    PsCollector *collector;
    PsAlarmDesk *desk;
    PsAlarmVerdict *devices; // as in the configuration
};

static const PsAlarmVerdict verdicts[] = {
    [PS_CONTACT_NONE] = PS_ALARM_UNKNOWN,
    [PS_CONTACT_ANSWERS] = PS_ALARM_CLEAR,
    [PS_CONTACT_SILENT] = PS_ALARM_MET,
};

static void on_timer(uv_timer_t *timer) {
    PsCommWatch *watch = timer->data;
    for (uint32_t i = 0; i < watch->config->device_count; i++) {
        if (watch->config->devices[i].comm_alarm) {
            PsDeviceRow row;
            ps_collector_device_row(watch->collector, i, &row);
            watch->devices[i] = verdicts[row.contact];
        }
    }
    ps_alarm_desk_evaluate_devices(watch->desk, watch->devices);
}

PsCommWatch *ps_comm_watch_new(uv_loop_t *loop, const PsConfig *config, PsCollector *collector,
                               PsAlarmDesk *desk) {
    if (ps_config_warning_count(config) == config->alarm_count) {
        return NULL;
    }
    PsCommWatch *watch = ps_alloc(sizeof *watch);
    watch->config = config;
    watch->collector = collector;
    watch->desk = desk;
    watch->devices = ps_alloc_array(config->device_count, sizeof *watch->devices);
    uv_timer_init(loop, &watch->timer);
    watch->timer.data = watch;
    uv_timer_start(&watch->timer, on_timer, PERIOD_MS, PERIOD_MS);
    return watch;
}

static void on_closed(uv_handle_t *handle) {
    PsCommWatch *watch = handle->data;
    free(watch->devices);
    free(watch);
}

void ps_comm_watch_close(PsCommWatch *watch) {
    if (watch != NULL) {
        uv_close((uv_handle_t *)&watch->timer, on_closed);
    }
}
