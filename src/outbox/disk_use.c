// Bytes by day. Pure.
#include "outbox/disk_use.h"

void ps_disk_use_add(PsDiskUse *use, int64_t day, uint64_t bytes) {
    if (bytes == 0) {
        return;
    }
    if (use->total == 0 || day < use->since) {
        use->since = day;
    }
    use->total += bytes;
    PsDiskDay *place = &use->days[0]; // its own, else a free one, else the oldest
    for (int i = 0; i < PS_DISK_DAYS; i++) {
        PsDiskDay *one = &use->days[i];
        if (one->bytes > 0 && one->day == day) {
            one->bytes += bytes;
            return;
        }
        if (place->bytes > 0 && (one->bytes == 0 || one->day < place->day)) {
            place = one;
        }
    }
    if (place->bytes == 0 || place->day < day) {
        *place = (PsDiskDay){day, bytes};
    }
}

uint64_t ps_disk_use_of_day(const PsDiskUse *use, int64_t day) {
    for (int i = 0; i < PS_DISK_DAYS; i++) {
        if (use->days[i].bytes > 0 && use->days[i].day == day) {
            return use->days[i].bytes;
        }
    }
    return 0;
}

uint64_t ps_disk_use_of_week(const PsDiskUse *use, int64_t day) {
    uint64_t sum = 0;
    for (int64_t back = 0; back < 7; back++) {
        sum += ps_disk_use_of_day(use, day - back);
    }
    return sum;
}
