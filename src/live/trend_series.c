// A ring of points and the open step; when the ring is full within the hour, steps become twice as
// long. Pure.
#include "live/trend_series.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

#define CAPACITY_FIRST 64

void ps_trend_series_deinit(PsTrendSeries *series) {
    free(series->points);
    *series = (PsTrendSeries){0};
}

static PsTrendPoint *at(const PsTrendSeries *series, uint32_t number) {
    return &series->points[(series->first + number) % series->capacity];
}

static void grow(PsTrendSeries *series) {
    uint32_t capacity = series->capacity > 0 ? series->capacity * 2 : CAPACITY_FIRST;
    capacity = capacity < PS_TREND_POINTS_MAX ? capacity : PS_TREND_POINTS_MAX;
    PsTrendPoint *points = ps_alloc_array(capacity, sizeof *points);
    for (uint32_t i = 0; i < series->count; i++) {
        points[i] = *at(series, i);
    }
    free(series->points);
    series->points = points;
    series->capacity = capacity;
    series->first = 0;
}

static void drop_old(PsTrendSeries *series, PsWall now) {
    while (series->count > 0 && at(series, 0)->time.ns < now.ns - PS_TREND_SPAN_NS) {
        series->first = (series->first + 1) % series->capacity;
        series->count--;
    }
}

static void thin(PsTrendSeries *series);

static void keep(PsTrendSeries *series, PsTrendPoint point) {
    drop_old(series, point.time);
    while (series->count == series->capacity) {
        if (series->capacity < PS_TREND_POINTS_MAX) {
            grow(series);
        } else {
            thin(series);
        }
    }
    *at(series, series->count) = point;
    series->count++;
}

// Smallest, largest and gap in the order of their times; one point that is both is one.
static uint32_t sorted(const PsTrendSeries *series, PsTrendPoint out[3]) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < series->open; i++) {
        PsTrendPoint point = series->waiting[i];
        uint32_t place = count++;
        for (; place > 0 && out[place - 1].time.ns > point.time.ns; place--) {
            out[place] = out[place - 1];
        }
        out[place] = point;
    }
    return count;
}

static void close_step(PsTrendSeries *series) {
    PsTrendPoint points[3];
    uint32_t count = sorted(series, points);
    series->open = 0;
    for (uint32_t i = 0; i < count; i++) {
        keep(series, points[i]);
    }
}

static bool is_gap(const PsTrendPoint *point) {
    return isnan(point->value);
}

// Into the open step: a gap after all, numbers where they are the smallest or the largest.
static void add(PsTrendSeries *series, PsTrendPoint point) {
    PsTrendPoint *waiting = series->waiting;
    uint32_t numbers = 0;
    while (numbers < series->open && !is_gap(&waiting[numbers])) {
        numbers++;
    }
    bool gap = numbers < series->open;
    if (is_gap(&point)) {
        series->open += gap ? 0 : 1;
        waiting[numbers] = point;
    } else if (numbers < 2) {
        waiting[series->open++] = gap ? waiting[numbers] : point;
        waiting[numbers] = point;
        if (numbers == 1 && waiting[1].value < waiting[0].value) {
            waiting[1] = waiting[0];
            waiting[0] = point;
        }
    } else if (point.value < waiting[0].value) {
        waiting[0] = point;
    } else if (point.value > waiting[1].value) {
        waiting[1] = point;
    }
}

static int64_t bucket_of(const PsTrendSeries *series, PsWall time) {
    return time.ns / series->step_ns;
}

static void put(PsTrendSeries *series, PsTrendPoint point) {
    int64_t bucket = bucket_of(series, point.time);
    if (series->open > 0 && bucket != series->bucket) {
        close_step(series);
    }
    series->bucket = bucket_of(series, point.time); // which closing may have made longer
    add(series, point);
}

// The same points by steps twice as long; there are at most three for each.
static void thin(PsTrendSeries *series) {
    PsTrendSeries longer = {.step_ns = series->step_ns * 2};
    for (uint32_t i = 0; i < series->count; i++) {
        put(&longer, *at(series, i));
    }
    close_step(&longer);
    free(series->points);
    series->points = longer.points;
    series->capacity = longer.capacity;
    series->first = longer.first;
    series->count = longer.count;
    series->step_ns = longer.step_ns;
}

void ps_trend_series_put(PsTrendSeries *series, PsWall time, double value) {
    if (series->step_ns > 0 && time.ns < series->newest.ns - series->step_ns) {
        ps_trend_series_deinit(series);
    }
    if (series->step_ns == 0) {
        series->step_ns = PS_TREND_STEP_NS;
    }
    time.ns = time.ns > series->newest.ns ? time.ns : series->newest.ns;
    bool unknown = isnan(value);
    if (unknown && series->unknown) {
        return; // the gap has begun
    }
    put(series, (PsTrendPoint){time, value});
    series->newest = time;
    series->unknown = unknown;
}

size_t ps_trend_series_copy(const PsTrendSeries *series, PsWall from, PsTrendPoint *out,
                            size_t size) {
    PsTrendPoint open[3];
    uint32_t open_count = sorted(series, open);
    uint32_t total = series->count + open_count;
    uint32_t first = 0;
    while (first < total) {
        const PsTrendPoint *point =
            first < series->count ? at(series, first) : &open[first - series->count];
        if (point->time.ns >= from.ns) {
            break;
        }
        first++;
    }
    size_t count = total - first;
    if (out == NULL) {
        return count;
    }
    if (count > size) {
        first += (uint32_t)(count - size);
        count = size;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t number = first + (uint32_t)i;
        out[i] = number < series->count ? *at(series, number) : open[number - series->count];
    }
    return count;
}
