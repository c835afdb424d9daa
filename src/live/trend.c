// Series in a fixed array; which variable has which, in a byte for each variable. Main thread.
#include "live/trend.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NO_SERIES 0 // else number + 1, which fits a byte

typedef struct Recorded {
    uint32_t variable;
    bool used;
    PsMono asked;
    PsTrendSeries series;
} Recorded;

struct PsTrend {
    uint32_t variable_count;
    uint8_t *of_variable; // NULL while nothing is recorded
    uint32_t count;
    Recorded recorded[PS_TREND_SERIES_MAX];
};

PsTrend *ps_trend_new(uint32_t variable_count) {
    PsTrend *trend = ps_alloc(sizeof *trend);
    trend->variable_count = variable_count;
    return trend;
}

static void forget(PsTrend *trend, Recorded *recorded) {
    ps_trend_series_deinit(&recorded->series);
    trend->of_variable[recorded->variable] = NO_SERIES;
    recorded->used = false;
    trend->count--;
    if (trend->count == 0) {
        free(trend->of_variable);
        trend->of_variable = NULL;
    }
}

void ps_trend_free(PsTrend *trend) {
    if (trend == NULL) {
        return;
    }
    for (size_t i = 0; i < PS_TREND_SERIES_MAX; i++) {
        ps_trend_series_deinit(&trend->recorded[i].series);
    }
    free(trend->of_variable);
    free(trend);
}

static Recorded *find(PsTrend *trend, uint32_t variable) {
    uint8_t number = trend->of_variable != NULL ? trend->of_variable[variable] : NO_SERIES;
    return number != NO_SERIES ? &trend->recorded[number - 1] : NULL;
}

// A free place, or that of the one nobody has asked for longest.
static Recorded *make_room(PsTrend *trend) {
    Recorded *oldest = &trend->recorded[0];
    for (size_t i = 0; i < PS_TREND_SERIES_MAX; i++) {
        Recorded *recorded = &trend->recorded[i];
        if (!recorded->used) {
            return recorded;
        }
        oldest = recorded->asked.ns < oldest->asked.ns ? recorded : oldest;
    }
    forget(trend, oldest);
    return oldest;
}

static void record(PsTrend *trend, Recorded *place, uint32_t variable) {
    if (trend->of_variable == NULL) {
        trend->of_variable = ps_alloc_array(trend->variable_count, 1);
    }
    trend->of_variable[variable] = (uint8_t)(place - trend->recorded + 1);
    place->variable = variable;
    place->used = true;
    trend->count++;
}

const PsTrendSeries *ps_trend_ask(PsTrend *trend, uint32_t variable, PsMono now) {
    PS_ASSERT(variable < trend->variable_count);
    Recorded *recorded = find(trend, variable);
    if (recorded == NULL) {
        recorded = make_room(trend);
        record(trend, recorded, variable);
    }
    recorded->asked = now;
    return &recorded->series;
}

bool ps_trend_wants(const PsTrend *trend, uint32_t variable) {
    return trend->of_variable != NULL && trend->of_variable[variable] != NO_SERIES;
}

static double number_of(PsValue value) {
    switch ((PsValueKind)value.kind) {
    case PS_VALUE_BOOL:
        return value.boolean ? 1 : 0;
    case PS_VALUE_INT:
        return (double)value.integer;
    case PS_VALUE_UINT:
        return (double)value.unsigned_integer;
    case PS_VALUE_FLOAT:
        return isfinite(value.number) ? value.number : NAN;
    default:
        return NAN;
    }
}

void ps_trend_put(PsTrend *trend, uint32_t variable, PsValue value, bool good, PsWall time) {
    Recorded *recorded = find(trend, variable);
    if (recorded != NULL) {
        ps_trend_series_put(&recorded->series, time, good ? number_of(value) : NAN);
    }
}

uint32_t ps_trend_count(const PsTrend *trend) {
    return trend->count;
}

void ps_trend_expire(PsTrend *trend, PsMono now) {
    for (size_t i = 0; i < PS_TREND_SERIES_MAX; i++) {
        Recorded *recorded = &trend->recorded[i];
        if (recorded->used &&
            ps_mono_diff_ns(now, recorded->asked) > PS_TREND_KEPT_S * PS_NS_PER_S) {
            forget(trend, recorded);
        }
    }
}

void ps_trend_apply(PsTrend *trend, const PsConfig *former, const PsConfig *config,
                    const PsNameIndex *index) {
    free(trend->of_variable);
    trend->of_variable = NULL;
    trend->variable_count = config->variable_count;
    trend->count = 0;
    for (size_t i = 0; i < PS_TREND_SERIES_MAX; i++) {
        Recorded *recorded = &trend->recorded[i];
        if (!recorded->used) {
            continue;
        }
        const PsVariable *variable = &former->variables[recorded->variable];
        uint32_t now = ps_name_index_find(index, variable->device_name, variable->name);
        if (now != UINT32_MAX) {
            record(trend, recorded, now);
        } else {
            ps_trend_series_deinit(&recorded->series);
            recorded->used = false;
        }
    }
}
