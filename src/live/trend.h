//! The trend recorder: the last hour of the variables that somebody has asked a trend of, at most
//! PS_TREND_SERIES_MAX, 64 KiB each at most. The one that nobody has asked for longest makes
//! room. Main thread; reads no clock.
#pragma once

#include "live/name_index.h"
#include "live/trend_series.h"
#include "tags/value.h"

#define PS_TREND_SERIES_MAX 200
#define PS_TREND_KEPT_S 3600 ///< after the last question

typedef struct PsTrend PsTrend;

/// `variable_count` of the configuration.
PsTrend *ps_trend_new(uint32_t variable_count);
/// Accepts NULL.
void ps_trend_free(PsTrend *trend);

/// Somebody asks: it is recorded from now on. The first time the series is empty.
const PsTrendSeries *ps_trend_ask(PsTrend *trend, uint32_t variable, PsMono now);
/// Is the variable recorded?
bool ps_trend_wants(const PsTrend *trend, uint32_t variable);
/// A reading of a variable, if it is recorded; bad ones and texts are gaps.
void ps_trend_put(PsTrend *trend, uint32_t variable, PsValue value, bool good, PsWall time);
/// How many are recorded.
uint32_t ps_trend_count(const PsTrend *trend);
/// Forgets what nobody has asked for.
void ps_trend_expire(PsTrend *trend, PsMono now);
/// Another configuration; variables are the same by their names.
void ps_trend_apply(PsTrend *trend, const PsConfig *former, const PsConfig *config,
                    const PsNameIndex *index);
