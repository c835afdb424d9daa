//! How much the outbox writes to its disk: today, the last days, in all. What SQLite writes to the
//! database and its write-ahead log, in bytes; a file system adds its own. Days are of UTC. Pure.
#pragma once

#include <stdint.h>

#define PS_DISK_DAYS 8 ///< today and the seven before it

typedef struct PsDiskDay {
    int64_t day; ///< since 1970-01-01
    uint64_t bytes;
} PsDiskDay;

/// Zeroed is empty.
typedef struct PsDiskUse {
    uint64_t total;
    int64_t since;                ///< day of the first byte of `total`
    PsDiskDay days[PS_DISK_DAYS]; ///< in no order; those without bytes are free
} PsDiskUse;

void ps_disk_use_add(PsDiskUse *use, int64_t day, uint64_t bytes);
uint64_t ps_disk_use_of_day(const PsDiskUse *use, int64_t day);
/// Of `day` and the six before it.
uint64_t ps_disk_use_of_week(const PsDiskUse *use, int64_t day);
