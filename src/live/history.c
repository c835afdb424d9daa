// The ring. Pure.
#include "live/history.h"

#include "base/err.h"

static const char *const names[PS_HISTORY_KINDS] = {
    [PS_HISTORY_MESSAGES_PER_S] = "messages_per_s",
    [PS_HISTORY_VALUES_PER_S] = "values_per_s",
    [PS_HISTORY_WAITING] = "waiting",
    [PS_HISTORY_DEVICES_UP] = "devices_up",
    [PS_HISTORY_ALARMS] = "alarms",
};

const char *ps_history_name(PsHistoryKind kind) {
    return names[kind];
}

void ps_history_put(PsHistory *history, const double values[PS_HISTORY_KINDS]) {
    uint32_t place = (history->first + history->count) % PS_HISTORY_POINTS;
    if (history->count < PS_HISTORY_POINTS) {
        history->count++;
    } else {
        history->first = (history->first + 1) % PS_HISTORY_POINTS;
    }
    for (size_t i = 0; i < PS_HISTORY_KINDS; i++) {
        history->points[place][i] = (float)values[i];
    }
}

double ps_history_at(const PsHistory *history, PsHistoryKind kind, uint32_t number) {
    PS_ASSERT(number < history->count);
    return (double)history->points[(history->first + number) % PS_HISTORY_POINTS][kind];
}
