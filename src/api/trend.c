// GET /trend: the last hour of a variable, recorded since somebody asked for it. Main thread.
#include "api/handlers_live.h"
#include "api/live_private.h"
#include "api/values.h"
#include "base/cleanup.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

static json_t *points_json(const PsTrendPoint *points, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *value = isnan(points[i].value) ? json_null() : json_real(points[i].value);
        json_array_append_new(list, json_pack("[o, o]", ps_api_time(points[i].time), value));
    }
    return list;
}

// The first time there is nothing but the present value, which is put in as the first point.
static const PsTrendSeries *ask(PsApiLive *live, uint32_t variable) {
    bool known = ps_trend_wants(live->trend, variable);
    const PsTrendSeries *series = ps_trend_ask(live->trend, variable, ps_mono_now());
    ps_api_live_look(live);
    PsCellReading now = ps_api_live_read(variable, live);
    if (!known && now.time.ns > 0) {
        ps_trend_put(live->trend, variable, now.value, now.quality == PS_QUALITY_GOOD, now.time);
    }
    return series;
}

void ps_api_trend(PsApiCall *call) {
    PsApiLive *live = ps_api_call_sources(call)->live;
    uint32_t variable = 0;
    PsDiag diag = {0};
    PsErr err = ps_api_find_variable(call, &variable, &diag);
    if (err != PS_OK) {
        ps_api_call_fail(call, err, &diag);
        return;
    }
    int64_t seconds = ps_api_call_integer(call, "seconds", PS_TREND_SPAN_NS / PS_NS_PER_S);
    const PsTrendSeries *series = ask(live, variable);
    PsWall from = {ps_wall_now().ns - seconds * PS_NS_PER_S};
    size_t count = ps_trend_series_copy(series, from, NULL, 0);
    PS_AUTO_FREE PsTrendPoint *points = ps_alloc_array(count + 1, sizeof *points);
    count = ps_trend_series_copy(series, from, points, count);
    json_t *json = json_object();
    if (series->step_ns > PS_TREND_STEP_NS) {
        json_object_set_new(json, "step", json_real((double)series->step_ns / 1e9));
    }
    json_object_set_new(json, "points", points_json(points, count));
    ps_api_call_reply(call, json);
}
