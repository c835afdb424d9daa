// A ring of seconds. Pure.
#include "daemon/drain_meter.h"

#include <string.h>

static void begin_second(PsDrainMeter *meter, int64_t second, uint64_t waiting) {
    meter->delivered[second % PS_DRAIN_SECONDS] = 0;
    meter->waiting[second % PS_DRAIN_SECONDS] = waiting;
}

void ps_drain_meter_init(PsDrainMeter *meter, uint64_t waiting, PsMono now) {
    memset(meter, 0, sizeof *meter);
    meter->begun = now.ns / PS_NS_PER_S;
    meter->second = meter->begun;
    begin_second(meter, meter->second, waiting);
}

void ps_drain_meter_note(PsDrainMeter *meter, uint64_t delivered, uint64_t waiting, PsMono now) {
    int64_t second = now.ns / PS_NS_PER_S;
    int64_t from =
        second - meter->second > PS_DRAIN_SECONDS ? second - PS_DRAIN_SECONDS : meter->second;
    for (int64_t next = from + 1; next <= second; next++) {
        begin_second(meter, next, waiting + delivered);
    }
    meter->second = second > meter->second ? second : meter->second;
    meter->delivered[meter->second % PS_DRAIN_SECONDS] += delivered;
}

PsDrainRates ps_drain_meter_rates(PsDrainMeter *meter, uint64_t waiting, PsMono now) {
    ps_drain_meter_note(meter, 0, waiting, now);
    int64_t oldest = meter->second - PS_DRAIN_SECONDS + 1;
    oldest = oldest > meter->begun ? oldest : meter->begun;
    double seconds = (double)now.ns / PS_NS_PER_S - (double)oldest;
    if (seconds <= 0) {
        return (PsDrainRates){0};
    }
    uint64_t delivered = 0;
    for (int64_t second = oldest; second <= meter->second; second++) {
        delivered += meter->delivered[second % PS_DRAIN_SECONDS];
    }
    double before = (double)meter->waiting[oldest % PS_DRAIN_SECONDS];
    return (PsDrainRates){.delivered_per_s = (double)delivered / seconds,
                          .drained_per_s = (before - (double)waiting) / seconds};
}
