//! The last minutes of the gateway's own figures, for the small curves of the overview: a ring of
//! fixed size. Pure.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PS_HISTORY_STEP_S 5
#define PS_HISTORY_POINTS 120 ///< ten minutes

typedef enum PsHistoryKind {
    PS_HISTORY_MESSAGES_PER_S, ///< acknowledged by the cloud
    PS_HISTORY_VALUES_PER_S,   ///< collected
    PS_HISTORY_WAITING,        ///< messages in the outbox
    PS_HISTORY_DEVICES_UP,     ///< devices that answer
    PS_HISTORY_ALARMS,         ///< that are on
    PS_HISTORY_KINDS,
} PsHistoryKind;

/// "messages_per_s", "values_per_s", ...
const char *ps_history_name(PsHistoryKind kind);

/// Zeroed is empty and valid.
typedef struct PsHistory {
    float points[PS_HISTORY_POINTS][PS_HISTORY_KINDS];
    uint32_t first;
    uint32_t count;
} PsHistory;

void ps_history_put(PsHistory *history, const double values[PS_HISTORY_KINDS]);
/// Point number `number`, 0 is the oldest.
double ps_history_at(const PsHistory *history, PsHistoryKind kind, uint32_t number);
